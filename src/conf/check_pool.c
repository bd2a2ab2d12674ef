/*
 * Relations of virtual servers: with the virtual router that has their addresses, with each other,
 * and with their real servers. See check.c for what stands at which setting.
 */
#include "conf/listen.h"
#include "conf/reader.h"

#include <string.h>

/* The router that has an address, itself or in a block; UINT32_MAX when none has. */
static uint32_t
holder_of(const struct reader *r, const struct ip_addr *address, const struct seen *addresses)
{
	uint32_t holder = seen_find(addresses, address);

	if (holder != UINT32_MAX)
		return router_of_address(r->out, holder);
	return block_of(r, address, &holder) == CONF_NO_INDEX ? UINT32_MAX : holder;
}

/* The first address of a range that this router does not have; false: it has them all. */
static bool
first_missing(const struct reader *r, const struct conf_listen *l, uint32_t router,
	const struct seen *addresses, struct ip_addr *missing)
{
	uint32_t ports = (uint32_t)l->port_high - l->port_low + 1;

	for (uint32_t i = 0; i < listen_count(l); i += ports) {
		*missing = listen_at(l, i).addr;
		if (router == UINT32_MAX || holder_of(r, missing, addresses) != router)
			return true;
	}
	return false;
}

/* The router that a virtual server names; UINT32_MAX and an error when there is none. */
static uint32_t
named_router(struct reader *r, const struct conf_virtual *v, const config_setting_t *named,
	const struct seen *names)
{
	char key[LIMIT_NAME];
	uint32_t router;

	copy_text(key, sizeof(key), config_setting_get_string(named));
	router = seen_find(names, key);
	if (router == UINT32_MAX)
		reader_error(r, named, "virtual_servers \"%s\": there is no virtual router \"%s\"",
			v->name, key);
	return router;
}

/* Which router a virtual server belongs to: the one it names, else the one with its address. */
static void
resolve_router(struct reader *r, uint32_t row, const struct seen *names,
	const struct seen *addresses)
{
	struct config *c = r->out;
	struct conf_virtual *v = &c->virtuals[row];
	config_setting_t *named = config_setting_get_member(r->virtual_at[row], "router");
	struct ip_addr missing;
	char text[ADDR_TEXT];

	v->router = UINT32_MAX;
	if (named && setting_is_wrong(named))
		return;
	if (named)
		v->router = named_router(r, v, named, names);
	else if (v->listen_count > 0)
		v->router = holder_of(r, &c->listens[v->first_listen].first, addresses);
	else if (v->fwmark != 0)
		reader_error(r, place(r->virtual_at[row], "fwmark"), "virtual_servers \"%s\": with "
			"fwmark no address tells the virtual router; name it in router", v->name);
	if (named && v->router == UINT32_MAX)
		return;
	for (uint32_t i = 0; i < v->listen_count; i++)
		if (first_missing(r, &c->listens[v->first_listen + i], v->router, addresses,
			&missing))
			reader_error(r, place(r->virtual_at[row], "listen"),
				"virtual_servers \"%s\": %s is not an address of %s", v->name,
				ip_addr_format(&missing, text), named ? "its router"
				: v->router == UINT32_MAX ? "any router"
				: "the router of the first one");
}

/* The bytes that make two services the same to the kernel. */
struct service_key {
	struct ip_addr address;
	uint8_t port[2];
	uint8_t protocol;
	uint8_t fwmark[4];
};

static struct service_key
service_key(const struct endpoint *e, uint8_t protocol)
{
	return (struct service_key){.address = e->addr, .protocol = protocol,
		.port = {(uint8_t)(e->port >> 8), (uint8_t)e->port}};
}

static void
check_fwmark(struct reader *r, uint32_t row, struct seen *services)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	struct service_key key = {.address.family = v->family};
	uint32_t before;

	memcpy(key.fwmark, &v->fwmark, sizeof(key.fwmark));
	before = seen_add(services, &key, row);
	if (before != UINT32_MAX)
		reader_error(r, place(r->virtual_at[row], "fwmark"), "virtual_servers \"%s\": fwmark "
			"%u is served by \"%s\" already", v->name, v->fwmark,
			r->out->virtuals[before].name);
}

