/*
 * Addresses of this host by rtnetlink: add with a lease, renew, remove, list. Translates only.
 *
 * RTM_NEWADDR with NLM_F_CREATE|NLM_F_REPLACE, IFA_CACHEINFO {valid = preferred = lease_s},
 * IFA_PROTO = ADDRESS_PROTO (kernel 5.18; older kernels ignore it), no broadcast, scope global,
 * NOPREFIXROUTE for /32 is not needed. net/ipv4/devinet.c inet_rtm_newaddr(). A leased IPv6
 * address brings its prefix route with metric 1000, a /128 none, so that the host's own stays.
 * Calls wait for the kernel (RTNL): the election process makes them in its hands thread only.
 */
#ifndef TANDEM_LINUX_ADDRESSES_H
#define TANDEM_LINUX_ADDRESSES_H

#include "base/addr.h"

#include <stdint.h>

enum { ADDRESS_PROTO = 0x54 }; /* IFA_PROTO that marks an address as tandem's */

enum address_verb { ADDRESS_SET, ADDRESS_REMOVE };

struct address_change {
	struct ip_prefix prefix;
	int ifindex;
	/* Of a block (block_routes.h): the address whose lease carries it. Family IP_NONE: an address. */
	struct ip_addr anchor;
	uint32_t lease_s; /* ADDRESS_SET; 0: permanent */
	uint32_t metric;  /* ADDRESS_SET; of its connected route; 0: the kernel's own */
	int error;        /* out: 0 or errno. Removing what is not there is 0. */
};

struct address_seen {
	struct ip_prefix prefix;
	int ifindex;
	uint32_t valid_s; /* UINT32_MAX: permanent */
	uint8_t proto;    /* IFA_PROTO or 0 */
	bool secondary;
};

struct address_socket;

/* 0 or negative errno. Receive buffer large enough for the ACKs of a whole batch. */
int address_socket_open(struct address_socket **out);
void address_socket_close(struct address_socket *s);
/* The netlink port id: events caused by this socket carry it. */
uint32_t address_socket_port(const struct address_socket *s);

/*
 * All changes in their order (blocks are set after their anchors), batched, each ACK matched.
 * Returns how many failed, or a negative errno (then changes not known to be done have an error as
 * well).
 *
 * IPv4 has a trap: of several addresses in one subnet the kernel calls the first primary, and
 * removing it takes the others (secondaries) with it. Where the interface has its own address in
 * that subnet, that one is the primary and nothing happens. Where it has not, see
 * addresses_keep_secondaries().
 */
int addresses_apply(struct address_socket *s, enum address_verb verb,
	struct address_change *changes, size_t count);

/*
 * net.ipv4.conf.IF.promote_secondaries=1: when a primary address goes, its secondaries stay (the
 * default of systemd, not of the kernel). So that a virtual router that gives up its addresses
 * does not take those of another one on the same interface with them.
 */
void addresses_keep_secondaries(int ifindex);

/* Calls `seen` for every IPv4 and IPv6 address of the namespace. 0 or negative errno. */
int addresses_list(struct address_socket *s,
	void (*seen)(void *context, const struct address_seen *address), void *context);

#endif
