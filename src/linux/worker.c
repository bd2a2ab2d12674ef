/* A thread for what may block. See worker.h. Two socket pairs of pointers: no lock is shared with
 * the loop. */
#include "linux/worker.h"

#include "linux/thread.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum {
	QUIET_MS = 100, /* without a job: a pause */
	QUEUE_BYTES = WORKER_QUEUE * 1024, /* what the kernel charges for a pointer is below 1 KiB */
};

struct worker {
	int loop_end, thread_end;
	void (*work)(void *context, void *job);
	bool (*idle)(void *context);
	void *context;
	pthread_t thread;
	size_t under_way; /* the loop's */
};

static bool
is_quiet(const struct worker *w)
{
	struct pollfd p = {.fd = w->thread_end, .events = POLLIN};

	return poll(&p, 1, QUIET_MS) == 0;
}

/* The next job; in a pause what can wait is done. NULL at the end. */
static void *
next_job(struct worker *w)
{
	void *job;

	while (w->idle && is_quiet(w) && w->idle(w->context))
		;
	return recv(w->thread_end, &job, sizeof(job), 0) == (ssize_t)sizeof(job) ? job : NULL;
}

static void *
run(void *argument)
{
	struct worker *w = argument;
	void *job;

	while ((job = next_job(w)) != NULL) {
		w->work(w->context, job);
		if (send(w->thread_end, &job, sizeof(job), MSG_NOSIGNAL) == -1)
			free(job);
	}
	shutdown(w->thread_end, SHUT_WR);
	return NULL;
}

int
worker_start(void (*work)(void *context, void *job), bool (*idle)(void *context), void *context,
	struct worker **out)
{
	struct worker *w = calloc(1, sizeof(*w));
	int ends[2], size = QUEUE_BYTES, error;

	if (!w)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
		error = -errno;
		free(w);
		return error;
	}
	w->work = work;
	w->idle = idle;
	w->context = context;
	w->loop_end = ends[0];
	w->thread_end = ends[1];
	for (int i = 0; i < 2; i++)
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
			setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	error = thread_start(&w->thread, run, w);
	if (error == 0) {
		*out = w;
		return 0;
	}
	close(ends[0]);
	close(ends[1]);
	free(w);
	return error;
}

int
worker_fd(const struct worker *w)
{
	return w->loop_end;
}

bool
worker_submit(struct worker *w, void *job)
{
	if (w->under_way == WORKER_QUEUE ||
		send(w->loop_end, &job, sizeof(job), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		return false;
	w->under_way++;
	return true;
}

static void *
collect(struct worker *w, int flags)
{
	void *job;

	if (recv(w->loop_end, &job, sizeof(job), flags) != (ssize_t)sizeof(job))
		return NULL;
	w->under_way--;
	return job;
}

void *
worker_next_done(struct worker *w)
{
	return collect(w, MSG_DONTWAIT);
}

void *
worker_wait_done(struct worker *w)
{
	while (w->under_way > 0) {
		void *job = collect(w, 0);

		if (job || errno != EINTR)
			return job;
	}
	return NULL;
}

void
worker_stop(struct worker *w)
{
	void *job;

	/* The thread sees the end after its last job, and says so: it never waits for us here. */
	shutdown(w->loop_end, SHUT_WR);
	while ((job = worker_wait_done(w)) != NULL)
		free(job);
	pthread_join(w->thread, NULL);
	close(w->loop_end);
	close(w->thread_end);
	free(w);
}
