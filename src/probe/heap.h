/*
 * Deadlines of many owners in one binary heap. A node knows its place, so that moving or removing
 * one costs a few steps whatever their number. Memory is reserved before: putting never fails.
 */
#ifndef TANDEM_PROBE_HEAP_H
#define TANDEM_PROBE_HEAP_H

#include "base/mono.h"

#include <stddef.h>

struct heap_node {
	size_t place; /* in the heap, counted from 1; 0: not in it */
};

struct heap_entry {
	mono at;
	struct heap_node *node;
};

struct heap {
	struct heap_entry *entries; /* entries[0] is the earliest */
	size_t count, capacity;
};

/* Room for this many nodes. False without memory. */
bool heap_reserve(struct heap *h, size_t count);
void heap_free(struct heap *h);
/* Insert the node, or move it to another moment. */
void heap_put(struct heap *h, struct heap_node *node, mono at);
/* Nothing happens when it is not in the heap. */
void heap_remove(struct heap *h, struct heap_node *node);

static inline mono
heap_first(const struct heap *h)
{
	return h->count > 0 ? h->entries[0].at : MONO_NEVER;
}

#endif
