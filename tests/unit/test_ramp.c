/* Slow start: ten steps upwards, in time, and for nobody who serves alone. */
#include "core/ramp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const int64_t length_ns = 30 * NS_PER_S;

static mono
at_ms(int64_t ms)
{
	return (mono){1000 * NS_PER_S + ms * NS_PER_MS};
}

static void
it_climbs_in_ten_steps(void **state)
{
	struct ramp r;
	uint32_t before = 0, steps = 0;

	(void)state;
	ramp_begin(&r, at_ms(0), 1);
	assert_int_equal(ramp_percent(&r, at_ms(0), length_ns, 1), 10);
	for (int64_t ms = 0; ms <= 30000; ms += 10) {
		uint32_t percent = ramp_percent(&r, at_ms(ms), length_ns, 1);
		int64_t line = 10 + 90 * ms / 30000;

		assert_true(percent >= before && percent <= 100);
		assert_true((int64_t)percent <= line && (int64_t)percent > line - 11);
		steps += percent != before;
		before = percent;
	}
	assert_int_equal(steps, 10);
	assert_int_equal(before, 100);
}

static void
what_is_over_does_not_come_back(void **state)
{
	struct ramp r;

	(void)state;
	ramp_begin(&r, at_ms(0), 3);
	assert_int_equal(ramp_percent(&r, at_ms(30000), length_ns, 3), 100);
	assert_int_equal(ramp_percent(&r, at_ms(1), length_ns, 3), 100);
	ramp_begin(&r, at_ms(40000), 3);
	assert_int_equal(ramp_percent(&r, at_ms(40001), length_ns, 3), 10);
	ramp_end(&r);
	assert_int_equal(ramp_percent(&r, at_ms(40002), length_ns, 3), 100);
}

static void
the_only_one_serves_at_once(void **state)
{
	struct ramp r;

	(void)state;
	ramp_begin(&r, at_ms(0), 0);
	assert_int_equal(ramp_percent(&r, at_ms(1), length_ns, 2), 100);
	ramp_begin(&r, at_ms(0), 1);
	assert_int_equal(ramp_percent(&r, at_ms(1), length_ns, 1), 10);
	assert_int_equal(ramp_percent(&r, at_ms(2), length_ns, 0), 100); /* the other one died */
	assert_int_equal(ramp_percent(&r, at_ms(3), length_ns, 1), 100); /* and is back, cold */
}

static void
without_a_time_there_is_no_ramp(void **state)
{
	struct ramp r;

	(void)state;
	ramp_begin(&r, at_ms(0), 1);
	assert_int_equal(ramp_percent(&r, at_ms(0), 0, 1), 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_climbs_in_ten_steps),
		cmocka_unit_test(what_is_over_does_not_come_back),
		cmocka_unit_test(the_only_one_serves_at_once),
		cmocka_unit_test(without_a_time_there_is_no_ramp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
