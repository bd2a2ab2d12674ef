/*
 * What the two nodes of a keyed pair do beyond RFC 9568. Each knows that there is exactly one
 * other node, hears it over several paths, and hears it while it is backup, too. So
 *
 *  - a resignation is claimed at once, and so is a place that the other one says it does not hold;
 *  - after silence the wire is asked first whether the silent node's kernel still answers for the
 *    addresses: its leases end by themselves, and two holders are worse than a little patience. Who
 *    speaks with another key is not silent, and its leases do not end: it keeps what it has;
 *  - a change of roles without a fault is made before it is broken: the active offers, the backup
 *    claims and announces, and only then does the former active give up (switchover, preemption,
 *    an impaired active with a fit standby);
 *  - an active that nobody answers any more on the service interface gives way to a peer that is
 *    answered there.
 */
#include "core/election_internal.h"
#include "core/trailer.h"
#include "core/vrrp.h"

#include <string.h>

enum { ASKS = 3 };

static const int64_t ask_every_ns = 10 * NS_PER_MS;
static const int64_t answered_pause_ns = 10 * NS_PER_MS;
static const int64_t offer_patience_ns = 3 * NS_PER_S;
static const int64_t offer_repeat_ns = 50 * NS_PER_MS;
static const int64_t offer_pause_ns = 5 * NS_PER_S;
/* So long the neighbours hear nothing of who offers: all but slow takers have announced by then. */
static const int64_t hush_ns = 250 * NS_PER_MS;
static const int64_t linger_ns = 3 * NS_PER_MS;
static const int64_t taking_ns = 4 * NS_PER_S;
/* How long after its end a lease may still be there (net/ipv4/devinet.c check_lifetime()). */
static const int64_t lease_slack_ns = 2 * NS_PER_S;

static void
clear_offer(struct election *e)
{
	e->offer = REASON_NONE;
	e->offer_deadline = e->offer_repeat = e->handed_deadline = e->hushed_until = MONO_NEVER;
}

void
keyed_start(struct election *e)
{
	memset(&e->peer, 0, sizeof(e->peer));
	e->peer.heard = MONO_NEVER;
	e->contact = EL_CONTACT_UNKNOWN;
	e->hello_deadline = e->listen_until = e->offer_again = MONO_NEVER;
	e->taking_until = e->ask_deadline = e->ask_until = MONO_NEVER;
	e->asks = 0;
	clear_offer(e);
	e->told_answered = REASON_NONE;
	e->disbelieved = MONO_NEVER;
	e->wants = false;
	e->want_until = MONO_NEVER;
}

static void
stop_asking(struct election *e)
{
	e->ask_deadline = e->ask_until = MONO_NEVER;
	e->asks = 0;
	e->told_answered = REASON_NONE;
}

void
keyed_drop_offer(struct election *e, enum reason why, struct el_acts *out)
{
	if (e->offer == REASON_NONE)
		return;
	clear_offer(e);
	election_act(out, EL_OFFER_ENDED)->reason = why;
}

/* What waited in the socket while we were held up is history: listen before believing it. */
static void
note_hold_up(struct election *e, mono now)
{
	if (mono_is_never(e->hello_deadline) ||
		mono_diff_ns(now, e->hello_deadline) <= e->params.interval_ns)
		return;
	e->hello_deadline = e->listen_until = mono_add_ns(now, e->params.interval_ns);
}

static bool
is_listening(const struct election *e, mono now)
{
	return !mono_is_never(e->listen_until) && mono_before(now, e->listen_until);
}

static void
tick_hello(struct election *e, mono now, struct el_acts *out)
{
	note_hold_up(e, now);
	if (!mono_due(e->hello_deadline, now))
		return;
	election_act(out, EL_SEND_HELLO);
	e->hello_deadline = mono_add_ns(e->hello_deadline, e->params.interval_ns);
	if (mono_due(e->hello_deadline, now))
		e->hello_deadline = mono_add_ns(now, e->params.interval_ns);
}

/*
 * Every role begins without the business of the last one. Who woke late listens before it speaks,
 * whatever role it has been told to have meanwhile.
 */
