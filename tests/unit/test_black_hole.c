/* Who takes connections and answers none. */
#include "core/black_hole.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct bench {
	struct black_hole hole;
	struct black_hole_counts counts;
	int64_t ms;
};

static struct bench
bench_new(void)
{
	struct bench b = {.hole = BLACK_HOLE_NONE, .counts = {1000, 5000, 4000}};

	return b;
}

/* After so long there are so many connections more, packets in and packets out. */
static bool
later(struct bench *b, int64_t ms, uint64_t connections, uint64_t in, uint64_t out)
{
	b->ms += ms;
	b->counts.connections += connections;
	b->counts.in_packets += in;
	b->counts.out_packets += out;
	return black_hole_take(&b->hole, (mono){1000 * NS_PER_S + b->ms * NS_PER_MS}, &b->counts);
}

static void
nothing_back_is_a_black_hole(void **state)
{
	struct bench b = bench_new();

	(void)state;
	assert_false(later(&b, 0, 0, 0, 0));
	assert_false(later(&b, 1000, 10, 12, 0));
	assert_false(later(&b, 1000, 9, 20, 0));
	assert_false(b.hole.is);
	assert_true(later(&b, 1000, 1, 1, 0));
	assert_true(b.hole.is);
	assert_false(later(&b, 1000, 5, 5, 0));
	assert_true(b.hole.is);
}

static void
it_takes_its_time(void **state)
{
	struct bench b = bench_new();

	(void)state;
	later(&b, 0, 0, 0, 0);
	assert_false(later(&b, 2999, 5000, 5000, 0));
	assert_true(later(&b, 1, 0, 0, 0));
}

/* One more connection each time: begins with exactly enough, at any number of packets back not. */
static void
the_edges(void **state)
{
	(void)state;
	for (uint64_t connections = 0; connections < 40; connections++)
		for (uint64_t in = 0; in < 40; in++)
			for (uint64_t out = 0; out < 3; out++) {
				struct bench b = bench_new();

				later(&b, 0, 0, 0, 0);
				assert_int_equal(later(&b, 5000, connections, in, out),
					connections >= 20 && in >= 20 && out == 0);
			}
}

static void
the_first_answer_ends_it(void **state)
{
	struct bench b = bench_new();

	(void)state;
	later(&b, 0, 0, 0, 0);
	assert_true(later(&b, 5000, 30, 30, 0));
	assert_false(later(&b, 60000, 0, 0, 0)); /* nobody asks: it stays one */
	assert_true(b.hole.is);
	assert_true(later(&b, 500, 1, 3, 1));
	assert_false(b.hole.is);
	/* and the next begins from there */
	assert_false(later(&b, 4000, 19, 19, 0));
	assert_true(later(&b, 500, 1, 1, 0));
}

/* Who answers anything is none, however much more comes in. */
static void
a_slow_server_is_none(void **state)
{
	struct bench b = bench_new();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		later(&b, 500, 100, 300, i % 4 == 0);
		assert_false(b.hole.is);
	}
}

/* A connection a while, long ago and now: the window is over before there are enough. */
static void
few_connections_say_nothing(void **state)
{
	struct bench b = bench_new();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		later(&b, 2000, 1, 1, 0);
		assert_false(b.hole.is);
	}
}

static void
counters_that_begin_anew(void **state)
{
	struct bench b = bench_new();

	(void)state;
	later(&b, 0, 0, 0, 0);
	b.counts = (struct black_hole_counts){0, 0, 0};
	assert_false(later(&b, 5000, 0, 0, 0));
	assert_false(later(&b, 1000, 19, 19, 0));
	assert_false(b.hole.is);
	assert_true(later(&b, 2000, 1, 1, 0));
	b.hole = BLACK_HOLE_NONE; /* one that has never answered */
	assert_false(later(&b, 0, 0, 0, 0));
	b.counts = (struct black_hole_counts){1, 1, 0};
	assert_false(later(&b, 5000, 0, 0, 0));
	assert_false(b.hole.is);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_back_is_a_black_hole),
		cmocka_unit_test(it_takes_its_time),
		cmocka_unit_test(the_edges),
		cmocka_unit_test(the_first_answer_ends_it),
		cmocka_unit_test(a_slow_server_is_none),
		cmocka_unit_test(few_connections_say_nothing),
		cmocka_unit_test(counters_that_begin_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
