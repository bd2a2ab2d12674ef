/*
 * Which life of the peer a keyed node believes (core/pair.c): challenge and answer, restarts of
 * either node, captures, a flood of them.
 */
#include "pair_bench.h"

static void
test_two_that_boot_believe_each_other_after_three_messages(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
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
		assert_true(++rounds < 40);
		for (int i = 0; i < 10000; i++)
			hear(&b, &b.b, SERVICE, &old[i % 8]);
		for (int i = 0; i < 10000; i++)
			hear(&b, &b.a, SERVICE, &old_b[i % 8]);
		tell(&b, &b.a, &b.b);
		wait_ms(&b, 100);
		tell(&b, &b.b, &b.a);
	}
	assert_int_equal(b.b.p.peer_boot, 100);
}

static void
test_what_was_said_before_the_belief_is_said(void **state)
{
	struct bench b;
	struct trailer early[5];

	(void)state;
	start(&b);
	boot(&b.a, 101, 11, b.now);
	for (int i = 0; i < 5; i++)
		early[i] = say(&b, &b.a);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NOT_BELIEVED);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hear(&b, &b.b, SERVICE, &early[i]), REASON_REPLAYED);
		assert_int_equal(hear(&b, &b.b, CROSS, &early[i]), REASON_REPLAYED);
	}
}

static void
test_life_that_was_followed_returns_only_when_it_lives(void **state)
{
	struct bench b;
	struct side other = {0};
	struct trailer old, t;

	(void)state;
	start(&b);
	old = say(&b, &b.a);
	boot(&other, 300, 11, b.now); /* another box under the name of a, for a while */
	assert_int_equal(tell(&b, &b.b, &other), REASON_NOT_BELIEVED);
	assert_int_equal(tell(&b, &other, &b.b), REASON_NONE);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_REPLAYED); /* the other one is alive */
	wait_ms(&b, 400);
	pair_tick(&b.b.p, b.now, &b.b.news);
	assert_true(b.b.news.lost);
	assert_int_equal(hear(&b, &b.b, SERVICE, &old), REASON_REPLAYED);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	t = say(&b, &b.a);
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	assert_true(b.b.news.met && b.b.news.returned);
	assert_int_equal(tell(&b, &other, &b.b), REASON_REPLAYED);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
}

static void
test_peer_restarts_twice(void **state)
{
	struct bench b;
	struct trailer old[2];

	(void)state;
	start(&b);
	for (uint64_t life = 0; life < 2; life++) {
		old[life] = say(&b, &b.a);
		boot(&b.a, 101 + life, 11, b.now);
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NOT_BELIEVED);
		assert_int_equal(tell(&b, &b.b, &b.a), REASON_NOT_BELIEVED);
		assert_true(b.a.news.answer);
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
		assert_true(b.b.news.met && b.b.news.answer);
		assert_false(b.b.news.returned); /* it was not missed */
		assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
		wait_ms(&b, 100);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(hear(&b, &b.b, SERVICE, &old[i]), REASON_REPLAYED);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
}

static void
test_stale_echo_is_no_answer_though_we_said_nothing_since(void **state)
{
	struct bench b;
	struct trailer stale;

	(void)state;
	boot_both(&b);
	tell(&b, &b.a, &b.b);
	stale = say(&b, &b.b);
	wait_ms(&b, 60000);
	assert_int_equal(hear(&b, &b.a, SERVICE, &stale), REASON_NOT_BELIEVED);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NOT_BELIEVED); /* and it goes on from here */
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
}

/* A mark that is made late is made as of the moment when it was due: two moments are the most. */
static void
test_echo_grows_stale_in_two_moments_however_seldom_we_speak(void **state)
{
	struct bench b;
	struct trailer stale;

	(void)state;
	boot_both(&b);
	tell(&b, &b.a, &b.b);
	stale = say(&b, &b.b);
	wait_ms(&b, 1900);
	say(&b, &b.a);
	wait_ms(&b, 150);
	assert_int_equal(hear(&b, &b.a, SERVICE, &stale), REASON_NOT_BELIEVED);
}

