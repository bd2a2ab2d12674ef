/*
 * What happens to a keyed pair beyond what happens to plain routers: several paths, each with its
 * own cuts and its own noise; machines without power; a node that is cut off from the service LAN
 * and keeps its carrier; impairment; attacks. See scenario.h.
 */
#include "bundle.h"

#include <string.h>

enum { PATH_NONE, PATH_BOTH_WAYS, PATH_ONE_WAY, PATH_NOISE };

struct el_params
keyed_draw_params(struct world *w, unsigned id)
{
	static const int64_t intervals_ms[] = {10, 20, 50, 50, 100, 100, 100, 100, 100, 100, 100, 100,
		100, 200, 200, 1000}; /* short ones take long */
	static const uint8_t lasts[] = {11, 12};
	struct rng *r = &w->scenario.rng;
	struct el_params p = {.keyed = true, .ask = true, .version = 3,
		.own = {IP_V4, {10, 77, 0, lasts[id]}}};

	p.priority = rng_chance(r, 30) ? 100 : (uint8_t)rng_between(r, 1, 254);
	p.preempt = rng_chance(r, 40);
	p.prepare = rng_chance(r, 15);
	p.interval_ns = w->scenario.interval_ns;
	if (p.interval_ns == 0 || rng_chance(r, 10)) /* else the same on both nodes */
		p.interval_ns = intervals_ms[rng_below(r, 16)] * NS_PER_MS;
	if (w->scenario.interval_ns < p.interval_ns)
		w->scenario.interval_ns = p.interval_ns;
	p.preempt_delay_ns = rng_chance(r, 20) ? rng_between(r, 1, 2000) * NS_PER_MS : 0;
	p.lease_ns = (rng_chance(r, 70) ? 5 : rng_between(r, 1, 5)) * NS_PER_S;
	return p;
}

void
keyed_scenario(struct world *w)
{
	struct scenario *s = &w->scenario;

	w->count = 2;
	w->network.count = (unsigned)rng_between(&s->rng, 1, SIM_PATHS);
	w->attacker.rng = rng_stream(w->seed, 4);
	s->episodes = (unsigned)rng_between(&s->rng, 1, 3);
	for (unsigned i = 0; i < w->count; i++) {
		struct node *n = &w->nodes[i];

		node_create(w, i);
		n->params = keyed_draw_params(w, i);
		n->addresses = (unsigned)rng_between(&s->rng, 1, SIM_ADDRESSES);
		n->pairing.digest = rng_chance(&s->rng, 90) ? 77 : 78;
		n->pairing.knows = rng_chance(&s->rng, 70);
		if (rng_chance(&s->rng, 50))
			n->clock.ppm = rng_between(&s->rng, -20, 20) * 1000;
		scenario_plan(w, scenario_some_time(&s->rng, NS_PER_MS, 3 * NS_PER_S), END_CRASH, i, 0);
	}
	w->jitter_ns = rng_chance(&s->rng, 25) ? w->nodes[0].params.interval_ns / 8 : 0;
	if (w->jitter_ns > w->nodes[1].params.interval_ns / 8)
		w->jitter_ns = w->nodes[1].params.interval_ns / 8;
	scenario_plan(w, 3 * NS_PER_S, rng_chance(&s->rng, 50) ? PEACE : EPISODE, 0, 0);
}

/* --- faults --- */

/* One path, or all of them. */
static void
strike_paths(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;
	unsigned only = rng_below(r, w->network.count + 1);
	struct noise noise = {.loss = rng_below(r, 61), .doubled = rng_below(r, 30),
		.corrupt = rng_below(r, 10), .garbage = rng_below(r, 5),
		.delay_ns = rng_chance(r, 50) ? 0
			: scenario_some_time(r, NS_PER_MS, 8 * n->params.interval_ns)};

	for (unsigned path = 0; path < w->network.count; path++) {
		struct wire *wire = &w->network.wires[path];

		if ((only < w->network.count && only != path) ||
			(path == SERVICE && w->scenario.spared))
			continue;
		if (fault == FAULT_NOISE)
			network_set_noise(w, path, &noise);
		else if (fault == FAULT_LOOP)
			wire->loop = true;
		else
			wire->cut[n->id][1 - n->id] = true;
		if (fault == FAULT_CUT)
			wire->cut[1 - n->id][n->id] = true;
		scenario_plan(w, lasts, END_PATH, n->id, path);
		world_trace(w, n, "path %u: fault %d", path, (int)fault);
	}
}

