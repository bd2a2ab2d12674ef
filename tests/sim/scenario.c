/* Faults and peace. See scenario.h. */
#include "bundle.h"

#include <string.h>

static const int64_t release_patience_ns = 100 * NS_PER_MS;

void
scenario_plan(struct world *w, int64_t in_ns, int fault, unsigned node, int64_t argument)
{
	events_add(&w->events, (struct event){.at = w->now + in_ns, .kind = EVENT_FAULT,
		.node = (uint8_t)node, .incarnation = w->scenario.epoch, .a = fault, .b = argument});
}

int64_t
scenario_some_time(struct rng *r, int64_t low, int64_t high)
{
	int64_t top = low;

	while (top < high && rng_chance(r, 70))
		top *= 2;
	return rng_between(r, low, top < high ? top : high);
}

static struct el_params
draw_params(struct world *w, unsigned id)
{
	static const int64_t intervals_ms[] = {10, 20, 50, 100, 100, 100, 200, 1000};
	static const uint8_t lasts[] = {11, 200, 127};
	struct rng *r = &w->scenario.rng;
	struct el_params p = {.own = {IP_V4, {10, 77, (uint8_t)(id == 2), lasts[id]}}};

	p.priority = rng_chance(r, 20) ? 100 : (uint8_t)rng_between(r, 1, 254);
	p.preempt = rng_chance(r, 50);
	p.prepare = rng_chance(r, 20);
	p.interval_ns = w->scenario.interval_ns;
	if (p.interval_ns == 0 || rng_chance(r, 10))
		p.interval_ns = intervals_ms[rng_below(r, 8)] * NS_PER_MS;
	if (w->scenario.interval_ns < p.interval_ns)
		w->scenario.interval_ns = p.interval_ns;
	p.preempt_delay_ns = rng_chance(r, 30) ? rng_between(r, 1, 3000) * NS_PER_MS : 0;
	p.lease_ns = rng_between(r, 1, 5) * NS_PER_S;
	return p;
}

void
scenario_start(struct world *w)
{
	struct scenario *s = &w->scenario;

	*s = (struct scenario){.rng = rng_stream(w->seed, 1)};
	if (w->keyed) {
		keyed_scenario(w);
		return;
	}
	w->count = rng_chance(&s->rng, 75) ? 2 : 3;
	if (w->lane > 0)
		w->count = w->bundle->lanes[0].count;
	s->episodes = (unsigned)rng_between(&s->rng, 1, 4);
	for (unsigned i = 0; i < w->count; i++) {
		struct node *n = &w->nodes[i];

		node_create(w, i);
		n->params = draw_params(w, i);
		n->addresses = (unsigned)rng_between(&s->rng, 1, SIM_ADDRESSES);
		if (rng_chance(&s->rng, 50))
			n->clock.ppm = rng_between(&s->rng, -20, 20) * 1000;
		scenario_plan(w, scenario_some_time(&s->rng, NS_PER_MS, 3 * NS_PER_S), END_CRASH, i,
			0);
	}
	if (rng_chance(&s->rng, 10))
		w->nodes[rng_below(&s->rng, w->count)].params.priority = 255;
	w->jitter_ns = rng_chance(&s->rng, 25) ? w->nodes[0].params.interval_ns / 8 : 0;
	for (unsigned i = 1; i < w->count; i++)
		if (w->jitter_ns > w->nodes[i].params.interval_ns / 8)
			w->jitter_ns = w->nodes[i].params.interval_ns / 8;
	scenario_plan(w, 3 * NS_PER_S, rng_chance(&s->rng, 50) ? PEACE : EPISODE, 0, 0);
}

/* --- faults --- */

