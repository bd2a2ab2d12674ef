/*
 * What will happen: a heap ordered by time and, at the same time, by the order of asking, so that
 * a run is the same on every machine.
 */
#ifndef TANDEM_SIM_EVENTS_H
#define TANDEM_SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_PACKET = 208 }; /* IP header, three addresses, a trailer of four paths */

enum event_kind {
	EVENT_TICK,     /* a node's deadline */
	EVENT_PACKET,   /* arrives at a node: `packet` */
	EVENT_HANDS,    /* a node's kernel has done the job in hand */
	EVENT_LAPSE,    /* a node's kernel looks at its leases */
	EVENT_NOTICE,   /* a node is told that an address is gone */
	EVENT_PREPARED, /* a node's pool is ready */
	EVENT_EXIT,     /* a node's shutdown has taken long enough */
	EVENT_FITNESS,  /* a node learns whether it is fit (a) */
	EVENT_PAIR,     /* a node looks who of the pair has gone quiet */
	EVENT_LOOK,     /* a node looks at its service path */
	EVENT_ASKED,    /* a node's kernel is asked for the addresses, by node a */
	EVENT_FRAME,    /* an ARP frame arrives at a node: a is an enum frame */
	EVENT_CABLE,    /* a node learns of the carrier of path a (b: has it) */
	EVENT_SETTLE,   /* a node's process looks at its group */
	EVENT_STRANGER, /* a foreign router sends */
	EVENT_ATTACK,   /* somebody sends what he has captured or invented */
	EVENT_FAULT,    /* the scenario strikes: a is the fault, b its argument */
};

/* A frame on its way. */
struct packet {
	int64_t sent_at;  /* by a node, for the first time */
	uint8_t from;     /* that node; SIM_NODES: somebody else */
	uint8_t path;
	uint8_t length;   /* of bytes */
	bool corrupt;     /* flipped bits, or made up: must be refused */
	bool replayed;    /* a capture that somebody sent */
	uint8_t bytes[SIM_PACKET];
};

struct event {
	int64_t at;
	uint64_t order;
	enum event_kind kind;
	uint8_t node;
	uint32_t incarnation;  /* of the node; another one is another process */
	uint32_t packet;       /* EVENT_PACKET: a slot, held until packet_drop() */
	int64_t a, b;
};

struct events {
	struct event *heap;
	size_t count, capacity;
	uint64_t order;
	struct packet *packets;
	uint32_t *spare;       /* slots that are not in use */
	uint32_t slots, spares;
};

void events_add(struct events *e, struct event event);
/* False when there is none. */
bool events_next(struct events *e, struct event *out);
/* A slot with a copy of the packet. */
uint32_t packet_keep(struct events *e, const struct packet *packet);
/* Pointers are good until the next packet_keep(). */
struct packet *packet_at(struct events *e, uint32_t slot);
void packet_drop(struct events *e, uint32_t slot);
void events_clear(struct events *e);
void events_free(struct events *e);

#endif
