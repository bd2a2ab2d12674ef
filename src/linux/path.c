/* Witnesses on the way to a server. See path.h. */
#include "linux/path.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

/* Whoever answered before; what an operator has fixed is not touched. */
enum { ASKABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY };

struct answer {
	struct path *path;   /* to fill; NULL: only look */
	const struct path *asked;
	unsigned ifindex;
	struct ip_addr gateway; /* IP_NONE: the server is a neighbour itself */
	unsigned flags;
	bool answers;
};

static uint8_t
af_of(uint8_t family)
{
	return family == IP_V6 ? AF_INET6 : AF_INET;
}

/* One request and all of its answer. False: refused. */
static bool
ask_kernel(struct nl_msg *request, int (*handler)(struct nl_msg *, void *), struct answer *a)
{
	struct nl_sock *socket = request ? nl_socket_alloc() : NULL;
	bool ok = socket && nl_connect(socket, NETLINK_ROUTE) >= 0;

	if (ok) {
		if (handler)
			nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, handler, a);
		ok = nl_send_auto(socket, request) >= 0 && nl_recvmsgs_default(socket) >= 0;
	}
	nl_socket_free(socket);
	nlmsg_free(request);
	return ok;
}

static int
on_route(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;
	struct ip_addr gateway = {.family = a->asked->family};
	struct nlattr *tb[RTA_MAX + 1];

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWROUTE ||
		nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0 ||
		!tb[RTA_OIF])
		return NL_OK;
	a->ifindex = nla_get_u32(tb[RTA_OIF]);
	if (tb[RTA_GATEWAY] && nla_len(tb[RTA_GATEWAY]) == (int)ip_addr_size(&gateway)) {
		memcpy(gateway.bytes, nla_data(tb[RTA_GATEWAY]), ip_addr_size(&gateway));
		a->gateway = gateway;
	}
	return NL_OK;
}

/* The interface and the gateway, if there is one; interface 0: there is no way. */
static void
way_to(const struct ip_addr *server, struct answer *a)
{
	struct rtmsg rt = {.rtm_family = af_of(server->family),
		.rtm_dst_len = (uint8_t)(8 * ip_addr_size(server))};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (msg && (nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, RTA_DST, (int)ip_addr_size(server), server->bytes) < 0)) {
		nlmsg_free(msg);
		return;
	}
	ask_kernel(msg, on_route, a);
}

static bool
is_witness(const struct path *p, const struct ip_addr *who)
{
	for (size_t i = 0; i < p->count; i++)
		if (ip_addr_equal(&p->witnesses[i], who))
			return true;
	return false;
}

static int
on_neighbour(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;
	const struct ndmsg *nd = nlmsg_data(nlmsg_hdr(msg));
	struct ip_addr who = {.family = a->asked->family};
	struct nlattr *tb[NDA_MAX + 1];

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWNEIGH ||
		nlmsg_parse(nlmsg_hdr(msg), sizeof(*nd), tb, NDA_MAX, NULL) < 0 ||
		(unsigned)nd->ndm_ifindex != a->asked->ifindex || nd->ndm_family != af_of(who.family) ||
		!tb[NDA_DST] || nla_len(tb[NDA_DST]) != (int)ip_addr_size(&who))
		return NL_OK;
	memcpy(who.bytes, nla_data(tb[NDA_DST]), ip_addr_size(&who));
	if (!a->path)
		a->answers |= (nd->ndm_state & NUD_REACHABLE) != 0 && is_witness(a->asked, &who);
	else if ((nd->ndm_state & ASKABLE) != 0 && a->path->count < PATH_WITNESSES &&
		!is_witness(a->path, &who))
		a->path->witnesses[a->path->count++] = who;
	return NL_OK;
}

static void
list(struct answer *a)
{
	struct ndmsg nd = {.ndm_family = af_of(a->asked->family)};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_DUMP);

	if (msg && nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return;
	}
	ask_kernel(msg, on_neighbour, a);
}

/* As `ip neighbour change ... nud probe`. */
static bool
provoke(const struct path *p, const struct ip_addr *who)
{
	struct ndmsg nd = {.ndm_family = af_of(p->family), .ndm_ifindex = (int)p->ifindex,
		.ndm_state = NUD_PROBE};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_REPLACE | NLM_F_ACK);

	if (msg && (nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) < 0 ||
		nla_put(msg, NDA_DST, (int)ip_addr_size(who), who->bytes) < 0)) {
		nlmsg_free(msg);
		return false;
	}
	return ask_kernel(msg, NULL, NULL);
}

bool
path_ask(const struct ip_addr *server, struct path *p)
{
	struct answer a = {.path = p, .asked = p};
	size_t asked = 0;

	*p = (struct path){.family = server->family};
	way_to(server, &a);
	p->ifindex = a.ifindex;
	if (p->ifindex == 0)
		return false;
	if (a.gateway.family != IP_NONE) /* first, because not all may find room */
		p->witnesses[p->count++] = a.gateway;
	list(&a);
	for (size_t i = 0; i < p->count; i++)
		if (provoke(p, &p->witnesses[i])) /* what was not asked says nothing */
			p->witnesses[asked++] = p->witnesses[i];
	p->count = asked;
	return p->count != 0;
}

static int
on_link(struct nl_msg *msg, void *arg)
{
	struct answer *a = arg;

	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWLINK)
		a->flags = ((const struct ifinfomsg *)nlmsg_data(nlmsg_hdr(msg)))->ifi_flags;
	return NL_OK;
}

static bool
has_carrier(unsigned ifindex)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);
	struct answer a = {.flags = 0};

	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return true;
	}
	return !ask_kernel(msg, on_link, &a) || (a.flags & IFF_LOWER_UP) != 0;
}

enum path_state
path_look(const struct path *p)
{
	struct answer a = {.asked = p};

	if (p->ifindex == 0)
		return PATH_SILENT;
	if (!has_carrier(p->ifindex))
		return PATH_NO_CARRIER;
	list(&a);
	return a.answers ? PATH_ANSWERS : PATH_SILENT;
}
