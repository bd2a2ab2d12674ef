/*
 * The election of one virtual router. See election.h for the contract; what the nodes of a keyed
 * pair do beyond the RFC is in election_keyed.c, what neighbours are told in election_announce.c.
 *
 * The file reads top down: arithmetic of the timers, writing actions, address actions, entering a
 * role (each role is entered in one function only), then one function per event.
 *
 * RFC 9568 6.4.1 Initialize, 6.4.2 Backup, 6.4.3 Active; deviations, all on the side of the
 * client: addresses go before priority 0 is sent, a late waker listens before it speaks.
 */
#include "core/election_internal.h"

#include <assert.h>
#include <string.h>

enum { DOWN_ADVERTS = 3, PRIORITY_SPAN = 256 };
enum { REMOVALS_TOLERATED = 5 };

static const int64_t lease_margin_ns = 50 * NS_PER_MS; /* the kernel may lapse 20 ms early */
static const int64_t prepare_patience_ns = 1 * NS_PER_S;
static const int64_t release_patience_ns = 100 * NS_PER_MS;
static const int64_t renew_retry_ns = 100 * NS_PER_MS;
static const int64_t renew_together_ns = 50 * NS_PER_MS; /* hundreds of routers, few wakeups */
static const int64_t fault_retry_ns = 5 * NS_PER_S;
static const int64_t removal_window_ns = 10 * NS_PER_S;

int64_t
el_skew_ns(uint8_t priority, int64_t interval_ns)
{
	return (PRIORITY_SPAN - priority) * interval_ns / PRIORITY_SPAN;
}

int64_t
el_down_ns(uint8_t priority, int64_t interval_ns)
{
	return DOWN_ADVERTS * interval_ns + el_skew_ns(priority, interval_ns);
}

/* RFC 3768 6.1: the skew of version 2 does not scale with the interval. */
int64_t
election_skew_ns(const struct election *e, int64_t interval_ns)
{
	return el_skew_ns(e->params.priority, e->params.version == 2 ? NS_PER_S : interval_ns);
}

int64_t
election_down_ns(const struct election *e, int64_t interval_ns)
{
	return DOWN_ADVERTS * interval_ns + election_skew_ns(e, interval_ns);
}

int64_t
el_patience_ns(const struct election *e)
{
	return election_down_ns(e, e->active_interval_ns);
}

const char *
el_role_name(enum el_role role)
{
	switch (role) {
	case EL_INIT: return "init";
	case EL_BACKUP: return "backup";
	case EL_ACTIVE: return "active";
	case EL_FAULT: return "fault";
	}
	return "invalid";
}

static bool
is_owner(const struct election *e)
{
	return e->params.priority == EL_PRIORITY_OWNER;
}

/* May it be active? An impaired node may where a better one would be known of. */
bool
election_is_able(const struct election *e)
{
	return e->fitness == EL_FIT || (e->fitness == EL_IMPAIRED && e->params.keyed);
}

