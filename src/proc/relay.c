/*
 * Log lines of every process arrive here as datagrams: they are remembered in a ring for
 * `tandemctl events`, handed to the pool process which serves it, and in the foreground written to
 * stderr. The ring outlives a crash of the pool, which gets it again when it is back.
 *
 * Who reads what strangers send has a socket of its own for that, so that it is known who speaks, and
 * no way to syslog but through here: each of its lines is looked at, and then the supervisor says it.
 * One that is not what such a process has to say is not said, and the process is replaced.
 */
#include "proc/supervisor.h"

#include "ipc/channel.h"
#include "ipc/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
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

static enum log_level
level_of(const struct log_relay_header *header)
{
	return header->level >= LOG_LEVEL_ERROR && header->level <= LOG_LEVEL_DEBUG
		? (enum log_level)header->level : LOG_LEVEL_ERROR;
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
	e->level = level_of(header);
	for (size_t i = 0; i < length && i < sizeof(e->text) - 1; i++)
		e->text[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	r->next = (r->next + 1) % LIMIT_EVENTS;
	if (r->held < LIMIT_EVENTS)
		r->held++;
	if (r->to_stderr)
		write_stderr(e);
	tell_pool(s, e);
}

struct packet {
	struct log_relay_header header;
	char text[LIMIT_LOG_LINE];
	size_t length;
};

enum { CLOSED = -1, NONE_NOW, GOT_ONE };

/* A short one has no text. */
static int
receive(int fd, struct packet *p)
{
	struct iovec iov[2] = {{&p->header, sizeof(p->header)}, {p->text, sizeof(p->text)}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	memset(&p->header, 0, sizeof(p->header));
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	p->length = n > (ssize_t)sizeof(p->header) ? (size_t)n - sizeof(p->header) : 0;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return NONE_NOW;
	return n > 0 ? GOT_ONE : CLOSED;
}

void
relay_drain(struct supervisor *s)
{
	struct packet p;

	for (int i = 0; i < LINES_A_TURN && receive(s->relay.read_end, &p) == GOT_ONE; i++)
		if (p.length > 0)
			take_line(s, &p.header, p.text, p.length);
}

/* What a stranger may have said: as our own word, at a limited rate, or as nobody's. */
static void
take_said(struct supervised *c, const struct packet *p)
{
	struct logger *log = &c->supervisor->log;
	struct log_line line = {.length = p->length};
	uint64_t held_back;

	if (!ipc_line_is_sound(c->role, p->text, p->length)) {
		children_replace(c->supervisor, c->role, c->index, REASON_BAD_MESSAGE);
		return;
	}
	if (!log_limit_allow(&c->said_limit, mono_now(), &held_back)) {
		log_lost(log);
		return;
	}
	memcpy(line.text, p->text, p->length); /* which leaves room for the NUL */
	log_emit(log, level_of(&p->header), &line);
}

/* Who closes its end and lives on is not heard any more. */
static void
hear(struct supervised *c)
{
	int got = GOT_ONE;
	struct packet p;

	for (int i = 0; i < LINES_A_TURN && got == GOT_ONE; i++) {
		got = receive(c->said_fd, &p);
		if (got == GOT_ONE)
			take_said(c, &p);
	}
	if (got == CLOSED)
		ev_io_stop(c->supervisor->loop, &c->said_watcher);
}

static void
on_said(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	hear(w->data);
}

void
relay_listen(struct supervised *c, int fd)
{
	c->said_fd = fd;
	c->said_limit.every_ns = NS_PER_S / 10;
	c->said_limit.burst = 100;
	ev_io_init(&c->said_watcher, on_said, fd, EV_READ);
	c->said_watcher.data = c;
	ev_io_start(c->supervisor->loop, &c->said_watcher);
}

void
relay_hang_up(struct supervised *c)
{
	if (c->said_fd == -1)
		return;
	hear(c); /* its last words */
	ev_io_stop(c->supervisor->loop, &c->said_watcher);
	close(c->said_fd);
	c->said_fd = -1;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	relay_drain(w->data);
}

int
relay_pair(int ends[2])
{
	int size = RELAY_BUFFER;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		return -errno;
	setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

int
relay_open(struct supervisor *s)
{
	int ends[2], error = relay_pair(ends);

	if (error != 0)
		return error;
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
