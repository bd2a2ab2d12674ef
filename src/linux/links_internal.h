/* Shared between links.c (loop side) and links_poll.c (thread side); nobody else includes this. */
#ifndef TANDEM_LINUX_LINKS_INTERNAL_H
#define TANDEM_LINUX_LINKS_INTERNAL_H

#include "linux/links.h"

#include <pthread.h>
#include <stddef.h>

struct link_known {
	struct link_state state;
	bool polled; /* carrier comes from the thread */
	bool seen;   /* in the listing that is being read */
};

enum poll_kind { POLL_CARRIER, POLL_LISTING_BEGINS, POLL_LISTING, POLL_LISTING_ENDS };

/* From the thread to the loop. */
struct poll_message {
	uint32_t kind; /* enum poll_kind */
	char name[LIMIT_IFNAME];
	bool carrier;
	uint8_t bytes[32 * 1024] __attribute__((aligned(8))); /* POLL_LISTING: netlink messages */
};

/* From the loop to the thread. */
struct poll_order {
	bool list;  /* list everything */
	bool watch; /* watch these names from now on; owned by the order */
	char (*names)[LIMIT_IFNAME];
	size_t count;
};

struct links {
	struct links_handlers handlers;
	int event_fd;
	int loop_end, thread_end; /* of the socket pair with the thread */
	pthread_t thread;
	struct link_known *known;
	size_t known_count, known_capacity;
};

int links_poll_start(struct links *l);
void links_poll_stop(struct links *l);
void links_ask_listing(struct links *l);
/* Every link, then every address: raw netlink messages to `take`. Waits for the kernel. */
int links_list(void (*take)(void *context, const uint8_t *bytes, size_t length), void *context);
void links_take_messages(struct links *l, const uint8_t *bytes, size_t length);

#endif
