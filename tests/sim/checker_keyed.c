/*
 * What must hold of a keyed pair. The bounds, I being the longer interval of the two, J how late
 * the loops may be, D the delay of a path, K what a request to a kernel takes:
 *
 *  - two holders while both run and any path connects them:  I + I/30 + 2 D + 2 J + 4 K + 3 ms
 *    (the next advertisement of either, or the end of a handover: 3 ms and what it takes to tell);
 *  - two holders while one of them does not run: never by a claim after silence, when the service
 *    LAN connected them since before the first question, until lease + 2 s after its last word
 *    (the longer lease of ours and what it has told);
 *  - a sleeper (3 I or longer without a word as active) says nothing as active any more.
 *
 * A message that was made up, or whose replay is worth nothing (see is_worthless()), moves no role
 * and no moment of the peer's life.
 */
#include "bundle.h"

#include <string.h>

static const int64_t release_patience_ns = 100 * NS_PER_MS;
static const int64_t pool_patience_ns = 1 * NS_PER_S;
static const int64_t ask_lead_ns = 30 * NS_PER_MS;
static const int64_t lease_slack_ns = 2 * NS_PER_S;
static const int64_t kernel_ns = 2 * NS_PER_MS;
static const int64_t linger_ns = 3 * NS_PER_MS;

static struct watch *
watch_of(struct world *w, const struct node *n)
{
	return &w->checker.watch[n->id];
}

static struct node *
other_of(struct world *w, const struct node *n)
{
	return &w->nodes[1 - n->id];
}

static int64_t
longer(int64_t a_ns, int64_t b_ns)
{
	return a_ns > b_ns ? a_ns : b_ns;
}

/* How long ago that was, as far as the node can know: of a pause that it did not see, nothing. */
static int64_t
age_ns(const struct world *w, const struct watch *k, int64_t at)
{
	return w->now - longer(at, k->blind_until);
}

/* The peer has spoken within the patience of either, clocks being what they are. */
static bool
is_fresh(struct world *w, const struct node *n)
{
	int64_t interval = longer(n->params.interval_ns, other_of(w, n)->params.interval_ns);

	return age_ns(w, watch_of(w, n), watch_of(w, n)->last_at) <= interval * 4;
}

/* --- roles --- */

/* The other one's kernel holds the addresses, would have said so, and nobody waited for its lease. */
static void
check_claim_after_silence(struct world *w, struct node *n, mono now)
{
	struct watch *k = watch_of(w, n);
	const struct node *other = other_of(w, n);
	int64_t need = ask_lead_ns + 4 * NETWORK_DELAY_NS + 4 * w->jitter_ns;
	int64_t lease = longer(n->params.lease_ns, k->told_lease_ns);

	if (other->life == LIFE_RUNNING || w->checker.held_since[other->id] == INT64_MAX ||
		network_lan_clean_for_ns(w) < need ||
		w->now - w->checker.held_since[other->id] < need || w->now - k->woke_at < need)
		return;
	if (mono_diff_ns(now, k->heard_at) * 21 / 20 < lease + lease_slack_ns)
		world_fail(w, n, "took over while the silent one's kernel still answers");
}

static void
check_new_active(struct world *w, struct node *n, const struct el_act *a, mono now, enum cause cause)
{
	struct watch *k = watch_of(w, n);

	w->checker.takeovers++;
	if (a->from != EL_BACKUP && !(a->reason == REASON_RESUMED && cause == CAUSE_RESUME))
		world_fail(w, n, "active without listening first");
	if (k->must_listen)
		world_fail(w, n, "took over on waking, without listening");
	if (cause == CAUSE_TICK)
		check_claim_after_silence(w, n, now);
	k->mute_until = now; /* after silence, which the queue has not broken */
	k->claim_confirmed = false;
	k->sent = 0;
	k->claim_by = now;
	k->advert_by = now;
}

