/*
 * Probes without a local port. A connection has one that no other connection to the same server has,
 * datagrams have one that nobody has, and other programs of this node take some as well. A probe that
 * finds none has not begun: it waits, first come first served, and its deadline counts from when it
 * gets one. After half of its interval, or half a second, it is a local error.
 *
 * To find none costs the kernel a look at all there are, a millisecond or two. So who wants the same
 * as one that was refused just now is not tried, nor is anybody after some refusals; those are the
 * first next time.
 */
#include "probe/kind.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const int64_t again_ns = 10 * NS_PER_MS;
static const int64_t patience_ns = 500 * NS_PER_MS;

static struct port_want
want_of(const struct target *t)
{
	if (t->definition->kind->connects)
		return (struct port_want){.to = t->address, .from = t->source};
	return (struct port_want){.to.addr.family = t->address.addr.family};
}

static bool
is_refused(const struct engine *e, const struct target *t)
{
	const struct port_want want = want_of(t);

	for (uint32_t i = 0; i < e->ports.refused_count; i++) {
		const struct port_want *refused = &e->ports.refused[i];

		if (endpoint_equal(&want.to, &refused->to) &&
		    ip_addr_equal(&want.from, &refused->from))
			return true;
	}
	return false;
}

/* Another one was refused that just now? */
bool
ports_lack(const struct engine *e, const struct target *t, mono now)
{
	return !mono_due(e->ports.again, now) && !t->definition->kind->shares_socket &&
		!t->idle.open && is_refused(e, t);
}

void
ports_queue(struct engine *e, struct target *t, mono now)
{
	heap_remove(&e->deadlines, &t->deadline);
	if (mono_is_never(t->portless_since)) {
		t->portless_since = now;
		e->stats.queued++;
	}
	t->state = TARGET_PORTLESS;
	TAILQ_INSERT_TAIL(&e->ports.waiting, t, queue_link);
}

void
ports_wait(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct ports *p = &e->ports;
	struct target *t = run->target;
	mono now = mono_now();

	if (mono_due(p->again, now)) {
		p->refused_count = 0;
		p->again = mono_add_ns(now, again_ns);
	}
	if (p->refused_count < PORTS_REFUSED)
		p->refused[p->refused_count++] = want_of(t);
	probe_put_off(run);
	ports_queue(e, t, now);
}

static bool
is_over(const struct target *t, mono now)
{
	int64_t waited_ns = mono_diff_ns(now, t->portless_since);

	return waited_ns >= patience_ns || waited_ns >= t->step_ns / 2;
}

/* True when it is not waiting any more; else it is in one of the two queues again. */
static bool
serve(struct engine *e, struct target *t, struct target_queue *untried, bool may_start, mono now)
{
	if (is_over(t, now)) {
		probe_impossible(e, t, EADDRINUSE); /* as bind(2) has it */
		return false;
	}
	if (is_refused(e, t)) {
		TAILQ_INSERT_TAIL(&e->ports.waiting, t, queue_link);
		return false;
	}
	if (may_start && e->ports.refused_count < PORTS_REFUSED && stock_ready(e, t, now) &&
	    target_start(e, t))
		return true;
	TAILQ_INSERT_TAIL(untried, t, queue_link);
	return false;
}

unsigned
ports_serve(struct engine *e, unsigned budget)
{
	struct target_queue all = TAILQ_HEAD_INITIALIZER(all);
	struct target_queue untried = TAILQ_HEAD_INITIALIZER(untried);
	mono now = mono_now();
	struct target *t;

	if (TAILQ_EMPTY(&e->ports.waiting) || !mono_due(e->ports.again, now))
		return budget;
	e->ports.refused_count = 0;
	e->ports.again = mono_add_ns(now, again_ns);
	TAILQ_CONCAT(&all, &e->ports.waiting, queue_link);
	while ((t = TAILQ_FIRST(&all)) != NULL) {
		TAILQ_REMOVE(&all, t, queue_link);
		if (serve(e, t, &untried, budget > 0, now))
			budget--;
	}
	TAILQ_CONCAT(&untried, &e->ports.waiting, queue_link);
	TAILQ_CONCAT(&e->ports.waiting, &untried, queue_link);
	return budget;
}

/* Does this node have an address of its own towards the server? A datagram asks for nothing else. */
static bool
has_address(const struct target *t)
{
	struct sockaddr_storage to;
	socklen_t length = sockaddr_of(&t->address, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd != -1 && (connect(fd, (struct sockaddr *)&to, length) == 0 || errno == EAGAIN);

	if (fd != -1)
		close(fd);
	return has;
}

/* EADDRNOTAVAIL: no port for a connection; or, over IPv6, no address to connect from. */
static bool
is_lack(const struct target *t, int error)
{
	if (error == EAGAIN || error == EADDRINUSE)
		return true;
	return error == EADDRNOTAVAIL && t->definition->kind->connects &&
		(t->source.family != IP_NONE || has_address(t));
}

void
connect_failed(struct probe_run *run, int error)
{
	if (is_lack(run->target, error))
		ports_wait(run);
	else
		probe_finish(run, stream_reason(error, true), error);
}
