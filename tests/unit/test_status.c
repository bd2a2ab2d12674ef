/*
 * The JSON of `tandemctl status --json`, a contract: its keys, their types, and what they say
 * before anything is known, in the middle of it, and when names are no UTF-8.
 */
#include "control/server.h"
#include "conf/listen.h"
#include "linux/lasting_clock.h"
#include "proc/pool_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bed {
	struct pool pool;
	struct child child;
	struct handover handover;
	struct conf_node nodes[2];
	struct conf_router routers[2];
	struct conf_address addresses[3];
	struct conf_virtual virtuals[1];
	struct conf_real reals[2];
	struct conf_probe probes[1];
	struct pool_router facts[2];
	struct pool_target targets[5];
	struct pool_virtual modes[1];
	struct conf_listen listens[1];
	struct conf_track tracks[2];
	struct ipc_track_state tracked[2];
	struct conf_virtual base_virtuals[1];
	struct conf_real base_reals[3];
	struct override overrides[2];
};

static void
configure(struct bed *b)
{
	struct config *c = &b->pool.config;

	strcpy(c->cluster, "edge");
	strcpy(b->nodes[0].name, "lb1");
	strcpy(b->nodes[1].name, "lb2");
	ip_addr_parse("10.77.0.12", &b->nodes[1].address);
	b->routers[0] = (struct conf_router){.name = "web", .interface = "eth0", .vrid = 51,
		.priority = {150, 100}, .standby = CONF_STANDBY_HOT, .address_count = 2};
	b->routers[1] = (struct conf_router){.name = "spare", .interface = "eth1", .vrid = 52,
		.priority = {100, 150}, .standby = CONF_STANDBY_COLD, .first_address = 2,
		.address_count = 1};
	ip_prefix_parse("10.77.0.100/24", &b->addresses[0].prefix);
	ip_prefix_parse("10.88.0.1/24", &b->addresses[1].prefix);
	ip_prefix_parse("10.77.0.101/24", &b->addresses[2].prefix);
	b->virtuals[0] = (struct conf_virtual){.name = "http", .protocol = CONF_TCP,
		.forwarding = CONF_FORWARD_NAT, .scheduler = "wlc", .real_count = 2};
	listen_parse("10.77.0.100:80", &b->listens[0]);
	b->virtuals[0].listen_count = 1;
	c->listens = b->listens;
	c->listen_count = 1;
	b->reals[0] = (struct conf_real){.name = "web1", .weight = 5};
	b->reals[1] = (struct conf_real){.name = "web2", .weight = 3};
	endpoint_parse("10.88.0.21:8080", &b->reals[0].address);
	endpoint_parse("10.88.0.22:8080", &b->reals[1].address);
	c->nodes = b->nodes;
	c->node_count = 2;
	c->routers = b->routers;
	c->router_count = 2;
	c->addresses = b->addresses;
	c->address_count = 3;
	c->virtuals = b->virtuals;
	c->virtual_count = 1;
	c->reals = b->reals;
	c->real_count = 2;
	c->probes = b->probes;
	c->probe_count = 1;
	b->tracks[0] = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = "load",
		.weight = -60};
	b->tracks[1] = (struct conf_track){.kind = CONF_TRACK_GATEWAY, .name = "10.77.0.1"};
	b->routers[0].track_count = 2;
	c->tracks = b->tracks;
	c->track_count = 2;
	b->pool.tracks = b->tracked;
}

/* A pool that has its configuration and has heard nothing yet. */
static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	b->pool.child = &b->child;
	b->child.handover = &b->handover;
	b->pool.routers = b->facts;
	b->pool.targets = b->targets;
	b->pool.virtuals = b->modes;
	b->modes[0].since = mono_now();
	b->pool.election_fd = -1;
	b->pool.generation = 1;
	b->pool.started = mono_now();
	configure(b);
	for (size_t i = 0; i < 2; i++)
		b->targets[i] = (struct pool_target){.since = mono_now(),
			.last_result = MONO_NEVER, .connect_ns = -1, .answer_ns = -1};
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	free(*state);
	return 0;
}

