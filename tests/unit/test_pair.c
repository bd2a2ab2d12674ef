/* What a keyed pair takes for said already, and over which paths it hears (core/pair.c). */
#include "pair_bench.h"

static void
test_replay_on_the_same_path_is_refused(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_REPLAYED);
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE); /* its own copy */
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_REPLAYED);
}

static void
test_capture_of_one_path_is_no_news_on_another_after_a_moment(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	for (int i = 0; i < 25; i++) {
		wait_ms(&b, 100);
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	}
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_REPLAYED);
	assert_true(mono_is_never(b.b.p.paths[CROSS].heard));
}

static void
test_both_copies_count_after_a_long_silence(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	wait_ms(&b, 60000);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE);
}

static void
test_reordered_messages_are_heard_within_the_window(void **state)
{
	struct bench b;
	struct trailer t[70];

	(void)state;
	start(&b);
	for (int i = 0; i < 70; i++)
		t[i] = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t[69]), REASON_NONE);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t[6]), REASON_NONE);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t[6]), REASON_REPLAYED);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t[5]), REASON_REPLAYED);
	assert_int_equal(b.b.p.peer_counter, t[69].counter);
}

static void
test_own_messages_are_refused(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.b);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_OWN_PACKET);
}

static void
test_peer_is_lost_and_returns(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	b.now = pair_deadline(&b.b.p);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_int_equal(b.b.news.quieted, 1u << SERVICE);
	assert_false(b.b.news.lost);
	b.now = pair_deadline(&b.b.p);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_true(b.b.news.lost);
	assert_false(b.b.p.alive);
	assert_true(mono_is_never(pair_deadline(&b.b.p)));
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_true(b.b.news.returned);
	assert_int_equal(b.b.news.healed, 1u << SERVICE);
}

/* What we said was lost for a while, and we heard the peer all the time: only it can tell. */
static void
test_path_that_the_peer_hears_again(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	assert_int_equal(b.a.news.reached, 0); /* two that have just met */
	for (int i = 0; i < 4; i++) {
		wait_ms(&b, 100);
		t = say(&b, &b.a);
		assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE);
		assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
		assert_int_equal(b.a.news.reached, 0);
	}
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	assert_int_equal(b.a.news.reached, 1u << SERVICE);
	assert_int_equal(b.a.news.healed, 0);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	assert_int_equal(b.a.news.reached, 0);
}

/* A new life of it has not heard us there before: that is news after as long. */
static void
test_peer_that_has_just_begun_was_not_deaf(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	for (int i = 0; i < 4; i++) {
		wait_ms(&b, 100);
		t = say(&b, &b.b);
		t.paths[SERVICE].age_ms = TRAILER_AGE_NEVER;
		assert_int_equal(hear(&b, &b.a, SERVICE, &t), REASON_NONE);
		t = say(&b, &b.b);
		if (i == 0)
			continue;
		t.paths[SERVICE].age_ms = i == 1 || i == 3 ? 10 : TRAILER_AGE_NEVER;
		assert_int_equal(hear(&b, &b.a, SERVICE, &t), REASON_NONE);
		assert_int_equal(b.a.news.reached, 0);
	}
	t = say(&b, &b.b);
	t.paths[SERVICE].age_ms = TRAILER_AGE_NEVER;
	assert_int_equal(hear(&b, &b.a, SERVICE, &t), REASON_NONE);
	wait_ms(&b, 260);
	t = say(&b, &b.b);
	t.paths[SERVICE].age_ms = 10;
	assert_int_equal(hear(&b, &b.a, SERVICE, &t), REASON_NONE);
	assert_int_equal(b.a.news.reached, 1u << SERVICE);
}

static void
test_peer_never_heard_is_told_once(void **state)
{
	struct bench b;

	(void)state;
	boot_both(&b);
	b.now = pair_deadline(&b.a.p);
	pair_tick(&b.a.p, b.now, &b.a.news);
	assert_true(b.a.news.lost);
	assert_true(mono_is_never(pair_deadline(&b.a.p)));
}

