/* Who is cut off on the service interface: rounds of questions, and what they make of a node. */
#include "core/contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const int64_t ms = NS_PER_MS;
static const int64_t quiet_ns = 250 * NS_PER_MS;

struct bench {
	struct contact c;
	struct contact_sight sight;
	mono now;
};

/* The peer was heard here at 1 s, and goes on to be heard elsewhere. */
static void
start(struct bench *b)
{
	*b = (struct bench){.now = {NS_PER_S}};
	contact_init(&b->c);
	b->sight = (struct contact_sight){.heard = b->now, .peer_heard = b->now,
		.quiet_ns = quiet_ns, .peer_alive = true, .carrier = true};
}

static bool
look_after(struct bench *b, int64_t ns)
{
	b->now = mono_add_ns(b->now, ns);
	b->sight.peer_heard = b->now;
	return contact_look(&b->c, b->now, &b->sight);
}

static void
ask(struct bench *b, bool anybody)
{
	contact_asked(&b->c, b->now, anybody);
}

static void
asks_when_a_message_is_missing(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_false(look_after(&b, contact_doubt_ns(quiet_ns) - 1));
	assert_true(look_after(&b, 1));
	assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
}

static void
asks_nobody_while_it_is_quiet_everywhere(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	b.now = mono_add_ns(b.now, quiet_ns);
	assert_false(contact_look(&b.c, b.now, &b.sight));
	b.sight.peer_alive = false;
	assert_false(look_after(&b, ms));
	b.sight.peer_alive = true;
	b.sight.carrier = false;
	assert_false(look_after(&b, ms));
	b.sight.carrier = true;
	b.sight.heard = MONO_NEVER;
	assert_false(look_after(&b, ms));
}

static void
rounds_are_twenty_milliseconds_apart(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_true(look_after(&b, 150 * ms));
	ask(&b, true);
	assert_false(look_after(&b, 20 * ms - 1));
	assert_true(look_after(&b, 1));
}

static void
three_rounds_and_a_quiet_path_are_isolation(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_true(look_after(&b, 300 * ms));
	for (int round = 0; round < 3; round++) {
		assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
		ask(&b, true);
		assert_true(look_after(&b, 20 * ms));
	}
	assert_int_equal(b.c.state, EL_CONTACT_ISOLATED);
	ask(&b, true);
	assert_false(look_after(&b, 199 * ms)); /* slower now */
	assert_true(look_after(&b, ms));
}

static void
not_isolated_before_the_path_is_quiet(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_true(look_after(&b, 150 * ms));
	for (int round = 0; round < 4; round++) {
		ask(&b, true);
		assert_true(look_after(&b, 20 * ms));
		assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
	}
	ask(&b, true);
	assert_true(look_after(&b, 20 * ms));
	assert_int_equal(b.c.state, EL_CONTACT_ISOLATED);
}

static void
an_answer_is_contact_and_begins_anew(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	contact_answered(&b.c); /* to nothing that was asked */
	assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
	assert_true(look_after(&b, 300 * ms));
	ask(&b, true);
	contact_answered(&b.c);
	assert_int_equal(b.c.state, EL_CONTACT_CONNECTED);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(b.c.state, EL_CONTACT_CONNECTED);
		assert_true(look_after(&b, 200 * ms));
		ask(&b, true);
	}
	assert_true(look_after(&b, 200 * ms));
	assert_int_equal(b.c.state, EL_CONTACT_ISOLATED);
}

static void
who_has_nobody_to_ask_does_not_know(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	for (int round = 0; round < 10; round++) {
		look_after(&b, 300 * ms);
		ask(&b, false);
		assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
	}
}

static void
the_peer_heard_again_ends_it(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	look_after(&b, 300 * ms);
	ask(&b, true);
	contact_answered(&b.c);
	b.sight.heard = b.now;
	assert_false(look_after(&b, 10 * ms));
	assert_int_equal(b.c.state, EL_CONTACT_UNKNOWN);
	assert_int_equal(b.c.rounds, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_when_a_message_is_missing),
		cmocka_unit_test(asks_nobody_while_it_is_quiet_everywhere),
		cmocka_unit_test(rounds_are_twenty_milliseconds_apart),
		cmocka_unit_test(three_rounds_and_a_quiet_path_are_isolation),
		cmocka_unit_test(not_isolated_before_the_path_is_quiet),
		cmocka_unit_test(an_answer_is_contact_and_begins_anew),
		cmocka_unit_test(who_has_nobody_to_ask_does_not_know),
		cmocka_unit_test(the_peer_heard_again_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
