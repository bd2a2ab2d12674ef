/*
 * Unsolicited neighbour advertisements: RFC 4861 7.2.6, what gratuitous ARP is for IPv4. The frame
 * goes to ff02::1 with hop limit 255, the override flag set, the announced address as source and
 * target, and the target link-layer option (Linux ignores one without, net/ipv6/ndisc.c
 * ndisc_recv_na()). The router flag says whether this node forwards on the interface: hosts that
 * have it as their default gateway drop their routes when it is missing.
 */
#ifndef TANDEM_LINUX_ND_H
#define TANDEM_LINUX_ND_H

#include "base/addr.h"

#include <stdbool.h>

enum { ND_FRAME = 86 };

/* The bytes of the advertisement. The address must be IPv6. */
void nd_build(const uint8_t mac[6], const struct ip_addr *address, bool router,
	uint8_t out[ND_FRAME]);
/* Sends it over a packet socket. 0 or negative errno. Never blocks. */
int nd_announce(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *address,
	bool router);

#endif
