/*
 * Interfaces and their addresses. See links.h.
 *
 * links.c: opening, and the events. links_table.c: what is known, merged from the two sources.
 * links_poll.c: the thread that asks for carrier and, after lost events, lists everything again;
 * it may wait for RTNL, this side never does.
 */
#include "linux/links_internal.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	EVENT_BUFFER = 4 << 20,
	READ_MAX = 32 * 1024,
	READS_A_TURN = 64,   /* then the loop has its turn again; the descriptor stays readable */
	HELD_MAX = 16 << 20,
	LISTING_TRIES = 10,
};

static int
open_events(void)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			1u << (RTNLGRP_IPV6_NETCONF - 1)};
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
	struct links *l = links;

	link_table_take(&l->table, bytes, length);
}

/* The first listing, before anybody else runs: here waiting is allowed. */
static int
list_at_start(struct links *l)
{
	int error = -EINTR;

	for (int i = 0; i < LISTING_TRIES && error == -EINTR; i++) {
		link_table_begin(&l->table);
		error = links_list(take_listing, l);
	}
	if (error == 0)
		link_table_sweep(&l->table);
	return error == -EINTR ? 0 : error; /* too lively: what was missed comes as events */
}

static void
free_links(struct links *l)
{
	close(l->event_fd);
	link_table_free(&l->table);
	free(l->held);
	free(l);
}

int
links_open(const struct links_handlers *handlers, struct links **out)
{
	struct links *l = calloc(1, sizeof(*l));
	int error;

	if (!l)
		return -ENOMEM;
	l->table.handlers = *handlers;
	l->event_fd = open_events();
	if (l->event_fd < 0) {
		error = l->event_fd;
		free(l);
		return error;
	}
	/* Events are already being kept: nothing can fall between the listing and them. */
	error = list_at_start(l);
	if (error == 0)
		error = links_poll_start(l);
	if (error == 0)
		*out = l;
	else
		free_links(l);
	return error;
}

void
links_close(struct links *l)
{
	links_poll_stop(l);
	free_links(l);
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
links_repeat(struct links *l)
{
	link_table_repeat(&l->table);
}

static void
wake(struct links *l)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then the thread is about to wake anyway. */
	while (write(l->orders.wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
}

int
links_watch(struct links *l, const char (*names)[LIMIT_IFNAME], size_t count)
{
	struct watch_list *list = calloc(1, sizeof(*list) + count * sizeof(list->rows[0]));
	int error;

	if (!list)
		return -ENOMEM;
	error = link_table_watch(&l->table, names, count);
	if (error < 0) {
		free(list);
		return error;
	}
	list->count = count;
	for (size_t i = 0; i < count; i++)
		memcpy(list->rows[i].name, l->table.watched[i].name, LIMIT_IFNAME);
	free(atomic_exchange(&l->orders.watch, list)); /* an older order the thread never saw */
	wake(l);
	return 0;
}

static void
start_listing(struct links *l)
{
	l->held_length = 0;
	l->listing = true;
	l->again = false;
	atomic_store(&l->orders.list, true);
	wake(l);
}

/* False without room: then events are lost once more. */
static bool
hold(struct links *l, const uint8_t *bytes, size_t length)
{
	size_t needed = l->held_length + NLMSG_ALIGN(length);

	if (needed > HELD_MAX)
		return false;
	if (needed > l->held_capacity) {
		size_t capacity = needed * 2;
		uint8_t *grown = realloc(l->held, capacity);

		if (!grown)
			return false;
		l->held = grown;
		l->held_capacity = capacity;
	}
	memset(l->held + l->held_length, 0, NLMSG_ALIGN(length));
	memcpy(l->held + l->held_length, bytes, length);
	l->held_length = needed;
	return true;
}

static void
take_events(struct links *l, const uint8_t *bytes, size_t length)
{
	if (!l->listing)
		link_table_take(&l->table, bytes, length);
	else if (!l->again && !hold(l, bytes, length))
		l->again = true;
}

/* The queue is empty: what comes from here on is complete again, and newer than a listing
 * ordered now; and everything before was taken, or is older than that listing. */
static void
drained(struct links *l)
{
	if (!l->lost)
		return;
	l->lost = false;
	if (l->listing)
		l->again = true;
	else
		start_listing(l);
}

/*
 * After lost events (ENOBUFS) the rest of the queue is taken, and then the thread is asked for a
 * listing. The events that arrive until it ends are held, and taken after it: so an old listing
 * never overwrites a newer event.
 */
void
links_read_events(struct links *l)
{
	uint8_t buffer[READ_MAX] __attribute__((aligned(8)));

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n = recv(l->event_fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);

		if (n > 0 && (size_t)n <= sizeof(buffer)) {
			take_events(l, buffer, (size_t)n);
		} else if (n > 0 || (n == -1 && errno == ENOBUFS)) {
			l->lost = true;
		} else if (n == -1 && errno != EINTR) {
			drained(l);
			return;
		}
	}
}

static void
end_listing(struct links *l, bool whole)
{
	uint8_t *held = l->held;
	size_t length = l->held_length;

	if (l->again) {
		start_listing(l);
		return;
	}
	if (whole)
		link_table_sweep(&l->table);
	l->listing = false;
	l->held = NULL;
	l->held_length = l->held_capacity = 0;
	link_table_take(&l->table, held, length);
	free(held);
}

void
links_read_carrier(struct links *l)
{
	static const size_t head = offsetof(struct poll_message, bytes);
	struct poll_message m;

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n = recv(l->loop_end, &m, sizeof(m), MSG_DONTWAIT);

		if (n < (ssize_t)head)
			return;
		switch ((enum poll_kind)m.kind) {
		case POLL_CARRIER:
			link_table_take_carrier(&l->table, &m.said);
			break;
		case POLL_LISTING_BEGINS:
			link_table_begin(&l->table);
			break;
		case POLL_LISTING:
			link_table_take(&l->table, m.bytes, (size_t)n - head);
			break;
		case POLL_LISTING_ENDS:
			end_listing(l, m.whole);
			break;
		}
	}
}