static void
test_echo_of_what_was_never_said_is_no_answer(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	boot_both(&b);
	tell(&b, &b.a, &b.b);
	t = say(&b, &b.b);
	t.echo_counter++;
	assert_int_equal(hear(&b, &b.a, SERVICE, &t), REASON_NOT_BELIEVED);
}

static void
test_candidate_seen_before_costs_no_signature(void **state)
{
	struct bench b;
	struct trailer first, second;

	(void)state;
	boot_both(&b);
	first = say(&b, &b.a);
	second = say(&b, &b.a);
	assert_int_equal(pair_screen(&b.b.p, SERVICE, &first), REASON_NONE);
	hear(&b, &b.b, SERVICE, &first);
	assert_int_equal(pair_screen(&b.b.p, SERVICE, &first), REASON_NOT_BELIEVED);
	assert_int_equal(pair_screen(&b.b.p, CROSS, &first), REASON_NOT_BELIEVED);
	assert_int_equal(pair_screen(&b.b.p, SERVICE, &second), REASON_NONE);
}

static unsigned
verified(struct bench *b, unsigned path, uint64_t echo, unsigned sent)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sent; i++) {
		struct trailer t = {.boot = 0x5000000 + i, .counter = 1, .echo_boot = echo,
			.echo_counter = 1};

		n += pair_may_verify(&b->a.p, b->now, path, &t);
	}
	return n;
}

/* Lives made up cost no more than their budget, and what they use up is their own. */
static void
test_flood_of_lives_uses_up_its_own_part(void **state)
{
	struct bench b;
	struct trailer peer;
	unsigned n = 0;

	(void)state;
	start(&b);
	peer = say(&b, &b.b);
	assert_in_range(verified(&b, SERVICE, 0, 5000), 1, 100);
	assert_int_equal(verified(&b, SERVICE, 0, 1), 0);
	assert_int_equal(verified(&b, CROSS, 0, 1), 1);
	assert_int_equal(verified(&b, SERVICE, b.a.p.boot, 1), 1);
	verified(&b, SERVICE, b.a.p.boot, 5000);
	assert_int_equal(verified(&b, SERVICE, b.a.p.boot, 1), 0);
	assert_int_equal(verified(&b, CROSS, b.a.p.boot, 1), 1);
	assert_true(pair_may_verify(&b.a.p, b.now, SERVICE, &peer)); /* believed: always */
	wait_ms(&b, 10);
	assert_int_equal(verified(&b, SERVICE, b.a.p.boot, 1), 1);
	wait_ms(&b, 10);
	for (unsigned ms = 0; ms < 1000; ms++) {
		for (unsigned path = 0; path < PATHS; path++)
			n += verified(&b, path, 0, 100) + verified(&b, path, b.a.p.boot, 100);
		wait_ms(&b, 1);
	}
	assert_in_range(n, PAIR_MACS_A_SECOND * 9 / 10, PAIR_MACS_A_SECOND);
}

static void
test_answers_are_limited(void **state)
{
	struct bench b;
	int answers = 0;

	(void)state;
	boot_both(&b);
	for (int ms = 0; ms < 100; ms++) {
		tell(&b, &b.a, &b.b);
		answers += b.b.news.answer;
		wait_ms(&b, 1);
	}
	assert_int_equal(answers, 4);
}

/* A believed peer that does not hear us, or not yet again, is answered as well. */
static void
test_peer_that_echoes_another_life_is_answered(void **state)
{
	struct bench b;
	struct trailer t;

	(void)state;
	start(&b);
	wait_ms(&b, 100);
	t = say(&b, &b.a);
	t.echo_boot = 199;
	assert_int_equal(hear(&b, &b.b, SERVICE, &t), REASON_NONE);
	assert_true(b.b.news.answer);
	assert_int_equal(hear(&b, &b.b, CROSS, &t), REASON_NONE);
	assert_false(b.b.news.answer);
}

enum { LIVES = 150, MESSAGES = 3, TRIES = 5 };

static void
capture(struct bench *b, struct side *from, uint8_t last, struct trailer old[LIVES][MESSAGES])
{
	for (uint64_t life = 0; life < LIVES; life++) {
		boot(from, 1000 + 7919 * life, last, b->now);
		for (int i = 0; i < MESSAGES; i++)
			old[life][i] = say(b, from);
	}
}

