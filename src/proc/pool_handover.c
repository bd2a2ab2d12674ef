/*
 * The newest connections in a handover between two nodes that are both alive.
 *
 * Connection sync tells of a connection a little after it is established, and of a handshake under
 * way never (pool_sync.c). So while the peer takes over, the former active tells of these itself
 * (linux/sync_teller.h), from its offer until a little after it has let go. The new active meanwhile
 * answers none of its clients that there is no such connection (linux/hush.h): they ask again, and
 * find it. What is told too late, or met by a node without nftables, is lost as it would be anyhow.
 *
 * The claim waits for that silence, 0.1 s at most: the former active serves meanwhile. A claim that is
 * not of an offer does not. After a failure nobody is left to tell, and nobody is kept waiting.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"
#include "linux/hush.h"
#include "linux/sync_teller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int64_t hushed_ns = 1500 * NS_PER_MS; /* a client asks again after 0.2, 0.6 and 1.4 s */
enum { HUSHED_MAX = 1024 };

struct pool_handover {
	struct sync_teller *teller;
	ev_io watcher;
	char router[LIMIT_NAME]; /* of the first that moves */
	enum reason why;
};

/* --- the former active -------------------------------------------------------------------------- */

static bool
is_synced(const struct pool *p, const struct conf_virtual *v)
{
	return p->config.routers[v->router].standby == CONF_STANDBY_HOT && v->fwmark == 0 &&
		v->protocol == CONF_TCP;
}

static size_t
collect_services(const struct pool *p, struct newest_service *out)
{
	size_t count = 0;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		for (uint32_t k = 0; is_synced(p, v) && k < v->listen_count; k++) {
			const struct conf_listen *l = &p->config.listens[v->first_listen + k];

			out[count++] = (struct newest_service){l->first, l->last, l->port_low,
				l->port_high};
		}
	}
	return count;
}

static void
tell_done(struct pool *p, const struct sync_told *told)
{
	struct log_line line;

	log_line_begin(&line, "sync");
	log_line_text(&line, "router", p->handover->router);
	log_line_reason(&line, p->handover->why);
	log_line_int(&line, "told", told->connections);
	log_line_int(&line, "looks", told->looks);
	log_line_ms(&line, "total_ms", told->took_ns);
	if (told->cut)
		log_line_text(&line, "detail", "not all of the newest connections could be told in time");
	if (told->error != 0)
		log_line_text(&line, "error", strerror(-told->error));
	log_emit(&p->child->log, told->error != 0 || told->cut ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		&line);
}

static void
end_telling(struct pool *p)
{
	ev_io_stop(p->loop, &p->handover->watcher);
	sync_teller_stop(p->handover->teller);
	free(p->handover);
	p->handover = NULL;
}

static void
on_told(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool *p = w->data;
	struct sync_told told;

	(void)loop;
	(void)events;
	if (!sync_teller_done(p->handover->teller, &told))
		return;
	tell_done(p, &told);
	end_telling(p);
}

static int
start_teller(struct pool *p, struct pool_handover *h)
{
	struct newest_service *services = calloc(p->config.listen_count + 1, sizeof(*services));
	int error = -ENOMEM;

	if (services)
		error = sync_teller_start(&p->sync, services, collect_services(p, services), &h->teller);
	free(services);
	return error;
}

static void
begin_telling(struct pool *p, const struct ipc_router *facts)
{
	struct pool_handover *h;
	int error = -ENOMEM;

	if (p->handover || !p->sync_set)
		return;
	h = calloc(1, sizeof(*h));
	if (h)
		error = start_teller(p, h);
	if (error != 0) {
		pool_complain(p, "telling the peer of the newest connections", error);
		free(h);
		return;
	}
	memcpy(h->router, facts->name, sizeof(h->router));
	h->why = REASON_SWITCHOVER;
	p->handover = h;
	ev_io_init(&h->watcher, on_told, sync_teller_fd(h->teller), EV_READ);
	h->watcher.data = p;
	ev_io_start(p->loop, &h->watcher);
}

/* --- the new active ----------------------------------------------------------------------------- */

size_t
handover_hushed(const struct pool *p, mono now, struct ip_addr *out, size_t most)
{
	size_t count = 0;

	for (uint32_t row = 0; row < p->config.router_count; row++) {
		const struct conf_router *r = &p->config.routers[row];

		if (mono_due(p->routers[row].hushed_until, now))
			continue;
		for (uint32_t i = 0; i < r->address_count && count < most; i++)
			out[count++] = p->config.addresses[r->first_address + i].prefix.addr;
	}
	return count;
}

/* With those that came a moment before it, as the routers of a group do: there is one table for all. */
static void
hush(struct pool *p, uint32_t row)
{
	struct ip_addr *addresses = calloc(HUSHED_MAX, sizeof(*addresses));
	mono now = mono_now();
	size_t count;
	char name[HUSH_NAME];

	p->routers[row].hushed_until = mono_add_ns(now, hushed_ns);
	count = addresses ? handover_hushed(p, now, addresses, HUSHED_MAX) : 0;
	/* Without nftables it is as it was: nobody is told. */
	if (count > 0 && hush_begin(hush_name(p->child->run_dir, name), addresses, count,
		(uint32_t)(hushed_ns / NS_PER_MS)) == 0)
		p->hushed_until = mono_add_ns(mono_now(), hushed_ns);
	free(addresses);
}

/* --- both --------------------------------------------------------------------------------------- */

void
handover_follow(struct pool *p, uint32_t row, const struct ipc_router *facts)
{
	const struct pool_router *r = &p->routers[row];
	bool was_active = r->known && r->facts.role == EL_ACTIVE;
	bool was_offering = was_active && r->facts.offering;
	bool is_active = facts->role == EL_ACTIVE;
	struct ipc_name name;

	if (!p->sync_set || p->config.routers[row].standby != CONF_STANDBY_HOT)
		return;
	if (facts->offering || (was_active && facts->role == EL_BACKUP))
		begin_telling(p, facts);
	if (p->handover && was_active && !is_active)
		p->handover->why = (enum reason)facts->reason;
	if (p->handover && ((was_active && !is_active) || (was_offering && !facts->offering)))
		sync_teller_finish(p->handover->teller);
	if (r->known && !was_active && is_active && el_was_offered((enum reason)facts->reason)) {
		hush(p, row);
		memcpy(name.name, facts->name, sizeof(name.name));
		channel_send(p->election_fd, IPC_PREPARED, &name, sizeof(name), -1);
	}
}

void
handover_second(struct pool *p)
{
	char name[HUSH_NAME];

	if (!mono_due(p->hushed_until, mono_now()))
		return;
	p->hushed_until = MONO_NEVER;
	hush_end(hush_name(p->child->run_dir, name));
}

void
handover_open(struct pool *p)
{
	p->hushed_until = mono_now(); /* what an earlier life left */
}

void
handover_close(struct pool *p)
{
	if (p->handover)
		end_telling(p);
	if (!mono_is_never(p->hushed_until)) {
		p->hushed_until = mono_now();
		handover_second(p);
	}
}
