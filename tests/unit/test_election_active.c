/*
 * RFC 9568 conformance of the election, as in test_election.c: Active, V040..V059. V041..V044
 * speak of IPv6, a virtual MAC or what the kernel itself answers.
 */
#include "election_bench.h"

static void
test_V040_active_keeps_its_addresses(void **state)
{
	struct bench b;
	size_t seen[EL_RIVAL + 1] = {0};

	(void)state;
	start_active(&b, params_of(100));
	live(&b, 60 * NS_PER_S, seen);
	assert_int_equal(seen[EL_ROLE] + seen[EL_RELEASE] + seen[EL_CLAIM], 0);
	assert_int_equal(seen[EL_RENEW], 60);
	assert_true(b.e.claimed);
}

static void
test_V045_adverts_keep_their_rhythm(void **state)
{
	struct bench b;
	mono due;

	(void)state;
	start_active(&b, params_of(100));
	due = b.e.advert_deadline;
	for (int i = 0; i < 1000; i++) {
		/* up to 30 ms late, never drifting */
		b.now = mono_add_ns(due, i % 31 * MS);
		tick(&b);
		assert_sent(&b, 100);
		due = mono_add_ns(due, 100 * MS);
		assert_mono(b.e.advert_deadline, due.ns);
		if (b.e.pending)
			settle(&b, true);
	}
}

static void
test_V045_missed_adverts_are_not_replayed(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	b.now = mono_add_ns(b.e.advert_deadline, 150 * MS);
	tick(&b);
	assert_sent(&b, 100);
	assert_mono(b.e.advert_deadline, b.now.ns + 100 * MS);
}

/* Addresses first, then priority 0: nobody is invited before the place is free. */
static void
test_V046_shutdown_of_an_active_resigns(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_INIT, REASON_STOPPED);
	assert_false(el_is_quiet(&b.e));
	wait_ns(&b, 3 * MS);
	settle(&b, true);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	assert_sent(&b, 0);
	assert_true(el_is_quiet(&b.e));
	assert_true(mono_is_never(el_deadline(&b.e)));
}

static void
test_V046_a_slow_kernel_does_not_hold_the_resignation_for_long(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_mono(el_deadline(&b.e), b.now.ns + 100 * MS);
	next(&b);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	assert_sent(&b, 0);
	assert_false(el_is_quiet(&b.e));
	settle(&b, true);
	assert_no_acts(&b);
	assert_true(el_is_quiet(&b.e));
}

static void
test_V047_priority_zero_is_answered_at_once(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	wait_ns(&b, 40 * MS);
	hear(&b, HIGHER_ADDRESS, 0);
	assert_sent(&b, 100);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_null(find(&b, EL_RIVAL));
	assert_mono(b.e.advert_deadline, b.now.ns + 100 * MS);
}

/* Ours (V053): while no answer is sent, the timer is not pushed out either. */
static void
test_V047_a_stream_of_priority_zero_does_not_silence_us(void **state)
{
	struct bench b;
	mono last;

	(void)state;
	start_active(&b, params_of(100));
	last = b.now;
	for (int i = 0; i < 2000; i++) {
		wait_ns(&b, 1 * MS);
		hear(&b, HIGHER_ADDRESS, 0);
		if (count(&b, EL_SEND_ADVERT) > 0)
			last = b.now;
		tick(&b);
		if (count(&b, EL_SEND_ADVERT) > 0)
			last = b.now;
		if (b.e.pending)
			settle(&b, true);
		assert_true(mono_diff_ns(b.now, last) < 100 * MS);
	}
}

static void
test_V048_higher_priority_deposes(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	hear_every(&b, LOWER_ADDRESS, 101, 200 * MS);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_HIGHER_PRIORITY);
	assert_int_equal(b.e.active_interval_ns, 200 * MS);
	assert_mono(el_deadline(&b.e), b.now.ns + 721875000);
	settle(&b, true);
	assert_no_acts(&b);
}

static void
test_V049_equal_priority_and_higher_address_deposes(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	hear(&b, HIGHER_ADDRESS, 100);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_HIGHER_ADDRESS);
}