static void
replay(struct bench *b, struct side *to, struct trailer old[LIVES][MESSAGES])
{
	for (int i = 0; i < LIVES * MESSAGES; i++)
		hear(b, to, SERVICE, &old[i % LIVES][i / LIVES]);
}

/* How many messages of each until both believe, all captures being said before and after. */
static int
rounds_until_belief(struct bench *b, struct trailer of_a[LIVES][MESSAGES],
	struct trailer of_b[LIVES][MESSAGES])
{
	int rounds = 0;

	for (; b->a.p.peer_boot != b->b.p.boot || b->b.p.peer_boot != b->a.p.boot; rounds++) {
		assert_true(rounds < 3000);
		replay(b, &b->b, of_a);
		tell(b, &b->a, &b->b);
		replay(b, &b->b, of_a);
		wait_ms(b, 10);
		replay(b, &b->a, of_b);
		tell(b, &b->b, &b->a);
		replay(b, &b->a, of_b);
		wait_ms(b, 10);
	}
	return rounds;
}

/* More lives than there are candidates. */
static void
test_many_captured_lives_delay_belief_and_do_not_prevent_it(void **state)
{
	static struct trailer of_a[LIVES][MESSAGES], of_b[LIVES][MESSAGES];
	struct bench b;
	int rounds = 0;

	(void)state;
	boot_both(&b);
	capture(&b, &b.a, 11, of_a);
	capture(&b, &b.b, 12, of_b);
	for (uint64_t i = 1; i <= TRIES; i++) {
		boot(&b.a, i * UINT64_C(0x123456789abcdef1), 11, b.now);
		boot(&b.b, i * UINT64_C(0xfedcba9876543211), 12, b.now);
		rounds += rounds_until_belief(&b, of_a, of_b);
	}
	assert_in_range(rounds / TRIES, 1, 2 * LIVES);
}

/* A virtual machine that is set back goes on where its peer says that it was. */
static void
test_node_set_back_to_a_snapshot_goes_on(void **state)
{
	struct bench b;
	struct pair snapshot;

	(void)state;
	start(&b);
	snapshot = b.a.p;
	for (int i = 0; i < 600; i++) {
		wait_ms(&b, 100);
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
		assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	}
	b.a.p = snapshot;
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_REPLAYED);
	assert_int_equal(tell(&b, &b.b, &b.a), REASON_NONE);
	assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
}

static void
test_counters_are_wide(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	b.a.p.counter = UINT32_MAX - 3;
	for (int i = 0; i < 8; i++)
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
	b.a.p.counter = UINT64_C(1) << 63;
	for (int i = 0; i < 8; i++)
		assert_int_equal(tell(&b, &b.a, &b.b), REASON_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_that_boot_believe_each_other_after_three_messages),
		cmocka_unit_test(test_earlier_life_is_never_believed_again),
		cmocka_unit_test(test_capture_means_nothing_to_a_node_that_restarted),
		cmocka_unit_test(test_stale_echo_is_no_answer),
		cmocka_unit_test(test_replays_do_not_keep_two_booting_nodes_apart),
		cmocka_unit_test(test_what_was_said_before_the_belief_is_said),
		cmocka_unit_test(test_life_that_was_followed_returns_only_when_it_lives),
		cmocka_unit_test(test_peer_restarts_twice),
		cmocka_unit_test(test_stale_echo_is_no_answer_though_we_said_nothing_since),
		cmocka_unit_test(test_echo_grows_stale_in_two_moments_however_seldom_we_speak),
		cmocka_unit_test(test_echo_of_what_was_never_said_is_no_answer),
		cmocka_unit_test(test_candidate_seen_before_costs_no_signature),
		cmocka_unit_test(test_flood_of_lives_uses_up_its_own_part),
		cmocka_unit_test(test_answers_are_limited),
		cmocka_unit_test(test_peer_that_echoes_another_life_is_answered),
		cmocka_unit_test(test_many_captured_lives_delay_belief_and_do_not_prevent_it),
		cmocka_unit_test(test_node_set_back_to_a_snapshot_goes_on),
		cmocka_unit_test(test_counters_are_wide),
	};

	return cmocka_run_group_tests_name("belief", tests, NULL, NULL);
}
