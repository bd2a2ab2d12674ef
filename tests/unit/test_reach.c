/* Questions to hosts: when they are asked, what an answer, silence and our own lateness mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/reach.h"

enum { HOSTS = 100, TICKS_MAX = 10000 };

static const int64_t ms = NS_PER_MS;
static const struct reach_params usual = {.interval_ns = 200 * NS_PER_MS,
	.timeout_ns = 150 * NS_PER_MS, .rise = 2, .fall = 3};

struct bench {
	struct reach_target targets[HOSTS];
	struct reach reach;
	struct reach_acts acts;
	mono now;
	unsigned asked[HOSTS];
	unsigned ticks;
};

static struct bench
bench_of(uint32_t count, const struct reach_params *params, enum health_verdict seed)
{
	struct bench b = {.now = {1000 * NS_PER_S}};

	for (uint32_t i = 0; i < count; i++)
		reach_target_init(&b.targets[i], b.now, params, seed);
	b.reach.count = count;
	return b;
}

/* A copy has moved. */
static struct reach *
of(struct bench *b)
{
	b->reach.targets = b->targets;
	return &b->reach;
}

static void
tick(struct bench *b)
{
	assert_true(++b->ticks < TICKS_MAX); /* or a mistake never ends */
	reach_tick(of(b), b->now, &b->acts);
	for (unsigned i = 0; i < b->acts.count; i++)
		if (b->acts.act[i].kind == REACH_ASK)
			b->asked[b->acts.act[i].target]++;
}

static void
next(struct bench *b)
{
	mono at = reach_deadline(of(b));

	if (mono_before(b->now, at))
		b->now = at;
	tick(b);
}

static const struct reach_act *
told(const struct bench *b)
{
	for (unsigned i = 0; i < b->acts.count; i++)
		if (b->acts.act[i].kind == REACH_TELL)
			return &b->acts.act[i];
	return NULL;
}

static enum health_verdict
verdict(const struct bench *b, unsigned i)
{
	return health_verdict(&b->targets[i].health);
}

/* Asks, and lets it be silent. */
static void
miss(struct bench *b)
{
	unsigned before = b->asked[0];

	while (b->asked[0] == before)
		next(b);
	b->now = b->targets[0].expires;
	tick(b);
}

static void
answer(struct bench *b)
{
	while (mono_is_never(b->targets[0].expires))
		next(b);
	b->now = mono_add_ns(b->now, ms);
	assert_true(reach_answered(of(b), 0));
	tick(b);
}

static void
test_one_answer_makes_it_well(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UNKNOWN);

	(void)state;
	tick(&b);
	assert_int_equal(b.asked[0], 1);
	assert_null(told(&b));
	answer(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_UP);
	answer(&b);
	assert_null(told(&b)); /* once */
}

/* A cold neighbour cache: the node must not begin as one that lost its gateway. */
static void
test_the_first_verdict_needs_fall_misses_to_be_bad(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UNKNOWN);

	(void)state;
	miss(&b);
	miss(&b);
	assert_int_equal(verdict(&b, 0), HEALTH_UNKNOWN);
	assert_null(told(&b));
	miss(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_DOWN);
	assert_int_equal(mono_diff_ns(b.now, (mono){1000 * NS_PER_S}), 2 * 200 * ms + 150 * ms);

	b = bench_of(1, &usual, HEALTH_UNKNOWN);
	miss(&b);
	miss(&b);
	answer(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_UP);
}

static void
test_rise_and_fall_are_of_results_in_a_row(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UP);

	(void)state;
	miss(&b);
	miss(&b);
	answer(&b); /* forgets them */
	miss(&b);
	miss(&b);
	assert_int_equal(verdict(&b, 0), HEALTH_UP);
	miss(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_DOWN);
	answer(&b);
	miss(&b);
	answer(&b);
	assert_int_equal(verdict(&b, 0), HEALTH_DOWN);
	answer(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_UP);
}

static void
test_what_was_known_is_told_once_more_and_is_no_first_verdict(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_DOWN);

	(void)state;
	tick(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_DOWN);
	answer(&b);
	assert_int_equal(verdict(&b, 0), HEALTH_DOWN); /* rise is 2 */
	assert_null(told(&b));
	answer(&b);
	assert_int_equal(told(&b)->verdict, HEALTH_UP);
}

static void
test_only_an_answer_to_an_open_question_counts(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UNKNOWN);

	(void)state;
	assert_false(reach_answered(of(&b), 0)); /* not asked yet */
	tick(&b);
	assert_true(reach_answered(of(&b), 0));
	assert_false(reach_answered(of(&b), 0)); /* a copy */
	b = bench_of(1, &usual, HEALTH_DOWN);
	miss(&b);
	assert_false(reach_answered(of(&b), 0)); /* too late */
	assert_int_equal(verdict(&b, 0), HEALTH_DOWN);
}

