/*
 * The thread that asks for carrier. See links.c.
 *
 * The kernel reports a lost carrier over netlink up to a second late; ETHTOOL_GLINK tells the
 * driver's own view now. It takes RTNL, which somebody may hold for seconds: so it is asked here
 * and not in the election's loop. Listing everything waits for RTNL, too.
 */
#include "linux/links_internal.h"

#include "linux/thread.h"
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
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PAIR_BUFFER = 4 << 20,
	LISTING_TRIES = 5,
	RETRY_MS = 50,
	CLOSE_LOOK_ROUNDS = 20, /* between two looks at who bears the name */
};

struct poller {
	struct links *links;
	struct watch_list *watch; /* rows hold what was last posted */
	bool first;               /* post everything once */
	unsigned round;
	bool gone;                /* the loop does not listen any more */
	struct poll_message message;
};

static int
ask_index(const struct poller *p, const char *name)
{
	struct ifreq request = {.ifr_ifindex = 0};

	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	return ioctl(p->links->ioctl_fd, SIOCGIFINDEX, &request) == -1 ? 0 : request.ifr_ifindex;
}

/* False: the driver has no answer, or there is no such interface. */
static bool
ask_driver(const struct poller *p, const char *name, bool *carrier)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {.ifr_data = (void *)&value};

	memcpy(request.ifr_name, name, sizeof(request.ifr_name));
	if (ioctl(p->links->ioctl_fd, SIOCETHTOOL, &request) == -1)
		return false;
	*carrier = value.data != 0;
	return true;
}

/* ifindex 0: no such interface, or one that cannot be asked. False: it changed hands meanwhile. */
static bool
ask_carrier(const struct poller *p, struct link_watched *w)
{
	bool answered;

	w->carrier = false;
	w->ifindex = ask_index(p, w->name);
	answered = ask_driver(p, w->name, &w->carrier);
	if (w->ifindex != ask_index(p, w->name))
		return false;
	if (!answered)
		w->ifindex = 0;
	w->carrier &= w->ifindex != 0;
	return true;
}

/*
 * One question where three are needed to be sure: the carrier is what it was. Another interface that
 * took the name is found by the events, and by the next close look.
 */
static bool
is_as_before(const struct poller *p, const struct link_watched *last)
{
	bool carrier;

	return !p->first && p->round % CLOSE_LOOK_ROUNDS != 0 && last->ifindex != 0 &&
		ask_driver(p, last->name, &carrier) && carrier == last->carrier;
}

static void
post(struct poller *p, enum poll_kind kind, size_t extra)
{
	size_t length = offsetof(struct poll_message, bytes) + extra;

	p->message.kind = kind;
	while (!p->gone && send(p->links->thread_end, &p->message, length, MSG_NOSIGNAL) == -1)
		p->gone = errno != EINTR;
}

static void
poll_carriers(struct poller *p)
{
	p->round++;
	for (size_t i = 0; p->watch && i < p->watch->count && !p->gone; i++) {
		struct link_watched *last = &p->watch->rows[i], now = *last;

		if (is_as_before(p, last) || !ask_carrier(p, &now))
			continue;
		if (!p->first && now.ifindex == last->ifindex && now.carrier == last->carrier)
			continue;
		*last = p->message.said = now;
		post(p, POLL_CARRIER, 0);
	}
	p->first = false;
}

/* 1: the last message of the listing is in it. 0: more comes. Or a negative errno. */
static int
scan(const uint8_t *bytes, ssize_t length, bool *interrupted)
{
	int left = (int)length;

	for (struct nlmsghdr *h = (void *)(uintptr_t)bytes; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (h->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
	}
	return 0;
}

static int
list_kind(int fd, uint16_t type, uint8_t family, bool *interrupted,
	void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg body;
	} request = {.h = {.nlmsg_len = sizeof(request), .nlmsg_type = type,
			     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.body = {.ifi_family = family}};
	uint8_t buffer[LISTING_MAX] __attribute__((aligned(8)));

	if (send(fd, &request, sizeof(request), 0) == -1)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);
		int end;

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || n > (ssize_t)sizeof(buffer))
			return n == -1 ? -errno : -EMSGSIZE;
		end = scan(buffer, n, interrupted);
		if (end < 0)
			return end;
		take(context, buffer, (size_t)n);
		if (end == 1)
			return 0;
	}
}

