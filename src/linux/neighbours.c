/* Gateway and neighbours of an interface. See neighbours.h. */
#include "linux/neighbours.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SEEN_MAX = 256, NOT_ANSWERING = NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP | NUD_NONE };

struct neighbours {
	struct nl_sock *socket;
};

struct seen {
	struct ip_addr addr;
	uint32_t confirmed_ago; /* clock ticks */
};

struct listing {
	unsigned ifindex;
	enum ip_family family;
	struct ip_addr gateway;
	struct seen seen[SEEN_MAX];
	size_t count;
};

struct neighbours *
neighbours_open(void)
{
	struct neighbours *n = calloc(1, sizeof(*n));

	if (!n || !(n->socket = nl_socket_alloc()) ||
		nl_connect(n->socket, NETLINK_ROUTE) < 0) {
		neighbours_close(n);
		return NULL;
	}
	nl_socket_disable_auto_ack(n->socket); /* one request, one answer, and nothing after it */
	return n;
}

void
neighbours_close(struct neighbours *n)
{
	if (!n)
		return;
	nl_socket_free(n->socket);
	free(n);
}

static uint8_t
af_of(enum ip_family family)
{
	return family == IP_V6 ? AF_INET6 : AF_INET;
}

static bool
take_address(const struct listing *l, const struct nlattr *attribute, struct ip_addr *out)
{
	struct ip_addr addr = {.family = (uint8_t)l->family};

	if (!attribute || nla_len(attribute) != (int)ip_addr_size(&addr))
		return false;
	memcpy(addr.bytes, nla_data(attribute), ip_addr_size(&addr));
	*out = addr;
	return true;
}

static int
on_neighbour(struct nl_msg *msg, void *arg)
{
	struct listing *l = arg;
	struct nlmsghdr *h = nlmsg_hdr(msg);
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *tb[NDA_MAX + 1];
	struct seen *s = &l->seen[l->count];

	if (h->nlmsg_type != RTM_NEWNEIGH || l->count == SEEN_MAX ||
		nlmsg_parse(h, sizeof(*nd), tb, NDA_MAX, NULL) < 0 ||
		(unsigned)nd->ndm_ifindex != l->ifindex || nd->ndm_family != af_of(l->family) ||
		nd->ndm_state == NUD_NONE || (nd->ndm_state & NOT_ANSWERING) != 0)
		return NL_OK;
	memset(s, 0, sizeof(*s));
	if (!take_address(l, tb[NDA_DST], &s->addr))
		return NL_OK;
	if (tb[NDA_CACHEINFO] && nla_len(tb[NDA_CACHEINFO]) >= (int)sizeof(struct nda_cacheinfo))
		s->confirmed_ago =
			((struct nda_cacheinfo *)nla_data(tb[NDA_CACHEINFO]))->ndm_confirmed;
	l->count++;
	return NL_OK;
}

static int
on_route(struct nl_msg *msg, void *arg)
{
	struct listing *l = arg;
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct nlattr *tb[RTA_MAX + 1];

	if (h->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(h, sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0)
		return NL_OK;
	take_address(l, tb[RTA_GATEWAY], &l->gateway);
	return NL_OK;
}

/* What an answer that ended early has left. */
static void
drain(struct neighbours *n)
{
	uint8_t byte;

	while (recv(nl_socket_get_fd(n->socket), &byte, 1, MSG_DONTWAIT | MSG_TRUNC) != -1 ||
		errno == ENOBUFS || errno == EINTR)
		;
}

static void
receive(struct neighbours *n, struct nl_msg *request,
	int (*handler)(struct nl_msg *, void *), struct listing *l)
{
	drain(n);
	nl_socket_modify_cb(n->socket, NL_CB_VALID, NL_CB_CUSTOM, handler, l);
	if (request && nl_send_auto(n->socket, request) >= 0)
		nl_recvmsgs_default(n->socket);
	nlmsg_free(request);
}

/* Where would a packet for the world go from this interface? */
static struct nl_msg *
route_request(unsigned ifindex, enum ip_family family)
{
	static const uint8_t world4[4] = {8, 8, 8, 8};
	static const uint8_t world6[16] = {0x20, 0x01, 0x48, 0x60, 0x48, 0x60, [14] = 0x88, 0x88};
	bool v6 = family == IP_V6;
	struct rtmsg rt = {.rtm_family = af_of(family), .rtm_dst_len = v6 ? 128 : 32};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	uint32_t oif = ifindex;

	if (msg && (nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, RTA_DST, v6 ? 16 : 4, v6 ? world6 : world4) < 0 ||
		nla_put(msg, RTA_OIF, sizeof(oif), &oif) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static struct nl_msg *
neighbour_request(unsigned ifindex, enum ip_family family)
{
	struct ndmsg nd = {.ndm_family = af_of(family), .ndm_ifindex = (int)ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_DUMP);
	uint32_t index = ifindex;

	if (msg && (nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, NDA_IFINDEX, sizeof(index), &index) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int
by_age(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->confirmed_ago < y->confirmed_ago ? -1 : x->confirmed_ago > y->confirmed_ago;
}

size_t
neighbours_list(struct neighbours *n, const char *interface, enum ip_family family,
	struct ip_addr *out, size_t capacity)
{
	struct listing l = {.ifindex = if_nametoindex(interface), .family = family};
	size_t count = 0;

	if (l.ifindex == 0)
		return 0;
	receive(n, route_request(l.ifindex, family), on_route, &l);
	receive(n, neighbour_request(l.ifindex, family), on_neighbour, &l);
	qsort(l.seen, l.count, sizeof(l.seen[0]), by_age);
	if (l.gateway.family != IP_NONE && count < capacity)
		out[count++] = l.gateway;
	for (size_t i = 0; i < l.count && count < capacity; i++)
		if (!ip_addr_equal(&l.seen[i].addr, &l.gateway))
			out[count++] = l.seen[i].addr;
	return count;
}
