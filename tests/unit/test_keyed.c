/* What the nodes of a keyed pair do beyond RFC 9568 (core/election_keyed.c). */
#include "keyed_bench.h"

static void
test_backup_says_hello_at_once_and_every_interval(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_backup(&b, keyed_params(100));
	tick(&b);
	assert_acts(&b, EL_SEND_HELLO, -1);
	for (int i = 0; i < 10; i++) {
		hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
		live(&b, 100 * MS, seen);
	}
	assert_int_equal(seen[EL_SEND_HELLO], 10);
	assert_int_equal(seen[EL_SEND_ADVERT], 0);
}

static void
test_plain_backup_is_silent(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_backup(&b, params_of(100));
	hear(&b, HIGHER_ADDRESS, 150);
	live(&b, 300 * MS, seen);
	for (size_t i = 0; i <= EL_OFFER_ENDED; i++)
		assert_int_equal(seen[i], 0);
}

static void
test_resignation_is_claimed_at_once(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	hear_as(&b, EL_FAULT, 0, 0);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
}

static void
test_resignation_out_of_history_is_not(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	wait_ns(&b, 5 * NS_PER_S); /* asleep; the queue is full */
	hear_as(&b, EL_FAULT, 0, 0);
	assert_no_acts(&b);
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	tick(&b);
	live(&b, 200 * MS, NULL);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_the_same_message_over_a_slower_path_is_history(void **state)
{
	struct bench b;
	struct el_advert old;

	(void)state;
	start_standby(&b, 100, 150);
	old = message(EL_ACTIVE, 150, TRAILER_HOLDING);
	hear_message(&b, old);
	hear_as(&b, EL_FAULT, 0, 0);
	settle(&b, true);
	hear_message(&b, old);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_unfit_node_does_not_claim_a_resignation(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	set_fit(&b, false, REASON_CARRIER_LOST);
	hear_as(&b, EL_FAULT, 0, 0);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_FAULT);
}

static void
test_carrier_lost_resigns_before_the_release(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_RELEASE, -1);
	assert_int_equal(b.acts.list[1].priority, 0);
	settle(&b, true);
	assert_no_acts(&b); /* it has been said */
	tick(&b);
	assert_acts(&b, EL_SEND_HELLO, -1);
}

static void
test_place_that_nobody_holds_is_claimed_by_the_better_node(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, keyed_params(150));
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_NOT_ACTIVE);

	start_backup(&b, keyed_params(100));
	hear_as(&b, EL_BACKUP, 150, TRAILER_READY);
	assert_no_acts(&b);
	hear_as(&b, EL_FAULT, 150, TRAILER_HOLDING); /* still releasing */
	assert_no_acts(&b);
	hear_as(&b, EL_FAULT, 150, 0);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_NOT_ACTIVE);
}

static void
test_node_on_hold_lets_the_other_go_first(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, keyed_params(100));
	hear_as(&b, EL_BACKUP, 150, TRAILER_READY | TRAILER_HOLD);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_NOT_ACTIVE);
}

static void
test_wire_is_asked_before_the_deadline(void **state)
{
	struct bench b;
	size_t asks = 0;
	mono heard;

	(void)state;
	start_standby(&b, 100, 150);
	heard = b.e.last_heard;
	while (b.e.role == EL_BACKUP) {
		next(&b);
		asks += count(&b, EL_ASK);
	}
	assert_int_equal(asks, 3);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
	assert_true(mono_diff_ns(b.now, heard) <= el_down_ns(100, 100 * MS) + MS);
}

static void
test_answer_of_the_wire_delays_the_claim(void **state)
{
	struct bench b;
	mono last_answer = MONO_NEVER;
	size_t told = 0;

	(void)state;
	start_standby(&b, 100, 150);
	for (mono end = mono_add_ns(b.now, 3 * NS_PER_S); mono_before(b.now, end);) {
		next(&b);
		if (!find(&b, EL_ASK))
			continue;
		b.acts.count = 0;
		el_answered(&b.e, mono_add_ns(b.now, MS), &b.acts);
		told += count(&b, EL_STILL_ANSWERED);
		last_answer = b.now;
	}
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(told, 1);
	while (b.e.role == EL_BACKUP)
		next(&b);
	assert_true(mono_diff_ns(b.now, last_answer) < 60 * MS);
}

