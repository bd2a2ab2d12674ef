/*
 * Everything this node knows, as one JSON object: what `tandemctl status --json` prints. Names and
 * types are a contract (docs/tandemctl.8); moments are ages in milliseconds, because there is no
 * common clock to tell them in.
 */
#include "proc/pool_process.h"

#include "conf/host.h"
#include "conf/keys.h"
#include "conf/listen.h"
#include "control/server.h"
#include "core/survival.h"
#include "core/virtual_mac.h"
#include "linux/lasting_clock.h"

#include <jansson.h>
#include <string.h>

/* Names come from a file in any encoding; JSON is UTF-8. */
json_t *
text_json(const char *text)
{
	json_t *s = json_string(text);
	char plain[LIMIT_LOG_LINE];
	size_t n = 0;

	if (s)
		return s;
	for (; text[n] != '\0' && n < sizeof(plain) - 1; n++)
		plain[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
	return json_stringn(plain, n);
}

/* Milliseconds since `then`; null when that never was. */
static json_t *
age_json(mono then, mono now)
{
	return mono_is_never(then) ? json_null()
				   : json_integer((json_int_t)(mono_diff_ns(now, then) / NS_PER_MS));
}

/* Milliseconds with their fraction; null when negative (did not happen). */
static json_t *
duration_json(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)(ns / NS_PER_US) / 1000.);
}

/* Address and port, or the address alone where the port is the client's; a name while it has none. */
static json_t *
server_json(const struct config *c, const struct endpoint *e, uint32_t host)
{
	char text[SERVER_TEXT];

	return json_string(server_format(c, e, e->addr.family != IP_NONE ? 0 : host, text));
}

/* A name that stands where an address could; null: there is none. */
static json_t *
host_json(const struct conf_host *host)
{
	return host ? json_string(host->name) : json_null();
}

static void
put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void
put_int(json_t *object, const char *key, uint64_t value)
{
	put(object, key, json_integer((json_int_t)value));
}

static json_t *
addresses_json(const struct config *c, const struct conf_router *router)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < router->address_count; i++)
		json_array_append_new(list, json_string(ip_prefix_format(
			&c->addresses[router->first_address + i].prefix, text)));
	return list;
}

static json_t *
blocks_json(const struct config *c, const struct conf_router *router)
{
	json_t *list = json_array();
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < router->block_count; i++)
		json_array_append_new(list, json_string(ip_prefix_format(
			&c->blocks[router->first_block + i].prefix, text)));
	return list;
}

/* What the election last said; before its first word, what a router is born with. */
static void
put_facts(json_t *o, const struct pool *p, const struct pool_router *r, mono now)
{
	const struct ipc_router *f = &r->facts;
	char text[ADDR_TEXT];

	put(o, "role", json_string(el_role_name(r->known ? (enum el_role)f->role : EL_INIT)));
	put(o, "reason", json_string(reason_tag(r->known ? (enum reason)f->reason : REASON_STARTED)));
	put(o, "since_ms", age_json(r->known ? (mono){f->since_ns} : p->started, now));
	put(o, "hold", json_boolean(f->hold));
	put(o, "claimed", json_boolean(f->claimed));
	put(o, "fence", json_string(f->fenced ? "egress" : "lease"));
	put(o, "lease_ms", r->known && f->claimed && f->lease_ns != INT64_MAX
		? json_integer((json_int_t)((f->lease_ns - now.ns) / NS_PER_MS)) : json_null());
	put(o, "peer_active", json_boolean(f->peer_active));
	put(o, "peer_address", f->peer.family == IP_NONE ? json_null()
		: json_string(ip_addr_format(&f->peer, text)));
	put(o, "peer_priority", f->peer.family == IP_NONE ? json_null()
		: json_integer(f->peer_priority));
	put(o, "catching_up_ms", r->known && f->behind
		? json_integer((json_int_t)((f->behind_ns - now.ns) / NS_PER_MS)) : json_null());
	put(o, "peer_catching_up", json_boolean(r->known && f->peer_behind));
	put_int(o, "adverts_sent", f->adverts_sent);
	put_int(o, "adverts_received", f->adverts_received);
}

