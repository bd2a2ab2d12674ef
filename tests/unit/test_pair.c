/* Belief, replay and paths of a keyed pair (core/pair.c), and the trailer's bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/pair.h"

#include <string.h>

#define MS NS_PER_MS
enum { SERVICE, CROSS, PATHS };

static const uint32_t tags[PATHS] = {11, 22};

struct side {
	struct pair p;
	struct pair_news news;
};

/* Two nodes; time is shared. */
struct bench {
	struct side a, b;
	mono now;
};

static void
boot(struct side *s, uint64_t id, uint8_t last, mono now)
{
	struct ip_addr self = {IP_V4, {10, 77, 0, last}};

	pair_init(&s->p, id, &self, 100 * MS, now);
	pair_configure(&s->p, &self, 100 * MS, 5, tags, PATHS);
}

static void
boot_both(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->now = (mono){1000 * NS_PER_S};
	boot(&b->a, 100, 11, b->now);
	boot(&b->b, 200, 12, b->now);
}

static struct trailer
say(struct bench *b, struct side *from)
{
	struct trailer t = {.key_id = 1};

	pair_fill(&from->p, b->now, &t);
	return t;
}

static enum reason
hear(struct bench *b, struct side *to, unsigned path, const struct trailer *t)
{
	return pair_accept(&to->p, b->now, path, t, 100 * MS, &to->news);
}

static enum reason
tell(struct bench *b, struct side *from, struct side *to)
{
	struct trailer t = say(b, from);
	enum reason why = hear(b, to, SERVICE, &t);

	return why;
}

static void
wait_ms(struct bench *b, int64_t ms)
{
	b->now = mono_add_ns(b->now, ms * MS);
}

/* Both believe each other. */
static void
start(struct bench *b)
{
	boot_both(b);
	assert_int_equal(tell(b, &b->a, &b->b), REASON_NOT_BELIEVED);
	assert_true(b->b.news.answer);
	assert_int_equal(tell(b, &b->b, &b->a), REASON_NONE);
	assert_true(b->a.news.met);
	assert_true(b->a.news.answer);
	assert_int_equal(tell(b, &b->a, &b->b), REASON_NONE);
	assert_true(b->b.news.met);
	assert_true(b->a.p.alive && b->b.p.alive);
}

static void
test_two_that_boot_believe_each_other_after_three_messages(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
}

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
test_earlier_life_is_never_believed_again(void **state)
{
	struct bench b;
	struct trailer old[3];

	(void)state;
	start(&b);
	for (int i = 0; i < 3; i++)
		old[i] = say(&b, &b.a); /* captured, never delivered */
	boot(&b.a, 101, 11, b.now);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NOT_BELIEVED);
	wait_ms(&b, 30);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NOT_BELIEVED);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	assert_true(b.b.news.met);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	for (int i = 0; i < 3; i++)
		assert_int_equal(hear(&b, &b.b, SERVICE, &old[i]), REASON_REPLAYED);
	assert_int_equal(b.b.p.peer_boot, 101);
}

static void
test_capture_means_nothing_to_a_node_that_restarted(void **state)
{
	struct bench b;
	struct trailer old;

	(void)state;
	start(&b);
	old = say(&b, &b.a);
	boot(&b.b, 201, 12, b.now);
	assert_int_equal(hear(&b, &b.b, SERVICE, &old), REASON_NOT_BELIEVED);
	assert_false(b.b.p.alive);
	assert_int_equal(b.b.news.healed, 0);
}

static void
test_stale_echo_is_no_answer(void **state)
{
	struct bench b;
	struct trailer stale;

	(void)state;
	boot_both(&b);
	tell(&b, &b.a, &b.b);
	stale = say(&b, &b.b); /* echoes a, kept by somebody */
	for (int i = 0; i < 25; i++) {
		wait_ms(&b, 100);
		say(&b, &b.a);
	}
	assert_int_equal(hear(&b, &b.a, SERVICE, &stale), REASON_NOT_BELIEVED);
	assert_int_equal(b.a.p.peer_boot, 0);
}