static const char *
text_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "(no text)";
}

static json_int_t
number_at(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

static json_t *
row(const json_t *o, const char *list, size_t i)
{
	json_t *r = json_array_get(json_object_get(o, list), i);

	assert_non_null(r);
	return r;
}

/* Every promised name, with its type ('n': integer, '?': integer or null). */
static void
has_keys(const json_t *o, const char *const *keys)
{
	for (; *keys; keys++) {
		const json_t *v = json_object_get(o, *keys + 1);
		bool right = false;

		switch (**keys) {
		case 's': right = json_is_string(v); break;
		case 'n': right = json_is_integer(v); break;
		case '?': right = json_is_integer(v) || json_is_null(v); break;
		case 'b': right = json_is_boolean(v); break;
		case 'a': right = json_is_array(v); break;
		case 'o': right = json_is_object(v); break;
		case '0': right = json_is_null(v); break;
		}
		if (!right)
			fail_msg("key %s is missing or of another type", *keys + 1);
	}
}

static void
keeps_its_contract(void **state)
{
	static const char *const top[] = {"snode", "arouters", "opeer", "avirtual_servers", "asysctls",
		NULL};
	static const char *const router[] = {"sname", "nvrid", "srole", "sreason", "nsince_ms",
		"npriority", "aaddresses", "sstandby", "bhold", "sfence", "?lease_ms", "atrack",
		"?catching_up_ms", "bpeer_catching_up", NULL};
	static const char *const track[] = {"sname", "skind", "0up", "sreason", "sdetail",
		"nweight", "?since_ms", NULL};
	static const char *const peer[] = {"sname", "sstate", "?last_heard_ms", "alinks", NULL};
	static const char *const virtual[] = {"sname", "slisten", "sscheduler", "sforwarding",
		"nhealthy", "ntotal", "bprogrammed", "smode", "nmode_since_ms", "0sorry_health",
		"ssurvival", "ssurvival_reason", "areal_servers", "aremoved", NULL};
	static const char *const real[] = {"sname", "saddress", "shealth", "sreason", "nweight",
		"neffective_weight", "nactive_connections", "0override", NULL};
	struct bed *b = *state;
	json_t *s = status_json(&b->pool);

	has_keys(s, top);
	has_keys(row(s, "routers", 0), router);
	has_keys(row(row(s, "routers", 0), "track", 0), track);
	has_keys(json_object_get(s, "peer"), peer);
	has_keys(row(s, "virtual_servers", 0), virtual);
	has_keys(row(row(s, "virtual_servers", 0), "real_servers", 0), real);
	json_decref(s);
}

static void
says_what_is_known_at_birth(void **state)
{
	struct bed *b = *state;
	json_t *s = status_json(&b->pool), *r, *v;

	assert_string_equal(text_at(s, "node"), "lb1");
	r = row(s, "routers", 0);
	assert_string_equal(text_at(r, "role"), "init");
	assert_string_equal(text_at(r, "reason"), "started");
	assert_int_equal(number_at(r, "priority"), 150);
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "unknown");
	assert_true(json_is_null(json_object_get(json_object_get(s, "peer"), "last_heard_ms")));
	v = row(s, "virtual_servers", 0);
	assert_int_equal(number_at(v, "healthy"), 0);
	assert_false(json_is_true(json_object_get(v, "programmed")));
	assert_string_equal(text_at(row(v, "real_servers", 0), "health"), "unknown");
	assert_string_equal(text_at(row(v, "real_servers", 0), "reason"), "none");
	assert_false(json_is_true(json_object_get(json_object_get(s, "election"), "running")));
	json_decref(s);
}

