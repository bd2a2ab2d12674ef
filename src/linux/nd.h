/*
 * Neighbour discovery (RFC 4861): what gratuitous ARP, ARP requests and replies are for IPv4. Frames
 * leave through a packet socket, because no other one may speak from an address that it does not
 * have; advertisements are heard through a raw ICMPv6 socket, so that nothing of the host's other
 * traffic over IPv6 passes a filter of ours.
 *
 * Announcing: an unsolicited advertisement (7.2.6) to ff02::1 with hop limit 255, the override flag
 * set, the announced address as source and target, and the target link-layer option (Linux ignores
 * one without, net/ipv6/ndisc.c ndisc_recv_na()). The router flag says whether this node forwards
 * on the interface: hosts that have it as their default gateway drop their routes when it is missing.
 *
 * Asking: a solicitation to the target's solicited-node group.
 */
#ifndef TANDEM_LINUX_ND_H
#define TANDEM_LINUX_ND_H

#include "base/addr.h"

#include <stdbool.h>

enum { ND_FRAME = 86, ND_PROBE = 78 };

/* The bytes of the advertisement. The address must be IPv6. */
void nd_build(const uint8_t mac[6], const struct ip_addr *address, bool router,
	uint8_t out[ND_FRAME]);
/* Sends it over a packet socket. 0 or negative errno. Never blocks. */
int nd_announce(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *address,
	bool router);

/*
 * The bytes of a question for `target`, which must be IPv6; their number. From `own`, with the source
 * link-layer option, ND_FRAME; `own` of family IP_NONE: as who looks for a duplicate asks (RFC 4862
 * 5.4.2), from ::, without an option, answered to ff02::1, ND_PROBE.
 */
size_t nd_build_question(const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target, uint8_t out[ND_FRAME]);
/* Sends it over a packet socket. 0 or negative errno. Never blocks. */
int nd_ask(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target);

/* An advertisement that came in. */
struct nd_heard {
	int ifindex;
	uint8_t mac[6];             /* target link-layer option; zero without one */
	struct ip_addr target;      /* who speaks */
	struct ip_addr destination; /* whom it was sent to: an address of ours, or ff02::1 */
};

/*
 * A socket that hears the advertisements of this network namespace, on every interface; those with
 * another hop limit than 255 do not reach it (RFC 4861 7.1.2), and the kernel checks their checksums.
 * Non-blocking. A descriptor, or negative errno. Needs CAP_NET_RAW.
 */
int nd_listen(void);
/* The next one; false when there is none, or after some that were malformed: more may wait. */
bool nd_read(int fd, struct nd_heard *out);

#endif