static void
strike_cable(struct world *w, struct node *n, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;
	unsigned path = rng_chance(r, 60) ? SERVICE : rng_below(r, w->network.count);
	int64_t seen = rng_chance(r, 50) ? 5 * NS_PER_MS : rng_between(r, 1, 900) * NS_PER_MS;

	if (path == SERVICE && w->scenario.spared)
		return;
	world_trace(w, n, "cable of path %u is out", path);
	w->network.wires[path].down[n->id] = true;
	node_cable(w, n, path, seen);
	scenario_plan(w, lasts, END_CARRIER, n->id, path);
}

static void
strike_machine(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;
	bool handover = rng_chance(r, 60);

	if (fault == FAULT_POWER) {
		machine_power_off(w, n);
		scenario_plan(w, lasts, END_CRASH, n->id, 0);
		return;
	}
	machine_crash(w, n);
	/* a supervisor is quick; or it removes the addresses; or it is gone, too */
	if (handover)
		lasts = rng_between(r, NS_PER_MS, 4 * n->params.interval_ns);
	else if (rng_chance(r, 50))
		scenario_plan(w, rng_between(r, 1, 20) * NS_PER_MS, WITHDRAWAL, n->id, 0);
	scenario_plan(w, lasts, END_CRASH, n->id, handover);
}

static void
begin_attack(struct world *w, int64_t lasts)
{
	struct scenario *s = &w->scenario;

	s->attack_every_ns = scenario_some_time(&s->rng, 200 * NS_PER_US, 100 * NS_PER_MS);
	world_trace(w, NULL, "attacks every %lld us", (long long)(s->attack_every_ns / NS_PER_US));
	events_add(&w->events, (struct event){.at = w->now, .kind = EVENT_ATTACK});
	scenario_plan(w, lasts, END_ATTACK, 0, 0);
}

/* All routers of a process have one. */
static void
change_configuration(struct world *w, const struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++) {
		struct node *router = &w->bundle->lanes[i].nodes[n->id];

		router->pairing.digest ^= 3;
		if (router->life == LIFE_RUNNING)
			node_pair_configure(router, w->network.count);
	}
}

static void
withdraw(struct world *w, const struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		kernel_remove(&w->bundle->lanes[i].nodes[n->id].kernel, ~0u);
}

bool
keyed_strike(struct world *w, enum fault fault, struct node *n, int64_t lasts)
{
	switch (fault) {
	case FAULT_CUT: case FAULT_CUT_ONE_WAY: case FAULT_NOISE: case FAULT_LOOP:
		strike_paths(w, n, fault, lasts);
		return true;
	case FAULT_CARRIER:
		strike_cable(w, n, lasts);
		return true;
	case FAULT_CRASH: case FAULT_POWER:
		strike_machine(w, n, fault, lasts);
		return true;
	case FAULT_ISOLATE:
		if (w->scenario.spared)
			return true;
		world_trace(w, n, "cut off from the service LAN");
		w->network.wires[SERVICE].isolated[n->id] = true;
		scenario_plan(w, lasts, END_ISOLATE, n->id, 0);
		return true;
	case FAULT_IMPAIR:
		node_set_impaired(w, n, true);
		scenario_plan(w, lasts, END_IMPAIR, n->id, 0);
		return true;
	case FAULT_ATTACK: case FAULT_STRANGER:
		if (w->scenario.attack_every_ns == 0)
			begin_attack(w, lasts);
		return true;
	case FAULT_SQUATTER:
		world_trace(w, NULL, "a stranger answers for the addresses");
		w->network.squatter = true;
		scenario_plan(w, 2 * lasts, END_SQUATTER, 0, 0);
		return true;
	case FAULT_RECONFIGURE:
		if (rng_chance(&w->scenario.rng, 30) && (n->life == LIFE_RUNNING || n->life == LIFE_DEAD))
			change_configuration(w, n);
		return false;
	default:
		return false;
	}
}

void
keyed_end_fault(struct world *w, enum fault end, struct node *n, int64_t argument)
{
	struct wire *wire = &w->network.wires[argument];

	switch (end) {
	case END_PATH:
		network_set_noise(w, (unsigned)argument, NULL);
		memset(wire->cut, 0, sizeof(wire->cut));
		wire->loop = false;
		break;
	case END_CARRIER:
		wire->down[n->id] = false;
		node_cable(w, n, (unsigned)argument, rng_between(&w->scenario.rng, 1, 900) * NS_PER_MS);
		break;
	case END_ISOLATE:
		w->network.wires[SERVICE].isolated[n->id] = false;
		break;
	case END_IMPAIR:
		node_set_impaired(w, n, false);
		break;
	case END_ATTACK:
		w->scenario.attack_every_ns = 0;
		break;
	case END_SQUATTER:
		w->network.squatter = false;
		break;
	case WITHDRAWAL:
		if (machine_is_dead(w, n))
			withdraw(w, n);
		break;
	default:
		break;
	}
}

/* --- peace --- */

