/*
 * The election beyond the RFC, its addresses: leases and their deadlines, the cold start of a
 * pool, addresses that others remove, the series of announcements.
 */
#include "election_bench.h"

enum { MARGIN_MS = 50 };

/* Renewals of all routers come at the same moments, 50 ms apart. */
static int64_t
on_the_grid(int64_t at_ns)
{
	return at_ns - at_ns % (50 * MS);
}

static void
test_lease_is_renewed_every_third_of_it(void **state)
{
	struct bench b;
	mono last;

	(void)state;
	start_backup(&b, params_of(100));
	next(&b);
	last = b.now;
	settle(&b, true);
	for (int i = 1; i <= 20; i++) {
		do
			next(&b);
		while (count(&b, EL_RENEW) == 0);
		assert_mono(b.now, on_the_grid(last.ns + NS_PER_S));
		last = b.now;
		settle(&b, true);
	}
}

/* Routers whose leases began at any moment of 50 ms renew them in one turn of the loop. */
static void
test_leases_of_many_routers_are_renewed_together(void **state)
{
	int64_t together = 0;

	(void)state;
	for (int64_t begin_ms = 0; begin_ms < 50; begin_ms += 7) {
		struct bench b;

		start_backup(&b, params_of(100));
		next(&b);
		b.now.ns = on_the_grid(b.now.ns + 50 * MS) + begin_ms * MS;
		settle(&b, true);
		if (begin_ms == 0)
			together = b.e.renew_deadline.ns;
		assert_mono(b.e.renew_deadline, together);
	}
}

/* The kernel counts from when it was asked, not from when we read its answer. */
static void
test_lease_counts_from_before_the_kernel_was_asked(void **state)
{
	struct bench b;
	mono sent;

	(void)state;
	start_backup(&b, params_of(100));
	next(&b);
	sent = b.now;
	wait_ns(&b, 40 * MS);
	settle_sent(&b, sent, true);
	assert_mono(b.e.lease_deadline, sent.ns + 3 * NS_PER_S - MARGIN_MS * MS);
	assert_mono(b.e.renew_deadline, on_the_grid(sent.ns + NS_PER_S));
	assert_mono(b.e.phases.claimed, b.now.ns);
}

/* Ticks every 10 ms with a kernel that never answers: at the deadline the node is not active. */
static void
test_lease_without_an_answer_ends_the_role(void **state)
{
	struct bench b;
	mono deadline;

	(void)state;
	start_active(&b, params_of(100));
	while (b.e.pending == 0)
		next(&b);
	deadline = b.e.lease_deadline;
	while (b.e.role == EL_ACTIVE) {
		wait_ns(&b, 10 * MS);
		tick(&b);
	}
	assert_true(mono_diff_ns(b.now, deadline) < 10 * MS);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_LEASE_LAPSED);
	settle(&b, true);
	assert_sent(&b, 0);
}

static void
test_lease_is_not_renewed_at_its_deadline(void **state)
{
	struct bench b;

	(void)state;
	for (int64_t late = 0; late < 3; late++) {
		start_active(&b, params_of(100));
		/* adverts go on, but renewals were never due before */
		b.e.renew_deadline = b.e.lease_deadline;
		b.e.advert_deadline = b.now = mono_add_ns(b.e.lease_deadline, late);
		tick(&b);
		assert_int_equal(count(&b, EL_RENEW), 0);
		assert_int_equal(count(&b, EL_SEND_ADVERT), 0);
		assert_int_equal(b.e.role, EL_BACKUP);
	}
}

/* The answer came after the old deadline: what it renewed may have been re-created. */
static void
test_a_result_after_the_old_deadline_releases(void **state)
{
	struct bench b;
	mono sent;

	(void)state;
	start_active(&b, params_of(100));
	while (b.e.pending == 0)
		next(&b);
	sent = b.now;
	b.now = b.e.lease_deadline;
	b.e.advert_deadline = b.now; /* the loop was alive */
	settle_sent(&b, sent, true);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_LEASE_LAPSED);
}

