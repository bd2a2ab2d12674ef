/* Several virtual routers on each node, moving together. See bundle.h. */
#include "bundle.h"

#include <string.h>

bool
bundle_is_grouped(const struct world *w)
{
	return w->bundle->count > 1;
}

int64_t
bundle_interval_ns(const struct bundle *b)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < b->count; i++)
		if (b->lanes[i].scenario.interval_ns > longest)
			longest = b->lanes[i].scenario.interval_ns;
	return longest;
}

struct world *
bundle_draw_lane(struct bundle *b)
{
	return &b->lanes[rng_below(&b->rng, b->count)];
}

bool
bundle_on_one_interface(const struct world *w, const struct world *other)
{
	return w->bundle->interfaces[w->lane] == w->bundle->interfaces[other->lane];
}

/* --- the hands of a group (election_group.c) --- */

static struct bundle_node *
node_of(const struct world *w, const struct node *n)
{
	return &w->bundle->nodes[n->id];
}

static struct node *
member(const struct bundle_node *bn, size_t i)
{
	return &bn->bundle->lanes[i].nodes[bn->id];
}

static struct group_seat *
seat_at(void *whose, size_t i)
{
	struct bundle_node *bn = whose;

	bn->seats[i].election = &member(bn, i)->e;
	return &bn->seats[i];
}

static void
refresh_at(void *whose, size_t i)
{
	struct bundle_node *bn = whose;

	bn->seats[i].fitness = bn->own[i].fitness;
	bn->seats[i].why = bn->own[i].why;
	bn->seats[i].priority = bn->own[i].priority;
}

static void
set_fitness_at(void *whose, size_t i, mono now, enum el_fitness fitness, enum reason why,
	uint8_t priority)
{
	const struct bundle_node *bn = whose;

	(void)now;
	node_set_fitness(&bn->bundle->lanes[i], member(bn, i), fitness, why, priority);
}

static void
perform_at(void *whose, size_t i, mono now, const struct el_acts *acts)
{
	const struct bundle_node *bn = whose;

	(void)now;
	node_ordered(&bn->bundle->lanes[i], member(bn, i), acts);
}

static struct group_hands
hands_of(struct bundle_node *bn)
{
	return (struct group_hands){.whose = bn, .seats = bn->bundle->count, .seat = seat_at,
		.refresh = refresh_at, .set_fitness = set_fitness_at, .perform = perform_at};
}

void
bundle_settle(struct world *w, struct node *n)
{
	struct bundle_node *bn = node_of(w, n);
	struct group_hands hands = hands_of(bn);

	if (!bn->tied || n->life != LIFE_RUNNING || machine_is_stopping(w, n))
		return;
	settle_group(&bn->turn, &hands, node_now(w, n));
}

void
bundle_follow(struct world *w, struct node *n, const struct el_acts *acts)
{
	struct bundle_node *bn = node_of(w, n);
	struct group_hands hands = hands_of(bn);

	if (bn->tied && settle_is_due(&hands, seat_at(bn, w->lane), acts))
		bundle_settle(w, n);
}

void
bundle_pause(struct world *w, const struct node *n)
{
	node_of(w, n)->turn.settling = true;
}

void
bundle_resume(struct world *w, struct node *n)
{
	node_of(w, n)->turn.settling = false;
	bundle_settle(w, n);
}

static void
learn_own(struct bundle_node *bn, size_t i)
{
	bn->own[i].fitness = node_own_fitness(&bn->bundle->lanes[i], member(bn, i), &bn->own[i].why);
}

bool
bundle_peer_is_ready(const struct world *w, const struct node *n)
{
	struct group_hands hands = hands_of(node_of(w, n));

	return settle_peer_is_ready(&hands, node_now(w, n));
}

void
bundle_learn_fitness(struct world *w, struct node *n)
{
	struct bundle_node *bn = node_of(w, n);

	learn_own(bn, w->lane);
	refresh_at(bn, w->lane);
	if (bn->tied)
		bundle_settle(w, n);
	else
		node_set_fitness(w, n, bn->seats[w->lane].fitness, bn->seats[w->lane].why,
			n->params.priority);
}

