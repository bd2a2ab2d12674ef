/*
 * Devices with a virtual MAC (linux/macvlan.h): a router that wants one has its addresses there, and
 * everything that is done to addresses happens to be done on that device. Here: which devices there
 * must be, that they are made ahead, what happens when one cannot be made or goes away. The kernel
 * is asked by the hands thread, at start before anything is due.
 */
#include "proc/election_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE_TEXT = 160 };

struct conf_address
device_place(const struct conf_router *row, const struct conf_address *a)
{
	struct conf_address place = *a;

	if (row->virtual_mac && strcmp(a->interface, row->interface) == 0)
		virtual_mac_device((enum ip_family)a->prefix.addr.family, row->vrid, row->interface,
			place.interface);
	return place;
}

static bool
needs_device(const struct router *r, const char *name)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++)
		if (strcmp(r->addresses[i].interface, name) == 0)
			return true;
	return false;
}

void
router_set_devices(struct router *r)
{
	static const enum ip_family families[ROUTER_DEVICES] = {IP_V4, IP_V6};

	r->device_count = 0;
	r->device_error = 0;
	for (size_t i = 0; r->conf.virtual_mac && i < ROUTER_DEVICES; i++) {
		struct virtual_device d = {.family = (uint8_t)families[i]};
		struct port *p;

		virtual_mac_device(families[i], r->conf.vrid, r->conf.interface, d.name);
		virtual_mac(families[i], r->conf.vrid, d.mac);
		memcpy(d.parent, r->conf.interface, sizeof(d.parent));
		if (!needs_device(r, d.name) || !(p = port_get(r->elector, d.name)))
			continue;
		p->below = r->port;
		r->devices[r->device_count++] = d;
		r->elector->has_devices = true;
	}
}

/* Every device of every router, for free(); NULL without memory. */
static struct virtual_device *
list_devices(const struct elector *x, size_t *count)
{
	struct virtual_device *list = calloc(x->router_count * ROUTER_DEVICES + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; list && i < x->router_count; i++) {
		const struct router *r = x->routers[i];

		for (size_t d = 0; !r->leaving && d < r->device_count; d++)
			list[(*count)++] = r->devices[d];
	}
	return list;
}

static void
report_device(struct router *r, enum log_level level, const struct virtual_device *d)
{
	char text[TROUBLE_TEXT];
	struct log_line line;

	log_line_begin(&line, "link");
	log_line_text(&line, "router", r->conf.name);
	log_line_text(&line, "interface", d->name);
	log_line_text(&line, "state", d->error != 0 ? "missing" : d->made ? "made" : "adopted");
	log_line_reason(&line, d->error != 0 ? REASON_VIRTUAL_MAC
		: d->made ? REASON_STARTED : REASON_LEFTOVER);
	if (d->error != 0)
		log_line_text(&line, "detail", macvlan_trouble(d, text, sizeof(text)));
	log_emit(&r->elector->child->log, level, &line);
}

/* Said once, until it changes. That the interface itself is missing is said elsewhere. */
static void
take_error(struct router *r, const struct virtual_device *devices, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++) {
		error = devices[i].error;
		if (error != 0 && error != r->device_error && error != ENODEV)
			report_device(r, LOG_LEVEL_ERROR, &devices[i]);
		else if (devices[i].made)
			report_device(r, LOG_LEVEL_INFO, &devices[i]);
	}
	r->device_error = error;
}

static void
report_purged(void *elector, const char *name)
{
	report_text(elector, LOG_LEVEL_NOTICE, "link", REASON_LEFTOVER, "removed", name);
}

void
devices_start(struct elector *x)
{
	struct macvlan_socket *socket;
	struct virtual_device *list;
	size_t count;

	if (macvlan_open(&socket) != 0)
		return; /* the hands could not start either */
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];

		for (size_t d = 0; d < r->device_count; d++) {
			macvlan_prepare(socket, &r->devices[d]);
			if (r->devices[d].error == 0 && !r->devices[d].made)
				report_device(r, LOG_LEVEL_NOTICE, &r->devices[d]);
		}
		take_error(r, r->devices, r->device_count);
	}
	list = list_devices(x, &count);
	if (list)
		macvlan_purge(socket, list, count, report_purged, x);
	free(list);
	macvlan_close(socket);
}

void
devices_remove(struct elector *x)
{
	struct macvlan_socket *socket;

	if (!x->has_devices || macvlan_open(&socket) != 0)
		return;
	macvlan_purge(socket, NULL, 0, report_purged, x);
	macvlan_close(socket);
}

static void
submit(struct elector *x, struct hands_job *job)
{
	if (!hands_submit(x->hands, job))
		free(job); /* the next second tries again */
}

void
devices_rest(struct elector *x)
{
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct hands_job *job;

		router_prepare_devices(r); /* the hands get to know them */
		if (r->device_count == 0 || r->election.role == EL_ACTIVE)
			continue;
		job = hands_job_with(0, r->devices, r->device_count);
		if (!job)
			continue;
		job->verb = ADDRESS_REMOVE;
		submit(x, job);
	}
}

void
router_prepare_devices(struct router *r)
{
	struct hands_job *job;

	if (r->device_count == 0 || r->leaving)
		return;
	job = hands_job_with(0, r->devices, r->device_count);
	if (!job)
		return;
	job->task = HANDS_PREPARE;
	job->router = r->id;
	submit(r->elector, job);
}

void
devices_configure(struct elector *x)
{
	struct virtual_device *list;
	struct hands_job *job;
	size_t count;

	if (!x->has_devices || !x->hands)
		return;
	for (size_t i = 0; i < x->router_count; i++)
		router_prepare_devices(x->routers[i]);
	list = list_devices(x, &count);
	job = list ? hands_job_with(0, list, count) : NULL;
	free(list);
	if (!job)
		return;
	job->task = HANDS_PURGE;
	submit(x, job);
}

void
devices_second(struct elector *x)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (x->routers[i]->device_error != 0)
			router_prepare_devices(x->routers[i]);
}

void
devices_done(struct elector *x, struct router *r, const struct hands_job *job)
{
	/* What the kernel has told of the devices meanwhile is needed for the announcement. */
	if (job->device_count > 0)
		links_read_events(x->links);
	if (!r || job->device_count == 0)
		return;
	if (job->task == HANDS_PREPARE) {
		take_error(r, job->devices, job->device_count);
		router_check_fitness(r, mono_now());
		return;
	}
	for (size_t i = 0; i < job->device_count && job->verb == ADDRESS_SET; i++)
		if (job->devices[i].error != 0 || job->devices[i].made)
			report_device(r, job->devices[i].error != 0 ? LOG_LEVEL_ERROR
				: LOG_LEVEL_NOTICE, &job->devices[i]);
}

/* Gone or down while its router is active: somebody else has done that. */
void
device_changed(struct port *p)
{
	struct elector *x = p->elector;
	mono now = mono_now();

	if (x->starting || (p->link.ifindex != 0 && p->link.up))
		return;
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct el_acts acts = {.count = 0};

		if (r->election.role != EL_ACTIVE || !r->election.claimed ||
			!needs_device(r, p->name))
			continue;
		report_text(x, LOG_LEVEL_WARNING, "address", REASON_ADDRESS_REMOVED, "interface",
			p->name);
		el_addresses_removed(&r->election, now, &acts);
		router_perform(r, now, &acts);
	}
}