static void
check_role(struct world *w, struct node *n, const struct el_act *a, mono now, enum cause cause)
{
	struct watch *k = watch_of(w, n);

	world_trace(w, n, "role %s", reason_tag(a->reason));
	if (a->from == a->to || a->reason == REASON_NONE)
		world_fail(w, n, "changed its role for no reason");
	if (n->stopping && a->to != EL_INIT)
		world_fail(w, n, "a stop is not the end");
	if (a->to == EL_INIT && a->reason != REASON_STOPPED)
		world_fail(w, n, "back to init without a stop");
	if (a->reason == REASON_ISOLATED && ((k->last_flags & TRAILER_CONNECTED) == 0 ||
		!is_fresh(w, n)))
		world_fail(w, n, "gives way to a peer that is no better placed");
	if (a->reason == REASON_PEER_NOT_ACTIVE && (k->last_flags & TRAILER_HOLDING) != 0)
		world_fail(w, n, "claims what the peer has not let go");
	if (w->now >= w->checker.settled_at)
		w->checker.changes++;
	k->advert_by = k->announce_by = k->claim_by = k->resign_by = MONO_NEVER;
	k->ticks = 0;
	k->ticks_since = now;
	k->role_at = w->now;
	if (a->from == EL_FAULT && !k->slept_active) /* takes part again, as if it had just been started */
		k->mute_until = now;
	if (a->to == EL_ACTIVE)
		check_new_active(w, n, a, now, cause);
}

/* --- addresses and messages --- */

/* By an offer, to a peer that has them; and who gives way to a better one has nothing to tell. */
static bool
resigns_for(enum reason why)
{
	return why == REASON_STOPPED || why == REASON_ADDRESS_REFUSED ||
		why == REASON_ADDRESS_REMOVED || why == REASON_NO_SOURCE_ADDRESS ||
		why == REASON_ISOLATED || why == REASON_GROUP;
}

static void
check_address_act(struct world *w, struct node *n, const struct el_act *a, enum el_role role,
	mono now)
{
	struct watch *k = watch_of(w, n);

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
	k->resign_by = resigns_for(k->reason) ? mono_add_ns(now, release_patience_ns) : MONO_NEVER;
}

static void
check_resignation(struct world *w, struct node *n, mono now)
{
	struct watch *k = watch_of(w, n);

	if (n->e.reason != REASON_CARRIER_LOST && kernel_held(&n->kernel) > 0 &&
		!k->release_failed && mono_diff_ns(now, k->released_at) < release_patience_ns)
		world_fail(w, n, "resigned with the addresses still there");
	k->resign_by = MONO_NEVER;
}

static void
check_offer_ended(struct world *w, struct node *n, const struct el_act *a)
{
	const struct node *other = other_of(w, n);

	/* One that crashed meanwhile and goes on has them without a claim that we saw confirmed. */
	if (a->ok && other->life == LIFE_RUNNING && other->e.role == EL_ACTIVE &&
		!watch_of(w, other)->claim_confirmed && kernel_held(&other->kernel) == 0)
		world_fail(w, n, "hands over before the other has the addresses");
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
		if (a->priority == EL_PRIORITY_RESIGN)
			check_resignation(w, n, now);
		else if (*role != EL_ACTIVE)
			world_fail(w, n, "adverts in %s", el_role_name(*role));
		else if (a->priority != n->params.priority)
			world_fail(w, n, "adverts a foreign priority");
		break;
	case EL_SEND_HELLO:
		if (*role == EL_ACTIVE)
			world_fail(w, n, "says hello while active");
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
	case EL_ASK:
		if (*role != EL_BACKUP)
			world_fail(w, n, "asks the wire as %s", el_role_name(*role));
		break;
	case EL_OFFER_ENDED:
		check_offer_ended(w, n, a);
		break;
	case EL_CANDIDATE:
		if (!bundle_is_grouped(w) || *role != EL_BACKUP)
			world_fail(w, n, "waits for a group that it is not in");
		if (cause == CAUSE_TICK)
			check_claim_after_silence(w, n, now);
		break;
	case EL_RELAY:
	case EL_STILL_ANSWERED:
		break;
	}
}

