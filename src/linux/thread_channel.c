/* A thread and the way to it and back. See thread_channel.h. */
#include "linux/thread_channel.h"

#include "linux/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 1024 }; /* what the kernel charges for a small message is below that */

/* --- the thread's side --- */

static void *
run(void *channel)
{
	struct thread_channel *c = channel;

	c->work(c->argument);
	shutdown(c->thread_end, SHUT_WR); /* whoever waits for an item learns that none will come */
	return NULL;
}

enum thread_next
thread_channel_next(struct thread_channel *c, bool wait, struct thread_order *out)
{
	for (;;) {
		ssize_t n = recv(c->thread_end, out, sizeof(*out), wait ? 0 : MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(*out))
			return THREAD_ORDER;
		if (n == -1 && errno == EINTR)
			continue;
		return n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK) ? THREAD_NOTHING : THREAD_END;
	}
}

void
thread_channel_give_back(struct thread_channel *c, void *item)
{
	if (send(c->thread_end, &item, sizeof(item), MSG_NOSIGNAL) == -1)
		free(item);
}

/* --- the loop's side --- */

/* As many messages as may be under way fit in; less than what is usual it never is. */
static void
make_room(int fd, size_t limit)
{
	int size = (int)limit * MESSAGE_BYTES, usual;
	socklen_t length = sizeof(usual);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &usual, &length) == 0 && size <= usual)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int
thread_channel_start(struct thread_channel *c, size_t limit, void (*work)(void *argument),
	void *argument)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
		return -errno;
	*c = (struct thread_channel){.loop_end = ends[0], .thread_end = ends[1], .work = work,
		.argument = argument, .limit = limit};
	for (int i = 0; i < 2; i++)
		make_room(ends[i], limit);
	error = thread_start(&c->thread, run, c);
	if (error != 0) {
		close(ends[0]);
		close(ends[1]);
	}
	return error;
}

int
thread_channel_fd(const struct thread_channel *c)
{
	return c->loop_end;
}

static bool
order(struct thread_channel *c, struct thread_order message)
{
	return send(c->loop_end, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		(ssize_t)sizeof(message);
}

bool
thread_channel_give(struct thread_channel *c, void *item)
{
	if (c->under_way == c->limit || !order(c, (struct thread_order){.item = item}))
		return false;
	c->under_way++;
	return true;
}

bool
thread_channel_tell(struct thread_channel *c, uint32_t word)
{
	return order(c, (struct thread_order){.word = word});
}

static void *
collect(struct thread_channel *c, int flags)
{
	void *item;
	ssize_t n;

	do
		n = recv(c->loop_end, &item, sizeof(item), flags);
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(item))
		return NULL;
	c->under_way--;
	return item;
}

void *
thread_channel_take(struct thread_channel *c)
{
	return collect(c, MSG_DONTWAIT);
}

void *
thread_channel_wait(struct thread_channel *c)
{
	return c->under_way > 0 ? collect(c, 0) : NULL;
}

void
thread_channel_stop(struct thread_channel *c)
{
	void *item;

	/* The thread sees the end after its last order: it never waits for us here. */
	shutdown(c->loop_end, SHUT_WR);
	while ((item = thread_channel_wait(c)) != NULL)
		free(item);
	pthread_join(c->thread, NULL);
	close(c->loop_end);
	close(c->thread_end);
}
