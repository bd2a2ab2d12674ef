/* A binary heap of events, and the packets they carry. See events.h. */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void *
grown(void *memory, size_t bytes)
{
	void *more = realloc(memory, bytes);

	if (more)
		return more;
	perror("sim");
	exit(2);
}

void
events_add(struct events *e, struct event event)
{
	size_t i = e->count++;

	if (e->count > e->capacity) {
		e->capacity = e->capacity * 2 + 256;
		e->heap = grown(e->heap, e->capacity * sizeof(e->heap[0]));
	}
	event.order = e->order++;
	while (i > 0 && earlier(&event, &e->heap[(i - 1) / 2])) {
		e->heap[i] = e->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	e->heap[i] = event;
}

bool
events_next(struct events *e, struct event *out)
{
	struct event last;
	size_t i = 0, child;

	if (e->count == 0)
		return false;
	*out = e->heap[0];
	last = e->heap[--e->count];
	while ((child = 2 * i + 1) < e->count) {
		if (child + 1 < e->count && earlier(&e->heap[child + 1], &e->heap[child]))
			child++;
		if (!earlier(&e->heap[child], &last))
			break;
		e->heap[i] = e->heap[child];
		i = child;
	}
	e->heap[i] = last;
	return true;
}

static void
more_slots(struct events *e)
{
	uint32_t slots = e->slots * 2 + 64;

	e->packets = grown(e->packets, slots * sizeof(e->packets[0]));
	e->spare = grown(e->spare, slots * sizeof(e->spare[0]));
	while (e->slots < slots)
		e->spare[e->spares++] = e->slots++;
}

uint32_t
packet_keep(struct events *e, const struct packet *packet)
{
	struct packet copy = *packet; /* it may be in a slot itself */
	uint32_t slot;

	if (e->spares == 0)
		more_slots(e);
	slot = e->spare[--e->spares];
	e->packets[slot] = copy;
	return slot;
}

struct packet *
packet_at(struct events *e, uint32_t slot)
{
	return &e->packets[slot];
}

void
packet_drop(struct events *e, uint32_t slot)
{
	e->spare[e->spares++] = slot;
}

void
events_clear(struct events *e)
{
	e->count = 0;
	e->order = 0;
	e->spares = 0;
	for (uint32_t i = 0; i < e->slots; i++)
		e->spare[e->spares++] = i;
}

void
events_free(struct events *e)
{
	free(e->heap);
	free(e->packets);
	free(e->spare);
	*e = (struct events){0};
}