static void
test_a_renewal_that_fails_is_tried_again(void **state)
{
	struct bench b;
	mono deadline;

	(void)state;
	start_active(&b, params_of(100));
	while (b.e.pending == 0)
		next(&b);
	deadline = b.e.lease_deadline;
	for (int i = 0; i < 5; i++) {
		mono failed = b.now;

		settle(&b, false);
		assert_no_acts(&b);
		assert_mono(b.e.lease_deadline, deadline.ns);
		do
			next(&b);
		while (count(&b, EL_RENEW) == 0);
		assert_mono(b.now, failed.ns + 100 * MS);
	}
	settle(&b, true);
	assert_true(mono_before(deadline, b.e.lease_deadline));
}

static void
test_unknown_sequence_numbers_are_ignored(void **state)
{
	struct bench b;
	uint32_t pending;

	(void)state;
	start_active(&b, params_of(100));
	while (b.e.pending == 0)
		next(&b);
	pending = b.e.pending;
	b.acts.count = 0;
	el_address_result(&b.e, b.now, pending - 1, b.now, false, &b.acts);
	el_address_result(&b.e, b.now, pending + 1, b.now, false, &b.acts);
	el_address_result(&b.e, b.now, 0, b.now, false, &b.acts);
	assert_no_acts(&b);
	assert_int_equal(b.e.pending, pending);
	settle(&b, true);
	el_address_result(&b.e, b.now, pending, b.now, false, &b.acts);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_a_refused_claim_resigns_and_tries_again_later(void **state)
{
	struct bench b;
	mono refused;

	(void)state;
	start_backup(&b, params_of(100));
	next(&b);
	settle(&b, false);
	refused = b.now;
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_FAULT, REASON_ADDRESS_REFUSED);
	settle(&b, true);
	assert_sent(&b, 0);
	next(&b);
	assert_mono(b.now, refused.ns + 5 * NS_PER_S);
	assert_role(&b, EL_FAULT, EL_BACKUP, REASON_FIT_AGAIN);
}

static void
test_a_fault_of_our_own_outlives_news_of_fitness(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	next(&b);
	settle(&b, false);
	settle(&b, true);
	set_fit(&b, true, REASON_NONE);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_FAULT);
	/* a real loss of fitness takes over, and its end starts the election */
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_int_equal(b.e.reason, REASON_CARRIER_LOST);
	wait_ns(&b, 60 * NS_PER_S);
	tick(&b);
	assert_no_acts(&b);
	set_fit(&b, true, REASON_NONE);
	assert_role(&b, EL_FAULT, EL_BACKUP, REASON_FIT_AGAIN);
}

static struct el_params
cold(void)
{
	struct el_params params = params_of(100);

	params.prepare = true;
	return params;
}

static void
test_cold_claims_when_the_pool_is_ready(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, cold());
	next(&b);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_PREPARE, -1);
	wait_ns(&b, 30 * MS);
	b.acts.count = 0;
	el_prepared(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_CLAIM, -1);
	b.acts.count = 0;
	el_prepared(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
}

static void
test_cold_does_not_wait_for_ever(void **state)
{
	struct bench b;
	mono active;

	(void)state;
	start_backup(&b, cold());
	next(&b);
	active = b.now;
	while (count(&b, EL_CLAIM) == 0) {
		next(&b);
		assert_sent(&b, 100);
	}
	assert_mono(b.now, active.ns + NS_PER_S);
}

