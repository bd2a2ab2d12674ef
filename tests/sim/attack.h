/*
 * Somebody who sits on every path, has no key, and has kept what was sent: replays it (soon or
 * long after, across restarts, on other paths, back to its sender), flips bits, signs with another
 * key or for another cluster, and speaks plain VRRP.
 */
#ifndef TANDEM_SIM_ATTACK_H
#define TANDEM_SIM_ATTACK_H

#include "events.h"
#include "random.h"

enum { SIM_CAPTURES = 48 };

struct attacker {
	struct rng rng;
	struct packet captures[SIM_CAPTURES]; /* recent ones, and some of long ago */
	unsigned count;
};

struct world;

/* A node has sent that. */
void attack_capture(struct world *w, const struct packet *packet);
/* EVENT_ATTACK. */
void attack_strikes(struct world *w);

#endif
