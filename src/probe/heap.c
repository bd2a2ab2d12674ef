/* The deadline heap. See heap.h. */
#include "probe/heap.h"

#include <assert.h>
#include <stdlib.h>

bool
heap_reserve(struct heap *h, size_t count)
{
	size_t capacity = h->capacity == 0 ? 64 : h->capacity;
	struct heap_entry *grown;

	if (count <= h->capacity)
		return true;
	while (capacity < count)
		capacity *= 2;
	grown = realloc(h->entries, capacity * sizeof(*grown));
	if (grown == NULL)
		return false;
	h->entries = grown;
	h->capacity = capacity;
	return true;
}

void
heap_free(struct heap *h)
{
	free(h->entries);
	*h = (struct heap){0};
}

static void
heap_store(struct heap *h, size_t i, struct heap_entry entry)
{
	h->entries[i] = entry;
	entry.node->place = i + 1;
}

static void
heap_sift_up(struct heap *h, size_t i, struct heap_entry entry)
{
	while (i > 0 && mono_before(entry.at, h->entries[(i - 1) / 2].at)) {
		heap_store(h, i, h->entries[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_store(h, i, entry);
}

static void
heap_sift_down(struct heap *h, size_t i, struct heap_entry entry)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < h->count &&
		    mono_before(h->entries[child + 1].at, h->entries[child].at))
			child++;
		if (child >= h->count || !mono_before(h->entries[child].at, entry.at))
			break;
		heap_store(h, i, h->entries[child]);
		i = child;
	}
	heap_store(h, i, entry);
}

/* Puts the entry where it belongs, starting at the free place i. */
static void
heap_settle(struct heap *h, size_t i, struct heap_entry entry)
{
	if (i > 0 && mono_before(entry.at, h->entries[(i - 1) / 2].at))
		heap_sift_up(h, i, entry);
	else
		heap_sift_down(h, i, entry);
}

void
heap_put(struct heap *h, struct heap_node *node, mono at)
{
	struct heap_entry entry = {at, node};

	if (node->place != 0) {
		heap_settle(h, node->place - 1, entry);
		return;
	}
	assert(h->count < h->capacity);
	h->count++;
	heap_sift_up(h, h->count - 1, entry);
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
	size_t i = node->place;

	if (i == 0)
		return;
	node->place = 0;
	h->count--;
	if (i - 1 < h->count)
		heap_settle(h, i - 1, h->entries[h->count]);
}
