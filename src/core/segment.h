/*
 * A TCP segment of no connection in an IPv4 packet, as the probe through the data path sends and
 * reads it: an opening, a reset, and what a server's kernel says to them. Pure.
 */
#ifndef TANDEM_CORE_SEGMENT_H
#define TANDEM_CORE_SEGMENT_H

#include "base/addr.h"

enum {
	SEGMENT_FIN = 1,
	SEGMENT_SYN = 2,
	SEGMENT_RST = 4,
	SEGMENT_ACK = 16,
};

enum {
	SEGMENT_IP_HEADER = 20,
	SEGMENT_MAX = 2 * SEGMENT_IP_HEADER + 24, /* longest that is built: in a tunnel, with an option */
	SEGMENT_READ_MAX = 60 + 60,               /* the headers of any segment */
};

struct segment {
	struct endpoint from, to; /* IPv4 */
	uint32_t sequence;
	uint32_t acknowledged;    /* with SEGMENT_ACK */
	uint8_t flags;
};

/*
 * Writes the packet and returns its length, 0 when it does not fit. It lives for one hop: whom it
 * is not for cannot pass it on. With `tunnel` it is wrapped into another one (IPIP), which goes to
 * that address from the segment's own.
 */
size_t segment_build(const struct segment *s, const struct ip_addr *tunnel, uint8_t *out,
	size_t capacity);

/*
 * Reads an IPv4 packet or its start. False unless it holds the whole TCP header of a first fragment
 * under a right IP header. TCP's checksum is not looked at: between virtual interfaces it is left
 * open for hardware to fill in.
 */
bool segment_parse(const uint8_t *packet, size_t length, struct segment *out);

#endif
