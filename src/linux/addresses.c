/*
 * Addresses by rtnetlink. See addresses.h.
 *
 * Messages are built with libnl and sent many at a time; every one asks for its ACK, and ACKs are
 * matched by sequence number here, because nl_recvmsgs() throws the rest of a datagram away at the
 * first error. A chunk is smaller than what the receive buffer holds in ACKs, and small because the
 * kernel does it without a break, on a processor that the election loop may want.
 */
#include "linux/addresses.h"

#include "linux/block_routes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 32, MESSAGE_MAX = 128, RECEIVE_BUFFER = 4 << 20, ANSWER_MAX = 64 * 1024 };
enum { LEASED_METRIC = 1000 /* the kernel's own routes have 256 */ };
enum { NO_ANSWER = ENOBUFS }; /* the error of a change whose ACK did not come; never the kernel's */

struct address_socket {
	struct nl_sock *nl;
	uint32_t sequence;
	uint8_t answer[ANSWER_MAX];
};

int
address_socket_open(struct address_socket **out)
{
	struct address_socket *s = calloc(1, sizeof(*s));
	int size = RECEIVE_BUFFER, on = 1, fd, error;

	if (!s || !(s->nl = nl_socket_alloc())) {
		address_socket_close(s);
		return -ENOMEM;
	}
	errno = 0;
	if (nl_connect(s->nl, NETLINK_ROUTE) < 0) {
		error = errno != 0 ? -errno : -ENOBUFS;
		address_socket_close(s);
		return error;
	}
	fd = nl_socket_get_fd(s->nl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	*out = s;
	return 0;
}

void
address_socket_close(struct address_socket *s)
{
	if (!s)
		return;
	nl_socket_free(s->nl);
	free(s);
}

uint32_t
address_socket_port(const struct address_socket *s)
{
	return nl_socket_get_local_port(s->nl);
}

/*
 * Write failures are left to be: a kernel or a container without this knob behaves as it always
 * did, and the next renewal sets what was lost.
 */
void
addresses_keep_secondaries(int ifindex)
{
	char name[IF_NAMESIZE], path[96];
	int fd;

	if (!if_indextoname((unsigned)ifindex, name))
		return;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/promote_secondaries", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	while (write(fd, "1", 1) == -1 && errno == EINTR)
		;
	close(fd);
}

static int
family_of(const struct ip_addr *a)
{
	return a->family == IP_V4 ? AF_INET : AF_INET6;
}

/*
 * The route of the prefix is the host's own where it has an address in it; a finite lease would
 * give that route its own short life (net/ipv6/addrconf.c modify_prefix_route()). So a leased
 * address brings one with another metric, and a single address brings none.
 */
static void
put_ip6(struct nl_msg *m, const struct address_change *c)
{
	uint32_t flags = IFA_F_NODAD; /* a replacement without it would clear it */

	if (c->prefix.length == 128)
		flags |= IFA_F_NOPREFIXROUTE;
	nla_put_u32(m, IFA_FLAGS, flags);
	if (c->lease_s != 0)
		nla_put_u32(m, IFA_RT_PRIORITY, LEASED_METRIC);
}

static void
put_lease(struct nl_msg *m, const struct address_change *c)
{
	uint32_t lifetime = c->lease_s == 0 ? UINT32_MAX : c->lease_s;
	bool v6 = c->prefix.addr.family == IP_V6;
	/* never chosen as the source of what the host itself sends (RFC 4862 5.5.4) */
	struct ifa_cacheinfo lease = {.ifa_prefered = v6 ? 0 : lifetime, .ifa_valid = lifetime};

	nla_put(m, IFA_CACHEINFO, sizeof(lease), &lease);
	nla_put_u8(m, IFA_PROTO, ADDRESS_PROTO);
	if (v6)
		put_ip6(m, c);
	else if (c->metric != 0)
		nla_put_u32(m, IFA_RT_PRIORITY, c->metric);
}

static bool
is_block(const struct address_change *c)
{
	return c->anchor.family != IP_NONE;
}

static struct nl_msg *
address_message(const struct address_change *c, bool set)
{
	struct ifaddrmsg head = {
		.ifa_family = (uint8_t)family_of(&c->prefix.addr),
		.ifa_prefixlen = c->prefix.length,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (uint32_t)c->ifindex,
	};
	struct nl_msg *m = nlmsg_alloc_simple(set ? RTM_NEWADDR : RTM_DELADDR,
		NLM_F_REQUEST | NLM_F_ACK | (set ? NLM_F_CREATE | NLM_F_REPLACE : 0));
	int size = (int)ip_addr_size(&c->prefix.addr);

	if (!m)
		return NULL;
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(m, IFA_LOCAL, size, c->prefix.addr.bytes);
	nla_put(m, IFA_ADDRESS, size, c->prefix.addr.bytes);
	if (set)
		put_lease(m, c);
	return m;
}

static struct nl_msg *
build(const struct address_change *c, enum address_verb verb, uint32_t sequence)
{
	bool set = verb == ADDRESS_SET;
	struct nl_msg *m = is_block(c) ? block_route_message(c, set) : address_message(c, set);

	if (m)
		nlmsg_hdr(m)->nlmsg_seq = sequence;
	return m;
}

/* All of a chunk in one send. The sequence of change i is first + i. */
static int
send_chunk(struct address_socket *s, enum address_verb verb, const struct address_change *changes,
	size_t count, uint32_t first)
{
	uint8_t batch[CHUNK * MESSAGE_MAX] = {0};
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct nl_msg *m = build(&changes[i], verb, first + (uint32_t)i);
		size_t size;

		if (!m)
			return -ENOMEM;
		size = nlmsg_hdr(m)->nlmsg_len;
		if (size <= MESSAGE_MAX)
			memcpy(batch + used, nlmsg_hdr(m), size);
		nlmsg_free(m);
		if (size > MESSAGE_MAX)
			return -EMSGSIZE;
		used += NLMSG_ALIGN(size);
	}
	return send(nl_socket_get_fd(s->nl), batch, used, 0) == -1 ? -errno : 0;
}

