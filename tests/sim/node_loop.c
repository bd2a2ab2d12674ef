/* A node's event loop: what arrives, what had waited, in which order. See node.h. */
#include "bundle.h"

/* Path by path, as the daemon reads its sockets. */
static void
drain_path(struct world *w, struct node *n, unsigned path)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n->inbox_count; i++) {
		uint32_t slot = n->inbox[i];
		struct packet packet = *packet_at(&w->events, slot);

		if (packet.path != path) {
			n->inbox[left++] = slot;
			continue;
		}
		packet_drop(&w->events, slot);
		node_hear(w, n, &packet);
		if (n->life != LIFE_RUNNING)
			return; /* the rest is gone already */
	}
	n->inbox_count = left;
}

static void
drain_inbox(struct world *w, struct node *n)
{
	for (unsigned path = 0; path < w->network.count; path++)
		drain_path(w, n, path);
}

static void
drain_results(struct world *w, struct node *n)
{
	unsigned count = n->result_count;

	n->result_count = 0;
	for (unsigned i = 0; i < count; i++)
		node_tell_result(w, n, &n->results[i]);
	for (; n->notices > 0; n->notices--)
		node_tell_removal(w, n);
}

static void
drain_frames(struct world *w, struct node *n)
{
	for (unsigned frame = 0; frame < SIM_FRAMES; frame++)
		for (; n->frames[frame] > 0; n->frames[frame]--)
			node_take_frame(w, n, (enum frame)frame);
}

/* election_perform.c, router_on_timer(). */
static void
on_router_timer(struct world *w, struct node *n)
{
	if (n->e.role == EL_BACKUP)
		drain_inbox(w, n);
	if (n->e.asks > 0)
		drain_frames(w, n);
	if (n->life == LIFE_RUNNING)
		node_tell_time(w, n);
}

/* election_ports.c: a link's carrier, and what the router thinks of it. */
static void
take_cable(struct world *w, struct node *n, unsigned path)
{
	struct pairing *p = &n->pairing;

	n->news[path] = false;
	p->carrier[path] = !w->network.wires[path].down[n->id];
	pair_set_carrier(&p->pair, path, p->carrier[path]);
	if (path == SERVICE)
		node_tell_fitness(w, n);
}

static void
on_pair_timer(struct world *w, struct node *n)
{
	n->pair_due = false;
	drain_inbox(w, n);
	if (n->life == LIFE_RUNNING)
		node_pair_timer(w, n);
}

static void
on_look(struct world *w, struct node *n)
{
	n->look_due = false;
	node_look(w, n);
}

/* One of the things that a loop does when it finds everything waiting at once. */
static void
serve(struct world *w, struct node *n, unsigned what)
{
	switch (what) {
	case 0: case 1: case 2: case 3:
		drain_path(w, n, what);
		break;
	case 4:
		drain_results(w, n);
		break;
	case 5:
		drain_frames(w, n);
		break;
	case 6:
		if (n->fitness_news)
			node_tell_fitness(w, n);
		for (unsigned path = 0; path < w->network.count; path++)
			if (n->news[path] && n->life == LIFE_RUNNING)
				take_cable(w, n, path);
		break;
	case 7:
		on_router_timer(w, n);
		break;
	case 8:
		if (n->pair_due)
			on_pair_timer(w, n);
		break;
	default:
		if (n->look_due)
			on_look(w, n);
		break;
	}
}

