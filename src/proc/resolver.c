/*
 * The resolver process: what names of real servers stand for, by the system's own resolver, so that
 * /etc/hosts, nsswitch.conf and resolv.conf count as they do for everybody else on this machine. That
 * resolver may wait for seconds and runs whatever modules it is configured with: it has a process of its
 * own, as nobody and without a capability, and threads in that, so that one name that is not answered
 * holds up no other. System calls are not filtered: what a module needs is not ours to know.
 *
 * It holds no truth: it answers what the pool asks. Of several addresses the lowest one is answered, so
 * that two nodes that are told the same set choose the same.
 */
#include "ipc/channel.h"
#include "linux/privileges.h"
#include "linux/worker.h"
#include "proc/child.h"

#include <errno.h>
#include <ev.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 8, MESSAGES_A_TURN = 256, EXIT_SYSTEM = 2 };

static const double alive_every_s = 0.1;

struct resolver;

struct asker {
	struct resolver *resolver;
	struct worker *worker;
	uint32_t under_way;
	ev_io watcher;
};

struct resolver {
	struct child *child;
	struct ev_loop *loop;
	int pool_fd;               /* -1: none */
	ev_io supervisor_io, pool_io;
	ev_timer alive_timer;
	struct asker askers[THREADS];
};

struct job {
	struct ipc_resolve question;
	struct ipc_resolved answer;
};

/* Can a real server have it? Not loopback: it would be this node itself, and IPVS sends nothing there. */
static bool
is_usable(const struct ip_addr *a)
{
	static const struct ip_addr unspecified = {IP_V6, {0}}, loopback = {IP_V6, {[15] = 1}};

	if (a->family == IP_V6)
		return a->bytes[0] != 0xff && !ip_addr_is_link_local(a) &&
			!ip_addr_equal(a, &unspecified) && !ip_addr_equal(a, &loopback);
	return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
}

static struct ip_addr
address_of(const struct addrinfo *info)
{
	struct ip_addr a = {.family = IP_NONE};
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof(in)) {
		memcpy(&in, info->ai_addr, sizeof(in));
		a.family = IP_V4;
		memcpy(a.bytes, &in.sin_addr, 4);
	} else if (info->ai_family == AF_INET6 && info->ai_addrlen >= sizeof(in6)) {
		memcpy(&in6, info->ai_addr, sizeof(in6));
		a.family = IP_V6;
		memcpy(a.bytes, &in6.sin6_addr, 16);
	}
	return a;
}

/* The lowest one of the family that was asked for, and how many there are. */
static void
choose(const struct addrinfo *list, struct ipc_resolved *answer)
{
	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		struct ip_addr a = address_of(info);

		if (a.family != answer->family || !is_usable(&a))
			continue;
		if (answer->count == 0 || ip_addr_compare(&a, &answer->address) < 0)
			answer->address = a;
		answer->count++;
	}
	if (answer->count == 0)
		snprintf(answer->detail, sizeof(answer->detail), "no %s address that a server can have",
			answer->family == IP_V6 ? "IPv6" : "IPv4");
}

