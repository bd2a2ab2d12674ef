/* A binary heap of events. See events.h. */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void
events_add(struct events *e, struct event event)
{
	size_t i = e->count++;

	if (e->count > e->capacity) {
		e->capacity = e->capacity * 2 + 256;
		e->heap = realloc(e->heap, e->capacity * sizeof(e->heap[0]));
		if (!e->heap) {
			perror("sim");
			exit(2);
		}
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

void
events_clear(struct events *e)
{
	e->count = 0;
	e->order = 0;
}

void
events_free(struct events *e)
{
	free(e->heap);
	*e = (struct events){0};
}