/* One message for a range, however many of its services are there already. */
static void
check_listen(struct reader *r, uint32_t row, const struct conf_listen *l, struct seen *services)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	bool told = false;
	char text[ENDPOINT_TEXT];

	for (uint32_t i = 0; i < listen_count(l); i++) {
		struct endpoint e = listen_at(l, i);
		struct service_key key = service_key(&e, v->protocol);
		uint32_t before = seen_add(services, &key, row);

		if (before != UINT32_MAX && !told)
			reader_error(r, place(r->virtual_at[row], "listen"),
				"virtual_servers \"%s\": %s %s is served by \"%s\" already", v->name,
				conf_protocol_name(v->protocol), endpoint_format(&e, text),
				r->out->virtuals[before].name);
		told = told || before != UINT32_MAX;
	}
	if (l->port_low == 0 && v->persistence_s == 0)
		reader_error(r, place(r->virtual_at[row], "listen"), "virtual_servers \"%s\": port 0, "
			"which is every port, needs persistence_s", v->name);
}

static void
check_services(struct reader *r)
{
	const struct config *c = r->out;
	struct seen names, services;

	seen_open(&names, LIMIT_NAME);
	seen_open(&services, sizeof(struct service_key));
	for (uint32_t i = 0; i < c->virtual_count; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		if (v->name[0] != '\0' && seen_add(&names, v->name, i) != UINT32_MAX)
			reader_error(r, place(r->virtual_at[i], "name"),
				"virtual_servers \"%s\": this name is there twice", v->name);
		if (v->fwmark != 0)
			check_fwmark(r, i, &services);
		for (uint32_t k = 0; k < v->listen_count; k++)
			check_listen(r, i, &c->listens[v->first_listen + k], &services);
	}
	seen_close(&names);
	seen_close(&services);
}

/* A server as it stands in the configuration, for check_target(). */
struct target {
	const char *what;
	const struct endpoint *endpoint;
	uint8_t forwarding;
	const config_setting_t *at;
};

/* With no translation of ports a server has the one that the client used. */
static void
check_target_port(struct reader *r, const struct conf_virtual *v, const struct conf_listen *l,
	const struct target *t)
{
	uint16_t port = t->endpoint->port;

	if (t->forwarding == CONF_FORWARD_NAT || port == 0)
		return;
	if (l->port_low != l->port_high)
		reader_error(r, t->at, "virtual_servers \"%s\": %s has port %u, but with forwarding %s "
			"no port is translated and there are several; leave it away", v->name,
			t->what, port, conf_forwarding_name(t->forwarding));
	else if (port != l->port_low)
		reader_error(r, t->at, "virtual_servers \"%s\": %s has port %u, but with forwarding "
			"%s no port is translated; it must be %u", v->name, t->what, port,
			conf_forwarding_name(t->forwarding), l->port_low);
}

static bool
listens_at(const struct conf_listen *l, const struct endpoint *e)
{
	return l->first.family == e->addr.family && ip_addr_compare(&l->first, &e->addr) <= 0 &&
		ip_addr_compare(&e->addr, &l->last) <= 0 &&
		(e->port == 0 || (l->port_low <= e->port && e->port <= l->port_high));
}

/* What holds for a real server and for the sorry server alike; the first error is enough. */
static void
check_target(struct reader *r, const struct conf_virtual *v, const struct target *t)
{
	char text[ENDPOINT_TEXT], named[2 * LIMIT_NAME + 64];
	uint8_t family = t->endpoint->addr.family;

	snprintf(named, sizeof(named), "virtual_servers \"%s\": %s", v->name, t->what);
	check_outside_blocks(r, &t->endpoint->addr, CONF_NO_INDEX, t->at, named);
	for (uint32_t i = 0; i < v->listen_count && family != IP_NONE; i++) {
		const struct conf_listen *l = &r->out->listens[v->first_listen + i];
		size_t before = r->errors->count;

		if (listens_at(l, t->endpoint))
			reader_error(r, t->at, "%s has the virtual server's own address %s", named,
				t->endpoint->port ? endpoint_format(t->endpoint, text)
					: ip_addr_format(&t->endpoint->addr, text));
		else if (family != l->first.family && t->forwarding != CONF_FORWARD_TUNNEL)
			reader_error(r, t->at, "%s is of another family than listen; only forwarding "
				"tunnel carries one over the other", named);
		else
			check_target_port(r, v, l, t);
		if (r->errors->count != before)
			return;
	}
	if (v->fwmark != 0 && family != v->family && family != IP_NONE &&
		t->forwarding != CONF_FORWARD_TUNNEL)
		reader_error(r, t->at, "%s is of another family than the first real server", named);
}