struct el_act *
election_act(struct el_acts *out, enum el_act_kind kind)
{
	struct el_act *a;

	assert(out->count < EL_ACTS_MAX);
	a = &out->list[out->count++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

void
election_send_advert(struct el_acts *out, uint8_t priority)
{
	election_act(out, EL_SEND_ADVERT)->priority = priority;
}

static void
address_act(struct election *e, enum el_act_kind kind, struct el_acts *out)
{
	e->sequence = e->sequence == UINT32_MAX ? 1 : e->sequence + 1;
	e->pending = e->sequence;
	e->asked_lease_ns = e->params.lease_ns;
	election_act(out, kind)->sequence = e->sequence;
}

/* Every address is asked for again; a renewal may only follow a confirmed claim. */
static void
claim(struct election *e, mono now, struct el_acts *out)
{
	e->prepare_deadline = MONO_NEVER;
	e->renew_deadline = MONO_NEVER;
	e->reclaim = false;
	if (mono_is_never(e->lease_deadline))
		e->lease_deadline = mono_add_ns(now, e->params.lease_ns);
	address_act(e, EL_CLAIM, out);
}

static void
stop_timers(struct election *e)
{
	e->down_deadline = e->advert_deadline = e->preempt_deadline = MONO_NEVER;
	e->lease_deadline = e->renew_deadline = e->prepare_deadline = MONO_NEVER;
	e->retry_deadline = e->reannounce_deadline = MONO_NEVER;
	e->answer_owed = false;
	grouped_forget(e);
	announce_stop(&e->announce);
}

/* State first, effects after. */
static void
enter(struct election *e, mono now, enum el_role role, enum reason reason, struct el_acts *out)
{
	struct el_act *a;

	a = election_act(out, EL_ROLE);
	a->from = e->role;
	a->to = role;
	a->reason = reason;
	e->role = role;
	e->reason = reason;
	e->since = now;
	stop_timers(e);
	keyed_enter(e, now, reason, out);
}

bool
el_was_offered(enum reason why)
{
	return why == REASON_SWITCHOVER || why == REASON_PREEMPTED_PEER || why == REASON_PEER_UNFIT;
}

/*
 * How long a claim waits for the pool, at most. Who offers its place serves until it is taken, so
 * that nobody waits with us.
 */
static int64_t
preparation_ns(const struct election *e, enum reason reason)
{
	bool offered = el_was_offered(reason);

	if (e->params.prepare)
		return prepare_patience_ns;
	return e->params.prepare_offered && offered ? prepare_patience_ns / 10 : 0;
}

void
election_enter_active(struct election *e, mono now, enum reason reason, struct el_acts *out)
{
	mono due = mono_min(e->down_deadline, e->candidate_due);

	enter(e, now, EL_ACTIVE, reason, out);
	e->phases = (struct el_phases){
		.last_heard = e->last_heard,
		.due = mono_min(due, now), /* a claim before its time has no delay */
		.decided = now,
		.claimed = MONO_NEVER,
	};
	e->hold = false;
	e->claimed = false;
	e->removals = 0;
	e->pending = 0; /* a release still on its way must not be taken for a claim */
	e->resign_deadline = MONO_NEVER;
	e->catch_up_deadline = now; /* what there is from here on is ours */
	e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
	election_send_advert(out, e->params.priority);
	if (preparation_ns(e, reason) > 0) {
		e->prepare_deadline = mono_add_ns(now, preparation_ns(e, reason));
		election_act(out, EL_PREPARE);
	} else {
		claim(e, now, out);
	}
}

void
election_enter_backup(struct election *e, mono now, enum reason reason, int64_t active_interval_ns,
	struct el_acts *out)
{
	enter(e, now, EL_BACKUP, reason, out);
	e->active_interval_ns = active_interval_ns;
	e->down_deadline = mono_add_ns(now, election_down_ns(e, active_interval_ns));
}

/* RFC 9568 6.4.1. The owner in a keyed pair listens first: its peer hands over without a loss. */
void
election_enter(struct election *e, mono now, enum reason reason, struct el_acts *out)
{
	bool at_once = is_owner(e) && !e->params.keyed;

	e->last_heard = MONO_NEVER;
	if (!at_once || e->params.grouped)
		election_enter_backup(e, now, reason, e->params.interval_ns, out);
	if (at_once)
		grouped_rise(e, now, REASON_OWNER, out);
}

/*
 * Give the addresses up. With `resign`, priority 0 follows as soon as the kernel has removed them
 * (so that nobody is invited before the place is free), or after release_patience_ns. Who resigns
 * lets the others go first, by the resignation or, when that is late or lost, by our silence.
 */
void
election_release(struct election *e, mono now, bool resign, struct el_acts *out)
{
	e->claimed = false;
	e->reclaim = false;
	e->resign_deadline = MONO_NEVER;
	if (resign) {
		e->resign_deadline = mono_add_ns(now, release_patience_ns);
		e->down_deadline = mono_add_ns(e->down_deadline,
			release_patience_ns + e->params.interval_ns);
	}
	address_act(e, EL_RELEASE, out);
}

static void
send_resignation(struct election *e, struct el_acts *out)
{
	if (mono_is_never(e->resign_deadline))
		return;
	e->resign_deadline = MONO_NEVER;
	election_send_advert(out, EL_PRIORITY_RESIGN);
}

/* A fault of the node's own making: step down, and try again after a while. */
static void
enter_own_fault(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	enter(e, now, EL_FAULT, why, out);
	e->retry_deadline = mono_add_ns(now, fault_retry_ns);
	election_release(e, now, true, out);
}

void
el_init(struct election *e, const struct el_params *params, mono now)
{
	memset(e, 0, sizeof(*e));
	e->params = *params;
	e->role = EL_INIT;
	e->reason = REASON_STARTED;
	e->unfit = REASON_STARTED;
	e->since = now;
	e->active_interval_ns = params->interval_ns;
	e->last_heard = e->catch_up_deadline = MONO_NEVER;
	e->resign_deadline = MONO_NEVER;
	e->phases = (struct el_phases){MONO_NEVER, MONO_NEVER, MONO_NEVER, MONO_NEVER};
	stop_timers(e);
	keyed_start(e);
}

/* Nobody is reached over an interface without carrier: there is no need to release before. */
static bool
is_cut_off(enum reason why)
{
	return why == REASON_CARRIER_LOST || why == REASON_INTERFACE_DOWN ||
		why == REASON_INTERFACE_MISSING;
}

void
election_enter_fault(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	bool was_active = e->role == EL_ACTIVE;
	bool at_once = e->params.keyed && is_cut_off(why);

	enter(e, now, EL_FAULT, why, out);
	if (!was_active)
		return;
	if (at_once)
		election_send_advert(out, EL_PRIORITY_RESIGN);
	election_release(e, now, !at_once, out);
}

/* An active that may no longer be one steps down before it does anything else. */
bool
election_must_step_down(struct election *e, mono now, struct el_acts *out)
{
	mono patience = mono_add_ns(e->advert_deadline, (DOWN_ADVERTS - 1) * e->params.interval_ns);
	bool late, lapsed;

	if (e->role != EL_ACTIVE)
		return false;
	late = mono_due(patience, now);
	lapsed = mono_due(e->lease_deadline, now);
	if (!late && !lapsed)
		return false;
	election_enter_backup(e, now, lapsed ? REASON_LEASE_LAPSED : REASON_WOKE_LATE,
		e->params.interval_ns, out);
	/* A sleeper says nothing, not even that it resigns, before it has listened. */
	election_release(e, now, !late, out);
	return true;
}

/* Fit, or as good as that in a keyed pair: it takes part in the election. */
static void
become_able(struct election *e, mono now, struct el_acts *out)
{
	if (e->role == EL_FAULT && is_cut_off(e->reason))
		e->catch_up_deadline = MONO_NEVER; /* what was said meanwhile was not heard */
	if (e->role == EL_INIT)
		election_enter(e, now, REASON_STARTED, out);
	else if (e->role == EL_FAULT && mono_is_never(e->retry_deadline) &&
		e->reason != REASON_ISOLATED)
		election_enter(e, now, REASON_FIT_AGAIN, out);
	else if (e->params.keyed)
		keyed_reconsider(e, now, out);
}

void
el_set_fitness(struct election *e, mono now, enum el_fitness fitness, enum reason why,
	struct el_acts *out)
{
	if (e->role == EL_INIT && e->reason == REASON_STOPPED)
		return; /* an interface that comes back must not undo a shutdown */
	election_must_step_down(e, now, out); /* a sleeper does not resign */
	e->fitness = fitness;
	e->unfit = fitness == EL_FIT ? REASON_NONE : why;
	if (election_is_able(e)) {
		become_able(e, now, out);
	} else if (e->role == EL_FAULT) {
		e->reason = why;
		e->retry_deadline = MONO_NEVER;
	} else {
		election_enter_fault(e, now, why, out);
	}
}

/* Does a backup let that node be active (RFC 9568 6.4.2), at this moment? */
static bool
yields_to(struct election *e, mono now, const struct el_advert *advert)
{
	if (advert->priority >= e->params.priority || e->hold)
		return true;
	if (advert->keyed && advert->fitness > e->fitness)
		return true;
	if (is_owner(e))
		return false;
	if (!e->params.preempt)
		return true;
	if (mono_is_never(e->preempt_deadline))
		e->preempt_deadline = mono_add_ns(now, e->params.preempt_delay_ns);
	return mono_before(now, e->preempt_deadline) || el_is_behind(e, now);
}

void
election_recv_as_backup(struct election *e, mono now, const struct el_advert *advert)
{
	if (advert->priority == EL_PRIORITY_RESIGN) {
		mono skewed = mono_add_ns(now, election_skew_ns(e, e->active_interval_ns));

		/* Never later than it was due: a stream of resignations must not hold us off. */
		e->down_deadline = mono_min(e->down_deadline, skewed);
		return;
	}
	catch_up_heard(e, now);
	e->wants = !yields_to(e, now, advert);
	grouped_heard(e, e->wants);
	if (e->wants)
		return;
	if (advert->priority >= e->params.priority)
		e->preempt_deadline = MONO_NEVER;
	e->active_interval_ns = advert->interval_ns;
	e->down_deadline = mono_add_ns(now, election_down_ns(e, advert->interval_ns));
}

static void
report_rival(const struct el_advert *advert, struct el_acts *out)
{
	struct el_act *a = election_act(out, EL_RIVAL);

	a->rival = advert->source;
	a->rival_priority = advert->priority;
}

/*
 * Another active that must give way, or one that resigns: answer at once (RFC 9568 6.4.3), but
 * never in a storm. What comes too soon after the last answer is answered a little later.
 */
void
election_answer_rival(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	if (mono_before(now, e->rival_answered)) {
		e->answer_owed = true;
		e->advert_deadline = mono_min(e->advert_deadline, e->rival_answered);
	} else {
		e->rival_answered = mono_add_ns(now, e->params.interval_ns / 4);
		election_send_advert(out, e->params.priority);
		if (advert->priority == EL_PRIORITY_RESIGN)
			e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
		else
			report_rival(advert, out);
	}
	announcements_repeat(e, now, out);
}

static void
recv_as_active(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	int tie = ip_addr_compare(&advert->source, &e->params.own);
	bool higher = advert->priority > e->params.priority;

	if (higher || (advert->priority == e->params.priority && tie > 0)) {
		election_enter_backup(e, now, higher ? REASON_HIGHER_PRIORITY : REASON_HIGHER_ADDRESS,
			advert->interval_ns, out);
		election_release(e, now, false, out);
		return;
	}
	election_answer_rival(e, now, advert, out);
}

void
el_recv(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	if (ip_addr_equal(&advert->source, &e->params.own))
		return; /* a bridge loop, or somebody with our address: never an election (V030) */
	if (e->params.keyed && advert->keyed) {
		election_must_step_down(e, now, out);
		keyed_recv(e, now, advert, out);
		return;
	}
	if (e->role != EL_BACKUP && e->role != EL_ACTIVE)
		return;
	/* Deposed in our sleep: a successor must not be answered as if it were a rival. */
	election_must_step_down(e, now, out);
	e->last_heard = now;
	e->last_priority = advert->priority;
	e->last_source = advert->source;
	if (e->role == EL_BACKUP)
		election_recv_as_backup(e, now, advert);
	else
		recv_as_active(e, now, advert, out);
}

static enum reason
takeover_reason(const struct election *e, mono now)
{
	int64_t down_ns = el_patience_ns(e);

	if (mono_is_never(e->last_heard) || mono_diff_ns(now, e->last_heard) >= down_ns)
		return REASON_PEER_SILENT;
	if (e->last_priority == EL_PRIORITY_RESIGN)
		return REASON_PEER_RESIGNED;
	if (e->last_priority < e->params.priority)
		return REASON_PREEMPTED_PEER;
	return REASON_PEER_SILENT;
}

static void
tick_backup(struct election *e, mono now, struct el_acts *out)
{
	if (!mono_due(e->down_deadline, now))
		return;
	/* Held up ourselves: what we missed says nothing about the peer. Listen once more. */
	if (mono_diff_ns(now, e->down_deadline) > e->active_interval_ns) {
		e->down_deadline = mono_add_ns(now,
			e->active_interval_ns + election_skew_ns(e, e->active_interval_ns));
		return;
	}
	if (e->params.keyed && !keyed_silence_is_real(e, now))
		return;
	grouped_rise(e, now, takeover_reason(e, now), out);
}

static void
send_due_advert(struct election *e, mono now, struct el_acts *out)
{
	if (!mono_due(e->advert_deadline, now))
		return;
	election_send_advert(out, e->params.priority);
	if (e->answer_owed)
		e->rival_answered = mono_add_ns(now, e->params.interval_ns / 4);
	e->answer_owed = false;
	/* A fixed rhythm: from the deadline, not from now, unless that is already past. */
	e->advert_deadline = mono_add_ns(e->advert_deadline, e->params.interval_ns);
	if (mono_due(e->advert_deadline, now))
		e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
}

static void
tick_active(struct election *e, mono now, struct el_acts *out)
{
	if (election_must_step_down(e, now, out))
		return;
	if (e->params.keyed)
		keyed_tick(e, now, out);
	if (e->role != EL_ACTIVE)
		return; /* handed over */
	if (mono_due(e->prepare_deadline, now))
		claim(e, now, out);
	if (mono_due(e->renew_deadline, now)) {
		e->renew_deadline = MONO_NEVER;
		address_act(e, EL_RENEW, out);
	}
	send_due_advert(e, now, out);
	announcements_tick(e, now, out);
}

void
el_tick(struct election *e, mono now, struct el_acts *out)
{
	if (mono_due(e->resign_deadline, now))
		send_resignation(e, out);
	if (e->params.keyed && e->role != EL_ACTIVE)
		keyed_tick(e, now, out);
	switch (e->role) {
	case EL_INIT:
		break;
	case EL_FAULT:
		if (mono_due(e->retry_deadline, now)) {
			e->retry_deadline = MONO_NEVER;
			if (election_is_able(e))
				election_enter(e, now, REASON_FIT_AGAIN, out);
		}
		break;
	case EL_BACKUP:
		tick_backup(e, now, out);
		break;
	case EL_ACTIVE:
		tick_active(e, now, out);
		break;
	}
}

void
el_prepared(struct election *e, mono now, struct el_acts *out)
{
	if (mono_is_never(e->prepare_deadline) || election_must_step_down(e, now, out))
		return;
	claim(e, now, out);
}

/* The kernel confirmed the addresses; the lease counts from before it was asked. */
static void
leases_confirmed(struct election *e, mono now, mono sent, struct el_acts *out)
{
	bool first = !e->claimed;

	e->claimed = true;
	e->lease_deadline = mono_add_ns(sent, e->asked_lease_ns - lease_margin_ns);
	e->renew_deadline = mono_add_ns(sent, e->asked_lease_ns / 3);
	e->renew_deadline.ns -= e->renew_deadline.ns % renew_together_ns;
	if (mono_due(e->renew_deadline, now))
		e->renew_deadline = mono_add_ns(now, renew_retry_ns);
	if (e->asked_lease_ns != e->params.lease_ns)
		e->renew_deadline = now; /* reloaded meanwhile: ask for the new one */
	if (first) {
		if (mono_is_never(e->phases.claimed))
			e->phases.claimed = now;
		announcements_begin(e, now, out);
		if (e->params.keyed)
			election_send_advert(out, e->params.priority); /* holding: an offer is taken */
	}
}

void
el_address_result(struct election *e, mono now, uint32_t sequence, mono sent, bool ok,
	struct el_acts *out)
{
	if (sequence == 0 || sequence != e->pending)
		return;
	e->pending = 0;
	if (e->role != EL_ACTIVE) {
		send_resignation(e, out);
		return;
	}
	/* An answer after the old deadline may have re-created an address that had lapsed. */
	if (election_must_step_down(e, now, out))
		return;
	if (ok) {
		leases_confirmed(e, now, sent, out);
	} else if (!e->claimed) {
		enter_own_fault(e, now, REASON_ADDRESS_REFUSED, out);
		return;
	} else {
		e->renew_deadline = mono_add_ns(now, renew_retry_ns);
	}
	if (e->reclaim) {
		e->claimed = false; /* announce what comes back */
		claim(e, now, out);
	}
}

void
el_addresses_removed(struct election *e, mono now, struct el_acts *out)
{
	if (e->role != EL_ACTIVE || (!e->claimed && e->pending == 0) ||
		election_must_step_down(e, now, out))
		return;
	if (e->reclaim)
		return; /* a flush tells of every address: one removal */
	if (e->pending != 0) {
		e->reclaim = true; /* one flush tells of every address: it counts once */
		return;
	}
	if (mono_diff_ns(now, e->removal_window) >= removal_window_ns) {
		e->removal_window = now;
		e->removals = 0;
	}
	if (++e->removals > REMOVALS_TOLERATED) {
		enter_own_fault(e, now, REASON_ADDRESS_REMOVED, out);
		return;
	}
	el_addresses_changed(e, now, out);
}

void
el_addresses_changed(struct election *e, mono now, struct el_acts *out)
{
	if (e->role != EL_ACTIVE || election_must_step_down(e, now, out))
		return;
	if (e->pending != 0) {
		e->reclaim = true;
		return;
	}
	if (!e->claimed)
		return; /* still waiting for the pool: the claim to come has the new list */
	e->claimed = false;
	claim(e, now, out);
}

enum reason
el_switchover(struct election *e, mono now, struct el_acts *out)
{
	if (e->role != EL_ACTIVE)
		return REASON_NOT_ACTIVE;
	if (election_must_step_down(e, now, out))
		return REASON_NOT_ACTIVE;
	if (e->params.keyed) {
		if (!el_peer_is_ready(e, now))
			return REASON_PEER_ABSENT;
		keyed_offer(e, now, REASON_SWITCHOVER, out);
		return REASON_NONE;
	}
	election_enter_backup(e, now, REASON_SWITCHOVER, e->params.interval_ns, out);
	e->hold = true;
	election_release(e, now, true, out);
	return REASON_NONE;
}

void
el_speak(struct election *e, mono now, struct el_acts *out)
{
	if (election_must_step_down(e, now, out))
		return;
	if (e->role == EL_ACTIVE)
		election_send_advert(out, e->params.priority);
	else if (e->params.keyed)
		keyed_speak(e, now, out);
}

void
el_stop(struct election *e, mono now, struct el_acts *out)
{
	enum el_role was;

	election_must_step_down(e, now, out);
	was = e->role;
	if (was == EL_INIT)
		return;
	e->fitness = EL_UNFIT;
	e->unfit = REASON_STOPPED;
	enter(e, now, EL_INIT, REASON_STOPPED, out);
	if (was == EL_ACTIVE)
		election_release(e, now, true, out);
	else if (e->params.keyed)
		election_act(out, EL_SEND_HELLO); /* the peer has no standby from now on */
}

bool
el_is_quiet(const struct election *e)
{
	return e->pending == 0 && mono_is_never(e->resign_deadline);
}

void
el_reconfigure(struct election *e, mono now, const struct el_params *params, struct el_acts *out)
{
	bool sooner = params->lease_ns != e->params.lease_ns;

	election_must_step_down(e, now, out); /* judged by what the others know of us so far */
	if (mono_is_never(e->last_heard))
		e->active_interval_ns = params->interval_ns;
	if (e->params.catch_up_ns == 0)
		e->catch_up_deadline = MONO_NEVER; /* nothing was told so far */
	e->params = *params;
	if (!params->grouped)
		grouped_forget(e);
	if (!mono_is_never(e->preempt_deadline))
		e->preempt_deadline = mono_min(e->preempt_deadline,
			mono_add_ns(now, params->preempt_delay_ns));
	if (e->role == EL_BACKUP)
		e->down_deadline = mono_min(e->down_deadline,
			mono_add_ns(now, el_patience_ns(e)));
	if (!params->keyed) {
		keyed_drop_offer(e, REASON_OFFER_EXPIRED, out);
		keyed_start(e);
	} else if (mono_is_never(e->hello_deadline) &&
		(e->role == EL_BACKUP || e->role == EL_FAULT)) {
		e->hello_deadline = now; /* the first hello of a pair that has just got a key */
	}
	if (e->role != EL_ACTIVE)
		return;
	e->advert_deadline =
		mono_min(e->advert_deadline, mono_add_ns(now, params->interval_ns));
	e->rival_answered =
		mono_min(e->rival_answered, mono_add_ns(now, params->interval_ns / 4));
	if (sooner && e->claimed && e->pending == 0)
		e->renew_deadline = now;
}

bool
el_may_resume(const struct election *e, mono now, mono last_advert, mono lease_deadline)
{
	/* Half an interval short of the peer's shortest patience. */
	int64_t patience_ns = DOWN_ADVERTS * e->params.interval_ns - e->params.interval_ns / 2;

	return e->role == EL_INIT && mono_diff_ns(now, last_advert) < patience_ns &&
		!mono_due(lease_deadline, now);
}

bool
el_resume(struct election *e, mono now, mono since, mono last_advert, mono lease_deadline,
	struct el_acts *out)
{
	if (!el_may_resume(e, now, last_advert, lease_deadline))
		return false;
	e->fitness = EL_FIT;
	e->unfit = REASON_NONE;
	enter(e, now, EL_ACTIVE, REASON_RESUMED, out);
	e->since = since;
	e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
	election_send_advert(out, e->params.priority);
	claim(e, now, out);
	e->lease_deadline = lease_deadline;
	return true;
}

mono
el_deadline(const struct election *e)
{
	mono next = mono_min(e->resign_deadline, e->retry_deadline);

	next = mono_min(next, e->reannounce_deadline);
	next = mono_min(next, mono_min(e->down_deadline, e->advert_deadline));
	next = mono_min(next, mono_min(e->prepare_deadline, e->renew_deadline));
	next = mono_min(next, mono_min(e->lease_deadline, e->announce.deadline));
	return e->params.keyed ? mono_min(next, keyed_deadline(e)) : next;
}
