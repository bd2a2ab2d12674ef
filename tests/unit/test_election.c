/*
 * RFC 9568 conformance of the election: one test for each numbered assertion of
 * docs/conformance that an IPv4 router without a virtual MAC can fail. Initialize and Backup,
 * V001..V030; V011, V012 and V016 speak of IPv6 or a virtual MAC. Active: test_election_active.c.
 */
#include "election_bench.h"

/* The table of RFC timers: in ns, multiplied before divided, up to the longest. */
static void
test_timers_of_the_table(void **state)
{
	static const struct {
		int64_t interval_cs;
		uint8_t priority;
		int64_t skew_ns, down_ns;
	} rows[] = {
		{100, 255, 3906250, 3003906250}, {100, 254, 7812500, 3007812500},
		{100, 200, 218750000, 3218750000}, {100, 150, 414062500, 3414062500},
		{100, 100, 609375000, 3609375000}, {10, 200, 21875000, 321875000},
		{10, 100, 60937500, 360937500}, {1, 254, 78125, 30078125},
		{1, 1, 9960937, 39960937}, {300, 100, 1828125000, 10828125000},
		{4095, 1, 40790039062, 163640039062},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t interval_ns = rows[i].interval_cs * 10 * MS;

		assert_int_equal(el_skew_ns(rows[i].priority, interval_ns), rows[i].skew_ns);
		assert_int_equal(el_down_ns(rows[i].priority, interval_ns), rows[i].down_ns);
	}
}

static void
test_skew_falls_with_every_step_of_priority(void **state)
{
	(void)state;
	for (int64_t interval = 10 * MS; interval <= 40950 * MS; interval += 10 * MS)
		for (uint8_t priority = 2; priority != 0; priority++)
			assert_true(el_skew_ns(priority, interval) <
				el_skew_ns((uint8_t)(priority - 1), interval));
}

static void
test_V001_owner_starts_active(void **state)
{
	struct bench b;

	(void)state;
	start_with(&b, params_of(255));
	set_fit(&b, true, REASON_NONE);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	assert_role(&b, EL_INIT, EL_ACTIVE, REASON_OWNER);
	assert_sent(&b, 255);
	assert_mono(b.e.advert_deadline, b.now.ns + 100 * MS);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
}

static void
test_V002_others_start_as_backup_and_send_nothing(void **state)
{
	struct bench b;

	(void)state;
	start_with(&b, params_of(254));
	set_fit(&b, true, REASON_NONE);
	assert_acts(&b, EL_ROLE, -1);
	assert_role(&b, EL_INIT, EL_BACKUP, REASON_STARTED);
	assert_int_equal(b.e.active_interval_ns, 100 * MS);
	assert_mono(el_deadline(&b.e), b.now.ns + 300 * MS + 781250);
}

static void
test_V003_initialize_ignores_adverts(void **state)
{
	struct bench b;
	struct election before;

	(void)state;
	start_with(&b, params_of(100));
	before = b.e;
	for (int priority = 0; priority <= 255; priority++) {
		hear(&b, HIGHER_ADDRESS, (uint8_t)priority);
		assert_no_acts(&b);
	}
	assert_memory_equal(&b.e, &before, sizeof(before));
	assert_true(mono_is_never(el_deadline(&b.e)));
}

static void
test_V004_initialize_has_no_addresses(void **state)
{
	struct bench b;

	(void)state;
	start_with(&b, params_of(255));
	wait_ns(&b, 1000 * NS_PER_S);
	tick(&b);
	assert_no_acts(&b);
	set_fit(&b, false, REASON_INTERFACE_DOWN);
	assert_acts(&b, EL_ROLE, -1);
	assert_role(&b, EL_INIT, EL_FAULT, REASON_INTERFACE_DOWN);
}

static void
test_V005_announcement_waits_for_the_address(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	next(&b);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	for (int i = 0; i < 20; i++) {
		wait_ns(&b, 100 * MS);
		tick(&b);
		assert_acts(&b, EL_SEND_ADVERT, -1);
	}
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
}

/* V010 and V013: what a backup does not have, its kernel neither answers for nor accepts. */
static void
test_V010_V013_backup_never_asks_for_addresses(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	for (int i = 0; i < 1000; i++) {
		hear(&b, LOWER_ADDRESS, 100);
		assert_no_acts(&b);
		wait_ns(&b, 100 * MS);
		tick(&b);
		assert_no_acts(&b);
	}
	assert_true(el_is_quiet(&b.e));
}

static void
test_V014_shutdown_of_a_backup_is_silent(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	b.acts.count = 0;
	el_stop(&b.e, b.now, &b.acts);
	assert_acts(&b, EL_ROLE, -1);
	assert_role(&b, EL_BACKUP, EL_INIT, REASON_STOPPED);
	assert_true(mono_is_never(el_deadline(&b.e)));
	assert_true(el_is_quiet(&b.e));
}

