/* min_healthy: short at once, enough with one to spare, or after a while. */
#include "core/shortage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static mono
at_ms(int64_t ms)
{
	return (mono){1000 * NS_PER_S + ms * NS_PER_MS};
}

static void
fewer_than_needed_is_short_at_once(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	assert_false(shortage_judge(&s, 2, 4, 2, at_ms(0)));
	assert_true(shortage_judge(&s, 1, 4, 2, at_ms(1)));
	assert_true(shortage_judge(&s, 0, 4, 2, at_ms(2)));
	assert_false(shortage_expire(&s, at_ms(60000)));
}

static void
one_to_spare_ends_it_at_once(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	shortage_judge(&s, 1, 4, 2, at_ms(0));
	assert_true(shortage_judge(&s, 2, 4, 2, at_ms(1)));
	assert_false(shortage_judge(&s, 3, 4, 2, at_ms(2)));
	assert_false(shortage_judge(&s, 2, 4, 2, at_ms(3)));
}

static void
all_that_can_be_end_it_at_once(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	shortage_judge(&s, 1, 2, 2, at_ms(0));
	assert_false(shortage_judge(&s, 2, 2, 2, at_ms(1)));
}

static void
the_first_one_ends_it_when_one_is_needed(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	assert_true(shortage_judge(&s, 0, 9, 1, at_ms(0)));
	assert_false(shortage_judge(&s, 1, 9, 1, at_ms(1)));
}

static void
just_enough_must_last(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	shortage_judge(&s, 1, 4, 2, at_ms(0));
	assert_true(shortage_judge(&s, 2, 4, 2, at_ms(1000)));
	assert_true(shortage_judge(&s, 2, 4, 2, at_ms(5500))); /* said again: the time goes on */
	assert_false(shortage_expire(&s, at_ms(5999)));
	assert_true(shortage_expire(&s, at_ms(6000)));
	assert_false(shortage_judge(&s, 2, 4, 2, at_ms(6001)));
	assert_false(shortage_expire(&s, at_ms(20000)));
}

static void
a_flapping_server_never_ends_it(void **state)
{
	struct shortage s = SHORTAGE_NONE;

	(void)state;
	for (int64_t ms = 0; ms < 120000; ms += 4000) {
		assert_true(shortage_judge(&s, 1, 4, 2, at_ms(ms)));
		assert_false(shortage_expire(&s, at_ms(ms + 1999)));
		assert_true(shortage_judge(&s, 2, 4, 2, at_ms(ms + 2000)));
		assert_false(shortage_expire(&s, at_ms(ms + 3999)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fewer_than_needed_is_short_at_once),
		cmocka_unit_test(one_to_spare_ends_it_at_once),
		cmocka_unit_test(all_that_can_be_end_it_at_once),
		cmocka_unit_test(the_first_one_ends_it_when_one_is_needed),
		cmocka_unit_test(just_enough_must_last),
		cmocka_unit_test(a_flapping_server_never_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
