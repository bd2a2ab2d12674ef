/*
 * Plans of the pool process, as far as they need no kernel: routers that change, what makes a plan
 * void, and that looking ahead leaves the pool as it is. The rest is in tests/pool and tests/vm/t_plan.
 */
#include "conf/pack.h"
#include "proc/pool_preview.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	struct pool *pool;
	struct child child;
	struct conf_node nodes[2];
	struct conf_router routers[3];
	struct conf_address addresses[4];
};

static void
set_address(struct conf_address *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	assert_true(ip_prefix_parse(text, &a->prefix));
	memcpy(a->interface, "eth0", 5);
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->pool = calloc(1, sizeof(*b->pool));
	assert_non_null(b->pool);
	log_open(&b->child.log, 0, LOG_LEVEL_ERROR, "test");
	b->child.config_path = "/etc/tandem.conf";
	b->pool->child = &b->child;
	memcpy(b->nodes[0].name, "lb1", 4);
	memcpy(b->nodes[1].name, "lb2", 4);
	memcpy(b->routers[0].name, "web", 4);
	memcpy(b->routers[1].name, "mail", 5);
	b->routers[0].address_count = 2;
	b->routers[1].first_address = 2;
	b->routers[1].address_count = 1;
	set_address(&b->addresses[0], "10.77.0.100/24");
	set_address(&b->addresses[1], "10.77.0.101/24");
	set_address(&b->addresses[2], "10.77.0.102/24");
	b->pool->config = (struct config){.nodes = b->nodes, .node_count = 2, .routers = b->routers,
		.router_count = 2, .addresses = b->addresses, .address_count = 3};
	b->pool->base = b->pool->config;
	b->pool->routers = calloc(2, sizeof(*b->pool->routers));
	b->pool->targets = calloc(1, sizeof(*b->pool->targets));
	b->pool->generation = 3;
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	struct bed *b = *state;

	preview_close(b->pool);
	log_close(&b->child.log);
	free(b->pool->routers);
	free(b->pool->targets);
	free(b->pool);
	free(b);
	return 0;
}

/* A plan of these tables; the caller owns it. */
static json_t *
plan_of(struct bed *b, const struct config *c)
{
	int fd = config_pack(c);
	const char *refusal;
	json_t *plan;

	assert_true(fd != -1);
	plan = preview_plan(b->pool, "/next.conf", fd, &refusal);
	close(fd);
	if (!plan)
		print_error("refused: %s\n", refusal);
	return plan;
}

static void
expect_routers(struct bed *b, const struct config *c, const char *routers)
{
	json_t *plan = plan_of(b, c);
	char *text = json_dumps(json_object_get(plan, "routers"), JSON_COMPACT | JSON_SORT_KEYS);

	assert_non_null(plan);
	assert_string_equal(text, routers);
	free(text);
	json_decref(plan);
}

static void
tells_of_routers(void **state)
{
	struct bed *b = *state;
	struct config next = b->pool->config;
	struct conf_router routers[3];
	struct conf_address addresses[4];

	expect_routers(b, &next, "[]");
	memcpy(routers, b->routers, sizeof(routers));
	memcpy(addresses, b->addresses, sizeof(addresses));
	next.routers = routers;
	next.addresses = addresses;
	/* in another order, in other rows: the same */
	memcpy(&addresses[1], &b->addresses[0], sizeof(addresses[0]));
	memcpy(&addresses[0], &b->addresses[1], sizeof(addresses[0]));
	expect_routers(b, &next, "[]");
	set_address(&addresses[0], "10.77.0.109/24");
	expect_routers(b, &next, "[{\"added\":[\"10.77.0.109/24 dev eth0\"],\"change\":\"change\","
		"\"name\":\"web\",\"removed\":[\"10.77.0.101/24 dev eth0\"],\"settings\":false}]");
	memcpy(addresses, b->addresses, sizeof(addresses));
	routers[0].preempt = true;
	expect_routers(b, &next, "[{\"added\":[],\"change\":\"change\",\"name\":\"web\","
		"\"removed\":[],\"settings\":true}]");
	memcpy(&routers[0], &b->routers[0], sizeof(routers[0]));
	memcpy(routers[1].name, "post", 5);
	expect_routers(b, &next, "[{\"added\":[\"10.77.0.102/24 dev eth0\"],\"change\":\"add\","
		"\"name\":\"post\",\"removed\":[],\"settings\":true},"
		"{\"added\":[],\"change\":\"remove\",\"name\":\"mail\","
		"\"removed\":[\"10.77.0.102/24 dev eth0\"],\"settings\":true}]");
}

static void
expect_order(struct bed *b, const char *refusal)
{
	struct ipc_apply order = {.id = 1};
	char text[PREVIEW_REFUSAL] = "";
	int fd = preview_order(b->pool, &order, text);

	if (refusal) {
		assert_int_equal(fd, -1);
		assert_non_null(strstr(text, refusal));
		return;
	}
	assert_true(fd != -1);
	close(fd);
	assert_string_equal(order.file, "/next.conf");
}

