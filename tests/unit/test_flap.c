/* Who falls again and again is kept out for longer; who is well again is forgiven. */
#include "core/flap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct flap_rule rule = {.falls = 3, .window_ns = 1000, .hold_ns = 50,
	.hold_max_ns = 300};

static mono
at(int64_t ns)
{
	return (mono){ns};
}

/* Falls and rises at once; the hold that it gets. */
static int64_t
flip(struct flap *f, int64_t ns)
{
	flap_fell(f, &rule, at(ns));
	return flap_rose(f, &rule, at(ns));
}

static void
test_doubles_up_to_the_bound(void **state)
{
	struct flap f = {0};

	(void)state;
	assert_int_equal(flip(&f, 10000), 0);
	assert_int_equal(flip(&f, 10010), 0);
	assert_false(flap_holds(&f, at(10010)));
	assert_int_equal(flip(&f, 10020), 50);
	assert_true(flap_holds(&f, at(10069)));
	assert_false(flap_holds(&f, at(10070)));
	assert_int_equal(flip(&f, 10030), 100);
	assert_int_equal(flip(&f, 10040), 200);
	assert_int_equal(flip(&f, 10050), 300);
	assert_int_equal(flip(&f, 10060), 300);
	assert_int_equal(flap_falls(&f, &rule, at(10060)), 6); /* those beyond the bound are forgotten */
	assert_true(flap_holds(&f, at(10359)));
	assert_false(flap_holds(&f, at(10360)));
}

/* A fall while it is held back begins anew. */
static void
test_being_well_must_last(void **state)
{
	struct flap f = {0};

	(void)state;
	flip(&f, 0);
	flip(&f, 0);
	assert_int_equal(flip(&f, 0), 50);
	flap_fell(&f, &rule, at(40));
	assert_false(flap_holds(&f, at(41))); /* it is down, not held */
	assert_int_equal(flap_rose(&f, &rule, at(45)), 100);
	assert_true(flap_holds(&f, at(144)));
	assert_false(flap_holds(&f, at(145)));
	flip(&f, 200);
	flap_let_in(&f);
	assert_false(flap_holds(&f, at(200)));
}

static void
test_is_forgiven(void **state)
{
	struct flap f = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		flip(&f, i);
	assert_int_equal(flap_falls(&f, &rule, at(99)), 6);
	assert_int_equal(flap_falls(&f, &rule, at(1099)), 5);
	assert_int_equal(flap_falls(&f, &rule, at(1100)), 5);
	assert_int_equal(flip(&f, 4199), 50);  /* two left, and this one */
	assert_int_equal(flap_falls(&f, &rule, at(7199)), 0);
	assert_int_equal(flip(&f, 7199), 0);
	assert_int_equal(flap_falls(&f, &rule, at(INT64_MAX / 2)), 0);
}

/* Once in a window and a bit is ordinary for ever; more often is found out in the end. */
static void
test_counts_at_any_rhythm(void **state)
{
	struct flap rare = {0}, often = {0};
	int held = 0;

	(void)state;
	for (int64_t i = 0; i < 1000; i++) {
		assert_int_equal(flip(&rare, i * 1001), 0);
		held += flip(&often, i * 900) > 0;
	}
	assert_int_equal(held, 989); /* the twelfth is the third that is remembered */
}

static void
test_may_be_switched_off(void **state)
{
	struct flap_rule off = rule;
	struct flap f = {0};

	(void)state;
	off.falls = 0;
	for (int i = 0; i < 100; i++) {
		flap_fell(&f, &off, at(i));
		assert_int_equal(flap_rose(&f, &off, at(i)), 0);
	}
	assert_int_equal(flap_falls(&f, &off, at(100)), 0);
	off.falls = 1;
	off.hold_ns = off.hold_max_ns;
	flap_fell(&f, &off, at(100));
	assert_int_equal(flap_rose(&f, &off, at(100)), 300);
	assert_int_equal(flap_falls(&f, &off, at(100)), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_up_to_the_bound),
		cmocka_unit_test(test_being_well_must_last),
		cmocka_unit_test(test_is_forgiven),
		cmocka_unit_test(test_counts_at_any_rhythm),
		cmocka_unit_test(test_may_be_switched_off),
	};

	return cmocka_run_group_tests_name("flap", tests, NULL, NULL);
}
