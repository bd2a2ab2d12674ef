/* Which results are void, when the server is asked again, and that nobody waits for ever for it. */
#include "core/lag.h"
#include "core/overdue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const int64_t timeout_ns = 500 * NS_PER_MS;

static void
half_the_timeout_lost_is_void(void **state)
{
	(void)state;
	assert_false(lag_voids(0, timeout_ns, 0));
	assert_false(lag_voids(timeout_ns / 2, timeout_ns, 0));
	assert_true(lag_voids(timeout_ns / 2 + 1, timeout_ns, 0));
	assert_true(lag_voids(INT64_MAX, timeout_ns, 0));
}

static void
the_fourth_in_a_row_counts(void **state)
{
	(void)state;
	assert_true(lag_voids(timeout_ns, timeout_ns, 1));
	assert_true(lag_voids(timeout_ns, timeout_ns, 2));
	assert_false(lag_voids(timeout_ns, timeout_ns, 3));
	assert_false(lag_voids(timeout_ns, timeout_ns, 4));
}

static void
asked_again_soon_and_spread(void **state)
{
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		int64_t ns = lag_again_ns(NS_PER_S, i * UINT64_C(0x9e3779b97f4a7c15));

		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	assert_in_range(least, 5 * NS_PER_MS, 6 * NS_PER_MS);
	assert_in_range(most, 99 * NS_PER_MS, 100 * NS_PER_MS);
	assert_int_equal(lag_again_ns(NS_PER_S, 0), 5 * NS_PER_MS);
	assert_true(lag_again_ns(160 * NS_PER_MS, UINT64_MAX) <= 20 * NS_PER_MS);
	assert_int_equal(lag_again_ns(10 * NS_PER_MS, UINT64_MAX), 5 * NS_PER_MS);
	assert_true(lag_again_ns(3600 * NS_PER_S, UINT64_MAX) <= 100 * NS_PER_MS);
}

/*
 * A prober held up once, for as long as a probe's period, is not said to tell nothing: a result that is
 * not told since it changes nothing, the next probe, whose result is void, and another one that meets its
 * timeout and is told 0.1 s later.
 */
static void
one_void_result_is_not_missing(void **state)
{
	const int64_t intervals_ms[] = {10, 100, 1000, 5000, 60000};

	(void)state;
	for (size_t i = 0; i < sizeof(intervals_ms) / sizeof(intervals_ms[0]); i++) {
		const struct overdue_rhythm r = {.interval_ms = intervals_ms[i],
			.timeout_ms = intervals_ms[i] / 2};
		int64_t period_ms = r.interval_ms + r.timeout_ms;
		int64_t told_ms = r.interval_ms < 1000 ? 1000 : r.interval_ms;
		int64_t again_ms = r.interval_ms / 8 < LAG_AGAIN_MAX_MS ? r.interval_ms / 8
			: LAG_AGAIN_MAX_MS;
		int64_t silent_ms = told_ms + period_ms + again_ms + r.timeout_ms + 100;

		assert_int_equal(overdue_judge(&r, silent_ms * NS_PER_MS), OVERDUE_NOT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_the_timeout_lost_is_void),
		cmocka_unit_test(the_fourth_in_a_row_counts),
		cmocka_unit_test(asked_again_soon_and_spread),
		cmocka_unit_test(one_void_result_is_not_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
