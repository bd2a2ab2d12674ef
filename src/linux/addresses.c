/*
 * Addresses by rtnetlink. See addresses.h.
 *
 * Messages are built with libnl and sent many at a time; every one asks for its ACK, and ACKs are
 * matched by sequence number here, because nl_recvmsgs() throws the rest of a datagram away at the
 * first error. A chunk is smaller than what the receive buffer holds in ACKs.
 */
#include "linux/addresses.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CHUNK = 128, MESSAGE_MAX = 128, RECEIVE_BUFFER = 4 << 20, ANSWER_MAX = 64 * 1024 };
enum { NO_ANSWER = -1 };

struct address_socket {
	struct nl_sock *nl;
	uint32_t sequence;
	uint8_t answer[ANSWER_MAX];
};

int
address_socket_open(struct address_socket **out)
{
	struct address_socket *s = calloc(1, sizeof(*s));
	int size = RECEIVE_BUFFER, on = 1, fd;

	if (!s || !(s->nl = nl_socket_alloc()) || nl_connect(s->nl, NETLINK_ROUTE) < 0) {
		address_socket_close(s);
		return -ENOBUFS;
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

static int
family_of(const struct ip_addr *a)
{
	return a->family == IP_V4 ? AF_INET : AF_INET6;
}

static void
put_lease(struct nl_msg *m, const struct address_change *c)
{
	uint32_t lifetime = c->lease_s == 0 ? UINT32_MAX : c->lease_s;
	struct ifa_cacheinfo lease = {.ifa_prefered = lifetime, .ifa_valid = lifetime};
	uint32_t v6_flags = IFA_F_NODAD; /* a replacement without it would clear it */

	nla_put(m, IFA_CACHEINFO, sizeof(lease), &lease);
	nla_put_u8(m, IFA_PROTO, ADDRESS_PROTO);
	if (c->prefix.addr.family == IP_V6)
		nla_put_u32(m, IFA_FLAGS, v6_flags);
}

static struct nl_msg *
build(const struct address_change *c, enum address_verb verb, uint32_t sequence)
{
	bool set = verb == ADDRESS_SET;
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
	nlmsg_hdr(m)->nlmsg_seq = sequence;
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(m, IFA_LOCAL, size, c->prefix.addr.bytes);
	nla_put(m, IFA_ADDRESS, size, c->prefix.addr.bytes);
	if (set)
		put_lease(m, c);
	return m;
}

/* All of a chunk in one send. The sequence of change i is first + i. */
static int
send_chunk(struct address_socket *s, enum address_verb verb, struct address_change *changes,
	size_t count, uint32_t first)
{
	uint8_t batch[CHUNK * MESSAGE_MAX];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct nl_msg *m = build(&changes[i], verb, first + (uint32_t)i);
		size_t size = m ? NLMSG_ALIGN(nlmsg_hdr(m)->nlmsg_len) : 0;

		if (m && used + size <= sizeof(batch)) {
			memset(batch + used, 0, size);
			memcpy(batch + used, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len);
			used += size;
		}
		nlmsg_free(m);
		if (size == 0)
			return -ENOMEM;
		changes[i].error = NO_ANSWER;
	}
	return send(nl_socket_get_fd(s->nl), batch, used, 0) == -1 ? -errno : 0;
}

static void
take_ack(const struct nlmsghdr *h, enum address_verb verb, struct address_change *changes,
	size_t count, uint32_t first, size_t *answered)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	uint32_t i = h->nlmsg_seq - first;
	int error;

	if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || i >= count ||
		changes[i].error != NO_ANSWER)
		return;
	error = -e->error;
	/* Gone already, or gone with its interface: what was wanted. */
	if (verb == ADDRESS_REMOVE && (error == EADDRNOTAVAIL || error == ENODEV))
		error = 0;
	changes[i].error = error;
	(*answered)++;
}

static int
receive_acks(struct address_socket *s, enum address_verb verb, struct address_change *changes,
	size_t count, uint32_t first)
{
	size_t answered = 0;

	while (answered < count) {
		ssize_t n = recv(nl_socket_get_fd(s->nl), s->answer, sizeof(s->answer), 0);
		int left = (int)n;

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -errno;
		for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)s->answer; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left))
			take_ack(h, verb, changes, count, first, &answered);
	}
	return 0;
}

int
addresses_apply(struct address_socket *s, enum address_verb verb, struct address_change *changes,
	size_t count)
{
	int failed = 0;

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
	struct nlattr *attr;
	int left;

	a.prefix.addr.family = head->ifa_family == AF_INET ? IP_V4 : IP_V6;
	a.prefix.length = head->ifa_prefixlen;
	a.secondary = (head->ifa_flags & IFA_F_SECONDARY) != 0;
	nla_for_each_attr(attr, nlmsg_attrdata(h, sizeof(*head)), nlmsg_attrlen(h, sizeof(*head)),
		left) {
		int type = nla_type(attr), size = nla_len(attr);

		if ((type == IFA_ADDRESS && a.prefix.addr.family == IP_V6) || type == IFA_LOCAL)
			nla_memcpy(a.prefix.addr.bytes, attr, sizeof(a.prefix.addr.bytes));
		else if (type == IFA_CACHEINFO && size >= (int)sizeof(struct ifa_cacheinfo))
			a.valid_s = ((struct ifa_cacheinfo *)nla_data(attr))->ifa_valid;
		else if (type == IFA_PROTO && size == 1)
			a.proto = nla_get_u8(attr);
	}
	seen(context, &a);
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
		int left = (int)n;

		if (n == -1)
			return -errno;
		for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)s->answer; nlmsg_ok(h, left);
			h = nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != s->sequence)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == RTM_NEWADDR)
				take_listed(h, seen, context);
		}
	}
}
