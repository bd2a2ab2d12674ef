/*
 * ICMP and ICMPv6 echo, as a prober needs it: build a request, recognise the reply. Pure.
 *
 * Every raw socket sees every reply that reaches the host, so a reply must prove that it is ours:
 * the identifier says which process, and the payload carries back the slot of the target and a
 * cookie that was drawn for this one request. The caller compares the source address.
 */
#ifndef TANDEM_CORE_ICMP_H
#define TANDEM_CORE_ICMP_H

#include "base/addr.h"

enum {
	ICMP_ECHO_HEADER = 8,
	ICMP_ECHO_PAYLOAD = 16,
	ICMP_ECHO_LENGTH = ICMP_ECHO_HEADER + ICMP_ECHO_PAYLOAD,
	ICMP_READ_MAX = 60 + ICMP_ECHO_LENGTH + 512, /* longest IPv4 header, and what peers add */
};

struct icmp_echo {
	uint16_t id;       /* of the process */
	uint16_t sequence; /* low bits of the probe's number */
	uint32_t slot;     /* of the target */
	uint64_t cookie;   /* of this request */
};

/*
 * Writes the request and returns its length, 0 when it does not fit. Over IPv6 the checksum stays
 * 0: it covers the addresses, and the kernel writes it on ICMPv6 sockets.
 */
size_t icmp_echo_build(uint8_t family, const struct icmp_echo *echo, uint8_t *out,
	size_t capacity);

/*
 * Reads what a raw socket delivered: over IPv4 with the IP header, over IPv6 without. False unless
 * it is a whole echo reply in our format (over IPv4 with a right checksum). *source is set over
 * IPv4 alone; over IPv6 the socket tells.
 */
bool icmp_echo_parse(uint8_t family, const uint8_t *packet, size_t length, struct icmp_echo *out,
	struct ip_addr *source);

/* Internet checksum (RFC 1071). */
uint16_t icmp_checksum(const uint8_t *bytes, size_t length);

#endif