static void
check_probe_port(struct reader *r, const struct conf_virtual *v, const struct conf_real *real,
	uint32_t probe, const config_setting_t *at)
{
	const struct conf_probe *p = &r->out->probes[probe];

	for (uint8_t i = 0; i < p->member_count; i++)
		check_probe_port(r, v, real, p->members[i], at);
	if (conf_probe_is_group(p))
		return;
	if (p->type != CONF_PROBE_NONE && p->type != CONF_PROBE_ICMP &&
		p->type != CONF_PROBE_EXEC && p->port == 0 &&
		(real->address.addr.family != IP_NONE || real->host != 0) &&
		conf_real_port(r->out, v, real) == 0)
		reader_error(r, at, "virtual_servers \"%s\": real_servers \"%s\": it has no port of its "
			"own and listen has not just one; the probe needs port", v->name,
			real->name);
}

/* Two that speak of the same things would contradict each other. */
static void
check_one_agent(struct reader *r, const struct conf_virtual *v, uint32_t row)
{
	const struct conf_real *real = &r->out->reals[row];

	if (r->out->probes[real->agent].type != CONF_PROBE_NONE &&
		r->out->probes[real->probe].type == CONF_PROBE_AGENT)
		reader_error(r, place(r->real_at[row], "agent"), "virtual_servers \"%s\": "
			"real_servers \"%s\": its probe is of type agent already; remove agent, or use "
			"a probe of another type", v->name, real->name);
}

static void
check_probe_source(struct reader *r, const struct conf_virtual *v, const struct conf_real *real,
	uint32_t probe, const config_setting_t *at)
{
	const struct conf_probe *p = &r->out->probes[probe];
	const struct conf_host *host = conf_host(r->out, p->address_host);
	uint8_t family = p->address.family;

	if (family == IP_NONE && !host)
		host = conf_real_host(r->out, real);
	if (family == IP_NONE)
		family = host ? host->family : real->address.addr.family;
	for (uint8_t i = 0; i < p->member_count; i++)
		check_probe_source(r, v, real, p->members[i], at);
	if (family != IP_NONE && !source_fits(p, family))
		reader_error(r, at, "virtual_servers \"%s\": real_servers \"%s\": the probe's source "
			"is of another family than the address that it asks", v->name, real->name);
}

static void
check_thresholds(struct reader *r, const struct conf_virtual *v, uint32_t row)
{
	const struct conf_real *real = &r->out->reals[row];

	if (real->lower_threshold != 0 && real->lower_threshold >= real->upper_threshold)
		reader_error(r, place(r->real_at[row], "lower_threshold"), "virtual_servers \"%s\": "
			"real_servers \"%s\": lower_threshold is %u; it must be less than "
			"upper_threshold (%u)", v->name, real->name, real->lower_threshold,
			real->upper_threshold);
}

/* By its address, or by its name and port. */
static struct service_key
place_key(const struct endpoint *address, uint32_t host)
{
	struct service_key key = service_key(address, 0);

	memcpy(key.fwmark, &host, sizeof(key.fwmark)); /* no address has that */
	return key;
}

static void
check_named_port(struct reader *r, const struct conf_virtual *v, const struct target *t)
{
	size_t errors = r->errors->count;

	for (uint32_t i = 0; i < v->listen_count && r->errors->count == errors; i++)
		check_target_port(r, v, &r->out->listens[v->first_listen + i], t);
}

/* What is known of a server whose address is a name. */
static void
check_named(struct reader *r, const struct conf_virtual *v, const struct target *t, uint32_t row,
	struct seen *addresses)
{
	const struct conf_real *real = &r->out->reals[row];
	struct service_key key = place_key(&real->address, real->host);
	uint32_t before;

