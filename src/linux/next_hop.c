/* The kernel's next hop to a server. See next_hop.h. */
#include "linux/next_hop.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ANSWER = 4096,
	NEWS_BUFFER = 1 << 20,
	SENT_TO = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP,
};

struct address {
	struct nlattr head;
	uint8_t bytes[16];
};

struct route_question {
	struct nlmsghdr h;
	struct rtmsg route;
	struct address to, from;
};

struct neighbour_question {
	struct nlmsghdr h;
	struct ndmsg neighbour;
	struct address who;
};

_Static_assert(sizeof(struct route_question) == 16 + 12 + 2 * 20, "as it goes to the kernel");
_Static_assert(sizeof(struct neighbour_question) == 16 + 12 + 20, "as it goes to the kernel");

int
next_hop_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
}

static uint8_t
af_of(const struct ip_addr *a)
{
	return a->family == IP_V6 ? AF_INET6 : AF_INET;
}

/* The message grows by it: what it has of an IPv4 address is its start. */
static void
add_address(struct nlmsghdr *h, struct address *at, uint16_t type, const struct ip_addr *a)
{
	at->head.nla_type = type;
	at->head.nla_len = (uint16_t)(sizeof(at->head) + ip_addr_size(a));
	memcpy(at->bytes, a->bytes, ip_addr_size(a));
	h->nlmsg_len += at->head.nla_len;
}

/* One message of that type. The kernel answers while it takes the question. 0 or an errno. */
static int
ask(int fd, const struct nlmsghdr *question, uint16_t type, struct nlmsghdr *answer)
{
	ssize_t n;

	while (recv(fd, answer, ANSWER, 0) != -1 || errno == ENOBUFS) /* to an earlier question */
		;
	if (send(fd, question, question->nlmsg_len, 0) == -1)
		return errno;
	n = recv(fd, answer, ANSWER, 0);
	if (n == -1 || !nlmsg_ok(answer, (int)n))
		return EPROTO;
	if (answer->nlmsg_type == NLMSG_ERROR &&
		nlmsg_datalen(answer) >= (int)sizeof(struct nlmsgerr) &&
		((const struct nlmsgerr *)nlmsg_data(answer))->error < 0)
		return -((const struct nlmsgerr *)nlmsg_data(answer))->error;
	return answer->nlmsg_type == type ? 0 : EPROTO;
}

static bool
take_address(const struct nlattr *attribute, struct ip_addr *a)
{
	if (!attribute || nla_len(attribute) != (int)ip_addr_size(a))
		return false;
	memcpy(a->bytes, nla_data(attribute), ip_addr_size(a));
	return true;
}

static bool
take_route(struct nlmsghdr *h, const struct ip_addr *server, struct next_hop *out)
{
	struct nlattr *tb[RTA_MAX + 1];

	if (nlmsg_parse(h, sizeof(struct rtmsg), tb, RTA_MAX, NULL) < 0 || !tb[RTA_OIF] ||
		nla_len(tb[RTA_OIF]) != (int)sizeof(uint32_t))
		return false;
	*out = (struct next_hop){.ifindex = nla_get_u32(tb[RTA_OIF]), .addr = *server,
		.local = ((const struct rtmsg *)nlmsg_data(h))->rtm_type == RTN_LOCAL};
	take_address(tb[RTA_GATEWAY], &out->addr);
	return true;
}

int
next_hop_route(int fd, const struct ip_addr *server, const struct ip_addr *source,
	struct next_hop *out)
{
	struct route_question q = {
		.h = {.nlmsg_len = offsetof(struct route_question, to), .nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = af_of(server), .rtm_dst_len = (uint8_t)(8 * ip_addr_size(server)),
			.rtm_src_len = (uint8_t)(8 * ip_addr_size(source))},
	};
	union {
		struct nlmsghdr h;
		uint8_t bytes[ANSWER];
	} answer;
	int error;