static void
test_cold_a_late_pool_does_not_claim_for_a_deposed_node(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, cold());
	next(&b);
	hear(&b, LOWER_ADDRESS, 200);
	b.acts.count = 0;
	el_prepared(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	/* nor for one that slept beyond the peer's patience */
	start_backup(&b, cold());
	next(&b);
	wait_ns(&b, 300 * MS);
	b.acts.count = 0;
	el_prepared(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
}

/* Deposed and active again while the kernel still works on the release: that is no claim. */
static void
test_cold_the_result_of_a_release_is_not_taken_for_a_claim(void **state)
{
	struct bench b;
	uint32_t released;

	(void)state;
	start_active(&b, cold());
	set_fit(&b, false, REASON_CARRIER_LOST);
	released = find(&b, EL_RELEASE)->sequence;
	set_fit(&b, true, REASON_NONE);
	next(&b); /* the resignation, overdue */
	hear(&b, LOWER_ADDRESS, 0);
	next(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
	b.acts.count = 0;
	el_address_result(&b.e, b.now, released, b.now, true, &b.acts);
	assert_no_acts(&b);
	assert_false(b.e.claimed);
}

static void
remove_addresses(struct bench *b)
{
	b->acts.count = 0;
	el_addresses_removed(&b->e, b->now, &b->acts);
}

static void
test_removed_addresses_come_back_and_are_announced(void **state)
{
	struct bench b;
	mono deadline;

	(void)state;
	start_active(&b, params_of(100));
	deadline = b.e.lease_deadline;
	remove_addresses(&b);
	assert_acts(&b, EL_CLAIM, -1);
	assert_mono(b.e.lease_deadline, deadline.ns); /* of those still there */
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
	assert_true(mono_before(deadline, b.e.lease_deadline));
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_addresses_removed_again_and_again_are_given_up(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	for (int i = 0; i < 5; i++) {
		remove_addresses(&b);
		assert_acts(&b, EL_CLAIM, -1);
		settle(&b, true);
		wait_ns(&b, 1 * MS);
	}
	remove_addresses(&b);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_FAULT, REASON_ADDRESS_REMOVED);
	settle(&b, true);
	assert_sent(&b, 0);
}

static void
test_removals_far_apart_are_put_back_for_ever(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	for (int i = 0; i < 100; i++) {
		remove_addresses(&b);
		assert_acts(&b, EL_CLAIM, -1);
		settle(&b, true);
		live(&b, 2500 * MS, NULL);
	}
	assert_int_equal(b.e.role, EL_ACTIVE);
}

/* `ip address flush` tells of a hundred addresses; it is one act of one person. */
static void
test_a_flush_of_many_addresses_is_one_removal(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	for (int i = 0; i < 100; i++)
		remove_addresses(&b);
	assert_int_equal(b.e.role, EL_ACTIVE);
	settle(&b, true);
	/* some may have gone after the kernel was asked: once more */
	assert_int_equal(count(&b, EL_CLAIM), 1);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
	assert_int_equal(b.e.pending, 0);
}

static void
test_removal_is_nothing_to_a_backup(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	remove_addresses(&b);
	assert_no_acts(&b);
}

static void
test_a_new_list_of_addresses_is_claimed(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	b.acts.count = 0;
	el_addresses_changed(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_CLAIM, -1);
	/* changed again before the kernel answered */
	b.acts.count = 0;
	el_addresses_changed(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	settle(&b, true);
	assert_int_equal(count(&b, EL_CLAIM), 1);
	settle(&b, true);
	assert_int_equal(count(&b, EL_CLAIM), 0);
	assert_int_equal(b.e.removals, 0);
}

static void
test_announcements_are_a_series_and_then_a_refresh(void **state)
{
	static const int64_t series[] = {0, 50 * MS, 250 * MS, 1100 * MS, 2500 * MS, 5000 * MS,
		65000 * MS, 125000 * MS, 185000 * MS};
	struct announce a;
	mono start = {77 * NS_PER_S};

	(void)state;
	announce_start(&a, start);
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
		assert_mono(a.deadline, start.ns + series[i]);
		if (series[i] > 0)
			assert_false(announce_tick(&a, (mono){a.deadline.ns - 1}));
		assert_true(announce_tick(&a, a.deadline));
		assert_false(announce_tick(&a, (mono){start.ns + series[i]}));
	}
	announce_stop(&a);
	assert_true(mono_is_never(a.deadline));
	assert_false(announce_tick(&a, (mono){INT64_MAX - 1}));
}

static void
test_announcements_say_which_of_the_series_they_are(void **state)
{
	static const uint8_t copies[] = {ANNOUNCE_FIRST, ANNOUNCE_BETWEEN, ANNOUNCE_BETWEEN,
		ANNOUNCE_BETWEEN, ANNOUNCE_BETWEEN, ANNOUNCE_LAST, ANNOUNCE_REFRESH, ANNOUNCE_REFRESH};
	struct announce a;
	mono start = {77 * NS_PER_S};

	(void)state;
	announce_start(&a, start);
	for (size_t i = 0; i < sizeof(copies); i++) {
		assert_true(announce_tick(&a, a.deadline));
		assert_int_equal(a.copy, copies[i]);
		assert_false(announce_tick(&a, start));
		assert_int_equal(a.copy, copies[i]);
	}
	/* late: the first one is still the first, and one that stands for the last is the last */
	announce_start(&a, start);
	assert_true(announce_tick(&a, (mono){start.ns + 300 * MS}));
	assert_int_equal(a.copy, ANNOUNCE_FIRST);
	assert_true(announce_tick(&a, (mono){start.ns + 7000 * MS}));
	assert_int_equal(a.copy, ANNOUNCE_LAST);
	announce_start(&a, start);
	assert_true(announce_tick(&a, (mono){start.ns + 7000 * MS}));
	assert_int_equal(a.copy, ANNOUNCE_FIRST);
	assert_true(announce_tick(&a, a.deadline));
	assert_int_equal(a.copy, ANNOUNCE_REFRESH);
}

static void
test_announcements_missed_are_made_up_by_one(void **state)
{
	struct announce a;
	mono start = {77 * NS_PER_S}, late = {start.ns + 2600 * MS};

	(void)state;
	announce_start(&a, start);
	assert_true(announce_tick(&a, late));
	assert_false(announce_tick(&a, late));
	assert_mono(a.deadline, start.ns + 5000 * MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lease_is_renewed_every_third_of_it),
		cmocka_unit_test(test_leases_of_many_routers_are_renewed_together),
		cmocka_unit_test(test_lease_counts_from_before_the_kernel_was_asked),
		cmocka_unit_test(test_lease_without_an_answer_ends_the_role),
		cmocka_unit_test(test_lease_is_not_renewed_at_its_deadline),
		cmocka_unit_test(test_a_result_after_the_old_deadline_releases),
		cmocka_unit_test(test_a_renewal_that_fails_is_tried_again),
		cmocka_unit_test(test_unknown_sequence_numbers_are_ignored),
		cmocka_unit_test(test_a_refused_claim_resigns_and_tries_again_later),
		cmocka_unit_test(test_a_fault_of_our_own_outlives_news_of_fitness),
		cmocka_unit_test(test_cold_claims_when_the_pool_is_ready),
		cmocka_unit_test(test_cold_does_not_wait_for_ever),
		cmocka_unit_test(test_cold_a_late_pool_does_not_claim_for_a_deposed_node),
		cmocka_unit_test(test_cold_the_result_of_a_release_is_not_taken_for_a_claim),
		cmocka_unit_test(test_removed_addresses_come_back_and_are_announced),
		cmocka_unit_test(test_addresses_removed_again_and_again_are_given_up),
		cmocka_unit_test(test_removals_far_apart_are_put_back_for_ever),
		cmocka_unit_test(test_a_flush_of_many_addresses_is_one_removal),
		cmocka_unit_test(test_removal_is_nothing_to_a_backup),
		cmocka_unit_test(test_a_new_list_of_addresses_is_claimed),
		cmocka_unit_test(test_announcements_are_a_series_and_then_a_refresh),
		cmocka_unit_test(test_announcements_say_which_of_the_series_they_are),
		cmocka_unit_test(test_announcements_missed_are_made_up_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