static void
strike_life(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;

	if (fault == FAULT_STOP) {
		machine_stop(w, n);
		scenario_plan(w, lasts + 600 * NS_PER_MS, END_CRASH, n->id, 0);
	} else if (fault == FAULT_CRASH) {
		bool handover = rng_chance(r, 60);

		machine_crash(w, n);
		/* a supervisor is quick; whole machines are not */
		if (handover)
			lasts = rng_between(r, NS_PER_MS, 4 * n->params.interval_ns);
		scenario_plan(w, lasts, END_CRASH, n->id, handover);
	} else {
		if (fault == FAULT_HANG)
			machine_hang(w, n);
		else
			machine_pause(w, n, rng_chance(r, 50));
		scenario_plan(w, lasts, END_HANG, n->id, 0);
	}
}

static void
strike_fitness(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;
	int64_t seen = rng_chance(r, 50) ? 5 * NS_PER_MS : rng_between(r, 1, 900) * NS_PER_MS;

	if (fault == FAULT_CARRIER)
		w->network.wires[SERVICE].down[n->id] = true;
	node_set_fit(w, n, false, fault == FAULT_CARRIER ? seen : 0);
	scenario_plan(w, lasts, fault == FAULT_CARRIER ? END_CARRIER : END_UNFIT, n->id, 0);
}

static void
strike_network(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;
	unsigned other = (n->id + 1 + rng_below(r, w->count - 1)) % w->count;
	struct noise noise = {.loss = rng_below(r, 61), .doubled = rng_below(r, 30),
		.corrupt = rng_below(r, 10), .garbage = rng_below(r, 5),
		.delay_ns = rng_chance(r, 50) ? 0
			: scenario_some_time(r, NS_PER_MS, 8 * n->params.interval_ns)};

	switch (fault) {
	case FAULT_NOISE:
		network_set_noise(w, SERVICE, &noise);
		scenario_plan(w, lasts, END_NOISE, 0, 0);
		break;
	case FAULT_LOOP:
		w->network.wires[SERVICE].loop = true;
		scenario_plan(w, lasts, END_LOOP, 0, 0);
		break;
	default:
		w->network.wires[SERVICE].cut[n->id][other] = true;
		w->network.wires[SERVICE].cut[other][n->id] |= fault == FAULT_CUT;
		scenario_plan(w, lasts, END_CUT, n->id, other);
	}
}

/* A full queue for a moment, or a firewall's rule for longer: on one path, or on all. */
static void
strike_sends(struct world *w, struct node *n, int64_t lasts)
{
	unsigned only = rng_below(&w->scenario.rng, w->network.count + 1);

	for (unsigned path = 0; path < w->network.count; path++) {
		if ((only < w->network.count && only != path) ||
			(path == SERVICE && w->scenario.spared))
			continue;
		world_trace(w, n, "path %u: sending is refused", path);
		w->network.wires[path].refuses[n->id] = true;
		scenario_plan(w, lasts, END_REFUSAL, n->id, path);
	}
}

static void
strike_kernel(struct world *w, struct node *n, enum fault fault, int64_t lasts)
{
	struct rng *r = &w->scenario.rng;

	w->scenario.trouble_ns = 20 * NS_PER_S; /* retries, slow requests, leases */
	if (fault == FAULT_KERNEL) {
		n->kernel.mood = (enum kernel_mood)rng_between(r, 1, KERNEL_MOODS - 1);
		world_trace(w, n, "kernel mood %d", (int)n->kernel.mood);
		if (rng_chance(r, 60)) /* leases are long */
			lasts = rng_between(r, 0, 8 * NS_PER_S);
		scenario_plan(w, lasts, END_KERNEL, n->id, 0);
	} else {
		node_lose_addresses(w, n, 1 + rng_below(r, 7));
		if (rng_chance(r, 60))
			scenario_plan(w, scenario_some_time(r, NS_PER_MS, 5 * NS_PER_S),
				MORE_REMOVAL, n->id, 0);
	}
}

