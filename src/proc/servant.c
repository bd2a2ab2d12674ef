/* The head of a process that works for the pool. See servant.h. */
#include "proc/servant.h"

#include <errno.h>
#include <unistd.h>

enum { MESSAGES_A_TURN = 256 }; /* a reload of thousands must not hold the work up */

static const double tick_s = 0.1;

static void
call(const struct servant *s, void (*handler)(void *context))
{
	if (handler)
		handler(s->context);
}

static void
pool_gone(struct servant *s)
{
	if (s->pool_fd == -1)
		return;
	ev_io_stop(s->loop, &s->pool_io);
	close(s->pool_fd);
	s->pool_fd = -1;
	call(s, s->work->gone);
}

static void
wait_for(struct servant *s, int events)
{
	if ((s->pool_io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(s->loop, &s->pool_io);
	ev_io_set(&s->pool_io, s->pool_fd, events);
	ev_io_start(s->loop, &s->pool_io);
}

static void
on_pool(struct ev_loop *loop, ev_io *w, int events)
{
	struct servant *s = w->data;
	int got = 0;

	(void)loop;
	for (int i = 0; (events & EV_READ) != 0 && i < MESSAGES_A_TURN; i++) {
		got = incoming_receive(&s->incoming, s->pool_fd, PROCESS_POOL, &s->message);
		if (got <= 0)
			break;
		if (got == INCOMING_REFUSED)
			continue;
		s->work->take(s->context, &s->message);
		if (s->message.fd != -1)
			close(s->message.fd);
	}
	if (got == -1) {
		pool_gone(s);
	} else if ((events & EV_WRITE) != 0) {
		wait_for(s, EV_READ);
		call(s, s->work->ready);
	}
}

static void
pool_come(struct servant *s, int fd)
{
	pool_gone(s);
	s->pool_fd = fd;
	ev_io_init(&s->pool_io, on_pool, fd, EV_READ);
	s->pool_io.data = s;
	ev_io_start(s->loop, &s->pool_io);
	call(s, s->work->ready);
}

static void
take_supervisor_message(struct servant *s)
{
	const struct channel_message *m = &s->message;
	const struct ipc_peer *peer = channel_payload(m, sizeof(*peer));

	if (m->kind == IPC_STOP)
		_exit(0);
	if (m->kind == IPC_PEER && peer && peer->role == PROCESS_POOL && m->fd != -1)
		pool_come(s, m->fd);
	else if (m->fd != -1)
		close(m->fd);
}

static void
on_supervisor(struct ev_loop *loop, ev_io *w, int events)
{
	struct servant *s = w->data;
	int got;

	(void)loop;
	(void)events;
	while ((got = incoming_receive(&s->incoming, s->child->supervisor_fd, PROCESS_SUPERVISOR,
			&s->message)) > 0)
		if (got != INCOMING_REFUSED)
			take_supervisor_message(s);
	if (got == -1)
		_exit(0);
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
	struct servant *s = w->data;

	(void)loop;
	(void)events;
	child_alive(s->child);
	call(s, s->work->tick);
}

void
servant_open(struct servant *s, struct child *child, const struct servant_work *work,
	void *context)
{
	s->child = child;
	s->work = work;
	s->context = context;
	s->pool_fd = -1;
	s->incoming = incoming_init(&child->log, child->role);
	s->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!s->loop)
		child_give_up(child, "event-loop", errno);
}

bool
servant_tell(struct servant *s, uint32_t kind, const void *payload, size_t size)
{
	if (s->pool_fd == -1)
		return false;
	if (channel_send(s->pool_fd, kind, payload, size, -1) == 0)
		return true;
	wait_for(s, EV_READ | EV_WRITE);
	return false;
}

_Noreturn void
servant_run(struct servant *s)
{
	ev_io_init(&s->supervisor_io, on_supervisor, s->child->supervisor_fd, EV_READ);
	ev_timer_init(&s->tick_timer, on_tick, 0., tick_s);
	s->supervisor_io.data = s->tick_timer.data = s;
	ev_io_start(s->loop, &s->supervisor_io);
	ev_timer_start(s->loop, &s->tick_timer);
	if (channel_send(s->child->supervisor_fd, IPC_READY, NULL, 0, -1) == -1)
		_exit(EXIT_REFUSED);
	ev_run(s->loop, 0);
	_exit(0);
}
