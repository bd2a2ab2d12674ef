/*
 * The relay: a thread that passes frames on which still come for an address that has just moved
 * to the other node, because their sender has not heard of it yet or never will (a frozen ARP
 * entry). Only where the kernel does not: with forwarding on, it routes them itself.
 *
 * A frame goes to the new owner as it came, with our hardware address as its source; the header
 * that the kernel puts before it (PACKET_VNET_HDR) carries unfinished checksums and segments that
 * are still one. What the new owner itself sent is never passed on, so two relays cannot play ball.
 *
 * The thread has no real-time priority: under a flood it is these frames that wait.
 */
#ifndef TANDEM_LINUX_RELAY_H
#define TANDEM_LINUX_RELAY_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/mono.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RELAY_JOBS = 64 }; /* under way at once; what is beyond is not relayed */

/* One interface and one family. */
struct relay_job {
	uint32_t router;             /* of the caller */
	int ifindex;
	char interface[LIMIT_IFNAME];
	uint8_t own[6], owner[6];    /* our hardware address there, and that of the new owner */
	enum ip_family family;
	mono until;

	/* out, when it has come back */
	int error;                   /* 0 or a negative errno: it could not listen */
	bool forwarding;             /* nothing was done: the kernel does it */
	uint64_t frames, refused;    /* passed on; not taken by the kernel */

	int fd;                      /* the thread's */
	bool ending;

	size_t count;
	struct ip_prefix prefixes[]; /* count of them, of that family */
};

struct relay;

/* With room for `count` prefixes (zeroed), from malloc(); NULL without memory. */
struct relay_job *relay_job_new(size_t count);
/* Is the frame of `length` bytes for one of the job's prefixes, and not from the new owner? */
bool relay_wants(const struct relay_job *job, const uint8_t *frame, size_t length);

/* Starts the thread. 0 or negative errno. */
int relay_start(struct relay **out);
/* Readable when a job is over; for the event loop. */
int relay_fd(const struct relay *relay);
/* Never blocks. False: the job stays the caller's. Needs CAP_NET_RAW. */
bool relay_begin(struct relay *relay, struct relay_job *job);
/* Ends those of a router; they still come back. Never blocks. */
void relay_end(struct relay *relay, uint32_t router);
/* The next job that is over, or NULL. The caller frees it with free(). */
struct relay_job *relay_next_done(struct relay *relay);
/* Ends everything under way and the thread, and frees all. NULL: nothing to do. */
void relay_stop(struct relay *relay);

#endif
