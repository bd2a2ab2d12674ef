/* The pieces of the reader that the golden files show only from afar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/reader.h"

#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
nearest(const struct key_group *group, const char *typo, const char *wanted)
{
	const struct key *key = key_nearest(group, typo);

	if (wanted) {
		assert_non_null(key);
		assert_string_equal(key->name, wanted);
	} else
		assert_null(key);
}

static void
typing_errors(void **state)
{
	char longest[100];

	(void)state;
	nearest(&keys_heartbeat, "intervall_ms", "interval_ms");
	nearest(&keys_heartbeat, "nterval_ms", "interval_ms");
	nearest(&keys_router, "addreses", "addresses");
	nearest(&keys_router, "on_activ", "on_active");
	nearest(&keys_router, "vird", "vrid");
	nearest(&keys_heartbeat, "x", NULL);
	nearest(&keys_heartbeat, "checksums_are_great", NULL);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	nearest(&keys_heartbeat, longest, NULL);
}

static void
status_lists(void **state)
{
	struct conf_status_range r[LIMIT_STATUS_RANGES];
	uint32_t n;

	(void)state;
	assert_true(status_parse("200", r, &n));
	assert_int_equal(n, 1);
	assert_int_equal(r[0].low, 200);
	assert_int_equal(r[0].high, 200);
	assert_true(status_parse("200-299, 301,100-599", r, &n));
	assert_int_equal(n, 3);
	assert_int_equal(r[1].low, 301);
	assert_int_equal(r[2].high, 599);
	assert_true(status_parse("200,201,202,203,204,205,206,207", r, &n));
	assert_int_equal(n, LIMIT_STATUS_RANGES);
	assert_false(status_parse("200,201,202,203,204,205,206,207,208", r, &n));
	assert_false(status_parse("", r, &n));
	assert_false(status_parse("200,", r, &n));
	assert_false(status_parse("200-", r, &n));
	assert_false(status_parse("-200", r, &n));
	assert_false(status_parse("2000", r, &n));
	assert_false(status_parse("099", r, &n));
	assert_false(status_parse("600", r, &n));
	assert_false(status_parse("299-200", r, &n));
	assert_false(status_parse("200 201", r, &n));
}

static void
flags_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(conf_scheduler_flag_bit(word_index(words_scheduler_flag, "sh-port")),
		IP_VS_SVC_F_SCHED_SH_PORT);
	assert_int_equal(conf_scheduler_flag_bit(word_index(words_scheduler_flag, "sh-fallback")),
		IP_VS_SVC_F_SCHED_SH_FALLBACK);
	assert_int_equal(conf_scheduler_flag_bit(word_index(words_scheduler_flag, "mh-port")),
		IP_VS_SVC_F_SCHED2);
	assert_int_equal(conf_scheduler_flag_bit(word_index(words_scheduler_flag, "mh-fallback")),
		IP_VS_SVC_F_SCHED1);
	assert_true(conf_scheduler_flag_fits(0, "sh"));
	assert_false(conf_scheduler_flag_fits(0, "mh"));
	assert_false(conf_scheduler_flag_fits(0, "s"));
}

static void
keys_that_were_seen(void **state)
{
	struct seen s;

	(void)state;
	seen_open(&s, sizeof(uint64_t));
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t key = i * UINT64_C(0x100000000); /* alike in their low bytes */

		assert_int_equal(seen_find(&s, &key), UINT32_MAX);
		assert_int_equal(seen_add(&s, &key, (uint32_t)i), UINT32_MAX);
	}
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t key = i * UINT64_C(0x100000000);

		assert_int_equal(seen_find(&s, &key), i);
		assert_int_equal(seen_add(&s, &key, 77777), i);
	}
	seen_close(&s);
}

/* Reads a text and returns the rows; the caller frees them. */
static void
read_text(const char *bytes, struct config *c)
{
	char path[] = "/tmp/tandem-conf-XXXXXX";
	int fd = mkstemp(path);
	struct conf_errors errors;

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	close(fd);
	if (!config_read_path(path, c, &errors)) {
		conf_errors_print(&errors, stderr);
		fail();
	}
	assert_null(errors.list);
	unlink(path);
}

#define NODES "nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; }," \
	" { name = \"lb2\"; address = \"10.0.0.2\"; } );\n"

