/*
 * Virtual routers with the same `group`: active on one node, all of them. Whenever something has
 * happened to one, all members are looked at and told what core/group.h says, until there is
 * nothing to say. Orders are carried out by the very calls that any other event ends in, so a move
 * of a group costs no turn of the loop and has the log lines and hooks of each router.
 *
 * A look costs a walk over all routers. It is taken when a role changed or is wanted, not for every
 * packet; and once a second, for what nothing but time has changed.
 */
#include "proc/election_process.h"

#include "core/group.h"

#include <string.h>

/* Orders have effects that ask for a further look; what is left after that has the next second. */
enum { LOOKS_MOST = 8 };

static bool
is_grouped(const struct router *r)
{
	return !r->leaving && r->conf.group[0] != '\0';
}

bool
group_has(const struct router *r, const struct router *other)
{
	return is_grouped(r) && is_grouped(other) && strcmp(r->conf.group, other->conf.group) == 0;
}

/* No other router of its group comes before it. */
static bool
is_first(const struct router *r)
{
	const struct elector *x = r->elector;

	for (size_t i = 0; i < x->router_count && x->routers[i] != r; i++)
		if (group_has(r, x->routers[i]))
			return false;
	return true;
}

static struct group_member
member_of(const struct router *r, mono now, enum reason *why)
{
	const struct election *e = &r->election;
	struct group_member m = {
		.role = e->role,
		.was_active = r->was_active,
		.candidate = e->candidate != REASON_NONE,
		.offer = e->offer,
		.rival = el_rival(e, now),
		.broken = el_is_broken(e),
	};

	m.fitness = router_own_fitness(r, why, &m.priority);
	return m;
}

static struct group
look_at(const struct router *first, mono now)
{
	const struct elector *x = first->elector;
	struct group g;
	enum reason why;

	group_begin(&g);
	for (size_t i = 0; i < x->router_count; i++) {
		struct group_member m;

		if (!group_has(first, x->routers[i]))
			continue;
		m = member_of(x->routers[i], now, &why);
		group_add(&g, &m);
	}
	return g;
}

uint8_t
group_priority(const struct router *r)
{
	enum reason why;
	uint8_t lowest, own;

	router_own_fitness(r, &why, &lowest);
	for (size_t i = 0; i < r->elector->router_count; i++) {
		if (!group_has(r, r->elector->routers[i]))
			continue;
		router_own_fitness(r->elector->routers[i], &why, &own);
		if (own < lowest)
			lowest = own;
	}
	return lowest;
}

/* First those with a reason of their own: an interface without carrier is resigned from at once. */
static void
tell_fitness(const struct router *first, mono now)
{
	struct elector *x = first->elector;
	struct group g = look_at(first, now);

	for (size_t i = 0; i < 2 * x->router_count; i++) {
		struct router *r = x->routers[i % x->router_count];
		bool turn_of_others = i >= x->router_count;
		enum el_fitness fitness;
		struct group_member m;
		enum reason why;

		if (!group_has(first, r))
			continue;
		m = member_of(r, now, &why);
		fitness = group_fitness(&g, &m);
		if ((fitness != m.fitness) == turn_of_others)
			router_set_fitness(r, now, fitness, turn_of_others ? REASON_GROUP : why,
				g.priority);
	}
}

static void
obey(struct router *r, mono now, enum group_order order, enum reason offer)
{
	struct el_acts acts = {.count = 0};

	switch (order) {
	case GROUP_STAY:
		return;
	case GROUP_TAKE:
		el_take(&r->election, now, REASON_GROUP, &acts);
		break;
	case GROUP_YIELD:
		el_yield(&r->election, now, REASON_GROUP, &acts);
		break;
	case GROUP_OFFER:
		el_offer(&r->election, now, offer, &acts);
		break;
	}
	router_perform(r, now, &acts);
}

/* All are judged by one look: what the first does must not change what the next one hears. */
static void
tell_orders(const struct router *first, mono now)
{
	struct elector *x = first->elector;
	struct group g = look_at(first, now);

	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct group_member m;
		enum reason why;

		if (!group_has(first, r))
			continue;
		m = member_of(r, now, &why);
		r->was_active = m.role == EL_ACTIVE;
		r->offered = m.offer;
		obey(r, now, group_judge(&g, &m), g.offer);
	}
}

void
group_settle(struct router *r, mono now)
{
	struct elector *x = r->elector;

	if (!is_grouped(r) || x->starting || x->stopping)
		return;
	if (x->settling) {
		x->unsettled = true;
		return;
	}
	x->settling = true;
	for (int look = 0; look < LOOKS_MOST; look++) {
		x->unsettled = false;
		tell_fitness(r, now);
		tell_orders(r, now);
		if (!x->unsettled)
			break;
	}
	x->settling = false;
}

/* Candidates come one after the other: only the last one of a group is news. */
static bool
all_would_be_active(const struct router *r)
{
	const struct elector *x = r->elector;

	for (size_t i = 0; i < x->router_count; i++)
		if (group_has(r, x->routers[i]) && x->routers[i]->election.role != EL_ACTIVE &&
			x->routers[i]->election.candidate == REASON_NONE)
			return false;
	return true;
}

void
group_follow(struct router *r, mono now, const struct el_acts *acts)
{
	bool moved = r->election.offer != r->offered, candidate = false;

	if (!is_grouped(r))
		return;
	for (size_t i = 0; i < acts->count; i++) {
		moved |= acts->list[i].kind == EL_ROLE;
		candidate |= acts->list[i].kind == EL_CANDIDATE;
	}
	if (moved || (candidate && all_would_be_active(r)))
		group_settle(r, now);
}

void
groups_pause(struct elector *x)
{
	x->settling = true;
}

void
groups_settle(struct elector *x, mono now)
{
	x->settling = false;
	for (size_t i = 0; i < x->router_count; i++)
		if (is_grouped(x->routers[i]) && is_first(x->routers[i]))
			group_settle(x->routers[i], now);
}

bool
group_peer_is_ready(const struct router *r, mono now)
{
	const struct elector *x = r->elector;

	for (size_t i = 0; i < x->router_count; i++) {
		const struct election *e = &x->routers[i]->election;

		if (group_has(r, x->routers[i]) && e->params.keyed && e->role == EL_ACTIVE &&
			e->offer == REASON_NONE && !el_peer_is_ready(e, now))
			return false;
	}
	return true;
}

bool
group_may_resume(const struct router *r, mono now)
{
	const struct elector *x = r->elector;

	if (!router_may_resume(r, now))
		return false;
	for (size_t i = 0; i < x->router_count; i++)
		if (group_has(r, x->routers[i]) && !router_may_resume(x->routers[i], now))
			return false;
	return true;
}