/* Held up: the answer may be on its way to us still. */
static void
test_our_own_lateness_voids_silence(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UP);
	int late;

	(void)state;
	for (int i = 0; i < 50; i++) {
		while (mono_is_never(b.targets[0].expires))
			next(&b);
		b.now = mono_add_ns(b.targets[0].expires, (REACH_PATIENCE_MS + 1) * ms);
		tick(&b);
	}
	assert_int_equal(verdict(&b, 0), HEALTH_UP);
	for (late = 0; late < 3; late++) {
		while (mono_is_never(b.targets[0].expires))
			next(&b);
		b.now = mono_add_ns(b.targets[0].expires, REACH_PATIENCE_MS * ms);
		tick(&b);
	}
	assert_int_equal(verdict(&b, 0), HEALTH_DOWN);
}

static void
test_what_could_not_be_asked_says_nothing(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UP);

	(void)state;
	for (int i = 0; i < 10; i++) {
		while (mono_is_never(b.targets[0].expires))
			next(&b);
		reach_void(of(&b), 0);
		b.now = mono_add_ns(b.now, 150 * ms);
		tick(&b);
		assert_null(i > 0 ? told(&b) : NULL);
	}
	assert_int_equal(verdict(&b, 0), HEALTH_UP);
}

static void
test_the_rhythm_is_the_interval_and_a_sleep_is_no_burst(void **state)
{
	struct bench b = bench_of(1, &usual, HEALTH_UNKNOWN);
	mono end = mono_add_ns(b.now, 10 * NS_PER_S);

	(void)state;
	while (mono_before(b.now, end)) {
		next(&b);
		if (!mono_is_never(b.targets[0].expires))
			reach_answered(of(&b), 0);
	}
	assert_in_range(b.asked[0], 50, 51);
	b.now = mono_add_ns(b.now, 3600 * NS_PER_S);
	b.asked[0] = 0;
	end = mono_add_ns(b.now, NS_PER_S);
	while (mono_before(b.now, end)) {
		next(&b);
		if (!mono_is_never(b.targets[0].expires))
			reach_answered(of(&b), 0);
	}
	assert_in_range(b.asked[0], 5, 7);
}

/* Never two questions open, even when an answer may take as long as the interval. */
static void
test_a_long_timeout_is_cut_to_the_interval(void **state)
{
	struct reach_params slow = {.interval_ns = 100 * ms, .timeout_ns = 500 * ms, .rise = 1,
		.fall = 2};
	struct bench b = bench_of(1, &slow, HEALTH_UP);
	mono begin = b.now;

	(void)state;
	while (verdict(&b, 0) == HEALTH_UP)
		next(&b);
	assert_int_equal(mono_diff_ns(b.now, begin), 200 * ms);

	b = bench_of(1, &slow, HEALTH_UP);
	b.now = mono_add_ns(begin, 5 * ms);
	tick(&b);
	b.now = mono_add_ns(begin, 100 * ms); /* the next one is due, and this one is open */
	tick(&b);
	assert_int_equal(b.asked[0], 1);
	b.now = mono_add_ns(begin, 105 * ms);
	tick(&b);
	assert_int_equal(b.asked[0], 2);
}

/* More hosts than one tick has room for: everyone has a turn, and nobody is asked twice. */
static void
test_nobody_waits_for_ever_behind_a_full_list(void **state)
{
	struct bench b = bench_of(HOSTS, &usual, HEALTH_UNKNOWN);
	unsigned ticks = 0;

	(void)state;
	while (mono_due(reach_deadline(of(&b)), b.now) && ticks++ < 20) {
		tick(&b);
		assert_true(b.acts.count <= REACH_ACTS);
	}
	for (unsigned i = 0; i < HOSTS; i++)
		assert_int_equal(b.asked[i], 1);
	assert_in_range(ticks, HOSTS / REACH_ACTS + 1, 4);
}

static void
test_a_host_is_judged_alone(void **state)
{
	struct bench b = bench_of(2, &usual, HEALTH_UNKNOWN);

	(void)state;
	for (int i = 0; i < 20; i++) {
		next(&b);
		reach_answered(of(&b), 1);
	}
	assert_int_equal(verdict(&b, 0), HEALTH_DOWN);
	assert_int_equal(verdict(&b, 1), HEALTH_UP);
}

static void
test_nobody_to_ask_is_never_due(void **state)
{
	struct reach none = {0};
	struct reach_acts acts;

	(void)state;
	assert_true(mono_is_never(reach_deadline(&none)));
	reach_tick(&none, (mono){NS_PER_S}, &acts);
	assert_int_equal(acts.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_answer_makes_it_well),
		cmocka_unit_test(test_the_first_verdict_needs_fall_misses_to_be_bad),
		cmocka_unit_test(test_rise_and_fall_are_of_results_in_a_row),
		cmocka_unit_test(test_what_was_known_is_told_once_more_and_is_no_first_verdict),
		cmocka_unit_test(test_only_an_answer_to_an_open_question_counts),
		cmocka_unit_test(test_our_own_lateness_voids_silence),
		cmocka_unit_test(test_what_could_not_be_asked_says_nothing),
		cmocka_unit_test(test_the_rhythm_is_the_interval_and_a_sleep_is_no_burst),
		cmocka_unit_test(test_a_long_timeout_is_cut_to_the_interval),
		cmocka_unit_test(test_nobody_waits_for_ever_behind_a_full_list),
		cmocka_unit_test(test_a_host_is_judged_alone),
		cmocka_unit_test(test_nobody_to_ask_is_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
