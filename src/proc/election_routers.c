/*
 * Virtual routers of this node: made from the configuration, compared with it on reload, and told
 * whether the node is fit to be active. A reload touches only what differs: a router whose rows
 * are equal does not notice.
 */
#include "proc/election_process.h"

#include "core/survival.h"

#include <stdlib.h>
#include <string.h>

static bool
has_pool(const struct config *c, const char *name)
{
	uint32_t router = config_find_router(c, name);

	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (c->virtuals[i].router == router)
			return true;
	return false;
}

/*
 * Unicast goes from node to node, and the other one takes it from the configured address only;
 * multicast over IPv6 comes from a link-local address.
 */
struct ip_addr
router_source(const struct router *r)
{
	const struct elector *x = r->elector;
	const struct ip_addr *self = &x->config.nodes[x->child->node].address;

	if (r->conf.unicast)
		return port_has(r->port, self) ? *self : (struct ip_addr){.family = IP_NONE};
	return port_source(r->port, r->family);
}

/*
 * Connections of some service of it go on by what the active's kernel tells, and nothing is told
 * twice to a node that was not there: what packets flow on is told within the refresh period (ten
 * seconds, pool_sync.c) and the moment that the kernel takes to send; twice that, and some.
 */
static const int64_t catch_up_ns = 25 * NS_PER_S;

static bool
relies_on_sync(const struct config *c, uint32_t router)
{
	if (c->routers[router].standby != CONF_STANDBY_HOT || !c->sync.enabled || c->node_count < 2)
		return false;
	for (uint32_t i = 0; i < c->virtual_count; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		if (v->router == router && !v->one_packet &&
			!survival_is_hash(v->scheduler, v->persistence_s))
			return true;
	}
	return false;
}

/* Members of a group move together, so they wait for each other. */
static int64_t
catch_up_of(const struct router *r)
{
	const struct config *c = &r->elector->config;

	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *row = &c->routers[i];
		bool meant = strcmp(row->name, r->conf.name) == 0 ||
			(row->group[0] != '\0' && strcmp(row->group, r->conf.group) == 0);

		if (meant && relies_on_sync(c, i))
			return catch_up_ns;
	}
	return 0;
}

static struct el_params
params_of(const struct router *r, uint8_t priority)
{
	const struct elector *x = r->elector;
	bool keyed = elector_is_keyed(x);

	return (struct el_params){
		.version = x->config.version,
		.keyed = keyed,
		.ask = keyed,
		.priority = priority,
		.preempt = r->conf.preempt,
		.prepare = r->has_pool && r->conf.standby == CONF_STANDBY_COLD,
		.prepare_offered = keyed && r->has_pool && x->config.sync.enabled,
		.grouped = r->conf.group[0] != '\0',
		.interval_ns = x->config.interval_ms * NS_PER_MS,
		.preempt_delay_ns = r->conf.preempt_delay_ms * NS_PER_MS,
		.catch_up_ns = catch_up_of(r),
		.lease_ns = r->conf.lease_s * NS_PER_S,
		.own = keyed ? x->config.nodes[x->child->node].address : router_source(r),
	};
}

struct router *
router_by_id(struct elector *x, uint32_t id)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (x->routers[i]->id == id)
			return x->routers[i];
	return NULL;
}

struct router *
router_by_name(struct elector *x, const char *name)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (!x->routers[i]->leaving && strcmp(x->routers[i]->conf.name, name) == 0)
			return x->routers[i];
	return NULL;
}

bool
router_has_address(const struct router *r, const struct ip_prefix *prefix, const char *interface)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++)
		if (ip_addr_equal(&r->addresses[i].prefix.addr, &prefix->addr) &&
			r->addresses[i].prefix.length == prefix->length &&
			strcmp(r->addresses[i].interface, interface) == 0)
			return true;
	return false;
}

bool
routers_any_active(const struct elector *x)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (x->routers[i]->has_pool && x->routers[i]->election.role == EL_ACTIVE)
			return true;
	return false;
}

