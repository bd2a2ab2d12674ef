/*
 * Do a virtual server's established connections go on when the other node takes over, and by what?
 *
 *  hash  the scheduler makes the choice out of the packet alone (mh), so a node that never saw the
 *        connection sends its next packet to the same real server. Needs the same real servers with
 *        the same weights on both nodes, and of TCP and SCTP that a packet in mid-stream is taken
 *        for one of a connection (net.ipv4.vs.sloppy_tcp, sloppy_sctp). Nothing is sent between the
 *        nodes for it. sh is a hash as well, but of the order in which the servers came: two nodes
 *        seldom agree on that for long.
 *  sync  the kernels tell each other of connections (ip_vs_sync.c).
 *  none  they end with the node.
 *
 * Pure: facts in, a verdict with its reason out.
 */
#ifndef TANDEM_CORE_SURVIVAL_H
#define TANDEM_CORE_SURVIVAL_H

#include "base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum survival_mode { SURVIVAL_NONE, SURVIVAL_SYNC, SURVIVAL_HASH };

/* Do both nodes choose from the same real servers? */
enum survival_servers { SERVERS_UNTOLD, SERVERS_EQUAL, SERVERS_DIFFER };

struct survival_facts {
	bool alone;           /* one node is configured */
	bool peer_lost;       /* there is another one, and it is known to be silent */
	bool cold;            /* cold standby */
	bool balancing;       /* this kernel has ip_vs, and we talk to it */
	bool one_packet;      /* no connection is remembered at all */
	bool hashing;         /* survival_is_hash() */
	bool sloppy_refused;  /* the sysctl that hashing needs was refused */
	bool sync_enabled;
	bool sync_running;    /* both daemons, with their sysctls */
	bool sysctl_refused;  /* one of those */
	bool behind;          /* the standby, whichever node it is, has not caught up */
	enum survival_servers servers;
};

struct survival {
	enum survival_mode mode;
	enum reason why;      /* REASON_NONE: nothing to say */
};

struct survival survival_judge(const struct survival_facts *f);
/* Does that scheduler choose so? Not with persistence: that has a memory. */
bool survival_is_hash(const char *scheduler, uint32_t persistence_s);
const char *survival_name(enum survival_mode mode); /* "none", "sync", "hash" */

/*
 * What the nodes compare: a digest of servers, 1..127; 0 is kept for "not told".
 * survival_digest_begin(), survival_digest_add() for all in one order, survival_digest_end().
 */
uint32_t survival_digest_begin(void);
uint32_t survival_digest_add(uint32_t digest, const void *bytes, size_t length);
uint8_t survival_digest_end(uint32_t digest);

#endif
