/*
 * What will happen: a heap ordered by time and, at the same time, by the order of asking, so that
 * a run is the same on every machine.
 */
#ifndef TANDEM_SIM_EVENTS_H
#define TANDEM_SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_PACKET = 48 };

enum event_kind {
	EVENT_TICK,     /* a node's deadline */
	EVENT_PACKET,   /* arrives at a node */
	EVENT_HANDS,    /* a node's kernel has done the job in hand */
	EVENT_LAPSE,    /* a node's kernel looks at its leases */
	EVENT_NOTICE,   /* a node is told that an address is gone */
	EVENT_PREPARED, /* a node's pool is ready */
	EVENT_EXIT,     /* a node's shutdown has taken long enough */
	EVENT_FITNESS,  /* a node learns whether it is fit (a) */
	EVENT_STRANGER, /* a foreign router sends */
	EVENT_FAULT,    /* the scenario strikes: a is the fault, b its argument */
};

struct event {
	int64_t at;
	uint64_t order;
	enum event_kind kind;
	uint8_t node;
	uint8_t length;        /* of bytes */
	bool corrupt;          /* a packet with flipped bits: must be refused */
	uint32_t incarnation;  /* of the node; another one is another process */
	int64_t a, b;
	uint8_t bytes[SIM_PACKET];
};

struct events {
	struct event *heap;
	size_t count, capacity;
	uint64_t order;
};

void events_add(struct events *e, struct event event);
/* False when there is none. */
bool events_next(struct events *e, struct event *out);
void events_clear(struct events *e);
void events_free(struct events *e);

#endif
