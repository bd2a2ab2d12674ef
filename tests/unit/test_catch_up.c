/* A node that was not there learns the connections before it preempts; nothing else waits for that. */
#include "keyed_bench.h"

#define CATCH_UP (25 * NS_PER_S)

static struct el_params
learner(bool keyed)
{
	struct el_params p = keyed ? keyed_params(200) : params_of(200);

	p.preempt = true;
	p.catch_up_ns = CATCH_UP;
	return p;
}

/* Hears a lesser active every 100 ms for so long; stops when it takes over. How long that was. */
static int64_t
listen_ns(struct bench *b, int64_t ns)
{
	mono began = b->now;

	while (b->e.role == EL_BACKUP && mono_diff_ns(b->now, began) < ns) {
		hear(b, LOWER_ADDRESS, 100);
		for (int i = 0; i < 2 && b->e.role == EL_BACKUP; i++) {
			wait_ns(b, 50 * MS);
			tick(b);
		}
	}
	return mono_diff_ns(b->now, began);
}

static void
preempts_when_it_has_caught_up(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(false));
	assert_false(el_is_behind(&b.e, b.now)); /* nobody is there to learn from */
	hear(&b, LOWER_ADDRESS, 100);
	assert_true(el_is_behind(&b.e, b.now));
	assert_in_range(listen_ns(&b, 60 * NS_PER_S), CATCH_UP, CATCH_UP + 500 * MS);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PREEMPTED_PEER);
	assert_false(el_is_behind(&b.e, b.now));
}

static void
waits_at_the_same_time_as_for_the_delay(void **state)
{
	struct bench b;
	struct el_params p = learner(false);

	(void)state;
	p.preempt_delay_ns = 30 * NS_PER_S;
	start_backup(&b, p);
	assert_in_range(listen_ns(&b, 90 * NS_PER_S), 30 * NS_PER_S, 30 * NS_PER_S + 500 * MS);
}

static void
a_silent_or_resigning_peer_is_followed_at_once(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(false));
	listen_ns(&b, NS_PER_S);
	assert_true(el_is_behind(&b.e, b.now));
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);

	start_backup(&b, learner(false));
	listen_ns(&b, NS_PER_S);
	hear(&b, LOWER_ADDRESS, 0);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
}

static void
once_learnt_stays_learnt(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(false));
	for (int i = 0; i < 300; i++) { /* a better active tells as well */
		hear(&b, HIGHER_ADDRESS, 250);
		wait_ns(&b, 100 * MS);
		tick(&b);
	}
	assert_false(el_is_behind(&b.e, b.now));
	assert_in_range(listen_ns(&b, NS_PER_S), 0, 500 * MS);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
who_served_has_nothing_to_learn(void **state)
{
	struct bench b;
	struct el_params p = learner(false);

	(void)state;
	p.priority = 50;
	start_active(&b, p);
	hear(&b, LOWER_ADDRESS, 100);
	settle(&b, true);
	assert_int_equal(b.e.role, EL_BACKUP);
	hear(&b, LOWER_ADDRESS, 100);
	assert_false(el_is_behind(&b.e, b.now));
}

static void
a_cable_that_was_out_starts_it_over(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(false));
	listen_ns(&b, CATCH_UP - NS_PER_S);
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_int_equal(b.e.role, EL_FAULT);
	wait_ns(&b, 10 * NS_PER_S);
	set_fit(&b, true, REASON_NONE);
	assert_in_range(listen_ns(&b, 60 * NS_PER_S), CATCH_UP, CATCH_UP + 500 * MS);

	/* A tracked gateway says nothing of the way that the connections come. */
	start_backup(&b, learner(false));
	listen_ns(&b, CATCH_UP - NS_PER_S);
	set_fit(&b, false, REASON_GATEWAY_LOST);
	wait_ns(&b, 10 * NS_PER_S);
	set_fit(&b, true, REASON_NONE);
	assert_in_range(listen_ns(&b, 60 * NS_PER_S), 0, 2 * NS_PER_S);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
begins_when_there_is_something_to_learn(void **state)
{
	struct bench b;
	struct el_params p = learner(false);

	(void)state;
	p.catch_up_ns = 0;
	p.preempt = false;
	start_backup(&b, p);
	listen_ns(&b, 40 * NS_PER_S);
	assert_int_equal(b.e.role, EL_BACKUP);
	p = learner(false);
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &p, &b.acts);
	assert_in_range(listen_ns(&b, 60 * NS_PER_S), CATCH_UP, CATCH_UP + 500 * MS);
}

/* In a keyed pair preemption is a wish that the active grants: it is not made before. */
static void
a_keyed_standby_does_not_ask_for_it_before(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(true));
	tick(&b);
	for (int64_t t = 0; t < CATCH_UP - 2 * NS_PER_S; t += 100 * MS) {
		hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
		assert_int_equal(el_flags(&b.e) & TRAILER_WANT, 0);
		live(&b, 100 * MS, NULL);
	}
	assert_true(el_is_behind(&b.e, b.now));
	live(&b, 0, NULL);
	for (int64_t t = 0; t < 3 * NS_PER_S; t += 100 * MS) {
		hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
		if ((el_flags(&b.e) & TRAILER_WANT) != 0)
			break;
		live(&b, 100 * MS, NULL);
	}
	assert_true((el_flags(&b.e) & TRAILER_WANT) != 0);
	assert_false(el_is_behind(&b.e, b.now));
}

/* An offer is the operator's wish, or of a node that is not fit: taken whatever was learnt. */
static void
a_keyed_standby_takes_an_offer(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, learner(true));
	tick(&b);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	live(&b, 100 * MS, NULL);
	assert_true(el_is_behind(&b.e, b.now));
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING | TRAILER_OFFER);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(preempts_when_it_has_caught_up),
		cmocka_unit_test(waits_at_the_same_time_as_for_the_delay),
		cmocka_unit_test(a_silent_or_resigning_peer_is_followed_at_once),
		cmocka_unit_test(once_learnt_stays_learnt),
		cmocka_unit_test(who_served_has_nothing_to_learn),
		cmocka_unit_test(a_cable_that_was_out_starts_it_over),
		cmocka_unit_test(begins_when_there_is_something_to_learn),
		cmocka_unit_test(a_keyed_standby_does_not_ask_for_it_before),
		cmocka_unit_test(a_keyed_standby_takes_an_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
