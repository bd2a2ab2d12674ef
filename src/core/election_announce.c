/*
 * The last word to the neighbours: they believe whoever announced an address last. So an active
 * does so in a series (announce.h) when it has its addresses, and once more whenever somebody else may
 * have been believed since, or what it said may not have arrived: a rival, a path that healed.
 *
 * Of two between which a place is handed over the last word is the taker's. Who offers is hushed
 * while the other one may be about to announce, and once it says that it holds the addresses. But a
 * taker may be slow (a cold pool, a kernel with other work), and until it has them the neighbours have
 * to know the holder, who may have been heard by nobody: then it announces itself as ever. Should that
 * cross the taker's word, the taker hears it, and has its own after it.
 */
#include "core/election_internal.h"

static const int64_t repeat_ns = 1 * NS_PER_S;

static bool
is_hushed(const struct election *e, mono now)
{
	return e->offer != REASON_NONE && mono_before(now, e->hushed_until);
}

static void
announce(struct election *e, mono now, struct el_acts *out)
{
	if (announce_tick(&e->announce, now))
		election_act(out, EL_ANNOUNCE);
}

void
announcements_begin(struct election *e, mono now, struct el_acts *out)
{
	announce_start(&e->announce, now);
	announce(e, now, out);
}

void
announcements_repeat(struct election *e, mono now, struct el_acts *out)
{
	if (is_hushed(e, now)) {
		e->reannounce_deadline = e->hushed_until;
		return;
	}
	if (e->claimed && mono_before(now, e->rival_announced)) {
		e->reannounce_deadline = e->rival_announced;
		return;
	}
	e->reannounce_deadline = MONO_NEVER;
	if (!e->claimed)
		return; /* the claim's own announcement is to come */
	e->rival_announced = mono_add_ns(now, repeat_ns);
	announcements_begin(e, now, out);
}

void
announcements_hush(struct election *e, mono until)
{
	announce_stop(&e->announce);
	e->hushed_until = e->reannounce_deadline = until;
}

void
announcements_tick(struct election *e, mono now, struct el_acts *out)
{
	if (mono_due(e->reannounce_deadline, now))
		announcements_repeat(e, now, out);
	announce(e, now, out);
}

void
el_path_healed(struct election *e, mono now)
{
	if (e->role == EL_ACTIVE && e->claimed)
		e->reannounce_deadline = mono_min(e->reannounce_deadline,
			mono_add_ns(now, e->params.interval_ns));
}

bool
el_spoken_for(struct election *e, mono now, bool reply, bool by_peer, struct el_acts *out)
{
	bool taking = keyed_is_taking(e, now);

	if (e->role == EL_BACKUP && reply)
		el_answered(e, now, out);
	if (e->role != EL_ACTIVE || !e->claimed || e->offer != REASON_NONE || (by_peer && !taking))
		return false;
	if (!election_must_step_down(e, now, out))
		announcements_repeat(e, now, out);
	return !taking;
}