static void
knows_when_a_plan_is_void(void **state)
{
	struct bed *b = *state;

	expect_order(b, "there is no plan");
	json_decref(plan_of(b, &b->pool->config));
	expect_order(b, NULL);
	b->pool->preview->at = mono_add_ns(mono_now(), -599 * NS_PER_S);
	expect_order(b, NULL);
	b->pool->preview->at = mono_add_ns(mono_now(), -601 * NS_PER_S);
	expect_order(b, "older than 10 minutes");
	json_decref(plan_of(b, &b->pool->config));
	b->pool->generation++;
	expect_order(b, "reloaded since the plan");
	json_decref(plan_of(b, &b->pool->config));
	expect_order(b, NULL);
	json_decref(preview_done(b->pool));
	expect_order(b, "there is no plan");
}

/* A plan with one operation more than what would be done now. */
static void
names_the_difference(void **state)
{
	struct bed *b = *state;
	struct preview *v;

	json_decref(plan_of(b, &b->pool->config));
	v = b->pool->preview;
	v->count = 1;
	v->ops[0].op = (struct plan_op){.kind = PLAN_SET_REAL};
	endpoint_parse("10.77.0.100:80", &v->ops[0].op.service.key.listen);
	endpoint_parse("10.88.0.21:80", &v->ops[0].op.real.address);
	expect_order(b, "(1 operations then, 0 now; the first that differs: "
		"set-real 10.77.0.100:80 10.88.0.21:80)");
}

static void
compares_operations(void **state)
{
	struct preview_op a = {.op.kind = PLAN_SET_REAL, .op.real.weight = 5, .weight_from = 1};
	struct preview_op b = a;

	(void)state;
	b.op.connections = 77; /* they come and go */
	b.op.real.active_connections = 9;
	assert_true(preview_op_equal(&a, &b));
	b.weight_from = 2;
	assert_false(preview_op_equal(&a, &b));
	b = a;
	b.op.kind = PLAN_ADD_REAL;
	assert_false(preview_op_equal(&a, &b));
	b = a;
	b.op.real.weight = 6;
	assert_false(preview_op_equal(&a, &b));
	b = a;
	b.op.service.key.fwmark = 7;
	assert_false(preview_op_equal(&a, &b));
	b = a;
	memcpy(b.op.service.scheduler, "rr", 3);
	assert_false(preview_op_equal(&a, &b));
	b = a;
	b.op.real.upper_threshold = 1;
	assert_false(preview_op_equal(&a, &b));
}

static void
refuses_what_is_no_plan(void **state)
{
	struct bed *b = *state;
	struct config other = b->pool->config;
	struct conf_node nodes[2];
	const char *refusal;
	int fd = dup(0);

	assert_null(preview_plan(b->pool, "/f", fd, &refusal));
	assert_non_null(strstr(refusal, "not a configuration of this version"));
	close(fd);
	memcpy(nodes, b->nodes, sizeof(nodes));
	memcpy(nodes[0].name, "lb3", 4);
	other.nodes = nodes;
	fd = config_pack(&other);
	assert_null(preview_plan(b->pool, "/f", fd, &refusal));
	assert_non_null(strstr(refusal, "this node's entry"));
	close(fd);
	assert_null(b->pool->preview);
}

/* Rows that are sound one by one and far too many together: of a client's own making. */
static void
bounds_the_table(void **state)
{
	struct bed *b = *state;
	struct config huge = b->pool->config;
	struct conf_listen listens[2] = {0};
	struct conf_virtual virtuals[2] = {{.name = "huge", .protocol = CONF_TCP, .listen_count = 2}};
	struct conf_real reals[1] = {{.name = "r"}};
	struct conf_probe probes[1] = {{.type = CONF_PROBE_NONE}};
	const char *refusal;
	int fd;

	for (int i = 0; i < 2; i++) {
		assert_true(ip_addr_parse("10.77.0.100", &listens[i].first));
		assert_true(ip_addr_parse("10.77.0.100", &listens[i].last));
		listens[i].port_low = 1;
		listens[i].port_high = 16000;
	}
	huge.listens = listens;
	huge.listen_count = 2;
	huge.virtuals = virtuals;
	huge.virtual_count = 1;
	huge.probes = probes;
	huge.probe_count = 1;
	fd = config_pack(&huge);
	assert_null(preview_plan(b->pool, "/f", fd, &refusal));
	assert_non_null(strstr(refusal, "too many services"));
	close(fd);
	/* two virtual servers that share their rows */
	listens[0].port_high = listens[1].port_high = 1;
	virtuals[0].listen_count = virtuals[1].listen_count = 1;
	virtuals[0].real_count = virtuals[1].real_count = 1;
	virtuals[1].first_listen = 1;
	virtuals[1].protocol = CONF_TCP;
	huge.virtual_count = 2;
	huge.reals = reals;
	huge.real_count = 1;
	fd = config_pack(&huge);
	assert_null(preview_plan(b->pool, "/f", fd, &refusal));
	assert_non_null(strstr(refusal, "too many services or real servers"));
	close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_up, bed_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(tells_of_routers),
		CASE(knows_when_a_plan_is_void),
		CASE(names_the_difference),
		CASE(refuses_what_is_no_plan),
		CASE(bounds_the_table),
		cmocka_unit_test(compares_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