static void
take_ack(const struct nlmsghdr *h, enum address_verb verb, struct address_change *changes,
	size_t count, uint32_t first)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	uint32_t i = h->nlmsg_seq - first;
	int error;

	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || i >= count)
		return;
	error = -e->error;
	/* Gone already, or gone with its interface: what was wanted. */
	if (verb == ADDRESS_REMOVE && (error == EADDRNOTAVAIL || error == ENODEV))
		error = 0;
	if (is_block(&changes[i]) && error == (verb == ADDRESS_SET ? EEXIST : ESRCH))
		error = 0;
	changes[i].error = error;
}

/*
 * The kernel has queued every ACK before send() returned. So this never waits: when the queue is
 * empty, an ACK that is missing will not come any more (its change may have been done or not).
 */
static int
receive_acks(struct address_socket *s, enum address_verb verb, struct address_change *changes,
	size_t count, uint32_t first)
{
	for (;;) {
		ssize_t n = recv(nl_socket_get_fd(s->nl), s->answer, sizeof(s->answer), MSG_DONTWAIT);
		int left = (int)n;

		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n == -1 && errno != EINTR && errno != ENOBUFS)
			return -errno;
		for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)s->answer;
			n > 0 && nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			take_ack(h, verb, changes, count, first);
	}
}

int
addresses_apply(struct address_socket *s, enum address_verb verb, struct address_change *changes,
	size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		changes[i].error = NO_ANSWER;
	for (size_t at = 0; at < count; at += CHUNK) {
		size_t n = count - at < CHUNK ? count - at : CHUNK;
		uint32_t first = s->sequence + 1;
		int error;

		s->sequence += (uint32_t)n;
		error = send_chunk(s, verb, changes + at, n, first);
		if (error == 0)
			error = receive_acks(s, verb, changes + at, n, first);
		if (error != 0)
			return error;
		for (size_t i = at; i < at + n; i++)
			failed += changes[i].error != 0;
	}
	return failed;
}

static void
take_listed(struct nlmsghdr *h,
	void (*seen)(void *context, const struct address_seen *address), void *context)
{
	struct ifaddrmsg *head = NLMSG_DATA(h);
	struct address_seen a = {.ifindex = (int)head->ifa_index, .valid_s = UINT32_MAX};
	bool has_local = false;
	struct nlattr *attr;
	int left;

	if (head->ifa_family != AF_INET && head->ifa_family != AF_INET6)
		return; /* MCTP and others answer as well when every family is asked */
	a.prefix.addr.family = head->ifa_family == AF_INET ? IP_V4 : IP_V6;
	a.prefix.length = head->ifa_prefixlen;
	a.secondary = head->ifa_family == AF_INET && (head->ifa_flags & IFA_F_SECONDARY) != 0;
	nla_for_each_attr(attr, nlmsg_attrdata(h, sizeof(*head)), nlmsg_attrlen(h, sizeof(*head)),
		left) {
		int type = nla_type(attr), size = nla_len(attr);

		/* With a peer IFA_ADDRESS is the peer's; without one IPv6 has no IFA_LOCAL. */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !has_local))
			nla_memcpy(a.prefix.addr.bytes, attr, (int)ip_addr_size(&a.prefix.addr));
		if (type == IFA_LOCAL)
			has_local = true;
		else if (type == IFA_CACHEINFO && size >= (int)sizeof(struct ifa_cacheinfo))
			a.valid_s = ((struct ifa_cacheinfo *)nla_data(attr))->ifa_valid;
		else if (type == IFA_PROTO && size == 1)
			a.proto = nla_get_u8(attr);
	}
	seen(context, &a);
}

/* 1: the listing is complete. 0: more comes. Or a negative errno. */
static int
take_listing(struct address_socket *s, ssize_t length,
	void (*seen)(void *context, const struct address_seen *address), void *context)
{
	int left = (int)length;

	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)s->answer; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_seq != s->sequence)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (h->nlmsg_type == RTM_NEWADDR)
			take_listed(h, seen, context);
	}
	return 0;
}

int
addresses_list(struct address_socket *s,
	void (*seen)(void *context, const struct address_seen *address), void *context)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
	} request = {.h = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETADDR,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = ++s->sequence}};

	if (send(nl_socket_get_fd(s->nl), &request, sizeof(request), 0) == -1)
		return -errno;
	for (;;) {
		ssize_t n = recv(nl_socket_get_fd(s->nl), s->answer, sizeof(s->answer), 0);
		int end;

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		if ((end = take_listing(s, n, seen, context)) != 0)
			return end < 0 ? end : 0;
	}
}
