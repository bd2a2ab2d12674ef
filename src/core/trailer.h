/*
 * What a keyed node appends to its VRRP messages: who it is in this life, what it has heard, what
 * state it is in, and a MAC over all of it. docs/PROTOCOL.md has the layout and test vectors. Pure:
 * the MAC itself is computed by auth/heartbeat_key.h; here it is 32 bytes at the end.
 *
 * All numbers big-endian. No wall clock anywhere. One message is sent, byte for byte but for the
 * checksum, over every path.
 *
 *   0 u32 magic "TNDM"   4 u8 format (1)   5 u8 key id   6 u16 length of the trailer, MAC included
 *   8 u64 boot           16 u64 counter    24 u64 echoed boot    32 u64 echoed counter
 *  40 u8 role  41 u8 priority  42 u8 fitness  43 u8 number of paths  44 u16 flags  46 u16 healthy
 *  48 u32 config digest  52 u32 router tag
 *  56 u8 family of the sender's address (4 or 6)  57 u8 number of neighbours  58 u16 lease in seconds
 *  60 u8[16] the address
 *  76 paths: u32 tag, u16 age_ms, u8 flags (1: carrier), u8 zero
 *  .. neighbours: u8[4] IPv4 address; four of them, with the flag: one IPv6 address
 *  .. u8[32] MAC
 *
 * The MAC covers the whole VRRP message (its checksum as zero) and the trailer up to the MAC.
 */
#ifndef TANDEM_CORE_TRAILER_H
#define TANDEM_CORE_TRAILER_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/reason.h"

enum {
	TRAILER_MAC = 32,
	TRAILER_FIXED = 76,
	TRAILER_PATH = 8,
	TRAILER_PATHS = LIMIT_PATHS,
	TRAILER_NEIGHBOUR = 4,
	TRAILER_NEIGHBOURS = 4,
	TRAILER_MAX = TRAILER_FIXED + TRAILER_PATHS * TRAILER_PATH +
		TRAILER_NEIGHBOURS * TRAILER_NEIGHBOUR + TRAILER_MAC,
	TRAILER_AGE_NEVER = UINT16_MAX,
	TRAILER_AGE_MAX = UINT16_MAX - 1,
	TRAILER_FORMAT = 1,
};

enum trailer_flags {
	TRAILER_OFFER = 1,     /* active: asks the peer to take over (planned switchover) */
	TRAILER_HOLDING = 2,   /* active: its addresses are confirmed and announced */
	TRAILER_READY = 4,     /* could serve at once */
	TRAILER_HOLD = 8,      /* gave up on the operator's wish: does not preempt */
	TRAILER_CONNECTED = 16, /* somebody else answers it on the service interface */
	TRAILER_ISOLATED = 32, /* nobody answers it there */
	TRAILER_WANT = 64,     /* backup: prefers to be active (preemption); an active may offer */
	TRAILER_BEHIND = 128,  /* backup: has not learnt the connections yet */
	/* Seven bits tell from which real servers the sender chooses (core/survival.h). */
	TRAILER_SERVERS_SHIFT = 8,
	TRAILER_SERVERS_MASK = 127,
	TRAILER_NEIGHBOUR6 = 32768, /* the four neighbours are one, of IPv6; written by the encoder */
};

/* How well one of the sender's paths hears the receiver. */
struct trailer_path {
	uint32_t tag;     /* trailer_tag() of the path's name */
	uint16_t age_ms;  /* since the last message heard there; TRAILER_AGE_NEVER */
	bool carrier;
};

struct trailer {
	uint8_t key_id;
	uint64_t boot, counter;           /* of the sender: random a life, +1 a message */
	uint64_t echo_boot, echo_counter; /* last heard by the sender; 0: none */
	uint8_t role;                     /* enum el_role */
	uint8_t priority;                 /* effective */
	uint8_t fitness;                  /* enum el_fitness */
	uint16_t flags;
	uint16_t healthy;                 /* what it sees of the router's servers: core/view.h */
	uint32_t digest;                  /* of the configuration */
	uint32_t router_tag;              /* trailer_tag() of the virtual router's name */
	uint16_t lease_s;                 /* how long its kernel keeps an address; 0: not told */
	struct ip_addr sender;            /* nodes[].address: the tie-break */
	uint8_t path_count;
	struct trailer_path paths[TRAILER_PATHS];
	/*
	 * Hosts on the service interface that have answered the sender: whom the receiver may ask
	 * whether it is cut off. A standby seldom talks to anybody itself. Of IPv4; or one of IPv6.
	 */
	uint8_t neighbour_count;
	struct ip_addr neighbours[TRAILER_NEIGHBOURS];
};

/* Writes the trailer, its MAC zero. The length, or 0 when it does not fit. */
size_t trailer_encode(const struct trailer *t, uint8_t *out, size_t capacity);
/* Length, magic, format, ranges. REASON_NONE, or REASON_BAD_TRAILER. Not the MAC. */
enum reason trailer_decode(const uint8_t *bytes, size_t length, struct trailer *out);
/* FNV-1a of a name; never 0. */
uint32_t trailer_tag(const char *name);

#endif