int
links_list(void (*take)(void *context, const uint8_t *bytes, size_t length), void *context)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), error;
	bool interrupted = false;

	if (fd == -1)
		return -errno;
	error = list_kind(fd, RTM_GETLINK, AF_UNSPEC, &interrupted, take, context);
	if (error == 0)
		error = list_kind(fd, RTM_GETADDR, AF_UNSPEC, &interrupted, take, context);
	if (error == 0) /* refused by a kernel without IPv6, where there is nothing to know */
		list_kind(fd, RTM_GETNETCONF, AF_INET6, &interrupted, take, context);
	close(fd);
	return error == 0 && interrupted ? -EINTR : error;
}

static void
post_listing(void *poller, const uint8_t *bytes, size_t length)
{
	struct poller *p = poller;

	memcpy(p->message.bytes, bytes, length);
	post(p, POLL_LISTING, length);
}

/* The loop holds its events until the end is posted: so it is, whatever happens. */
static void
list(struct poller *p)
{
	int error = -EINTR;

	for (int i = 0; i < LISTING_TRIES && error != 0 && !p->gone; i++) {
		if (i > 0)
			poll(NULL, 0, RETRY_MS);
		post(p, POLL_LISTING_BEGINS, 0);
		error = links_list(post_listing, p);
	}
	p->message.whole = error == 0;
	post(p, POLL_LISTING_ENDS, 0);
}

static void
take_orders(struct poller *p)
{
	struct poll_orders *orders = &p->links->orders;
	struct watch_list *watch = atomic_exchange(&orders->watch, NULL);

	if (watch) {
		free(p->watch);
		p->watch = watch;
		p->first = true;
	}
	if (atomic_exchange(&orders->list, false))
		list(p);
}

static void *
work(void *poller)
{
	struct poller *p = poller;
	struct poll_orders *orders = &p->links->orders;
	struct pollfd wait = {.fd = orders->wake_fd, .events = POLLIN};

	while (!p->gone && !atomic_load(&orders->stop)) {
		uint64_t count;

		if (poll(&wait, 1, p->watch && p->watch->count > 0 ? LINKS_POLL_MS : -1) > 0 &&
			read(orders->wake_fd, &count, sizeof(count)) > 0)
			take_orders(p);
		poll_carriers(p);
	}
	free(p->watch);
	free(p);
	return NULL;
}

static int
start_thread(struct links *l)
{
	struct poller *p = calloc(1, sizeof(*p));
	int error;

	if (!p)
		return -ENOMEM;
	p->links = l;
	error = thread_start(&l->thread, work, p);
	if (error != 0)
		free(p);
	return error;
}

static void
close_ends(struct links *l)
{
	close(l->loop_end);
	close(l->thread_end);
	close(l->ioctl_fd);
	close(l->orders.wake_fd);
}

int
links_poll_start(struct links *l)
{
	int ends[2] = {-1, -1}, size = PAIR_BUFFER, error = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return -errno;
	l->loop_end = ends[0];
	l->thread_end = ends[1];
	if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	l->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	l->orders.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->ioctl_fd == -1 || l->orders.wake_fd == -1)
		error = -errno;
	if (error == 0)
		error = start_thread(l);
	if (error < 0)
		close_ends(l);
	return error;
}

/* The socket is shut in both directions: a thread that is about to post must not wait for us. */
void
links_poll_stop(struct links *l)
{
	uint64_t one = 1;

	atomic_store(&l->orders.stop, true);
	shutdown(l->loop_end, SHUT_RDWR);
	while (write(l->orders.wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
	pthread_join(l->thread, NULL);
	free(atomic_exchange(&l->orders.watch, NULL));
	close_ends(l);
}
