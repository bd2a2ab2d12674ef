/*
 * Virtual routers with the same `group`: active on one node, all of them. Whenever something has
 * happened to one, all members are looked at and told what core/group.h says, until there is
 * nothing to say (core/settle.h). Orders are carried out by the very calls that any other event
 * ends in, so a move of a group costs no turn of the loop and has the log lines and hooks of each
 * router.
 *
 * A look costs a walk over all routers. It is taken when a role changed or is wanted, not for every
 * packet; and once a second, for what nothing but time has changed.
 */
#include "proc/election_process.h"

#include <string.h>

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

/* --- the hands of a group; `whose` is any member --- */

static struct group_seat *
seat_at(void *whose, size_t i)
{
	const struct router *r = whose;
	struct router *other = r->elector->routers[i];

	if (!group_has(r, other))
		return NULL;
	other->seat.election = &other->election;
	return &other->seat;
}

static void
refresh(struct router *r)
{
	r->seat.fitness = router_own_fitness(r, &r->seat.why, &r->seat.priority);
}

static void
refresh_at(void *whose, size_t i)
{
	const struct router *r = whose;

	refresh(r->elector->routers[i]);
}

static void
set_fitness_at(void *whose, size_t i, mono now, enum el_fitness fitness, enum reason why,
	uint8_t priority)
{
	const struct router *r = whose;

	router_set_fitness(r->elector->routers[i], now, fitness, why, priority);
}

static void
perform_at(void *whose, size_t i, mono now, const struct el_acts *acts)
{
	const struct router *r = whose;

	router_perform(r->elector->routers[i], now, acts);
}

static struct group_hands
hands_of(struct router *r)
{
	return (struct group_hands){.whose = r, .seats = r->elector->router_count,
		.seat = seat_at, .refresh = refresh_at, .set_fitness = set_fitness_at,
		.perform = perform_at};
}

uint8_t
group_priority(struct router *r)
{
	struct group_hands hands = hands_of(r);

	if (is_grouped(r))
		return settle_priority(&hands);
	refresh(r);
	return r->seat.priority;
}

void
group_settle(struct router *r, mono now)
{
	struct elector *x = r->elector;
	struct group_hands hands = hands_of(r);

	if (is_grouped(r) && !x->starting && !x->stopping)
		settle_group(&x->group_turn, &hands, now);
}

void
group_follow(struct router *r, mono now, const struct el_acts *acts)
{
	struct group_hands hands = hands_of(r);

	r->seat.election = &r->election;
	if (is_grouped(r) && settle_is_due(&hands, &r->seat, acts))
		group_settle(r, now);
}

void
groups_pause(struct elector *x)
{
	x->group_turn.settling = true;
}

void
groups_settle(struct elector *x, mono now)
{
	x->group_turn.settling = false;
	for (size_t i = 0; i < x->router_count; i++)
		if (is_grouped(x->routers[i]) && is_first(x->routers[i]))
			group_settle(x->routers[i], now);
}

bool
group_peer_is_ready(struct router *r, mono now)
{
	struct group_hands hands = hands_of(r);

	return settle_peer_is_ready(&hands, now);
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