static void
check_offer(struct world *w, struct node *n)
{
	struct watch *k = watch_of(w, n);
	bool offers = n->e.offer != REASON_NONE;

	if (offers && !k->offers && (!is_fresh(w, n) || (k->last_flags & TRAILER_READY) == 0))
		world_fail(w, n, "offers to a peer that is not ready");
	k->offers = offers;
}

void
keyed_after(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause)
{
	struct watch *k = watch_of(w, n);
	enum el_role role = w->checker.before.role;
	const struct el_advert *heard = w->checker.heard;
	mono now = w->checker.before.now;

	for (size_t i = 0; i < acts->count; i++)
		check_act(w, n, &acts->list[i], &role, now, cause);
	if (role != n->e.role)
		world_fail(w, n, "changed its role without telling");
	if (k->wanted != (role == EL_ACTIVE) && (k->wanted || mono_is_never(k->claim_by)))
		world_fail(w, n, "%s, and its addresses are %swanted", el_role_name(role),
			k->wanted ? "" : "not ");
	if (cause == CAUSE_RECONFIGURE && n->e.role != w->checker.before.role)
		world_fail(w, n, "a reload changed its role");
	if (heard && (heard->role == EL_ACTIVE || heard->priority == 0))
		k->heard_at = now;
	check_offer(w, n);
}

/* A message is on its way, whoever asked for it. */
void
keyed_said(struct world *w, struct node *n, bool advert, uint8_t priority)
{
	struct watch *k = watch_of(w, n);
	mono now = node_now(w, n), *slot = &k->rhythm[k->said % SIM_RHYTHM];

	/* the rhythm, four answers an interval, offers, and what else a change of role takes */
	if (k->said >= SIM_RHYTHM && mono_diff_ns(now, *slot) < n->params.interval_ns / 4 &&
		mono_diff_ns(now, *slot) < 20 * NS_PER_MS && w->now >= w->checker.settled_at)
		world_fail(w, n, "floods: %d messages in no time", SIM_RHYTHM + 1);
	*slot = now;
	k->said++;
	/* in fault it tells what it is, and resigns what it let go before it slept */
	if (mono_before(now, k->mute_until) &&
		(advert ? k->slept_active || priority != EL_PRIORITY_RESIGN : n->e.role == EL_BACKUP))
		world_fail(w, n, "speaks on waking, before it has listened");
	if (!advert || priority == EL_PRIORITY_RESIGN)
		return;
	if (n->e.role == EL_ACTIVE && k->woke_too_late)
		world_fail(w, n, "speaks as active after sleeping beyond the other's patience");
	k->last_sent = now;
	k->sent_interval_ns = n->params.interval_ns;
	if (n->e.role == EL_ACTIVE)
		k->advert_by = mono_add_ns(now, n->params.interval_ns);
}

/*
 * An active that was silent for three intervals, and any other whose hello is late by more than one,
 * listens for an interval.
 */
void
keyed_woke(struct world *w, struct node *n)
{
	struct watch *k = watch_of(w, n);
	mono now = node_now(w, n);
	bool late = n->e.role == EL_ACTIVE ? k->woke_too_late : n->e.role != EL_INIT &&
		mono_diff_ns(now, n->paused_at) > 2 * n->params.interval_ns + w->jitter_ns;

	if (n->clock.true_base == w->now) /* it stood still with the machine */
		k->blind_until = w->now;
	k->must_listen = late && n->e.role != EL_ACTIVE;
	k->slept_active = n->e.role == EL_ACTIVE;
	if (late)
		k->mute_until = mono_add_ns(now, n->params.interval_ns);
}

