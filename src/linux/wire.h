/*
 * Questions to the wire, and what it says: ARP as seen by a packet socket of our own, and neighbour
 * advertisements (nd.h) where they are wanted.
 *
 * Who has an address (a probe, sender 0: RFC 5227 2.1.1, or ::, a Linux owner answers both), does
 * a neighbour answer us (an ordinary request), and does anybody speak for one of our addresses. One
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

enum { WIRE_ARP, WIRE_ND, WIRE_SOCKETS };

struct wire {
	int fd[WIRE_SOCKETS]; /* -1: not open */
};

/* A frame that somebody else sent. */
struct wire_frame {
	int ifindex;
	bool reply;                /* else a request; an advertisement is a reply */
	uint8_t mac[6];            /* sender's, as the ARP says; zero: an advertisement does not */
	struct ip_addr sender;     /* 0.0.0.0 in a probe; of an advertisement: whom it is about */
	struct ip_addr target;     /* of an advertisement: whom it was sent to, or ff02::1 */
};

/* 0 or negative errno. Needs CAP_NET_RAW to open, not to use. */
int wire_open(struct wire *w);
/* May be called on one that is zeroed and was never opened. */
void wire_close(struct wire *w);
/* Hear neighbour advertisements as well (or no more): not so at first. 0 or negative errno. */
int wire_hear_ip6(struct wire *w, bool wanted);
/*
 * Prefixes of IPv4 of which gratuitous ARP is not worth waking for, because the other node announces
 * them address by address: the kernel lets a sample in. Requests, and replies to us, all get in.
 * What is beyond WIRE_QUIET is left out. 0 or negative errno (then it is as before).
 */
int wire_quiet(struct wire *w, const struct ip_prefix *prefixes, size_t count);
/* Who has `target`? `own` of family IP_NONE: a probe, else of its family. 0 or negative errno. */
int wire_ask(struct wire *w, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target);
/*
 * The next frame of WIRE_ARP or WIRE_ND; false when there is none, or after some that were none of
 * ours: a call ends, whatever the wire is full of.
 */
bool wire_read(struct wire *w, unsigned which, struct wire_frame *out);

#endif