void
bundle_reconfigure(struct world *w, struct node *n, const struct el_params *params)
{
	struct bundle_node *bn = node_of(w, n);
	struct group_hands hands = hands_of(bn);
	struct el_params p = *params;

	if (n->life == LIFE_HUNG || n->life == LIFE_PAUSED)
		return;
	bn->own[w->lane].priority = p.priority;
	p.own = n->params.own;
	p.grouped = bn->tied;
	if (bn->tied)
		p.priority = settle_priority(&hands);
	bundle_pause(w, n);
	node_reconfigure(w, n, &p);
	bundle_resume(w, n);
}

void
bundle_tie(struct bundle *b, unsigned node)
{
	struct bundle_node *bn = &b->nodes[node];
	struct group_hands hands = hands_of(bn);
	struct node *first = member(bn, 0);

	if (b->count == 1 || bn->tied || first->life == LIFE_HUNG || first->life == LIFE_PAUSED)
		return;
	bn->tied = true;
	bundle_pause(&b->lanes[0], first);
	for (unsigned i = 0; i < b->count; i++) {
		struct el_params p = member(bn, i)->params;

		p.grouped = true;
		p.priority = settle_priority(&hands);
		bn->seats[i].was_active = false;
		node_reconfigure(&b->lanes[i], member(bn, i), &p);
	}
	bundle_resume(&b->lanes[0], first);
}

void
bundle_begin(struct world *w, const struct node *n)
{
	struct bundle_node *bn = node_of(w, n);
	struct group_hands hands = hands_of(bn);
	uint8_t priority = settle_priority(&hands);

	bn->turn = (struct group_turn){.settling = false};
	for (unsigned i = 0; i < w->bundle->count; i++) {
		bn->seats[i].was_active = false;
		bn->seats[i].offered = REASON_NONE;
		member(bn, i)->params.priority = bn->tied ? priority : bn->own[i].priority;
	}
}

void
bundle_begun(struct world *w, const struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		learn_own(node_of(w, n), i);
}

void
bundle_look(struct world *w, struct node *n)
{
	bundle_settle(w, n);
	if (n->life != LIFE_DEAD)
		node_after(w, n, NS_PER_S, EVENT_SETTLE, 0, 0);
}

/* --- the beginning --- */

/* Of a keyed pair: links, rhythm, configuration and the nodes' addresses are those of the nodes. */
static void
join_pair(struct bundle *b, unsigned lane)
{
	struct world *w = &b->lanes[lane], *first = &b->lanes[0];
	bool same_lan = b->interfaces[lane] == b->interfaces[lane - 1];

	w->network.count = first->network.count;
	w->scenario.interval_ns = first->scenario.interval_ns;
	for (unsigned i = 0; i < w->count; i++) {
		w->nodes[i].params.interval_ns = first->nodes[i].params.interval_ns;
		w->nodes[i].pairing.digest = first->nodes[i].pairing.digest;
		if (same_lan)
			w->nodes[i].pairing.knows = b->lanes[lane - 1].nodes[i].pairing.knows;
	}
}

/* The members of a node are mostly alike; addresses may rank the nodes differently on each LAN. */
static void
join_lane(struct bundle *b, unsigned lane)
{
	struct world *w = &b->lanes[lane], *first = &b->lanes[0];
	bool same_interval = rng_chance(&b->rng, 60), alike = rng_chance(&b->rng, 60);

	events_clear(&w->events); /* the first lane's scenario is that of all */
	b->interfaces[lane] = rng_chance(&b->rng, 30) ? b->interfaces[lane - 1] : lane;
	for (unsigned i = 0; i < w->count; i++) {
		struct el_params *p = &w->nodes[i].params;

		w->nodes[i].clock = first->nodes[i].clock;
		if (same_interval)
			p->interval_ns = first->nodes[i].params.interval_ns;
		if (alike)
			p->preempt = first->nodes[i].params.preempt;
		if (rng_chance(&b->rng, 50))
			p->priority = first->nodes[i].params.priority;
	}
	if (w->keyed) {
		join_pair(b, lane);
	} else if (rng_chance(&b->rng, 50)) {
		struct ip_addr own = w->nodes[0].params.own;

		w->nodes[0].params.own = w->nodes[1].params.own;
		w->nodes[1].params.own = own;
	}
}

