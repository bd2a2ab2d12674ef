/*
 * The election of a member of a group. It listens and waits like any other, but where that one
 * would become active it becomes a candidate: it says so once, and goes on being backup until the
 * group as a whole moves (core/group.h), or until another active is heard again.
 *
 * A candidate has no Active_Down_Timer running. One that was only offered the place by the peer of
 * a keyed pair has: the peer is alive, and its offer may end.
 */
#include "core/election_internal.h"

void
grouped_forget(struct election *e)
{
	e->candidate = REASON_NONE;
	e->candidate_offered = false;
	e->candidate_due = MONO_NEVER;
}

static void
become_candidate(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (e->candidate == REASON_NONE) {
		e->candidate_due = mono_min(e->down_deadline, now);
		election_act(out, EL_CANDIDATE)->reason = why;
	}
	e->candidate = why;
}

void
grouped_rise(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (!e->params.grouped) {
		election_enter_active(e, now, why, out);
		return;
	}
	become_candidate(e, now, why, out);
	e->candidate_offered = false;
	e->down_deadline = MONO_NEVER;
}

void
grouped_rise_offered(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (!e->params.grouped) {
		election_enter_active(e, now, why, out);
		keyed_taking(e, now);
		return;
	}
	become_candidate(e, now, why, out);
	e->candidate_offered = true;
	e->down_deadline = mono_add_ns(now, el_patience_ns(e));
}

/* One that waits to preempt stays a candidate when its timer has ended, by that and not by an offer. */
void
grouped_heard(struct election *e, bool deposing)
{
	if (!deposing || !mono_is_never(e->down_deadline))
		grouped_forget(e);
}

void
el_take(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	bool offered = e->candidate_offered;

	if (e->role != EL_BACKUP || !election_is_able(e))
		return;
	election_enter_active(e, now, e->candidate != REASON_NONE ? e->candidate : why, out);
	if (offered)
		keyed_taking(e, now);
}

void
el_yield(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (e->role != EL_ACTIVE || election_must_step_down(e, now, out))
		return; /* a sleeper does not resign */
	election_enter_backup(e, now, why, e->params.interval_ns, out);
	election_release(e, now, true, out);
}

void
el_offer(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	if (e->params.keyed && !election_must_step_down(e, now, out) && keyed_may_offer(e, now))
		keyed_offer(e, now, why, out);
}

enum el_rival
el_rival(const struct election *e, mono now)
{
	int tie = ip_addr_compare(&e->last_source, &e->params.own);

	if (e->role != EL_BACKUP)
		return EL_RIVAL_NONE;
	if (el_peer_is_fresh(e, now)) {
		if (e->peer.role != EL_ACTIVE)
			return EL_RIVAL_NONE;
		return keyed_peer_outranks(e) ? EL_RIVAL_BETTER : EL_RIVAL_LESSER;
	}
	if (mono_is_never(e->last_heard) || e->last_priority == EL_PRIORITY_RESIGN ||
		mono_diff_ns(now, e->last_heard) >= el_patience_ns(e))
		return EL_RIVAL_NONE;
	if (e->last_priority != e->params.priority)
		return e->last_priority > e->params.priority ? EL_RIVAL_BETTER : EL_RIVAL_LESSER;
	return tie > 0 ? EL_RIVAL_BETTER : EL_RIVAL_LESSER;
}

bool
el_is_broken(const struct election *e)
{
	return e->role == EL_FAULT && election_is_able(e);
}