void
keyed_enter(struct election *e, mono now, enum reason reason, struct el_acts *out)
{
	bool late = reason == REASON_WOKE_LATE || reason == REASON_LEASE_LAPSED;
	mono speak = late ? mono_add_ns(now, e->params.interval_ns) : now;

	note_hold_up(e, now);
	if (is_listening(e, now))
		speak = e->listen_until;
	stop_asking(e);
	keyed_drop_offer(e, reason, out);
	e->wants = false;
	e->want_until = e->taking_until = MONO_NEVER;
	e->hello_deadline = MONO_NEVER;
	e->listen_until = MONO_NEVER;
	if (!e->params.keyed || e->role == EL_ACTIVE || e->role == EL_INIT)
		return;
	e->hello_deadline = speak;
	if (mono_before(now, speak))
		e->listen_until = speak;
}

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
peer_patience_ns(const struct election *e)
{
	int64_t interval_ns = longer(e->params.interval_ns, e->peer.interval_ns);

	return 3 * interval_ns + interval_ns / 2;
}

bool
el_peer_is_fresh(const struct election *e, mono now)
{
	return e->params.keyed && !mono_is_never(e->peer.heard) &&
		mono_diff_ns(now, e->peer.heard) < peer_patience_ns(e);
}

bool
el_peer_is_ready(const struct election *e, mono now)
{
	return el_peer_is_fresh(e, now) && e->peer.role == EL_BACKUP &&
		e->peer.fitness == EL_FIT && (e->peer.flags & TRAILER_READY) != 0;
}

uint16_t
el_flags(const struct election *e)
{
	bool active = e->role == EL_ACTIVE;
	unsigned flags = 0;

	if (e->offer != REASON_NONE)
		flags |= TRAILER_OFFER;
	if (active ? e->claimed : e->pending != 0)
		flags |= TRAILER_HOLDING;
	if (e->role == EL_BACKUP && e->fitness == EL_FIT && e->pending == 0 &&
		e->contact != EL_CONTACT_ISOLATED)
		flags |= TRAILER_READY;
	if (e->hold)
		flags |= TRAILER_HOLD;
	if (e->contact == EL_CONTACT_CONNECTED)
		flags |= TRAILER_CONNECTED;
	if (e->contact == EL_CONTACT_ISOLATED)
		flags |= TRAILER_ISOLATED;
	if (e->wants)
		flags |= TRAILER_WANT;
	return (uint16_t)flags;
}

/* Would the node that sent this rather be active than we? Fitness, priority, address. */
static bool
outranks_us(const struct election *e, enum el_fitness fitness, uint8_t priority,
	const struct ip_addr *address)
{
	if (fitness != e->fitness)
		return fitness > e->fitness;
	if (priority != e->params.priority)
		return priority > e->params.priority;
	return ip_addr_compare(address, &e->params.own) > 0;
}

/* The peer waits for it: now, or when we have listened. */
static void
hello_soon(struct election *e, mono now)
{
	if (e->role != EL_BACKUP || !e->params.keyed)
		return;
	note_hold_up(e, now);
	if (!is_listening(e, now))
		e->hello_deadline = mono_min(e->hello_deadline, now);
}

/* Nobody answers us, and somebody answers the peer: it is the better place. */
static bool
is_worse_placed(const struct election *e, mono now)
{
	return e->contact == EL_CONTACT_ISOLATED && el_peer_is_fresh(e, now) &&
		e->peer.role == EL_BACKUP && e->peer.fitness != EL_UNFIT &&
		(e->peer.flags & TRAILER_CONNECTED) != 0;
}

/* Nobody has the place: take it, unless what we heard may be history, or it is the peer's to take. */
static void
claim_place(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (!election_is_able(e))
		return;
	if (is_worse_placed(e, now))
		election_enter_fault(e, now, REASON_ISOLATED, out);
	else if (is_listening(e, now))
		e->down_deadline = mono_add_ns(e->listen_until,
			election_skew_ns(e, e->active_interval_ns));
	else
		grouped_rise(e, now, why, out);
}

void
keyed_taking(struct election *e, mono now)
{
	e->taking_until = mono_add_ns(now, taking_ns);
}

bool
keyed_is_taking(const struct election *e, mono now)
{
	return !mono_is_never(e->taking_until) && mono_before(now, e->taking_until);
}

static void
take_offer(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	enum reason why = e->wants ? REASON_PREEMPTED_PEER : REASON_SWITCHOVER;

	if (m->fitness != EL_FIT)
		why = REASON_PEER_UNFIT;
	grouped_rise_offered(e, now, why, out);
}

/*
 * An active that we would rather replace, and that makes no offer: its place is claimed on a message
 * of it, which shows that it lives and will give way. Its silence is silence, and the wire is asked.
 */
static void
insist(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	if (mono_due(e->want_until, now)) {
		claim_place(e, now, REASON_PREEMPTED_PEER, out);
		return;
	}
	grouped_forget(e); /* it lives, and its turn to offer is not over */
	e->active_interval_ns = m->interval_ns;
	e->down_deadline = mono_add_ns(now, el_patience_ns(e));
	if (mono_is_never(e->want_until))
		e->want_until = e->down_deadline;
}