	if (v->fwmark != 0 && v->family == IP_NONE)
		reader_error(r, t->at, "virtual_servers \"%s\": %s: with fwmark the first address of "
			"a real server tells the family, and all have names; give one of them an address",
			v->name, t->what);
	check_named_port(r, v, t);
	before = seen_add(addresses, &key, row);
	if (before != UINT32_MAX)
		reader_error(r, t->at, "virtual_servers \"%s\": %s: its address is that of \"%s\" as "
			"well", v->name, t->what, r->out->reals[before].name);
}

static void
check_real(struct reader *r, const struct conf_virtual *v, uint32_t row, struct seen *names,
	struct seen *addresses)
{
	const struct conf_real *real = &r->out->reals[row];
	struct service_key key = service_key(&real->address, 0);
	const config_setting_t *at = place(r->real_at[row], "address");
	char what[LIMIT_NAME + 32], text[ENDPOINT_TEXT];
	struct target target = {.what = what, .endpoint = &real->address,
		.forwarding = real->forwarding, .at = at};
	uint32_t before;

	snprintf(what, sizeof(what), "real_servers \"%s\"", real->name);
	if (real->name[0] != '\0' && seen_add(names, real->name, row) != UINT32_MAX)
		reader_error(r, place(r->real_at[row], "name"),
			"virtual_servers \"%s\": %s: this name is there twice", v->name, what);
	check_target(r, v, &target);
	check_probe_port(r, v, real, real->probe, at);
	check_one_agent(r, v, row);
	check_probe_source(r, v, real, real->probe, at);
	check_data_path(r, v, real, real->probe, at);
	check_thresholds(r, v, row);
	if (real->host != 0)
		check_named(r, v, &target, row, addresses);
	if (real->address.addr.family == IP_NONE)
		return;
	before = seen_add(addresses, &key, row);
	if (before != UINT32_MAX)
		reader_error(r, at, "virtual_servers \"%s\": %s: address %s is that of \"%s\" as "
			"well", v->name, what, endpoint_format(&real->address, text),
			r->out->reals[before].name);
}

static void
check_sorry(struct reader *r, uint32_t row, const struct seen *addresses)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	struct target target = {.what = "sorry_server", .endpoint = &v->sorry,
		.forwarding = v->forwarding, .at = place(r->virtual_at[row], "sorry_server")};
	struct service_key key = place_key(&v->sorry, v->sorry_host);
	uint32_t real = seen_find(addresses, &key);

	check_target(r, v, &target);
	if (v->sorry_host != 0)
		check_named_port(r, v, &target);
	if (real != UINT32_MAX)
		reader_error(r, target.at, "virtual_servers \"%s\": sorry_server is real server "
			"\"%s\" as well", v->name, r->out->reals[real].name);
}

/* What the kernel does for datagrams only, and what it does for persistence only. */
static void
check_datagrams(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	config_setting_t *at = r->virtual_at[row];

	if (v->one_packet && v->protocol != CONF_UDP)
		reader_error(r, place(at, "one_packet"), "virtual_servers \"%s\": one_packet is for "
			"protocol udp only", v->name);
	if (v->engine[0] == '\0')
		return;
	if (v->protocol != CONF_UDP)
		reader_error(r, place(at, "persistence_engine"), "virtual_servers \"%s\": "
			"persistence_engine %s is for protocol udp only", v->name, v->engine);
	if (v->persistence_s == 0)
		reader_error(r, place(at, "persistence_engine"), "virtual_servers \"%s\": "
			"persistence_engine needs persistence_s", v->name);
}

/* A mask of the other family would be silently without effect. */
static void
check_mask(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	const config_setting_t *at =
		config_setting_get_member(r->virtual_at[row], "persistence_mask");
	bool used = v->listen_count == 0 ? v->family == v->persistence_mask.family : false;

	for (uint32_t i = 0; i < v->listen_count; i++)
		used = used || r->out->listens[v->first_listen + i].first.family ==
			v->persistence_mask.family;
	if (at && !setting_is_wrong((config_setting_t *)at) && !used && (v->listen_count || v->fwmark))
		reader_error(r, at, "virtual_servers \"%s\": persistence_mask is of another family than "
			"listen", v->name);
}

