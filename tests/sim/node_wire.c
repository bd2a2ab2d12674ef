/*
 * A keyed node's questions to the service interface, as election_wire.c asks them: does the
 * silent peer's kernel still answer for the addresses (EL_ASK); and, when the peer has gone quiet
 * there but not on another path, does anybody answer us? Hosts of the LAN answer whoever reaches
 * them, and a kernel answers for what it holds, whatever its daemon does.
 */
#include "world.h"

enum { ROUNDS_UNANSWERED = 3 };

static const int64_t round_ns = 20 * NS_PER_MS;
static const int64_t slow_round_ns = 200 * NS_PER_MS;

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

/* election_wire.c, address_spoken_for(). */
static void
is_announced(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->e.role != EL_ACTIVE || !n->e.claimed || n->pairing.knows_peer)
		return;
	now = node_enter(w, n, &acts);
	el_reannounce(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_HEALED);
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

static void
is_held(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->e.role != EL_BACKUP)
		return;
	now = node_enter(w, n, &acts);
	el_answered(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_ANSWERED);
}

/* --- who is there? --- */

static void
set_contact(struct world *w, struct node *n, enum el_contact contact)
{
	static const char *const names[] = {"unknown", "connected", "isolated"};
	struct el_acts acts;
	mono now;

	if (n->pairing.contact == contact)
		return;
	n->pairing.contact = contact;
	world_trace(w, n, "on the service interface: %s", names[contact]);
	now = node_enter(w, n, &acts);
	el_set_contact(&n->e, now, contact, &acts);
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

static int64_t
doubt_ns(const struct node *n)
{
	return pair_quiet_ns(&n->pairing.pair) * 3 / 5;
}

static void
judge_contact(struct world *w, struct node *n, mono now, int64_t silence_ns)
{
	struct pairing *p = &n->pairing;

	if (!mono_is_never(p->next_round) && mono_before(now, p->next_round))
		return;
	if (silence_ns >= pair_quiet_ns(&p->pair) && p->rounds >= ROUNDS_UNANSWERED)
		set_contact(w, n, EL_CONTACT_ISOLATED);
	if (!ask_neighbours(w, n)) {
		set_contact(w, n, EL_CONTACT_UNKNOWN);
		p->rounds = 0;
	} else if (p->rounds < UINT8_MAX) {
		p->rounds++;
	}
	p->next_round = mono_add_ns(now,
		p->contact == EL_CONTACT_UNKNOWN ? round_ns : slow_round_ns);
}

/* election_wire.c, look_at_path(). */
static void
look(struct world *w, struct node *n, mono now)
{
	struct pairing *p = &n->pairing;
	mono heard = p->pair.paths[SERVICE].heard;
	int64_t silence_ns;

	if (mono_is_never(heard) || !p->pair.alive || !p->carrier[SERVICE]) {
		p->rounds = 0;
		set_contact(w, n, EL_CONTACT_UNKNOWN);
		return;
	}
	silence_ns = mono_diff_ns(now, heard);
	if (silence_ns >= doubt_ns(n) && mono_diff_ns(p->pair.peer_heard, heard) > 0) {
		judge_contact(w, n, now, silence_ns);
		return;
	}
	p->rounds = 0;
	p->next_round = MONO_NEVER;
	if (silence_ns < doubt_ns(n))
		set_contact(w, n, EL_CONTACT_UNKNOWN);
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
	bool idle = p->rounds == 0 && p->contact == EL_CONTACT_UNKNOWN;

	if (w->network.count < 2)
		return;
	doubt = mono_add_ns(mono_is_never(heard) ? now : heard, doubt_ns(n));
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

	if (frame == FRAME_ANNOUNCED) {
		is_announced(w, n);
		is_held(w, n); /* it says so in a reply as well */
	} else if (frame == FRAME_HELD) {
		is_held(w, n);
	} else if (p->rounds > 0) {
		p->knows = true;
		p->rounds = 0;
		set_contact(w, n, EL_CONTACT_CONNECTED);
	}
}
