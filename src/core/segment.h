/*
 * A TCP segment of no connection in an IP packet, as the probe through the data path sends and
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
	SEGMENT_IP4_HEADER = 20,
	SEGMENT_IP6_HEADER = 40,
	SEGMENT_MAX = 2 * SEGMENT_IP6_HEADER + 24, /* longest that is built: in a tunnel, with an option */
	SEGMENT_READ_MAX = 60 + 60,                /* the headers of any segment */
};

struct segment {
	struct endpoint from, to; /* of one family */
	uint32_t sequence;
	uint32_t acknowledged;    /* with SEGMENT_ACK */
	uint8_t flags;
};

/*
 * Writes the packet and returns its length, 0 when it does not fit. It lives for one hop: whom it
 * is not for cannot pass it on. With `tunnel` it is wrapped into another one (IP in IP), which goes
 * to that address, of the same family, from the segment's own.
 */
size_t segment_build(const struct segment *s, const struct ip_addr *tunnel, uint8_t *out,
	size_t capacity);

/*
 * Reads a packet or its start. False unless it holds the whole TCP header of a first fragment under
 * a right IP header; over IPv6 with none between the two. TCP's checksum is not looked at: between
 * virtual interfaces it is left open for hardware to fill in.
 */
bool segment_parse(const uint8_t *packet, size_t length, struct segment *out);

#endif