static void
strike_config(struct world *w, struct node *n, enum fault fault)
{
	struct rng *r = &w->scenario.rng;
	struct el_params p;

	if (fault == FAULT_ADDRESSES) {
		node_new_addresses(w, n, (unsigned)rng_between(r, 1, SIM_ADDRESSES));
		return;
	}
	p = w->keyed ? keyed_draw_params(w, n->id) : draw_params(w, n->id);
	/* mostly one thing changes */
	if (rng_chance(r, 60)) {
		struct el_params was = n->params;

		switch (rng_below(r, 4)) {
		case 0: was.priority = p.priority; break;
		case 1: was.preempt = p.preempt; break;
		case 2: was.lease_ns = p.lease_ns; break;
		default: was.preempt_delay_ns = p.preempt_delay_ns; break;
		}
		p = was;
	}
	if (w->jitter_ns > p.interval_ns / 8 || (w->keyed && bundle_is_grouped(w)))
		p.interval_ns = n->params.interval_ns;
	if (bundle_is_grouped(w))
		bundle_reconfigure(w, n, &p);
	else
		node_reconfigure(w, n, &p);
}

static void
strike_stranger(struct world *w, int64_t lasts)
{
	struct scenario *s = &w->scenario;

	s->stranger_every_ns = rng_chance(&s->rng, 50) ? rng_between(&s->rng, 1, 20) * NS_PER_MS
						       : s->interval_ns;
	s->stranger_priority = rng_chance(&s->rng, 30) ? 0 : (uint8_t)rng_between(&s->rng, 1, 255);
	s->stranger_address = rng_chance(&s->rng, 50) ? 1 : 254;
	world_trace(w, NULL, "a stranger of priority %u every %lld ms", s->stranger_priority,
		(long long)(s->stranger_every_ns / NS_PER_MS));
	events_add(&w->events, (struct event){.at = w->now, .kind = EVENT_STRANGER});
	scenario_plan(w, lasts, END_STRANGER, 0, 0);
}

static void
strike_router(struct world *w, enum fault fault, struct node *n)
{
	int64_t lasts = scenario_some_time(&w->scenario.rng, n->params.interval_ns / 4,
		8 * NS_PER_S);

	if (w->keyed && keyed_strike(w, fault, n, lasts))
		return;
	switch (fault) {
	case FAULT_CRASH: case FAULT_HANG: case FAULT_PAUSE: case FAULT_STOP:
		strike_life(w, n, fault, lasts);
		break;
	case FAULT_CARRIER: case FAULT_UNFIT:
		strike_fitness(w, n, fault, lasts);
		break;
	case FAULT_CUT: case FAULT_CUT_ONE_WAY: case FAULT_NOISE: case FAULT_LOOP:
		strike_network(w, n, fault, lasts);
		break;
	case FAULT_REMOVAL: case FAULT_KERNEL:
		strike_kernel(w, n, fault, lasts);
		break;
	case FAULT_RECONFIGURE: case FAULT_ADDRESSES:
		strike_config(w, n, fault);
		break;
	case FAULT_SWITCHOVER:
		machine_switchover(w, n);
		break;
	case FAULT_STRANGER:
		strike_stranger(w, lasts);
		break;
	case FAULT_REFUSAL:
		strike_sends(w, n, lasts);
		break;
	case FAULT_POOL:
		n->pool_answers = false;
		scenario_plan(w, lasts, END_POOL, n->id, 0);
		break;
	default:
		break;
	}
}

static bool
is_of_an_interface(enum fault fault)
{
	return fault == FAULT_CARRIER || fault == FAULT_CUT || fault == FAULT_CUT_ONE_WAY ||
		fault == FAULT_NOISE || fault == FAULT_LOOP || fault == FAULT_REFUSAL ||
		fault == FAULT_ISOLATE;
}

static bool
is_of_the_process(enum fault fault)
{
	return fault == FAULT_CRASH || fault == FAULT_HANG || fault == FAULT_PAUSE ||
		fault == FAULT_STOP || fault == FAULT_SWITCHOVER || fault == FAULT_POWER;
}

