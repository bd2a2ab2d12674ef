/*
 * The wire between the simulated nodes: it loses, delays, doubles, reorders, flips bits, loops
 * frames back and is cut in one or both directions. Packets are bytes with an IP header, as a raw
 * socket delivers them.
 */
#ifndef TANDEM_SIM_NETWORK_H
#define TANDEM_SIM_NETWORK_H

#include "random.h"

#include <stddef.h>

enum { SIM_NODES = 3 };

struct noise {
	unsigned loss, doubled, corrupt, garbage; /* percent */
	int64_t delay_ns;               /* up to */
};

struct network {
	struct rng rng;
	bool cut[SIM_NODES][SIM_NODES]; /* from, to */
	bool down[SIM_NODES];           /* a node's cable is out */
	bool loop;                      /* a bridge loop: senders hear themselves */
	struct noise noise;
	bool noisy;
	int64_t last[SIM_NODES + 1][SIM_NODES]; /* arrival of the last packet, from, to */
	int64_t dirty_until;            /* packets sent while noisy may arrive until then */
};

struct world;

/* `from` may be SIM_NODES: a foreign router, which the cuts do not touch. */
void network_send(struct world *w, unsigned from, const uint8_t *bytes, size_t length);
void network_set_noise(struct world *w, const struct noise *noise);
void network_heal(struct world *w);
/* Nothing disturbs what these two say to each other. */
bool network_pair_is_clean(const struct world *w, unsigned a, unsigned b);

/* The longest a packet takes on a clean wire. */
#define NETWORK_DELAY_NS (1 * NS_PER_MS)

#endif