/* Why this node cannot be active for the router now; REASON_NONE: it can. */
static enum reason
unfitness(const struct router *r)
{
	for (uint32_t i = 0; i < r->conf.interface_count; i++) {
		const struct port *p = port_find(r->elector, r->conf.interfaces[i]);

		if (!p || p->link.ifindex == 0)
			return REASON_INTERFACE_MISSING;
		if (!p->link.up)
			return REASON_INTERFACE_DOWN;
		if (!p->link.carrier)
			return REASON_CARRIER_LOST;
	}
	if (r->device_error != 0)
		return REASON_VIRTUAL_MAC;
	if (!port_voice(r->port, r->family)->open)
		return REASON_SYSTEM;
	return router_source(r).family == IP_NONE ? REASON_NO_SOURCE_ADDRESS : REASON_NONE;
}

enum el_fitness
router_own_fitness(const struct router *r, enum reason *why, uint8_t *priority)
{
	int tracked;
	enum reason lost = track_judge(r, &tracked);

	*priority = (uint8_t)(r->conf.priority[r->elector->child->node] + tracked);
	*why = unfitness(r);
	if (*why != REASON_NONE)
		return EL_UNFIT;
	*why = lost != REASON_NONE ? lost : r->view.worse ? REASON_PEER_SEES_MORE : REASON_NONE;
	return *why == REASON_NONE ? EL_FIT : EL_IMPAIRED;
}

void
router_set_fitness(struct router *r, mono now, enum el_fitness fitness, enum reason why,
	uint8_t priority)
{
	struct el_acts acts = {.count = 0};
	struct el_params params = params_of(r, priority);

	if ((params.priority != r->election.params.priority ||
			!ip_addr_equal(&params.own, &r->election.params.own)) &&
		params.own.family != IP_NONE)
		el_reconfigure(&r->election, now, &params, &acts);
	/* Everything else that keeps a router in fault has a line of its own. */
	if (why == REASON_NO_SOURCE_ADDRESS && why != r->election.unfit &&
		r->election.role == EL_FAULT)
		report_text(r->elector, LOG_LEVEL_WARNING, "link", why, "interface", r->conf.interface);
	if (fitness != r->election.fitness || why != r->election.unfit)
		el_set_fitness(&r->election, now, fitness, why, &acts);
	router_perform(r, now, &acts);
}

void
router_check_fitness(struct router *r, mono now)
{
	enum el_fitness fitness;
	enum reason why;
	uint8_t priority;

	if (r->leaving || r->elector->starting || r->elector->stopping)
		return;
	if (r->conf.group[0] != '\0') {
		group_settle(r, now);
		return;
	}
	fitness = router_own_fitness(r, &why, &priority);
	router_set_fitness(r, now, fitness, why, priority);
}

void
routers_port_changed(struct elector *x, const struct port *p)
{
	mono now = mono_now();

	for (size_t i = 0; i < x->router_count; i++)
		for (uint32_t k = 0; k < x->routers[i]->conf.interface_count; k++)
			if (strcmp(x->routers[i]->conf.interfaces[k], p->name) == 0) {
				router_check_fitness(x->routers[i], now);
				break;
			}
}

static struct handover_router *
page_for(struct elector *x, const char *name)
{
	struct handover_router *rows = x->child->handover->routers, *unused = NULL;

	for (size_t i = 0; i < LIMIT_ROUTERS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
		if (rows[i].name[0] == '\0' && !unused)
			unused = &rows[i];
	}
	if (unused)
		memcpy(unused->name, name, LIMIT_NAME);
	return unused;
}

static bool
copy_rows(void **to, const void *rows, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (!copy)
		return false;
	if (size > 0)
		memcpy(copy, rows, size);
	free(*to);
	*to = copy;
	return true;
}

/* Both, or what there was. */
static bool
copy_addresses(struct router *r, const struct config *c)
{
	void *addresses = NULL, *blocks = NULL;

	if (!copy_rows(&addresses, &c->addresses[r->conf.first_address],
			r->conf.address_count * sizeof(r->addresses[0])) ||
		!copy_rows(&blocks, &c->blocks[r->conf.first_block],
			r->conf.block_count * sizeof(r->blocks[0]))) {
		free(addresses);
		return false;
	}
	free(r->addresses);
	free(r->blocks);
	r->addresses = addresses;
	r->blocks = blocks;
	for (uint32_t i = 0; i < r->conf.address_count; i++)
		r->addresses[i] = device_place(&r->conf, &r->addresses[i]);
	router_set_devices(r);
	return true;
}

