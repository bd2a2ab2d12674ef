/* What one node may do, call by call. See checker.h; the world as a whole is checker_world.c. */
#include "bundle.h"

#include <string.h>

static const int64_t release_patience_ns = 100 * NS_PER_MS;
static const int64_t pool_patience_ns = 1 * NS_PER_S;
static const int64_t announce_patience_ns = 1 * NS_PER_S;

static int64_t
skew_ns(const struct node *n, int64_t interval_ns)
{
	return (256 - n->params.priority) * interval_ns / 256;
}

static int64_t
down_ns(const struct node *n, int64_t interval_ns)
{
	return 3 * interval_ns + skew_ns(n, interval_ns);
}

static int64_t
longer(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

static uint32_t
number_of(const struct ip_addr *a)
{
	return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 |
		(uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

static bool
outranks(const struct el_advert *a, const struct node *n)
{
	return a->priority > n->params.priority || (a->priority == n->params.priority &&
		number_of(&a->source) > number_of(&n->params.own));
}

static struct watch *
watch_of(struct world *w, const struct node *n)
{
	return &w->checker.watch[n->id];
}

void
checker_booted(struct world *w, struct node *n)
{
	struct watch *k = watch_of(w, n);
	mono now = node_now(w, n);

	*k = (struct watch){.not_before = MONO_NEVER, .not_after = MONO_NEVER,
		.preempt_from = MONO_NEVER, .advert_by = MONO_NEVER, .announce_by = MONO_NEVER,
		.claim_by = MONO_NEVER, .resign_by = MONO_NEVER, .last_sent = now,
		.active_interval_ns = n->params.interval_ns,
		.sent_interval_ns = n->params.interval_ns, .ticks_since = now,
		.booted_at = w->now, .heard_at = now, .mute_until = now};
}

void
checker_before(struct world *w, struct node *n)
{
	w->checker.before.role = n->e.role;
	w->checker.before.now = node_now(w, n);
	watch_of(w, n)->deposed = false;
}

/* --- changes of role --- */

static void
check_new_backup(struct world *w, struct node *n, const struct el_act *a, mono now)
{
	struct watch *k = watch_of(w, n);
	const struct el_advert *heard = w->checker.heard;
	bool higher = a->reason == REASON_HIGHER_PRIORITY || a->reason == REASON_HIGHER_ADDRESS;
	int64_t interval = n->params.interval_ns, latest = 0;

	if (higher) {
		if (!heard || !outranks(heard, n) || a->from != EL_ACTIVE)
			world_fail(w, n, "deposed by nobody");
		k->deposed = true;
		interval = heard ? heard->interval_ns : interval;
	}
	if (a->reason == REASON_WOKE_LATE && mono_diff_ns(now, k->last_sent) < 2 * interval)
		world_fail(w, n, "woke late after no time");
	if (a->reason == REASON_SWITCHOVER || a->reason == REASON_LEASE_LAPSED)
		latest = release_patience_ns + n->params.interval_ns;
	if (a->reason == REASON_SWITCHOVER)
		k->hold = true;
	k->active_interval_ns = interval;
	k->preempt_from = MONO_NEVER;
	k->not_before = mono_add_ns(now, down_ns(n, interval));
	k->not_after = mono_add_ns(k->not_before, latest);
}

static void
check_new_active(struct world *w, struct node *n, const struct el_act *a, mono now,
	enum cause cause)
{
	struct watch *k = watch_of(w, n);

	w->checker.takeovers++;
	if (!bundle_is_grouped(w) && a->reason == REASON_PEER_RESIGNED &&
		(!k->heard || k->heard_priority != 0))
		world_fail(w, n, "nobody resigned");
	if (a->from != EL_BACKUP && !(a->reason == REASON_OWNER && n->params.priority == 255) &&
		!(a->reason == REASON_RESUMED && cause == CAUSE_RESUME))
		world_fail(w, n, "active without listening first");
	if (k->must_listen)
		world_fail(w, n, "took over on waking, without listening");
	k->hold = false;
	k->claim_confirmed = false;
	k->sent = 0;
	k->resign_by = MONO_NEVER;
	k->claim_by = now;
}

static void
check_role(struct world *w, struct node *n, const struct el_act *a, mono now, enum cause cause)
{
	struct watch *k = watch_of(w, n);

	if (a->from == a->to || a->reason == REASON_NONE)
		world_fail(w, n, "changed its role for no reason");
	if (a->from == EL_BACKUP && a->to == EL_ACTIVE && a->reason != REASON_GROUP &&
		a->reason != REASON_OWNER && mono_before(now, k->not_before))
		world_fail(w, n, "took over %lld us too early",
			(long long)(mono_diff_ns(k->not_before, now) / NS_PER_US));
	if (n->stopping && a->to != EL_INIT)
		world_fail(w, n, "a stop is not the end");
	if (w->now >= w->checker.settled_at)
		w->checker.changes++;
	k->advert_by = k->announce_by = k->claim_by = MONO_NEVER;
	k->ticks = 0;
	k->ticks_since = now;
	k->not_before = k->not_after = MONO_NEVER;
	if (a->from == EL_INIT || a->from == EL_FAULT)
		k->heard = false;
	switch (a->to) {
	case EL_BACKUP:
		check_new_backup(w, n, a, now);
		break;
	case EL_ACTIVE:
		check_new_active(w, n, a, now, cause);
		break;
	case EL_FAULT:
		break;
	case EL_INIT:
		if (a->reason != REASON_STOPPED)
			world_fail(w, n, "back to init without a stop");
		break;
	}
}

/* --- what is sent --- */

static void
check_resignation(struct world *w, struct node *n, mono now)
{
	struct watch *k = watch_of(w, n);

	if (mono_is_never(k->resign_by) && !k->may_resign)
		world_fail(w, n, "resigned what it did not have to");
	if (kernel_held(&n->kernel) > 0 && !k->release_failed &&
		mono_diff_ns(now, k->released_at) < release_patience_ns)
		world_fail(w, n, "resigned with the addresses still there");
	k->resign_by = MONO_NEVER;
}

static void
check_advert(struct world *w, struct node *n, const struct el_act *a, enum el_role role, mono now)
{
	struct watch *k = watch_of(w, n);
	mono *slot = &k->rhythm[k->sent % SIM_RHYTHM];

	if (a->priority == EL_PRIORITY_RESIGN) {
		check_resignation(w, n, now);
		return;
	}
	if (role != EL_ACTIVE)
		world_fail(w, n, "adverts in %s", el_role_name(role));
	if (a->priority != n->params.priority)
		world_fail(w, n, "adverts a foreign priority");
	if (k->woke_too_late)
		world_fail(w, n, "adverts after sleeping beyond the others' patience");
	if (k->sent >= SIM_RHYTHM && mono_diff_ns(now, *slot) < n->params.interval_ns)
		world_fail(w, n, "floods: %d adverts in one interval", SIM_RHYTHM + 1);
	*slot = now;
	k->sent++;
	k->last_sent = now;
	k->sent_interval_ns = n->params.interval_ns;
	k->advert_by = mono_add_ns(now, n->params.interval_ns);
}

/* --- addresses --- */

static bool
resigns_for(enum reason reason)
{
	return reason != REASON_HIGHER_PRIORITY && reason != REASON_HIGHER_ADDRESS &&
		reason != REASON_WOKE_LATE;
}

static void
check_address_act(struct world *w, struct node *n, const struct el_act *a, enum el_role role,
	mono now)
{
	struct watch *k = watch_of(w, n);
	int64_t interval = longer(k->sent_interval_ns, n->params.interval_ns);
	int64_t silence = mono_diff_ns(now, k->last_sent);

	if ((role == EL_ACTIVE) == (a->kind == EL_RELEASE))
		world_fail(w, n, "wants the wrong thing as %s", el_role_name(role));
	if (a->kind == EL_RENEW && (n->kernel.lapsed || !k->claim_confirmed))
		world_fail(w, n, "renews what is not there any more");
	if (a->kind != EL_RELEASE && k->woke_too_late)
		world_fail(w, n, "asks for addresses after sleeping too long");
	if (a->sequence == 0 || a->sequence != n->e.pending)
		world_fail(w, n, "an action whose result it will not know");
	k->wanted = a->kind != EL_RELEASE;
	k->claim_by = MONO_NEVER;
	if (a->kind != EL_RELEASE)
		return;
	k->released_at = now;
	k->release_failed = k->recreated = k->claim_confirmed = false;
	k->resign_by = resigns_for(k->reason) ? mono_add_ns(now, release_patience_ns)
						: MONO_NEVER;
	k->may_resign = false;
	/* who slept beyond the others' patience says nothing before it has listened */
	if ((k->reason == REASON_LEASE_LAPSED || k->reason == REASON_GROUP) && silence >= 2 * interval) {
		k->may_resign = silence < 4 * interval; /* the rhythm is not known so well */
		k->resign_by = MONO_NEVER;
	}
}

static void
check_act(struct world *w, struct node *n, const struct el_act *a, enum el_role *role, mono now,
	enum cause cause)
{
	struct watch *k = watch_of(w, n);

	switch (a->kind) {
	case EL_ROLE:
		if (a->from != *role)
			world_fail(w, n, "tells of a change from a role it did not have");
		*role = a->to;
		k->reason = a->reason;
		check_role(w, n, a, now, cause);
		break;
	case EL_SEND_ADVERT:
		check_advert(w, n, a, *role, now);
		break;
	case EL_CLAIM: case EL_RENEW: case EL_RELEASE:
		check_address_act(w, n, a, *role, now);
		break;
	case EL_PREPARE:
		if (*role != EL_ACTIVE || !n->params.prepare)
			world_fail(w, n, "asks for a pool it does not need");
		k->claim_by = mono_add_ns(now, pool_patience_ns);
		break;
	case EL_ANNOUNCE:
		if (*role != EL_ACTIVE || !k->claim_confirmed)
			world_fail(w, n, "announces what it does not have");
		k->announce_by = MONO_NEVER;
		break;
	case EL_RIVAL:
		if (*role != EL_ACTIVE || !w->checker.heard || w->checker.heard->priority == 0)
			world_fail(w, n, "sees a rival that is none");
		break;
	case EL_SEND_HELLO:
	case EL_ASK:
	case EL_RELAY:
	case EL_STILL_ANSWERED:
	case EL_OFFER_ENDED:
		world_fail(w, n, "does among plain VRRP routers what is for a keyed pair");
		break;
	case EL_CANDIDATE:
		if (!bundle_is_grouped(w) || *role != EL_BACKUP ||
			(a->reason != REASON_OWNER && mono_before(now, k->not_before)))
			world_fail(w, n, "waits for a group that it is not in, or too early");
		break;
	}
}

/* --- packets --- */

static void
backup_heard(struct world *w, struct node *n, const struct el_advert *a, mono now)
{
	struct watch *k = watch_of(w, n);
	bool better = a->priority >= n->params.priority, owner = n->params.priority == 255, yields;
	mono due;

	if (a->priority == 0) {
		due = mono_add_ns(now, skew_ns(n, k->active_interval_ns));
		k->not_before = mono_min(k->not_before, due);
		k->not_after = mono_min(k->not_after, due);
		return;
	}
	yields = better || k->hold || (!owner && !n->params.preempt);
	if (better)
		k->preempt_from = MONO_NEVER;
	if (!yields && !owner) {
		if (mono_is_never(k->preempt_from))
			k->preempt_from = mono_add_ns(now, n->params.preempt_delay_ns);
		yields = mono_before(now, k->preempt_from);
	}
	if (!yields)
		return;
	k->active_interval_ns = a->interval_ns;
	k->not_before = k->not_after = mono_add_ns(now, down_ns(n, a->interval_ns));
}

static void
active_heard(struct world *w, struct node *n, const struct el_advert *a, mono now)
{
	struct watch *k = watch_of(w, n);
	int64_t interval = longer(k->sent_interval_ns, n->params.interval_ns);

	if (outranks(a, n))
		world_fail(w, n, "stays active beside priority %u", a->priority);
	if (k->last_sent.ns != now.ns)
		k->advert_by = mono_min(k->advert_by, mono_add_ns(now, interval / 4));
	if (a->priority != 0 && n->e.claimed && mono_is_never(k->announce_by))
		k->announce_by = mono_add_ns(now, announce_patience_ns);
}

static void
check_heard(struct world *w, struct node *n, mono now)
{
	const struct el_advert *a = w->checker.heard;
	struct watch *k = watch_of(w, n);

	if (number_of(&a->source) == number_of(&n->params.own))
		return;
	if (n->e.role == EL_BACKUP || n->e.role == EL_ACTIVE) {
		k->heard = true;
		k->heard_priority = a->priority;
	}
	if (k->deposed)
		return;
	if (n->e.role == EL_BACKUP)
		backup_heard(w, n, a, now);
	else if (n->e.role == EL_ACTIVE)
		active_heard(w, n, a, now);
}

/* --- the other causes --- */

static void
check_reconfigured(struct world *w, struct node *n, mono now)
{
	struct watch *k = watch_of(w, n);

	k->ticks = 0;
	k->ticks_since = now;
	if (!k->heard)
		k->active_interval_ns = n->params.interval_ns;
	if (!mono_is_never(k->preempt_from))
		k->preempt_from = mono_min(k->preempt_from,
			mono_add_ns(now, n->params.preempt_delay_ns));
	if (n->e.role == EL_BACKUP) {
		mono due = mono_add_ns(now, down_ns(n, k->active_interval_ns));

		k->not_before = mono_min(k->not_before, due);
		k->not_after = mono_min(k->not_after, due);
	} else if (n->e.role == EL_ACTIVE) {
		k->advert_by = mono_min(k->advert_by, mono_add_ns(now, n->params.interval_ns));
		k->sent = 0;
	}
	if (n->e.role != w->checker.before.role)
		world_fail(w, n, "a reload changed its role");
}

static void
check_resumed(struct world *w, struct node *n, mono now)
{
	const struct handover *left = w->checker.handover;

	if (n->e.role != EL_ACTIVE)
		return;
	if (mono_diff_ns(now, left->last_advert) >= 3 * n->params.interval_ns)
		world_fail(w, n, "resumed beyond the others' patience");
	if (mono_due(left->lease_deadline, now) || (left->claimed && n->kernel.lapsed))
		world_fail(w, n, "resumed on a lease that had lapsed");
}

static void
check_tick(struct world *w, struct node *n, mono now)
{
	struct watch *k = watch_of(w, n);
	int64_t passed = mono_diff_ns(now, k->ticks_since);
	int64_t more = w->keyed ? 120 : 20; /* a question to the wire every 10 ms */

	/* a new role of a keyed node begins with a hello: that may be one more */
	if (!mono_before(now, el_deadline(&n->e)) &&
		!(w->keyed && n->e.role != w->checker.before.role))
		world_fail(w, n, "is due again at once: a busy loop");
	k->ticks++;
	if (passed < NS_PER_S)
		return;
	/* adverts and answers put off; renewals and announcements */
	if ((int64_t)k->ticks > 50 + 6 * passed / n->params.interval_ns + more * passed / NS_PER_S)
		world_fail(w, n, "%llu ticks in a second or so", (unsigned long long)k->ticks);
	k->ticks = 0;
	k->ticks_since = now;
}

static void
check_result(struct world *w, struct node *n)
{
	if (n->e.role == EL_ACTIVE && n->e.pending == 0 && watch_of(w, n)->recreated)
		world_fail(w, n, "keeps addresses that had lapsed and came back");
}

void
checker_after(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause)
{
	struct watch *k = watch_of(w, n);
	enum el_role role = w->checker.before.role;
	mono now = w->checker.before.now;

	if (w->keyed) {
		keyed_after(w, n, acts, cause);
		if (cause == CAUSE_TICK)
			check_tick(w, n, now);
		if (cause == CAUSE_RESUME)
			check_resumed(w, n, now);
		if (cause == CAUSE_RESULT)
			check_result(w, n);
		return;
	}
	for (size_t i = 0; i < acts->count; i++)
		check_act(w, n, &acts->list[i], &role, now, cause);
	if (role != n->e.role)
		world_fail(w, n, "changed its role without telling");
	if (k->wanted != (role == EL_ACTIVE) && (k->wanted || mono_is_never(k->claim_by)))
		world_fail(w, n, "%s, and its addresses are %swanted", el_role_name(role),
			k->wanted ? "" : "not ");
	if (cause == CAUSE_PACKET)
		check_heard(w, n, now);
	else if (cause == CAUSE_RECONFIGURE)
		check_reconfigured(w, n, now);
	else if (cause == CAUSE_RESUME)
		check_resumed(w, n, now);
	else if (cause == CAUSE_TICK)
		check_tick(w, n, now);
	else if (cause == CAUSE_RESULT)
		check_result(w, n);
}

void
checker_job_done(struct world *w, struct node *n, const struct job *job, bool ok)
{
	struct watch *k = watch_of(w, n);

	if (job->kind == JOB_RELEASE)
		k->release_failed = !ok;
	if (job->kind == JOB_CLAIM && ok && k->wanted) {
		k->claim_confirmed = true;
		if (job->sequence == n->e.pending && n->life == LIFE_RUNNING)
			k->announce_by = node_now(w, n);
	}
}

void
checker_recreated(struct world *w, struct node *n)
{
	if (n->jobs[0].sequence == n->e.pending)
		watch_of(w, n)->recreated = watch_of(w, n)->wanted;
}

/* --- standing still --- */

static mono
not_before(mono t, mono now)
{
	return mono_before(t, now) ? now : t;
}

void
checker_woke(struct world *w, struct node *n)
{
	struct watch *k = watch_of(w, n);
	mono now = node_now(w, n);
	int64_t interval = longer(k->sent_interval_ns, n->params.interval_ns);

	k->woke_at = w->now;
	k->woke_too_late = n->e.role == EL_ACTIVE &&
		mono_diff_ns(now, k->last_sent) >= 3 * interval;
	k->must_listen = n->e.role == EL_BACKUP &&
		n->e.candidate == REASON_NONE && !mono_is_never(k->not_after) &&
		mono_diff_ns(now, k->not_after) > k->active_interval_ns + w->jitter_ns;
	if (w->keyed)
		keyed_woke(w, n);
	k->advert_by = not_before(k->advert_by, now);
	k->announce_by = not_before(k->announce_by, now);
	k->claim_by = not_before(k->claim_by, now);
	k->resign_by = not_before(k->resign_by, now);
}

void
checker_awake(struct world *w, struct node *n)
{
	struct watch *k = watch_of(w, n);
	mono now = node_now(w, n);

	if (k->woke_too_late && n->life == LIFE_RUNNING && n->e.role == EL_ACTIVE)
		world_fail(w, n, "slept beyond the others' patience and stays active");
	k->woke_too_late = k->must_listen = false;
	/* what it missed says nothing about the others: a backup may listen once more */
	if (n->e.role == EL_BACKUP && mono_before(k->not_after, now))
		k->not_after = mono_add_ns(now, k->active_interval_ns +
			skew_ns(n, k->active_interval_ns));
}
