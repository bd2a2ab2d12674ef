/*
 * Looking at a group until there is nothing left to say. core/group.h judges one look; here is
 * what a look leads to: fitness is told first, orders are given after it, and what they cause asks
 * for a further look. Whoever keeps the elections (the daemon, the simulator) lends its hands.
 */
#ifndef TANDEM_CORE_SETTLE_H
#define TANDEM_CORE_SETTLE_H

#include "core/group.h"

/* A member, as its keeper knows it. */
struct group_seat {
	struct election *election;
	enum el_fitness fitness; /* of itself, whatever the others are */
	enum reason why;         /* it is not fit */
	uint8_t priority;        /* of itself */
	/* Kept here: */
	bool was_active;         /* when the group was looked at last */
	enum reason offered;     /* its offer then */
};

struct group_hands {
	void *whose;
	size_t seats;
	/* NULL: that one is not of this group. */
	struct group_seat *(*seat)(void *whose, size_t i);
	/* What the member is of itself. */
	void (*refresh)(void *whose, size_t i);
	void (*set_fitness)(void *whose, size_t i, mono now, enum el_fitness fitness, enum reason why,
		uint8_t priority);
	void (*perform)(void *whose, size_t i, mono now, const struct el_acts *acts);
};

/* One at a time: what the hands do while a group is looked at comes back here. */
struct group_turn {
	bool settling;  /* or nobody is to look, for now */
	bool unsettled; /* look again */
};

void settle_group(struct group_turn *turn, const struct group_hands *hands, mono now);
/*
 * The member has done that: is a look due? When a role or an offer changed; of candidates, which
 * come one after the other, only the last one of a group is news.
 */
bool settle_is_due(const struct group_hands *hands, const struct group_seat *seat,
	const struct el_acts *acts);
/* For el_params.priority of all members. */
uint8_t settle_priority(const struct group_hands *hands);
/* Could the peer take over all that it would be offered? */
bool settle_peer_is_ready(const struct group_hands *hands, mono now);

#endif