/* Mixed: the advertisement carries the IPv4 addresses, the others are held along. */
static enum ip_family
family_of(const struct router *r)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++)
		if (r->addresses[i].prefix.addr.family == IP_V4)
			return IP_V4;
	return IP_V6;
}

static void
attach_port(struct router *r)
{
	r->family = family_of(r);
	port_voice(r->port, r->family)->wanted = true;
	r->port->by_vrid[r->conf.vrid] = r;
	for (uint32_t i = 0; i < r->conf.interface_count; i++)
		port_get(r->elector, r->conf.interfaces[i]);
}

static struct router *
router_new(struct elector *x, const struct config *c, const struct conf_router *row)
{
	struct port *port = port_get(x, row->interface);
	struct router *r = calloc(1, sizeof(*r));

	if (!r || !port || x->router_count == sizeof(x->routers) / sizeof(x->routers[0])) {
		free(r);
		return NULL;
	}
	r->elector = x;
	r->id = ++x->last_id;
	r->conf = *row;
	r->tag = trailer_tag(row->name);
	r->port = port;
	r->has_pool = has_pool(c, row->name);
	r->page = page_for(x, row->name);
	r->conflict_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 2};
	r->interval_limit = (struct log_limit){.every_ns = 60 * NS_PER_S, .burst = 1};
	if (!copy_addresses(r, c) || !r->page) {
		free(r->addresses);
		free(r->blocks);
		free(r);
		return NULL;
	}
	r->round_hurried = r->armed = MONO_NEVER;
	view_init_router(r);
	view_configure(r, c);
	ev_timer_init(&r->timer, router_on_timer, 0., 0.);
	r->timer.data = r;
	attach_port(r);
	x->routers[x->router_count++] = r;
	return r;
}

static void
router_leave(struct router *r, mono now)
{
	struct el_acts acts = {.count = 0};

	if (r->leaving)
		return;
	r->leaving = true;
	stragglers_end(r);
	if (r->port->by_vrid[r->conf.vrid] == r)
		r->port->by_vrid[r->conf.vrid] = NULL;
	el_stop(&r->election, now, &acts);
	router_perform(r, now, &acts);
}

/* Addresses and blocks that the new row no longer has. */
static void
drop_addresses(struct router *r, const struct config *c, const struct conf_router *row)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		const struct conf_address *old = &r->addresses[i];
		bool kept = false;

		for (uint32_t k = 0; k < row->address_count && !kept; k++) {
			struct conf_address new = device_place(row,
				&c->addresses[row->first_address + k]);

			kept = memcmp(old, &new, sizeof(*old)) == 0;
		}
		if (!kept && r->election.role == EL_ACTIVE)
			elector_remove(r->elector, old, 1, NULL, 0);
	}
	for (uint32_t i = 0; i < r->conf.block_count; i++) {
		bool kept = false;

		for (uint32_t k = 0; k < row->block_count && !kept; k++)
			kept = memcmp(&r->blocks[i], &c->blocks[row->first_block + k],
				sizeof(r->blocks[i])) == 0;
		if (!kept && r->election.role == EL_ACTIVE)
			elector_remove(r->elector, NULL, 0, &r->blocks[i], 1);
	}
}

static bool
same_addresses(const struct router *r, const struct config *c, const struct conf_router *row)
{
	for (uint32_t i = 0; i < row->address_count; i++) {
		struct conf_address new = device_place(row, &c->addresses[row->first_address + i]);

		if (i >= r->conf.address_count || memcmp(&r->addresses[i], &new, sizeof(new)) != 0)
			return false;
	}
	return r->conf.address_count == row->address_count &&
		r->conf.block_count == row->block_count &&
		(row->block_count == 0 || memcmp(r->blocks, &c->blocks[row->first_block],
			row->block_count * sizeof(r->blocks[0])) == 0);
}

