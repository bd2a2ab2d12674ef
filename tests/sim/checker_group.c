/*
 * What must hold of a group: its routers are active on one node.
 *
 * At any time, whatever the faults are, a process that runs has all of them or none for all but a
 * moment. Of one that is not active here it hears another active, and then takes it over or gives
 * the others up at its next look (once a second at the latest); or it hears nobody, and has waited
 * at most as long as a backup waits: three intervals, a skew, and, when it has resigned itself,
 * an interval and the patience for its release. So no router is active on one node and another one
 * of its group on another node for longer, unless both nodes have all of them: then they do not
 * hear each other, and what each router's own checker says of them holds.
 *
 * Of a keyed pair it may wait longer: until an offer of it ends, or for the leases of a node that
 * died with some of its routers.
 *
 * Who had none becomes active in all of them at once, and a router that stops being active takes the
 * others along at once; in a keyed pair, those of which each is on offer itself follow one by one.
 * In peace it is the same node for all.
 */
#include "bundle.h"

static int64_t
longest_lease_ns(const struct bundle *b)
{
	int64_t longest = 0;

	for (unsigned lane = 0; lane < b->count; lane++)
		for (unsigned i = 0; i < b->lanes[lane].count; i++)
			if (b->lanes[lane].nodes[i].params.lease_ns > longest)
				longest = b->lanes[lane].nodes[i].params.lease_ns;
	return longest;
}

static int64_t
whole_within_ns(const struct bundle *b)
{
	static const int64_t look_ns = NS_PER_S, release_patience_ns = 100 * NS_PER_MS;
	static const int64_t lease_slack_ns = 2 * NS_PER_S;
	int64_t patience = 5 * bundle_interval_ns(b) + release_patience_ns;

	if (b->lanes[0].keyed)
		patience += longest_lease_ns(b) + lease_slack_ns;

	/* clocks that are slow, a late loop */
	return (look_ns + patience) / 40 * 41 + 2 * b->lanes[0].jitter_ns + NS_PER_MS;
}

static unsigned
active_routers(const struct bundle *b, unsigned id)
{
	unsigned active = 0;

	for (unsigned lane = 0; lane < b->count; lane++)
		active += b->lanes[lane].nodes[id].e.role == EL_ACTIVE;
	return active;
}

/* All that are left are about to be handed over: each has an offer of its own. */
static bool
are_offered(const struct bundle *b, unsigned id)
{
	for (unsigned lane = 0; lane < b->count; lane++) {
		const struct election *e = &b->lanes[lane].nodes[id].e;

		if (e->role == EL_ACTIVE && e->offer == REASON_NONE)
			return false;
	}
	return true;
}

/* They rise in one moment, and one that falls takes the others along in that very moment. */
static void
check_move(struct bundle *b, struct bundle_node *bn)
{
	const struct node *n = &b->lanes[0].nodes[bn->id];
	unsigned active = active_routers(b, bn->id), was = bn->active;
	bool was_tied = bn->was_tied;

	bn->active = active;
	bn->was_tied = bn->tied;
	if (!was_tied || n->life != LIFE_RUNNING || n->stopping || active == 0)
		return;
	if (active < was && !are_offered(b, bn->id))
		world_fail(&b->lanes[0], n, "stays active with %u of %u routers of its group",
			active, was);
	if (was == 0 && active < b->count)
		world_fail(&b->lanes[0], n, "becomes active with %u of %u routers of its group",
			active, b->count);
}

static void
check_whole(struct bundle *b, struct bundle_node *bn)
{
	const struct node *n = &b->lanes[0].nodes[bn->id];
	unsigned active = active_routers(b, bn->id);

	if (!bn->tied || n->life != LIFE_RUNNING || active == 0 || active == b->count)
		bn->partly_since = INT64_MAX;
	else if (bn->partly_since == INT64_MAX)
		bn->partly_since = b->lanes[0].now;
	else if (b->lanes[0].now - bn->partly_since > whole_within_ns(b))
		world_fail(&b->lanes[0], n, "active with %u of %u routers of its group for %lld us",
			active, b->count,
			(long long)((b->lanes[0].now - bn->partly_since) / NS_PER_US));
}

static bool
would_all_preempt(const struct bundle *b, unsigned id)
{
	for (unsigned lane = 0; lane < b->count; lane++)
		if (!checker_should_have_preempted(&b->lanes[lane], &b->lanes[lane].nodes[id]))
			return false;
	return true;
}

static void
check_peace(struct bundle *b)
{
	struct world *w = &b->lanes[0];

	for (unsigned i = 0; i < w->count; i++) {
		unsigned active = active_routers(b, i);

		if (w->nodes[i].life != LIFE_RUNNING || w->nodes[i].stopping)
			continue;
		if (active != 0 && active != b->count)
			world_fail(w, &w->nodes[i], "active with %u of %u routers in peace", active,
				b->count);
		if (would_all_preempt(b, i))
			world_fail(w, &w->nodes[i], "should have preempted with its group");
	}
}

void
group_step(struct bundle *b)
{
	for (unsigned i = 0; i < b->lanes[0].count; i++) {
		check_move(b, &b->nodes[i]);
		check_whole(b, &b->nodes[i]);
	}
	if (b->lanes[0].now >= b->lanes[0].checker.settled_at)
		check_peace(b);
}