/* One router of the group, all on one interface, all by a link of a keyed pair, or the machine. */
static void
strike(struct world *w, enum fault fault, struct node *n)
{
	struct bundle *b = w->bundle;
	struct world *lane;
	struct rng rng;

	if (!bundle_is_grouped(w) || is_of_the_process(fault)) {
		strike_router(w, fault, n);
		return;
	}
	lane = bundle_draw_lane(b);
	rng = lane->scenario.rng; /* for all of an interface it is the same fault */
	for (unsigned i = 0; i < b->count; i++) {
		struct world *other = &b->lanes[i];
		bool same_lan = bundle_on_one_interface(lane, other);

		if (i != lane->lane && (!is_of_an_interface(fault) || (!same_lan && !w->keyed)))
			continue;
		other->scenario.rng = rng;
		other->scenario.spared = !same_lan;
		strike_router(other, fault, &other->nodes[n->id]);
		other->scenario.spared = false;
	}
}

static void
end_fault(struct world *w, enum fault end, struct node *n, int64_t argument)
{
	struct wire *net = &w->network.wires[SERVICE];

	switch (end) {
	case END_CRASH: machine_boot(w, n, argument != 0); break;
	case END_HANG: machine_wake(w, n); break;
	case END_CARRIER:
		net->down[n->id] = false;
		node_set_fit(w, n, true, rng_between(&w->scenario.rng, 1, 900) * NS_PER_MS);
		break;
	case END_UNFIT: node_set_fit(w, n, true, 0); break;
	case END_CUT: net->cut[n->id][argument] = net->cut[argument][n->id] = false; break;
	case END_NOISE: network_set_noise(w, SERVICE, NULL); break;
	case END_KERNEL: n->kernel.mood = KERNEL_WELL; break;
	case END_STRANGER: w->scenario.stranger_every_ns = 0; break;
	case END_LOOP: net->loop = false; break;
	case END_REFUSAL: w->network.wires[argument].refuses[n->id] = false; break;
	case END_POOL: n->pool_answers = true; break;
	case MORE_REMOVAL: strike_kernel(w, n, FAULT_REMOVAL, 0); break;
	default: keyed_end_fault(w, end, n, argument); break;
	}
}

/* --- the frame --- */

static void
nothing_is_settled(struct world *w)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		w->bundle->lanes[i].checker.settled_at = INT64_MAX;
}

static void
begin_episode(struct world *w)
{
	struct scenario *s = &w->scenario;
	unsigned strikes = (unsigned)rng_between(&s->rng, 1, 4);
	unsigned faults = w->keyed ? (unsigned)KEYED_FAULTS : (unsigned)FAULTS;
	int64_t until = 0;

	nothing_is_settled(w);
	while (strikes-- > 0) {
		int64_t at = scenario_some_time(&s->rng, NS_PER_MS, 2 * NS_PER_S);
		unsigned victim = rng_below(&s->rng, w->count);

		/* who is active matters most */
		for (unsigned i = 0; i < w->count; i++)
			if (w->nodes[i].e.role == EL_ACTIVE && rng_chance(&s->rng, 50))
				victim = i;
		scenario_plan(w, at, (int)rng_below(&s->rng, faults), victim, 0);
		until = at > until ? at : until;
	}
	for (unsigned i = 0; i < w->count && bundle_is_grouped(w); i++)
		if (rng_chance(&w->bundle->rng, 50))
			scenario_plan(w, rng_between(&w->bundle->rng, 0, 2 * NS_PER_S), TIE, i, 0);
	until += rng_chance(&s->rng, 70) ? scenario_some_time(&s->rng, 10 * NS_PER_MS, 5 * NS_PER_S)
					 : rng_between(&s->rng, 0, 8 * NS_PER_S);
	s->episodes--;
	scenario_plan(w, until, s->episodes == 0 || rng_chance(&s->rng, 60) ? PEACE : EPISODE, 0, 0);
}