/* --- belief --- */

void
keyed_before_judging(struct world *w, const struct node *n)
{
	const struct pair *p = &n->pairing.pair;

	w->checker.judged.boot = p->peer_boot;
	w->checker.judged.heard = p->peer_heard;
	w->checker.judged.alive = p->alive;
	w->checker.judged.told = n->e.peer.heard;
	w->checker.judged.role = n->e.role;
	for (unsigned i = 0; i < w->network.count; i++)
		w->checker.judged.paths[i] = p->paths[i].heard;
}

static bool
was_life(const struct watch *k, uint64_t boot)
{
	for (unsigned i = 0; i < SIM_LIVES; i++)
		if (k->former[i] == boot)
			return true;
	return false;
}

/*
 * A capture that nothing may come of: made before this process was started; of a life that another
 * one followed; already heard, or older than what was heard; or of a life not believed, and
 * older than two moments (a moment: max(1 s, 3 I)), so that it cannot answer what we sent since.
 */
static bool
is_worthless(const struct world *w, const struct node *n, const struct packet *packet,
	const struct trailer *t)
{
	const struct watch *k = &w->checker.watch[n->id];
	int64_t moment = longer(NS_PER_S, 3 * n->params.interval_ns);

	if (packet->sent_at < k->booted_at || was_life(k, t->boot))
		return true;
	if (t->boot == k->life)
		return t->counter <= k->newest;
	return age_ns(w, k, packet->sent_at) > 2 * moment * 21 / 20;
}

static void
check_unmoved(struct world *w, const struct node *n, const char *what)
{
	const struct pair *p = &n->pairing.pair;
	bool gave_up = n->e.reason == REASON_WOKE_LATE || n->e.reason == REASON_LEASE_LAPSED;

	if (p->peer_boot != w->checker.judged.boot)
		world_fail(w, n, "%s made it believe another life", what);
	if (p->peer_heard.ns != w->checker.judged.heard.ns || p->alive != w->checker.judged.alive)
		world_fail(w, n, "%s prolonged the peer's life", what);
	if (n->e.peer.heard.ns != w->checker.judged.told.ns)
		world_fail(w, n, "%s was news to the election", what);
	if (n->e.role != w->checker.judged.role && !gave_up)
		world_fail(w, n, "%s changed its role", what);
}

/* Heard on this path before, or on any path more than two moments (max(1 s, 2 I)) ago. */
static bool
is_stale(struct world *w, const struct node *n, const struct packet *packet,
	const struct trailer *t)
{
	const struct watch *k = watch_of(w, n);
	int64_t moment = longer(NS_PER_S, 2 * longer(n->params.interval_ns,
		other_of(w, n)->params.interval_ns));
	unsigned slot = t->counter % SIM_HEARD;

	for (unsigned path = 0; path < w->network.count && t->boot == k->life; path++)
		if (k->heard_on[path][slot].counter == t->counter && (path == packet->path ||
			age_ns(w, k, k->heard_on[path][slot].at) > 2 * moment * 21 / 20))
			return true;
	return false;
}

static void
check_paths_unmoved(struct world *w, const struct node *n)
{
	for (unsigned i = 0; i < w->network.count; i++)
		if (n->pairing.pair.paths[i].heard.ns != w->checker.judged.paths[i].ns)
			world_fail(w, n, "a replay was heard on path %u", i);
}

static void
learn_life(struct world *w, struct watch *k, const struct packet *packet, const struct trailer *t)
{
	unsigned slot = t->counter % SIM_HEARD;

	if (k->life != t->boot) {
		k->former[k->formers++ % SIM_LIVES] = k->life;
		k->life = t->boot;
		k->newest = 0;
		memset(k->heard_on, 0, sizeof(k->heard_on));
	}
	if (k->heard_on[packet->path][slot].counter != t->counter) {
		k->heard_on[packet->path][slot].counter = t->counter;
		k->heard_on[packet->path][slot].at = w->now;
	}
	if (t->counter <= k->newest)
		return;
	k->newest = t->counter;
	k->told_lease_ns = t->lease_s * NS_PER_S;
}

