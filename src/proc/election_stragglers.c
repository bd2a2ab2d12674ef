/*
 * Frames that still come for the addresses after a handover that was made before it was broken.
 *
 * The new owner has announced, but a frame may be on its way, and a host may have a frozen entry.
 * From the moment that our kernel has let go of the addresses (not before: it would answer as
 * well) the relay (linux/relay.h) passes them on, until the new owner has said often enough that
 * it is there. Who forwards anyway needs none, and neither does a virtual MAC, which moves with
 * the addresses in the switch.
 */
#include "proc/election_process.h"

#include <stdlib.h>
#include <string.h>

static const int64_t relayed_ns = 10 * NS_PER_S; /* twice the series of announcements */

static void
relay_over(struct elector *x, const struct relay_job *job)
{
	const struct router *r = router_by_id(x, job->router);
	struct log_line line;

	if (!r || (job->frames == 0 && job->refused == 0 && job->error == 0))
		return;
	log_line_begin(&line, "relay");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, job->error != 0 ? REASON_SYSTEM : REASON_SWITCHOVER);
	log_line_text(&line, "interface", job->interface);
	log_line_int(&line, "frames", (int64_t)job->frames);
	log_line_int(&line, "refused", (int64_t)job->refused);
	if (job->error != 0)
		log_line_text(&line, "error", strerror(-job->error));
	log_emit(&x->child->log, job->error != 0 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, &line);
}

static void
on_relay(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;
	struct relay_job *job;

	(void)loop;
	(void)events;
	while ((job = relay_next_done(x->relay)) != NULL) {
		relay_over(x, job);
		free(job);
	}
}

int
stragglers_start(struct elector *x)
{
	int error = relay_start(&x->relay);

	if (error != 0)
		return error;
	ev_io_init(&x->relay_watcher, on_relay, relay_fd(x->relay), EV_READ);
	x->relay_watcher.data = x;
	ev_io_start(x->loop, &x->relay_watcher);
	return 0;
}

/* What of the router is there, of that family, on that interface; `out` may be NULL to count. */
static size_t
prefixes_at(const struct router *r, const struct port *p, enum ip_family family,
	struct ip_prefix *out)
{
	size_t count = 0;

	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		const struct ip_addr *addr = &r->addresses[i].prefix.addr;

		if (addr->family != family || port_find(r->elector, r->addresses[i].interface) != p)
			continue;
		if (out)
			out[count] = (struct ip_prefix){*addr, family == IP_V6 ? 128 : 32};
		count++;
	}
	for (uint32_t i = 0; i < r->conf.block_count; i++) {
		if (r->blocks[i].prefix.addr.family != family ||
			port_find(r->elector, r->blocks[i].interface) != p)
			continue;
		if (out)
			out[count] = r->blocks[i].prefix;
		count++;
	}
	return count;
}

static bool
knows_owner(const struct port *p, uint8_t out[6])
{
	static const uint8_t nobody[6] = {0};
	const uint8_t *mac = memcmp(p->owner_mac, nobody, 6) != 0 ? p->owner_mac : p->peer_mac;

	memcpy(out, mac, 6);
	return memcmp(mac, nobody, 6) != 0;
}

static void
relay_at(const struct router *r, const struct port *p, enum ip_family family, mono now)
{
	size_t count = prefixes_at(r, p, family, NULL);
	uint8_t owner[6];
	struct relay_job *job;

	if (count == 0 || p->link.ifindex == 0 || !knows_owner(p, owner) ||
		!(job = relay_job_new(count)))
		return;
	job->router = r->id;
	job->ifindex = p->link.ifindex;
	job->family = family;
	job->until = mono_add_ns(now, relayed_ns);
	job->count = prefixes_at(r, p, family, job->prefixes);
	memcpy(job->interface, p->name, sizeof(job->interface));
	memcpy(job->own, p->link.mac, sizeof(job->own));
	memcpy(job->owner, owner, sizeof(job->owner));
	if (!relay_begin(r->elector->relay, job))
		free(job);
}

void
stragglers_released(struct router *r, mono now)
{
	if (!r->relays || r->election.role == EL_ACTIVE)
		return;
	r->relays = false;
	relay_end(r->elector->relay, r->id);
	for (size_t i = 0; i < r->elector->port_count; i++) {
		const struct port *p = r->elector->ports[i];

		if (p->below)
			continue;
		relay_at(r, p, IP_V4, now);
		relay_at(r, p, IP_V6, now);
	}
}

void
stragglers_end(struct router *r)
{
	r->relays = false;
	relay_end(r->elector->relay, r->id);
}
