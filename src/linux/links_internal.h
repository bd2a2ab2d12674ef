/* Shared between links.c, links_poll.c and links_table.c; nobody else includes this. */
#ifndef TANDEM_LINUX_LINKS_INTERNAL_H
#define TANDEM_LINUX_LINKS_INTERNAL_H

#include "linux/links.h"

#include <linux/netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* ---- the table (links_table.c): what is known, and telling what changed ---- */

struct link_known {
	struct link_state state; /* as last told */
	bool carrier_by_netlink;
	uint32_t round;          /* last listing that had it */
};

/* What ETHTOOL_GLINK last said of a watched interface. */
struct link_watched {
	char name[LIMIT_IFNAME];
	int ifindex; /* 0: nothing said, or the interface has no answer to the question */
	bool carrier;
};

struct link_table {
	struct links_handlers handlers;
	struct link_known *known;
	size_t known_count, known_capacity;
	struct link_watched *watched;
	size_t watched_count;
	void *addresses; /* tsearch(3) tree of struct address_known */
	uint32_t round;
};

void link_table_free(struct link_table *t);
/* A run of netlink messages, of a listing or of events. */
void link_table_take(struct link_table *t, const uint8_t *bytes, size_t length);
void link_table_take_carrier(struct link_table *t, const struct link_watched *said);
/* 0 or -ENOMEM (nothing changed). What is known of names that stay watched is kept. */
int link_table_watch(struct link_table *t, const char (*names)[LIMIT_IFNAME], size_t count);
/* What a listing does not have between these two calls is told as gone. */
void link_table_begin(struct link_table *t);
void link_table_sweep(struct link_table *t);
void link_table_repeat(struct link_table *t);

/* ---- the thread (links_poll.c) ---- */

enum { LISTING_MAX = 32 * 1024 }; /* bytes of one datagram of a listing */

enum poll_kind { POLL_CARRIER, POLL_LISTING_BEGINS, POLL_LISTING, POLL_LISTING_ENDS };

/* From the thread to the loop. */
struct poll_message {
	uint32_t kind; /* enum poll_kind */
	bool whole;    /* POLL_LISTING_ENDS: nothing changed while it was read */
	struct link_watched said; /* POLL_CARRIER */
	uint8_t bytes[LISTING_MAX] __attribute__((aligned(8))); /* POLL_LISTING */
};

/* Names to watch, on their way to the thread. */
struct watch_list {
	size_t count;
	struct link_watched rows[];
};

/*
 * Orders to the thread are flags and one pointer that the latest order replaces, with an eventfd
 * to wake it: giving an order cannot fail and cannot block.
 */
struct poll_orders {
	int wake_fd;
	atomic_bool stop, list;
	_Atomic(struct watch_list *) watch;
};

struct links {
	struct link_table table;
	int event_fd;
	int loop_end, thread_end; /* of the socket pair with the thread */
	int ioctl_fd;
	pthread_t thread;
	struct poll_orders orders;

	/* After lost events: see links_read_events(). */
	bool lost;    /* and the queue is not drained yet */
	bool listing; /* a listing is under way; events are held until it ends */
	bool again;   /* it is already known not to be enough */
	uint8_t *held;
	size_t held_length, held_capacity;
};

int links_poll_start(struct links *l);
void links_poll_stop(struct links *l);
/*
 * Every link, then every address: raw netlink messages to `take`. Waits for the kernel. 0, or
 * -EINTR when something changed meanwhile (all was taken, but it may not be consistent), or another
 * negative errno.
 */
int links_list(void (*take)(void *context, const uint8_t *bytes, size_t length), void *context);

#endif
