/*
 * The egress fence: addresses that fall silent by themselves within milliseconds when nobody renews
 * them (fence_table.h has the how). A thread beside the election loop does the asking, because
 * nftables is one lock for the whole network namespace; the loop decides, and what a hung loop does
 * not ask for is not done.
 *
 * Jobs are done in the order given and come back (worker.h).
 */
#ifndef TANDEM_LINUX_FENCE_H
#define TANDEM_LINUX_FENCE_H

#include "base/mono.h"
#include "linux/fence_table.h"

enum fence_verb {
	FENCE_BUILD, /* the table as in `plan`, in one step */
	FENCE_OPEN,  /* items may speak from now on; a table that is gone is built again */
	FENCE_KEEP,  /* more time for the items that still have some */
	FENCE_CLOSE, /* items are silent at once */
	FENCE_DROP,  /* no table: the fence is no more */
};

struct fence_job {
	enum fence_verb verb;
	uint32_t sequence;       /* of the caller */
	struct fence_plan *plan; /* FENCE_BUILD: the thread's from now on */
	/* FENCE_OPEN, and what is open of a plan: asked for a moment, not for whenever we wake again */
	mono not_after;
	int error;               /* out: 0 or errno of the whole; of FENCE_KEEP see the items */
	bool rebuilt;            /* out, FENCE_OPEN: the table was gone and is there again */
	size_t count;
	struct fence_item items[]; /* count of them; error is set */
};

struct fence;

/* A job with room for `count` items (zeroed), from malloc(); NULL without memory. */
struct fence_job *fence_job_new(enum fence_verb verb, size_t count);

/* Starts the thread; `name` as in fence_table.h. 0 or negative errno. */
int fence_start(const char *name, struct fence **out);
/* Readable when a job is done; for the event loop. */
int fence_fd(const struct fence *f);
/* Never blocks. False (the job and its plan stay the caller's) when too many are under way. */
bool fence_submit(struct fence *f, struct fence_job *job);
/* The next finished job, or NULL. The caller frees it with free(). */
struct fence_job *fence_next_done(struct fence *f);
/* The same, but waits: before there is a loop. */
struct fence_job *fence_wait_done(struct fence *f);
/* Waits for the jobs in hand, ends the thread, frees everything; the table stays as it is. */
void fence_stop(struct fence *f);

#endif
