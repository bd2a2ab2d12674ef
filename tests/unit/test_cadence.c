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
	assert_int_equal(cadence_next((mono){5000}, (mono){6063}, 1000).ns, 7000);
	assert_int_equal(cadence_next((mono){5000}, (mono){7500}, 1000).ns, 8000);
	assert_int_equal(cadence_next((mono){5000}, (mono){8000}, 1000).ns, 8000);
	/* a timeout as long as the interval, heard of a little late: at once, and not one left out */
	assert_int_equal(cadence_next((mono){5000}, (mono){6001}, 1000).ns, 6000);
	assert_int_equal(cadence_next((mono){5000}, (mono){6062}, 1000).ns, 6000);
	assert_int_equal(cadence_next((mono){5000}, (mono){8062}, 1000).ns, 8000);
	assert_int_equal(cadence_next((mono){5000}, (mono){8063}, 1000).ns, 9000);
	/* no drift over a million turns, each ended somewhere in its interval */
	mono due = {777};
	for (int i = 0; i < 1000000; i++)
		due = cadence_next(due, mono_add_ns(due, i % 1000), 1000);
	assert_int_equal(due.ns, 777 + INT64_C(1000) * 1000000);
}

/* Evenly over the share that it may have, and no more than the timeout leaves. */
static void
test_spread_is_bounded(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t random = i * UINT64_C(0x9e3779b97f4a7c15);
		int64_t by = cadence_spread_ns(1000000, 500000, 5, random);

		least = by < least ? by : least;
		most = by > most ? by : most;
		assert_in_range(cadence_spread_ns(1000000, 980000, 5, random), 0, 20000);
	}
	assert_in_range(least, 0, 100);
	assert_in_range(most, 49900, 50000);
	assert_int_equal(cadence_spread_ns(1000000, 980000, 5, 20000), 20000);
	assert_int_equal(cadence_spread_ns(1000000, 500000, 0, 12345), 0);
	assert_int_equal(cadence_spread_ns(1000000, 1000000, 50, 12345), 0);
	assert_int_equal(cadence_spread_ns(250000, 500000, 50, 12345), 0);
	assert_in_range(cadence_spread_ns(3600 * NS_PER_S, NS_PER_S, 50, UINT64_MAX), 0,
		1800 * NS_PER_S);
}

static void
test_pace_defaults(void **state)
{
	struct cadence_pace p = cadence_pace(1000, 0, 0);

	(void)state;
	assert_int_equal(p.interval_ns, 1000 * NS_PER_MS);
	assert_int_equal(p.fast_ns, 250 * NS_PER_MS);
	assert_int_equal(p.down_ns, 1000 * NS_PER_MS);
	p = cadence_pace(100, 0, 3600000);
	assert_int_equal(p.fast_ns, 100 * NS_PER_MS);
	assert_int_equal(p.down_ns, 3600 * NS_PER_S);
	assert_int_equal(cadence_pace(1000, 400, 0).fast_ns, 400 * NS_PER_MS);
}

/* Up, then between verdicts, then down, then between verdicts, then up. */
static void
test_step_follows_the_verdict(void **state)
{
	const struct cadence_pace p = {.interval_ns = 1000, .fast_ns = 100, .down_ns = 5000};
	struct health h;

	(void)state;
	health_init(&h, 2, 2, HEALTH_UNKNOWN);
	assert_int_equal(cadence_step_ns(&p, &h), 1000);
	health_result(&h, true);
	assert_int_equal(cadence_step_ns(&p, &h), 1000);
	health_result(&h, false);
	assert_int_equal(cadence_step_ns(&p, &h), 100);
	health_result(&h, false);
	assert_int_equal(cadence_step_ns(&p, &h), 5000);
	health_result(&h, true);
	assert_int_equal(cadence_step_ns(&p, &h), 100);
	health_result(&h, true);
	assert_int_equal(cadence_step_ns(&p, &h), 1000);
}

static void
test_turn_comes_back_to_the_phase(void **state)
{
	const struct cadence_pace p = {.interval_ns = 1000, .fast_ns = 130, .down_ns = 5000};

	(void)state;
	/* the first fast ones, one of which was silent for long */
	assert_int_equal(cadence_turn((mono){5300}, (mono){5310}, &p, 300, 1000, 130).ns, 5430);
	assert_int_equal(cadence_turn((mono){5430}, (mono){5440}, &p, 300, 130, 130).ns, 5560);
	/* Its timeout has met the next start, which was put off, or it was awake late: at once. */
	assert_int_equal(cadence_turn((mono){5300}, (mono){5480}, &p, 300, 1000, 130).ns, 5480);
	assert_int_equal(cadence_turn((mono){5430}, (mono){5570}, &p, 300, 130, 130).ns, 5570);
	assert_int_equal(cadence_turn((mono){5430}, (mono){5560}, &p, 300, 130, 130).ns, 5560);
	/* back: not before a fast step is over, and not in the past */
	assert_int_equal(cadence_turn((mono){5560}, (mono){5570}, &p, 300, 130, 1000).ns, 6300);
	assert_int_equal(cadence_turn((mono){6210}, (mono){6220}, &p, 300, 130, 1000).ns, 7300);
	assert_int_equal(cadence_turn((mono){6100}, (mono){6310}, &p, 300, 130, 1000).ns, 7300);
	/* slow, and back from slow without a step between */
	assert_int_equal(cadence_turn((mono){5300}, (mono){5310}, &p, 300, 1000, 5000).ns, 10300);
	assert_int_equal(cadence_turn((mono){10560}, (mono){10570}, &p, 300, 5000, 1000).ns, 12300);
	/* an urgent start keeps the rhythm that it has */
	assert_int_equal(cadence_turn((mono){5020}, (mono){5030}, &p, 300, 1000, 1000).ns, 6020);
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
		cmocka_unit_test(test_spread_is_bounded),
		cmocka_unit_test(test_pace_defaults),
		cmocka_unit_test(test_step_follows_the_verdict),
		cmocka_unit_test(test_turn_comes_back_to_the_phase),
	};

	return cmocka_run_group_tests_name("cadence", tests, NULL, NULL);
}
