/* Blocks as routes. See block_routes.h. */
#include "linux/block_routes.h"

#include "linux/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER = 32 * 1024, WATCH_BUFFER = 256 * 1024, EVENT = 1024 };

struct nl_msg *
block_route_message(const struct address_change *c, bool set)
{
	struct rtmsg head = {.rtm_family = AF_INET, .rtm_dst_len = c->prefix.length,
		.rtm_table = RT_TABLE_MAIN, .rtm_protocol = BLOCK_PROTO, .rtm_scope = RT_SCOPE_HOST,
		.rtm_type = RTN_LOCAL};
	/* No NLM_F_REPLACE: a route of somebody else for the prefix stays, behind ours. */
	struct nl_msg *m = nlmsg_alloc_simple(set ? RTM_NEWROUTE : RTM_DELROUTE,
		NLM_F_REQUEST | NLM_F_ACK | (set ? NLM_F_CREATE : 0));

	if (!m)
		return NULL;
	nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
	nla_put(m, RTA_DST, 4, c->prefix.addr.bytes);
	nla_put_u32(m, RTA_OIF, (uint32_t)c->ifindex);
	if (set)
		nla_put(m, RTA_PREFSRC, 4, c->anchor.bytes);
	return m;
}

/* False: not a route of ours. */
static bool
take_route(const struct nlmsghdr *h, struct block_route *out)
{
	const struct rtmsg *r = nlmsg_data(h);
	const struct nlattr *attr;
	int left;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*r)) || r->rtm_family != AF_INET ||
		r->rtm_protocol != BLOCK_PROTO || r->rtm_type != RTN_LOCAL ||
		r->rtm_table != RT_TABLE_MAIN)
		return false;
	*out = (struct block_route){.prefix = {.addr = {.family = IP_V4}, .length = r->rtm_dst_len},
		.port = h->nlmsg_pid};
	nla_for_each_attr(attr, nlmsg_attrdata(h, sizeof(*r)), nlmsg_attrlen(h, sizeof(*r)), left)
		if (nla_type(attr) == RTA_DST && nla_len(attr) == 4)
			memcpy(out->prefix.addr.bytes, nla_data(attr), 4);
		else if (nla_type(attr) == RTA_OIF && nla_len(attr) == 4)
			out->ifindex = (int)nla_get_u32(attr);
	return true;
}

/* 1: the listing is complete. 0: more comes. Or a negative errno. */
static int
take_listing(const uint8_t *bytes, ssize_t length,
	void (*seen)(void *context, const struct block_route *route), void *context)
{
	struct block_route route;
	int left = (int)length;

	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)bytes; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (h->nlmsg_type == RTM_NEWROUTE && take_route(h, &route))
			seen(context, &route);
	}
	return 0;
}

/* The kernel picks them out (4.20; before, it sends every route and take_route() does). */
static int
ask_for_listing(int fd)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg r;
	} request = {.h = {.nlmsg_len = sizeof(request), .nlmsg_type = RTM_GETROUTE,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 1},
		.r = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_type = RTN_LOCAL,
			.rtm_protocol = BLOCK_PROTO}};
	int on = 1;

	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return send(fd, &request, sizeof(request), 0) == -1 ? -errno : 0;
}

int
block_routes_list(void (*seen)(void *context, const struct block_route *route), void *context)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), result;
	uint8_t answer[ANSWER] __attribute__((aligned(8)));

	if (fd == -1)
		return -errno;
	result = ask_for_listing(fd);
	while (result == 0) {
		ssize_t n = recv(fd, answer, sizeof(answer), 0);

		if (n == -1 && errno != EINTR)
			result = -errno;
		else if (n > 0)
			result = take_listing(answer, n, seen, context);
	}
	close(fd);
	return result > 0 || result == -ENOENT ? 0 : result; /* ENOENT: there is no table main yet */
}

/* A node with a full routing table must not wake for each of its routes: RTM_DELROUTE of ours. */
static int
filter_events(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		/* the filter loads in network order, the field is in the host's */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			sizeof(struct nlmsghdr) + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BLOCK_PROTO, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, EVENT),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1
		? -errno : 0;
}

int
block_watch_open(void)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int size = WATCH_BUFFER, error;

	if (fd == -1)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	error = filter_events(fd);
	if (error == 0 && bind(fd, (struct sockaddr *)&self, sizeof(self)) == -1)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

bool
block_watch_read(int fd, struct block_route *out)
{
	uint8_t bytes[EVENT] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		const struct nlmsghdr *h = (struct nlmsghdr *)(void *)bytes;

		if (n == -1 && errno != EINTR && errno != ENOBUFS)
			return false;
		if (n > 0 && nlmsg_ok(h, (int)n) && h->nlmsg_type == RTM_DELROUTE && take_route(h, out))
			return true;
	}
}

int
block_route_answers(const struct ip_prefix *prefix, const struct ip_addr *anchor)
{
	struct rtmsg head = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), result = 0;
	struct nl_msg *m = fd == -1 ? NULL : nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);
	uint8_t bytes[EVENT] __attribute__((aligned(8)));
	const struct nlmsghdr *h = (struct nlmsghdr *)(void *)bytes;
	ssize_t n = -1;

	if (m) {
		nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO);
		nla_put(m, RTA_DST, 4, anchor->bytes);
		nla_put(m, RTA_SRC, 4, prefix->addr.bytes);
		if (send(fd, nlmsg_hdr(m), nlmsg_hdr(m)->nlmsg_len, 0) != -1)
			n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT); /* queued by send() */
		nlmsg_free(m);
	}
	if (n > 0 && nlmsg_ok(h, (int)n) && h->nlmsg_type == NLMSG_ERROR)
		result = ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
	if (fd != -1)
		close(fd);
	return result;
}
