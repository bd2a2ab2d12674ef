/* A keyed pair when one of the two hangs, sleeps or gives up in the middle of something. */
#include "keyed_bench.h"

/* A lower active that offers nothing and falls silent: its kernel may still answer. */
static void
test_wanted_place_of_a_silent_active_is_asked_for(void **state)
{
	struct bench b;
	struct el_params p = keyed_params(150);
	size_t asks = 0;

	(void)state;
	p.preempt = true;
	start_backup(&b, p);
	tick(&b);
	live(&b, 250 * MS, NULL);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_true((el_flags(&b.e) & TRAILER_WANT) != 0);
	while (b.e.role == EL_BACKUP) {
		next(&b);
		asks += count(&b, EL_ASK);
	}
	assert_int_equal(asks, 3);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
}

/* The last lease may be the peer's, whose configuration may be another one. */
static void
test_the_longer_lease_is_waited_for(void **state)
{
	struct bench b;
	struct el_advert m;
	mono heard;

	(void)state;
	start_standby(&b, 100, 150);
	m = message(EL_ACTIVE, 150, TRAILER_HOLDING);
	m.lease_ns = 10 * NS_PER_S;
	hear_message(&b, m);
	heard = b.e.last_heard;
	while (b.e.role == EL_BACKUP) {
		next(&b);
		if (!find(&b, EL_ASK))
			continue;
		b.acts.count = 0;
		el_answered(&b.e, b.now, &b.acts);
	}
	assert_true(mono_diff_ns(b.now, heard) >= 12 * NS_PER_S);
	assert_true(mono_diff_ns(b.now, heard) < 13 * NS_PER_S);
}

static void
assert_offer_ended(const struct bench *b, enum reason why)
{
	assert_int_equal(count(b, EL_OFFER_ENDED), 1);
	assert_false(find(b, EL_OFFER_ENDED)->ok);
	assert_string_equal(reason_tag(find(b, EL_OFFER_ENDED)->reason), reason_tag(why));
}

static void
test_offer_of_a_node_that_gives_up_has_ended(void **state)
{
	struct bench b;
	struct el_params plain = params_of(150);

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_offer_ended(&b, REASON_CARRIER_LOST);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	wait_ns(&b, 2900 * MS);
	tick(&b);
	assert_offer_ended(&b, REASON_LEASE_LAPSED);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	b.acts.count = 0;
	el_yield(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_offer_ended(&b, REASON_GROUP);

	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &plain, &b.acts);
	assert_offer_ended(&b, REASON_OFFER_EXPIRED);
}

static void
speak(struct bench *b)
{
	b->acts.count = 0;
	el_speak(&b->e, b->now, &b->acts);
}

static void
test_what_the_peer_waits_for_is_said_unless_we_were_held_up(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	speak(&b);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	wait_ns(&b, 6 * NS_PER_S);
	speak(&b);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	speak(&b);
	assert_no_acts(&b);

	start_standby(&b, 100, 150);
	speak(&b);
	assert_acts(&b, EL_SEND_HELLO, -1);
	wait_ns(&b, 6 * NS_PER_S);
	speak(&b);
	assert_no_acts(&b);

	start_backup(&b, params_of(100));
	speak(&b);
	assert_no_acts(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted_place_of_a_silent_active_is_asked_for),
		cmocka_unit_test(test_the_longer_lease_is_waited_for),
		cmocka_unit_test(test_offer_of_a_node_that_gives_up_has_ended),
		cmocka_unit_test(test_what_the_peer_waits_for_is_said_unless_we_were_held_up),
	};

	return cmocka_run_group_tests_name("keyed-faults", tests, NULL, NULL);
}
