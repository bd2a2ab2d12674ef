/*
 * Gratuitous ARP: frames built by libnet, sent over our own packet socket of protocol 0 (libnet's
 * own link handle would tap all traffic of the host).
 *
 * Two forms per address: an ARP request with sender = target = the address (most widely honoured),
 * and a reply whose target hardware address equals the sender's; Linux ignores other reply forms
 * for a second (net/ipv4/arp.c arp_is_garp()). RFC 5227 3, RFC 9568 8.1.2.
 */
#ifndef TANDEM_LINUX_ARP_H
#define TANDEM_LINUX_ARP_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARP_FRAME = 60 }; /* padded to the Ethernet minimum */

struct arp_sender {
	int fd;
	void *builder; /* libnet_t */
};

/* 0 or negative errno. */
int arp_sender_open(struct arp_sender *s);
void arp_sender_close(struct arp_sender *s);
/* Both forms for one IPv4 address. 0 or negative errno. Never blocks. */
int arp_announce(struct arp_sender *s, int ifindex, const uint8_t mac[6],
	const struct ip_addr *address);
/* A whole Ethernet frame out of the interface. 0 or negative errno. Never blocks. */
int arp_send_frame(struct arp_sender *s, int ifindex, const uint8_t *frame, size_t length);
/* The bytes of one form (request or reply), for tests. Returns the length or a negative errno. */
int arp_build(struct arp_sender *s, const uint8_t mac[6], const struct ip_addr *address,
	bool reply, uint8_t out[ARP_FRAME]);

#endif
