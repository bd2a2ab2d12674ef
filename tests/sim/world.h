/* Everything there is in one run of the simulator. */
#ifndef TANDEM_SIM_WORLD_H
#define TANDEM_SIM_WORLD_H

#include "attack.h"
#include "checker.h"
#include "events.h"
#include "network.h"
#include "node.h"
#include "scenario.h"

struct world {
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
	uint64_t steps;
	bool trace;
	bool failed;
};

/* Which kind of world a seed is: as the seed says, or one kind only. */
enum worlds { WORLDS_ALL, WORLDS_PLAIN, WORLDS_KEYED };

/* Run one seed; false when an invariant broke (told on stderr). */
bool world_run(struct world *w, uint64_t seed, enum worlds only, bool trace);
/* A line of the trace; the node may be NULL. */
void world_trace(struct world *w, const struct node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An invariant broke. The first one is told, and ends the run. */
void world_fail(struct world *w, const struct node *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