/* How long until everything must be in order, all faults being over now. */
static int64_t
time_to_settle(const struct world *w)
{
	const struct scenario *s = &w->scenario;
	int64_t delay = 0, pool = 0;

	for (unsigned i = 0; i < w->count; i++) {
		const struct el_params *p = &w->nodes[i].params;

		delay = p->preempt_delay_ns > delay ? p->preempt_delay_ns : delay;
		pool = p->prepare ? NS_PER_S : pool;
	}
	/* carrier news, a process's exit, two rounds of patience, clocks that are slow */
	return (NS_PER_S + 10 * s->interval_ns + delay + pool) / 20 * 21 + s->trouble_ns;
}

/* The slowest router's time; and two looks, a round of patience, and the longest delay again. */
static int64_t
time_to_settle_a_group(const struct bundle *b)
{
	int64_t longest = 0;

	for (unsigned i = 0; i < b->count; i++) {
		int64_t ns = b->lanes[i].keyed ? keyed_time_to_settle(&b->lanes[i])
					       : time_to_settle(&b->lanes[i]);

		longest = ns > longest ? ns : longest;
	}
	return b->count == 1 ? longest : longest + 2 * NS_PER_S + 6 * bundle_interval_ns(b);
}

static void
bring_peace(struct world *w, unsigned absent)
{
	struct scenario *s = &w->scenario;

	s->epoch++; /* what was still planned does not happen */
	s->stranger_every_ns = s->attack_every_ns = 0;
	network_heal(w);
	for (unsigned i = 0; i < w->count; i++) {
		struct node *n = &w->nodes[i];

		n->kernel.mood = KERNEL_WELL;
		n->pool_answers = true;
		machine_wake(w, n);
		if (i == absent)
			machine_crash(w, n);
		else if (w->lane == 0 && (machine_is_dead(w, n) || n->stopping))
			scenario_plan(w, n->stopping ? 600 * NS_PER_MS : 0, END_CRASH, i, 0);
		node_set_fit(w, n, true, 0);
	}
}

/* All faults end; one node may stay away. */
static void
begin_peace(struct world *w)
{
	struct scenario *s = &w->scenario;
	struct bundle *b = w->bundle;
	unsigned absent = rng_chance(&s->rng, 15) ? rng_below(&s->rng, w->count) : SIM_NODES;
	int64_t settle;

	world_trace(w, NULL, "peace");
	for (unsigned i = 0; i < b->count; i++)
		bring_peace(&b->lanes[i], absent);
	for (unsigned i = 0; i < w->count; i++)
		bundle_tie(b, i);
	for (unsigned i = 0; i < b->count && w->keyed; i++)
		keyed_peace(&b->lanes[i]);
	settle = time_to_settle_a_group(b);
	for (unsigned i = 0; i < b->count; i++) {
		b->lanes[i].checker.settled_at = w->now + settle;
		b->lanes[i].checker.changes = 0;
	}
	scenario_plan(w, settle + 4 * s->interval_ns + 100 * NS_PER_MS, POLITE, 0, 0);
}

static void
go_on(struct world *w, int64_t in_ns)
{
	scenario_plan(w, in_ns, w->scenario.episodes > 0 ? EPISODE : THE_END, 0, 0);
}

/* How soon the first of the others takes over, by the formulas of RFC 9568 6.1. */
static int64_t
takeover_bound(const struct world *w, unsigned victim, bool resigns)
{
	int64_t soonest = INT64_MAX;

	for (unsigned i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];
		int64_t interval = w->nodes[victim].params.interval_ns;
		int64_t bound = (256 - n->params.priority) * interval / 256;

		if (i == victim || n->life != LIFE_RUNNING || n->e.role != EL_BACKUP)
			continue;
		bound += resigns ? 0 : 3 * interval;
		soonest = bound < soonest ? bound : soonest;
	}
	if (soonest == INT64_MAX)
		return soonest;
	/* two requests in the kernel, the wire, late loops, slow clocks */
	return soonest + soonest / 40 + 4 * NS_PER_MS + NETWORK_DELAY_NS + 2 * w->jitter_ns;
}

