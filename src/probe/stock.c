/*
 * Sockets with a mark (SO_MARK), which policy routing looks at. Setting one needs a privilege that a
 * prober does not have, so the pool process makes them and passes them over; it gives marks of the
 * configuration alone. Here is the stock of those that no probe uses just now, one for each mark,
 * family and kind.
 *
 * One that is short asks for more, before a probe begins. A probe that finds none is put off for
 * some milliseconds; after half a second without any it is a local error, and no server's fault.
 * TCP sockets come back as those without a mark do (sockets.c); those of datagrams are used once;
 * one of ICMP serves all echoes, and hears nothing, since replies come to the unmarked one as well.
 */
#include "probe/kind.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOW = 8, ASKED = IPC_SOCKETS_MAX };

static const int64_t asks_again_ns = 50 * NS_PER_MS;
static const int64_t patience_ns = 500 * NS_PER_MS;

struct stocked {
	int fd;
	struct ip_addr source; /* that it is bound to */
};

struct stock {
	LIST_ENTRY(stock) link;
	struct ipc_sockets what;
	uint32_t count;
	struct stocked held[STOCK_MAX];
	uint16_t due;          /* asked for, and not come yet */
	mono asked_at;
	mono empty_since;      /* MONO_NEVER: it is not */
};

static uint8_t
kind_of_socket(const struct conf_probe *p)
{
	if (p->type == CONF_PROBE_ICMP)
		return IPC_SOCKET_ICMP;
	return p->type == CONF_PROBE_UDP || p->type == CONF_PROBE_DNS ? IPC_SOCKET_UDP
		: IPC_SOCKET_TCP;
}

static struct stock *
find(struct engine *e, uint32_t mark, uint8_t kind, uint8_t family)
{
	struct stock *s;

	LIST_FOREACH(s, &e->stocks, link)
		if (s->what.mark == mark && s->what.kind == kind && s->what.family == family)
			return s;
	return NULL;
}

/* That of a target, made when it is the first. NULL without memory. */
static struct stock *
stock_of(struct engine *e, const struct target *t)
{
	const struct conf_probe *p = &t->definition->probe;
	uint8_t kind = kind_of_socket(p), family = t->address.addr.family;
	struct stock *s = find(e, p->mark, kind, family);

	if (s != NULL)
		return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->what = (struct ipc_sockets){.mark = p->mark, .kind = kind, .family = family};
	s->asked_at = s->empty_since = MONO_NEVER;
	LIST_INSERT_HEAD(&e->stocks, s, link);
	return s;
}

static void
ask(struct engine *e, struct stock *s, mono now)
{
	if (s->due > 0 && mono_diff_ns(now, s->asked_at) < asks_again_ns)
		return;
	s->what.count = s->what.kind == IPC_SOCKET_ICMP ? 1 : ASKED;
	if (e->options.ask == NULL || !e->options.ask(e->options.context, &s->what))
		return;
	s->asked_at = now;
	s->due = s->what.count;
}

bool
stock_ready(struct engine *e, const struct target *t, mono now)
{
	struct stock *s;

	if (t->definition->probe.mark == 0)
		return true;
	s = stock_of(e, t);
	if (s == NULL)
		return true;
	if (s->count < (s->what.kind == IPC_SOCKET_ICMP ? 1 : LOW))
		ask(e, s, now);
	if (s->count > 0) {
		s->empty_since = MONO_NEVER;
		return true;
	}
	if (mono_is_never(s->empty_since))
		s->empty_since = now;
	return mono_diff_ns(now, s->empty_since) >= patience_ns;
}

/* One that is bound as the target wants it, or not bound yet; -1: none is. */
static int
fitting(const struct stock *s, const struct ip_addr *source)
{
	int i;

	for (i = (int)s->count - 1; i >= 0; i--)
		if (ip_addr_equal(&s->held[i].source, source))
			return i;
	for (i = (int)s->count - 1; i >= 0; i--)
		if (s->held[i].source.family == IP_NONE)
			return i;
	return -1;
}

static int
take_out(struct stock *s, int i)
{
	int fd = s->held[i].fd;

	s->held[i] = s->held[--s->count];
	return fd;
}

int
stock_take(struct engine *e, const struct target *t)
{
	struct stock *s = stock_of(e, t);
	int i = s != NULL ? fitting(s, &t->source) : -1;

	if (i != -1)
		return take_out(s, i);
	if (s != NULL && s->count > 0)
		close(take_out(s, 0)); /* bound to others: room for new ones */
	errno = EAGAIN;
	return -1;
}

int
stock_look(struct engine *e, const struct target *t)
{
	struct stock *s = stock_of(e, t);

	if (s != NULL && s->count > 0)
		return s->held[0].fd;
	errno = EAGAIN;
	return -1;
}

static bool
put(struct stock *s, int fd, const struct ip_addr *source)
{
	if (s == NULL || s->count == STOCK_MAX)
		return false;
	s->held[s->count++] = (struct stocked){.fd = fd, .source = *source};
	return true;
}

bool
stock_put_back(struct engine *e, const struct target *t, int fd)
{
	return put(stock_of(e, t), fd, &t->source);
}

bool
engine_take_socket(struct engine *e, const struct ipc_sockets *what, int fd)
{
	static const struct ip_addr nowhere;
	struct stock *s = find(e, what->mark, what->kind, what->family);

	if (s != NULL && s->due > 0)
		s->due--;
	return put(s, fd, &nowhere);
}

static void
empty(struct stock *s)
{
	while (s->count > 0)
		close(take_out(s, 0));
	LIST_REMOVE(s, link);
	free(s);
}

static bool
is_used(const struct engine *e, uint32_t mark)
{
	const struct definition *d;
	size_t i;

	for (i = 0; i < DEFINITION_BUCKETS; i++)
		LIST_FOREACH(d, &e->definitions[i], link)
			if (d->probe.mark == mark)
				return true;
	return false;
}

void
stock_forget(struct engine *e, uint32_t mark)
{
	struct stock *s, *next;

	if (mark == 0 || is_used(e, mark))
		return;
	for (s = LIST_FIRST(&e->stocks); s != NULL; s = next) {
		next = LIST_NEXT(s, link);
		if (s->what.mark == mark)
			empty(s);
	}
}
