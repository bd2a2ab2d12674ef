/* Rise and fall: the first result decides, then counts of results in a row. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/health.h"

/* Feeds "+-" text, returns the verdicts after each result as "UD" text in out. */
static void
feed(struct health *h, const char *results, char *out)
{
	for (; *results != '\0'; results++) {
		bool changed;
		enum health_verdict before = health_verdict(h);

		changed = health_result(h, *results == '+');
		assert_int_equal(changed, health_verdict(h) != before);
		*out++ = health_verdict(h) == HEALTH_UP ? 'U' : 'D';
	}
	*out = '\0';
}

static void
expect(uint16_t rise, uint16_t fall, enum health_verdict seed, const char *results,
	const char *verdicts)
{
	struct health h;
	char got[64];

	health_init(&h, rise, fall, seed);
	assert_int_equal(health_verdict(&h), seed);
	feed(&h, results, got);
	assert_string_equal(got, verdicts);
}

static void
test_first_result_decides(void **state)
{
	(void)state;
	expect(5, 5, HEALTH_UNKNOWN, "+", "U");
	expect(5, 5, HEALTH_UNKNOWN, "-", "D");
	expect(1, 1, HEALTH_UNKNOWN, "+-+-", "UDUD");
}

static void
test_fall_counts_failures_in_a_row(void **state)
{
	(void)state;
	expect(2, 3, HEALTH_UNKNOWN, "+--+--+---", "UUUUUUUUUD");
	expect(2, 3, HEALTH_UP, "---", "UUD");
	expect(1, 1, HEALTH_UP, "-", "D");
	expect(100, 1, HEALTH_UP, "-", "D");
}

static void
test_rise_counts_successes_in_a_row(void **state)
{
	(void)state;
	expect(2, 3, HEALTH_UNKNOWN, "-+-+-++", "DDDDDDU");
	expect(3, 2, HEALTH_DOWN, "+++", "DDU");
	expect(1, 100, HEALTH_DOWN, "+", "U");
}

static void
test_back_up_has_the_whole_fall_again(void **state)
{
	(void)state;
	expect(2, 3, HEALTH_UP, "---++--+---", "UUDDUUUUUUD");
}

static void
test_largest_counts(void **state)
{
	struct health h;
	int i;

	(void)state;
	health_init(&h, 100, 100, HEALTH_UP);
	for (i = 0; i < 99; i++)
		assert_false(health_result(&h, false));
	assert_true(health_result(&h, false));
	for (i = 0; i < 99; i++)
		assert_false(health_result(&h, true));
	assert_true(health_result(&h, true));
}

static void
test_transition(void **state)
{
	struct health h;

	(void)state;
	health_init(&h, 2, 2, HEALTH_UNKNOWN);
	assert_false(health_in_transition(&h));
	health_result(&h, true);
	assert_false(health_in_transition(&h));
	health_result(&h, false);
	assert_true(health_in_transition(&h));
	health_result(&h, false);
	assert_false(health_in_transition(&h));
	health_result(&h, true);
	assert_true(health_in_transition(&h));
	health_result(&h, true);
	assert_false(health_in_transition(&h));
}

/* A refusal takes as many steps as it weighs, and never past the bottom. */
static void
test_weighed_failures(void **state)
{
	struct health h;

	(void)state;
	health_init(&h, 2, 3, HEALTH_UP);
	assert_false(health_weighed(&h, false, 2));
	assert_true(health_in_transition(&h));
	assert_true(health_weighed(&h, false, 2));
	assert_int_equal(health_verdict(&h), HEALTH_DOWN);
	assert_false(health_weighed(&h, true, 2));
	assert_int_equal(health_verdict(&h), HEALTH_DOWN);
	assert_true(health_weighed(&h, true, 2));
	assert_false(health_weighed(&h, false, 1));
	assert_true(health_weighed(&h, false, 2));
	health_init(&h, 1, 5, HEALTH_UP);
	assert_false(health_weighed(&h, false, 4));
	assert_true(health_weighed(&h, false, 1));
	health_init(&h, 100, 3, HEALTH_UP);
	assert_true(health_weighed(&h, false, 100));
	assert_false(health_in_transition(&h));
}

/* Against the plain definition, over every sequence of 12 results. */
static void
test_equals_the_definition(void **state)
{
	uint16_t rise, fall;
	unsigned bits, i;

	(void)state;
	for (rise = 1; rise <= 3; rise++)
		for (fall = 1; fall <= 3; fall++)
			for (bits = 0; bits < 1u << 12; bits++) {
				struct health h;
				unsigned good = 0, bad = 0;
				bool up = bits & 1;

				health_init(&h, rise, fall, HEALTH_UNKNOWN);
				for (i = 0; i < 12; i++) {
					bool ok = bits >> i & 1;

					good = ok ? good + 1 : 0;
					bad = ok ? 0 : bad + 1;
					if (up && bad >= fall && i > 0)
						up = false;
					else if (!up && good >= rise && i > 0)
						up = true;
					health_result(&h, ok);
					assert_int_equal(health_verdict(&h),
						up ? HEALTH_UP : HEALTH_DOWN);
				}
			}
}

static void
several_together(void **state)
{
	static const enum health_verdict u = HEALTH_UNKNOWN, y = HEALTH_UP, n = HEALTH_DOWN;
	const struct {
		enum health_verdict of[3], all, any;
	} cases[] = {
		{{y, y, y}, y, y}, {{n, n, n}, n, n}, {{u, u, u}, u, u}, {{y, y, n}, n, y},
		{{n, y, y}, n, y}, {{y, u, y}, u, y}, {{n, u, n}, n, u}, {{y, u, n}, n, y},
		{{u, n, y}, n, y}, {{u, y, y}, u, y}, {{n, n, u}, n, u},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(health_combine(HEALTH_ALL, cases[i].of, 3), cases[i].all);
		assert_int_equal(health_combine(HEALTH_ANY, cases[i].of, 3), cases[i].any);
	}
	assert_int_equal(health_combine(HEALTH_ALL, cases[3].of, 2), y); /* the third is none of it */
	assert_int_equal(health_combine(HEALTH_ANY, cases[4].of, 1), n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_result_decides),
		cmocka_unit_test(test_fall_counts_failures_in_a_row),
		cmocka_unit_test(test_rise_counts_successes_in_a_row),
		cmocka_unit_test(test_back_up_has_the_whole_fall_again),
		cmocka_unit_test(test_largest_counts),
		cmocka_unit_test(test_transition),
		cmocka_unit_test(test_weighed_failures),
		cmocka_unit_test(several_together),
		cmocka_unit_test(test_equals_the_definition),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
