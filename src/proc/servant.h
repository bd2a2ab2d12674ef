/*
 * A child process that works for the pool process and holds no truth (resolver, prober): its loop, the
 * supervisor, which ends it and passes it the channel to the pool, and that channel. A new pool
 * process comes with a new channel, and asks anew.
 *
 * Inside of src/proc only.
 */
#ifndef TANDEM_PROC_SERVANT_H
#define TANDEM_PROC_SERVANT_H

#include "ipc/channel.h"
#include "proc/child.h"
#include "proc/incoming.h"

#include <ev.h>

struct servant;

/* What differs; NULL: nothing to do then. `context` is servant.context. */
struct servant_work {
	/* A message of the pool's; its descriptor is closed afterwards. */
	void (*take)(void *context, const struct channel_message *m);
	void (*ready)(void *context); /* a pool is there, or its channel has room again */
	void (*gone)(void *context);  /* what the pool asked for is wanted by nobody */
	void (*tick)(void *context);  /* ten times a second */
};

/* Holds watchers: never moved in memory. */
struct servant {
	struct child *child;
	struct ev_loop *loop;
	const struct servant_work *work;
	void *context;
	int pool_fd;              /* -1: none */
	ev_io supervisor_io, pool_io;
	ev_timer tick_timer;
	struct incoming incoming;
	struct channel_message message;
};

/* Makes the loop; ends the process when there is none. */
void servant_open(struct servant *s, struct child *child, const struct servant_work *work,
	void *context);
/*
 * False: there is no pool, or it is slow. In the second case work->ready is called when it has read
 * something; that it is gone is seen by reading.
 */
bool servant_tell(struct servant *s, uint32_t kind, const void *payload, size_t size);
/* Says that it is ready, and works until the supervisor ends it. */
_Noreturn void servant_run(struct servant *s);

#endif