static void
test_one_path_quiet_is_not_the_peer(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	for (int i = 0; i < 4; i++) {
		wait_ms(&b, 100);
		t = say(&b, &b.a);
		assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE);
		pair_tick(&b.b.p, b.now, &b.b.news);
		assert_false(b.b.news.lost);
		assert_int_equal(b.b.news.quieted, i == 2 ? 1u << SERVICE : 0);
	}
	assert_true(b.b.p.paths[SERVICE].quiet);
	assert_false(b.b.p.paths[CROSS].quiet);
}

static void
test_one_way_path_is_seen_from_the_side_that_is_heard(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	for (int i = 0; i < 6; i++) { /* b hears a on the service path, a hears b on the link only */
		wait_ms(&b, 100);
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
		t = say(&b, &b.b);
		assert_int_equal(hear(&b, &b.a, CROSS, &t), REASON_NONE);
	}
	assert_false(pair_path_heard_by_peer(&b.b.p, b.now, SERVICE));
	assert_true(pair_path_heard_by_peer(&b.a.p, b.now, SERVICE));
}

static void
test_digest_is_data(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	assert_true(b.b.news.digest_changed); /* news with every new life */
	b.a.p.digest = 6;
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_true(b.b.news.digest_changed);
	assert_int_equal(b.b.p.peer_digest, 6);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_false(b.b.news.digest_changed);
}

static void
test_paths_survive_a_reload(void **state)
{
	struct bench b;
	static const uint32_t fewer[1] = {22}, other[2] = {33, 22};
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE);
	pair_configure(&b.b.p, &b.b.p.self, 100 * MS, 5, other, 2);
	assert_int_equal(pair_path_find(&b.b.p, 22), 1);
	assert_int_equal(hear(&b, &b.b, 1, &t), REASON_REPLAYED);
	assert_true(mono_is_never(b.b.p.paths[0].heard));
	pair_configure(&b.b.p, &b.b.p.self, 100 * MS, 5, fewer, 1);
	assert_int_equal(pair_path_find(&b.b.p, 11), -1);
}

static void
test_refused_message_changes_no_timer(void **state)
{
	struct bench b;
	struct trailer t;
	struct pair before;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	hear(&b, &b.b, SERVICE, &t);
	before = b.b.p;
	wait_ms(&b, 50);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_REPLAYED);
	assert_memory_equal(&before, &b.b.p, sizeof(before));
}

/* What counts as said before is judged by the clock, not by the next message. */
static void
test_capture_is_no_news_on_another_path_after_a_silence(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	wait_ms(&b, 60000);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_REPLAYED);
	assert_false(b.b.p.alive);
	assert_true(mono_is_never(b.b.p.paths[CROSS].heard));
}

/* A copy on a slower path says nothing of now: it does not prolong the peer's life. */
static void
test_capture_is_history_in_two_moments_however_seldom_the_peer_speaks(void **state)
{
	struct bench b;
	struct trailer old;

	(void)state;
	start(&b);
	wait_ms(&b, 1000);
	old = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &old), REASON_NONE);
	wait_ms(&b, 1900);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	wait_ms(&b, 150);
	assert_int_equal(hear(&b, &b.b, CROSS, &old), REASON_REPLAYED);
}

static void
test_copies_do_not_keep_the_peer_alive(void **state)
{
	struct bench b;
	struct trailer t[5];

	(void)state;
	start(&b);
	for (int i = 0; i < 5; i++) {
		t[i] = say(&b, &b.a);
		assert_int_equal(hear(&b, &b.b, SERVICE, &t[i]), REASON_NONE);
	}
	for (int i = 0; i < 5; i++) { /* the node is dead, its messages crawl in over the link */
		wait_ms(&b, 80);
		assert_int_equal(hear(&b, &b.b, CROSS, &t[i]), REASON_NONE);
		assert_int_equal(b.b.p.paths[CROSS].heard.ns, b.now.ns);
		pair_tick(&b.b.p, b.now, &b.b.news);
		assert_int_equal(b.b.p.alive, i < 3);
		assert_int_equal(b.b.news.lost, i == 3);
		assert_false(b.b.news.returned);
	}
}

