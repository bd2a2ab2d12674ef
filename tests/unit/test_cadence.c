/* Phases spread, differ between the nodes, stay; the rhythm is kept and never in the past. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/cadence.h"

static struct endpoint
target(unsigned n)
{
	return (struct endpoint){.addr = {.family = IP_V4, .bytes = {10, 88, (uint8_t)(n >> 8),
		(uint8_t)n}}, .port = 80};
}

static void
test_phase_is_stable_and_in_range(void **state)
{
	const int64_t intervals[] = {10 * NS_PER_MS, 1000 * NS_PER_MS, 3600 * NS_PER_S};
	unsigned i, n;

	(void)state;
	for (i = 0; i < 3; i++)
		for (n = 0; n < 1000; n++) {
			struct endpoint e = target(n);
			int64_t phase = cadence_phase_ns(&e, (uint8_t)(n & 1), intervals[i]);

			assert_true(phase >= 0 && phase < intervals[i]);
			assert_int_equal(phase,
				cadence_phase_ns(&e, (uint8_t)(n & 1), intervals[i]));
		}
}

static void
test_nodes_stand_half_an_interval_apart(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; n < 100; n++) {
		struct endpoint e = target(n);
		int64_t d = cadence_phase_ns(&e, 0, NS_PER_S) - cadence_phase_ns(&e, 1, NS_PER_S);

		assert_int_equal(d < 0 ? -d : d, NS_PER_S / 2);
	}
}

/* 4,096 neighbouring servers over 64 slots: no slot empty, none with thrice its share. */
static void
test_phases_spread(void **state)
{
	unsigned slots[64] = {0}, n;

	(void)state;
	for (n = 0; n < 4096; n++) {
		struct endpoint e = target(n);

		slots[cadence_phase_ns(&e, 0, NS_PER_S) * 64 / NS_PER_S]++;
	}
	for (n = 0; n < 64; n++)
		assert_in_range(slots[n], 20, 192);
}

static void
test_ports_differ(void **state)
{
	struct endpoint a = target(1), b = target(1);

	(void)state;
	b.port = 81;
	assert_int_not_equal(cadence_phase_ns(&a, 0, NS_PER_S), cadence_phase_ns(&b, 0, NS_PER_S));
}

static void
test_first_is_the_next_point_on_the_phase(void **state)
{
	mono first;

	(void)state;
	first = cadence_first((mono){10250}, 300, 1000, false);
	assert_int_equal(first.ns, 10300);
	first = cadence_first((mono){10300}, 300, 1000, false);
	assert_int_equal(first.ns, 10300);
	first = cadence_first((mono){10301}, 300, 1000, false);
	assert_int_equal(first.ns, 11300);
	first = cadence_first((mono){10999}, 0, 1000, false);
	assert_int_equal(first.ns, 11000);
}

static void
test_urgent_starts_within_fifty_ms(void **state)
{
	const mono now = {123 * NS_PER_S};
	unsigned n;
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (n = 0; n < 500; n++) {
		struct endpoint e = target(n);
		int64_t phase = cadence_phase_ns(&e, 0, 3600 * NS_PER_S);
		mono first = cadence_first(now, phase, 3600 * NS_PER_S, true);
		int64_t wait = mono_diff_ns(first, now);

		assert_true(wait >= 0 && wait <= 50 * NS_PER_MS);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		first = cadence_first(now, cadence_phase_ns(&e, 0, 10 * NS_PER_MS),
			10 * NS_PER_MS, true);
		assert_true(mono_diff_ns(first, now) >= 0);
		assert_true(mono_diff_ns(first, now) <= 10 * NS_PER_MS);
	}
	assert_true(least < 5 * NS_PER_MS && most > 45 * NS_PER_MS);
}

static void
test_next_keeps_the_rhythm(void **state)
{
	(void)state;
	/* ended before the next is due */
	assert_int_equal(cadence_next((mono){5000}, (mono){5010}, 1000).ns, 6000);
	assert_int_equal(cadence_next((mono){5000}, (mono){6000}, 1000).ns, 6000);
	/* a timeout beyond the interval: the next point that is not in the past */
	assert_int_equal(cadence_next((mono){5000}, (mono){6001}, 1000).ns, 7000);
	assert_int_equal(cadence_next((mono){5000}, (mono){7500}, 1000).ns, 8000);
	assert_int_equal(cadence_next((mono){5000}, (mono){8000}, 1000).ns, 8000);
	/* no drift over a million turns, each ended somewhere in its interval */
	mono due = {777};
	for (int i = 0; i < 1000000; i++)
		due = cadence_next(due, mono_add_ns(due, i % 1000), 1000);
	assert_int_equal(due.ns, 777 + INT64_C(1000) * 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phase_is_stable_and_in_range),
		cmocka_unit_test(test_nodes_stand_half_an_interval_apart),
		cmocka_unit_test(test_phases_spread),
		cmocka_unit_test(test_ports_differ),
		cmocka_unit_test(test_first_is_the_next_point_on_the_phase),
		cmocka_unit_test(test_urgent_starts_within_fifty_ms),
		cmocka_unit_test(test_next_keeps_the_rhythm),
	};

	return cmocka_run_group_tests_name("cadence", tests, NULL, NULL);
}
