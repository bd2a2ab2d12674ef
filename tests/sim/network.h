/*
 * The paths between the simulated nodes. Each of them loses, delays, doubles, reorders, flips
 * bits, and is cut in one or both directions, by itself. Packets are bytes with an IP header, as a
 * raw socket delivers them.
 *
 * Path 0 is the service LAN: all nodes, strangers and third parties are on it, the addresses are
 * served there. The others are links between the two nodes of a keyed pair.
 */
#ifndef TANDEM_SIM_NETWORK_H
#define TANDEM_SIM_NETWORK_H

#include "events.h"
#include "random.h"

enum { SIM_NODES = 3, SIM_PATHS = 4, SERVICE = 0 };

struct noise {
	unsigned loss, doubled, corrupt, garbage; /* percent */
	int64_t delay_ns;               /* up to */
};

struct wire {
	bool cut[SIM_NODES][SIM_NODES]; /* from, to */
	bool down[SIM_NODES];           /* a node's cable is out */
	bool refuses[SIM_NODES];        /* its own kernel refuses what a node sends there */
	bool isolated[SIM_NODES];       /* its port at the switch is dead, and has carrier */
	bool loop;                      /* a bridge loop: senders hear themselves */
	struct noise noise;
	bool noisy;
	int64_t last[SIM_NODES + 1][SIM_NODES]; /* arrival of the last packet, from, to */
	int64_t dirty_until;            /* packets sent while noisy may arrive until then */
	int64_t clean_since;            /* kept by network_note(); INT64_MAX: it is not */
};

struct network {
	struct rng rng;
	bool squatter;                  /* a stranger on the service LAN answers for the addresses */
	unsigned believed;              /* who announced the addresses to the LAN last */
	struct wire wires[SIM_PATHS];
	unsigned count;
};

struct world;

/* The bytes as they are; `from` may be SIM_NODES: a foreign router, which cuts do not touch. */
void network_send(struct world *w, unsigned path, unsigned from, const uint8_t *bytes,
	size_t length);
/* A frame of somebody who sits on the path next to the node. */
void network_inject(struct world *w, unsigned to, const struct packet *packet);
void network_set_noise(struct world *w, unsigned path, const struct noise *noise);
void network_heal(struct world *w);
/* Can a frame take that way now? (It may still be lost in noise.) */
bool network_passes(const struct world *w, unsigned path, unsigned from, unsigned to);
/* What the node's process sends on the service LAN gets no farther than its own kernel. */
bool network_refuses(const struct world *w, unsigned node);
/* Is the node answered by third parties on the service LAN? */
bool network_on_lan(const struct world *w, unsigned node);
/* Nothing disturbs what these two say to each other on that path; ... or on any. */
bool network_path_is_clean(const struct world *w, unsigned path, unsigned a, unsigned b);
bool network_pair_is_clean(const struct world *w, unsigned a, unsigned b);
/* After every event: keeps the beginning of undisturbed times between nodes 0 and 1. */
void network_note(struct world *w);
/* For how long have nodes 0 and 1 had one path undisturbed; the service LAN? -1: they have not. */
int64_t network_clean_for_ns(const struct world *w);
int64_t network_lan_clean_for_ns(const struct world *w);
/* Gratuitous ARP for the addresses: the hosts on the service LAN believe the last one. */
void network_announce(struct world *w, unsigned from);
/* When the frame that one sends to the other's kernel arrives; INT64_MAX: never. */
int64_t network_frame_at(struct world *w, unsigned from, unsigned to);

/* The longest a packet takes on a clean wire. */
#define NETWORK_DELAY_NS (1 * NS_PER_MS)

#endif
