/* One virtual router on every node, and all that is around it. */
#ifndef TANDEM_SIM_WORLD_H
#define TANDEM_SIM_WORLD_H

#include "attack.h"
#include "checker.h"
#include "events.h"
#include "network.h"
#include "node.h"
#include "scenario.h"

struct bundle;

struct world {
	struct bundle *bundle; /* it is part of */
	unsigned lane;         /* its number there */
	uint64_t seed;
	int64_t now; /* true time */
	struct events events;
	struct network network;
	struct node nodes[SIM_NODES];
	unsigned count;
	bool keyed;  /* two nodes with a key, over several paths; else plain VRRP */
	int64_t jitter_ns; /* how late the daemons' loops may be */
	struct scenario scenario;
	struct checker checker;
	struct attacker attacker;
	bool trace;
};

/* `bundle` and `lane` are set. */
void world_start(struct world *w, uint64_t seed, bool keyed, bool trace);
void world_introduce(struct world *w);
void world_step(struct world *w, const struct event *event);
/* A line of the trace; the node may be NULL. */
void world_trace(struct world *w, const struct node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An invariant broke. The first one is told, and ends the run. */
void world_fail(struct world *w, const struct node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