static void
tells_the_elections_facts(void **state)
{
	struct bed *b = *state;
	mono now = mono_now();
	json_t *s, *r, *p;

	b->facts[0] = (struct pool_router){.known = true, .facts = {.priority = 140,
		.role = EL_ACTIVE, .reason = REASON_PEER_SILENT, .since_ns = now.ns - 90 * NS_PER_S,
		.claimed = true, .fenced = true, .lease_ns = now.ns + 2500 * NS_PER_MS,
		.hold = true}};
	b->pool.election_fd = 0;
	b->pool.stats.refused[REASON_BAD_CHECKSUM] = 3;
	s = status_json(&b->pool);
	r = row(s, "routers", 0);
	p = json_object_get(s, "election");
	assert_string_equal(text_at(r, "role"), "active");
	assert_string_equal(text_at(r, "reason"), "peer-silent");
	assert_in_range(number_at(r, "since_ms"), 90000, 91000);
	assert_in_range(number_at(r, "lease_ms"), 1500, 2500);
	assert_int_equal(number_at(r, "priority"), 140);
	assert_true(json_is_true(json_object_get(r, "hold")));
	assert_int_equal(json_array_size(json_object_get(r, "addresses")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(r, "addresses"), 1)),
		"10.88.0.1/24");
	assert_string_equal(text_at(r, "fence"), "egress");
	assert_string_equal(text_at(row(s, "routers", 1), "fence"), "lease");
	assert_string_equal(text_at(row(s, "routers", 1), "standby"), "cold");
	assert_string_equal(json_string_value(json_array_get(
		json_object_get(row(s, "routers", 1), "addresses"), 0)), "10.77.0.101/24");
	assert_int_equal(json_object_size(json_object_get(p, "refused")), 1);
	assert_int_equal(number_at(json_object_get(p, "refused"), "bad-checksum"), 3);
	json_decref(s);
}

static void
tells_how_the_peer_is(void **state)
{
	struct bed *b = *state;
	json_t *s;

	b->pool.peer_known = true;
	b->pool.peer = (struct ipc_peer_node){.name = "lb2", .last_heard_ns = INT64_MAX,
		.path_count = 1, .paths = {{.name = "eth0", .out = -1, .heard_ns = INT64_MAX}}};
	s = status_json(&b->pool);
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "lost");
	assert_string_equal(text_at(row(json_object_get(s, "peer"), "links", 0), "name"), "eth0");
	json_decref(s);
	b->facts[0] = (struct pool_router){.known = true, .facts = {.role = EL_ACTIVE}};
	s = status_json(&b->pool); /* a plain VRRP standby is silent */
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "unknown");
	json_decref(s);
	b->pool.peer.keyed = true; /* but that of a keyed pair is not */
	s = status_json(&b->pool);
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "lost");
	json_decref(s);
	b->pool.peer.heard = b->pool.peer.paths[0].in = true;
	b->pool.peer.paths[0].out = 0; /* one-way */
	b->pool.peer.last_heard_ns = mono_now().ns - 40 * NS_PER_MS;
	s = status_json(&b->pool);
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "up");
	assert_in_range(number_at(json_object_get(s, "peer"), "last_heard_ms"), 40, 1000);
	assert_false(json_is_true(json_object_get(
		row(json_object_get(s, "peer"), "links", 0), "up")));
	assert_true(json_is_true(json_object_get(
		row(json_object_get(s, "peer"), "links", 0), "in")));
	json_decref(s);
	b->pool.config.node_count = 1;
	s = status_json(&b->pool);
	assert_string_equal(text_at(json_object_get(s, "peer"), "state"), "none");
	assert_true(json_is_null(json_object_get(json_object_get(s, "peer"), "name")));
	json_decref(s);
}

