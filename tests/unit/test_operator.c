/*
 * The election beyond the RFC, its life: switchover, the wait before preemption, waking late,
 * going on after a crash, reload and the end.
 */
#include "election_bench.h"

enum { MARGIN_MS = 50 };

static bool
switchover(struct bench *b)
{
	b->acts.count = 0;
	return el_switchover(&b->e, b->now, &b->acts) == REASON_NONE;
}

static void
test_switchover_resigns_and_holds(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(200));
	assert_true(switchover(&b));
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_SWITCHOVER);
	settle(&b, true);
	assert_sent(&b, 0);
	for (int i = 0; i < 1000; i++) {
		wait_ns(&b, 100 * MS);
		tick(&b);
		assert_no_acts(&b);
		hear(&b, LOWER_ADDRESS, 100);
	}
	assert_true(b.e.hold);
	/* the other node fails: the wish has had its time */
	live(&b, NS_PER_S, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_false(b.e.hold);
}

/*
 * A kernel that takes its 100 ms at an interval of 10 ms: our own down timer (33 ms) must not undo
 * the switchover before the peer has even been told, nor before it has noticed our silence.
 */
static void
test_switchover_lets_the_peer_go_first(void **state)
{
	struct bench b;
	struct el_params params = params_of(254);
	mono asked;

	(void)state;
	params.interval_ns = 10 * MS;
	start_active(&b, params);
	asked = b.now;
	switchover(&b);
	next(&b);
	assert_sent(&b, 0);
	assert_mono(b.now, asked.ns + 100 * MS);
	/* the slowest peer: told at the last moment, priority 1, or never told */
	assert_true(el_deadline(&b.e).ns > b.now.ns + el_skew_ns(1, 10 * MS));
	assert_true(el_deadline(&b.e).ns > asked.ns + el_down_ns(1, 10 * MS) + 10 * MS);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
}

static void
test_switchover_of_a_backup_is_refused(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	assert_false(switchover(&b));
	assert_no_acts(&b);
	assert_false(b.e.hold);
}

static void
test_switchover_cancelled_by_the_peers_resignation(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(200));
	switchover(&b);
	settle(&b, true);
	hear(&b, LOWER_ADDRESS, 100);
	hear(&b, LOWER_ADDRESS, 0);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
	assert_false(b.e.hold);
}

/* Adverts of a lower active every 100 ms; when did this node preempt? */
static int64_t
preempts_after(struct bench *b, uint8_t priority)
{
	mono began = b->now;

	for (int i = 0; i < 2000; i++) {
		hear(b, LOWER_ADDRESS, priority);
		wait_ns(b, 50 * MS);
		tick(b);
		if (b->e.role == EL_ACTIVE)
			break;
		wait_ns(b, 50 * MS);
		tick(b);
		if (b->e.role == EL_ACTIVE)
			break;
	}
	return mono_diff_ns(b->now, began);
}

static void
test_preempt_delay_is_waited_for(void **state)
{
	struct bench b;
	struct el_params params = params_of(200);
	int64_t waited;

	(void)state;
	params.preempt_delay_ns = 30 * NS_PER_S;
	start_backup(&b, params);
	waited = preempts_after(&b, 100);
	assert_in_range(waited, 30 * NS_PER_S, 30 * NS_PER_S + 400 * MS);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PREEMPTED_PEER);
}

static void
test_preempt_delay_does_not_delay_a_takeover(void **state)
{
	struct bench b;
	struct el_params params = params_of(200);

	(void)state;
	params.preempt_delay_ns = 30 * NS_PER_S;
	start_backup(&b, params);
	hear(&b, LOWER_ADDRESS, 100);
	assert_mono(el_deadline(&b.e), b.now.ns + 321875000);
	hear(&b, LOWER_ADDRESS, 0);
	assert_mono(el_deadline(&b.e), b.now.ns + 21875000);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
}

/* A preferred node was active in between: the wait starts over. */
static void
test_preempt_delay_starts_over_after_a_better_active(void **state)
{
	struct bench b;
	struct el_params params = params_of(200);
	int64_t waited;

	(void)state;
	params.preempt_delay_ns = 2 * NS_PER_S;
	start_backup(&b, params);
	for (int i = 0; i < 15; i++) {
		hear(&b, LOWER_ADDRESS, 100);
		wait_ns(&b, 100 * MS);
		tick(&b);
	}
	hear(&b, LOWER_ADDRESS, 250);
	waited = preempts_after(&b, 100);
	assert_in_range(waited, 2 * NS_PER_S, 2 * NS_PER_S + 400 * MS);
}

static void
test_preempt_delay_shortened_by_reload_counts(void **state)
{
	struct bench b;
	struct el_params params = params_of(200);
	int64_t waited;

	(void)state;
	params.preempt_delay_ns = 3600 * NS_PER_S;
	start_backup(&b, params);
	hear(&b, LOWER_ADDRESS, 100);
	params.preempt_delay_ns = 1 * NS_PER_S;
	el_reconfigure(&b.e, b.now, &params, &b.acts);
	waited = preempts_after(&b, 100);
	assert_in_range(waited, NS_PER_S, NS_PER_S + 400 * MS);
}