void
keyed_believed(struct world *w, struct node *n, const struct trailer *t)
{
	struct watch *k = watch_of(w, n);

	if (k->life == t->boot && t->counter <= k->newest)
		return;
	k->last_at = w->now;
	k->last_flags = t->flags;
}

void
keyed_judged(struct world *w, struct node *n, const struct packet *packet, const struct trailer *t,
	enum reason why)
{
	struct watch *k = watch_of(w, n);

	if (packet->corrupt) {
		if (why == REASON_NONE)
			world_fail(w, n, "a forgery was believed");
		check_unmoved(w, n, "a forgery");
		return;
	}
	if (!t)
		return;
	if (packet->replayed && is_worthless(w, n, packet, t))
		check_unmoved(w, n, "a replay");
	if (packet->replayed && is_stale(w, n, packet, t))
		check_paths_unmoved(w, n);
	if (why == REASON_NONE)
		learn_life(w, k, packet, t);
}

/* --- the world --- */

static bool
is_up(const struct node *n)
{
	return n->life == LIFE_RUNNING;
}

static void
note_holders(struct world *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		int64_t *since = &w->checker.held_since[i];
		const struct node *n = &w->nodes[i];

		if (kernel_held(&n->kernel) == 0 || n->life == LIFE_PAUSED || n->off)
			*since = INT64_MAX;
		else if (*since == INT64_MAX)
			*since = w->now;
	}
}

static void
check_two(struct world *w)
{
	const struct node *a = &w->nodes[0], *b = &w->nodes[1];
	int64_t interval = longer(a->params.interval_ns, b->params.interval_ns);
	int64_t bound = interval + interval / 30 + 2 * NETWORK_DELAY_NS + 2 * w->jitter_ns +
		4 * kernel_ns + linger_ns;
	int64_t *hold = &w->checker.both_hold_since[0][1];
	bool well = w->scenario.trouble_ns == 0 && !w->checker.watch[0].release_failed &&
		!w->checker.watch[1].release_failed;

	if (!is_up(a) || !is_up(b) || !well || network_clean_for_ns(w) < 0 ||
		kernel_held(&a->kernel) == 0 || kernel_held(&b->kernel) == 0)
		*hold = INT64_MAX;
	else if (*hold == INT64_MAX)
		*hold = w->now;
	else if (w->now - *hold > bound)
		world_fail(w, a, "both nodes hold the addresses for %lld us",
			(long long)((w->now - *hold) / NS_PER_US));
}

/* Nobody waits for ever, whoever answers for the addresses: no lease is that long. */
static void
check_patience(struct world *w, const struct node *n)
{
	const struct watch *k = watch_of(w, n);
	int64_t bound = longer(n->params.lease_ns, k->told_lease_ns) + lease_slack_ns + NS_PER_S +
		8 * longer(n->params.interval_ns, other_of(w, n)->params.interval_ns);
	int64_t since = longer(longer(k->role_at, k->last_at), k->woke_at);

	if (bundle_is_grouped(w))
		return; /* a member waits for its group */
	if (is_up(n) && n->e.role == EL_BACKUP && w->now - since > bound + w->jitter_ns * 8)
		world_fail(w, n, "waits since %lld ms for a silent peer",
			(long long)((w->now - since) / NS_PER_MS));
}

/*
 * While one of the two holds and is on an undisturbed LAN, and the other one does not hold, the hosts
 * there believe it: the next announcement is due within the limit of 1 s, or as soon as it is known.
 */
