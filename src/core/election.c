/*
 * The election of one virtual router. See election.h for the contract.
 *
 * The file reads top down: arithmetic of the timers, writing actions, address actions, entering a
 * role (each role is entered in one function only), then one function per event.
 *
 * RFC 9568 6.4.1 Initialize, 6.4.2 Backup, 6.4.3 Active; deviations, all on the side of the
 * client: addresses go before priority 0 is sent, a late waker listens before it speaks.
 */
#include "core/election.h"

#include <assert.h>
#include <string.h>

enum { DOWN_ADVERTS = 3, PRIORITY_SPAN = 256 };
enum { REMOVALS_TOLERATED = 5 };

static const int64_t lease_margin_ns = 50 * NS_PER_MS; /* the kernel may lapse 20 ms early */
static const int64_t prepare_patience_ns = 1 * NS_PER_S;
static const int64_t release_patience_ns = 100 * NS_PER_MS;
static const int64_t renew_retry_ns = 100 * NS_PER_MS;
static const int64_t fault_retry_ns = 5 * NS_PER_S;
static const int64_t removal_window_ns = 10 * NS_PER_S;
static const int64_t rival_announce_ns = 1 * NS_PER_S;

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

static struct el_act *
act(struct el_acts *out, enum el_act_kind kind)
{
	struct el_act *a;

	assert(out->count < EL_ACTS_MAX);
	a = &out->list[out->count++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

static void
send_advert(struct el_acts *out, uint8_t priority)
{
	act(out, EL_SEND_ADVERT)->priority = priority;
}

static void
address_act(struct election *e, enum el_act_kind kind, struct el_acts *out)
{
	e->sequence = e->sequence == UINT32_MAX ? 1 : e->sequence + 1;
	e->pending = e->sequence;
	e->asked_lease_ns = e->params.lease_ns;
	act(out, kind)->sequence = e->sequence;
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
announce(struct election *e, mono now, struct el_acts *out)
{
	if (announce_tick(&e->announce, now))
		act(out, EL_ANNOUNCE);
}

static void
stop_timers(struct election *e)
{
	e->down_deadline = e->advert_deadline = e->preempt_deadline = MONO_NEVER;
	e->lease_deadline = e->renew_deadline = e->prepare_deadline = MONO_NEVER;
	e->retry_deadline = e->reannounce_deadline = MONO_NEVER;
	e->answer_owed = false;
	announce_stop(&e->announce);
}

/* State first, effects after. */
static void
enter(struct election *e, mono now, enum el_role role, enum reason reason, struct el_acts *out)
{
	struct el_act *a;

	a = act(out, EL_ROLE);
	a->from = e->role;
	a->to = role;
	a->reason = reason;
	e->role = role;
	e->reason = reason;
	e->since = now;
	stop_timers(e);
}

static void
enter_active(struct election *e, mono now, enum reason reason, struct el_acts *out)
{
	mono due = e->down_deadline;

	enter(e, now, EL_ACTIVE, reason, out);
	e->phases = (struct el_phases){
		.last_heard = e->last_heard,
		.due = mono_is_never(due) ? now : due,
		.decided = now,
		.claimed = MONO_NEVER,
	};
	e->hold = false;
	e->claimed = false;
	e->removals = 0;
	e->pending = 0; /* a release still on its way must not be taken for a claim */
	e->resign_deadline = MONO_NEVER;
	e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
	send_advert(out, e->params.priority);
	if (e->params.prepare) {
		e->prepare_deadline = mono_add_ns(now, prepare_patience_ns);
		act(out, EL_PREPARE);
	} else {
		claim(e, now, out);
	}
}

static void
enter_backup(struct election *e, mono now, enum reason reason, int64_t active_interval_ns,
	struct el_acts *out)
{
	enter(e, now, EL_BACKUP, reason, out);
	e->active_interval_ns = active_interval_ns;
	e->down_deadline = mono_add_ns(now, el_down_ns(e->params.priority, active_interval_ns));
}

/* RFC 9568 6.4.1. */
static void
enter_election(struct election *e, mono now, enum reason reason, struct el_acts *out)
{
	e->last_heard = MONO_NEVER;
	if (is_owner(e))
		enter_active(e, now, REASON_OWNER, out);
	else
		enter_backup(e, now, reason, e->params.interval_ns, out);
}

/*
 * Give the addresses up. With `resign`, priority 0 follows as soon as the kernel has removed them
 * (so that nobody is invited before the place is free), or after release_patience_ns. Who resigns
 * lets the others go first, by the resignation or, when that is late or lost, by our silence.
 */
static void
release(struct election *e, mono now, bool resign, struct el_acts *out)
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
	send_advert(out, EL_PRIORITY_RESIGN);
}

/* A fault of the node's own making: step down, and try again after a while. */
static void
enter_own_fault(struct election *e, mono now, enum reason why, struct el_acts *out)
{
	enter(e, now, EL_FAULT, why, out);
	e->retry_deadline = mono_add_ns(now, fault_retry_ns);
	release(e, now, true, out);
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
	e->last_heard = MONO_NEVER;
	e->resign_deadline = MONO_NEVER;
	e->phases = (struct el_phases){MONO_NEVER, MONO_NEVER, MONO_NEVER, MONO_NEVER};
	stop_timers(e);
}

void
el_set_fitness(struct election *e, mono now, enum el_fitness fitness, enum reason why,
	struct el_acts *out)
{
	enum el_role was = e->role;
	bool fit = fitness == EL_FIT;

	if (was == EL_INIT && e->reason == REASON_STOPPED)
		return; /* an interface that comes back must not undo a shutdown */
	e->fitness = fitness;
	e->unfit = fit ? REASON_NONE : why;
	if (fit) {
		if (was == EL_INIT)
			enter_election(e, now, REASON_STARTED, out);
		else if (was == EL_FAULT && mono_is_never(e->retry_deadline))
			enter_election(e, now, REASON_FIT_AGAIN, out);
		return;
	}
	if (was == EL_FAULT) {
		e->reason = why;
		e->retry_deadline = MONO_NEVER;
		return;
	}
	enter(e, now, EL_FAULT, why, out);
	if (was == EL_ACTIVE)
		release(e, now, true, out);
}

/* Does a backup let that node be active (RFC 9568 6.4.2), at this moment? */
static bool
yields_to(struct election *e, mono now, const struct el_advert *advert)
{
	if (advert->priority >= e->params.priority || e->hold)
		return true;
	if (is_owner(e))
		return false;
	if (!e->params.preempt)
		return true;
	if (mono_is_never(e->preempt_deadline))
		e->preempt_deadline = mono_add_ns(now, e->params.preempt_delay_ns);
	return mono_before(now, e->preempt_deadline);
}

static void
recv_as_backup(struct election *e, mono now, const struct el_advert *advert)
{
	if (advert->priority == EL_PRIORITY_RESIGN) {
		mono skewed = mono_add_ns(now, el_skew_ns(e->params.priority, e->active_interval_ns));

		/* Never later than it was due: a stream of resignations must not hold us off. */
		e->down_deadline = mono_min(e->down_deadline, skewed);
		return;
	}
	if (!yields_to(e, now, advert))
		return;
	if (advert->priority >= e->params.priority)
		e->preempt_deadline = MONO_NEVER;
	e->active_interval_ns = advert->interval_ns;
	e->down_deadline = mono_add_ns(now, el_down_ns(e->params.priority, advert->interval_ns));
}

/* An active that may no longer be one steps down before it does anything else. */
static bool
must_step_down(struct election *e, mono now, struct el_acts *out)
{
	mono patience = mono_add_ns(e->advert_deadline, (DOWN_ADVERTS - 1) * e->params.interval_ns);

	if (e->role != EL_ACTIVE)
		return false;
	if (mono_due(e->lease_deadline, now)) {
		enter_backup(e, now, REASON_LEASE_LAPSED, e->params.interval_ns, out);
		release(e, now, true, out);
		return true;
	}
	if (mono_due(patience, now)) {
		enter_backup(e, now, REASON_WOKE_LATE, e->params.interval_ns, out);
		release(e, now, false, out);
		return true;
	}
	return false;
}

static void
report_rival(const struct el_advert *advert, struct el_acts *out)
{
	struct el_act *a = act(out, EL_RIVAL);

	a->rival = advert->source;
	a->rival_priority = advert->priority;
}

/* Neighbours may believe the rival's last word: have ours after it, at most once a second. */
static void
reannounce(struct election *e, mono now, struct el_acts *out)
{
	if (mono_before(now, e->rival_announced)) {
		e->reannounce_deadline = e->rival_announced;
		return;
	}
	e->reannounce_deadline = MONO_NEVER;
	e->rival_announced = mono_add_ns(now, rival_announce_ns);
	announce_start(&e->announce, now);
	announce(e, now, out);
}

/*
 * Another active that must give way, or one that resigns: answer at once (RFC 9568 6.4.3), but
 * never in a storm. What comes too soon after the last answer is answered a little later.
 */
static void
answer_rival(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	if (mono_before(now, e->rival_answered)) {
		e->answer_owed = true;
		e->advert_deadline = mono_min(e->advert_deadline, e->rival_answered);
	} else {
		e->rival_answered = mono_add_ns(now, e->params.interval_ns / 4);
		send_advert(out, e->params.priority);
		if (advert->priority == EL_PRIORITY_RESIGN)
			e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
		else
			report_rival(advert, out);
	}
	if (e->claimed)
		reannounce(e, now, out);
}

static void
recv_as_active(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	int tie = ip_addr_compare(&advert->source, &e->params.own);
	bool higher = advert->priority > e->params.priority;

	if (higher || (advert->priority == e->params.priority && tie > 0)) {
		enter_backup(e, now, higher ? REASON_HIGHER_PRIORITY : REASON_HIGHER_ADDRESS,
			advert->interval_ns, out);
		release(e, now, false, out);
		return;
	}
	answer_rival(e, now, advert, out);
}

void
el_recv(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out)
{
	if (ip_addr_equal(&advert->source, &e->params.own))
		return; /* a bridge loop, or somebody with our address: never an election (V030) */
	if (e->role != EL_BACKUP && e->role != EL_ACTIVE)
		return;
	/* Deposed in our sleep: a successor must not be answered as if it were a rival. */
	must_step_down(e, now, out);
	e->last_heard = now;
	e->last_priority = advert->priority;
	e->last_source = advert->source;
	if (e->role == EL_BACKUP)
		recv_as_backup(e, now, advert);
	else
		recv_as_active(e, now, advert, out);
}

static enum reason
takeover_reason(const struct election *e, mono now)
{
	int64_t down_ns = el_down_ns(e->params.priority, e->active_interval_ns);

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
		e->down_deadline = mono_add_ns(now, e->active_interval_ns +
			el_skew_ns(e->params.priority, e->active_interval_ns));
		return;
	}
	enter_active(e, now, takeover_reason(e, now), out);
}

static void
send_due_advert(struct election *e, mono now, struct el_acts *out)
{
	if (!mono_due(e->advert_deadline, now))
		return;
	send_advert(out, e->params.priority);
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
	if (must_step_down(e, now, out))
		return;
	if (mono_due(e->prepare_deadline, now))
		claim(e, now, out);
	if (mono_due(e->renew_deadline, now)) {
		e->renew_deadline = MONO_NEVER;
		address_act(e, EL_RENEW, out);
	}
	send_due_advert(e, now, out);
	if (mono_due(e->reannounce_deadline, now))
		reannounce(e, now, out);
	announce(e, now, out);
}

void
el_tick(struct election *e, mono now, struct el_acts *out)
{
	if (mono_due(e->resign_deadline, now))
		send_resignation(e, out);
	switch (e->role) {
	case EL_INIT:
		break;
	case EL_FAULT:
		if (mono_due(e->retry_deadline, now)) {
			e->retry_deadline = MONO_NEVER;
			if (e->fitness == EL_FIT)
				enter_election(e, now, REASON_FIT_AGAIN, out);
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
	if (mono_is_never(e->prepare_deadline) || must_step_down(e, now, out))
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
	if (mono_due(e->renew_deadline, now))
		e->renew_deadline = mono_add_ns(now, renew_retry_ns);
	if (e->asked_lease_ns != e->params.lease_ns)
		e->renew_deadline = now; /* reloaded meanwhile: ask for the new one */
	if (first) {
		if (mono_is_never(e->phases.claimed))
			e->phases.claimed = now;
		announce_start(&e->announce, now);
		announce(e, now, out);
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
	if (must_step_down(e, now, out))
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
	if (e->role != EL_ACTIVE || (!e->claimed && e->pending == 0) || must_step_down(e, now, out))
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
	if (e->role != EL_ACTIVE || must_step_down(e, now, out))
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
	enter_backup(e, now, REASON_SWITCHOVER, e->params.interval_ns, out);
	e->hold = true;
	release(e, now, true, out);
	return REASON_NONE;
}

void
el_stop(struct election *e, mono now, struct el_acts *out)
{
	enum el_role was = e->role;

	if (was == EL_INIT)
		return;
	e->fitness = EL_UNFIT;
	e->unfit = REASON_STOPPED;
	enter(e, now, EL_INIT, REASON_STOPPED, out);
	if (was == EL_ACTIVE)
		release(e, now, true, out);
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

	must_step_down(e, now, out); /* judged by what the others know of us so far */
	if (mono_is_never(e->last_heard))
		e->active_interval_ns = params->interval_ns;
	e->params = *params;
	if (!mono_is_never(e->preempt_deadline))
		e->preempt_deadline = mono_min(e->preempt_deadline,
			mono_add_ns(now, params->preempt_delay_ns));
	if (e->role == EL_BACKUP)
		e->down_deadline = mono_min(e->down_deadline,
			mono_add_ns(now, el_down_ns(params->priority, e->active_interval_ns)));
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
el_resume(struct election *e, mono now, mono since, mono last_advert, mono lease_deadline,
	struct el_acts *out)
{
	/* Half an interval short of the peer's shortest patience. */
	int64_t patience_ns = DOWN_ADVERTS * e->params.interval_ns - e->params.interval_ns / 2;

	if (e->role != EL_INIT || mono_diff_ns(now, last_advert) >= patience_ns ||
		mono_due(lease_deadline, now))
		return false;
	e->fitness = EL_FIT;
	e->unfit = REASON_NONE;
	enter(e, now, EL_ACTIVE, REASON_RESUMED, out);
	e->since = since;
	e->advert_deadline = mono_add_ns(now, e->params.interval_ns);
	send_advert(out, e->params.priority);
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
	return mono_min(next, mono_min(e->lease_deadline, e->announce.deadline));
}