/* The loop serves its descriptors and timers in any order. */
static void
serve_all(struct world *w, struct node *n)
{
	enum { WHATS = 10 };
	unsigned order[WHATS];

	for (unsigned i = 0; i < WHATS; i++) {
		unsigned k = rng_below(&n->rng, i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (unsigned i = 0; i < WHATS && n->life == LIFE_RUNNING; i++)
		serve(w, n, order[i]);
}

static void
serve_plain(struct world *w, struct node *n)
{
	/* the loop serves its descriptors in any order, but time after all of them */
	if (rng_chance(&n->rng, 50)) {
		drain_inbox(w, n);
		drain_results(w, n);
	} else {
		drain_results(w, n);
		drain_inbox(w, n);
	}
	if (n->fitness_news && n->life == LIFE_RUNNING)
		node_tell_fitness(w, n);
	if (n->life == LIFE_RUNNING)
		node_tell_time(w, n);
}

bool
node_rise(struct world *w, struct node *n)
{
	if (n->life != LIFE_HUNG && n->life != LIFE_PAUSED)
		return false;
	world_trace(w, n, "wakes");
	if (n->life == LIFE_PAUSED)
		node_resume_machine(w, n);
	n->life = LIFE_RUNNING;
	checker_woke(w, n);
	node_start_job(w, n);
	return true;
}

void
node_serve(struct world *w, struct node *n)
{
	if (w->keyed)
		serve_all(w, n);
	else
		serve_plain(w, n);
}

void
node_wake(struct world *w, struct node *n)
{
	if (!node_rise(w, n))
		return;
	node_serve(w, n);
	checker_awake(w, n);
}

/* --- events --- */

static void
on_notice(struct world *w, struct node *n)
{
	if (n->notices_due > 0)
		n->notices_due--;
	if (n->life == LIFE_RUNNING)
		node_tell_removal(w, n);
	else if (n->notices < 2 * SIM_ADDRESSES)
		n->notices++;
}

static void
on_packet(struct world *w, struct node *n, const struct event *event)
{
	struct packet packet = *packet_at(&w->events, event->packet);

	if (n->life != LIFE_RUNNING && n->life != LIFE_DEAD && n->inbox_count < SIM_INBOX &&
		!w->network.wires[packet.path].down[n->id]) {
		n->inbox[n->inbox_count++] = event->packet;
		return;
	}
	packet_drop(&w->events, event->packet);
	if (n->life == LIFE_RUNNING && !w->network.wires[packet.path].down[n->id])
		node_hear(w, n, &packet);
}

static void
on_frame(struct world *w, struct node *n, enum frame frame)
{
	if (n->life == LIFE_DEAD || !network_on_lan(w, n->id))
		return;
	if (n->life == LIFE_RUNNING)
		node_take_frame(w, n, frame);
	else if (n->frames[frame] < SIM_INBOX)
		n->frames[frame]++;
}

static void
on_cable(struct world *w, struct node *n, unsigned path)
{
	n->news[path] = true;
	if (n->life == LIFE_RUNNING)
		take_cable(w, n, path);
}

static void
on_pair(struct world *w, struct node *n, const struct event *event)
{
	if (event->at != n->pairing.pair_at)
		return;
	n->pair_due = true;
	if (n->life == LIFE_RUNNING)
		on_pair_timer(w, n);
}

static void
on_look_event(struct world *w, struct node *n, const struct event *event)
{
	if (event->at != n->pairing.look_at)
		return;
	n->look_due = true;
	if (n->life == LIFE_RUNNING)
		on_look(w, n);
}

static void
on_prepared(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return;
	now = node_enter(w, n, &acts);
	el_prepared(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_PREPARED);
}

static void
on_fitness(struct world *w, struct node *n)
{
	if (n->life == LIFE_RUNNING)
		node_tell_fitness(w, n);
	else
		n->fitness_news = true;
}

static void
on_tick(struct world *w, struct node *n, const struct event *event)
{
	if (event->at != n->tick_at || n->life != LIFE_RUNNING)
		return;
	n->tick_at = INT64_MAX;
	on_router_timer(w, n);
}

void
node_event(struct world *w, struct node *n, const struct event *event)
{
	bool stale = event->incarnation != n->incarnation;

	switch (event->kind) {
	case EVENT_PACKET:
		on_packet(w, n, event);
		break;
	case EVENT_LAPSE:
		node_lapse(w, n, event);
		break;
	case EVENT_TICK:
		if (!stale)
			on_tick(w, n, event);
		break;
	case EVENT_HANDS:
		if (!stale && n->in_kernel && n->life != LIFE_PAUSED &&
			event->a == n->jobs[0].sequence)
			node_hands(w, n);
		break;
	case EVENT_NOTICE:
		if (!stale)
			on_notice(w, n);
		break;
	case EVENT_PREPARED:
		if (!stale)
			on_prepared(w, n);
		break;
	case EVENT_FITNESS:
		if (!stale)
			on_fitness(w, n);
		break;
	case EVENT_EXIT:
		if (!stale)
			node_crash(w, n);
		break;
	case EVENT_PAIR:
		if (!stale)
			on_pair(w, n, event);
		break;
	case EVENT_LOOK:
		if (!stale)
			on_look_event(w, n, event);
		break;
	case EVENT_FRAME:
		if (!stale)
			on_frame(w, n, (enum frame)event->a);
		break;
	case EVENT_ASKED:
		node_ask_arrived(w, n, (unsigned)event->a);
		break;
	case EVENT_CABLE:
		if (!stale)
			on_cable(w, n, (unsigned)event->a);
		break;
	case EVENT_SETTLE:
		if (!stale)
			bundle_look(w, n);
		break;
	case EVENT_STRANGER:
	case EVENT_ATTACK:
	case EVENT_FAULT:
		break;
	}
}
