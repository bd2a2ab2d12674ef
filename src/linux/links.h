/*
 * Interfaces and their addresses, as they are and as they change.
 *
 * Events come over an rtnetlink multicast socket (LINK, IPV4_IFADDR, IPV6_IFADDR, IPV6_NETCONF). The kernel
 * tells a lost carrier up to a second late (net/core/link_watch.c), so a thread also asks
 * ETHTOOL_GLINK of the watched interfaces every LINKS_POLL_MS; a thread, because that ioctl takes
 * RTNL. After ENOBUFS everything is read again. Translates only: what a change means is the
 * caller's business.
 */
#ifndef TANDEM_LINUX_LINKS_H
#define TANDEM_LINUX_LINKS_H

#include "base/addr.h"
#include "base/limits.h"

#include <stdint.h>

enum { LINKS_POLL_MS = 5 };

struct link_state {
	char name[LIMIT_IFNAME];
	int ifindex;      /* 0: does not exist */
	bool up;          /* administratively */
	bool carrier;
	bool router6;     /* the host forwards IPv6 there (net.ipv6.conf.IF.forwarding) */
	uint8_t mac[6];
	uint32_t mtu;
};

struct link_address {
	int ifindex;
	struct ip_prefix prefix;
	bool removed;     /* RTM_DELADDR */
	bool secondary, tentative;
	uint32_t valid_s; /* UINT32_MAX: permanent */
	uint8_t proto;
	uint32_t port;    /* netlink port id of who caused it; 0: kernel */
};

struct links_handlers {
	void (*link)(void *context, const struct link_state *state);
	void (*address)(void *context, const struct link_address *address);
	void *context;
};

struct links;

/*
 * Opens the sockets, starts the thread and calls the handlers for everything there is (before it
 * returns). 0 or negative errno.
 */
int links_open(const struct links_handlers *handlers, struct links **out);
void links_close(struct links *l);
/*
 * Which interfaces' carrier to poll, by name. Replaces the last list. What is polled decides
 * alone about carrier; for other interfaces it is what netlink says. 0 or negative errno.
 */
int links_watch(struct links *l, const char (*names)[LIMIT_IFNAME], size_t count);
/* Two descriptors for the event loop: netlink events and the thread's carrier changes. */
int links_event_fd(const struct links *l);
int links_carrier_fd(const struct links *l);
/* Read what is there without blocking and call the handlers (on a change of carrier, link()). */
void links_read_events(struct links *l);
void links_read_carrier(struct links *l);
/* Calls the handlers for everything known, without asking the kernel. They must not call back. */
void links_repeat(struct links *l);

#endif