/* What counts in the election, of each thing that the router tracks. */
static json_t *
track_json(const struct pool *p, uint32_t row, mono now)
{
	const struct conf_track *c = &p->config.tracks[row];
	const struct ipc_track_state *t = &p->tracks[row];
	json_t *o = json_object();

	put(o, "name", text_json(c->name));
	put(o, "kind", json_string(conf_track_kind_name((enum conf_track_kind)c->kind)));
	put(o, "up", t->known ? json_boolean(t->track.up) : json_null());
	put(o, "reason", json_string(reason_tag(t->known ? (enum reason)t->track.reason
		: p->targets[p->config.real_count + row].reason)));
	put(o, "detail", text_json(t->known ? t->track.detail : ""));
	put(o, "address", c->kind == CONF_TRACK_PROBE
		? server_json(&p->config, &c->target, c->host) : json_null());
	put(o, "host", host_json(conf_host(&p->config, c->host)));
	put(o, "weight", json_integer(c->weight));
	put(o, "since_ms", t->known ? age_json((mono){t->since_ns}, now) : json_null());
	return o;
}

static json_t *
tracks_json(const struct pool *p, const struct conf_router *router, mono now)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < router->track_count; i++)
		json_array_append_new(list, track_json(p, router->first_track + i, now));
	return list;
}

/* What the addresses' neighbours see: of the family that the router advertises. */
static void
put_virtual_mac(json_t *o, const struct config *c, const struct conf_router *r)
{
	enum ip_family family = IP_V6;
	char name[LIMIT_IFNAME], text[MAC_TEXT];
	uint8_t mac[6];

	for (uint32_t i = 0; i < r->address_count; i++)
		if (c->addresses[r->first_address + i].prefix.addr.family == IP_V4)
			family = IP_V4;
	virtual_mac(family, r->vrid, mac);
	virtual_mac_device(family, r->vrid, r->interface, name);
	put(o, "virtual_mac", r->virtual_mac ? json_string(virtual_mac_format(mac, text)) : json_null());
	put(o, "device", text_json(r->virtual_mac ? name : r->interface));
}

static json_t *
router_json(const struct pool *p, uint32_t row, mono now)
{
	const struct conf_router *c = &p->config.routers[row];
	const struct pool_router *r = &p->routers[row];
	json_t *o = json_object();

	put(o, "name", text_json(c->name));
	put_int(o, "vrid", c->vrid);
	put(o, "interface", text_json(c->interface));
	put_virtual_mac(o, &p->config, c);
	put(o, "group", c->group[0] == '\0' ? json_null() : text_json(c->group));
	put_facts(o, p, r, now);
	put_int(o, "priority", r->known ? r->facts.priority : c->priority[p->child->node]);
	put(o, "addresses", addresses_json(&p->config, c));
	put(o, "blocks", blocks_json(&p->config, c));
	put(o, "standby", json_string(c->standby == CONF_STANDBY_HOT ? "hot" : "cold"));
	put(o, "track", tracks_json(p, c, now));
	return o;
}

static bool
any_active(const struct pool *p)
{
	for (uint32_t i = 0; i < p->config.router_count; i++)
		if (p->routers[i].known && p->routers[i].facts.role == EL_ACTIVE)
			return true;
	return false;
}

/*
 * "up": heard. "lost": it should be heard and is not. "unknown": a plain VRRP standby is silent
 * while we are active, so nothing can be said (the nodes of a keyed pair both speak). "none": this
 * node has no partner.
 */
static const char *
peer_state(const struct pool *p)
{
	if (p->config.node_count < 2)
		return "none";
	if (!p->peer_known)
		return "unknown";
	if (p->peer.heard)
		return "up";
	return any_active(p) && !p->peer.keyed ? "unknown" : "lost";
}