static void
test_V015_silence_makes_active(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	hear(&b, LOWER_ADDRESS, 200);
	wait_ns(&b, 360 * MS + 937499);
	tick(&b);
	assert_no_acts(&b);
	wait_ns(&b, 1);
	tick(&b);
	assert_acts(&b, EL_ROLE, EL_SEND_ADVERT, EL_CLAIM, -1);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
	assert_sent(&b, 100);
	assert_mono(b.e.advert_deadline, b.now.ns + 100 * MS);
	settle(&b, true);
	assert_acts(&b, EL_ANNOUNCE, -1);
	assert_mono(b.e.phases.due, b.now.ns);
	assert_mono(b.e.phases.decided, b.now.ns);
	assert_mono(b.e.phases.claimed, b.now.ns);
	assert_mono(b.e.phases.last_heard, b.now.ns - 360 * MS - 937500);
}

static void
test_V017_priority_zero_sets_skew(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	hear_every(&b, LOWER_ADDRESS, 200, 200 * MS);
	wait_ns(&b, 50 * MS);
	hear_every(&b, LOWER_ADDRESS, 0, 1000 * MS);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(b.e.active_interval_ns, 200 * MS);
	assert_mono(el_deadline(&b.e), b.now.ns + 121875000);
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_RESIGNED);
}

/* Ours: a stream of resignations shortens the wait once and never lengthens it. */
static void
test_V017_a_stream_of_priority_zero_does_not_hold_us_off(void **state)
{
	struct bench b;
	mono due;

	(void)state;
	start_backup(&b, params_of(1));
	hear(&b, LOWER_ADDRESS, 200);
	hear(&b, LOWER_ADDRESS, 0);
	due = el_deadline(&b.e);
	for (int i = 0; i < 90; i++) {
		wait_ns(&b, 1 * MS);
		hear(&b, LOWER_ADDRESS, 0);
		assert_mono(el_deadline(&b.e), due.ns);
	}
}

static void
test_V018_priority_zero_without_preempt(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	params.preempt = false;
	start_backup(&b, params);
	hear(&b, LOWER_ADDRESS, 50);
	hear(&b, LOWER_ADDRESS, 0);
	assert_mono(el_deadline(&b.e), b.now.ns + 60937500);
}

static void
test_V019_higher_priority_is_followed(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	wait_ns(&b, 200 * MS);
	hear_every(&b, LOWER_ADDRESS, 101, 1000 * MS);
	assert_no_acts(&b);
	assert_int_equal(b.e.active_interval_ns, 1000 * MS);
	assert_mono(el_deadline(&b.e), b.now.ns + 3609375000);
}

static void
test_V020_equal_priority_is_followed_whatever_the_address(void **state)
{
	static const char *const sources[] = {LOWER_ADDRESS, HIGHER_ADDRESS};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		start_backup(&b, params_of(100));
		wait_ns(&b, 200 * MS);
		hear_every(&b, sources[i], 100, 50 * MS);
		assert_mono(el_deadline(&b.e), b.now.ns + 180468750);
	}
}

static void
test_V021_lower_priority_does_not_reset_the_timer(void **state)
{
	struct bench b;
	mono due;

	(void)state;
	start_backup(&b, params_of(100));
	due = el_deadline(&b.e);
	for (uint8_t priority = 1; priority < 100; priority++) {
		wait_ns(&b, 1 * MS);
		hear_every(&b, LOWER_ADDRESS, priority, 1000 * MS);
		assert_no_acts(&b);
		assert_mono(el_deadline(&b.e), due.ns);
		assert_int_equal(b.e.active_interval_ns, 100 * MS);
	}
	next(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PREEMPTED_PEER);
}

static void
test_V022_without_preempt_a_lower_active_stays(void **state)
{
	struct bench b;
	struct el_params params = params_of(100);

	(void)state;
	params.preempt = false;
	start_backup(&b, params);
	for (int i = 0; i < 100; i++) {
		wait_ns(&b, 200 * MS);
		tick(&b);
		hear_every(&b, LOWER_ADDRESS, 1, 200 * MS);
		assert_no_acts(&b);
		assert_mono(el_deadline(&b.e), b.now.ns + 721875000);
	}
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_V023_the_owner_always_preempts(void **state)
{
	struct bench b;
	struct el_params params = params_of(255);

	(void)state;
	params.preempt = false;
	params.preempt_delay_ns = 60 * NS_PER_S;
	start_active(&b, params);
	hear(&b, HIGHER_ADDRESS, 255);
	assert_int_equal(b.e.role, EL_BACKUP);
	for (int i = 0; i < 4 && b.e.role == EL_BACKUP; i++) {
		wait_ns(&b, 100 * MS);
		tick(&b);
		hear(&b, HIGHER_ADDRESS, 254);
	}
	assert_int_equal(b.e.role, EL_ACTIVE);
}

static void
test_V024_another_interval_is_adopted(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	for (int64_t interval = 10 * MS; interval <= 40950 * MS; interval += 10 * MS) {
		hear_every(&b, LOWER_ADDRESS, 150, interval);
		assert_int_equal(b.e.active_interval_ns, interval);
		assert_mono(el_deadline(&b.e), b.now.ns + 3 * interval + 156 * interval / 256);
	}
}

/* The price of V024, stated: the longest interval is waited for, no longer. */
static void
test_V025_the_adopted_interval_bounds_the_takeover(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(1));
	hear_every(&b, LOWER_ADDRESS, 150, 40950 * MS);
	assert_mono(el_deadline(&b.e), b.now.ns + INT64_C(163640039062));
}

