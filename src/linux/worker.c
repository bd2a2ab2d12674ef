/* A thread for what may block. See worker.h; the way to it and back is a thread_channel. */
#include "linux/worker.h"

#include "linux/thread_channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { QUIET_MS = 100 }; /* without a job: a pause */

struct worker {
	struct thread_channel channel;
	void (*work)(void *context, void *job);
	bool (*idle)(void *context);
	void *context;
};

static bool
is_quiet(const struct worker *w)
{
	struct pollfd p = {.fd = w->channel.thread_end, .events = POLLIN};

	return poll(&p, 1, QUIET_MS) == 0;
}

/* The next job; in a pause what can wait is done. NULL at the end. */
static void *
next_job(struct worker *w)
{
	struct thread_order order;

	while (w->idle && is_quiet(w) && w->idle(w->context))
		;
	return thread_channel_next(&w->channel, true, &order) == THREAD_ORDER ? order.item : NULL;
}

static void
run(void *worker)
{
	struct worker *w = worker;
	void *job;

	while ((job = next_job(w)) != NULL) {
		w->work(w->context, job);
		thread_channel_give_back(&w->channel, job);
	}
}

int
worker_start(void (*work)(void *context, void *job), bool (*idle)(void *context), void *context,
	struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	int error;

	if (!w)
		return -ENOMEM;
	w->work = work;
	w->idle = idle;
	w->context = context;
	error = thread_channel_start(&w->channel, WORKER_QUEUE, run, w);
	if (error == 0)
		*out = w;
	else
		free(w);
	return error;
}

int
worker_fd(const struct worker *w)
{
	return thread_channel_fd(&w->channel);
}

bool
worker_submit(struct worker *w, void *job)
{
	return thread_channel_give(&w->channel, job);
}

void *
worker_next_done(struct worker *w)
{
	return thread_channel_take(&w->channel);
}

void *
worker_wait_done(struct worker *w)
{
	return thread_channel_wait(&w->channel);
}

void
worker_stop(struct worker *w)
{
	thread_channel_stop(&w->channel);
	free(w);
}
