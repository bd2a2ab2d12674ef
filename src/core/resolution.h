/*
 * Address resolution as it comes in: ARP for IPv4 over Ethernet (RFC 826) and neighbour
 * advertisements (RFC 4861 4.4). Pure: bytes in, who speaks for which address out. Whoever hears one
 * has looked at the hop limit and the checksum (the kernel does), and decides what it means.
 */
#ifndef TANDEM_CORE_RESOLUTION_H
#define TANDEM_CORE_RESOLUTION_H

#include "base/addr.h"

enum {
	ARP_AT = 14,          /* behind the Ethernet header */
	ARP_END = ARP_AT + 28,
	ADVERTISEMENT_MIN = 24, /* without options */
	ADVERTISEMENT_TYPE = 136,
};

struct arp_message {
	bool reply;             /* else a request */
	uint8_t mac[6];         /* of the sender */
	struct ip_addr sender, target;
};

struct advertisement {
	bool solicited;
	uint8_t mac[6];         /* target link-layer option; zero without one */
	struct ip_addr target;  /* who speaks */
};

/* A whole Ethernet frame, padding allowed. False: not a request or reply of that kind. */
bool arp_decode(const uint8_t *frame, size_t length, struct arp_message *out);
/* An ICMPv6 message. False: not an advertisement, or malformed (RFC 4861 7.1.2). */
bool advertisement_decode(const uint8_t *message, size_t length, struct advertisement *out);

#endif