static void
test_wire_that_answers_for_ever_is_a_stranger(void **state)
{
	struct bench b;
	mono heard;

	(void)state;
	start_standby(&b, 100, 150);
	heard = b.e.last_heard;
	while (b.e.role == EL_BACKUP) {
		next(&b);
		if (!find(&b, EL_ASK))
			continue;
		b.acts.count = 0;
		el_answered(&b.e, b.now, &b.acts);
	}
	assert_true(mono_diff_ns(b.now, heard) >= 5 * NS_PER_S);
	assert_true(mono_diff_ns(b.now, heard) < 6 * NS_PER_S);
}

static void
test_answers_that_were_not_asked_for_change_nothing(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	b.acts.count = 0;
	el_answered(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	start_active(&b, keyed_params(150));
	b.acts.count = 0;
	el_answered(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_switchover_makes_before_it_breaks(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	assert_true((el_flags(&b.e) & TRAILER_OFFER) != 0);
	hear_as(&b, EL_ACTIVE, 100, 0); /* it claims, and does not hold them yet */
	assert_no_acts(&b);
	live(&b, 20 * MS, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
	next(&b);
	assert_acts(&b, EL_ROLE, EL_RELEASE, EL_RELAY, EL_OFFER_ENDED, EL_SEND_HELLO, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_SWITCHOVER);
	assert_true(find(&b, EL_OFFER_ENDED)->ok);
	assert_true(b.e.hold);
	settle(&b, true);
	assert_no_acts(&b); /* no resignation: the peer is active already */
}

/* It has crashed meanwhile: what it held a moment ago it holds no more. */
static void
test_who_lost_the_addresses_again_is_not_handed_them(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	live(&b, 10 * MS, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	hear_as(&b, EL_ACTIVE, 100, 0);
	live(&b, 10 * MS, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_offer_is_taken_and_the_one_who_offers_is_no_rival(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_SWITCHOVER);
	assert_int_equal(el_flags(&b.e) & TRAILER_HOLDING, 0);
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	assert_no_acts(&b);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, EL_SEND_ADVERT, -1); /* the word it waits for, after the frames */
	assert_true((el_flags(&b.e) & TRAILER_HOLDING) != 0);
	hear_as(&b, EL_BACKUP, 150, TRAILER_HOLD | TRAILER_HOLDING);
	hear_as(&b, EL_BACKUP, 150, TRAILER_HOLD | TRAILER_READY);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

/* The pool first, but not for long; and not when nobody serves meanwhile. */
static void
test_offer_is_taken_when_the_pool_is_ready(void **state)
{
	struct el_params params = keyed_params(100);
	size_t seen[EL_OFFER_ENDED + 1] = {0};
	struct bench b;

	(void)state;
	params.prepare_offered = true;
	for (int late = 0; late < 2; late++) {
		start_backup(&b, params);
		hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
		hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
		assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_PREPARE, -1);
		b.acts.count = 0;
		if (late)
			live(&b, 99 * MS, seen);
		else
			el_prepared(&b.e, b.now, &b.acts);
		assert_int_equal(seen[EL_CLAIM], 0);
		if (late)
			live(&b, 2 * MS, seen);
		assert_int_equal(late ? seen[EL_CLAIM] : find(&b, EL_CLAIM) != NULL, 1);
		b.acts.count = 0;
		el_prepared(&b.e, b.now, &b.acts);
		assert_null(find(&b, EL_CLAIM)); /* once */
	}
	start_backup(&b, params);
	hear_as(&b, EL_ACTIVE, EL_PRIORITY_RESIGN, 0);
	assert_non_null(find(&b, EL_CLAIM));
	assert_null(find(&b, EL_PREPARE));
}

static void
test_switchover_without_a_standby_is_refused(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, keyed_params(150));
	assert_int_equal(switchover(&b), REASON_PEER_ABSENT);
	hear_as(&b, EL_FAULT, 100, 0);
	assert_int_equal(switchover(&b), REASON_PEER_ABSENT);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	live(&b, NS_PER_S, NULL);
	assert_int_equal(switchover(&b), REASON_PEER_ABSENT); /* long ago */
	assert_no_acts(&b);
	start_standby(&b, 100, 150);
	assert_int_equal(switchover(&b), REASON_NOT_ACTIVE);
}

static void
test_offer_that_nobody_takes_expires(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	live(&b, 4 * NS_PER_S, seen);
	assert_int_equal(seen[EL_OFFER_ENDED], 1);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_int_equal(el_flags(&b.e) & TRAILER_OFFER, 0);
	assert_true(seen[EL_SEND_ADVERT] > 60); /* repeated all the while */
}

static void
test_offer_ends_when_the_peer_fails_to_claim(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	hear_as(&b, EL_ACTIVE, 100, 0);
	hear_as(&b, EL_FAULT, 0, 0);
	assert_non_null(find(&b, EL_OFFER_ENDED));
	assert_false(find(&b, EL_OFFER_ENDED)->ok);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_preemption_is_asked_for_and_offered(void **state)
{
	struct bench b;
	struct el_params p = keyed_params(150);

	(void)state;
	p.preempt = true;
	start_standby(&b, 100, 150);
	assert_int_equal(el_flags(&b.e) & TRAILER_WANT, 0);
	start_backup(&b, p);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_true((el_flags(&b.e) & TRAILER_WANT) != 0);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING | TRAILER_OFFER);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PREEMPTED_PEER);

	start_served(&b, 100, 150);
	hear_as(&b, EL_BACKUP, 150, TRAILER_READY | TRAILER_WANT);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	assert_true((el_flags(&b.e) & TRAILER_OFFER) != 0);
}

static void
test_preemption_does_not_ask_the_wire(void **state)
{
	struct bench b;
	struct el_params p = keyed_params(150);
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	p.preempt = true;
	start_backup(&b, p);
	tick(&b);
	for (int i = 0; i < 5; i++) { /* an active that makes no offers */
		hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
		live(&b, 100 * MS, seen);
	}
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_int_equal(seen[EL_ASK], 0);
}

/* Its patience is longer with less priority, the deadline is that of before. */
static void
test_silence_is_silence_whatever_the_priority_became(void **state)
{
	struct bench b;
	struct el_params p = keyed_params(150);
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	p.preempt = true;
	start_backup(&b, p);
	tick(&b);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_true(b.e.wants);
	p.priority = 120;
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &p, &b.acts);
	tick(&b);
	live(&b, 330 * MS, seen);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_true(seen[EL_ASK] > 0);
}

static void
impair(struct bench *b)
{
	b->acts.count = 0;
	el_set_fitness(&b->e, b->now, EL_IMPAIRED, REASON_GATEWAY_LOST, &b->acts);
}

static void
test_impaired_active_offers_to_a_fit_standby(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	impair(&b);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	next(&b);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_PEER_FIT);
	assert_false(b.e.hold); /* nobody's wish */
}

static void
test_impaired_active_without_a_better_one_stays(void **state)
{
	struct bench b;
	struct el_advert m;

	(void)state;
	start_active(&b, keyed_params(150));
	impair(&b);
	assert_no_acts(&b);
	m = message(EL_BACKUP, 100, 0);
	m.fitness = EL_IMPAIRED;
	hear_message(&b, m);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY); /* it has recovered */
	assert_acts(&b, EL_SEND_ADVERT, -1);
}