/*
 * Elsewhere a weight is no share: rr, lc and dh do not look at it, of fo only the order counts, of
 * ovf it is a number of connections, and sh and mh would move clients to other servers each time.
 */
static bool
has_shares(const char *scheduler)
{
	static const char *const names[] = {"wlc", "wrr", "sed", "nq", "lblc", "lblcr", "twos"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(scheduler, names[i]) == 0)
			return true;
	return false;
}

/* What is compared must have been asked in the same way. */
static void
check_measured(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	const config_setting_t *at = place(r->virtual_at[row], "weighting");
	const struct config *c = r->out;

	if (!has_shares(v->scheduler) && v->scheduler[0] != '\0')
		reader_error(r, at, "virtual_servers \"%s\": weighting latency needs a scheduler to "
			"which weights are shares (wlc, wrr, sed, nq, lblc, lblcr, twos), not %s",
			v->name, v->scheduler);
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		uint8_t type = c->probes[c->reals[i].probe].type;

		if (type != CONF_PROBE_NONE && type == c->probes[c->reals[v->first_real].probe].type)
			continue;
		reader_error(r, at, "virtual_servers \"%s\": weighting latency needs probes, and of "
			"one type for all real servers; see \"%s\"", v->name, c->reals[i].name);
		return;
	}
}

/* What comes back is counted where it comes back through this node; of udp nothing need come back. */
static void
check_black_hole(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	const config_setting_t *at = place(r->virtual_at[row], "black_hole");
	bool nat = v->forwarding == CONF_FORWARD_NAT;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		nat = nat && r->out->reals[i].forwarding == CONF_FORWARD_NAT;
	if (!nat)
		reader_error(r, at, "virtual_servers \"%s\": black_hole needs forwarding nat for all real "
			"servers: with the others their answers do not come back through this node",
			v->name);
	if (v->fwmark != 0 || v->protocol == CONF_UDP)
		reader_error(r, at, "virtual_servers \"%s\": black_hole needs protocol tcp or sctp and "
			"listen: a datagram need not be answered", v->name);
	if (v->scheduler[0] != '\0' && !has_shares(v->scheduler))
		reader_error(r, at, "virtual_servers \"%s\": black_hole needs a scheduler to which weights "
			"are shares (wlc, wrr, sed, nq, lblc, lblcr, twos), not %s", v->name, v->scheduler);
}

static void
check_shares(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];

	if (v->black_hole)
		check_black_hole(r, row);
	if (v->weighting == CONF_WEIGHTING_LATENCY)
		check_measured(r, row);
	if (v->slow_start_s != 0 && v->scheduler[0] != '\0' && !has_shares(v->scheduler))
		reader_error(r, place(r->virtual_at[row], "slow_start_s"), "virtual_servers \"%s\": "
			"slow_start_s needs a scheduler to which weights are shares (wlc, wrr, sed, nq, "
			"lblc, lblcr, twos), not %s", v->name, v->scheduler);
}

static void
check_pool(struct reader *r, uint32_t row)
{
	const struct conf_virtual *v = &r->out->virtuals[row];
	struct seen names, addresses;

	seen_open(&names, LIMIT_NAME);
	seen_open(&addresses, sizeof(struct service_key));
	for (uint32_t i = 0; i < v->real_count; i++)
		check_real(r, v, v->first_real + i, &names, &addresses);
	if (v->has_sorry)
		check_sorry(r, row, &addresses);
	seen_close(&names);
	seen_close(&addresses);
	check_datagrams(r, row);
	check_mask(r, row);
	check_shares(r, row);
	if (v->real_count != 0 && v->min_healthy > v->real_count)
		reader_error(r, place(r->virtual_at[row], "min_healthy"),
			"virtual_servers \"%s\": min_healthy is %u, but it has only %u real "
			"servers",
			v->name, v->min_healthy, v->real_count);
}

void
check_pools(struct reader *r, const struct seen *router_names, const struct seen *addresses)
{
	check_services(r);
	for (uint32_t i = 0; i < r->out->virtual_count; i++) {
		resolve_router(r, i, router_names, addresses);
		check_pool(r, i);
	}
}
