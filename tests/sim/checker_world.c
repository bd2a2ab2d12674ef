/* What must hold of the world after every event. See checker.h. */
#include "bundle.h"

#include <string.h>

static const int64_t kernel_ns = 2 * NS_PER_MS; /* a request to a kernel that is well */

void
checker_start(struct world *w)
{
	memset(&w->checker, 0, sizeof(w->checker));
	w->checker.settled_at = w->checker.misled_since = INT64_MAX;
	for (unsigned i = 0; i < SIM_NODES; i++) {
		w->checker.held_since[i] = INT64_MAX;
		for (unsigned k = 0; k < SIM_NODES; k++)
			w->checker.both_active_since[i][k] = w->checker.both_hold_since[i][k] =
				INT64_MAX;
	}
}

static bool
is_overdue(mono deadline, mono now, int64_t slack_ns)
{
	return !mono_is_never(deadline) && mono_diff_ns(now, deadline) > slack_ns;
}

/* Nobody is late with what is owed. */
static void
check_debts(struct world *w, const struct node *n)
{
	const struct watch *k = &w->checker.watch[n->id];
	mono now = node_now(w, n);
	int64_t slack = w->jitter_ns + w->jitter_ns / 10 + NS_PER_US;

	/* a member waits for its group */
	if (!bundle_is_grouped(w) && n->e.role == EL_BACKUP && is_overdue(k->not_after, now, slack))
		world_fail(w, n, "should be active since %lld us",
			(long long)(mono_diff_ns(now, k->not_after) / NS_PER_US));
	if (is_overdue(k->advert_by, now, slack))
		world_fail(w, n, "owes an advert");
	if (is_overdue(k->announce_by, now, slack))
		world_fail(w, n, "owes an announcement");
	if (is_overdue(k->claim_by, now, slack))
		world_fail(w, n, "is active and does not ask for its addresses");
	if (is_overdue(k->resign_by, now, slack))
		world_fail(w, n, "owes a resignation");
}

/* With nothing on its way, the kernel has what the election wants. */
static void
check_kernel(struct world *w, const struct node *n)
{
	const struct watch *k = &w->checker.watch[n->id];
	mono lease = n->e.lease_deadline;

	if (n->job_count > 0 || n->notices_due > 0 || n->notices > 0)
		return;
	if (n->e.role != EL_ACTIVE) {
		if (kernel_held(&n->kernel) > 0 && !k->release_failed)
			world_fail(w, n, "%s with addresses", el_role_name(n->e.role));
		return;
	}
	if (!n->e.claimed || n->e.pending != 0)
		return;
	for (unsigned i = 0; i < n->addresses; i++) {
		const struct kernel_address *a = &n->kernel.addresses[i];

		if (!a->present)
			world_fail(w, n, "active without address %u", i);
		else if (lease.ns - n->clock.slept_ns > a->leaves)
			world_fail(w, n, "believes in a longer lease than the kernel's");
	}
}

static bool
is_up(const struct node *n)
{
	return n->life == LIFE_RUNNING;
}

/* Two that hear each other do not both stay active, nor both keep the addresses. */
static void
check_pair(struct world *w, unsigned i, unsigned k)
{
	const struct node *a = &w->nodes[i], *b = &w->nodes[k];
	int64_t *active = &w->checker.both_active_since[i][k];
	int64_t *hold = &w->checker.both_hold_since[i][k];
	int64_t interval = a->params.interval_ns > b->params.interval_ns ? a->params.interval_ns
									  : b->params.interval_ns;
	int64_t bound = interval + interval / 30 + 2 * NETWORK_DELAY_NS + 2 * w->jitter_ns;
	bool talk = is_up(a) && is_up(b) && network_pair_is_clean(w, i, k);
	bool well = w->scenario.trouble_ns == 0 && w->checker.watch[i].release_failed == false &&
		w->checker.watch[k].release_failed == false;

	if (!talk || a->e.role != EL_ACTIVE || b->e.role != EL_ACTIVE)
		*active = INT64_MAX;
	else if (*active == INT64_MAX)
		*active = w->now;
	else if (w->now - *active > bound)
		world_fail(w, a, "both this and node %u are active for %lld us", k,
			(long long)((w->now - *active) / NS_PER_US));
	if (!talk || !well || kernel_held(&a->kernel) == 0 || kernel_held(&b->kernel) == 0)
		*hold = INT64_MAX;
	else if (*hold == INT64_MAX)
		*hold = w->now;
	else if (w->now - *hold > bound + 4 * kernel_ns)
		world_fail(w, a, "both this and node %u hold the addresses for %lld us", k,
			(long long)((w->now - *hold) / NS_PER_US));
}

static bool
would_preempt(const struct world *w, const struct node *n, const struct node *active)
{
	return n->params.priority > active->params.priority &&
		(n->params.preempt || n->params.priority == 255) && !w->checker.watch[n->id].hold;
}

/* In peace there is exactly one, the right one, it has everything, and it stays. */
static void
check_peace(struct world *w)
{
	const struct node *active = NULL;
	unsigned up = 0, actives = 0;

	for (unsigned i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];

		if (!is_up(n) || n->stopping)
			continue;
		up++;
		if (n->e.role == EL_ACTIVE) {
			actives++;
			active = n;
		} else if (n->e.role != EL_BACKUP) {
			world_fail(w, n, "is %s in peace", el_role_name(n->e.role));
		} else if (kernel_held(&n->kernel) > 0) {
			world_fail(w, n, "holds addresses in peace");
		}
	}
	if (up > 0 && actives != 1)
		world_fail(w, NULL, "%u active of %u in peace", actives, up);
	if (w->checker.changes > 0)
		world_fail(w, NULL, "a role changed in peace");
	if (!active)
		return;
	if (kernel_held(&active->kernel) < active->addresses)
		world_fail(w, active, "lacks addresses in peace");
	for (unsigned i = 0; i < w->count && !bundle_is_grouped(w); i++)
		if (is_up(&w->nodes[i]) && would_preempt(w, &w->nodes[i], active))
			world_fail(w, &w->nodes[i], "should have preempted");
}

bool
checker_should_have_preempted(const struct world *w, const struct node *n)
{
	if (w->keyed)
		return keyed_should_have_preempted(w, n);
	for (unsigned i = 0; i < w->count; i++)
		if (is_up(&w->nodes[i]) && w->nodes[i].e.role == EL_ACTIVE &&
			would_preempt(w, n, &w->nodes[i]))
			return true;
	return false;
}

void
checker_step(struct world *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];

		for (unsigned k = i + 1; k < w->count && !w->keyed; k++)
			check_pair(w, i, k);
		if (!is_up(n))
			continue;
		check_debts(w, n);
		check_kernel(w, n);
	}
	if (w->keyed)
		keyed_step(w);
	else if (w->now >= w->checker.settled_at)
		check_peace(w);
}
