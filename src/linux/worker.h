/*
 * A thread that does one kind of job after the other, for a loop that must not wait.
 *
 * Jobs are done in the order given and come back with their results. The thread shares nothing with
 * the loop but the job that is in its hands: ownership of the pointer goes over with
 * worker_submit() and comes back with worker_next_done(). A job is memory from malloc().
 */
#ifndef TANDEM_LINUX_WORKER_H
#define TANDEM_LINUX_WORKER_H

#include <stdbool.h>
#include <stddef.h>

enum { WORKER_QUEUE = 4096 }; /* jobs submitted and not collected */

struct worker;

/*
 * Starts the thread, which calls work(context, job) for every job (it inherits the caller's
 * scheduling and capabilities), and idle(context) in a pause (100 ms without a job) until that
 * says false; NULL: nothing can wait so long. 0 or negative errno.
 */
int worker_start(void (*work)(void *context, void *job), bool (*idle)(void *context), void *context,
	struct worker **out);
/* Readable when a job is done; for the event loop. */
int worker_fd(const struct worker *w);
/* Never blocks. False (the job stays the caller's) when WORKER_QUEUE jobs are under way. */
bool worker_submit(struct worker *w, void *job);
/* The next finished job, or NULL. The caller frees it with free(). */
void *worker_next_done(struct worker *w);
/* The same, but waits for it: for the start, before there is a loop. NULL: nothing is under way. */
void *worker_wait_done(struct worker *w);
/* Waits for the jobs in hand, frees them, ends the thread. */
void worker_stop(struct worker *w);

#endif
