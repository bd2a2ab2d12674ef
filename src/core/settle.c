/* Look after look at a group. See settle.h. */
#include "core/settle.h"

/* Orders have effects that ask for a further look; what is left after that has the next second. */
enum { LOOKS_MOST = 8 };

static struct group_member
member_of(const struct group_seat *s, mono now)
{
	const struct election *e = s->election;

	return (struct group_member){
		.role = e->role,
		.was_active = s->was_active,
		.candidate = e->candidate != REASON_NONE,
		.offer = e->offer,
		.rival = el_rival(e, now),
		.fitness = s->fitness,
		.broken = el_is_broken(e),
		.priority = s->priority,
	};
}

static struct group
look(const struct group_hands *h, mono now)
{
	struct group g;

	group_begin(&g);
	for (size_t i = 0; i < h->seats; i++) {
		const struct group_seat *s = h->seat(h->whose, i);
		struct group_member m;

		if (!s)
			continue;
		h->refresh(h->whose, i);
		m = member_of(s, now);
		group_add(&g, &m);
	}
	return g;
}

/* First those with a reason of their own: an interface without carrier is resigned from at once. */
static void
tell_fitness(const struct group_hands *h, mono now)
{
	struct group g = look(h, now);

	for (size_t turn = 0; turn < 2 * h->seats; turn++) {
		size_t i = turn % h->seats;
		const struct group_seat *s = h->seat(h->whose, i);
		bool turn_of_others = turn >= h->seats;
		enum el_fitness fitness;
		struct group_member m;

		if (!s)
			continue;
		m = member_of(s, now);
		fitness = group_fitness(&g, &m);
		if ((fitness != m.fitness) == turn_of_others)
			h->set_fitness(h->whose, i, now, fitness,
				turn_of_others ? REASON_GROUP : s->why, g.priority);
	}
}

static void
obey(struct election *e, mono now, enum group_order order, enum reason offer, struct el_acts *acts)
{
	switch (order) {
	case GROUP_STAY:
		break;
	case GROUP_TAKE:
		el_take(e, now, REASON_GROUP, acts);
		break;
	case GROUP_YIELD:
		el_yield(e, now, REASON_GROUP, acts);
		break;
	case GROUP_OFFER:
		el_offer(e, now, offer, acts);
		break;
	}
}

/* All are judged by one look: what the first does must not change what the next one hears. */
static void
tell_orders(const struct group_hands *h, mono now)
{
	struct group g = look(h, now);

	for (size_t i = 0; i < h->seats; i++) {
		struct group_seat *s = h->seat(h->whose, i);
		struct el_acts acts = {.count = 0};
		enum group_order order;
		struct group_member m;

		if (!s)
			continue;
		m = member_of(s, now);
		order = group_judge(&g, &m);
		s->was_active = m.role == EL_ACTIVE;
		s->offered = m.offer;
		obey(s->election, now, order, g.offer, &acts);
		if (order != GROUP_STAY)
			h->perform(h->whose, i, now, &acts);
	}
}

void
settle_group(struct group_turn *turn, const struct group_hands *hands, mono now)
{
	if (turn->settling) {
		turn->unsettled = true;
		return;
	}
	turn->settling = true;
	for (int looks = 0; looks < LOOKS_MOST; looks++) {
		turn->unsettled = false;
		tell_fitness(hands, now);
		tell_orders(hands, now);
		if (!turn->unsettled)
			break;
	}
	turn->settling = false;
}

static bool
all_would_be_active(const struct group_hands *h)
{
	for (size_t i = 0; i < h->seats; i++) {
		const struct group_seat *s = h->seat(h->whose, i);

		if (s && s->election->role != EL_ACTIVE && s->election->candidate == REASON_NONE)
			return false;
	}
	return true;
}

bool
settle_is_due(const struct group_hands *hands, const struct group_seat *seat,
	const struct el_acts *acts)
{
	bool moved = seat->election->offer != seat->offered, candidate = false;

	for (size_t i = 0; i < acts->count; i++) {
		moved |= acts->list[i].kind == EL_ROLE;
		candidate |= acts->list[i].kind == EL_CANDIDATE;
	}
	return moved || (candidate && all_would_be_active(hands));
}

uint8_t
settle_priority(const struct group_hands *hands)
{
	uint8_t lowest = UINT8_MAX;

	for (size_t i = 0; i < hands->seats; i++) {
		const struct group_seat *s = hands->seat(hands->whose, i);

		if (!s)
			continue;
		hands->refresh(hands->whose, i);
		if (s->priority < lowest)
			lowest = s->priority;
	}
	return lowest;
}

bool
settle_peer_is_ready(const struct group_hands *hands, mono now)
{
	for (size_t i = 0; i < hands->seats; i++) {
		const struct group_seat *s = hands->seat(hands->whose, i);
		const struct election *e = s ? s->election : NULL;

		if (e && e->params.keyed && e->role == EL_ACTIVE && e->offer == REASON_NONE &&
			!el_peer_is_ready(e, now))
			return false;
	}
	return true;
}
