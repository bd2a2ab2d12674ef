/*
 * TCP sockets, used again. To make a socket, to watch it and to close it costs more than the probe
 * itself, so a run keeps its socket over probes that went well: connect() to AF_UNSPEC resets the
 * connection, as closing it with linger 0 does, gives the port back and leaves the socket as new.
 * One that met a fault is closed. One with a mark goes back to its stock (stock.c).
 *
 * All of them are in an epoll set of their own, edge-triggered and for good, which the loop watches
 * as one descriptor: no probe adds or removes anything. An edge is told once. Whoever changes what
 * he waits for may have been told already of what he waits for now, and then has the kernel look
 * again; and so has he who stopped reading before there was nothing left.
 */
#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	EVENTS_A_TURN = 256,
	KEPT = 1024, /* sockets without a probe */
	LOOKS_A_TURN = 4,
};

static const char simplest[] = "reno"; /* always there; a probe has nothing to be congested with */
static const uint32_t watched = EPOLLIN | EPOLLOUT | EPOLLET;

static int
watch(struct probe_run *run, int operation)
{
	struct epoll_event event = {.events = watched, .data.u32 = run->slot};

	run->told = 0;
	return epoll_ctl(run->engine->sockets_fd, operation, run->fd, &event);
}

static int
open_socket(struct probe_run *run, int family)
{
	const struct target *t = run->target;
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	const int one = 1;

	run->marked = t->definition->probe.mark != 0;
	run->fd = run->marked ? stock_take(run->engine, t)
		: socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (run->fd == -1)
		return -1;
	run->engine->stats.sockets++;
	setsockopt(run->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	setsockopt(run->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	run->family = family;
	setsockopt(run->fd, IPPROTO_TCP, TCP_CONGESTION, simplest, sizeof(simplest) - 1);
	run->source = t->source;
	run->syn_repeats = 0;
	run->waits_to_acknowledge = run->marked ? -1 : 0;
	if (!source_bind(t, run->fd))
		return -1;
	return watch(run, EPOLL_CTL_ADD);
}

static void
close_socket(struct probe_run *run)
{
	close(run->fd);
	run->fd = -1;
	run->family = 0;
}

void
sockets_forget(struct probe_run *run)
{
	if (run->fd == -1)
		return;
	run->engine->sockets_kept--;
	close_socket(run);
}

int
sockets_take(struct probe_run *run)
{
	const struct target *t = run->target;
	int error, family = t->address.addr.family == IP_V6 ? AF_INET6 : AF_INET;

	run->waits = run->told = 0;
	run->broken = false;
	if (run->family == family && ip_addr_equal(&run->source, &t->source) &&
	    t->definition->probe.mark == 0) {
		run->engine->sockets_kept--;
		return 0;
	}
	sockets_forget(run);
	if (open_socket(run, family) == 0)
		return 0;
	error = errno;
	if (run->fd != -1)
		close_socket(run);
	errno = error;
	return -1;
}

/* Not kept with the run: the next one may want another mark. */
static void
give_back_marked(struct probe_run *run, bool well)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	run->marked = false;
	if (run->family == 0 || !well || connect(run->fd, &nobody, sizeof(nobody)) == -1 ||
	    epoll_ctl(run->engine->sockets_fd, EPOLL_CTL_DEL, run->fd, NULL) == -1 ||
	    !stock_put_back(run->engine, run->target, run->fd)) {
		close_socket(run);
		return;
	}
	run->fd = -1;
	run->family = 0;
}

void
sockets_give_back(struct probe_run *run, bool well)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	struct engine *e = run->engine;

	if (run->fd == -1)
		return;
	run->waits = 0;
	if (run->marked) {
		give_back_marked(run, well);
		return;
	}
	if (run->family != 0 && well && e->sockets_kept < KEPT &&
	    connect(run->fd, &nobody, sizeof(nobody)) == 0)
		e->sockets_kept++;
	else
		close_socket(run);
}

int
sockets_detach(struct probe_run *run)
{
	int fd = run->fd;

	epoll_ctl(run->engine->sockets_fd, EPOLL_CTL_DEL, fd, NULL);
	run->fd = -1;
	run->family = 0;
	run->marked = false;
	return fd;
}

int
sockets_attach(struct probe_run *run, int fd)
{
	const struct target *t = run->target;

	sockets_forget(run);
	run->fd = fd;
	run->family = t->address.addr.family == IP_V6 ? AF_INET6 : AF_INET;
	run->source = t->source;
	run->syn_repeats = 0;
	run->waits_to_acknowledge = -1;
	run->waits = 0;
	run->broken = false;
	run->marked = t->definition->probe.mark != 0;
	if (watch(run, EPOLL_CTL_ADD) == 0)
		return 0;
	run->fd = -1;
	run->family = 0;
	return -1;
}

void
sockets_look_again(struct probe_run *run)
{
	watch(run, EPOLL_CTL_MOD);
}

void
stream_wait(struct probe_run *run, int events)
{
	if (run->waits == events)
		return;
	run->waits = events;
	if ((run->told & events) != 0)
		sockets_look_again(run);
}

static void
serve(struct probe_run *run, uint32_t events)
{
	int told = 0;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		told = EV_READ | EV_WRITE;
	if ((events & EPOLLIN) != 0)
		told |= EV_READ;
	if ((events & EPOLLOUT) != 0)
		told |= EV_WRITE;
	run->told |= told;
	run->broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
	if ((told & run->waits) != 0)
		run->target->definition->kind->ready(run, told & run->waits);
}

/* How many events there were. What is told of a kept socket is the end of its last connection. */
static int
serve_ready(struct engine *e)
{
	struct epoll_event events[EVENTS_A_TURN];
	int i, n = epoll_wait(e->sockets_fd, events, EVENTS_A_TURN, 0);

	for (i = 0; i < n; i++) {
		struct probe_run *run = e->runs[events[i].data.u32];

		if (run->target != NULL && run->family != 0)
			serve(run, events[i].events);
	}
	return n;
}

/* Each probe that ends leaves an event behind: taken now, it does not wake the loop again. */
void
sockets_serve(struct engine *e)
{
	for (int i = 0; i < LOOKS_A_TURN && serve_ready(e) > 0; i++)
		continue;
}

static void
on_sockets(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	sockets_serve(w->data);
}

int
sockets_open(struct engine *e)
{
	e->sockets_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e->sockets_fd == -1)
		return -1;
	ev_io_init(&e->sockets_io, on_sockets, e->sockets_fd, EV_READ);
	e->sockets_io.data = e;
	ev_io_start(e->loop, &e->sockets_io);
	return 0;
}

void
sockets_close(struct engine *e)
{
	uint32_t i;

	for (i = 0; i < e->run_count; i++)
		sockets_forget(e->runs[i]);
	ev_io_stop(e->loop, &e->sockets_io);
	close(e->sockets_fd);
}