/*
 * Two of the others would take over at the same moment, and the addresses of one LAN prefer the
 * one, those of another LAN the other: both give way, and it takes a round more.
 */
static bool
is_a_draw(const struct bundle *b, unsigned victim)
{
	unsigned one = (victim + 1) % SIM_NODES, two = (victim + 2) % SIM_NODES;
	bool first = false, second = false;

	for (unsigned i = 0; i < b->count; i++) {
		const struct el_params *p = &b->lanes[i].nodes[one].params;
		const struct el_params *q = &b->lanes[i].nodes[two].params;

		if (b->lanes[i].count < SIM_NODES || p->priority != q->priority)
			return false;
		if (ip_addr_compare(&p->own, &q->own) > 0)
			first = true;
		else
			second = true;
	}
	return first && second;
}

/* All routers of a group: when the slowest can. */
static int64_t
group_bound(const struct world *w, unsigned victim, bool resigns)
{
	const struct bundle *b = w->bundle;
	int64_t longest = 0;

	if (is_a_draw(b, victim))
		return INT64_MAX;
	for (unsigned i = 0; i < b->count; i++) {
		int64_t bound = takeover_bound(&b->lanes[i], victim, resigns);

		longest = bound > longest ? bound : longest;
	}
	return longest;
}

/* Of one router's addresses, when it has a group. */
static void
lose_fitness(struct world *w, unsigned victim)
{
	struct world *lane = bundle_is_grouped(w) ? bundle_draw_lane(w->bundle) : w;

	node_set_fit(lane, &lane->nodes[victim], false, 0);
}

/* All is well, and one thing happens to the active: who takes over, and when? */
static void
begin_polite(struct world *w)
{
	static const enum fault faults[] = {
		FAULT_SWITCHOVER, FAULT_STOP, FAULT_UNFIT, FAULT_CRASH, FAULT_HANG};
	struct rng *r = &w->scenario.rng;
	enum fault fault = w->keyed ? keyed_polite_fault(w) : faults[rng_below(r, 5)];
	unsigned victim = 0;
	int64_t bound;

	for (unsigned i = 0; i < w->bundle->count; i++)
		w->bundle->lanes[i].scenario.trouble_ns = 0; /* settled */
	while (victim < w->count && (w->nodes[victim].life != LIFE_RUNNING ||
		w->nodes[victim].e.role != EL_ACTIVE))
		victim++;
	bound = victim == w->count || w->keyed ? INT64_MAX :
		group_bound(w, victim, fault != FAULT_CRASH && fault != FAULT_HANG);
	if (w->keyed && victim < w->count && rng_chance(r, 80)) {
		nothing_is_settled(w);
		bound = keyed_polite(w, &w->nodes[victim], fault);
		if (bound != INT64_MAX && fault == FAULT_THERE_AND_BACK)
			scenario_plan(w, bound, JUDGEMENT, 1 - victim, FAULT_SWITCHOVER);
		else if (bound != INT64_MAX)
			scenario_plan(w, bound, JUDGEMENT, victim, fault);
		if (bound != INT64_MAX)
			return;
	}
	if (bound == INT64_MAX || rng_chance(r, 30)) {
		go_on(w, 0);
		return;
	}
	nothing_is_settled(w);
	if (rng_chance(r, 25)) { /* a slow release must not hold the others off for long */
		w->nodes[victim].kernel.mood = KERNEL_SLUGGISH;
		w->scenario.trouble_ns = NS_PER_S;
		bound += release_patience_ns;
	}
	switch (fault) {
	case FAULT_SWITCHOVER: machine_switchover(w, &w->nodes[victim]); break;
	case FAULT_UNFIT: lose_fitness(w, victim); break;
	case FAULT_STOP: machine_stop(w, &w->nodes[victim]); break;
	case FAULT_HANG: machine_hang(w, &w->nodes[victim]); break;
	default: machine_crash(w, &w->nodes[victim]); break;
	}
	scenario_plan(w, bound, JUDGEMENT, victim, fault);
}