	add_address(&q.h, &q.to, RTA_DST, server);
	if (source->family == server->family && server->family == IP_V6)
		add_address(&q.h, &q.from, RTA_SRC, source);
	else
		q.route.rtm_src_len = 0;
	error = ask(fd, &q.h, RTM_NEWROUTE, &answer.h);
	return error == 0 && !take_route(&answer.h, server, out) ? EPROTO : error;
}

/* The news or the answer that a neighbour is so. */
static bool
take_neighbour(struct nlmsghdr *h, struct next_hop *out)
{
	const struct ndmsg *nd = nlmsg_data(h);
	struct nlattr *tb[NDA_MAX + 1];
	struct next_hop got = {.local = false};

	if (nlmsg_parse(h, sizeof(*nd), tb, NDA_MAX, NULL) < 0 ||
		(nd->ndm_family != AF_INET6 && nd->ndm_family != AF_INET))
		return false;
	got.ifindex = (uint32_t)nd->ndm_ifindex;
	got.addr.family = nd->ndm_family == AF_INET6 ? IP_V6 : IP_V4;
	if (!take_address(tb[NDA_DST], &got.addr))
		return false;
	if (h->nlmsg_type == RTM_NEWNEIGH)
		got.state = nd->ndm_state;
	if (tb[NDA_LLADDR] && nla_len(tb[NDA_LLADDR]) <= NEXT_HOP_LINK) {
		got.length = (uint8_t)nla_len(tb[NDA_LLADDR]);
		memcpy(got.link, nla_data(tb[NDA_LLADDR]), got.length);
	}
	*out = got;
	return true;
}

void
next_hop_look(int fd, struct next_hop *h)
{
	struct neighbour_question q = {
		.h = {.nlmsg_len = offsetof(struct neighbour_question, who),
			.nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST},
		.neighbour = {.ndm_family = af_of(&h->addr), .ndm_ifindex = (int)h->ifindex},
	};
	union {
		struct nlmsghdr h;
		uint8_t bytes[ANSWER];
	} answer;
	struct next_hop got;

	h->state = 0;
	if (h->local)
		return;
	add_address(&q.h, &q.who, NDA_DST, &h->addr);
	if (ask(fd, &q.h, RTM_NEWNEIGH, &answer.h) == 0 && take_neighbour(&answer.h, &got) &&
		got.ifindex == h->ifindex && ip_addr_equal(&got.addr, &h->addr))
		*h = got;
}

bool
next_hop_is_known(const struct next_hop *h)
{
	return h->local || (h->state & SENT_TO) != 0;
}

bool
next_hop_wants_traffic(const struct next_hop *h)
{
	return !next_hop_is_known(h) || (h->state & NUD_STALE) != 0;
}

void
next_hop_had_traffic(struct next_hop *h)
{
	if ((h->state & NUD_STALE) != 0) /* the kernel has a timer for it now, and tells how it ends */
		h->state = NUD_DELAY;
}

/* All that begins so is of a neighbour; those of IPv4 and of bridges are many. */
static int
filter_news(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, ANSWER),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int
next_hop_news_open(void)
{
	const struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int fd = next_hop_open(), bytes = NEWS_BUFFER, error;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	/* one without a name of its own is taken for the kernel, which hears no news */
	if (filter_news(fd) == 0 && bind(fd, (const struct sockaddr *)&self, sizeof(self)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

bool
next_hop_news_listen(int fd, bool on)
{
	const int group = RTNLGRP_NEIGH;

	return setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
		&group, sizeof(group)) == 0;
}

enum next_hop_news
next_hop_news_read(int fd, struct next_hop *out)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[ANSWER];
	} news;
	ssize_t n;

	for (;;) {
		n = recv(fd, &news, sizeof(news), MSG_DONTWAIT);
		if (n == -1 && errno != EINTR)
			return errno == ENOBUFS ? NEXT_HOP_LOST : NEXT_HOP_QUIET;
		if (n > 0 && nlmsg_ok(&news.h, (int)n) &&
			(news.h.nlmsg_type == RTM_NEWNEIGH || news.h.nlmsg_type == RTM_DELNEIGH) &&
			take_neighbour(&news.h, out))
			return NEXT_HOP_CHANGED;
	}
}
