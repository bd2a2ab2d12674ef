/*
 * The deadline heap. See heap.h. Four children a node: half as deep as with two, and what makes a
 * move dear is not comparing neighbours but telling each node its new place.
 */
#include "probe/heap.h"

#include <assert.h>
#include <stdlib.h>

enum { CHILDREN_OF_ONE = 4 };

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

static size_t
parent(size_t i)
{
	return (i - 1) / CHILDREN_OF_ONE;
}

/* The earliest of i's children; not one of the heap when it has none. */
static size_t
first_child(const struct heap *h, size_t i)
{
	size_t first = CHILDREN_OF_ONE * i + 1, end = first + CHILDREN_OF_ONE, other;

	if (end > h->count)
		end = h->count;
	for (other = first + 1; other < end; other++)
		if (mono_before(h->entries[other].at, h->entries[first].at))
			first = other;
	return first;
}

static void
heap_sift_up(struct heap *h, size_t i, struct heap_entry entry)
{
	while (i > 0 && mono_before(entry.at, h->entries[parent(i)].at)) {
		heap_store(h, i, h->entries[parent(i)]);
		i = parent(i);
	}
	heap_store(h, i, entry);
}

static void
heap_sift_down(struct heap *h, size_t i, struct heap_entry entry)
{
	for (;;) {
		size_t child = first_child(h, i);

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
	if (i > 0 && mono_before(entry.at, h->entries[parent(i)].at))
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
