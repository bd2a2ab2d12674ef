/*
 * Log lines of every process arrive here as datagrams: they are remembered in a ring for
 * `tandemctl events`, handed to the pool process which serves it, and in the foreground written to
 * stderr. The ring outlives a crash of the pool, which gets it again when it is back.
 */
#include "proc/supervisor.h"

#include "ipc/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RELAY_BUFFER = 1 << 20, LINES_A_TURN = 256 };

/* stderr may be a pipe that nobody reads: a line is lost rather than waited for. */
static void
write_stderr(const struct ipc_event *e)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char text[LIMIT_LOG_LINE + 64];
	int n;

	n = snprintf(text, sizeof(text), "%lld.%06lld %-7s %s\n", (long long)(e->at_ns / NS_PER_S),
		(long long)(e->at_ns % NS_PER_S / NS_PER_US),
		log_level_name((enum log_level)e->level), e->text);
	if (n <= 0 || poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0)
		return;
	if (write(STDERR_FILENO, text, (size_t)n) == -1)
		return;
}

static void
tell_pool(struct supervisor *s, const struct ipc_event *e)
{
	struct supervised *pool = children_find(s, PROCESS_POOL, 0);

	if (pool->fd != -1)
		channel_send(pool->fd, IPC_EVENT, e, sizeof(*e), -1);
}

static void
take_line(struct supervisor *s, const struct log_relay_header *header, const char *text,
	size_t length)
{
	struct relay *r = &s->relay;
	struct ipc_event *e = &r->ring[r->next];
	int64_t now_ns = mono_now().ns;

	memset(e, 0, sizeof(*e));
	e->at_ns = header->at_ns >= 0 && header->at_ns <= now_ns ? header->at_ns : now_ns;
	e->level = header->level >= LOG_LEVEL_ERROR && header->level <= LOG_LEVEL_DEBUG
		? header->level : LOG_LEVEL_ERROR;
	memcpy(e->text, text, length < sizeof(e->text) ? length : sizeof(e->text) - 1);
	r->next = (r->next + 1) % LIMIT_EVENTS;
	if (r->held < LIMIT_EVENTS)
		r->held++;
	if (r->to_stderr)
		write_stderr(e);
	tell_pool(s, e);
}

static bool
take_one(struct supervisor *s)
{
	char packet[sizeof(struct log_relay_header) + LIMIT_LOG_LINE];
	struct log_relay_header header;
	ssize_t n;

	n = recv(s->relay.read_end, packet, sizeof(packet), MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(header))
		return n > 0;
	memcpy(&header, packet, sizeof(header));
	take_line(s, &header, packet + sizeof(header), (size_t)n - sizeof(header));
	return true;
}

void
relay_drain(struct supervisor *s)
{
	for (int i = 0; i < LINES_A_TURN && take_one(s); i++)
		continue;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	relay_drain(w->data);
}

int
relay_open(struct supervisor *s)
{
	int ends[2], size = RELAY_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		return -errno;
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	s->relay.read_end = ends[0];
	s->relay.write_end = ends[1];
	s->relay.to_stderr = s->options.foreground;
	s->log.relay_fd = ends[1];
	ev_io_init(&s->relay.watcher, on_readable, ends[0], EV_READ);
	s->relay.watcher.data = s;
	ev_io_start(s->loop, &s->relay.watcher);
	return 0;
}

void
relay_close(struct supervisor *s)
{
	relay_drain(s);
	ev_io_stop(s->loop, &s->relay.watcher);
	s->log.relay_fd = -1;
	close(s->relay.read_end);
	close(s->relay.write_end);
}

void
relay_replay(struct supervisor *s, int pool_fd)
{
	const struct relay *r = &s->relay;
	size_t first = (r->next + LIMIT_EVENTS - r->held) % LIMIT_EVENTS;

	for (size_t i = 0; i < r->held; i++) {
		const struct ipc_event *e = &r->ring[(first + i) % LIMIT_EVENTS];

		if (channel_send(pool_fd, IPC_EVENT, e, sizeof(*e), -1) == -1)
			return;
	}
}
