/* A plan as JSON: names and types are a contract (docs/tandemctl.8). See pool_preview.h. */
#include "proc/pool_preview.h"

#include "conf/pack.h"

#include <stdlib.h>
#include <string.h>

static void
put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

/* --- operations ----------------------------------------------------------------------------- */

/* Whose service it is; found once for all operations of the service, which stand together. */
struct place {
	const struct config *config;
	const struct conf_virtual *virtual;
	struct vs_key key;
	bool known;
};

static const struct conf_virtual *
find_virtual(const struct config *c, const struct vs_key *key)
{
	for (uint32_t i = 0; i < c->virtual_count; i++) {
		uint32_t services = virtual_services(c, &c->virtuals[i]);

		for (uint32_t k = 0; k < services; k++) {
			struct vs_key its = virtual_key(c, &c->virtuals[i], k);

			if (vs_key_equal(&its, key))
				return &c->virtuals[i];
		}
	}
	return NULL;
}

/* What is to come first; what goes is in the one in force only. */
static void
find_place(struct place *at, const struct pool *p, const struct config *fresh,
	const struct vs_key *key)
{
	if (at->known && vs_key_equal(&at->key, key))
		return;
	*at = (struct place){.config = fresh, .virtual = find_virtual(fresh, key), .key = *key,
		.known = true};
	if (!at->virtual) {
		at->config = &p->config;
		at->virtual = find_virtual(&p->config, key);
	}
}

static const char *
name_among(const struct config *c, const struct conf_virtual *v, const struct vs_key *key,
	const struct endpoint *address)
{
	for (uint32_t i = 0; v && i < v->real_count; i++) {
		struct endpoint its = c->reals[v->first_real + i].address;

		if (its.port == 0)
			its.port = key->listen.port;
		if (endpoint_equal(&its, address))
			return c->reals[v->first_real + i].name;
	}
	return NULL;
}

/* A server that goes has its name in the configuration in force. */
static json_t *
real_name(const struct pool *p, const struct place *at, const struct endpoint *address)
{
	const char *name = name_among(at->config, at->virtual, &at->key, address);

	if (!name && at->config != &p->config)
		name = name_among(&p->config, find_virtual(&p->config, &at->key), &at->key, address);
	return name ? text_json(name) : json_null();
}

static bool
is_of_real(enum plan_kind kind)
{
	return kind == PLAN_ADD_REAL || kind == PLAN_SET_REAL || kind == PLAN_DEL_REAL;
}

static void
put_real(json_t *o, const struct pool *p, const struct place *at, const struct preview_op *op)
{
	const struct vs_real *r = &op->op.real;
	char text[ENDPOINT_TEXT];

	put(o, "server", json_string(endpoint_format(&r->address, text)));
	put(o, "name", real_name(p, at, &r->address));
	put(o, "weight_from", op->op.kind == PLAN_ADD_REAL ? json_null()
		: json_integer(op->weight_from));
	put(o, "weight", op->op.kind == PLAN_DEL_REAL ? json_null() : json_integer(r->weight));
}

static json_t *
op_json(const struct pool *p, const struct place *at, const struct preview_op *op)
{
	const struct vs_key *key = &op->op.service.key;
	json_t *o = json_object();
	char text[ENDPOINT_TEXT];

	put(o, "operation", json_string(plan_kind_name(op->op.kind)));
	put(o, "virtual", at->virtual ? text_json(at->virtual->name) : json_null());
	if (key->fwmark != 0) {
		put(o, "service", json_sprintf("fwmark %u", key->fwmark));
		put(o, "protocol", json_null());
	} else {
		put(o, "service", json_string(endpoint_format(&key->listen, text)));
		put(o, "protocol", json_string(conf_protocol_name(key->protocol)));
	}
	put(o, "scheduler", json_string(op->op.service.scheduler));
	if (is_of_real(op->op.kind))
		put_real(o, p, at, op);
	put(o, "connections", json_integer(op->op.connections));
	return o;
}

static json_t *
ops_json(const struct pool *p, const struct preview *v)
{
	struct place at = {.known = false};
	json_t *list = json_array();

	for (size_t i = 0; i < v->count; i++) {
		find_place(&at, p, &v->config, &v->ops[i].op.service.key);
		json_array_append_new(list, op_json(p, &at, &v->ops[i]));
	}
	return list;
}

/* How many there are of each kind. */
static json_t *
sums_json(const struct preview *v)
{
	json_int_t sums[PLAN_DEL_REAL + 1] = {0};
	json_t *o = json_object();

	for (size_t i = 0; i < v->count; i++)
		sums[v->ops[i].op.kind]++;
	for (int i = 0; i <= PLAN_DEL_REAL; i++)
		put(o, plan_kind_name((enum plan_kind)i), json_integer(sums[i]));
	return o;
}

/* --- routers -------------------------------------------------------------------------------- */