static void
router_update(struct router *r, mono now, const struct config *c, const struct conf_router *row)
{
	struct el_acts acts = {.count = 0};
	bool same = same_addresses(r, c, row);
	struct el_params params;

	if (!same) {
		drop_addresses(r, c, row);
		rounds_end(r);
	}
	if (strcmp(r->conf.group, row->group) != 0)
		r->seat.was_active = false; /* what it did outside is nothing to its new group */
	r->conf = *row;
	r->has_pool = has_pool(c, row->name);
	view_configure(r, c);
	if (!same && !copy_addresses(r, c))
		return;
	attach_port(r);
	params = params_of(r, group_priority(r));
	if (memcmp(&params, &r->election.params, sizeof(params)) != 0)
		el_reconfigure(&r->election, now, &params, &acts);
	if (!same)
		el_addresses_changed(&r->election, now, &acts);
	router_perform(r, now, &acts);
	router_arm(r);
	report_router(r);
}

static const struct conf_router *
row_for(const struct router *r, const struct config *fresh)
{
	uint32_t row = config_find_router(fresh, r->conf.name);

	if (row == CONF_NO_INDEX || fresh->routers[row].vrid != r->conf.vrid ||
		strcmp(fresh->routers[row].interface, r->conf.interface) != 0)
		return NULL; /* gone, or another virtual router under the same name */
	return &fresh->routers[row];
}

/* x->config is already the fresh one: timers and sources come from it. */
void
routers_configure(struct elector *x, const struct config *fresh)
{
	mono now = mono_now();

	groups_pause(x); /* until all of its members are of one configuration */
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		const struct conf_router *row = row_for(r, fresh);

		if (r->leaving)
			continue;
		if (row)
			router_update(r, now, fresh, row);
		else
			router_leave(r, now);
	}
	for (uint32_t i = 0; i < fresh->router_count; i++) {
		struct router *r;

		if (router_by_name(x, fresh->routers[i].name))
			continue;
		r = router_new(x, fresh, &fresh->routers[i]);
		if (!r) {
			report_text(x, LOG_LEVEL_ERROR, "config", REASON_SYSTEM, "router",
				fresh->routers[i].name);
			continue;
		}
		el_init(&r->election, &(struct el_params){0}, now);
		r->election.params = params_of(r, group_priority(r));
		r->election.active_interval_ns = r->election.params.interval_ns;
	}
}

bool
router_may_resume(const struct router *r, mono now)
{
	const struct handover_router *page = r->page;

	return atomic_load(&page->active) && unfitness(r) == REASON_NONE &&
		el_may_resume(&r->election, now, (mono){atomic_load(&page->last_advert_ns)},
			(mono){atomic_load(&page->lease_ns)});
}

static void
router_resume(struct router *r, mono now)
{
	const struct handover_router *page = r->page;
	struct el_acts acts = {.count = 0};

	el_resume(&r->election, now, (mono){atomic_load(&page->since_ns)},
		(mono){atomic_load(&page->last_advert_ns)}, (mono){atomic_load(&page->lease_ns)}, &acts);
	router_perform(r, now, &acts);
}

/* Go on where a crashed predecessor stopped, or begin as RFC 9568 6.4.1 says. */
void
routers_start(struct elector *x)
{
	mono now = mono_now();
	bool resumes[LIMIT_ROUTERS * 2];

	for (size_t i = 0; i < x->router_count; i++) {
		struct el_params params = params_of(x->routers[i], group_priority(x->routers[i]));
		struct el_acts acts = {.count = 0};

		el_reconfigure(&x->routers[i]->election, now, &params, &acts);
	}
	for (size_t i = 0; i < x->router_count; i++)
		resumes[i] = group_may_resume(x->routers[i], now);
	for (size_t i = 0; i < x->router_count; i++) {
		if (resumes[i])
			router_resume(x->routers[i], now);
		report_page(x->routers[i]);
	}
}

static void
router_free(struct router *r)
{
	ev_timer_stop(r->elector->loop, &r->timer);
	rounds_end(r);
	free(r->addresses);
	free(r->blocks);
	free(r->claim);
	free(r);
}

void
routers_sweep(struct elector *x)
{
	for (size_t i = 0; i < x->router_count;) {
		struct router *r = x->routers[i];

		if (!r->leaving || !el_is_quiet(&r->election)) {
			i++;
			continue;
		}
		if (r->page && !router_by_name(x, r->conf.name))
			memset(r->page->name, 0, sizeof(r->page->name));
		router_free(r);
		x->routers[i] = x->routers[--x->router_count];
	}
}

void
routers_free(struct elector *x)
{
	while (x->router_count > 0)
		router_free(x->routers[--x->router_count]);
}