static void
hear_active(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	election_recv_as_backup(e, now, m);
	if (e->wants)
		insist(e, now, m, out);
	else
		e->want_until = MONO_NEVER;
}

static void
recv_as_backup(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	if (m->priority == EL_PRIORITY_RESIGN) {
		claim_place(e, now, REASON_PEER_RESIGNED, out);
	} else if (m->role == EL_ACTIVE) {
		stop_asking(e);
		if ((m->flags & TRAILER_OFFER) != 0 && (el_flags(e) & TRAILER_READY) != 0 &&
			!is_listening(e, now))
			take_offer(e, now, m, out);
		else
			hear_active(e, now, m, out);
	} else if ((m->flags & TRAILER_HOLDING) == 0) {
		bool peer_goes_first = m->role == EL_BACKUP && (e->hold ||
			((m->flags & TRAILER_HOLD) == 0 &&
				outranks_us(e, m->fitness, m->priority, &m->source)));

		if (!peer_goes_first)
			claim_place(e, now, REASON_PEER_NOT_ACTIVE, out);
	}
}

static void
end_offer(struct election *e, mono now, struct el_acts *out)
{
	keyed_drop_offer(e, REASON_OFFER_EXPIRED, out);
	e->offer_again = mono_add_ns(now, offer_pause_ns);
}

/* The peer says whether it holds what we offer, and has announced itself. */
static void
note_taker(struct election *e, mono now, bool holds)
{
	if (holds == !mono_is_never(e->handed_deadline))
		return;
	e->handed_deadline = holds ? mono_add_ns(now, linger_ns) : MONO_NEVER;
	announcements_hush(e, holds ? e->offer_deadline : mono_add_ns(now, hush_ns));
}

static void
meet_rival(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	enum reason why = REASON_HIGHER_ADDRESS;

	if (e->offer != REASON_NONE) { /* it is taking over, as we asked */
		note_taker(e, now, (m->flags & TRAILER_HOLDING) != 0);
		return;
	}
	if (keyed_is_taking(e, now) && (m->flags & TRAILER_OFFER) != 0)
		return; /* it will give up when it hears that we hold them */
	if (!outranks_us(e, m->fitness, m->priority, &m->source)) {
		election_answer_rival(e, now, m, out);
		return;
	}
	if (m->fitness != e->fitness)
		why = REASON_PEER_FIT;
	else if (m->priority != e->params.priority)
		why = REASON_HIGHER_PRIORITY;
	election_enter_backup(e, now, why, m->interval_ns, out);
	election_release(e, now, false, out);
	tick_hello(e, now, out); /* it has to announce itself, and may not have heard that we held them */
}

static void
recv_as_active(struct election *e, mono now, const struct el_advert *m, bool was_holding,
	struct el_acts *out)
{
	if (m->priority == EL_PRIORITY_RESIGN) {
		if (e->offer != REASON_NONE)
			end_offer(e, now, out);
		election_answer_rival(e, now, m, out);
	} else if (m->role == EL_ACTIVE) {
		meet_rival(e, now, m, out);
	} else {
		if (e->offer != REASON_NONE)
			note_taker(e, now, false); /* lost them again, if it had them */
		if (e->offer != REASON_NONE && !el_peer_is_ready(e, now))
			end_offer(e, now, out);
		if (was_holding)
			e->taking_until = MONO_NEVER;
		/* neighbours may have believed it last, and it says no more */
		if (was_holding || !mono_is_never(e->reannounce_deadline))
			announcements_repeat(e, now, out);
		keyed_reconsider(e, now, out);
	}
}

struct el_advert
el_advert_of(const struct vrrp_advert *advert, const struct trailer *signed_by,
	const struct ip_addr *source)
{
	struct el_advert heard = {.source = *source, .priority = advert->priority,
		.interval_ns = advert->interval_cs * 10 * NS_PER_MS};

	if (!signed_by)
		return heard;
	heard.source = signed_by->sender;
	heard.keyed = true;
	heard.role = (enum el_role)signed_by->role;
	heard.fitness = (enum el_fitness)signed_by->fitness;
	heard.flags = signed_by->flags;
	heard.lease_ns = signed_by->lease_s * NS_PER_S;
	heard.life = signed_by->boot;
	heard.counter = signed_by->counter;
	if (advert->type == VRRP_HELLO)
		heard.priority = signed_by->priority;
	return heard;
}

