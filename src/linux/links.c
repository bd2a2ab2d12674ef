/*
 * Interfaces and their addresses. See links.h.
 *
 * links.c: opening, events, and merging what the two sources say. links_poll.c: the thread that
 * asks for carrier and lists everything again after lost events; it may wait for RTNL.
 *
 * One truth an interface: netlink says whether it exists, is up, its index, MAC and MTU; for a
 * watched interface carrier is what ETHTOOL_GLINK last said, because a netlink event may have been
 * queued before the change that GLINK already saw.
 */
#include "linux/links_internal.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT_BUFFER = 4 << 20, READ_MAX = 32 * 1024, READS_A_TURN = 64 };

static struct link_known *
known_by_index(struct links *l, int ifindex)
{
	for (size_t i = 0; i < l->known_count; i++)
		if (l->known[i].state.ifindex == ifindex)
			return &l->known[i];
	return NULL;
}

static struct link_known *
known_new(struct links *l)
{
	if (l->known_count == l->known_capacity) {
		size_t capacity = l->known_capacity ? l->known_capacity * 2 : 32;
		struct link_known *grown = realloc(l->known, capacity * sizeof(*grown));

		if (!grown)
			return NULL;
		l->known = grown;
		l->known_capacity = capacity;
	}
	memset(&l->known[l->known_count], 0, sizeof(l->known[0]));
	return &l->known[l->known_count++];
}

static void
tell(struct links *l, const struct link_state *state)
{
	struct link_state copy = *state; /* a handler may change the watch list under us */

	l->handlers.link(l->handlers.context, &copy);
}

/* Gone: under its old name, so that whoever depends on it learns. */
static void
forget(struct links *l, struct link_known *k)
{
	struct link_state gone = {.ifindex = 0};

	memcpy(gone.name, k->state.name, sizeof(gone.name));
	*k = l->known[--l->known_count];
	tell(l, &gone);
}

static void
read_link_attrs(const struct nlmsghdr *h, struct link_state *s)
{
	struct ifinfomsg *info;
	struct nlattr *a;
	int left;

	nla_for_each_attr(a, nlmsg_attrdata(h, sizeof(*info)), nlmsg_attrlen(h, sizeof(*info)), left) {
		int type = nla_type(a), size = nla_len(a);

		if (type == IFLA_IFNAME)
			nla_strlcpy(s->name, a, sizeof(s->name));
		else if (type == IFLA_ADDRESS && size == sizeof(s->mac))
			nla_memcpy(s->mac, a, sizeof(s->mac));
		else if (type == IFLA_MTU && size == sizeof(s->mtu))
			s->mtu = nla_get_u32(a);
		else if (type == IFLA_CARRIER && size == 1)
			s->carrier = nla_get_u8(a) != 0;
	}
}

static bool
same_state(const struct link_state *a, const struct link_state *b)
{
	return a->ifindex == b->ifindex && a->up == b->up && a->carrier == b->carrier &&
		a->mtu == b->mtu && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
		strcmp(a->name, b->name) == 0;
}

static void
take_link(struct links *l, const struct nlmsghdr *h)
{
	struct ifinfomsg *info = NLMSG_DATA(h);
	struct link_state s = {.ifindex = info->ifi_index, .up = (info->ifi_flags & IFF_UP) != 0};
	struct link_known *k = known_by_index(l, info->ifi_index);

	if (info->ifi_family != AF_UNSPEC)
		return; /* a bridge port speaks of its forwarding state */
	if (h->nlmsg_type == RTM_DELLINK) {
		if (k)
			forget(l, k);
		return;
	}
	read_link_attrs(h, &s);
	if (k && strcmp(k->state.name, s.name) != 0) { /* renamed */
		forget(l, k);
		k = NULL;
	}
	if (!k && !(k = known_new(l)))
		return;
	k->seen = true;
	if (k->polled && s.up)
		s.carrier = k->state.carrier;
	if (same_state(&k->state, &s))
		return;
	k->state = s;
	tell(l, &s);
}

