/*
 * When to announce an address (gratuitous ARP, unsolicited NA).
 *
 * One announcement at takeover is what RFC 9568 6.4 asks for; neighbours lose frames, hold an
 * entry for locktime (1 s), or hear a hung predecessor's kernel answer until its lease is over.
 * So a series goes out at +0, 0.05, 0.25, 1.1, 2.5 and 5 s, longer than the lease of the other
 * node, and then a slow refresh for as long as the node is active.
 */
#ifndef TANDEM_CORE_ANNOUNCE_H
#define TANDEM_CORE_ANNOUNCE_H

#include "base/mono.h"

/*
 * Which one of the series an announcement is. For a few addresses that does not matter; of a large
 * block only the first (there is somebody new), the last (it outlasts the lease of the other node)
 * and the refresh go out.
 */
enum announce_copy { ANNOUNCE_FIRST, ANNOUNCE_BETWEEN, ANNOUNCE_LAST, ANNOUNCE_REFRESH };

struct announce {
	mono started;
	mono deadline; /* MONO_NEVER: silent */
	uint8_t sent;  /* of the series */
	uint8_t copy;  /* enum announce_copy of the one that was due last */
};

/* Start (or restart) the series: due at once. */
void announce_start(struct announce *a, mono now);
void announce_stop(struct announce *a);
/* True when an announcement is due now; arranges the next one. */
bool announce_tick(struct announce *a, mono now);

#endif
