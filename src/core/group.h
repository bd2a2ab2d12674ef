/*
 * Virtual routers that move together (keepalived calls it a sync group). Every member has an
 * election of its own; this says what the members have to do so that all of them are active on one
 * node. Pure, and without a list: each member is added up, then asked for its order.
 *
 *  - Members become active together: when each of them is active already or would be (a candidate:
 *    its place is free, or offered). One LAN that went silent moves nothing while another active is
 *    heard on the others: taking over there would only be undone.
 *  - What one member cannot, none does: the group is as fit as its least fit member, and has the
 *    lowest priority of its members.
 *  - One that stops being active takes the others along.
 *  - One that offers its place to the peer of a keyed pair (make before break) has the others offer
 *    theirs; who offers is not made to yield, it is about to hand over.
 *  - Divided between two nodes (after a reload): the higher rank takes all, the other yields all. Both
 *    nodes see the same ranks, because all members of a node have the same fitness and priority.
 */
#ifndef TANDEM_CORE_GROUP_H
#define TANDEM_CORE_GROUP_H

#include "core/election.h"

struct group_member {
	enum el_role role;
	bool was_active;         /* when the group was looked at last */
	bool candidate;          /* el_take() would be in order */
	enum reason offer;       /* active: offers its place; REASON_NONE: it does not */
	enum el_rival rival;     /* backup: who else is active there */
	enum el_fitness fitness; /* of itself, whatever the others are */
	bool broken;             /* in fault of its own making although fit: it will try again */
	uint8_t priority;        /* of itself */
};

enum group_order { GROUP_STAY, GROUP_TAKE, GROUP_YIELD, GROUP_OFFER };

struct group {
	unsigned members, active, candidates;
	bool fell, hears_lesser, hears_better;
	enum reason offer;       /* of a member that offers; REASON_NONE: nobody does */
	enum el_fitness fitness;
	uint8_t priority;
};

void group_begin(struct group *g);
void group_add(struct group *g, const struct group_member *m);
/* After all have been added. A new look is due when an order had an effect. */
enum group_order group_judge(const struct group *g, const struct group_member *m);
/* What the member is to be told by el_set_fitness() and el_params.priority. */
enum el_fitness group_fitness(const struct group *g, const struct group_member *m);

#endif