static void
rows_of_routers(void **state)
{
	struct config c;

	(void)state;
	read_text(NODES "virtual_routers = ( { name = \"a\"; vrid = 1; interface = \"eth0\";\n"
		"prefer = \"lb2\";\n"
		"addresses = ( \"10.0.0.100/24\",\n"
		"{ address = \"10.1.0.1/16\"; interface = \"eth1\"; } );\n"
		"track = { interfaces = ( \"eth2\", \"eth1\", \"eth2\" ); }; },\n"
		"{ name = \"b\"; vrid = 2; interface = \"eth0\"; priority = { lb2 = 255; };\n"
		"addresses = [ \"10.0.0.102/24\" ]; } );", &c);
	assert_int_equal(c.router_count, 2);
	assert_int_equal(c.routers[0].priority[0], 100);
	assert_int_equal(c.routers[0].priority[1], 150);
	assert_int_equal(c.routers[1].priority[0], 100);
	assert_int_equal(c.routers[1].priority[1], 255);
	assert_int_equal(c.routers[0].interface_count, 3);
	assert_string_equal(c.routers[0].interfaces[0], "eth0");
	assert_string_equal(c.routers[0].interfaces[1], "eth1");
	assert_string_equal(c.routers[0].interfaces[2], "eth2");
	assert_int_equal(c.routers[0].tracked_count, 2);
	assert_int_equal(c.routers[1].first_address, 2);
	assert_string_equal(c.addresses[1].interface, "eth1");
	assert_string_equal(c.addresses[2].interface, "eth0");
	assert_int_equal(c.interval_ms, 100);
	assert_int_equal(config_find_router(&c, "b"), 1);
	assert_int_equal(config_find_router(&c, "c"), CONF_NO_INDEX);
	assert_int_equal(config_find_node(&c, "lb2"), 1);
	config_free(&c);
}

#define ROUTER "virtual_routers = ( { name = \"a\"; vrid = 1; interface = \"eth0\";" \
	" addresses = [ \"10.0.0.100/24\" ]; } );\n"

/* Inheritance of probes, and one row for equal ones. */
static void
rows_of_probes(void **state)
{
	struct config c;
	const struct conf_probe *p;

	(void)state;
	read_text(NODES ROUTER "virtual_servers = ( { name = \"s\"; listen = \"10.0.0.100:80\";\n"
		"probe = { type = \"http\"; path = \"/h\"; interval_ms = 4000; timeout_ms = 3000;\n"
		"rise = 5; };\n"
		"real_servers = ( { name = \"r1\"; address = \"10.1.0.1:80\"; },\n"
		"{ name = \"r2\"; address = \"10.1.0.2:80\"; probe = { fall = 9; }; },\n"
		"{ name = \"r3\"; address = \"10.1.0.3:80\"; probe = { fall = 9; }; },\n"
		"{ name = \"r4\"; address = \"10.1.0.4:80\"; probe = { type = \"tcp\"; }; },\n"
		"{ name = \"r5\"; address = \"10.1.0.5:80\"; \n"
		"probe = { interval_ms = 200; }; } ); },\n"
		"{ name = \"t\"; listen = \"10.0.0.100:81\";\n"
		"real_servers = ( { name = \"r1\"; address = \"10.1.0.1:80\"; } ); } );", &c);
	assert_int_equal(c.reals[0].probe, c.virtuals[0].probe);
	assert_false(c.reals[0].probe_overridden);
	p = &c.probes[c.reals[1].probe];
	assert_int_equal(c.reals[2].probe, c.reals[1].probe);
	assert_true(c.reals[1].probe_overridden);
	assert_int_equal(p->fall, 9);
	assert_int_equal(p->rise, 5);
	assert_string_equal(p->path, "/h");
	assert_int_equal(p->status[0].low, 200);
	assert_int_equal(p->status[0].high, 299);
	p = &c.probes[c.reals[3].probe];
	assert_int_equal(p->type, CONF_PROBE_TCP);
	assert_int_equal(p->rise, 2);
	assert_int_equal(p->interval_ms, 1000);
	assert_string_equal(p->path, "");
	assert_int_equal(c.probes[c.reals[4].probe].timeout_ms, 200);
	assert_int_equal(c.probes[c.virtuals[1].probe].type, CONF_PROBE_NONE);
	assert_int_equal(c.reals[5].probe, c.virtuals[1].probe);
	assert_int_equal(c.probe_count, 5);
	config_free(&c);
}

