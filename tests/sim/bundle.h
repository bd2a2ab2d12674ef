/*
 * Everything of one seed: a world or, where the nodes have a group of virtual routers, a lane for
 * each router. A lane is a world as it is: the router's network, the kernel's addresses of it, and
 * its checker. What the lanes share is here: time, the machines (machine.c) with their clocks and
 * processes, and the group, for which the shipped core decides (core/settle.h).
 *
 * Lanes on one interface suffer its faults together, and the links of a keyed pair fail for all.
 * The scenario is that of the first lane.
 */
#ifndef TANDEM_SIM_BUNDLE_H
#define TANDEM_SIM_BUNDLE_H

#include "machine.h"
#include "world.h"

#include "core/settle.h"

enum { SIM_LANES = 3 };

/* The group on one machine, as its process sees it. */
struct bundle_node {
	struct bundle *bundle;
	unsigned id;
	bool tied;             /* its routers are a group; some become one by a reload */
	struct group_seat seats[SIM_LANES];
	struct group_turn turn;
	struct {
		enum el_fitness fitness;
		enum reason why;
		uint8_t priority;
	} own[SIM_LANES];      /* of each member, whatever the others are */
	bool was_tied;         /* after the last event */
	unsigned active;       /* routers, after the last event */
	int64_t partly_since;  /* active with some of its routers; INT64_MAX: with all or none */
};

struct bundle {
	uint64_t seed;
	struct rng rng;
	struct world lanes[SIM_LANES];
	unsigned count;        /* one lane: there are no groups */
	unsigned interfaces[SIM_LANES];
	struct bundle_node nodes[SIM_NODES];
	uint64_t steps;
	bool failed;
};

/*
 * Which kind of world a seed is: as the seed says, or one kind only. Plain ones have groups or not;
 * WORLDS_KEYED have none.
 */
enum worlds { WORLDS_ALL, WORLDS_PLAIN, WORLDS_KEYED, WORLDS_GROUPS, WORLDS_KEYED_GROUPS };

/* Run one seed; false when an invariant broke (told on stderr). */
bool bundle_run(struct bundle *b, uint64_t seed, enum worlds only, bool trace);

/* --- for whoever has a lane in hand --- */

bool bundle_is_grouped(const struct world *w);
/* The longest of any router. */
int64_t bundle_interval_ns(const struct bundle *b);
/* A lane to be struck by what strikes one router, or one interface. */
struct world *bundle_draw_lane(struct bundle *b);
bool bundle_on_one_interface(const struct world *w, const struct world *other);
/* Could the peer of a keyed pair take over all that this node would offer it? */
bool bundle_peer_is_ready(const struct world *w, const struct node *n);
/* The process has learnt what this member is of itself. */
void bundle_learn_fitness(struct world *w, struct node *n);
/* As the daemon does after whatever a member did; no-op without a group. */
void bundle_follow(struct world *w, struct node *n, const struct el_acts *acts);
void bundle_settle(struct world *w, struct node *n);
void bundle_pause(struct world *w, const struct node *n);
void bundle_resume(struct world *w, struct node *n);
/* A reload changes one member, which may change all. */
void bundle_reconfigure(struct world *w, struct node *n, const struct el_params *params);
/* A reload makes a group of the node's routers. */
void bundle_tie(struct bundle *b, unsigned node);
/* All members of a process that begins get the priority of the group; ... have begun. */
void bundle_begin(struct world *w, const struct node *n);
void bundle_begun(struct world *w, const struct node *n);
/* EVENT_SETTLE: once a second. */
void bundle_look(struct world *w, struct node *n);

/* checker_group.c; after every event */
void group_step(struct bundle *b);

#endif