static void
learn(struct election *e, mono now, const struct el_advert *m)
{
	e->peer = (struct el_peer){.heard = now, .interval_ns = m->interval_ns,
		.lease_ns = m->lease_ns, .role = m->role, .fitness = m->fitness,
		.priority = m->priority, .flags = m->flags, .address = m->source,
		.life = m->life, .counter = m->counter};
	if (m->role != EL_ACTIVE && m->priority != EL_PRIORITY_RESIGN)
		return;
	e->last_heard = now;
	e->last_priority = m->priority;
	e->last_source = m->source;
}

static void
give_way_when_isolated(struct election *e, mono now, struct el_acts *out)
{
	if (e->role == EL_ACTIVE && is_worse_placed(e, now))
		election_enter_fault(e, now, REASON_ISOLATED, out);
}

/* An isolated node takes part again when it is answered, or when there is nobody better. */
static void
return_from_isolation(struct election *e, mono now, struct el_acts *out)
{
	if (e->role != EL_FAULT || e->reason != REASON_ISOLATED || !election_is_able(e))
		return;
	if (e->contact != EL_CONTACT_ISOLATED || !el_peer_is_fresh(e, now))
		election_enter(e, now, REASON_FIT_AGAIN, out);
}

void
keyed_recv(struct election *e, mono now, const struct el_advert *m, struct el_acts *out)
{
	bool was_holding = e->peer.role == EL_ACTIVE || (e->peer.flags & TRAILER_HOLDING) != 0;

	/* The same message comes over every path, and over some later than over others. */
	if (m->life == e->peer.life && m->counter <= e->peer.counter)
		return;
	note_hold_up(e, now);
	learn(e, now, m);
	if (e->role == EL_BACKUP)
		recv_as_backup(e, now, m, out);
	else if (e->role == EL_ACTIVE)
		recv_as_active(e, now, m, was_holding && (m->flags & TRAILER_HOLDING) == 0, out);
	give_way_when_isolated(e, now, out);
}

void
el_set_contact(struct election *e, mono now, enum el_contact contact, struct el_acts *out)
{
	if (e->contact == contact)
		return;
	e->contact = contact;
	give_way_when_isolated(e, now, out);
	return_from_isolation(e, now, out);
	hello_soon(e, now);
}

void
keyed_offer(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	e->offer = why;
	e->offer_deadline = mono_add_ns(now, offer_patience_ns);
	e->offer_repeat = mono_add_ns(now, offer_repeat_ns);
	e->handed_deadline = MONO_NEVER;
	announcements_hush(e, mono_add_ns(now, hush_ns));
	election_send_advert(out, e->params.priority);
}

bool
keyed_may_offer(const struct election *e, mono now)
{
	return e->role == EL_ACTIVE && e->offer == REASON_NONE && e->claimed &&
		el_peer_is_ready(e, now) &&
		(mono_is_never(e->offer_again) || !mono_before(now, e->offer_again));
}

bool
keyed_peer_outranks(const struct election *e)
{
	return outranks_us(e, e->peer.fitness, e->peer.priority, &e->peer.address);
}

void
keyed_reconsider(struct election *e, mono now, struct el_acts *out)
{
	hello_soon(e, now);
	if (!keyed_may_offer(e, now))
		return;
	if (e->fitness != EL_FIT)
		keyed_offer(e, now, REASON_PEER_FIT, out);
	else if ((e->peer.flags & TRAILER_WANT) != 0 && keyed_peer_outranks(e))
		keyed_offer(e, now, REASON_HIGHER_PRIORITY, out);
}

/* The peer holds the addresses and has announced them. */
static void
hand_over(struct election *e, mono now, struct el_acts *out)
{
	enum reason why = e->offer;
	struct el_act *ended;

	clear_offer(e); /* taken */
	election_enter_backup(e, now, why, e->peer.interval_ns, out);
	e->hold = why == REASON_SWITCHOVER;
	election_release(e, now, false, out);
	election_act(out, EL_RELAY);
	ended = election_act(out, EL_OFFER_ENDED);
	ended->reason = why;
	ended->ok = true;
}

static void
tick_offer(struct election *e, mono now, struct el_acts *out)
{
	if (mono_due(e->handed_deadline, now)) {
		hand_over(e, now, out);
	} else if (mono_due(e->offer_deadline, now)) {
		end_offer(e, now, out);
	} else if (mono_due(e->offer_repeat, now)) {
		e->offer_repeat = mono_add_ns(now, offer_repeat_ns);
		election_send_advert(out, e->params.priority);
	}
}

/* --- asking the wire --- */

static int64_t
ask_lead_ns(const struct election *e)
{
	int64_t most_ns = e->active_interval_ns * 3 / 2;

	return most_ns < ASKS * ask_every_ns ? most_ns : ASKS * ask_every_ns;
}

