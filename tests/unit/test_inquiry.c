/* When a name is asked for: at once, each time its answer is old, and again when none came. */
#include "core/inquiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { HOLDS_S = 30 };

static mono
at_s(int64_t s)
{
	return (mono){(1000 + s) * NS_PER_S};
}

static void
what_was_never_asked_is_due_at_once(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	assert_true(inquiry_due(&q, at_s(0)));
	assert_true(inquiry_due(&q, at_s(5))); /* it could not be sent: it stays due */
	inquiry_asked(&q, at_s(5));
	assert_false(inquiry_due(&q, at_s(5)));
}

static void
an_answer_holds_for_its_time(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	inquiry_asked(&q, at_s(0));
	assert_true(inquiry_answered(&q, at_s(4), HOLDS_S * NS_PER_S));
	assert_false(inquiry_due(&q, at_s(4)));
	assert_false(inquiry_due(&q, at_s(33)));
	assert_true(inquiry_due(&q, at_s(34))); /* from the answer on, not from the question */
}

/* Not before the resolver must have given up, whatever the answer would have held for. */
static void
without_an_answer_it_is_asked_again(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	inquiry_asked(&q, at_s(0));
	assert_false(inquiry_due(&q, at_s(HOLDS_S)));
	assert_false(inquiry_due(&q, at_s(89)));
	assert_true(inquiry_due(&q, at_s(90)));
	inquiry_asked(&q, at_s(100));
	assert_false(inquiry_due(&q, at_s(189)));
	assert_true(inquiry_due(&q, at_s(190)));
	assert_true(inquiry_answered(&q, at_s(191), HOLDS_S * NS_PER_S)); /* late is better than never */
	assert_false(inquiry_due(&q, at_s(220)));
	assert_true(inquiry_due(&q, at_s(221)));
}

static void
what_nobody_asked_is_not_believed(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	assert_false(inquiry_answered(&q, at_s(1), HOLDS_S * NS_PER_S));
	assert_true(inquiry_due(&q, at_s(1))); /* and puts nothing off */
	inquiry_asked(&q, at_s(1));
	assert_true(inquiry_answered(&q, at_s(2), HOLDS_S * NS_PER_S));
	assert_false(inquiry_answered(&q, at_s(20), HOLDS_S * NS_PER_S));
	assert_true(inquiry_due(&q, at_s(32)));
}

static void
a_successor_is_asked_what_its_predecessor_was(void **state)
{
	struct inquiry open = inquiry_new(at_s(0)), answered = open;

	(void)state;
	inquiry_asked(&open, at_s(0));
	inquiry_asked(&answered, at_s(0));
	inquiry_answered(&answered, at_s(1), HOLDS_S * NS_PER_S);
	inquiry_lost(&open);
	inquiry_lost(&answered);
	assert_true(inquiry_due(&open, at_s(2)));
	assert_false(inquiry_due(&answered, at_s(2))); /* the answer holds, whoever gave it */
}

static void
a_reload_asks_anew_but_not_twice(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	inquiry_asked(&q, at_s(0));
	inquiry_renew(&q, at_s(1));
	assert_false(inquiry_due(&q, at_s(1))); /* it is being asked */
	inquiry_answered(&q, at_s(2), HOLDS_S * NS_PER_S);
	assert_false(inquiry_due(&q, at_s(3)));
	inquiry_renew(&q, at_s(3));
	assert_true(inquiry_due(&q, at_s(3)));
}

static void
a_shorter_time_counts_from_now_on(void **state)
{
	struct inquiry q = inquiry_new(at_s(0));

	(void)state;
	inquiry_asked(&q, at_s(0));
	inquiry_answered(&q, at_s(0), HOLDS_S * NS_PER_S);
	inquiry_shorten(&q, at_s(10), HOLDS_S * NS_PER_S); /* the same */
	assert_false(inquiry_due(&q, at_s(29)));
	inquiry_shorten(&q, at_s(10), 20 * NS_PER_S); /* which is when it is due */
	assert_false(inquiry_due(&q, at_s(29)));
	inquiry_shorten(&q, at_s(10), 19 * NS_PER_S);
	assert_true(inquiry_due(&q, at_s(10)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_asked_is_due_at_once),
		cmocka_unit_test(an_answer_holds_for_its_time),
		cmocka_unit_test(without_an_answer_it_is_asked_again),
		cmocka_unit_test(what_nobody_asked_is_not_believed),
		cmocka_unit_test(a_successor_is_asked_what_its_predecessor_was),
		cmocka_unit_test(a_reload_asks_anew_but_not_twice),
		cmocka_unit_test(a_shorter_time_counts_from_now_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
