/*
 * Blocks: one route `local PREFIX dev IF src A table main proto BLOCK_PROTO` makes a whole IPv4
 * prefix local and answered by ARP.
 *
 * A is an address with a lease. When it goes, by its lease or by anybody's hand, the kernel flushes
 * the route (net/ipv4/fib_semantics.c fib_sync_down_addr(); in table main, in table local it does
 * not). IPv6 has neither: ndisc_recv_ns() answers for addresses only, and fib6_remove_prefsrc()
 * keeps the route. So blocks are IPv4.
 *
 * Setting and removing them goes along with addresses: see struct address_change.
 */
#ifndef TANDEM_LINUX_BLOCK_ROUTES_H
#define TANDEM_LINUX_BLOCK_ROUTES_H

#include "base/addr.h"

#include <stdbool.h>
#include <stdint.h>

enum { BLOCK_PROTO = 0x54 }; /* rtm_protocol that marks a route as tandem's */

struct address_change;
struct nl_msg;

/* The message for a change with an anchor, its sequence not yet set. NULL without memory. */
struct nl_msg *block_route_message(const struct address_change *c, bool set);

struct block_route {
	struct ip_prefix prefix;
	int ifindex;
	uint32_t port; /* of an event: netlink port id of who caused it; 0: kernel */
};

/* Calls `seen` for every such route of the namespace. Waits for the kernel. 0 or negative errno. */
int block_routes_list(void (*seen)(void *context, const struct block_route *route), void *context);

/* A descriptor that is readable when such a route was removed, or a negative errno. */
int block_watch_open(void);
/* The next removal; false when there is none (some may be lost: the next renewal finds them). */
bool block_watch_read(int fd, struct block_route *out);

/*
 * May this host answer from an address of the block? With policy routing rules the kernel takes
 * only what is in table local for its own, and refuses it as a source. 0, or the negative errno of
 * the route that was asked for. Waits for the kernel.
 */
int block_route_answers(const struct ip_prefix *prefix, const struct ip_addr *anchor);

#endif
