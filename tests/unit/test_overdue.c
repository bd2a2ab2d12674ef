/* Probes that tell nothing: when that is told, and when their prober is taken for stuck. */
#include "core/overdue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct overdue_rhythm second = {.interval_ms = 1000, .timeout_ms = 500};

static mono
at_ms(int64_t ms)
{
	return (mono){1000 * NS_PER_S + ms * NS_PER_MS};
}

static enum overdue
after_ms(const struct overdue_rhythm *r, int64_t silent_ms)
{
	return overdue_judge(r, silent_ms * NS_PER_MS);
}

/* Two periods of 1.5 s and 0.2 s for the way here; twice that. */
static void
two_periods_are_told_and_twice_that_is_stuck(void **state)
{
	(void)state;
	assert_int_equal(after_ms(&second, 0), OVERDUE_NOT);
	assert_int_equal(after_ms(&second, 3200), OVERDUE_NOT);
	assert_int_equal(after_ms(&second, 3201), OVERDUE_LATE);
	assert_int_equal(after_ms(&second, 6400), OVERDUE_LATE);
	assert_int_equal(after_ms(&second, 6401), OVERDUE_STUCK);
}

/* Results that are equal come once a second, however often it is probed; and nobody is killed in less
 * than five seconds. */
static void
a_quick_probe_has_as_long_as_a_sign_of_life(void **state)
{
	const struct overdue_rhythm quick = {.interval_ms = 20, .timeout_ms = 10};

	(void)state;
	assert_int_equal(after_ms(&quick, 1230), OVERDUE_NOT);
	assert_int_equal(after_ms(&quick, 1231), OVERDUE_LATE);
	assert_int_equal(after_ms(&quick, 5000), OVERDUE_LATE);
	assert_int_equal(after_ms(&quick, 5001), OVERDUE_STUCK);
}

/* A start may be put off by a share of the interval. */
static void
what_is_put_off_is_not_missing(void **state)
{
	struct overdue_rhythm spread = second;

	(void)state;
	spread.spread_percent = 50;
	assert_int_equal(after_ms(&spread, 3700), OVERDUE_NOT);
	assert_int_equal(after_ms(&spread, 3701), OVERDUE_LATE);
	assert_int_equal(after_ms(&spread, 7400), OVERDUE_LATE);
	assert_int_equal(after_ms(&spread, 7401), OVERDUE_STUCK);
}

/* The longest intervals that can be configured: no overflow. */
static void
a_slow_probe_is_left_alone_for_long(void **state)
{
	const struct overdue_rhythm slow = {.interval_ms = 86400000, .timeout_ms = 86400000,
		.spread_percent = 100};

	(void)state;
	assert_int_equal(after_ms(&slow, 5 * INT64_C(86400000)), OVERDUE_NOT);
	assert_int_equal(after_ms(&slow, 6 * INT64_C(86400000)), OVERDUE_LATE);
	assert_int_equal(after_ms(&slow, 11 * INT64_C(86400000)), OVERDUE_STUCK);
}

static void
who_was_held_up_has_no_opinion(void **state)
{
	struct overdue_watch w = {.looked_at = {0}};

	(void)state;
	assert_false(overdue_look(&w, at_ms(0))); /* the first look of all */
	assert_true(overdue_look(&w, at_ms(1000)));
	assert_true(overdue_look(&w, at_ms(2500)));
	assert_false(overdue_look(&w, at_ms(4001)));
	assert_true(overdue_look(&w, at_ms(5001))); /* a second later it has read what was there */
}

static void
one_that_is_stuck_is_given_the_time_to_die(void **state)
{
	struct overdue_pardon p = {.until = {0}};
	int asked = 0;

	(void)state;
	assert_true(overdue_replace(&p, at_ms(0)));
	assert_false(overdue_replace(&p, at_ms(1)));
	assert_false(overdue_replace(&p, at_ms(4999)));
	assert_true(overdue_replace(&p, at_ms(5000)));
	for (int ms = 6000; ms <= 65000; ms += 1000)
		asked += overdue_replace(&p, at_ms(ms));
	assert_int_equal(asked, 12); /* one that cannot be killed is asked for, each five seconds */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_periods_are_told_and_twice_that_is_stuck),
		cmocka_unit_test(a_quick_probe_has_as_long_as_a_sign_of_life),
		cmocka_unit_test(what_is_put_off_is_not_missing),
		cmocka_unit_test(a_slow_probe_is_left_alone_for_long),
		cmocka_unit_test(who_was_held_up_has_no_opinion),
		cmocka_unit_test(one_that_is_stuck_is_given_the_time_to_die),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