static void
start_group(struct bundle *b)
{
	bool later = rng_chance(&b->rng, 25);
	int64_t shortest = INT64_MAX;

	for (unsigned i = 0; i < SIM_NODES; i++)
		b->nodes[i].tied = !later;
	for (unsigned lane = 1; lane < b->count; lane++)
		join_lane(b, lane);
	for (unsigned lane = 0; lane < b->count; lane++)
		for (unsigned i = 0; i < b->lanes[0].count; i++) {
			struct el_params *p = &b->lanes[lane].nodes[i].params;

			p->grouped = !later;
			b->nodes[i].own[lane].priority = p->priority;
			if (p->interval_ns < shortest)
				shortest = p->interval_ns;
		}
	for (unsigned lane = 0; lane < b->count; lane++)
		b->lanes[lane].jitter_ns = b->lanes[0].jitter_ns == 0 ? 0 : shortest / 8;
}

static void
start(struct bundle *b, bool keyed, bool trace)
{
	memset(b->nodes, 0, sizeof(b->nodes));
	memset(b->interfaces, 0, sizeof(b->interfaces));
	for (unsigned i = 0; i < SIM_NODES; i++)
		b->nodes[i] = (struct bundle_node){.bundle = b, .id = i, .partly_since = INT64_MAX};
	for (unsigned lane = 0; lane < b->count; lane++) {
		struct world *w = &b->lanes[lane];

		w->bundle = b;
		w->lane = lane;
		/* a stranger to every seed that anybody counts up to */
		world_start(w, b->seed ^ lane * UINT64_C(0x8f1d63c5b72e49a0), keyed, trace);
	}
	if (b->count > 1)
		start_group(b);
	for (unsigned lane = 0; lane < b->count; lane++)
		world_introduce(&b->lanes[lane]);
}

/* --- the run --- */

static struct world *
next_lane(struct bundle *b)
{
	struct world *next = NULL;
	int64_t first = INT64_MAX;

	for (unsigned lane = 0; lane < b->count; lane++) {
		const struct events *e = &b->lanes[lane].events;

		if (e->count > 0 && e->heap[0].at < first) {
			first = e->heap[0].at;
			next = &b->lanes[lane];
		}
	}
	return next;
}

static void
step(struct bundle *b, struct world *w)
{
	struct event event;

	events_next(&w->events, &event);
	for (unsigned lane = 0; lane < b->count; lane++)
		b->lanes[lane].now = event.at;
	world_step(w, &event);
	for (unsigned lane = 0; lane < b->count; lane++)
		checker_step(&b->lanes[lane]);
	if (b->count > 1)
		group_step(b);
}

static bool
has_groups(struct bundle *b, enum worlds only)
{
	bool chance = rng_chance(&b->rng, 20);

	if (only == WORLDS_GROUPS || only == WORLDS_KEYED_GROUPS)
		return true;
	return only != WORLDS_KEYED && chance;
}

bool
bundle_run(struct bundle *b, uint64_t seed, enum worlds only, bool trace)
{
	static const uint64_t steps_max = 2000000;
	struct rng kind = rng_stream(seed, 3);
	bool keyed = only == WORLDS_KEYED || only == WORLDS_KEYED_GROUPS ||
		(only == WORLDS_ALL && rng_chance(&kind, 50));
	struct world *w;

	b->seed = seed;
	b->rng = rng_stream(seed, 5);
	b->failed = false;
	b->steps = 0;
	b->count = 1;
	if (has_groups(b, only))
		b->count = (unsigned)rng_between(&b->rng, 2, SIM_LANES);
	start(b, keyed, trace);
	while (!b->failed && !b->lanes[0].scenario.over && (w = next_lane(b))) {
		step(b, w);
		if (++b->steps > steps_max)
			world_fail(w, NULL, "more than %llu steps", (unsigned long long)steps_max);
	}
	return !b->failed;
}
