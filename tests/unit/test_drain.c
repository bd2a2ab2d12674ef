/* How long a drain takes: a decay is extrapolated, growth and standstill are not. */
#include "core/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static mono
at_s(int64_t s)
{
	return (mono){1000 * NS_PER_S + s * NS_PER_S};
}

static void
nothing_left_is_over(void **state)
{
	struct drain d;

	(void)state;
	drain_begin(&d, at_s(0), 0);
	assert_true(drain_eta_ns(&d) == 0);
	drain_begin(&d, at_s(0), 9);
	drain_sample(&d, at_s(5), 0);
	assert_true(drain_eta_ns(&d) == 0);
	assert_int_equal(d.begun_with, 9);
}

static void
a_decay_is_extrapolated(void **state)
{
	struct drain d;
	uint32_t n = 1 << 20;

	(void)state;
	drain_begin(&d, at_s(0), n);
	for (int s = 10; s <= 100; s += 10) { /* halves every ten seconds */
		int64_t truth_s;

		n /= 2;
		drain_sample(&d, at_s(s), n);
		truth_s = 10 * (20 - s / 10 + 1); /* until a half of one */
		assert_true(drain_eta_ns(&d) > (truth_s - truth_s / 4) * NS_PER_S);
		assert_true(drain_eta_ns(&d) < (truth_s + truth_s / 4) * NS_PER_S);
	}
}

static void
a_change_of_pace_is_seen(void **state)
{
	struct drain d;
	int64_t quick;

	(void)state;
	drain_begin(&d, at_s(0), 1000);
	for (int s = 1; s <= 10; s++)
		drain_sample(&d, at_s(s), 1000 - 50 * (uint32_t)s);
	quick = drain_eta_ns(&d);
	assert_true(quick > 0);
	for (int s = 11; s <= 120; s++) /* the rest are long-lived */
		drain_sample(&d, at_s(s), 500 - (uint32_t)s / 10);
	assert_true(drain_eta_ns(&d) > 10 * quick);
}

static void
what_cannot_be_said_is_not(void **state)
{
	struct drain d;

	(void)state;
	drain_begin(&d, at_s(0), 100);
	assert_true(drain_eta_ns(&d) == -1); /* nothing seen yet */
	drain_sample(&d, at_s(60), 100);
	assert_true(drain_eta_ns(&d) == -1); /* a standstill */
	drain_sample(&d, at_s(61), 120);
	drain_sample(&d, at_s(62), 121);
	assert_true(drain_eta_ns(&d) == -1); /* growth */
	drain_sample(&d, at_s(72), 60);
	assert_true(drain_eta_ns(&d) > 0);
}

static void
large_numbers_do_not_overflow(void **state)
{
	struct drain d;

	(void)state;
	drain_begin(&d, at_s(0), UINT32_MAX);
	drain_sample(&d, at_s(19), UINT32_MAX - 1);
	assert_true(drain_eta_ns(&d) >= -1);
	drain_begin(&d, at_s(0), 2);
	drain_sample(&d, at_s(100000), 1);
	assert_true(drain_eta_ns(&d) > 0);
}

/* Connections that were promised a second must not be cut after a millisecond of it. */
static void
its_time_is_never_cut_short(void **state)
{
	(void)state;
	assert_false(drain_time_is_over(at_s(0), 1, at_s(0)));
	assert_false(drain_time_is_over(at_s(0), 1, mono_add_ns(at_s(1), -1)));
	assert_true(drain_time_is_over(at_s(0), 1, at_s(1)));
	assert_false(drain_time_is_over(at_s(0), 300, at_s(299)));
	assert_true(drain_time_is_over(at_s(0), 300, at_s(300)));
	assert_true(drain_time_is_over(at_s(-2000), 300, at_s(0))); /* began before the machine did */
	assert_false(drain_time_is_over(at_s(0), 0, at_s(INT32_MAX))); /* no end */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_left_is_over),
		cmocka_unit_test(a_decay_is_extrapolated),
		cmocka_unit_test(a_change_of_pace_is_seen),
		cmocka_unit_test(what_cannot_be_said_is_not),
		cmocka_unit_test(large_numbers_do_not_overflow),
		cmocka_unit_test(its_time_is_never_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