static void
tells_health_and_its_reason(void **state)
{
	struct bed *b = *state;
	json_t *s, *v, *r;

	b->targets[0].verdict = HEALTH_UP;
	b->targets[0].reason = REASON_PROBE_OK;
	b->targets[1].verdict = HEALTH_DOWN;
	b->targets[1].reason = REASON_HTTP_STATUS;
	b->targets[1].detail = 503;
	b->targets[1].connect_ns = 1234567;
	b->targets[1].last_result = mono_now();
	s = status_json(&b->pool);
	v = row(s, "virtual_servers", 0);
	r = row(v, "real_servers", 1);
	assert_int_equal(number_at(v, "healthy"), 1);
	assert_int_equal(number_at(v, "total"), 2);
	assert_string_equal(text_at(v, "listen"), "10.77.0.100:80");
	assert_string_equal(text_at(v, "forwarding"), "nat");
	assert_string_equal(text_at(r, "health"), "down");
	assert_string_equal(text_at(r, "reason"), "http-status");
	assert_int_equal(number_at(r, "detail"), 503);
	assert_int_equal(number_at(r, "weight"), 3);
	assert_int_equal(number_at(r, "effective_weight"), 0);
	assert_true(json_real_value(json_object_get(r, "connect_ms")) == 1.234);
	assert_true(json_is_null(json_object_get(r, "first_byte_ms")));
	json_decref(s);
}

/* web2 is drained, and web3 of the file is not there any more. */
static void
tells_what_operators_did(void **state)
{
	struct bed *b = *state;
	struct lasting_clock clock = lasting_clock_now();
	json_int_t until_s;
	json_t *s, *v, *r;

	b->base_virtuals[0] = b->virtuals[0];
	b->base_virtuals[0].real_count = 3;
	b->base_reals[0] = b->reals[0];
	b->base_reals[1] = b->reals[1];
	b->base_reals[2] = (struct conf_real){.name = "web3"};
	b->pool.base = (struct config){.virtuals = b->base_virtuals, .virtual_count = 1,
		.reals = b->base_reals, .real_count = 3};
	b->overrides[0] = (struct override){.virtual = "http", .real = "web2", .weight = 7,
		.admin = POOL_DRAINED, .until = mono_add_ns(clock.now, 600 * NS_PER_S)};
	b->overrides[1] = (struct override){.virtual = "http", .real = "web3", .weight = -1,
		.removed = true};
	b->pool.overlay = (struct overlay){.rows = b->overrides, .count = 2};
	b->targets[1].verdict = HEALTH_UP;
	b->targets[1].reason = REASON_PROBE_OK;
	s = status_json(&b->pool);
	v = row(s, "virtual_servers", 0);
	r = row(v, "real_servers", 1);
	assert_string_equal(text_at(r, "health"), "drained");
	assert_string_equal(text_at(r, "reason"), "operator");
	assert_int_equal(number_at(r, "weight"), 7);
	until_s = number_at(json_object_get(r, "override"), "until_s");
	assert_in_range(until_s, clock.wall_s + 599, clock.wall_s + 601);
	assert_int_equal(json_array_size(json_object_get(v, "removed")), 1);
	assert_string_equal(json_string_value(json_array_get(json_object_get(v, "removed"), 0)), "web3");
	json_decref(s);
	b->overrides[0].admin = POOL_ENABLED;
	b->targets[1].verdict = HEALTH_DOWN;
	b->targets[1].reason = REASON_HTTP_STATUS;
	s = status_json(&b->pool);
	r = row(row(s, "virtual_servers", 0), "real_servers", 1);
	assert_string_equal(text_at(r, "health"), "down");
	assert_string_equal(text_at(r, "reason"), "http-status");
	json_decref(s);
}