/* In a thread. */
static void
resolve(void *context, void *job)
{
	struct job *j = job;
	struct addrinfo hints = {.ai_family = j->question.family == IP_V6 ? AF_INET6 : AF_INET,
		.ai_socktype = SOCK_STREAM}, *list = NULL;
	int error;

	(void)context;
	memcpy(j->answer.name, j->question.name, sizeof(j->answer.name));
	j->answer.family = j->question.family;
	error = getaddrinfo(j->question.name, NULL, &hints, &list);
	if (error == 0) {
		choose(list, &j->answer);
		freeaddrinfo(list);
		return;
	}
	snprintf(j->answer.detail, sizeof(j->answer.detail), "%s",
		error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

static void
on_answer(struct ev_loop *loop, ev_io *w, int events)
{
	struct asker *a = w->data;
	struct job *j;

	(void)loop;
	(void)events;
	while ((j = worker_next_done(a->worker)) != NULL) {
		a->under_way--;
		/* Refused by a full channel: the pool asks again. */
		if (a->resolver->pool_fd != -1)
			channel_send(a->resolver->pool_fd, IPC_RESOLVED, &j->answer, sizeof(j->answer), -1);
		free(j);
	}
}

static void
ask(struct resolver *r, const struct ipc_resolve *question)
{
	struct asker *idlest = &r->askers[0];
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return;
	j->question = *question;
	j->question.name[sizeof(j->question.name) - 1] = '\0';
	for (int i = 1; i < THREADS; i++)
		if (r->askers[i].under_way < idlest->under_way)
			idlest = &r->askers[i];
	if (worker_submit(idlest->worker, j))
		idlest->under_way++;
	else
		free(j);
}

static void
pool_gone(struct resolver *r)
{
	if (r->pool_fd == -1)
		return;
	ev_io_stop(r->loop, &r->pool_io);
	close(r->pool_fd);
	r->pool_fd = -1;
}

static void
on_pool(struct ev_loop *loop, ev_io *w, int events)
{
	struct resolver *r = w->data;
	const struct ipc_resolve *question;
	struct channel_message m;

	(void)loop;
	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = channel_receive(r->pool_fd, &m);

		if (got == 0)
			return;
		if (got == -1) {
			pool_gone(r);
			return;
		}
		if (m.fd != -1)
			close(m.fd);
		if (m.kind == IPC_RESOLVE && (question = channel_payload(&m, sizeof(*question))))
			ask(r, question);
	}
}

static void
take_supervisor(struct resolver *r, const struct channel_message *m)
{
	const struct ipc_peer *peer = channel_payload(m, sizeof(*peer));

	if (m->kind == IPC_STOP)
		_exit(0);
	if (m->kind != IPC_PEER || !peer || peer->role != PROCESS_POOL || m->fd == -1) {
		if (m->fd != -1)
			close(m->fd);
		return;
	}
	pool_gone(r);
	r->pool_fd = m->fd;
	ev_io_init(&r->pool_io, on_pool, r->pool_fd, EV_READ);
	r->pool_io.data = r;
	ev_io_start(r->loop, &r->pool_io);
}

static void
on_supervisor(struct ev_loop *loop, ev_io *w, int events)
{
	struct resolver *r = w->data;
	struct channel_message m;
	int got;

	(void)loop;
	(void)events;
	while ((got = channel_receive(r->child->supervisor_fd, &m)) == 1)
		take_supervisor(r, &m);
	if (got == -1)
		_exit(0);
}

static void
on_alive(struct ev_loop *loop, ev_timer *w, int events)
{
	struct resolver *r = w->data;

	(void)loop;
	(void)events;
	atomic_store(&r->child->handover->alive_ns[handover_slot(PROCESS_RESOLVER, 0)], mono_now().ns);
}

static _Noreturn void
give_up(const struct resolver *r, const char *what, int error)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", "resolver");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", what);
	log_line_text(&line, "error", strerror(-error));
	log_emit(&r->child->log, LOG_LEVEL_ERROR, &line);
	_exit(EXIT_SYSTEM);
}

static void
start_askers(struct resolver *r)
{
	for (int i = 0; i < THREADS; i++) {
		struct asker *a = &r->askers[i];
		int error = worker_start(resolve, NULL, NULL, &a->worker);

		if (error != 0)
			give_up(r, "threads", error);
		a->resolver = r;
		ev_io_init(&a->watcher, on_answer, worker_fd(a->worker), EV_READ);
		a->watcher.data = a;
		ev_io_start(r->loop, &a->watcher);
	}
}

_Noreturn void
resolver_main(struct child *child)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		_exit(EXIT_SYSTEM);
	r->child = child;
	r->pool_fd = -1;
	r->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!r->loop)
		give_up(r, "event-loop", -errno);
	if ((error = privileges_become_nobody()) != 0)
		give_up(r, "privileges", error);
	start_askers(r);
	ev_io_init(&r->supervisor_io, on_supervisor, child->supervisor_fd, EV_READ);
	ev_timer_init(&r->alive_timer, on_alive, 0., alive_every_s);
	r->supervisor_io.data = r->alive_timer.data = r;
	ev_io_start(r->loop, &r->supervisor_io);
	ev_timer_start(r->loop, &r->alive_timer);
	channel_send(child->supervisor_fd, IPC_READY, NULL, 0, -1);
	ev_run(r->loop, 0);
	_exit(0);
}