static void
test_message_tells_the_peer_how_it_is_heard(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	pair_set_carrier(&b.b.p, CROSS, false);
	wait_ms(&b, 42);
	t = say(&b, &b.b);
	assert_int_equal(t.path_count, PATHS);
	assert_int_equal(t.paths[SERVICE].tag, 11);
	assert_int_equal(t.paths[SERVICE].age_ms, 42);
	assert_true(t.paths[SERVICE].carrier);
	assert_int_equal(t.paths[CROSS].age_ms, TRAILER_AGE_NEVER);
	assert_false(t.paths[CROSS].carrier);
	assert_int_equal(t.digest, 5);
	assert_int_equal(t.sender.bytes[3], 12);
	assert_int_equal(t.echo_boot, 100);
	assert_int_equal(t.echo_counter, b.a.p.counter);
	wait_ms(&b, 3600 * 1000);
	t = say(&b, &b.b);
	assert_int_equal(t.paths[SERVICE].age_ms, TRAILER_AGE_MAX);
}

static void
test_path_never_heard_does_not_go_quiet(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	wait_ms(&b, 10000);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_int_equal(b.b.news.quieted, 1u << SERVICE);
	assert_false(b.b.p.paths[CROSS].quiet);
}

/* The peer's interval is the longer one: reloading ours must not make us impatient. */
static void
test_reload_does_not_forget_the_peers_interval(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	t = say(&b, &b.a);
	assert_int_equal(pair_accept(&b.b.p, b.now, SERVICE, &t, 1000 * MS, &b.b.news), REASON_NONE);
	pair_configure(&b.b.p, &b.b.p.self, 50 * MS, 5, tags, PATHS);
	wait_ms(&b, 2900);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_true(b.b.p.alive);
	wait_ms(&b, 100);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_true(b.b.news.lost);
}

static void
test_our_own_change_of_digest_is_news_too(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	pair_configure(&b.b.p, &b.b.p.self, 100 * MS, 6, tags, PATHS);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_true(b.b.news.digest_changed);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_false(b.b.news.digest_changed);
}

static void
test_paths_beyond_the_limit_are_left_out(void **state)
{
	struct bench b;
	uint32_t many[PAIR_PATHS + 3];

	(void)state;
	boot_both(&b);
	for (uint32_t i = 0; i < PAIR_PATHS + 3; i++)
		many[i] = i + 1;
	pair_configure(&b.b.p, &b.b.p.self, 100 * MS, 6, many, PAIR_PATHS + 3);
	assert_int_equal(b.b.p.path_count, PAIR_PATHS);
	assert_int_equal(pair_path_find(&b.b.p, PAIR_PATHS + 1), -1);
	assert_int_equal(say(&b, &b.b).path_count, PAIR_PATHS);
}



int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_on_the_same_path_is_refused),
		cmocka_unit_test(test_capture_of_one_path_is_no_news_on_another_after_a_moment),
		cmocka_unit_test(test_both_copies_count_after_a_long_silence),
		cmocka_unit_test(test_reordered_messages_are_heard_within_the_window),
		cmocka_unit_test(test_own_messages_are_refused),
		cmocka_unit_test(test_peer_is_lost_and_returns),
		cmocka_unit_test(test_path_that_the_peer_hears_again),
		cmocka_unit_test(test_peer_that_has_just_begun_was_not_deaf),
		cmocka_unit_test(test_peer_never_heard_is_told_once),
		cmocka_unit_test(test_one_path_quiet_is_not_the_peer),
		cmocka_unit_test(test_one_way_path_is_seen_from_the_side_that_is_heard),
		cmocka_unit_test(test_digest_is_data),
		cmocka_unit_test(test_paths_survive_a_reload),
		cmocka_unit_test(test_refused_message_changes_no_timer),
		cmocka_unit_test(test_capture_is_no_news_on_another_path_after_a_silence),
		cmocka_unit_test(test_capture_is_history_in_two_moments_however_seldom_the_peer_speaks),
		cmocka_unit_test(test_copies_do_not_keep_the_peer_alive),
		cmocka_unit_test(test_message_tells_the_peer_how_it_is_heard),
		cmocka_unit_test(test_path_never_heard_does_not_go_quiet),
		cmocka_unit_test(test_reload_does_not_forget_the_peers_interval),
		cmocka_unit_test(test_our_own_change_of_digest_is_news_too),
		cmocka_unit_test(test_paths_beyond_the_limit_are_left_out),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
