/*
 * VRRP messages on the wire: the advertisement of RFC 9568 5.2 (version 3, IPv4 and IPv6) and of
 * RFC 3768 5.1 (version 2), and what a keyed pair makes of it: the same with a trailer behind it
 * (core/trailer.h), and the hello of its backup, which has a type that every other router discards.
 * Pure.
 *
 * The checksum is the one real interoperability trap. RFC 9568 5.2.8 covers, over IPv4, the
 * message alone; keepalived and FRR send and demand the pseudo-header of RFC 5798. We send the
 * one the configuration names and accept either.
 *
 * Decoding is a ladder: one condition, one reason. The caller counts and logs.
 */
#ifndef TANDEM_CORE_VRRP_H
#define TANDEM_CORE_VRRP_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/reason.h"

enum {
	VRRP_PROTOCOL = 112,
	VRRP_TTL = 255,
	VRRP_HEADER = 8,
	VRRP_CHECKSUM_AT = 6,    /* two bytes */
	VRRP_AUTH = 8,           /* authentication data at the end of version 2, zero */
	VRRP_MAX = VRRP_HEADER + 16 * LIMIT_ADVERT_ADDRESSES, /* longest message but for a trailer */
	VRRP_IP6_ADDRESSES = 75, /* that fit into a packet with any trailer at an MTU of 1500 */
	VRRP_INTERVAL_MAX_CS = 4095,
};

enum vrrp_checksum { VRRP_SUM_PSEUDO_HEADER, VRRP_SUM_MESSAGE };

enum vrrp_type { VRRP_ADVERT = 1, VRRP_HELLO = 2 };

struct vrrp_advert {
	uint8_t version;             /* 3 or 2; encode: 0 is 3 */
	uint8_t type;                /* enum vrrp_type; encode: 0 is an advertisement */
	uint8_t vrid;
	uint8_t priority;
	uint16_t interval_cs;        /* 1..4095; version 2: whole seconds, up to 25500 */
	uint8_t count;               /* addresses, 1..255 */
	const uint8_t *addresses;    /* count * 4 (or 16) bytes, network order; not owned */
	const uint8_t *trailer;      /* decode: into the message; NULL: none */
	size_t trailer_length;
};

/* What came with a packet besides its bytes. */
struct vrrp_envelope {
	struct ip_addr source, destination;
	uint8_t ttl;
};

/*
 * Writes the message (no IP header) and returns its length; 0 when it does not fit or a field is
 * out of range. The family is the source's. With a trailer to follow the checksum has to be set
 * again, over both: vrrp_seal().
 */
size_t vrrp_encode(const struct vrrp_advert *advert, const struct vrrp_envelope *envelope,
	enum vrrp_checksum sum, uint8_t *out, size_t capacity);

/* Sets the checksum of a whole message (trailer included) for that envelope. */
void vrrp_seal(uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	enum vrrp_checksum sum);

/*
 * Splits a packet as a raw IPv4 socket delivers it (IP header first) into its envelope and the
 * VRRP message (RFC 9568 7.1). REASON_NONE, or why it is no VRRP packet.
 */
enum reason vrrp_open_ip4(const uint8_t *packet, size_t length, struct vrrp_envelope *envelope,
	const uint8_t **message, size_t *message_length);

/*
 * Checks and reads a message in the order of RFC 9568 7.1 (the TTL only when `any_ttl` is false;
 * unicast peers may be a hop away), `version` being the one spoken here. Exact length, or a trailer
 * behind it, which is only found here and neither read nor believed; a hello without one is
 * refused. REASON_NONE: *out is set, its addresses and trailer point into `message`, and *sum says
 * which checksum form the sender uses. Otherwise the reason to refuse it.
 */
enum reason vrrp_decode(const uint8_t *message, size_t length,
	const struct vrrp_envelope *envelope, unsigned version, bool any_ttl,
	struct vrrp_advert *out, enum vrrp_checksum *sum);

/* Internet checksum (RFC 1071) of the message, with or without the pseudo-header. */
uint16_t vrrp_checksum(const uint8_t *message, size_t length,
	const struct vrrp_envelope *envelope, enum vrrp_checksum sum);

#endif