/* What waited in the socket while we slept comes from our successor: it must not be answered. */
static void
test_woke_late_a_queued_advert_of_the_successor_is_not_answered(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(200));
	wait_ns(&b, 400 * MS);
	hear(&b, LOWER_ADDRESS, 100);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_WOKE_LATE);
	assert_true(b.now.ns < el_deadline(&b.e).ns);
}

static void
test_woke_late_after_the_lease_says_so(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(200));
	wait_ns(&b, 10 * NS_PER_S);
	hear(&b, LOWER_ADDRESS, 100);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_LEASE_LAPSED);
}

/* Whatever it is told first: a third router must not take a resignation for its turn. */
static void
test_woke_late_does_not_resign(void **state)
{
	(void)state;
	for (int how = 0; how < 2; how++) {
		struct bench b;

		start_active(&b, params_of(150));
		b.now = mono_add_ns(b.now, 400 * MS);
		b.acts.count = 0;
		if (how == 0)
			el_set_fitness(&b.e, b.now, EL_UNFIT, REASON_CARRIER_LOST, &b.acts);
		else
			el_stop(&b.e, b.now, &b.acts);
		assert_int_equal(count(&b, EL_RELEASE), 1);
		assert_int_not_equal(b.e.role, EL_ACTIVE);
		settle(&b, true);
		assert_null(find(&b, EL_SEND_ADVERT));
		b.now = mono_add_ns(b.now, 150 * MS);
		tick(&b);
		assert_null(find(&b, EL_SEND_ADVERT));
		assert_true(el_is_quiet(&b.e));
	}
}

static void
test_woke_late_backup_listens_once_more(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	hear(&b, LOWER_ADDRESS, 200);
	wait_ns(&b, 10 * NS_PER_S);
	tick(&b);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_mono(el_deadline(&b.e), b.now.ns + 160937500);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
}

static void
test_woke_late_reload_and_new_addresses_step_down_too(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	start_active(&b, params);
	wait_ns(&b, 400 * MS);
	params.interval_ns = 10 * NS_PER_S; /* must not make the sleep look short */
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &params, &b.acts);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
	start_active(&b, params_of(100));
	wait_ns(&b, 400 * MS);
	b.acts.count = 0;
	el_addresses_changed(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, EL_RELEASE, -1);
}

/* A successor of a crashed process; its predecessor spoke `ago`, its lease ends in `left`. */
static bool
resume(struct bench *b, int64_t ago, int64_t left)
{
	start_with(b, params_of(100));
	return el_resume(&b->e, b->now, mono_add_ns(b->now, -60 * NS_PER_S),
		mono_add_ns(b->now, -ago), mono_add_ns(b->now, left), &b->acts);
}

static void
test_resume_goes_on_as_active(void **state)
{
	struct bench b;

	(void)state;
	assert_true(resume(&b, 249 * MS, 1));
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	assert_int_equal(b.e.role, EL_ACTIVE);
	assert_int_equal(b.e.reason, REASON_RESUMED);
	assert_mono(b.e.since, b.now.ns - 60 * NS_PER_S);
	assert_mono(b.e.lease_deadline, b.now.ns + 1);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
	assert_mono(b.e.lease_deadline, b.now.ns + 3 * NS_PER_S - MARGIN_MS * MS);
}

static void
test_resume_is_refused_when_patience_or_lease_may_be_over(void **state)
{
	struct bench b;

	(void)state;
	assert_false(resume(&b, 250 * MS, NS_PER_S));
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_INIT);
	assert_false(resume(&b, 10 * MS, 0));
	assert_false(resume(&b, 10 * MS, -NS_PER_S));
	assert_no_acts(&b);
	/* then it starts like any other */
	set_fit(&b, true, REASON_NONE);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_resume_answer_after_the_predecessors_lease_releases(void **state)
{
	struct bench b;

	(void)state;
	assert_true(resume(&b, 10 * MS, 20 * MS));
	wait_ns(&b, 20 * MS);
	settle(&b, true);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_LEASE_LAPSED);
}

static void
reload(struct bench *b, const struct el_params *params)
{
	b->acts.count = 0;
	el_reconfigure(&b->e, b->now, params, &b->acts);
	assert_no_acts(b);
}

static void
test_reload_changes_no_role_and_misses_no_advert(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);
	mono due;

	(void)state;
	start_active(&b, params);
	due = b.e.advert_deadline;
	params.priority = 50;
	params.interval_ns = 1000 * MS;
	reload(&b, &params);
	assert_mono(b.e.advert_deadline, due.ns);
	next(&b);
	assert_sent(&b, 50);
	assert_mono(b.e.advert_deadline, b.now.ns + 1000 * MS);
	wait_ns(&b, 500 * MS);
	params.interval_ns = 10 * MS;
	reload(&b, &params);
	assert_mono(b.e.advert_deadline, b.now.ns + 10 * MS);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_reload_of_the_lease_renews_at_once(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);
	mono deadline;

	(void)state;
	start_active(&b, params);
	deadline = b.e.lease_deadline;
	params.lease_ns = 30 * NS_PER_S;
	reload(&b, &params);
	assert_mono(b.e.lease_deadline, deadline.ns);
	tick(&b);
	assert_int_equal(count(&b, EL_RENEW), 1);
	settle(&b, true);
	assert_mono(b.e.lease_deadline, b.now.ns + 30 * NS_PER_S - MARGIN_MS * MS);
}