static void
test_impaired_node_among_plain_routers_is_unfit(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(150));
	impair(&b);
	assert_role(&b, EL_ACTIVE, EL_FAULT, REASON_GATEWAY_LOST);
}

static void
test_rivals_are_ranked_by_fitness_first(void **state)
{
	struct bench b;
	struct el_advert m;

	(void)state;
	start_active(&b, keyed_params(150));
	m = message(EL_ACTIVE, 200, TRAILER_HOLDING);
	m.fitness = EL_IMPAIRED;
	hear_message(&b, m);
	assert_sent(&b, 150);
	assert_int_equal(b.e.role, EL_ACTIVE);
	impair(&b);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_PEER_FIT);
	assert_non_null(find(&b, EL_RELEASE));
}

static void
set_contact(struct bench *b, enum el_contact contact)
{
	b->acts.count = 0;
	el_set_contact(&b->e, b->now, contact, &b->acts);
}

static void
test_isolated_active_gives_way_to_a_connected_standby(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	set_contact(&b, EL_CONTACT_ISOLATED);
	assert_no_acts(&b); /* the peer may be isolated as well */
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY | TRAILER_CONNECTED);
	assert_role(&b, EL_ACTIVE, EL_FAULT, REASON_ISOLATED);
	assert_non_null(find(&b, EL_RELEASE));
	settle(&b, true);
	assert_sent(&b, 0);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_CONNECTED | TRAILER_HOLDING);
	set_fit(&b, true, REASON_NONE);
	assert_int_equal(b.e.role, EL_FAULT);
	set_contact(&b, EL_CONTACT_CONNECTED);
	assert_role(&b, EL_FAULT, EL_BACKUP, REASON_FIT_AGAIN);
}

