/* The deadline heap against a plain list, over many random moves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/heap.h"

#include <stdlib.h>

enum { NODES = 300, MOVES = 200000 };

static void
test_first_is_always_the_earliest(void **state)
{
	static struct heap_node nodes[NODES];
	static int64_t at[NODES]; /* -1: not in the heap */
	struct heap h = {0};
	size_t in = 0, n, i;
	unsigned move;

	(void)state;
	srand(7);
	assert_true(heap_reserve(&h, NODES));
	for (n = 0; n < NODES; n++)
		at[n] = -1;
	assert_true(mono_is_never(heap_first(&h)));
	for (move = 0; move < MOVES; move++) {
		int64_t least = INT64_MAX;

		n = (size_t)rand() % NODES;
		in -= at[n] != -1;
		at[n] = rand() % 4 == 0 ? -1 : rand() % 1000;
		in += at[n] != -1;
		if (at[n] == -1)
			heap_remove(&h, &nodes[n]);
		else
			heap_put(&h, &nodes[n], (mono){at[n]});
		for (i = 0; i < NODES; i++)
			if (at[i] != -1 && at[i] < least)
				least = at[i];
		assert_int_equal(h.count, in);
		assert_int_equal(heap_first(&h).ns, least);
		assert_int_equal(nodes[n].place == 0, at[n] == -1);
	}
	heap_free(&h);
}

static void
test_drains_in_order(void **state)
{
	static struct heap_node nodes[5000];
	struct heap h = {0};
	int64_t before = -1;
	size_t i;

	(void)state;
	srand(8);
	for (i = 0; i < 5000; i++) {
		assert_true(heap_reserve(&h, i + 1)); /* grows as it fills */
		heap_put(&h, &nodes[i], (mono){rand() % 100000});
	}
	for (i = 0; i < 5000; i++) {
		assert_true(heap_first(&h).ns >= before);
		before = heap_first(&h).ns;
		heap_remove(&h, h.entries[0].node);
	}
	assert_int_equal(h.count, 0);
	heap_remove(&h, &nodes[0]); /* not in it: nothing happens */
	heap_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_is_always_the_earliest),
		cmocka_unit_test(test_drains_in_order),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
