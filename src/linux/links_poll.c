/*
 * The thread that asks for carrier. See links.c.
 *
 * The kernel reports a lost carrier over netlink up to a second late; ETHTOOL_GLINK tells the
 * driver's own view now. It takes RTNL, which somebody may hold for seconds: so it is asked here
 * and not in the election's loop.
 */
#include "linux/links_internal.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK = 256 * 1024, PAIR_BUFFER = 4 << 20 };

enum carrier { CARRIER_UNKNOWN, CARRIER_OFF, CARRIER_ON };

struct poller {
	int fd;     /* to the loop */
	int ioctl_fd;
	char (*names)[LIMIT_IFNAME];
	uint8_t *last; /* enum carrier, by name */
	size_t count;
	struct poll_message message;
};

static enum carrier
ask_carrier(const struct poller *p, const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {.ifr_data = (void *)&value};

	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(p->ioctl_fd, SIOCETHTOOL, &request) == -1)
		return CARRIER_UNKNOWN; /* no such interface, or no such question: netlink decides */
	return value.data ? CARRIER_ON : CARRIER_OFF;
}

static void
post(struct poller *p, enum poll_kind kind, size_t extra)
{
	p->message.kind = kind;
	if (send(p->fd, &p->message, offsetof(struct poll_message, bytes) + extra, MSG_NOSIGNAL) == -1)
		p->count = 0; /* the loop is gone */
}

static void
poll_carriers(struct poller *p)
{
	for (size_t i = 0; i < p->count; i++) {
		enum carrier now = ask_carrier(p, p->names[i]);

		if (now == p->last[i])
			continue;
		p->last[i] = (uint8_t)now;
		if (now == CARRIER_UNKNOWN)
			continue;
		memcpy(p->message.name, p->names[i], LIMIT_IFNAME);
		p->message.carrier = now == CARRIER_ON;
		post(p, POLL_CARRIER, 0);
	}
}

static int
list_kind(int fd, uint16_t type, uint32_t sequence,
	void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg body;
	} request = {.h = {.nlmsg_len = sizeof(request), .nlmsg_type = type,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = sequence}};
	uint8_t buffer[32 * 1024] __attribute__((aligned(8)));

	if (send(fd, &request, sizeof(request), 0) == -1)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *h = (void *)buffer;
		int left = (int)n;

		if (n == -1)
			return -errno;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		take(context, buffer, (size_t)n);
		for (; nlmsg_ok(h, left); h = nlmsg_next(h, &left))
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
	}
}

int
links_list(void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), error;

	if (fd == -1)
		return -errno;
	error = list_kind(fd, RTM_GETLINK, 1, take, context);
	if (error == 0)
		error = list_kind(fd, RTM_GETADDR, 2, take, context);
	close(fd);
	return error;
}

static void
post_listing(void *poller, const uint8_t *bytes, size_t length)
{
	struct poller *p = poller;

	memcpy(p->message.bytes, bytes, length);
	post(p, POLL_LISTING, length);
}

static void
take_order(struct poller *p, struct poll_order *order)
{
	if (order->list) {
		post(p, POLL_LISTING_BEGINS, 0);
		if (links_list(post_listing, p) == 0)
			post(p, POLL_LISTING_ENDS, 0);
	}
	if (order->watch) {
		free(p->names);
		free(p->last);
		p->names = order->names;
		p->count = order->count;
		p->last = calloc(order->count + 1, 1);
		if (!p->last)
			p->count = 0;
	}
}

static void *
work(void *argument)
{
	struct links *l = argument;
	struct poller *p = calloc(1, sizeof(*p));
	struct pollfd wait = {.fd = l->thread_end, .events = POLLIN};

	if (!p)
		return NULL;
	p->fd = l->thread_end;
	p->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (;;) {
		struct poll_order order;

		if (poll(&wait, 1, p->count > 0 ? LINKS_POLL_MS : -1) > 0) {
			if (recv(l->thread_end, &order, sizeof(order), 0) != (ssize_t)sizeof(order))
				break;
			take_order(p, &order);
		}
		poll_carriers(p);
	}
	close(p->ioctl_fd);
	free(p->names);
	free(p->last);
	free(p);
	return NULL;
}

int
links_poll_start(struct links *l)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int ends[2], size = PAIR_BUFFER, error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return -errno;
	l->loop_end = ends[0];
	l->thread_end = ends[1];
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&l->thread, &attr, work, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (error == 0)
		return 0;
	close(ends[0]);
	close(ends[1]);
	return -error;
}

/* The socket is shut in both directions: a thread that is about to post must not wait for us. */
void
links_poll_stop(struct links *l)
{
	shutdown(l->loop_end, SHUT_RDWR);
	pthread_join(l->thread, NULL);
	close(l->loop_end);
	close(l->thread_end);
}

static void
give_order(struct links *l, struct poll_order *order)
{
	if (send(l->loop_end, order, sizeof(*order), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		free(order->names);
}

void
links_ask_listing(struct links *l)
{
	struct poll_order order = {.list = true};

	give_order(l, &order);
}

int
links_watch(struct links *l, const char (*names)[LIMIT_IFNAME], size_t count)
{
	struct poll_order order = {.watch = true, .count = count};

	order.names = calloc(count + 1, sizeof(*order.names));
	if (!order.names)
		return -ENOMEM;
	memcpy(order.names, names, count * sizeof(*names));
	for (size_t i = 0; i < l->known_count; i++)
		l->known[i].polled = false;
	give_order(l, &order);
	return 0;
}