/* "up": both hear each other there, as far as can be known. */
static json_t *
path_json(const struct ipc_path *path, mono now)
{
	json_t *o = json_object();

	put(o, "name", text_json(path->name));
	put(o, "kind", json_string(path->link ? "link" : "service"));
	put(o, "up", json_boolean(path->in && path->out != 0));
	put(o, "in", json_boolean(path->in));
	put(o, "out", path->out < 0 ? json_null() : json_boolean(path->out));
	put(o, "carrier", json_boolean(path->carrier));
	put(o, "last_heard_ms", age_json((mono){path->heard_ns}, now));
	return o;
}

static json_t *
peer_json(const struct pool *p, mono now)
{
	mono never = MONO_NEVER;
	json_t *o = json_object(), *links = json_array();
	char text[ADDR_TEXT];

	put(o, "state", json_string(peer_state(p)));
	put(o, "last_heard_ms", age_json(p->peer_known ? (mono){p->peer.last_heard_ns} : never, now));
	if (p->config.node_count < 2) {
		put(o, "name", json_null());
		put(o, "address", json_null());
	} else {
		const struct conf_node *n = &p->config.nodes[1 - p->child->node];

		put(o, "name", text_json(n->name));
		put(o, "address", json_string(ip_addr_format(&n->address, text)));
	}
	for (uint32_t i = 0; p->peer_known && i < p->peer.path_count && i < IPC_PATHS; i++)
		json_array_append_new(links, path_json(&p->peer.paths[i], now));
	put(o, "keyed", json_boolean(p->peer_known && p->peer.keyed));
	put(o, "same_configuration", p->peer_known && p->peer.keyed && p->peer.heard
		? json_boolean(!p->peer.digest_differs) : json_null());
	put(o, "links", links);
	return o;
}

static void
put_probe(json_t *o, const struct pool *p, uint32_t row, mono now)
{
	const struct pool_target *t = &p->targets[row];
	const struct conf_probe *way = target_way(&p->config, row);
	char text[ADDR_TEXT];

	put(o, "probed", json_boolean(t->probed));
	put(o, "probe_address", way && way->address.family != IP_NONE
		? json_string(ip_addr_format(&way->address, text)) : json_null());
	put(o, "probe_host", host_json(way ? conf_host(&p->config, way->address_host) : NULL));
	put(o, "last_result_ms", age_json(t->last_result, now));
	put(o, "detail", json_integer(t->detail));
	put(o, "evidence", text_json(t->evidence));
	put(o, "connect_ms", duration_json(t->connect_ns));
	put(o, "first_byte_ms", duration_json(t->answer_ns));
	put(o, "certificate_expires_s", t->expires_s == INT64_MAX ? json_null()
		: json_integer(t->expires_s));
	put_int(o, "probes", t->probes);
	put_int(o, "failures", t->failures);
	put_int(o, "falls", flaps_count(p, row));
	put(o, "held_ms", flaps_left_ns(p, row) < 0 ? json_null()
		: json_integer((json_int_t)(flaps_left_ns(p, row) / NS_PER_MS)));
}

/* All that its agent said, and how asking it went; null: it has none. */
static json_t *
agent_json(const struct pool *p, uint32_t row, mono now)
{
	static const char *const healths[] = {NULL, "up", "down"};
	static const char *const admins[] = {NULL, "ready", "drain", "maint"};
	static const char *const effects[] = {"none", "drained", "out"};
	const struct agent_state *said = agent_of(p, row);
	const struct pool_target *t = &p->targets[row];
	json_t *o, *notes;

	if (!said)
		return json_null();
	if (said != &t->agent)
		t = &p->targets[agent_target(&p->config, row)];
	o = json_object();
	notes = json_array();
	put(o, "reached", t->said == HEALTH_UNKNOWN ? json_null() : json_boolean(t->said == HEALTH_UP));
	put(o, "reason", json_string(reason_tag(t->reason)));
	put(o, "last_result_ms", age_json(t->last_result, now));
	put(o, "said", text_json(t->evidence));
	put(o, "host", host_json(conf_host(&p->config, p->config.probes[p->config.reals[row].agent]
		.address_host)));
	put(o, "state", said->health ? json_string(healths[said->health]) : json_null());
	put(o, "admin", said->admin ? json_string(admins[said->admin]) : json_null());
	put(o, "weight_percent", said->has_percent ? json_integer(said->percent) : json_null());
	put(o, "effect", json_string(effects[agent_effect(said)]));
	if (said->notes & AGENT_NOTE_MAXCONN)
		json_array_append_new(notes, json_string("maxconn is ignored"));
	if (said->notes & AGENT_NOTE_UNKNOWN)
		json_array_append_new(notes, json_string("a word is unknown"));
	put(o, "notes", notes);
	return o;
}