/* Not for a moment: its hello in fault is what makes the peer take the place. */
static void
test_isolated_standby_leaves_the_place_to_a_connected_peer(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	set_contact(&b, EL_CONTACT_ISOLATED);
	hear_as(&b, EL_BACKUP, EL_PRIORITY_RESIGN, TRAILER_CONNECTED);
	assert_role(&b, EL_BACKUP, EL_FAULT, REASON_ISOLATED);
	assert_null(find(&b, EL_CLAIM));
	tick(&b);
	assert_non_null(find(&b, EL_SEND_HELLO));
}

/* Its patience with an active that makes no offer ended while it slept. */
static void
test_late_preferred_standby_listens_before_it_insists(void **state)
{
	struct el_params p = keyed_params(150);
	struct bench b;

	(void)state;
	p.preempt = true;
	start_backup(&b, p);
	tick(&b);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	live(&b, 50 * MS, NULL);
	b.now = mono_add_ns(b.now, 350 * MS);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	tick(&b);
	assert_int_equal(b.e.role, EL_BACKUP);
	live(&b, 90 * MS, NULL);
	assert_int_equal(b.e.role, EL_BACKUP);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	live(&b, 60 * MS, NULL);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

/* What changes meanwhile is told after that. */
static void
test_late_waker_listens_before_it_tells_what_is_new(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	b.now = mono_add_ns(b.now, 400 * MS);
	tick(&b);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_WOKE_LATE);
	set_contact(&b, EL_CONTACT_CONNECTED);
	impair(&b);
	tick(&b);
	assert_null(find(&b, EL_SEND_HELLO));
	b.now = mono_add_ns(b.now, 100 * MS);
	tick(&b);
	assert_non_null(find(&b, EL_SEND_HELLO));
}

/* Its interface came back while it slept, and it is told so before it reads what had waited. */
static void
test_late_node_that_takes_part_again_listens_first(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	set_fit(&b, false, REASON_NO_SOURCE_ADDRESS);
	tick(&b);
	b.now = mono_add_ns(b.now, NS_PER_S);
	set_fit(&b, true, REASON_NONE);
	assert_int_equal(b.e.role, EL_BACKUP);
	hear_as(&b, EL_FAULT, EL_PRIORITY_RESIGN, 0);
	assert_int_equal(b.e.role, EL_BACKUP);
	tick(&b);
	assert_null(find(&b, EL_SEND_HELLO));
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	live(&b, 200 * MS, NULL);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_connected_active_stays(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	set_contact(&b, EL_CONTACT_CONNECTED);
	hear_as(&b, EL_BACKUP, 100, TRAILER_CONNECTED | TRAILER_READY);
	hear_as(&b, EL_BACKUP, 100, TRAILER_ISOLATED);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_int_equal(switchover(&b), REASON_PEER_ABSENT);
}

static void
test_isolated_node_comes_back_when_the_peer_is_gone(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	set_contact(&b, EL_CONTACT_ISOLATED);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY | TRAILER_CONNECTED);
	settle(&b, true);
	tick(&b);
	live(&b, 340 * MS, NULL);
	assert_int_equal(b.e.role, EL_FAULT);
	live(&b, 20 * MS, NULL);
	assert_int_equal(b.e.role, EL_BACKUP);
	live(&b, NS_PER_S, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_late_waker_says_nothing_before_it_has_listened(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	wait_ns(&b, 6 * NS_PER_S);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY); /* what waited in the queue */
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_int_equal(b.e.role, EL_BACKUP);
	tick(&b);
	assert_no_acts(&b);
	settle(&b, true);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	tick(&b);
	assert_no_acts(&b);
	wait_ns(&b, 100 * MS);
	tick(&b);
	assert_acts(&b, EL_SEND_HELLO, -1);
}

static void
test_stopping_standby_tells_the_active(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, EL_SEND_HELLO, -1);
	start_served(&b, 150, 100);
	hear_as(&b, EL_INIT, 100, 0);
	assert_false(el_peer_is_ready(&b.e, b.now));
}