static void
judge_router(struct world *w, unsigned victim, enum fault fault)
{
	struct node *n = &w->nodes[victim];
	unsigned active = 0;

	for (unsigned i = 0; i < w->count; i++)
		active += i != victim && w->nodes[i].life == LIFE_RUNNING &&
			w->nodes[i].e.role == EL_ACTIVE;
	if (active == 0)
		world_fail(w, n, "nobody took over in time (fault %d)", (int)fault);
	if (n->life == LIFE_RUNNING && n->e.role == EL_ACTIVE)
		world_fail(w, n, "still active (fault %d)", (int)fault);
	n->kernel.mood = KERNEL_WELL;
}

/* It ends what has begun, in whichever lane. */
static void
plan_in_all_lanes(struct world *w, int64_t in_ns, enum fault end, unsigned victim)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		scenario_plan(&w->bundle->lanes[i], in_ns, end, victim, 0);
}

static void
judge(struct world *w, unsigned victim, enum fault fault)
{
	int64_t rest = scenario_some_time(&w->scenario.rng, 600 * NS_PER_MS, 8 * NS_PER_S);

	for (unsigned i = 0; i < w->bundle->count; i++) {
		struct world *lane = &w->bundle->lanes[i];

		judge_router(lane, victim, fault);
		if (w->keyed)
			keyed_judge(lane, &lane->nodes[victim], fault);
	}
	switch (fault) {
	case FAULT_UNFIT: plan_in_all_lanes(w, rest, END_UNFIT, victim); break;
	case FAULT_HANG: scenario_plan(w, rest, END_HANG, victim, 0); break;
	case FAULT_SWITCHOVER: break;
	case FAULT_CARRIER: plan_in_all_lanes(w, rest, END_CARRIER, victim); break;
	case FAULT_IMPAIR: plan_in_all_lanes(w, rest, END_IMPAIR, victim); break;
	case FAULT_ISOLATE: plan_in_all_lanes(w, rest, END_ISOLATE, victim); break;
	default: scenario_plan(w, rest, END_CRASH, victim, 0); break;
	}
	go_on(w, rng_chance(&w->scenario.rng, 50) ? 0 : rest + NS_PER_S);
}

static void
stranger_sends(struct world *w)
{
	struct scenario *s = &w->scenario;
	struct ip_addr source = {IP_V4, {10, 77, 0, s->stranger_address}};
	uint8_t bytes[SIM_PACKET];
	size_t length;

	if (s->stranger_every_ns == 0)
		return;
	length = node_packet(&source, s->stranger_priority, w->nodes[0].params.interval_ns, 1, bytes);
	network_send(w, SERVICE, SIM_NODES, bytes, length);
	events_add(&w->events, (struct event){.at = w->now + s->stranger_every_ns,
		.kind = EVENT_STRANGER});
}

void
scenario_event(struct world *w, const struct event *event)
{
	if (event->kind == EVENT_STRANGER)
		stranger_sends(w);
	else if (event->kind == EVENT_ATTACK)
		attack_strikes(w);
	else if (event->incarnation != w->scenario.epoch)
		return;
	else if (event->a < KEYED_FAULTS)
		strike(w, (enum fault)event->a, &w->nodes[event->node]);
	else if (event->a == EPISODE)
		begin_episode(w);
	else if (event->a == PEACE)
		begin_peace(w);
	else if (event->a == POLITE)
		begin_polite(w);
	else if (event->a == JUDGEMENT)
		judge(w, event->node, (enum fault)event->b);
	else if (event->a == TIE)
		bundle_tie(w->bundle, event->node);
	else if (event->a == THE_END)
		w->scenario.over = true;
	else
		end_fault(w, (enum fault)event->a, &w->nodes[event->node], event->b);
}