/* Each probe of a group of them; null: there is no group. */
static json_t *
members_json(const struct pool *p, uint32_t row, mono now)
{
	uint32_t count = group_members(&p->config, row);
	json_t *list = count != 0 ? json_array() : json_null();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t target = member_target(&p->config, row, i);
		const struct pool_target *t = &p->targets[target];
		json_t *o = json_object();

		put(o, "type", json_string(words_probe_type[target_way(&p->config, target)->type -
			CONF_PROBE_ICMP]));
		put(o, "health", json_string(health_name(t->said)));
		put(o, "reason", json_string(reason_tag(t->reason)));
		put_probe(o, p, target, now);
		json_array_append_new(list, o);
	}
	return list;
}

/* What the operator's clock shows then: it may be set at any time, so that nothing else is made of it. */
static json_t *
wall_json(mono at)
{
	struct lasting_clock clock = lasting_clock_now();

	return json_integer((json_int_t)lasting_wall_s(at, &clock));
}

/* What an operator changed; null: nothing. */
static json_t *
override_json(const struct override *r)
{
	json_t *o;

	if (!r)
		return json_null();
	o = json_object();
	put(o, "state", json_string(overlay_admin_name(r->admin)));
	put(o, "weight", r->weight >= 0 ? json_integer(r->weight) : json_null());
	put(o, "added", json_boolean(r->added));
	put(o, "until_s", mono_is_never(r->until) ? json_null() : wall_json(r->until));
	return o;
}

static json_t *
drain_json(const struct pool *p, const struct override *r, const struct pool_target *t,
	const struct vs_real *k, mono now)
{
	int64_t eta_ns = drain_eta_ns(&t->drain);
	json_t *o;

	if (!r || r->admin != POOL_DRAINED)
		return json_null();
	o = json_object();
	put(o, "since_ms", age_json(t->drain.since, now));
	put_int(o, "connections", k ? k->active_connections + k->inactive_connections : 0);
	put_int(o, "begun_with", t->drain.begun_with);
	put(o, "eta_ms", eta_ns < 0 ? json_null() : json_integer((json_int_t)(eta_ns / NS_PER_MS)));
	put(o, "deadline_s", r->drain_s != 0
		? wall_json(mono_add_ns(r->since, r->drain_s * NS_PER_S)) : json_null());
	drains_clients_json(clients_of(p, r->virtual, r->real), now, o);
	return o;
}

static enum reason
sorry_reason(const struct pool *p, uint32_t row)
{
	uint32_t target = sorry_target(&p->config, row);

	return target_is_taken(p, target) ? REASON_ADDRESS_TAKEN : p->targets[target].reason;
}

/* The agent's word before the probe's, where it is what takes the server out. */
static enum reason
reason_of(const struct pool *p, uint32_t row)
{
	switch (agents_effect(p, row)) {
	case AGENT_OUT: return REASON_AGENT_DOWN;
	case AGENT_DRAINED: return REASON_AGENT_DRAIN;
	case AGENT_NONE: break;
	}
	if (p->targets[row].held)
		return REASON_HELD;
	if (target_is_taken(p, row))
		return REASON_ADDRESS_TAKEN;
	return p->targets[row].hole.is ? REASON_BLACK_HOLE : p->targets[row].reason;
}