static int
compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct conf_address));
}

/* Addresses and blocks of a router in one sorted list: a block is told as its prefix and interface. */
static struct conf_address *
claims_of(const struct config *c, const struct conf_router *r, size_t *count)
{
	size_t n = 0, all = r ? r->address_count + r->block_count : 0;
	struct conf_address *list = calloc(all + 1, sizeof(*list));

	for (uint32_t i = 0; list && r && i < r->address_count; i++)
		memcpy(&list[n++], &c->addresses[r->first_address + i], sizeof(*list));
	for (uint32_t i = 0; list && r && i < r->block_count; i++, n++) {
		list[n].prefix = c->blocks[r->first_block + i].prefix;
		memcpy(list[n].interface, c->blocks[r->first_block + i].interface,
			sizeof(list[n].interface));
	}
	if (list)
		qsort(list, n, sizeof(*list), compare_addresses);
	*count = n;
	return list;
}

static void
append_claim(json_t *list, const struct conf_address *a)
{
	char text[ADDR_TEXT];

	json_array_append_new(list, json_sprintf("%s dev %s", ip_prefix_format(&a->prefix, text),
		a->interface));
}

/* What the one has and the other does not, and the other way round. */
static void
put_claims(json_t *o, const struct config *before, const struct conf_router *was,
	const struct config *now, const struct conf_router *is)
{
	size_t n, m, i = 0, k = 0;
	struct conf_address *old = claims_of(before, was, &n), *fresh = claims_of(now, is, &m);
	json_t *added = json_array(), *removed = json_array();

	while (old && fresh && (i < n || k < m)) {
		int order = i == n ? 1 : k == m ? -1 : compare_addresses(&old[i], &fresh[k]);

		if (order < 0)
			append_claim(removed, &old[i]);
		else if (order > 0)
			append_claim(added, &fresh[k]);
		i += order <= 0;
		k += order >= 0;
	}
	put(o, "added", added);
	put(o, "removed", removed);
	free(old);
	free(fresh);
}

static bool
same_tracks(const struct config *before, const struct conf_router *was, const struct config *now,
	const struct conf_router *is)
{
	if (was->track_count != is->track_count)
		return false;
	for (uint32_t i = 0; i < is->track_count; i++) {
		uint32_t old = config_track_before(now, is->name, is->first_track + i, before);

		if (old == CONF_NO_INDEX ||
			before->tracks[old].weight != now->tracks[is->first_track + i].weight)
			return false;
	}
	return true;
}

/* Everything but the rows that it refers to. */
static bool
same_settings(const struct conf_router *was, const struct conf_router *is)
{
	struct conf_router a, b;

	memcpy(&a, was, sizeof(a));
	memcpy(&b, is, sizeof(b));
	a.first_address = a.first_block = a.first_track = 0;
	b.first_address = b.first_block = b.first_track = 0;
	a.address_count = a.block_count = a.track_count = 0;
	b.address_count = b.block_count = b.track_count = 0;
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Appends the router, if anything of it changes. */
static void
append_router(json_t *list, const struct config *before, const struct conf_router *was,
	const struct config *now, const struct conf_router *is)
{
	bool same = was && is && same_settings(was, is) && same_tracks(before, was, now, is);
	json_t *o = json_object();

	put(o, "name", text_json(is ? is->name : was->name));
	put(o, "change", json_string(!was ? "add" : !is ? "remove" : "change"));
	put(o, "settings", json_boolean(!same));
	put_claims(o, before, was, now, is);
	if (!same || json_array_size(json_object_get(o, "added")) != 0 ||
		json_array_size(json_object_get(o, "removed")) != 0)
		json_array_append(list, o);
	json_decref(o);
}

static json_t *
routers_json(const struct config *before, const struct config *now)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < now->router_count; i++) {
		uint32_t was = config_find_router(before, now->routers[i].name);

		append_router(list, before, was == CONF_NO_INDEX ? NULL : &before->routers[was], now,
			&now->routers[i]);
	}
	for (uint32_t i = 0; i < before->router_count; i++)
		if (config_find_router(now, before->routers[i].name) == CONF_NO_INDEX)
			append_router(list, before, &before->routers[i], now, NULL);
	return list;
}

json_t *
preview_json(const struct pool *p, const struct preview *v)
{
	json_t *o = json_object();

	put(o, "file", text_json(v->file));
	put(o, "config_file", p->child->config_path ? text_json(p->child->config_path) : json_null());
	put(o, "plan", json_sprintf("%08x", v->fingerprint));
	put(o, "configuration_changed",
		json_boolean(!config_equal_without_keys(&p->base, &v->config)));
	put(o, "connections", json_integer((json_int_t)v->connections));
	put(o, "sums", sums_json(v));
	put(o, "operations", ops_json(p, v));
	put(o, "routers", routers_json(&p->base, &v->config));
	return o;
}