static void
check_neighbours(struct world *w)
{
	const struct node *liar = &w->nodes[w->network.believed], *holder = other_of(w, liar);
	int64_t interval = longer(liar->params.interval_ns, holder->params.interval_ns);
	int64_t *since = &w->checker.misled_since;

	if (kernel_held(&liar->kernel) > 0 || kernel_held(&holder->kernel) == 0 ||
		holder->e.role != EL_ACTIVE || !holder->e.claimed || !is_up(holder) ||
		!is_up(liar) || network_lan_clean_for_ns(w) < 0)
		*since = INT64_MAX;
	else if (*since == INT64_MAX)
		*since = w->now;
	else if (w->now - *since > NS_PER_S + 4 * interval + 4 * w->jitter_ns)
		world_fail(w, holder, "the LAN believes the other one");
}

static bool
would_preempt(const struct node *n, const struct node *active)
{
	if (n->e.fitness != active->e.fitness)
		return n->e.fitness > active->e.fitness;
	return n->params.priority > active->params.priority && n->params.preempt && !n->e.hold;
}

bool
keyed_should_have_preempted(const struct world *w, const struct node *n)
{
	const struct node *other = &w->nodes[1 - n->id];

	return is_up(other) && other->e.role == EL_ACTIVE && n->e.role == EL_BACKUP &&
		would_preempt(n, other);
}

static void
check_standby(struct world *w, const struct node *active, const struct node *n)
{
	if (n->e.role != EL_BACKUP)
		world_fail(w, n, "is %s in peace", el_role_name(n->e.role));
	if (kernel_held(&n->kernel) > 0)
		world_fail(w, n, "holds addresses in peace");
	if (!bundle_is_grouped(w) && would_preempt(n, active))
		world_fail(w, n, "should have preempted");
	if (!el_peer_is_fresh(&active->e, node_now(w, active)))
		world_fail(w, active, "does not know its standby in peace");
	if (n->e.fitness == EL_FIT && !el_peer_is_ready(&active->e, node_now(w, active)))
		world_fail(w, active, "does not know in peace that its standby is ready");
	if (!active->pairing.pair.alive || !n->pairing.pair.alive)
		world_fail(w, active, "a peer is not alive in peace");
	if (active->pairing.pair.peer_digest != n->pairing.digest)
		world_fail(w, active, "does not know the other's configuration in peace");
}

/* Exactly one, the right one, who has everything, and whom the LAN believes; and it stays. */
static void
check_peace(struct world *w)
{
	const struct node *active = NULL, *standby = NULL;
	unsigned up = 0, actives = 0;

	for (unsigned i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];

		if (!is_up(n) || n->stopping)
			continue;
		up++;
		actives += n->e.role == EL_ACTIVE;
		if (n->e.role == EL_ACTIVE)
			active = n;
		else
			standby = n;
	}
	if (up > 0 && actives != 1)
		world_fail(w, NULL, "%u active of %u in peace", actives, up);
	if (w->checker.changes > 0)
		world_fail(w, NULL, "a role changed in peace");
	if (!active)
		return;
	if (kernel_held(&active->kernel) < active->addresses)
		world_fail(w, active, "lacks addresses in peace");
	if (up == 2 && w->network.believed != active->id)
		world_fail(w, active, "the LAN believes the other one in peace");
	if (standby)
		check_standby(w, active, standby);
}

void
keyed_step(struct world *w)
{
	network_note(w);
	note_holders(w);
	check_two(w);
	check_neighbours(w);
	for (unsigned i = 0; i < w->count; i++)
		check_patience(w, &w->nodes[i]);
	if (w->now >= w->checker.settled_at)
		check_peace(w);
	if (w->checker.must_hold && kernel_held(&w->nodes[0].kernel) == 0 &&
		kernel_held(&w->nodes[1].kernel) == 0)
		world_fail(w, NULL, "a switchover left nobody with the addresses");
	if (w->checker.must_hold && kernel_held(&w->nodes[w->network.believed].kernel) == 0)
		world_fail(w, NULL, "a switchover left the LAN with who has let go");
}