static json_t *
real_json(const struct pool *p, uint32_t virtual_row, uint32_t row, mono now)
{
	const struct conf_real *c = &p->config.reals[row];
	const struct pool_target *t = &p->targets[row];
	const struct override *r = overlay_find(&p->overlay, p->config.virtuals[virtual_row].name,
		c->name);
	struct vs_real sum, *k = p->ipvs && table_sum_real(p, virtual_row, row, &sum) ? &sum : NULL;
	json_t *o = json_object();

	put(o, "name", text_json(c->name));
	put(o, "address", server_json(&p->config, &c->address, c->host));
	put(o, "host", host_json(conf_real_host(&p->config, c)));
	put(o, "health", json_string(operate_health(p, virtual_row, row)));
	put(o, "reason", json_string(reason_tag(r && r->admin != POOL_ENABLED ? REASON_OPERATOR
		: reason_of(p, row))));
	put(o, "since_ms", age_json(t->since, now));
	put_int(o, "weight", r && r->weight >= 0 ? (uint32_t)r->weight : c->weight);
	put(o, "told_weight", t->weighs ? json_integer(t->told_weight) : json_null());
	put_int(o, "effective_weight", k ? k->weight : 0);
	put_int(o, "weight_percent", t->percent);
	put(o, "in_kernel", json_boolean(k != NULL));
	put_int(o, "active_connections", k ? k->active_connections : 0);
	put_int(o, "inactive_connections", k ? k->inactive_connections : 0);
	put_int(o, "persistent_connections", k ? k->persistent_connections : 0);
	put_int(o, "connections", k ? k->connections : 0);
	put_int(o, "in_packets", k ? k->in_packets : 0);
	put_int(o, "out_packets", k ? k->out_packets : 0);
	put_int(o, "in_bytes", k ? k->in_bytes : 0);
	put_int(o, "out_bytes", k ? k->out_bytes : 0);
	put(o, "forwarding", json_string(conf_forwarding_name(c->forwarding)));
	put(o, "override", override_json(r));
	put(o, "drain", drain_json(p, r, t, k, now));
	put(o, "agent", agent_json(p, row, now));
	put(o, "member", t->member == 0 ? json_null() : json_integer(t->member));
	put(o, "members", members_json(p, row, now));
	put_probe(o, p, row, now);
	return o;
}

/* Servers of the configuration that an operator removed. */
static json_t *
removed_json(const struct pool *p, uint32_t virtual_row)
{
	json_t *list = json_array();
	const struct conf_virtual *v;

	if (p->overlay.count == 0 || virtual_row >= p->base.virtual_count)
		return list;
	v = &p->base.virtuals[virtual_row];
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		const struct override *r = overlay_find(&p->overlay, v->name, p->base.reals[i].name);

		if (r && r->removed && !r->added)
			json_array_append_new(list, text_json(r->real));
	}
	return list;
}

/* "10.77.0.100:80", and ", " between several; "fwmark 7". */
static json_t *
listen_json(const struct config *c, const struct conf_virtual *v)
{
	char text[LIMIT_LOG_LINE] = "", one[LISTEN_TEXT];
	size_t n = 0;

	if (v->fwmark != 0)
		return json_sprintf("fwmark %u", v->fwmark);
	for (uint32_t i = 0; i < v->listen_count && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : "",
			listen_format(&c->listens[v->first_listen + i], one));
	return json_string(text);
}

/* Are all its services there? */
static bool
in_kernel(const struct pool *p, const struct conf_virtual *v)
{
	uint32_t services = virtual_services(&p->config, v);

	for (uint32_t i = 0; i < services; i++) {
		struct vs_key key = virtual_key(&p->config, v, i);

		if (!p->ipvs || !vs_table_find(&p->actual, &key))
			return false;
	}
	return true;
}