/* Who is connected to web2, which is drained; nobody has looked, and somebody has. */
static void
tells_whose_connections_are_left(void **state)
{
	struct clients_told told = {.looked = {90 * NS_PER_S}, .first = {10 * NS_PER_S}, .count = 1,
		.sum = {.clients = 3, .connections = 9}, .partial = true, .clients = {
		{.address = {.family = IP_V4, .bytes = {192, 0, 2, 7}}, .connections = 2, .open = 1,
		.since = {10 * NS_PER_S}, .state = 1, .expires_s = 840}}};
	struct bed *b = *state;
	json_t *s, *drain, *client;

	b->overrides[0] = (struct override){.virtual = "http", .real = "web2", .weight = -1,
		.admin = POOL_DRAINED, .until = MONO_NEVER};
	b->pool.overlay = (struct overlay){.rows = b->overrides, .count = 1};
	s = status_json(&b->pool);
	drain = json_object_get(row(row(s, "virtual_servers", 0), "real_servers", 1), "drain");
	assert_int_equal(json_array_size(json_object_get(drain, "clients")), 0);
	assert_true(json_is_null(json_object_get(drain, "clients_total")));
	assert_true(json_is_null(json_object_get(drain, "partial")));
	drains_clients_json(&told, (mono){100 * NS_PER_S}, drain);
	assert_int_equal(number_at(drain, "clients_total"), 3);
	assert_true(json_is_true(json_object_get(drain, "partial")));
	assert_int_equal(number_at(drain, "looked_ms"), 10000);
	assert_int_equal(number_at(drain, "watched_s"), 90);
	client = row(drain, "clients", 0);
	assert_string_equal(text_at(client, "address"), "192.0.2.7");
	assert_int_equal(number_at(client, "connections"), 2);
	assert_int_equal(number_at(client, "open"), 1);
	assert_int_equal(number_at(client, "age_s"), 90);
	assert_string_equal(text_at(client, "state"), "ESTABLISHED");
	assert_int_equal(number_at(client, "expires_s"), 840);
	told.error = -2;
	drains_clients_json(&told, (mono){100 * NS_PER_S}, drain);
	assert_true(json_is_null(json_object_get(drain, "clients_total")));
	json_decref(s);
}

static void
tells_what_is_tracked(void **state)
{
	struct bed *b = *state;
	json_t *s, *t;

	b->tracked[0] = (struct ipc_track_state){.known = true,
		.since_ns = mono_now().ns - 5 * NS_PER_S,
		.track = {.reason = REASON_SCRIPT_FAILED, .detail = "exit 1: \xff"}};
	b->tracked[1] = (struct ipc_track_state){.known = true,
		.track = {.up = true, .reason = REASON_PROBE_OK}};
	s = status_json(&b->pool);
	t = row(row(s, "routers", 0), "track", 0);
	assert_string_equal(text_at(t, "name"), "load");
	assert_string_equal(text_at(t, "kind"), "script");
	assert_true(json_is_false(json_object_get(t, "up")));
	assert_string_equal(text_at(t, "reason"), "script-failed");
	assert_string_equal(text_at(t, "detail"), "exit 1: ?");
	assert_int_equal(number_at(t, "weight"), -60);
	assert_in_range(number_at(t, "since_ms"), 5000, 6000);
	t = row(row(s, "routers", 0), "track", 1);
	assert_string_equal(text_at(t, "kind"), "gateway");
	assert_true(json_is_true(json_object_get(t, "up")));
	assert_int_equal(json_array_size(json_object_get(row(s, "routers", 1), "track")), 0);
	json_decref(s);
}

static void
bears_names_in_any_encoding(void **state)
{
	struct bed *b = *state;
	json_t *s;
	char *text;

	strcpy(b->routers[0].name, "w\xff\xfe" "b");
	strcpy(b->pool.config.cluster, "\xc3\xa9");
	s = status_json(&b->pool);
	assert_string_equal(text_at(row(s, "routers", 0), "name"), "w??b");
	assert_string_equal(text_at(s, "cluster"), "\xc3\xa9");
	text = json_dumps(s, JSON_COMPACT);
	assert_non_null(text);
	free(text);
	json_decref(s);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_up, bed_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(keeps_its_contract),
		CASE(says_what_is_known_at_birth),
		CASE(tells_the_elections_facts),
		CASE(tells_how_the_peer_is),
		CASE(tells_health_and_its_reason),
		CASE(tells_what_operators_did),
		CASE(tells_whose_connections_are_left),
		CASE(tells_what_is_tracked),
		CASE(bears_names_in_any_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
