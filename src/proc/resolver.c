/*
 * The resolver process: what names in the configuration stand for, by the system's own resolver, so that
 * /etc/hosts, nsswitch.conf and resolv.conf count as they do for everybody else on this machine. That
 * resolver may wait for seconds and runs whatever modules it is configured with: it has a process of its
 * own, as nobody and without a capability, and threads in that, so that one name that is not answered
 * holds up no other. System calls are not filtered: what a module needs is not ours to know.
 *
 * It holds no truth: it answers what the pool asks. Of several addresses the lowest one is answered, so
 * that two nodes that are told the same set choose the same.
 */
#include "linux/privileges.h"
#include "linux/worker.h"
#include "proc/servant.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 8 };

struct resolver;

struct asker {
	struct resolver *resolver;
	struct worker *worker;
	uint32_t under_way;
	ev_io watcher;
};

struct resolver {
	struct servant servant;
	struct asker askers[THREADS];
};

struct job {
	struct ipc_resolve question;
	struct ipc_resolved answer;
};

static bool
is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr loopback = {IP_V6, {[15] = 1}};

	return a->family == IP_V6 ? ip_addr_equal(a, &loopback) : a->bytes[0] == 127;
}

/*
 * Can a server have it, or a probe ask there? A server not on loopback: it would be this node itself,
 * and IPVS sends nothing there.
 */
static bool
is_usable(const struct ip_addr *a, bool loopback)
{
	static const struct ip_addr unspecified = {IP_V6, {0}};

	if (is_loopback(a))
		return loopback;
	if (a->family == IP_V6)
		return a->bytes[0] != 0xff && !ip_addr_is_link_local(a) &&
			!ip_addr_equal(a, &unspecified);
	return a->bytes[0] != 0 && a->bytes[0] < 224;
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

		if (a.family != answer->family || !is_usable(&a, answer->loopback))
			continue;
		if (answer->count == 0 || ip_addr_compare(&a, &answer->address) < 0)
			answer->address = a;
		answer->count++;
	}
	if (answer->count == 0)
		snprintf(answer->detail, sizeof(answer->detail), "no %s address that a %s can have",
			answer->family == IP_V6 ? "IPv6" : "IPv4",
			answer->loopback ? "host" : "server");
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
	j->answer.loopback = j->question.loopback;
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
		servant_tell(&a->resolver->servant, IPC_RESOLVED, &j->answer, sizeof(j->answer));
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
take(void *context, const struct channel_message *m)
{
	const struct ipc_resolve *question = channel_payload(m, sizeof(*question));

	if (m->kind == IPC_RESOLVE && question)
		ask(context, question);
}

static void
start_askers(struct resolver *r)
{
	for (int i = 0; i < THREADS; i++) {
		struct asker *a = &r->askers[i];
		int error = worker_start(resolve, NULL, NULL, &a->worker);

		if (error != 0)
			child_give_up(r->servant.child, "threads", error);
		a->resolver = r;
		ev_io_init(&a->watcher, on_answer, worker_fd(a->worker), EV_READ);
		a->watcher.data = a;
		ev_io_start(r->servant.loop, &a->watcher);
	}
}

_Noreturn void
resolver_main(struct child *child)
{
	static const struct servant_work work = {.take = take};
	struct resolver *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		_exit(EXIT_REFUSED);
	servant_open(&r->servant, child, &work, r);
	if ((error = privileges_become_nobody()) != 0)
		child_give_up(child, "privileges", error);
	start_askers(r);
	servant_run(&r->servant);
}
