/*
 * One client of the control socket: lines in, lines out.
 *
 * Back-pressure instead of queues: while an answer is pending or unread, the client's next line is
 * left where it is. So what one client can occupy is one line, one answer, and for a follower
 * CONTROL_FOLLOW_BYTES of events. A descriptor that comes along belongs to the line that it came with:
 * what the request does not take is closed with it.
 */
#include "control/server_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t
unsent(const struct control_client *c)
{
	return c->out_length - c->out_at;
}

static bool
ready_for_line(const struct control_client *c)
{
	return !c->waiting && !c->closing && !c->dead && unsent(c) == 0;
}

/* Listen for what can be used now and nothing else: a level-triggered loop must not spin. */
static void
watch(struct control_client *c)
{
	int events = unsent(c) > 0 ? EV_WRITE : 0;

	if (ready_for_line(c))
		events |= EV_READ;
	if ((c->watcher.events & (EV_READ | EV_WRITE)) == events && ev_is_active(&c->watcher))
		return;
	ev_io_stop(c->server->loop, &c->watcher);
	ev_io_set(&c->watcher, c->fd, events);
	if (events != 0)
		ev_io_start(c->server->loop, &c->watcher);
}

static void
forget_output(struct control_client *c)
{
	c->server->output_bytes -= c->out_length;
	free(c->out);
	c->out = NULL;
	c->out_length = c->out_at = 0;
}

static void
drop_descriptor(struct control_client *c)
{
	if (c->descriptor != -1)
		close(c->descriptor);
	c->descriptor = -1;
}

int
control_take_descriptor(struct control_client *c)
{
	int fd = c->descriptor;

	c->descriptor = -1;
	return fd;
}

void
control_client_close(struct control_client *c)
{
	struct control_server *s = c->server;

	if (c->busy) {
		c->dead = true;
		return;
	}
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i] == c)
			s->clients[i] = NULL;
	ev_io_stop(s->loop, &c->watcher);
	forget_output(c);
	drop_descriptor(c);
	close(c->fd);
	free(c);
}

/* Write what there is; false when the client is gone. */
static bool
flush(struct control_client *c)
{
	while (unsent(c) > 0) {
		ssize_t n = send(c->fd, c->out + c->out_at, unsent(c), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		c->out_at += (size_t)n;
		c->progress = mono_now();
	}
	forget_output(c);
	return !c->closing;
}

/* After anything happened to a client: close it, or wait for the next event. */
static void
settle(struct control_client *c)
{
	if (c->busy)
		return;
	if (c->dead || !flush(c)) {
		control_client_close(c);
		return;
	}
	watch(c);
	if (ready_for_line(c) && memchr(c->in, '\n', c->in_length)) {
		/* A line is here already: on with it in the next turn, after everybody else. */
		if (!ev_is_active(&c->server->turn_timer))
			ev_timer_start(c->server->loop, &c->server->turn_timer);
	}
}

/* Append bytes to the output; false when that is too much for the bound. */
static bool
append(struct control_client *c, const char *bytes, size_t length, size_t bound)
{
	char *grown;

	if (unsent(c) + length > bound ||
		c->server->output_bytes + length > CONTROL_OUTPUT_BYTES)
		return false;
	if (c->out_at > 0) {
		memmove(c->out, c->out + c->out_at, unsent(c));
		c->server->output_bytes -= c->out_at;
		c->out_length -= c->out_at;
		c->out_at = 0;
	}
	grown = realloc(c->out, c->out_length + length);
	if (!grown)
		return false;
	c->out = grown;
	memcpy(c->out + c->out_length, bytes, length);
	c->out_length += length;
	c->server->output_bytes += length;
	return true;
}

static bool
append_line(struct control_client *c, const json_t *object, size_t bound)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII |
		JSON_REAL_PRECISION(CONTROL_DIGITS));
	size_t length = text ? strlen(text) : 0;
	bool ok = false;

	if (text) {
		text[length] = '\n'; /* over the NUL: a line ends so */
		ok = append(c, text, length + 1, bound);
	}
	free(text);
	return ok;
}

static void
drop(struct control_client *c, const char *why)
{
	c->server->stats.dropped++;
	control_log(c->server, REASON_SLOW_CLIENT, why);
	control_client_close(c);
}

/* Takes over the reference. */
static void
answer(struct control_client *c, json_t *response)
{
	bool ok = response && append_line(c, response, CONTROL_OUTPUT_BYTES);

	json_decref(response);
	c->waiting = false;
	if (ok)
		settle(c);
	else
		drop(c, "no room for the answer");
}