/*
 * Among plain routers the deadline also comes while an active that is not wanted is heard. The skew
 * is not looked at: it may have become another since the deadline was set.
 */
static bool
is_silence(const struct election *e)
{
	return mono_is_never(e->last_heard) ||
		mono_diff_ns(e->down_deadline, e->last_heard) >= 3 * e->active_interval_ns;
}

static bool
asks_wire(const struct election *e)
{
	return e->role == EL_BACKUP && e->params.ask && !mono_is_never(e->down_deadline) &&
		(!e->wants || is_silence(e));
}

/* The questions come before the deadline: silence of a dead node costs no more than its silence. */
static mono
next_ask(const struct election *e)
{
	if (!asks_wire(e) || e->asks == ASKS)
		return MONO_NEVER;
	return e->asks == 0 ? mono_add_ns(e->down_deadline, -ask_lead_ns(e)) : e->ask_deadline;
}

/* What the last word of whoever has the addresses may have left in its kernel is over then. */
static mono
end_of_leases(const struct election *e)
{
	mono heard = mono_is_never(e->last_heard) ? e->since : e->last_heard;

	if (!mono_is_never(e->disbelieved) && mono_before(heard, e->disbelieved))
		heard = e->disbelieved;
	return mono_add_ns(heard, longer(e->params.lease_ns, e->peer.lease_ns) + lease_slack_ns);
}

static void
tick_ask(struct election *e, mono now, struct el_acts *out)
{
	if (!mono_due(next_ask(e), now))
		return;
	if (mono_is_never(e->ask_until))
		e->ask_until = end_of_leases(e);
	e->asks++;
	e->ask_deadline = mono_add_ns(now, ask_lead_ns(e) / ASKS);
	election_act(out, EL_ASK);
}

bool
keyed_silence_is_real(struct election *e, mono now)
{
	int64_t more_ns;

	if (!asks_wire(e) || mono_due(e->ask_until, now))
		return true;
	if (e->asks == ASKS && mono_due(e->ask_deadline, now))
		return true;
	more_ns = e->asks == ASKS ? mono_diff_ns(e->ask_deadline, now)
				  : (ASKS - e->asks) * ask_lead_ns(e) / ASKS;
	e->down_deadline = mono_add_ns(now, more_ns);
	return false;
}

void
el_refused(struct election *e, mono now, enum reason why, const struct vrrp_advert *advert)
{
	bool other_key = why == REASON_BAD_KEY || why == REASON_BAD_MAC || why == REASON_NO_TRAILER;

	if (!other_key || advert->type == VRRP_HELLO || advert->priority == EL_PRIORITY_RESIGN)
		return;
	e->disbelieved = now;
	if (!mono_is_never(e->ask_until) && !mono_due(e->ask_until, now))
		e->ask_until = end_of_leases(e);
}

static enum reason
why_answered(const struct election *e, mono now)
{
	return !mono_is_never(e->disbelieved) && mono_diff_ns(now, e->disbelieved) < peer_patience_ns(e)
		? REASON_PEER_DISBELIEVED : REASON_ADDRESS_ANSWERED;
}

void
el_answered(struct election *e, mono now, struct el_acts *out)
{
	enum reason why = why_answered(e, now);

	if (!asks_wire(e) || e->asks == 0 || mono_due(e->ask_until, now))
		return;
	e->asks = 0;
	e->down_deadline = mono_add_ns(now, ask_lead_ns(e) + answered_pause_ns);
	if (e->told_answered == why || e->told_answered == REASON_PEER_DISBELIEVED)
		return;
	e->told_answered = why;
	election_act(out, EL_STILL_ANSWERED)->reason = why;
}

/* --- time --- */

void
keyed_speak(struct election *e, mono now, struct el_acts *out)
{
	note_hold_up(e, now);
	if (!is_listening(e, now))
		election_act(out, EL_SEND_HELLO);
}

void
keyed_tick(struct election *e, mono now, struct el_acts *out)
{
	if (e->offer != REASON_NONE)
		tick_offer(e, now, out);
	return_from_isolation(e, now, out);
	tick_ask(e, now, out);
	tick_hello(e, now, out); /* last: a new role begins with one */
}

mono
keyed_deadline(const struct election *e)
{
	mono next = mono_min(e->hello_deadline, next_ask(e));

	if (e->role == EL_FAULT && e->reason == REASON_ISOLATED)
		next = mono_min(next, mono_add_ns(e->peer.heard, peer_patience_ns(e)));
	return mono_min(next,
		mono_min(e->handed_deadline, mono_min(e->offer_deadline, e->offer_repeat)));
}
