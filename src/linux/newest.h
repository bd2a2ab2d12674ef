/*
 * The newest connections of the kernel's IPVS table: handshakes under way, and what was established,
 * or began to close, a moment ago. These are what its sync daemon has not told the other node
 * (net/netfilter/ipvs/ip_vs_sync.c ip_vs_sync_conn_needed()): of a handshake it tells nothing.
 *
 * Who looks again and again finds each connection once. A bounded number of them is remembered.
 */
#ifndef TANDEM_LINUX_NEWEST_H
#define TANDEM_LINUX_NEWEST_H

#include "core/sync_message.h"
#include "linux/ipvs_connections.h"

/* Addresses and ports of services of TCP; both ports 0: every port. Those by fwmark are in none. */
struct newest_service {
	struct ip_addr first, last;
	uint16_t port_low, port_high;
};

struct newest;

/* Of these services, which are copied; NULL: no memory. */
struct newest *newest_new(const struct newest_service *services, size_t count);
void newest_free(struct newest *n);

/* A look at the whole table begins. */
void newest_begin(struct newest *n);
/* True: it is one of them, and was not found before. */
bool newest_take(struct newest *n, const struct ipvs_connection *c, struct sync_connection *out);
/* In this look more was found than is remembered. */
bool newest_is_full(const struct newest *n);

#endif