/* 10.77.0.200 is above .12 as unsigned bytes, below as signed; 9.255.255.255 is below. */
static void
test_V049_addresses_compare_unsigned_in_network_order(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	hear(&b, "9.255.255.255", 100);
	assert_int_equal(b.e.role, EL_ACTIVE);
	hear(&b, "10.77.0.200", 100);
	assert_int_equal(b.e.role, EL_BACKUP);
	start_active(&b, params_of(100));
	hear(&b, "192.0.2.1", 100);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_V050_equal_priority_and_lower_address_is_answered(void **state)
{
	struct bench b;
	mono due;

	(void)state;
	start_active(&b, params_of(100));
	due = b.e.advert_deadline;
	hear(&b, LOWER_ADDRESS, 100);
	assert_acts(&b, EL_SEND_ADVERT, EL_RIVAL, EL_ANNOUNCE, -1);
	assert_sent(&b, 100);
	assert_true(ip_addr_equal(&find(&b, EL_RIVAL)->rival, &b.e.last_source));
	assert_int_equal(find(&b, EL_RIVAL)->rival_priority, 100);
	assert_mono(b.e.advert_deadline, due.ns);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_V051_lower_priority_is_answered(void **state)
{
	(void)state;
	for (uint8_t priority = 1; priority < 100; priority++) {
		struct bench b;

		start_active(&b, params_of(100));
		hear(&b, HIGHER_ADDRESS, priority);
		assert_acts(&b, EL_SEND_ADVERT, EL_RIVAL, EL_ANNOUNCE, -1);
		assert_int_equal(b.e.role, EL_ACTIVE);
	}
}

static void
test_V052_own_address_from_elsewhere_is_not_answered(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	for (int i = 0; i < 100; i++) {
		hear(&b, OWN_ADDRESS, 100);
		assert_no_acts(&b);
	}
}

static void
test_V053_immediate_answers_are_limited(void **state)
{
	struct bench b;
	size_t answers = 0;

	(void)state;
	start_active(&b, params_of(100));
	for (int us = 0; us < 1000000; us += 100) {
		wait_ns(&b, 100 * NS_PER_US);
		hear(&b, LOWER_ADDRESS, us % 200 == 0 ? 0 : 50);
		answers += count(&b, EL_SEND_ADVERT);
		tick(&b);
		answers += count(&b, EL_SEND_ADVERT);
		if (b.e.pending)
			settle(&b, true);
	}
	assert_in_range(answers, 38, 41);
}

/* A rival heard right after another was answered is answered at the end of that limit. */
static void
test_V053_an_answer_put_off_is_owed(void **state)
{
	struct bench b;
	mono answered;

	(void)state;
	start_active(&b, params_of(100));
	answered = b.now;
	hear(&b, LOWER_ADDRESS, 0);
	assert_sent(&b, 100);
	wait_ns(&b, 1 * MS);
	hear(&b, LOWER_ADDRESS, 50);
	assert_int_equal(count(&b, EL_SEND_ADVERT), 0);
	next(&b);
	assert_mono(b.now, answered.ns + 25 * MS);
	assert_sent(&b, 100);
	hear(&b, LOWER_ADDRESS, 50); /* and counts as one */
	assert_int_equal(count(&b, EL_SEND_ADVERT), 0);
}

static void
test_V054_a_rival_makes_us_announce_again(void **state)
{
	struct bench b;
	size_t seen[EL_RIVAL + 1] = {0};

	(void)state;
	start_active(&b, params_of(100));
	hear(&b, LOWER_ADDRESS, 50);
	assert_int_equal(count(&b, EL_ANNOUNCE), 1);
	live(&b, 6 * NS_PER_S, seen);
	assert_int_equal(seen[EL_ANNOUNCE], 5);
}

/* Once a second, but never is the rival's word the last. */
static void
test_V054_announcements_are_limited_and_owed(void **state)
{
	struct bench b;
	size_t seen[EL_RIVAL + 1] = {0};

	(void)state;
	start_active(&b, params_of(100));
	for (int i = 0; i < 40; i++) {
		hear(&b, LOWER_ADDRESS, 50);
		seen[EL_ANNOUNCE] += count(&b, EL_ANNOUNCE);
		live(&b, 100 * MS, seen);
	}
	assert_in_range(seen[EL_ANNOUNCE], 12, 13); /* three a second */
	seen[EL_ANNOUNCE] = 0;
	live(&b, 1001 * MS, seen);
	assert_true(seen[EL_ANNOUNCE] > 0);
	live(&b, 6 * NS_PER_S, seen);
	assert_in_range(seen[EL_ANNOUNCE], 5, 7); /* the series */
}

static void
test_V055_losing_gives_the_addresses_up_at_once(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	hear(&b, LOWER_ADDRESS, 200);
	assert_int_equal(count(&b, EL_RELEASE), 1);
	assert_int_equal(count(&b, EL_SEND_ADVERT), 0);
	assert_false(b.e.claimed);
	/* also while the claim itself is still on its way */
	start_backup(&b, params_of(100));
	next(&b);
	hear(&b, LOWER_ADDRESS, 200);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
}

static void
test_V056_preempt_is_not_consulted_in_active(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	params.preempt = false;
	start_active(&b, params);
	hear(&b, LOWER_ADDRESS, 99);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_sent(&b, 100);
	hear(&b, LOWER_ADDRESS, 101);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_V057_two_owners_are_decided_by_address(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(255));
	hear(&b, LOWER_ADDRESS, 255);
	assert_int_equal(b.e.role, EL_ACTIVE);
	hear(&b, HIGHER_ADDRESS, 255);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_V058_a_fault_in_active_withdraws_and_resigns(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_FAULT, REASON_CARRIER_LOST);
	settle(&b, true);
	assert_acts(&b, EL_SEND_ADVERT, -1);
	assert_sent(&b, 0);
	assert_true(mono_is_never(el_deadline(&b.e)));
}

static void
test_V058_an_owner_that_is_fit_again_starts_as_RFC_says(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(255));
	set_fit(&b, false, REASON_CARRIER_LOST);
	settle(&b, true);
	wait_ns(&b, NS_PER_S);
	set_fit(&b, true, REASON_NONE);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
}

static void
test_V059_a_late_waker_steps_down_and_never_sends_what_was_due(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	/* three intervals after its last advert the peer's patience may be over */
	b.now = mono_add_ns(b.e.advert_deadline, 200 * MS);
	tick(&b);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_WOKE_LATE);
	settle(&b, true);
	assert_no_acts(&b);
}

