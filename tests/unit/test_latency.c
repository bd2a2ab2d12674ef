/* Response times to shares: noise is ignored, a slow server loses, and nothing swings. */
#include "core/latency.h"

#include "base/mono.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SERVERS = 3 };

struct farm {
	struct latency measured[SERVERS];
	struct latency_share shares[SERVERS];
	uint64_t random;
};

static struct farm
farm_new(void)
{
	struct farm f = {.random = 88172645463325252u};

	for (int i = 0; i < SERVERS; i++)
		f.shares[i] = LATENCY_SHARE_FULL;
	return f;
}

/* 0 .. below-1 */
static int64_t
some(struct farm *f, int64_t below)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (int64_t)(f->random % (uint64_t)below);
}

/* One second: a result of each, then a step of each. */
static void
second(struct farm *f, const int64_t base_us[SERVERS], int64_t noise_us)
{
	int64_t smooth[SERVERS], reference;

	for (int i = 0; i < SERVERS; i++) {
		latency_result(&f->measured[i],
			(base_us[i] + (noise_us ? some(f, noise_us) : 0)) * NS_PER_US);
		smooth[i] = latency_smooth_ns(&f->measured[i]);
	}
	reference = latency_reference_ns(smooth, SERVERS);
	for (int i = 0; i < SERVERS; i++) {
		uint32_t before = f->shares[i].percent;
		bool changed = latency_step(&f->shares[i], latency_smooth_ns(&f->measured[i]),
			reference);

		assert_int_equal(changed, before != f->shares[i].percent);
		assert_true(abs((int)before - (int)f->shares[i].percent) <= 5);
		assert_in_range(f->shares[i].percent, LATENCY_LEAST, LATENCY_FULL);
	}
}

/* In percent of all. */
static double
share(const struct farm *f, int server)
{
	double sum = 0;

	for (int i = 0; i < SERVERS; i++)
		sum += f->shares[i].percent;
	return 100. * f->shares[server].percent / sum;
}

static void
one_50_ms_slower_gets_half_at_most(void **state)
{
	static const int64_t base_us[SERVERS] = {400, 50400, 700};
	struct farm f = farm_new();
	double low = 100, high = 0;

	(void)state;
	for (int s = 0; s < 45; s++)
		second(&f, base_us, 8000);
	assert_true(share(&f, 1) * 2 <= share(&f, 0));
	assert_true(share(&f, 1) * 2 <= share(&f, 2));
	for (int s = 0; s < 600; s++) {
		second(&f, base_us, 8000);
		low = share(&f, 1) < low ? share(&f, 1) : low;
		high = share(&f, 1) > high ? share(&f, 1) : high;
	}
	assert_true(high - low < 5);
}

static void
equal_servers_stay_equal(void **state)
{
	static const int64_t base_us[SERVERS] = {300, 900, 600};
	struct farm f = farm_new();

	(void)state;
	for (int s = 0; s < 3600; s++) {
		second(&f, base_us, 1000);
		for (int i = 0; i < SERVERS; i++)
			assert_int_equal(f.shares[i].percent, LATENCY_FULL);
	}
}

static void
an_outlier_is_nothing(void **state)
{
	static const int64_t base_us[SERVERS] = {400, 400, 400}, lost[SERVERS] = {400, 1000400, 400};
	struct farm f = farm_new();

	(void)state;
	for (int s = 0; s < 300; s++) {
		second(&f, s % 10 == 1 ? lost : base_us, 0);
		assert_int_equal(f.shares[1].percent, LATENCY_FULL);
	}
}

static void
who_recovers_gets_it_back(void **state)
{
	static const int64_t slow[SERVERS] = {400, 80000, 400}, quick[SERVERS] = {400, 400, 400};
	struct farm f = farm_new();

	(void)state;
	for (int s = 0; s < 60; s++)
		second(&f, slow, 0);
	assert_int_equal(f.shares[1].percent, LATENCY_LEAST);
	for (int s = 0; s < 90; s++)
		second(&f, quick, 0);
	assert_true(f.shares[1].percent >= LATENCY_FULL - 10);
}

static void
too_few_samples_say_nothing(void **state)
{
	struct latency_share s = LATENCY_SHARE_FULL;
	struct latency l = {0};

	(void)state;
	for (int i = 0; i < LATENCY_ENOUGH - 1; i++) {
		assert_true(latency_smooth_ns(&l) == -1);
		latency_result(&l, 90 * NS_PER_MS);
	}
	assert_true(latency_smooth_ns(&l) == -1);
	assert_false(latency_step(&s, -1, 1));
	assert_false(latency_step(&s, 1, -1));
	latency_result(&l, 90 * NS_PER_MS);
	assert_true(latency_smooth_ns(&l) == 90 * NS_PER_MS);
}

/* Nobody to compare with: whatever it had before, it comes to the whole of its weight. */
static void
the_only_one_measured_gets_all(void **state)
{
	struct latency_share s = {.percent = LATENCY_LEAST};
	int64_t slow[3] = {-1, 900 * NS_PER_MS, -1};

	(void)state;
	assert_true(latency_reference_ns(slow, 3) == 900 * NS_PER_MS);
	for (int i = 0; i < 15; i++)
		latency_step(&s, 900 * NS_PER_MS, 900 * NS_PER_MS);
	assert_int_equal(s.percent, LATENCY_FULL);
}

static int
by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void
the_reference_is_the_lower_quartile(void **state)
{
	struct farm f = farm_new();
	int64_t none[2] = {-1, -1};

	(void)state;
	assert_true(latency_reference_ns(none, 2) == -1);
	assert_true(latency_reference_ns(none, 0) == -1);
	for (int round = 0; round < 20000; round++) {
		size_t count = 1 + (size_t)some(&f, 12), known = 0;
		int64_t values[12], sorted[12];

		for (size_t i = 0; i < count; i++) {
			values[i] = some(&f, 9) - 1;
			if (values[i] >= 0)
				sorted[known++] = values[i];
		}
		qsort(sorted, known, sizeof(*sorted), by_value);
		assert_true(latency_reference_ns(values, count) ==
			(known ? sorted[(known - 1) / 4] : -1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_50_ms_slower_gets_half_at_most),
		cmocka_unit_test(equal_servers_stay_equal),
		cmocka_unit_test(an_outlier_is_nothing),
		cmocka_unit_test(who_recovers_gets_it_back),
		cmocka_unit_test(too_few_samples_say_nothing),
		cmocka_unit_test(the_only_one_measured_gets_all),
		cmocka_unit_test(the_reference_is_the_lower_quartile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
