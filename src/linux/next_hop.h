/*
 * The next hop to a server as the kernel has it, for who sends frames by himself: the interface, the
 * neighbour there (the server or a gateway) and its link-layer address, by rtnetlink (RTM_GETROUTE,
 * RTM_GETNEIGH of one neighbour), and the kernel's news of neighbours. Asks for no privilege but
 * next_hop_news_open(), which has room for more news with one.
 *
 * The kernel finds neighbours out, and out again, only for what it sends itself.
 */
#ifndef TANDEM_LINUX_NEXT_HOP_H
#define TANDEM_LINUX_NEXT_HOP_H

#include "base/addr.h"

enum { NEXT_HOP_LINK = 20 }; /* InfiniBand's */

struct next_hop {
	uint32_t ifindex;
	struct ip_addr addr;      /* the neighbour's */
	bool local;               /* the server is this host: there is no neighbour */
	uint16_t state;           /* the kernel's NUD_*; 0: it knows nothing of it */
	uint8_t length;           /* of the link-layer address */
	uint8_t link[NEXT_HOP_LINK];
};

enum next_hop_news { NEXT_HOP_QUIET, NEXT_HOP_CHANGED, NEXT_HOP_LOST };

/* A descriptor to ask with, which never waits for an answer; -1 with errno. */
int next_hop_open(void);
/*
 * Where a packet to that server goes; from that source if it has a family. The neighbour is not
 * looked up yet. 0 or an errno.
 */
int next_hop_route(int fd, const struct ip_addr *server, const struct ip_addr *source,
	struct next_hop *out);
/*
 * Fills in what the kernel knows of the neighbour, which is nothing if it cannot be asked. On most
 * kernels this takes RTNL, which somebody may hold for long.
 */
void next_hop_look(int fd, struct next_hop *h);

/* Would the kernel send to it? */
bool next_hop_is_known(const struct next_hop *h);
/* Is it unknown, or so old that the kernel asks anew when it has something to send? */
bool next_hop_wants_traffic(const struct next_hop *h);
/* It has been sent something by way of the kernel. */
void next_hop_had_traffic(struct next_hop *h);

/* News of IPv6 neighbours: a descriptor to wait for, -1 with errno; nothing comes before it listens. */
int next_hop_news_open(void);
bool next_hop_news_listen(int fd, bool on);
/* The next one, without waiting. NEXT_HOP_LOST: some were lost, and everything may be another. */
enum next_hop_news next_hop_news_read(int fd, struct next_hop *out);

#endif