static json_t *
virtual_json(const struct pool *p, uint32_t row, mono now)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	json_t *o = json_object(), *reals = json_array();
	struct survival survival = survival_of(p, row);

	put(o, "name", text_json(v->name));
	put(o, "router", text_json(p->config.routers[v->router].name));
	put(o, "listen", listen_json(&p->config, v));
	put_int(o, "services", virtual_services(&p->config, v));
	put(o, "protocol", json_string(conf_protocol_name(v->protocol)));
	put(o, "scheduler", text_json(v->scheduler));
	put(o, "forwarding", json_string(conf_forwarding_name(v->forwarding)));
	put_int(o, "healthy", virtual_healthy(p, row));
	put_int(o, "held", correlated_held(p, row));
	put_int(o, "total", v->real_count);
	put(o, "served", json_boolean(virtual_is_served(p, row)));
	put(o, "programmed", json_boolean(p->programmed && virtual_is_served(p, row) &&
		in_kernel(p, v)));
	put(o, "mode", virtual_is_served(p, row)
		? json_string(pool_mode_name(p->virtuals[row].told)) : json_null());
	put(o, "mode_since_ms", age_json(p->virtuals[row].since, now));
	put(o, "sorry_health", v->has_sorry ? json_string(health_name(
		p->targets[sorry_target(&p->config, row)].verdict)) : json_null());
	put(o, "sorry_reason", v->has_sorry ? json_string(reason_tag(sorry_reason(p, row)))
		: json_null());
	put(o, "survival", json_string(survival_name(survival.mode)));
	put(o, "survival_reason", json_string(reason_tag(survival.why)));
	put(o, "sorry_server", v->has_sorry ? server_json(&p->config, &v->sorry, v->sorry_host)
		: json_null());
	put(o, "sorry_host", host_json(conf_host(&p->config, v->sorry_host)));
	for (uint32_t i = 0; i < v->real_count; i++)
		json_array_append_new(reals, real_json(p, row, v->first_real + i, now));
	put(o, "real_servers", reals);
	put(o, "removed", removed_json(p, row));
	return o;
}

static json_t *
election_json(const struct pool *p)
{
	json_t *o = json_object(), *refused = json_object();

	for (int i = 0; i < REASON_COUNT; i++)
		if (p->stats.refused[i] != 0)
			put_int(refused, reason_tag((enum reason)i), p->stats.refused[i]);
	put(o, "running", json_boolean(p->election_fd != -1));
	put(o, "refused", refused);
	put(o, "lateness_max_ms", duration_json(p->stats.lateness_max_ns));
	put(o, "lateness_last_ms", duration_json(p->stats.lateness_last_ns));
	return o;
}

static void
add_process(json_t *list, const struct pool *p, const char *name, uint32_t index,
	unsigned slot, mono now)
{
	int64_t alive_ns = atomic_load(&p->child->handover->alive_ns[slot]);
	json_t *o = json_object();

	put(o, "name", json_string(name));
	put_int(o, "index", index);
	put(o, "alive_ms", age_json(alive_ns == 0 ? MONO_NEVER : (mono){alive_ns}, now));
	json_array_append_new(list, o);
}

static json_t *
processes_json(const struct pool *p, mono now)
{
	json_t *list = json_array();

	add_process(list, p, "election", 0, handover_slot(PROCESS_ELECTION, 0), now);
	add_process(list, p, "pool", 0, handover_slot(PROCESS_POOL, 0), now);
	add_process(list, p, "resolver", 0, handover_slot(PROCESS_RESOLVER, 0), now);
	for (uint32_t i = 0; i < p->prober_count; i++)
		add_process(list, p, "prober", i, handover_slot(PROCESS_PROBER, i), now);
	return list;
}

