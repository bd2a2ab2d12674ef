/*
 * A keyed node's questions to the service interface, as election_wire.c asks them: does the
 * silent peer's kernel still answer for the addresses (EL_ASK); and, when the peer has gone quiet
 * there but not on another path, does anybody answer us? Hosts of the LAN answer whoever reaches
 * them, and a kernel answers for what it holds, whatever its daemon does.
 */
#include "world.h"

/* --- who has our addresses? --- */

static void
frame_to(struct world *w, unsigned from, struct node *n, enum frame frame, int64_t at)
{
	int64_t back = network_frame_at(w, from, n->id);

	if (back == INT64_MAX)
		return;
	events_add(&w->events, (struct event){.at = at + (back - w->now), .kind = EVENT_FRAME,
		.node = n->id, .incarnation = n->incarnation, .a = frame});
}

void
node_ask_wire(struct world *w, struct node *n)
{
	int64_t at = network_frame_at(w, n->id, 1u - n->id);

	world_trace(w, n, "asks who has the addresses");
	if (network_refuses(w, n->id))
		return;
	if (w->network.squatter)
		frame_to(w, SIM_NODES, n, FRAME_HELD, w->now);
	if (at != INT64_MAX)
		events_add(&w->events, (struct event){.at = at, .kind = EVENT_ASKED,
			.node = (uint8_t)(1u - n->id), .a = n->id});
}

void
node_ask_arrived(struct world *w, struct node *asked, unsigned asker)
{
	if (asked->life != LIFE_PAUSED && !asked->off && kernel_held(&asked->kernel) > 0)
		frame_to(w, asked->id, &w->nodes[asker], FRAME_HELD, w->now);
}

/*
 * election_wire.c, address_spoken_for(). An announcement has the reply form as well; an answer to
 * our own question comes from whoever it is.
 */
static void
is_spoken_for(struct world *w, struct node *n, enum frame frame)
{
	struct el_acts acts;
	mono now = node_enter(w, n, &acts);
	enum cause cause = n->e.role == EL_BACKUP ? CAUSE_ANSWERED : CAUSE_HEALED;

	el_spoken_for(&n->e, now, true, frame == FRAME_HELD || n->pairing.knows_peer, &acts);
	node_leave(w, n, &acts, cause);
}

void
node_announce(struct world *w, struct node *n)
{
	struct node *other;
	int64_t at;

	network_announce(w, n->id);
	if (!w->keyed || network_refuses(w, n->id))
		return;
	other = &w->nodes[1 - n->id];
	at = network_frame_at(w, n->id, other->id);
	if (at == INT64_MAX)
		return;
	events_add(&w->events, (struct event){.at = at, .kind = EVENT_FRAME, .node = other->id,
		.incarnation = other->incarnation, .a = FRAME_ANNOUNCED});
}

/* --- who is there? --- */

static void
tell_contact(struct world *w, struct node *n)
{
	static const char *const names[] = {"unknown", "connected", "isolated"};
	struct pairing *p = &n->pairing;
	struct el_acts acts;
	mono now;

	if (p->told_contact == p->contact.state)
		return;
	p->told_contact = p->contact.state;
	world_trace(w, n, "on the service interface: %s", names[p->contact.state]);
	now = node_enter(w, n, &acts);
	el_set_contact(&n->e, now, p->contact.state, &acts);
	node_leave(w, n, &acts, CAUSE_CONTACT);
}

/* False: there is nobody to ask, or no question leaves. */
static bool
ask_neighbours(struct world *w, struct node *n)
{
	int64_t at;

	if ((!n->pairing.knows && !n->pairing.told) || network_refuses(w, n->id))
		return false;
	at = network_frame_at(w, n->id, SIM_NODES);
	if (at != INT64_MAX)
		frame_to(w, SIM_NODES, n, FRAME_NEIGHBOUR, at);
	return true;
}

/* election_wire.c, look_at_path(). */
static void
look(struct world *w, struct node *n, mono now)
{
	struct pairing *p = &n->pairing;
	struct contact_sight sight = {.heard = p->pair.paths[SERVICE].heard,
		.peer_heard = p->pair.peer_heard, .quiet_ns = pair_quiet_ns(&p->pair),
		.peer_alive = p->pair.alive, .carrier = p->carrier[SERVICE]};
	bool ask = contact_look(&p->contact, now, &sight);

	tell_contact(w, n);
	if (!ask)
		return;
	contact_asked(&p->contact, now, ask_neighbours(w, n));
	tell_contact(w, n);
}

/* Four looks an interval, and never more than 200 a second. */
static int64_t
look_every_ns(const struct node *n)
{
	return n->params.interval_ns / 4 < 5 * NS_PER_MS ? 5 * NS_PER_MS : n->params.interval_ns / 4;
}

/*
 * The daemon looks at a fixed rhythm. Looks that cannot see anything are left out: while nothing
 * is in doubt there is nothing to see before the doubt.
 */
void
node_arm_look(struct world *w, struct node *n)
{
	struct pairing *p = &n->pairing;
	mono heard = p->pair.paths[SERVICE].heard, now = node_now(w, n), doubt;
	int64_t every = look_every_ns(n), in = every;
	bool idle = p->contact.rounds == 0 && p->contact.state == EL_CONTACT_UNKNOWN;

	if (w->network.count < 2)
		return;
	doubt = mono_add_ns(mono_is_never(heard) ? now : heard, contact_doubt_ns(pair_quiet_ns(&p->pair)));
	if (idle && p->pair.alive && mono_before(now, doubt))
		in = (mono_diff_ns(doubt, now) + every) / every * every;
	else if (idle && !p->pair.alive)
		in = 4 * every; /* the pair's return looks again */
	p->look_at = w->now + in;
	events_add(&w->events, (struct event){.at = p->look_at, .kind = EVENT_LOOK, .node = n->id,
		.incarnation = n->incarnation});
}

void
node_look(struct world *w, struct node *n)
{
	if (w->network.count < 2)
		return;
	look(w, n, node_now(w, n));
	if (n->life == LIFE_RUNNING)
		node_arm_look(w, n);
}

void
node_take_frame(struct world *w, struct node *n, enum frame frame)
{
	struct pairing *p = &n->pairing;

	if (frame == FRAME_ANNOUNCED || frame == FRAME_HELD) {
		is_spoken_for(w, n, frame);
	} else if (p->contact.rounds > 0) {
		p->knows = true;
		contact_answered(&p->contact);
		tell_contact(w, n);
	}
}
