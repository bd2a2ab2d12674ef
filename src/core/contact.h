/*
 * Does a node still reach its service interface? Asked when the peer has gone quiet there but not
 * on another path: one of the two is cut off, and whoever it is should not be active.
 *
 * Questions go to third parties (the gateway, neighbours), in rounds: the first ones 20 ms apart,
 * later ones 200 ms. Who is answered is connected. Who asked three times, is not answered, and has
 * not heard the peer there for so long that the path counts as quiet, is isolated. Who has nobody
 * to ask does not know. Pure.
 */
#ifndef TANDEM_CORE_CONTACT_H
#define TANDEM_CORE_CONTACT_H

#include "core/election.h"

struct contact {
	enum el_contact state;
	uint8_t rounds;      /* of questions since the last answer */
	mono next_round;
};

/* What is known of the path. */
struct contact_sight {
	mono heard;          /* the peer, on this path; MONO_NEVER: never */
	mono peer_heard;     /* ... on any path */
	int64_t quiet_ns;    /* so long without a message: the path is quiet */
	bool peer_alive, carrier;
};

void contact_init(struct contact *c);
/* True: ask everybody there is, then call contact_asked(). The state may have changed. */
bool contact_look(struct contact *c, mono now, const struct contact_sight *sight);
/* The questions have left, or (not `anybody`) there was nobody to ask. The state may have changed. */
void contact_asked(struct contact *c, mono now, bool anybody);
/* A third party has answered us. The state may have changed. */
void contact_answered(struct contact *c);
/* So long after a message: one is missing, and looking is worth while. */
int64_t contact_doubt_ns(int64_t quiet_ns);

#endif