/* The caller drains its queue before it ticks: the packet that waited keeps the peer alive. */
static void
test_V027_a_packet_handed_over_first_beats_the_due_timer(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	b.now = el_deadline(&b.e);
	hear(&b, LOWER_ADDRESS, 150);
	tick(&b);
	assert_no_acts(&b);
	assert_int_equal(b.e.role, EL_BACKUP);
}

static void
test_V028_reload_never_extends_a_running_timer(void **state)
{
	struct bench b;
	struct el_params params = params_of(1);
	mono due;

	(void)state;
	start_backup(&b, params_of(200));
	hear(&b, LOWER_ADDRESS, 250);
	due = el_deadline(&b.e);
	wait_ns(&b, 100 * MS);
	params.interval_ns = 1000 * MS;
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &params, &b.acts);
	assert_no_acts(&b);
	assert_mono(el_deadline(&b.e), due.ns);
	params.priority = 254;
	start_backup(&b, params_of(1));
	hear(&b, LOWER_ADDRESS, 250);
	el_reconfigure(&b.e, b.now, &params, &b.acts);
	assert_mono(el_deadline(&b.e), b.now.ns + 300 * MS + 781250);
}

static void
test_V029_a_fault_in_backup_leaves_the_election(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, params_of(100));
	set_fit(&b, false, REASON_CARRIER_LOST);
	assert_acts(&b, EL_ROLE, -1);
	assert_role(&b, EL_BACKUP, EL_FAULT, REASON_CARRIER_LOST);
	assert_true(mono_is_never(el_deadline(&b.e)));
	wait_ns(&b, 60 * NS_PER_S);
	hear(&b, LOWER_ADDRESS, 1);
	tick(&b);
	assert_no_acts(&b);
	set_fit(&b, true, REASON_NONE);
	assert_acts(&b, EL_ROLE, -1);
	assert_role(&b, EL_FAULT, EL_BACKUP, REASON_FIT_AGAIN);
	assert_mono(el_deadline(&b.e), b.now.ns + 360937500);
}

static void
test_V030_own_packets_are_never_processed(void **state)
{
	struct bench b;
	mono due;

	(void)state;
	start_backup(&b, params_of(100));
	due = el_deadline(&b.e);
	wait_ns(&b, 50 * MS);
	for (int priority = 0; priority <= 255; priority++)
		hear(&b, OWN_ADDRESS, (uint8_t)priority);
	assert_mono(el_deadline(&b.e), due.ns);
	assert_true(mono_is_never(b.e.last_heard));
	start_active(&b, params_of(100));
	for (int priority = 0; priority <= 255; priority++) {
		hear(&b, OWN_ADDRESS, (uint8_t)priority);
		assert_no_acts(&b);
	}
	assert_int_equal(b.e.role, EL_ACTIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers_of_the_table),
		cmocka_unit_test(test_skew_falls_with_every_step_of_priority),
		cmocka_unit_test(test_V001_owner_starts_active),
		cmocka_unit_test(test_V002_others_start_as_backup_and_send_nothing),
		cmocka_unit_test(test_V003_initialize_ignores_adverts),
		cmocka_unit_test(test_V004_initialize_has_no_addresses),
		cmocka_unit_test(test_V005_announcement_waits_for_the_address),
		cmocka_unit_test(test_V010_V013_backup_never_asks_for_addresses),
		cmocka_unit_test(test_V014_shutdown_of_a_backup_is_silent),
		cmocka_unit_test(test_V015_silence_makes_active),
		cmocka_unit_test(test_V017_priority_zero_sets_skew),
		cmocka_unit_test(test_V017_a_stream_of_priority_zero_does_not_hold_us_off),
		cmocka_unit_test(test_V018_priority_zero_without_preempt),
		cmocka_unit_test(test_V019_higher_priority_is_followed),
		cmocka_unit_test(test_V020_equal_priority_is_followed_whatever_the_address),
		cmocka_unit_test(test_V021_lower_priority_does_not_reset_the_timer),
		cmocka_unit_test(test_V022_without_preempt_a_lower_active_stays),
		cmocka_unit_test(test_V023_the_owner_always_preempts),
		cmocka_unit_test(test_V024_another_interval_is_adopted),
		cmocka_unit_test(test_V025_the_adopted_interval_bounds_the_takeover),
		cmocka_unit_test(test_V027_a_packet_handed_over_first_beats_the_due_timer),
		cmocka_unit_test(test_V028_reload_never_extends_a_running_timer),
		cmocka_unit_test(test_V029_a_fault_in_backup_leaves_the_election),
		cmocka_unit_test(test_V030_own_packets_are_never_processed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
