/* Percentiles out of buckets: right to an eighth, bounded at both ends, of two windows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/lateness.h"

static void
test_empty(void **state)
{
	struct lateness l = {0};

	(void)state;
	assert_int_equal(lateness_permille_ns(&l, 990), 0);
	lateness_turn(&l);
	assert_int_equal(lateness_permille_ns(&l, 990), 0);
}

/* A lone value comes back as itself, because the maximum is known exactly. */
static void
test_one(void **state)
{
	static const int64_t values[] = {0, 1, 16383, 16384, 16385, 999999, NS_PER_MS, 20 * NS_PER_MS,
		NS_PER_S, (INT64_C(1) << LATENESS_LAST_BITS) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct lateness l = {0};

		lateness_add(&l, values[i]);
		assert_int_equal(lateness_permille_ns(&l, 990), values[i]);
	}
}

/* Below a larger one it is the end of its bucket: above it, and by an eighth at most. */
static void
test_right_to_an_eighth(void **state)
{
	(void)state;
	for (int64_t ns = 16384; ns < NS_PER_S; ns += ns / 37) {
		struct lateness l = {0};
		int64_t got;

		lateness_add(&l, ns);
		lateness_add(&l, 30 * NS_PER_S);
		got = lateness_permille_ns(&l, 500);
		assert_true(got > ns);
		assert_true(got <= ns + ns / 8 + 1);
	}
}

static void
test_percentile(void **state)
{
	struct lateness l = {0};

	(void)state;
	for (int i = 0; i < 990; i++)
		lateness_add(&l, NS_PER_MS);
	for (int i = 0; i < 10; i++)
		lateness_add(&l, 100 * NS_PER_MS);
	assert_in_range(lateness_permille_ns(&l, 990), NS_PER_MS, NS_PER_MS * 9 / 8);
	assert_int_equal(lateness_permille_ns(&l, 991), 100 * NS_PER_MS);
	lateness_add(&l, 100 * NS_PER_MS);
	assert_int_equal(lateness_permille_ns(&l, 990), 100 * NS_PER_MS);
}

static void
test_out_of_range(void **state)
{
	struct lateness l = {0};

	(void)state;
	lateness_add(&l, -5);
	assert_int_equal(l.max_ns, 0);
	assert_int_equal(lateness_permille_ns(&l, 1000), 0);
	lateness_add(&l, INT64_MAX);
	assert_int_equal(l.max_ns, INT64_MAX);
	assert_true(lateness_permille_ns(&l, 1000) >= INT64_C(1) << 34);
}

/* What was two windows ago counts no more; the maximum stays. */
static void
test_windows(void **state)
{
	struct lateness l = {0};

	(void)state;
	lateness_add(&l, 100 * NS_PER_MS);
	lateness_turn(&l);
	lateness_add(&l, NS_PER_MS);
	assert_int_equal(lateness_permille_ns(&l, 1000), 100 * NS_PER_MS);
	lateness_turn(&l);
	assert_in_range(lateness_permille_ns(&l, 1000), NS_PER_MS, NS_PER_MS * 9 / 8);
	assert_int_equal(l.max_ns, 100 * NS_PER_MS);
	lateness_turn(&l);
	assert_int_equal(lateness_permille_ns(&l, 1000), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_right_to_an_eighth),
		cmocka_unit_test(test_percentile),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