void
keyed_peace(struct world *w)
{
	w->checker.must_hold = false;
	for (unsigned i = 0; i < w->count; i++) {
		for (unsigned path = 0; path < w->network.count; path++)
			node_cable(w, &w->nodes[i], path, 0);
		node_set_impaired(w, &w->nodes[i], false);
	}
}

/* Offers come again after 5 s, and are worth 3 s; a dead node's leases take up to 5 s. */
int64_t
keyed_time_to_settle(const struct world *w)
{
	const struct scenario *s = &w->scenario;
	int64_t delay = 0, pool = 0, wait = 0;

	for (unsigned i = 0; i < w->count; i++) {
		const struct el_params *p = &w->nodes[i].params;

		delay = p->preempt_delay_ns > delay ? p->preempt_delay_ns : delay;
		pool = p->prepare ? NS_PER_S : pool;
		if (w->nodes[i].e.offer != REASON_NONE ||
			!mono_is_never(w->nodes[i].e.offer_again) ||
			!mono_is_never(w->nodes[i].e.taking_until) ||
			(w->nodes[i].life == LIFE_DEAD && kernel_held(&w->nodes[i].kernel) > 0))
			wait = 8 * NS_PER_S;
	}
	return (wait + 3 * NS_PER_S + 12 * s->interval_ns + delay + pool) / 20 * 21 + s->trouble_ns;
}

/* --- one thing at a time --- */

enum fault
keyed_polite_fault(struct world *w)
{
	static const enum fault faults[] = {FAULT_SWITCHOVER, FAULT_SWITCHOVER, FAULT_STOP,
		FAULT_UNFIT, FAULT_CRASH, FAULT_HANG, FAULT_POWER, FAULT_CARRIER, FAULT_IMPAIR,
		FAULT_ISOLATE, FAULT_THERE_AND_BACK};

	return faults[rng_below(&w->scenario.rng, 11)];
}

/* Silence, and the questions in its last part, each of which may be late. */
static int64_t
silence_ns(const struct world *w, const struct node *victim, const struct node *other)
{
	int64_t interval = victim->params.interval_ns;

	return 3 * interval + (256 - other->params.priority) * interval / 256 + 4 * w->jitter_ns;
}

static int64_t
longest_lease_ns(const struct world *w)
{
	int64_t a = w->nodes[0].params.lease_ns, b = w->nodes[1].params.lease_ns;

	return a > b ? a : b;
}

/* While the victim's kernel answers: its lease, and a little after it. */
static int64_t
answered_ns(const struct world *w, const struct node *victim)
{
	return victim->params.lease_ns + 400 * NS_PER_MS + 60 * NS_PER_MS + 6 * w->jitter_ns;
}

/* 2.5 intervals until the path is quiet, three rounds of questions, four looks an interval. */
static int64_t
isolation_ns(const struct world *w)
{
	int64_t interval = w->scenario.interval_ns, look = interval / 4;
	int64_t rounds, quiet = interval * 5 / 2 + interval;

	look = look < 5 * NS_PER_MS ? 5 * NS_PER_MS : look;
	rounds = interval * 5 / 2 + look + 3 * (20 * NS_PER_MS + look);
	return (quiet > rounds ? quiet : rounds) + 2 * look + 10 * NS_PER_MS;
}

/* And back just when the new owner announces itself once more: it must not have the last word. */
static int64_t
plan_way_back(struct world *w, const struct node *other)
{
	static const int64_t copies_ms[] = {250, 1000, 2500};
	struct rng *r = &w->scenario.rng;
	unsigned copy = rng_below(r, 2);
	int64_t in_ns;

	if (copies_ms[copy] * NS_PER_MS < 3 * w->scenario.interval_ns)
		copy = 2; /* the former active has to say that it is ready again */
	in_ns = copies_ms[copy] * NS_PER_MS + rng_between(r, -2 * NS_PER_MS, 4 * NS_PER_MS);
	scenario_plan(w, in_ns, FAULT_SWITCHOVER, other->id, 0);
	return in_ns;
}