static void
test_group_moves(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	b.acts.count = 0;
	el_take(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_GROUP);
	b.acts.count = 0;
	el_yield(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_GROUP);
	assert_non_null(find(&b, EL_RELEASE));
}

static void
test_version_2_skew_does_not_scale(void **state)
{
	struct bench b;
	struct el_params p = params_of(100);

	(void)state;
	p.version = 2;
	p.interval_ns = 3 * NS_PER_S;
	start_backup(&b, p);
	assert_int_equal(el_patience_ns(&b.e), 9609375 * NS_PER_US);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup_says_hello_at_once_and_every_interval),
		cmocka_unit_test(test_plain_backup_is_silent),
		cmocka_unit_test(test_resignation_is_claimed_at_once),
		cmocka_unit_test(test_resignation_out_of_history_is_not),
		cmocka_unit_test(test_the_same_message_over_a_slower_path_is_history),
		cmocka_unit_test(test_unfit_node_does_not_claim_a_resignation),
		cmocka_unit_test(test_carrier_lost_resigns_before_the_release),
		cmocka_unit_test(test_place_that_nobody_holds_is_claimed_by_the_better_node),
		cmocka_unit_test(test_node_on_hold_lets_the_other_go_first),
		cmocka_unit_test(test_wire_is_asked_before_the_deadline),
		cmocka_unit_test(test_answer_of_the_wire_delays_the_claim),
		cmocka_unit_test(test_wire_that_answers_for_ever_is_a_stranger),
		cmocka_unit_test(test_answers_that_were_not_asked_for_change_nothing),
		cmocka_unit_test(test_switchover_makes_before_it_breaks),
		cmocka_unit_test(test_who_lost_the_addresses_again_is_not_handed_them),
		cmocka_unit_test(test_offer_is_taken_and_the_one_who_offers_is_no_rival),
		cmocka_unit_test(test_offer_is_taken_when_the_pool_is_ready),
		cmocka_unit_test(test_switchover_without_a_standby_is_refused),
		cmocka_unit_test(test_offer_that_nobody_takes_expires),
		cmocka_unit_test(test_offer_ends_when_the_peer_fails_to_claim),
		cmocka_unit_test(test_preemption_is_asked_for_and_offered),
		cmocka_unit_test(test_preemption_does_not_ask_the_wire),
		cmocka_unit_test(test_silence_is_silence_whatever_the_priority_became),
		cmocka_unit_test(test_impaired_active_offers_to_a_fit_standby),
		cmocka_unit_test(test_impaired_active_without_a_better_one_stays),
		cmocka_unit_test(test_impaired_node_among_plain_routers_is_unfit),
		cmocka_unit_test(test_rivals_are_ranked_by_fitness_first),
		cmocka_unit_test(test_isolated_active_gives_way_to_a_connected_standby),
		cmocka_unit_test(test_isolated_standby_leaves_the_place_to_a_connected_peer),
		cmocka_unit_test(test_late_preferred_standby_listens_before_it_insists),
		cmocka_unit_test(test_late_waker_listens_before_it_tells_what_is_new),
		cmocka_unit_test(test_late_node_that_takes_part_again_listens_first),
		cmocka_unit_test(test_connected_active_stays),
		cmocka_unit_test(test_isolated_node_comes_back_when_the_peer_is_gone),
		cmocka_unit_test(test_late_waker_says_nothing_before_it_has_listened),
		cmocka_unit_test(test_stopping_standby_tells_the_active),
		cmocka_unit_test(test_group_moves),
		cmocka_unit_test(test_version_2_skew_does_not_scale),
	};

	return cmocka_run_group_tests_name("keyed", tests, NULL, NULL);
}
