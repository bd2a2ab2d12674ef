/*
 * Who has the last word to the neighbours (core/election_announce.c): the active, after a rival,
 * after a path has healed; and of two between which a place is handed over the one that takes it.
 */
#include "keyed_bench.h"

static void
test_winner_announces_again_when_the_loser_has_let_go(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, keyed_params(150));
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_non_null(find(&b, EL_ANNOUNCE));
	live(&b, 2 * NS_PER_S, NULL);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	assert_non_null(find(&b, EL_ANNOUNCE));
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	assert_null(find(&b, EL_ANNOUNCE));
}

/* The loser's announcement would come after the winner's, which answers the very same message. */
static void
test_healed_path_is_announced_by_who_stays_active(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_active(&b, keyed_params(100));
	live(&b, 10 * NS_PER_S, NULL);
	el_path_healed(&b.e, b.now);
	live(&b, 50 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(count(&b, EL_ANNOUNCE), 0);
	settle(&b, true);
	for (int i = 0; i < 10; i++) {
		tick(&b);
		live(&b, 100 * MS, seen);
		hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	}
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(seen[EL_ANNOUNCE], 0);

	start_active(&b, keyed_params(100));
	live(&b, 10 * NS_PER_S, NULL);
	el_path_healed(&b.e, b.now);
	live(&b, 110 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 1);

	live(&b, 10 * NS_PER_S, NULL);
	el_path_healed(&b.e, b.now);
	hear_as(&b, EL_BACKUP, 150, TRAILER_READY);
	assert_int_equal(count(&b, EL_ANNOUNCE), 1);
}

/* Its frames must not be talked over: neighbours would turn to who is about to let go. */
static void
test_announcements_of_the_taker_are_not_answered(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY); /* crossed the offer */
	assert_null(find(&b, EL_ANNOUNCE));
	live(&b, 240 * MS, seen);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	el_path_healed(&b.e, b.now);
	live(&b, 100 * MS, seen);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
}

/* Nor by the rest of a series: it has taken them itself only a moment ago. */
static void
test_series_does_not_go_on_in_an_offer(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_standby(&b, 150, 100);
	hear_as(&b, EL_FAULT, EL_PRIORITY_RESIGN, 0);
	settle(&b, true);
	live(&b, 20 * MS, NULL);
	hear_as(&b, EL_BACKUP, 100, TRAILER_READY);
	assert_int_equal(switchover(&b), REASON_NONE);
	el_path_healed(&b.e, b.now);
	live(&b, 249 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
}

/*
 * The holder's own series may have been lost on the LAN. Its peer has taken the offer, and its kernel
 * takes long: until it has the addresses the neighbours have to know who does.
 */
static void
test_slow_taker_has_the_holder_announce_itself(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	live(&b, 200 * MS, seen);
	hear_as(&b, EL_ACTIVE, 100, 0);
	live(&b, 40 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
	live(&b, 20 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 1);
	assert_true(b.e.offer != REASON_NONE);
	live(&b, 238 * MS, seen);
	seen[EL_ANNOUNCE] = 0;
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING); /* as the next of its series is due */
	live(&b, 100 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
	assert_int_equal(b.e.role, EL_BACKUP);
}

/* What held its frames up is over while it offers: it is the holder all the same. */
static void
test_path_that_heals_in_an_offer_is_announced(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	hear_as(&b, EL_ACTIVE, 100, 0);
	live(&b, 1500 * MS, NULL); /* has announced itself, which was lost */
	el_path_healed(&b.e, b.now);
	live(&b, 90 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
	live(&b, 20 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 1);
}

/* Held for a moment, and lost again: who offers may have been silent for it. */
static void
test_taker_that_lost_them_again_is_not_waited_for(void **state)
{
	struct bench b;
	size_t seen[EL_OFFER_ENDED + 1] = {0};

	(void)state;
	start_served(&b, 150, 100);
	assert_int_equal(switchover(&b), REASON_NONE);
	hear_as(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	hear_as(&b, EL_ACTIVE, 100, 0);
	live(&b, 240 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 0);
	live(&b, 20 * MS, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 1);
}

/* The two announcements crossed: the taker's has to be the last one. */
static void
test_taker_answers_the_last_word_of_who_offers(void **state)
{
	struct bench b;

	(void)state;
	start_standby(&b, 100, 150);
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	b.acts.count = 0;
	assert_false(el_spoken_for(&b.e, b.now, true, true, &b.acts)); /* not claimed yet */
	assert_no_acts(&b);
	settle(&b, true);
	b.acts.count = 0;
	assert_false(el_spoken_for(&b.e, b.now, true, true, &b.acts));
	assert_non_null(find(&b, EL_ANNOUNCE));
	assert_false(el_spoken_for(&b.e, b.now, true, false, &b.acts)); /* nor is it a stranger */
	hear_as(&b, EL_BACKUP, 150, TRAILER_HOLDING);
	hear_as(&b, EL_BACKUP, 150, TRAILER_READY);
	wait_ns(&b, 10 * MS);
	b.acts.count = 0;
	assert_true(el_spoken_for(&b.e, b.now, true, false, &b.acts));
}

/* The winner may not have heard that there was another active: it has to announce itself. */
static void
test_who_gives_way_says_what_it_held(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, keyed_params(100));
	hear_as(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	assert_acts(&b, EL_ROLE, EL_RELEASE, EL_SEND_HELLO, -1);
	assert_true((el_flags(&b.e) & TRAILER_HOLDING) != 0);
	settle(&b, true);
	tick(&b);
	assert_null(find(&b, EL_SEND_HELLO)); /* an interval later */
}

static void
test_who_speaks_for_an_address(void **state)
{
	struct bench b;

	(void)state;
	start_served(&b, 150, 100);
	b.acts.count = 0;
	assert_false(el_spoken_for(&b.e, b.now, true, true, &b.acts)); /* the peer: its messages tell */
	assert_true(el_spoken_for(&b.e, b.now, false, false, &b.acts));
	assert_int_equal(switchover(&b), REASON_NONE);
	assert_false(el_spoken_for(&b.e, b.now, true, false, &b.acts)); /* whom we have asked to */
	start_standby(&b, 100, 150);
	assert_false(el_spoken_for(&b.e, b.now, true, false, &b.acts));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_winner_announces_again_when_the_loser_has_let_go),
		cmocka_unit_test(test_healed_path_is_announced_by_who_stays_active),
		cmocka_unit_test(test_announcements_of_the_taker_are_not_answered),
		cmocka_unit_test(test_series_does_not_go_on_in_an_offer),
		cmocka_unit_test(test_slow_taker_has_the_holder_announce_itself),
		cmocka_unit_test(test_path_that_heals_in_an_offer_is_announced),
		cmocka_unit_test(test_taker_that_lost_them_again_is_not_waited_for),
		cmocka_unit_test(test_taker_answers_the_last_word_of_who_offers),
		cmocka_unit_test(test_who_gives_way_says_what_it_held),
		cmocka_unit_test(test_who_speaks_for_an_address),
	};

	return cmocka_run_group_tests_name("last-word", tests, NULL, NULL);
}