/* Of one router; INT64_MAX: there may be no takeover. */
static int64_t
takeover_bound(struct world *w, const struct node *victim, enum fault fault)
{
	const struct node *other = &w->nodes[1 - victim->id];
	int64_t at_once = 4 * NS_PER_MS + 4 * NETWORK_DELAY_NS + 2 * w->jitter_ns, bound = at_once;

	if (other->life != LIFE_RUNNING || other->e.role != EL_BACKUP ||
		other->e.fitness != EL_FIT || victim->e.fitness != EL_FIT)
		return INT64_MAX;
	switch (fault) {
	case FAULT_UNFIT: case FAULT_STOP:
		break;
	case FAULT_SWITCHOVER: case FAULT_IMPAIR:
		bound += 5 * NS_PER_MS;
		break;
	case FAULT_THERE_AND_BACK:
		if (other->params.prepare || victim->params.prepare ||
			w->scenario.interval_ns > 500 * NS_PER_MS)
			return INT64_MAX; /* it may take longer than a copy is away */
		bound = 2 * bound + 10 * NS_PER_MS;
		break;
	case FAULT_CARRIER:
		if (w->network.count == 1)
			bound += silence_ns(w, victim, other);
		break;
	case FAULT_ISOLATE:
		if (w->network.count == 1 || !(victim->pairing.knows || other->pairing.knows))
			return INT64_MAX;
		bound += isolation_ns(w);
		break;
	case FAULT_POWER:
		bound += silence_ns(w, victim, other);
		w->network.squatter = rng_chance(&w->scenario.rng, 20);
		if (w->network.squatter) /* no lease is that long */
			bound += longest_lease_ns(w) + 2 * NS_PER_S;
		break;
	case FAULT_HANG: case FAULT_CRASH:
		bound += silence_ns(w, victim, other);
		if (answered_ns(w, victim) > bound)
			bound = answered_ns(w, victim);
		break;
	default:
		return INT64_MAX;
	}
	return bound * 41 / 40;
}

/* All routers of a group: when the slowest can, and the last of them has told the others. */
static int64_t
group_bound(struct world *w, const struct node *victim, enum fault fault)
{
	struct bundle *b = w->bundle;
	int64_t longest = 0, pool = 0;

	for (unsigned i = 0; i < b->count; i++) {
		int64_t bound = takeover_bound(&b->lanes[i], &b->lanes[i].nodes[victim->id], fault);

		longest = bound > longest ? bound : longest;
		if (b->lanes[i].nodes[1 - victim->id].params.prepare)
			pool = 1200 * NS_PER_MS;
	}
	if (longest == INT64_MAX)
		return longest;
	longest += pool;
	if (!bundle_is_grouped(w))
		return longest;
	return longest + 4 * NS_PER_MS + 2 * NETWORK_DELAY_NS + 2 * w->jitter_ns;
}

/* From here on somebody has the addresses of each router, and the LAN believes one who has. */
static void
must_hold(struct bundle *b)
{
	for (unsigned i = 0; i < b->count; i++)
		b->lanes[i].checker.must_hold = true;
}

/* A cable, or a port of the switch: all routers on that interface. */
static void
strike_interface(struct world *w, const struct node *victim, enum fault fault)
{
	struct bundle *b = w->bundle;
	const struct world *lane = bundle_is_grouped(w) ? bundle_draw_lane(b) : w;

	for (unsigned i = 0; i < b->count; i++) {
		struct world *other = &b->lanes[i];

		if (!bundle_on_one_interface(lane, other))
			continue;
		if (fault == FAULT_ISOLATE) {
			other->network.wires[SERVICE].isolated[victim->id] = true;
			continue;
		}
		other->network.wires[SERVICE].down[victim->id] = true;
		node_cable(other, &other->nodes[victim->id], SERVICE, 0);
	}
}

int64_t
keyed_polite(struct world *w, struct node *victim, enum fault fault)
{
	int64_t bound = group_bound(w, victim, fault);
	struct world *lane;

	if (bound == INT64_MAX)
		return bound;
	switch (fault) {
	case FAULT_SWITCHOVER: case FAULT_THERE_AND_BACK:
		must_hold(w->bundle);
		machine_switchover(w, victim);
		break;
	case FAULT_IMPAIR:
		must_hold(w->bundle);
		lane = bundle_is_grouped(w) ? bundle_draw_lane(w->bundle) : w;
		node_set_impaired(lane, &lane->nodes[victim->id], true);
		break;
	case FAULT_UNFIT:
		lane = bundle_is_grouped(w) ? bundle_draw_lane(w->bundle) : w;
		node_set_fit(lane, &lane->nodes[victim->id], false, 0);
		break;
	case FAULT_CARRIER: case FAULT_ISOLATE:
		strike_interface(w, victim, fault);
		break;
	case FAULT_STOP: machine_stop(w, victim); break;
	case FAULT_POWER: machine_power_off(w, victim); break;
	case FAULT_HANG: machine_hang(w, victim); break;
	default: machine_crash(w, victim); break;
	}
	if (fault == FAULT_THERE_AND_BACK)
		bound += plan_way_back(w, &w->nodes[1 - victim->id]) * 41 / 40;
	return bound;
}

void
keyed_judge(struct world *w, struct node *victim, enum fault fault)
{
	const struct node *other = &w->nodes[1 - victim->id];

	w->checker.must_hold = w->network.squatter = false;
	if (other->life == LIFE_RUNNING && kernel_held(&other->kernel) == 0)
		world_fail(w, other, "has not got the addresses in time (fault %d)", (int)fault);
}