/* What no one says is a default of the probe's own interval; what the virtual server says is not. */
static void
rhythms_of_probes(void **state)
{
	static const struct {
		uint32_t interval_ms, fast_ms, down_ms;
	} wanted[] = {{100, 100, 100}, {2000, 250, 2000}, {100, 50, 300}, {200, 50, 300},
		{40, 40, 300}, {500, 50, 500}};
	struct config c;

	(void)state;
	read_text(NODES ROUTER "virtual_servers = ( { name = \"s\"; listen = \"10.0.0.100:80\";\n"
		"probe = { interval_ms = 100; };\n"
		"real_servers = ( { name = \"r1\"; address = \"10.1.0.1:80\"; },\n"
		"{ name = \"r2\"; address = \"10.1.0.2:80\"; probe = { interval_ms = 2000; }; } ); },\n"
		"{ name = \"t\"; listen = \"10.0.0.100:81\";\n"
		"probe = { interval_ms = 100; interval_fast_ms = 50; interval_down_ms = 300; };\n"
		"real_servers = ( { name = \"r1\"; address = \"10.1.0.1:80\"; },\n"
		"{ name = \"r2\"; address = \"10.1.0.2:80\"; probe = { interval_ms = 200; }; },\n"
		"{ name = \"r3\"; address = \"10.1.0.3:80\"; probe = { interval_ms = 40; }; },\n"
		"{ name = \"r4\"; address = \"10.1.0.4:80\"; probe = { interval_ms = 500; }; } ); } );",
		&c);
	assert_int_equal(c.real_count, sizeof(wanted) / sizeof(wanted[0]));
	for (uint32_t i = 0; i < c.real_count; i++) {
		const struct conf_probe *p = &c.probes[c.reals[i].probe];

		assert_int_equal(p->interval_ms, wanted[i].interval_ms);
		assert_int_equal(p->interval_fast_ms, wanted[i].fast_ms);
		assert_int_equal(p->interval_down_ms, wanted[i].down_ms);
	}
	assert_string_equal(c.sync.interface, "eth0");
	config_free(&c);
}

#define TRACKING "virtual_routers = ( { name = \"a\"; vrid = 1; interface = \"eth0\";" \
	" addresses = [ \"10.0.0.100/24\" ];" \
	" track = { gateways = ( \"10.0.0.254\", { address = \"10.0.0.253\"; weight = -20;" \
	" interval_ms = 120; } ); }; }," \
	"{ name = \"b\"; vrid = 2; interface = \"eth0\"; addresses = [ \"10.0.0.101/24\" ];" \
	" track = { scripts = ( { name = \"s\"; command = \"/bin/s\"; fall = 7; } );" \
	" probes = ( { name = \"p\"; address = \"127.0.0.1:80\"; weight = 253; }," \
	" { name = \"q\"; address = \"127.0.0.1\"; port = 81; }," \
	" { name = \"i\"; address = \"10.0.0.9\"; type = \"icmp\"; } ); }; } );\n"

static void
rows_of_gateways(void **state)
{
	const struct conf_track *t;
	struct config c;

	(void)state;
	read_text(NODES TRACKING, &c);
	assert_int_equal(c.routers[0].first_track, 0);
	assert_int_equal(c.routers[0].track_count, 2);
	t = c.tracks;
	assert_int_equal(t[0].kind, CONF_TRACK_GATEWAY);
	assert_string_equal(t[0].name, "10.0.0.254");
	assert_int_equal(t[0].gateway.bytes[3], 254);
	assert_int_equal(t[0].weight, 0);
	assert_int_equal(t[0].interval_ms, 200);
	assert_int_equal(t[0].timeout_ms, 150);
	assert_int_equal(t[0].rise, 2);
	assert_int_equal(t[0].fall, 3);
	assert_int_equal(t[1].weight, -20);
	assert_int_equal(t[1].interval_ms, 120);
	assert_int_equal(t[1].timeout_ms, 120); /* a question ends before the next begins */
	config_free(&c);
}

