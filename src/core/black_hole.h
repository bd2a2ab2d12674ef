/*
 * A server that takes connections and answers none of them, while its probe, which goes another
 * way, is content. The kernel counts per server: connections, packets to it, packets from it. Pure.
 *
 * The packets from a server are counted where they come back through this node, that is with NAT.
 * With direct routing and tunnels they never do: what is left there is how far the client's own
 * packets bring the connection, and that looks the same when the clients are a SYN flood. So it is
 * not known there, and nothing is done.
 */
#ifndef TANDEM_CORE_BLACK_HOLE_H
#define TANDEM_CORE_BLACK_HOLE_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

/* What the kernel has counted for a server; all of it only grows. */
struct black_hole_counts {
	uint64_t connections, in_packets, out_packets;
};

struct black_hole {
	mono since;                    /* of the window; MONO_NEVER: no counts yet */
	struct black_hole_counts from; /* at its beginning */
	bool is;
};

enum {
	BLACK_HOLE_ENOUGH = 20,  /* connections without a single packet back */
	BLACK_HOLE_PERCENT = 10, /* of its weight: what shows that it answers again */
};

#define BLACK_HOLE_NONE ((struct black_hole){.since = MONO_NEVER})

/*
 * The counts of now; true when b->is changed. It begins with BLACK_HOLE_ENOUGH connections, as many
 * packets, and none back, in a window of 3 to 30 s; it ends with the first packet that comes back.
 */
bool black_hole_take(struct black_hole *b, mono now, const struct black_hole_counts *counts);

#endif
