/*
 * Questions to the wire, and what it says: ARP as seen by a packet socket of our own.
 *
 * Who has an address (a probe, sender 0: RFC 5227 2.1.1, a Linux owner answers it), does a
 * neighbour answer us (an ordinary request), and does anybody speak for one of our addresses. One
 * socket for all interfaces; a frame says on which it came. Never blocks; translates only.
 */
#ifndef TANDEM_LINUX_WIRE_H
#define TANDEM_LINUX_WIRE_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	WIRE_SAMPLE = 64,  /* one gratuitous frame in so many for a quiet prefix gets in; power of 2 */
	WIRE_QUIET = 1000, /* such prefixes at most */
};

struct wire {
	int fd;
};

/* A frame that somebody else sent. */
struct wire_frame {
	int ifindex;
	bool reply;                /* else a request */
	uint8_t mac[6];            /* sender's, as the ARP says */
	struct ip_addr sender;     /* 0.0.0.0 in a probe */
	struct ip_addr target;
};

/* 0 or negative errno. Needs CAP_NET_RAW to open, not to use. */
int wire_open(struct wire *w);
void wire_close(struct wire *w);
/*
 * Prefixes of IPv4 of which gratuitous ARP is not worth waking for, because the other node announces
 * them address by address: the kernel lets a sample in. Requests, and replies to us, all get in.
 * What is beyond WIRE_QUIET is left out. 0 or negative errno (then it is as before).
 */
int wire_quiet(struct wire *w, const struct ip_prefix *prefixes, size_t count);
/* Who has `target`? `own` of family IP_NONE: a probe. 0 or negative errno. IPv4 only. */
int wire_ask(struct wire *w, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target);
/* The next frame; false when there is none. Frames that are no ARP for IPv4 are left out. */
bool wire_read(struct wire *w, struct wire_frame *out);

#endif