static json_t *
probers_json(const struct pool *p)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < p->prober_count; i++) {
		const struct ipc_prober_stats *s = &p->probers[i].stats;
		json_t *o = json_object();

		put(o, "pid", s->pid != 0 ? json_integer(s->pid) : json_null());
		put_int(o, "targets", s->targets);
		put_int(o, "running", s->running);
		put_int(o, "started", s->started);
		put(o, "lateness_p99_ms", duration_json(s->lateness_p99_ns));
		put(o, "lateness_max_ms", duration_json(s->lateness_max_ns));
		put(o, "stall_ms", duration_json(s->stall_ns));
		put_int(o, "voided", s->voided);
		put_int(o, "local_errors", s->local_errors);
		put_int(o, "queued", s->queued);
		put_int(o, "sockets", s->sockets);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
programs_json(const struct pool *p)
{
	const struct ipc_exec_stats *s = &p->exec_stats;
	json_t *o = json_object();

	put_int(o, "targets", s->targets);
	put_int(o, "running", s->running);
	put_int(o, "waiting", s->waiting);
	put_int(o, "started", s->started);
	put(o, "lateness_p99_ms", duration_json(s->lateness_p99_ns));
	put(o, "lateness_max_ms", duration_json(s->lateness_max_ns));
	put_int(o, "voided", s->voided);
	put_int(o, "local_errors", s->local_errors);
	put_int(o, "queued", s->queued);
	return o;
}

static json_t *
sync_json(const struct pool *p)
{
	json_t *o = json_object();

	if (!p->sync_set) {
		json_decref(o);
		return json_null();
	}
	put(o, "interface", text_json(p->sync.interface));
	put_int(o, "master_id", p->sync.master_id);
	put_int(o, "backup_id", p->sync.backup_id);
	return o;
}

/* Settings of the kernel that are made here, and which of them it refused. */
static json_t *
sysctls_json(const struct pool *p)
{
	json_t *list = json_array();

	for (int i = 0; i < POOL_SYSCTLS; i++) {
		const struct pool_sysctl *s = &p->sysctls[i];
		json_t *o;

		if (s->wanted[0] == '\0')
			continue;
		o = json_object();
		put(o, "name", json_string(sysctl_name((enum pool_sysctl_row)i)));
		put(o, "value", json_string(s->wanted));
		put(o, "before", s->kept ? json_string(s->before) : json_null());
		put(o, "refused", s->error != 0 ? json_string(strerror(-s->error)) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
control_json(const struct pool *p)
{
	struct control_stats s = control_stats(p);
	json_t *o = json_object();

	put_int(o, "clients", s.clients);
	put_int(o, "requests", s.requests);
	put_int(o, "garbage", s.garbage);
	put_int(o, "dropped", s.dropped);
	return o;
}

/* How the probing itself goes. */
static json_t *
probing_json(const struct pool *p)
{
	json_t *o = json_object();

	put_int(o, "local_errors", p->local_errors);
	put_int(o, "no_results", p->no_results);
	return o;
}

json_t *
status_json(struct pool *p)
{
	mono now = mono_now();
	json_t *o = json_object(), *routers = json_array(), *virtuals = json_array();

	table_refresh(p);
	put(o, "node", text_json(p->config.nodes[p->child->node].name));
	put(o, "cluster", text_json(p->config.cluster));
	put_int(o, "generation", p->generation);
	put(o, "config_file", p->child->config_path ? text_json(p->child->config_path) : json_null());
	for (uint32_t i = 0; i < p->config.router_count; i++)
		json_array_append_new(routers, router_json(p, i, now));
	put(o, "routers", routers);
	put(o, "peer", peer_json(p, now));
	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		json_array_append_new(virtuals, virtual_json(p, i, now));
	put(o, "virtual_servers", virtuals);
	put(o, "ip_vs", json_boolean(p->ipvs != NULL));
	put(o, "sync", sync_json(p));
	put(o, "sysctls", sysctls_json(p));
	put(o, "election", election_json(p));
	put(o, "processes", processes_json(p, now));
	put(o, "probers", probers_json(p));
	put(o, "programs", programs_json(p));
	put(o, "probing", probing_json(p));
	put(o, "control", control_json(p));
	put_int(o, "bad_messages", p->incoming.refused);
	put_int(o, "log_dropped", p->stats.log_dropped + p->child->log.dropped_total);
	return o;
}