/* The renewal on its way asked for the old lease: believe that one, and ask again. */
static void
test_reload_of_the_lease_while_a_renewal_is_on_its_way(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	start_active(&b, params);
	while (b.e.pending == 0)
		next(&b);
	params.lease_ns = 30 * NS_PER_S;
	reload(&b, &params);
	settle(&b, true);
	assert_mono(b.e.lease_deadline, b.now.ns + 3 * NS_PER_S - MARGIN_MS * MS);
	tick(&b);
	assert_int_equal(count(&b, EL_RENEW), 1);
	settle(&b, true);
	assert_mono(b.e.lease_deadline, b.now.ns + 30 * NS_PER_S - MARGIN_MS * MS);
}

static void
test_reload_before_anybody_was_heard_uses_the_new_interval(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	start_backup(&b, params);
	params.interval_ns = 10 * MS;
	reload(&b, &params);
	assert_mono(el_deadline(&b.e), b.now.ns + 36093750);
}

static void
test_stop_is_final(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(255));
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	settle(&b, true);
	assert_true(el_is_quiet(&b.e));
	/* an interface that comes back during the shutdown */
	set_fit(&b, true, REASON_NONE);
	set_fit(&b, false, REASON_CARRIER_LOST);
	set_fit(&b, true, REASON_NONE);
	assert_no_acts(&b);
	hear(&b, LOWER_ADDRESS, 0);
	assert_no_acts(&b);
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_INIT);
	assert_true(mono_is_never(el_deadline(&b.e)));
}

static void
test_stop_right_after_a_switchover_still_resigns(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	switchover(&b);
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, -1);
	assert_false(el_is_quiet(&b.e));
	settle(&b, true);
	assert_sent(&b, 0);
	assert_true(el_is_quiet(&b.e));
}

/* When this node takes over again before its release was done, it has nothing to resign from. */
static void
test_active_again_cancels_the_resignation(void **state)
{
	struct bench b;

	(void)state;
	start_active(&b, params_of(100));
	switchover(&b);
	hear(&b, HIGHER_ADDRESS, 0);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
	settle(&b, true);
	assert_int_equal(count(&b, EL_SEND_ADVERT), 0);
	live(&b, 90 * MS, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_role_names(void **state)
{
	(void)state;
	assert_string_equal(el_role_name(EL_INIT), "init");
	assert_string_equal(el_role_name(EL_BACKUP), "backup");
	assert_string_equal(el_role_name(EL_ACTIVE), "active");
	assert_string_equal(el_role_name(EL_FAULT), "fault");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switchover_resigns_and_holds),
		cmocka_unit_test(test_switchover_lets_the_peer_go_first),
		cmocka_unit_test(test_switchover_of_a_backup_is_refused),
		cmocka_unit_test(test_switchover_cancelled_by_the_peers_resignation),
		cmocka_unit_test(test_preempt_delay_is_waited_for),
		cmocka_unit_test(test_preempt_delay_does_not_delay_a_takeover),
		cmocka_unit_test(test_preempt_delay_starts_over_after_a_better_active),
		cmocka_unit_test(test_preempt_delay_shortened_by_reload_counts),
		cmocka_unit_test(test_woke_late_a_queued_advert_of_the_successor_is_not_answered),
		cmocka_unit_test(test_woke_late_after_the_lease_says_so),
		cmocka_unit_test(test_woke_late_does_not_resign),
		cmocka_unit_test(test_woke_late_backup_listens_once_more),
		cmocka_unit_test(test_woke_late_reload_and_new_addresses_step_down_too),
		cmocka_unit_test(test_resume_goes_on_as_active),
		cmocka_unit_test(test_resume_is_refused_when_patience_or_lease_may_be_over),
		cmocka_unit_test(test_resume_answer_after_the_predecessors_lease_releases),
		cmocka_unit_test(test_reload_changes_no_role_and_misses_no_advert),
		cmocka_unit_test(test_reload_of_the_lease_renews_at_once),
		cmocka_unit_test(test_reload_of_the_lease_while_a_renewal_is_on_its_way),
		cmocka_unit_test(test_reload_before_anybody_was_heard_uses_the_new_interval),
		cmocka_unit_test(test_stop_is_final),
		cmocka_unit_test(test_stop_right_after_a_switchover_still_resigns),
		cmocka_unit_test(test_active_again_cancels_the_resignation),
		cmocka_unit_test(test_role_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