static void
take_address(struct links *l, const struct nlmsghdr *h)
{
	struct ifaddrmsg *head = NLMSG_DATA(h);
	struct link_address a = {.ifindex = (int)head->ifa_index, .valid_s = UINT32_MAX,
		.removed = h->nlmsg_type == RTM_DELADDR, .port = h->nlmsg_pid};
	uint32_t flags = head->ifa_flags;
	struct nlattr *at;
	int left;

	if (head->ifa_family != AF_INET && head->ifa_family != AF_INET6)
		return;
	a.prefix.addr.family = head->ifa_family == AF_INET ? IP_V4 : IP_V6;
	a.prefix.length = head->ifa_prefixlen;
	nla_for_each_attr(at, nlmsg_attrdata(h, sizeof(*head)), nlmsg_attrlen(h, sizeof(*head)), left) {
		int type = nla_type(at), size = nla_len(at);

		if (type == IFA_LOCAL || (type == IFA_ADDRESS && head->ifa_family == AF_INET6))
			nla_memcpy(a.prefix.addr.bytes, at, sizeof(a.prefix.addr.bytes));
		else if (type == IFA_FLAGS && size == sizeof(flags))
			flags = nla_get_u32(at);
		else if (type == IFA_CACHEINFO && size >= (int)sizeof(struct ifa_cacheinfo))
			a.valid_s = ((struct ifa_cacheinfo *)nla_data(at))->ifa_valid;
		else if (type == IFA_PROTO && size == 1)
			a.proto = nla_get_u8(at);
	}
	a.secondary = (flags & IFA_F_SECONDARY) != 0;
	a.tentative = (flags & IFA_F_TENTATIVE) != 0;
	l->handlers.address(l->handlers.context, &a);
}

void
links_take_messages(struct links *l, const uint8_t *bytes, size_t length)
{
	int left = (int)length;

	for (struct nlmsghdr *h = (void *)(uintptr_t)bytes; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
			take_link(l, h);
		else if (h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR)
			take_address(l, h);
	}
}

static int
open_events(void)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int size = EVENT_BUFFER, error;

	if (fd == -1)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static void
take_listing(void *links, const uint8_t *bytes, size_t length)
{
	links_take_messages(links, bytes, length);
}

int
links_open(const struct links_handlers *handlers, struct links **out)
{
	struct links *l = calloc(1, sizeof(*l));
	int error;

	if (!l)
		return -ENOMEM;
	l->handlers = *handlers;
	l->event_fd = open_events();
	if (l->event_fd < 0) {
		error = l->event_fd;
		free(l);
		return error;
	}
	/* Events are already being kept: nothing can fall between the listing and them. */
	error = links_list(take_listing, l);
	if (error == 0)
		error = links_poll_start(l);
	if (error == 0) {
		*out = l;
		return 0;
	}
	close(l->event_fd);
	free(l->known);
	free(l);
	return error;
}

void
links_close(struct links *l)
{
	links_poll_stop(l);
	close(l->event_fd);
	free(l->known);
	free(l);
}

int
links_event_fd(const struct links *l)
{
	return l->event_fd;
}

int
links_carrier_fd(const struct links *l)
{
	return l->loop_end;
}

void
links_read_events(struct links *l)
{
	uint8_t buffer[READ_MAX] __attribute__((aligned(8)));

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n = recv(l->event_fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (n > 0)
			links_take_messages(l, buffer, (size_t)n);
		else if (n == -1 && errno == ENOBUFS)
			links_ask_listing(l); /* events were lost: the thread lists everything anew */
		else
			return;
	}
}

static void
begin_listing(struct links *l)
{
	for (size_t i = 0; i < l->known_count; i++)
		l->known[i].seen = false;
}

static void
end_listing(struct links *l)
{
	for (size_t i = 0; i < l->known_count;) {
		if (l->known[i].seen)
			i++;
		else
			forget(l, &l->known[i]);
	}
}

static void
take_carrier(struct links *l, const struct poll_message *m)
{
	for (size_t i = 0; i < l->known_count; i++) {
		struct link_known *k = &l->known[i];

		if (strcmp(k->state.name, m->name) != 0)
			continue;
		k->polled = true;
		if (k->state.carrier == m->carrier)
			return;
		k->state.carrier = m->carrier;
		tell(l, &k->state);
		return;
	}
}

void
links_read_carrier(struct links *l)
{
	static const size_t head = offsetof(struct poll_message, bytes);
	struct poll_message m __attribute__((aligned(8)));
	ssize_t n;

	while ((n = recv(l->loop_end, &m, sizeof(m), MSG_DONTWAIT)) >= (ssize_t)head) {
		switch ((enum poll_kind)m.kind) {
		case POLL_CARRIER:
			take_carrier(l, &m);
			break;
		case POLL_LISTING_BEGINS:
			begin_listing(l);
			break;
		case POLL_LISTING:
			links_take_messages(l, m.bytes, (size_t)n - head);
			break;
		case POLL_LISTING_ENDS:
			end_listing(l);
			break;
		}
	}
}
