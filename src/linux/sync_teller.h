/*
 * Tells the other node's kernel of the newest connections (newest.h) while it takes over, in the way
 * of the kernel's own sync daemon (core/sync_message.h): a thread, for as long as one handover.
 *
 * It looks again and again: when it starts, and until a little after the addresses have gone from
 * here, when nothing new can come. The kernel walks its table for each page that is read of it, so
 * looks are far between with a large table, and what cannot be read in time is not told.
 */
#ifndef TANDEM_LINUX_SYNC_TELLER_H
#define TANDEM_LINUX_SYNC_TELLER_H

#include "linux/ipvs.h"
#include "linux/newest.h"

/* What it did. */
struct sync_told {
	uint32_t connections, looks;
	bool cut;           /* not all that there was */
	int error;          /* negative errno: not sent */
	int64_t took_ns;
};

struct sync_teller;

/* As the master daemon of `sync` would; only of these services. 0 or a negative errno. */
int sync_teller_start(const struct ipvs_sync *sync, const struct newest_service *services,
	size_t count, struct sync_teller **out);
/* Readable when it has done its work. */
int sync_teller_fd(const struct sync_teller *t);
/* The addresses are on their way off, or will stay: it comes to its end. */
void sync_teller_finish(struct sync_teller *t);
/* False: it is not done yet. */
bool sync_teller_done(struct sync_teller *t, struct sync_told *out);
/* Ends it now, done or not (within a look at the time), and frees it. */
void sync_teller_stop(struct sync_teller *t);

#endif