static void
test_V059_a_hair_earlier_it_goes_on(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	b.now = mono_add_ns(b.e.advert_deadline, 200 * MS - 1);
	tick(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_sent(&b, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_V040_active_keeps_its_addresses),
		cmocka_unit_test(test_V045_adverts_keep_their_rhythm),
		cmocka_unit_test(test_V045_missed_adverts_are_not_replayed),
		cmocka_unit_test(test_V046_shutdown_of_an_active_resigns),
		cmocka_unit_test(test_V046_a_slow_kernel_does_not_hold_the_resignation_for_long),
		cmocka_unit_test(test_V047_priority_zero_is_answered_at_once),
		cmocka_unit_test(test_V047_a_stream_of_priority_zero_does_not_silence_us),
		cmocka_unit_test(test_V048_higher_priority_deposes),
		cmocka_unit_test(test_V049_equal_priority_and_higher_address_deposes),
		cmocka_unit_test(test_V049_addresses_compare_unsigned_in_network_order),
		cmocka_unit_test(test_V050_equal_priority_and_lower_address_is_answered),
		cmocka_unit_test(test_V051_lower_priority_is_answered),
		cmocka_unit_test(test_V052_own_address_from_elsewhere_is_not_answered),
		cmocka_unit_test(test_V053_immediate_answers_are_limited),
		cmocka_unit_test(test_V053_an_answer_put_off_is_owed),
		cmocka_unit_test(test_V054_announcements_are_limited_and_owed),
		cmocka_unit_test(test_V054_a_rival_makes_us_announce_again),
		cmocka_unit_test(test_V055_losing_gives_the_addresses_up_at_once),
		cmocka_unit_test(test_V056_preempt_is_not_consulted_in_active),
		cmocka_unit_test(test_V057_two_owners_are_decided_by_address),
		cmocka_unit_test(test_V058_a_fault_in_active_withdraws_and_resigns),
		cmocka_unit_test(test_V058_an_owner_that_is_fit_again_starts_as_RFC_says),
		cmocka_unit_test(test_V059_a_late_waker_steps_down_and_never_sends_what_was_due),
		cmocka_unit_test(test_V059_a_hair_earlier_it_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
