/* The way to a thread and back: what goes in comes back once, and nothing is lost at the end. */
#include "linux/thread_channel.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* Only root may have the kernel hold as many as a worker may have under way. */
static size_t
many(void)
{
	return geteuid() == 0 ? 4096 : 200;
}

struct keeper {
	struct thread_channel channel;
	int gate[2];        /* the thread begins when its end is closed */
	uint32_t told;      /* words, added up */
	void *kept;         /* the latest item stays with the thread until the next one comes */
};

static void
keep(void *argument)
{
	struct keeper *k = argument;
	struct thread_order order;
	char byte;

	if (read(k->gate[0], &byte, 1) != 0)
		return;
	while (thread_channel_next(&k->channel, true, &order) == THREAD_ORDER) {
		if (!order.item) {
			k->told += order.word;
			continue;
		}
		if (k->kept)
			thread_channel_give_back(&k->channel, k->kept);
		k->kept = order.item;
	}
	if (k->kept)
		thread_channel_give_back(&k->channel, k->kept);
}

static void
start(struct keeper *k, size_t limit)
{
	*k = (struct keeper){.told = 0};
	assert_int_equal(pipe(k->gate), 0);
	assert_int_equal(thread_channel_start(&k->channel, limit, keep, k), 0);
}

static void
open_gate(struct keeper *k)
{
	close(k->gate[1]);
}

static void
stop(struct keeper *k)
{
	thread_channel_stop(&k->channel);
	close(k->gate[0]);
}

static void *
item(int number)
{
	int *at = malloc(sizeof(*at));

	assert_non_null(at);
	*at = number;
	return at;
}

/* All that may be under way fit in while the thread does not look, and no more; they come back in order. */
static void
test_as_many_as_the_limit(void **state)
{
	int limit = (int)many();
	void *more = item(0);
	struct keeper k;

	(void)state;
	start(&k, many());
	assert_null(thread_channel_wait(&k.channel)); /* nothing is under way */
	for (int i = 0; i < limit; i++)
		assert_true(thread_channel_give(&k.channel, item(i)));
	assert_false(thread_channel_give(&k.channel, more));
	assert_null(thread_channel_take(&k.channel));
	open_gate(&k);
	for (int i = 0; i < limit - 1; i++) {
		int *back = thread_channel_wait(&k.channel);

		assert_non_null(back);
		assert_int_equal(*back, i);
		free(back);
	}
	assert_true(thread_channel_give(&k.channel, more));
	free(thread_channel_wait(&k.channel));
	stop(&k); /* frees the one that the thread kept */
}

static void
test_the_loop_is_woken(void **state)
{
	struct keeper k;
	struct pollfd p;

	(void)state;
	start(&k, 2);
	open_gate(&k);
	p = (struct pollfd){.fd = thread_channel_fd(&k.channel), .events = POLLIN};
	assert_true(thread_channel_give(&k.channel, item(1)));
	assert_int_equal(poll(&p, 1, 20), 0);
	assert_true(thread_channel_give(&k.channel, item(2)));
	assert_int_equal(poll(&p, 1, 5000), 1);
	free(thread_channel_take(&k.channel));
	assert_null(thread_channel_take(&k.channel));
	stop(&k);
}

/* A word takes no place among the items, and nothing comes back of it. */
static void
test_words(void **state)
{
	struct keeper k;

	(void)state;
	start(&k, 1);
	assert_true(thread_channel_give(&k.channel, item(1)));
	assert_true(thread_channel_tell(&k.channel, 40));
	assert_true(thread_channel_tell(&k.channel, 2));
	open_gate(&k);
	stop(&k);
	assert_int_equal(k.told, 42);
}

/* What was given before the end is done, and freed: a leak checker looks on. */
static void
test_the_end_with_work_left(void **state)
{
	int limit = (int)many();
	struct keeper k;

	(void)state;
	start(&k, many());
	for (int i = 0; i < limit; i++)
		assert_true(thread_channel_give(&k.channel, item(i)));
	open_gate(&k);
	stop(&k);
	assert_int_equal(k.channel.under_way, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_as_the_limit),
		cmocka_unit_test(test_the_loop_is_woken),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_the_end_with_work_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