/* The rows of a router are together, and its probes share rows with those of real servers. */
static void
rows_of_tracked_probes(void **state)
{
	const struct conf_track *t;
	struct config c;

	(void)state;
	read_text(NODES TRACKING "virtual_servers = ( { name = \"v\"; listen = \"10.0.0.100:80\";\n"
		"probe = { type = \"tcp\"; };\n"
		"real_servers = ( { name = \"r1\"; address = \"10.1.0.1:80\"; } ); } );", &c);
	assert_int_equal(c.routers[1].first_track, 2);
	assert_int_equal(c.routers[1].track_count, 4);
	t = &c.tracks[2];
	assert_int_equal(t[0].kind, CONF_TRACK_PROBE);
	assert_string_equal(t[0].name, "p");
	assert_int_equal(t[0].weight, 253);
	assert_int_equal(t[0].target.port, 80);
	assert_int_equal(t[1].target.port, 81);
	assert_int_equal(t[1].probe, t[0].probe);
	assert_int_equal(c.virtuals[0].probe, t[0].probe);
	assert_int_equal(c.probes[t[0].probe].type, CONF_PROBE_TCP);
	assert_int_equal(c.probes[t[2].probe].type, CONF_PROBE_ICMP);
	assert_int_equal(t[2].target.port, 0);
	assert_int_equal(t[2].target.addr.bytes[3], 9);
	assert_int_equal(t[3].kind, CONF_TRACK_SCRIPT);
	assert_string_equal(t[3].script, "/bin/s");
	assert_int_equal(t[3].interval_ms, 1000);
	assert_int_equal(t[3].timeout_ms, 900);
	assert_int_equal(t[3].fall, 7);
	config_free(&c);
}

static void
rows_of_blocks(void **state)
{
	struct config c;

	(void)state;
	read_text(NODES "virtual_routers = (\n"
		"{ name = \"a\"; vrid = 1; interface = \"eth2\"; addresses = [ \"10.0.0.100/24\" ];\n"
		"virtual_mac = true; },\n"
		"{ name = \"b\"; vrid = 2; interface = \"eth1\"; addresses = [ \"10.0.1.100/24\" ];\n"
		"group = \"g\"; blocks = [ \"10.3.0.0/16\", \"10.2.0.0/16\" ]; },\n"
		"{ name = \"c\"; vrid = 3; interface = \"eth0\"; addresses = [ \"10.0.0.102/24\" ];\n"
		"blocks = [ \"10.1.0.0/16\" ]; } );\n"
		"virtual_servers = (\n"
		"{ name = \"s\"; listen = \"10.3.255.255:80\";\n"
		"real_servers = ( { name = \"r\"; address = \"10.9.0.1:80\"; } ); },\n"
		"{ name = \"t\"; listen = \"10.1.0.0:80\";\n"
		"real_servers = ( { name = \"r\"; address = \"10.9.0.1:80\"; } ); } );", &c);
	assert_true(c.routers[0].virtual_mac);
	assert_false(c.routers[1].virtual_mac);
	assert_string_equal(c.routers[0].group, "");
	assert_string_equal(c.routers[1].group, "g");
	assert_int_equal(c.block_count, 3);
	assert_int_equal(c.routers[0].block_count, 0);
	assert_int_equal(c.routers[1].first_block, 0);
	assert_int_equal(c.routers[1].block_count, 2);
	assert_int_equal(c.routers[2].first_block, 2);
	assert_int_equal(c.routers[2].block_count, 1);
	assert_int_equal(c.blocks[0].prefix.addr.bytes[1], 3); /* in their order */
	assert_int_equal(c.blocks[0].prefix.length, 16);
	assert_string_equal(c.blocks[1].interface, "eth1");
	assert_string_equal(c.blocks[2].interface, "eth0");
	assert_int_equal(c.virtuals[0].router, 1);
	assert_int_equal(c.virtuals[1].router, 2);
	config_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typing_errors),
		cmocka_unit_test(status_lists),
		cmocka_unit_test(flags_of_the_kernel),
		cmocka_unit_test(keys_that_were_seen),
		cmocka_unit_test(rows_of_routers),
		cmocka_unit_test(rows_of_probes),
		cmocka_unit_test(rhythms_of_probes),
		cmocka_unit_test(rows_of_gateways),
		cmocka_unit_test(rows_of_tracked_probes),
		cmocka_unit_test(rows_of_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