void
control_answer(struct control_client *c, json_t *result)
{
	answer(c, json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_object()));
}

/* Texts of other processes may hold a file name in any encoding; JSON is UTF-8. */
static json_t *
any_text(const char *text)
{
	char plain[2048];
	size_t n = 0;
	json_t *s = json_string(text);

	if (s)
		return s;
	for (; text[n] != '\0' && n < sizeof(plain) - 1; n++)
		plain[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	return json_stringn(plain, n);
}

void
control_refuse(struct control_client *c, const char *error)
{
	answer(c, json_pack("{s:b, s:o}", "ok", 0, "error", any_text(error)));
}

uint64_t
control_wait(struct control_client *c)
{
	c->waiting = true;
	return c->id;
}

void
control_follow(struct control_client *c)
{
	c->following = true;
}

void
control_client_event(struct control_client *c, const json_t *object)
{
	if (c->dead || c->closing)
		return;
	if (append_line(c, object, CONTROL_FOLLOW_BYTES))
		settle(c);
	else
		drop(c, "a follower does not read its events");
}

void
control_peer(const struct control_client *c, int *pid, int *uid)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	*pid = *uid = -1;
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) {
		*pid = who.pid;
		*uid = (int)who.uid;
	}
}

/* Say so once, and good-bye. */
static void
refuse_garbage(struct control_client *c, const char *error)
{
	c->server->stats.garbage++;
	c->closing = true;
	control_log(c->server, REASON_BAD_REQUEST, error);
	control_refuse(c, error);
}

static void
take_line(struct control_client *c, const char *line, size_t length)
{
	struct control_server *s = c->server;
	struct control_request request;
	char error[128];

	s->stats.requests++;
	switch (control_request_parse(line, length, &request, error)) {
	case CONTROL_PARSED:
		s->handlers.request(s->handlers.context, c, &request);
		break;
	case CONTROL_REFUSED:
		control_refuse(c, error);
		break;
	case CONTROL_GARBAGE:
		refuse_garbage(c, error);
		break;
	}
}

/* One line, when there is a whole one. */
static void
consume(struct control_client *c)
{
	const char *end = memchr(c->in, '\n', c->in_length);
	size_t length;

	if (!end) {
		if (c->in_length > CONTROL_LINE_MAX)
			refuse_garbage(c, "a request is at most 8 KiB");
		return;
	}
	length = (size_t)(end - c->in);
	take_line(c, c->in, length);
	drop_descriptor(c);
	c->in_length -= length + 1;
	memmove(c->in, end + 1, c->in_length);
}

void
control_client_turn(struct control_client *c)
{
	c->busy = true;
	if (ready_for_line(c))
		consume(c);
	c->busy = false;
	settle(c);
}

/* The first of a line is kept, every other one closed. */
static void
keep_descriptor(struct control_client *c, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(fd), sizeof(fd));
			if (c->descriptor == -1)
				c->descriptor = fd;
			else
				close(fd);
		}
	}
}

static void
read_some(struct control_client *c)
{
	union {
		struct cmsghdr aligned;
		char bytes[CMSG_SPACE(sizeof(int))]; /* the kernel closes what has no room */
	} control;
	struct iovec to = {.iov_base = c->in + c->in_length,
		.iov_len = sizeof(c->in) - c->in_length};
	struct msghdr m = {.msg_iov = &to, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n >= 0)
		keep_descriptor(c, &m);
	if (n > 0) {
		c->in_length += (size_t)n;
		c->progress = mono_now();
	} else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
		c->dead = true;
	}
}

static void
on_event(struct ev_loop *loop, ev_io *w, int events)
{
	struct control_client *c = w->data;

	(void)loop;
	/* A line that is here comes first: the end of file behind it must not swallow it. */
	if ((events & EV_READ) && !memchr(c->in, '\n', c->in_length))
		read_some(c);
	control_client_turn(c);
}

struct control_client *
control_client_new(struct control_server *s, int fd)
{
	struct control_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->server = s;
	c->id = ++s->last_id;
	c->fd = fd;
	c->descriptor = -1;
	c->progress = mono_now();
	ev_io_init(&c->watcher, on_event, fd, EV_READ);
	c->watcher.data = c;
	ev_io_start(s->loop, &c->watcher);
	return c;
}

void
control_client_check_idle(struct control_client *c, mono now)
{
	bool may_rest = c->waiting || (c->following && unsent(c) == 0);

	if (!may_rest && mono_diff_ns(now, c->progress) > CONTROL_IDLE_S * NS_PER_S)
		drop(c, "idle for too long");
}