static void
test_replays_do_not_keep_two_booting_nodes_apart(void **state)
{
	struct bench b;
	struct trailer old[8], old_b[8];
	int rounds = 0;

	(void)state;
	boot_both(&b);
	for (uint64_t life = 0; life < 8; life++) {
		boot(&b.a, 1000 + life, 11, b.now);
		old[life] = say(&b, &b.a);
		boot(&b.b, 2000 + life, 12, b.now);
		old_b[life] = say(&b, &b.b);
	}
	boot(&b.a, 100, 11, b.now);
	boot(&b.b, 200, 12, b.now);
	while (b.b.p.peer_boot != 100 || b.a.p.peer_boot != 200) {
		struct trailer t = say(&b, &b.a);

		assert_true(++rounds < 40);
		hear(&b, &b.b, SERVICE, &t);
		for (int i = 0; i < 10000; i++)
			hear(&b, &b.b, SERVICE, &old[i % 8]);
		wait_ms(&b, 100);
		tell(&b, &b.b, &b.a);
		for (int i = 0; i < 10000; i++)
			hear(&b, &b.a, SERVICE, &old_b[i % 8]);
	}
	assert_int_equal(b.b.p.peer_boot, 100);
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

static void
test_trailer_goes_round(void **state)
{
	struct trailer t = {.key_id = 3, .boot = 0x0102030405060708, .counter = 9, .echo_boot = 10,
		.echo_counter = 11, .role = 2, .priority = 150, .fitness = 1, .flags = 0x6655,
		.healthy = 12, .digest = 0xdeadbeef, .router_tag = 13,
		.sender = {IP_V4, {10, 77, 0, 11}}, .path_count = 2,
		.paths = {{1, 2, true}, {3, TRAILER_AGE_NEVER, false}}}, got;
	uint8_t bytes[TRAILER_MAX];
	size_t n = trailer_encode(&t, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(n, TRAILER_FIXED + 2 * TRAILER_PATH + TRAILER_MAC);
	assert_int_equal(trailer_encode(&t, bytes, n - 1), 0);
	assert_int_equal(trailer_encode(&t, bytes, n), n);
	assert_int_equal(trailer_decode(bytes, n, &got), REASON_NONE);
	assert_memory_equal(&t, &got, sizeof(t));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(trailer_decode(bytes, i, &got), REASON_BAD_TRAILER);
	assert_int_equal(trailer_tag("eth0") == trailer_tag("eth1"), 0);
}

static void
test_trailer_out_of_range_is_refused(void **state)
{
	struct trailer good = {.key_id = 1, .boot = 1, .counter = 1, .sender = {IP_V4, {1}}}, got;
	static const size_t bad_at[] = {0, 4, 5, 7, 40, 42, 43, 56};
	uint8_t bytes[TRAILER_MAX];
	size_t n = trailer_encode(&good, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(trailer_decode(bytes, n, &got), REASON_NONE);
	for (size_t i = 0; i < sizeof(bad_at) / sizeof(bad_at[0]); i++) {
		uint8_t saved = bytes[bad_at[i]];

		bytes[bad_at[i]] = bad_at[i] == 5 ? 0 : 99;
		assert_int_equal(trailer_decode(bytes, n, &got), REASON_BAD_TRAILER);
		bytes[bad_at[i]] = saved;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_that_boot_believe_each_other_after_three_messages),
		cmocka_unit_test(test_replay_on_the_same_path_is_refused),
		cmocka_unit_test(test_capture_of_one_path_is_no_news_on_another_after_a_moment),
		cmocka_unit_test(test_both_copies_count_after_a_long_silence),
		cmocka_unit_test(test_reordered_messages_are_heard_within_the_window),
		cmocka_unit_test(test_earlier_life_is_never_believed_again),
		cmocka_unit_test(test_capture_means_nothing_to_a_node_that_restarted),
		cmocka_unit_test(test_stale_echo_is_no_answer),
		cmocka_unit_test(test_replays_do_not_keep_two_booting_nodes_apart),
		cmocka_unit_test(test_own_messages_are_refused),
		cmocka_unit_test(test_peer_is_lost_and_returns),
		cmocka_unit_test(test_peer_never_heard_is_told_once),
		cmocka_unit_test(test_one_path_quiet_is_not_the_peer),
		cmocka_unit_test(test_one_way_path_is_seen_from_the_side_that_is_heard),
		cmocka_unit_test(test_digest_is_data),
		cmocka_unit_test(test_paths_survive_a_reload),
		cmocka_unit_test(test_refused_message_changes_no_timer),
		cmocka_unit_test(test_trailer_goes_round),
		cmocka_unit_test(test_trailer_out_of_range_is_refused),
	};

	return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
