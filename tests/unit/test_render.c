/* The status for people: what stands in the tables, and that nothing odd reaches a terminal. */
#include "control/render.h"
#include "control/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *
rendered(const json_t *status, bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	render_status(f, status, colour);
	fclose(f);
	return text;
}

static const char whole[] =
	"{\"node\":\"lb1\",\"cluster\":\"edge\",\"log_dropped\":0,\"ip_vs\":true,"
	"\"election\":{\"running\":true},"
	"\"peer\":{\"name\":\"lb2\",\"state\":\"up\",\"last_heard_ms\":40,"
	"\"links\":[{\"name\":\"eth0\",\"up\":true,\"last_heard_ms\":40}]},"
	"\"routers\":[{\"name\":\"web\",\"vrid\":51,\"role\":\"active\",\"reason\":\"peer-silent\","
	"\"since_ms\":3720000,\"priority\":150,\"standby\":\"hot\",\"hold\":true,"
	"\"addresses\":[\"10.77.0.100/24\",\"10.88.0.1/24\"]}],"
	"\"virtual_servers\":[{\"name\":\"http\",\"router\":\"web\",\"listen\":\"10.77.0.100:80\","
	"\"protocol\":\"tcp\",\"scheduler\":\"wlc\",\"forwarding\":\"nat\",\"healthy\":1,\"total\":2,"
	"\"served\":true,\"programmed\":true,\"survival\":\"sync\","
	"\"survival_reason\":\"catching-up\",\"real_servers\":["
	"{\"name\":\"web1\",\"address\":\"10.88.0.21:8080\",\"health\":\"up\",\"reason\":\"ok\","
	"\"since_ms\":61000,\"weight\":1,\"effective_weight\":1,\"in_kernel\":true,"
	"\"active_connections\":12,\"probed\":true,\"detail\":200},"
	"{\"name\":\"web2\",\"address\":\"10.88.0.22:8080\",\"health\":\"down\","
	"\"reason\":\"http-status\",\"since_ms\":1500,\"weight\":1,\"effective_weight\":0,"
	"\"in_kernel\":false,\"active_connections\":0,\"probed\":true,\"detail\":503}]}]}";

static void
draws_the_whole_picture(void **state)
{
	json_t *status = json_loads(whole, 0, NULL);
	char *text = rendered(status, false);

	(void)state;
	assert_string_equal(text,
		"Node: lb1 of cluster edge\n"
		"Peer: lb2 up, last heard 0.04 s ago (eth0 up)\n"
		"\n"
		"ROUTER  VRID  ROLE    SINCE  PRIORITY  STANDBY  ADDRESSES                     REASON\n"
		"web       51  active  1h 2m       150  hot      10.77.0.100/24, 10.88.0.1/24  "
		"no advertisement from the active node in time; "
		"preemption is held off until the next failure\n"
		"\n"
		"Virtual server http: 10.77.0.100:80/tcp wlc nat, router web, 1 of 2 healthy, "
		"in the kernel\n"
		"  Connections survive a takeover by sync; the standby has not learnt all connections yet\n"
		"  SERVER  ADDRESS          HEALTH  SINCE   WEIGHT  IN KERNEL  ACTIVE  REASON\n"
		"  web1    10.88.0.21:8080  up      1m 1s        1          1      12  "
		"the server answered as expected\n"
		"  web2    10.88.0.22:8080  down    1.50 s       1          -       0  "
		"the status is not an expected one (503)\n");
	free(text);
	json_decref(status);
}

static void
colours_only_when_asked(void **state)
{
	json_t *status = json_loads(whole, 0, NULL);
	char *plain = rendered(status, false), *colour = rendered(status, true);
	char *stripped = colour;
	size_t n = 0;

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(colour, "\033[32mactive\033[0m"));
	assert_non_null(strstr(colour, "\033[31mdown\033[0m"));
	for (const char *c = colour; *c; c++) { /* colour moves no column */
		if (*c == '\033')
			c = strchr(c, 'm');
		else
			stripped[n++] = *c;
	}
	stripped[n] = '\0';
	assert_string_equal(stripped, plain);
	free(plain);
	free(colour);
	json_decref(status);
}

static void
warns_of_what_is_wrong(void **state)
{
	json_t *status = json_loads(whole, 0, NULL);
	json_t *v = json_array_get(json_object_get(status, "virtual_servers"), 0);
	char *text;

	(void)state;
	json_object_set_new(status, "ip_vs", json_false());
	json_object_set_new(status, "log_dropped", json_integer(7));
	json_object_set_new(json_object_get(status, "election"), "running", json_false());
	json_object_set_new(json_object_get(status, "peer"), "state", json_string("unknown"));
	json_object_set_new(v, "programmed", json_false());
	text = rendered(status, false);
	assert_non_null(strstr(text, "no ip_vs"));
	assert_non_null(strstr(text, "7 log lines were lost"));
	assert_non_null(strstr(text, "election process does not run"));
	assert_non_null(strstr(text, "a plain VRRP standby is silent"));
	assert_non_null(strstr(text, "NOT in the kernel"));
	free(text);
	json_object_set_new(v, "served", json_false());
	text = rendered(status, false);
	assert_non_null(strstr(text, "idle until needed"));
	free(text);
	json_decref(status);
}

static void
names_what_is_lost(void **state)
{
	json_t *status = json_loads(whole, 0, NULL), *tracks = json_loads(
		"[{\"name\":\"nginx\",\"kind\":\"probe\",\"up\":false,\"weight\":0,"
		"\"reason\":\"tcp-refused\",\"detail\":\"111\"},"
		"{\"name\":\"load\",\"kind\":\"script\",\"up\":false,\"weight\":-60,"
		"\"reason\":\"script-failed\",\"detail\":\"exit 1: \\u001b[2J\"},"
		"{\"name\":\"10.77.0.1\",\"kind\":\"gateway\",\"up\":false,\"weight\":20,"
		"\"reason\":\"gateway-lost\",\"detail\":\"\"},"
		"{\"name\":\"fine\",\"kind\":\"script\",\"up\":true,\"weight\":0},"
		"{\"name\":\"young\",\"kind\":\"script\",\"up\":null,\"weight\":0}]", 0, NULL);
	char *text;

	(void)state;
	json_object_set_new(json_array_get(json_object_get(status, "routers"), 0), "track", tracks);
	text = rendered(status, false);
	assert_non_null(strstr(text, "\nweb: probe nginx is lost: connection refused (111); "
		"this node is not fit without it\n"
		"web: script load is lost: a tracked script fails (exit 1: ?[2J); "
		"costs 60 of priority\n"
		"web: gateway 10.77.0.1 is lost: a tracked gateway does not answer; "
		"would add 20 of priority\n\n"));
	assert_null(strstr(text, "fine"));
	assert_null(strstr(text, "young"));
	free(text);
	json_decref(status);
}

static void
bears_anything(void **state)
{
	static const char *const odd[] = {"{}", "{\"routers\":7,\"peer\":[],\"virtual_servers\":{}}",
		"{\"routers\":[1,null,{}],\"virtual_servers\":[[],{\"real_servers\":[0,{}]}]}",
		"{\"node\":\"a\\u001b[2J\\n\",\"routers\":[{\"name\":\"\\u001b]0;x\\u0007\","
		"\"role\":\"\\u001b[31m\",\"addresses\":[5]}],"
		"\"virtual_servers\":[{\"name\":\"\\u001bc\"}]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		json_t *status = json_loads(odd[i], 0, NULL);
		char *text = rendered(status, false);

		assert_non_null(status);
		for (const char *c = text; *c; c++)
			assert_true((unsigned char)*c >= ' ' || *c == '\n');
		free(text);
		json_decref(status);
	}
}

/* What is in no file: who reads the status must see it. */
static void
tells_what_operators_did(void **state)
{
	json_t *status = json_loads(whole, 0, NULL), *v, *servers;
	char *text;

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	v = json_array_get(json_object_get(status, "virtual_servers"), 0);
	servers = json_object_get(v, "real_servers");
	json_object_set_new(json_array_get(servers, 0), "override",
		json_pack("{s:s, s:i, s:b, s:n}", "state", "enabled", "weight", 9, "added", 1, "until_s"));
	json_object_set_new(json_array_get(servers, 1), "override",
		json_pack("{s:s, s:n, s:b, s:i}", "state", "drained", "weight", "added", 0,
			"until_s", 1000000000));
	json_object_set_new(v, "removed", json_pack("[s, s]", "web3", "w\033[2J"));
	text = rendered(status, false);
	assert_non_null(strstr(text, "\n"
		"  an operator added web1\n"
		"  an operator set the weight of web1 to 9\n"
		"  an operator has web2 drained, until 2001-09-09 01:46:40\n"
		"  an operator removed web3\n"
		"  an operator removed w?[2J\n"));
	free(text);
	json_object_set_new(json_array_get(servers, 1), "override",
		json_pack("{s:s, s:n, s:b, s:n}", "state", "disabled", "weight", "added", 0, "until_s"));
	text = rendered(status, false);
	assert_non_null(strstr(text, "\n  an operator has web2 disabled\n"));
	free(text);
	json_decref(status);
}

/* The status with web2 drained, as that says. */
static void
expect_drain(const char *drain, const char *line)
{
	json_t *status = json_loads(whole, 0, NULL);
	json_t *v = json_array_get(json_object_get(status, "virtual_servers"), 0);
	json_t *object = json_loads(drain, 0, NULL);
	char *text;

	assert_non_null(object);
	json_object_set_new(json_array_get(json_object_get(v, "real_servers"), 1), "drain", object);
	text = rendered(status, false);
	assert_non_null(strstr(text, line));
	free(text);
	json_decref(status);
}

static void
tells_how_a_drain_goes(void **state)
{
	(void)state;
	expect_drain("{\"connections\":0}", "\n  web2 has no connections left\n");
	expect_drain("{\"connections\":1,\"begun_with\":9,\"eta_ms\":null,\"clients\":[],"
		"\"clients_total\":null,\"partial\":null}", "\n  web2 has 1 connection left of 9\n");
	expect_drain("{\"connections\":3,\"begun_with\":9,\"eta_ms\":41000,\"clients_total\":2,"
		"\"partial\":false,\"clients\":[{\"address\":\"192.0.2.7\",\"connections\":2,"
		"\"open\":1,\"age_s\":340},{\"address\":\"192.0.2.9\",\"connections\":1}]}",
		"\n  web2 has 3 connections of 2 clients left of 9, about 41 s to go; "
		"longest: 192.0.2.7 for at least 5m 40s with 2 connections\n");
	expect_drain("{\"connections\":3,\"clients_total\":1,\"partial\":true,\"clients\":["
		"{\"address\":\"192.0.\\u001b[2J\",\"connections\":1,\"open\":0,\"age_s\":9}]}",
		"\n  web2 has 3 connections of at least 1 client left; longest: 192.0.?[2J for "
		"at least 9.00 s with 1 connection, ending (not all connections could be looked at)\n");
	expect_drain("{\"connections\":[],\"clients\":[7]}", "\n  web2 has no connections left\n");
}

static void
says_durations(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(render_duration(-1, out), "never");
	assert_string_equal(render_duration(0, out), "0.00 s");
	assert_string_equal(render_duration(9994, out), "9.99 s");
	assert_string_equal(render_duration(10000, out), "10 s");
	assert_string_equal(render_duration(59999, out), "59 s");
	assert_string_equal(render_duration(60000, out), "1m 0s");
	assert_string_equal(render_duration(3599999, out), "59m 59s");
	assert_string_equal(render_duration(3600000, out), "1h 0m");
	assert_string_equal(render_duration(INT64_C(90061000), out), "1d 1h");
}

static void
says_reasons(void **state)
{
	(void)state;
	assert_string_equal(render_reason("tcp-refused"), "connection refused");
	assert_string_equal(render_reason("of-a-newer-version"), "of-a-newer-version");
}

static void
tells_events_on_one_line(void **state)
{
	json_t *event = json_pack("{s:i, s:s, s:s}", "age_ms", 1500, "level", "warning",
		"line", "event=server to=down\nevent=fake \033[2J");
	char text[512] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	render_event(f, event, INT64_C(1000000002000), false);
	fclose(f);
	assert_string_equal(text,
		"2001-09-09 01:46:40.500 warning event=server to=down?event=fake ?[2J\n");
	json_decref(event);
}

static void
cuts_and_counts_cells(void **state)
{
	static const char *const heading[] = {"A", "B"};
	char text[1024] = "", longer[300];
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct table t;

	(void)state;
	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	table_begin(&t, heading, 2);
	table_row(&t);
	table_set(&t, 0, TABLE_PLAIN, "%s", "\xc3\xa9\xc3\xa9\xc3\xa9"); /* three characters */
	table_set(&t, 1, TABLE_PLAIN, "%s", longer);
	table_end(&t, f, "> ", false);
	fclose(f);
	assert_memory_equal(text, "> A    B\n> \xc3\xa9\xc3\xa9\xc3\xa9  yyy", 22);
	assert_int_equal(strlen(strrchr(text, ' ')), 1 + TABLE_CELL - 1 + 1);
}

static char *
rendered_plan(const char *text, bool applied)
{
	json_t *plan = json_loads(text, 0, NULL);
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	assert_non_null(plan);
	if (applied)
		render_applied(f, plan);
	else
		render_plan(f, plan, false);
	fclose(f);
	json_decref(plan);
	return out;
}

static void
expect_plan(const char *plan, bool applied, const char *text)
{
	char *out = rendered_plan(plan, applied);

	assert_string_equal(out, text);
	free(out);
}

static void
tells_what_would_change(void **state)
{
	(void)state;
	expect_plan("{\"file\":\"/f\",\"connections\":12,\"configuration_changed\":true,\"operations\":["
		"{\"operation\":\"set-real\",\"virtual\":\"http\",\"service\":\"10.77.0.100:80\","
		"\"protocol\":\"tcp\",\"server\":\"10.88.0.21:80\",\"name\":\"web1\",\"weight_from\":1,"
		"\"weight\":5,\"connections\":12},"
		"{\"operation\":\"add-service\",\"virtual\":\"mark\",\"service\":\"fwmark 7\","
		"\"protocol\":null,\"connections\":0},"
		"{\"operation\":\"del-real\",\"virtual\":\"http\",\"service\":\"10.77.0.100:80\","
		"\"protocol\":\"tcp\",\"server\":\"10.88.0.22:80\",\"name\":null,\"weight_from\":3,"
		"\"weight\":null,\"connections\":0}],"
		"\"routers\":[{\"name\":\"web\",\"change\":\"change\",\"settings\":false,"
		"\"added\":[\"10.77.0.102/24 dev eth0\"],\"removed\":[]},"
		"{\"name\":\"old\\u001b\",\"change\":\"remove\",\"settings\":true,\"added\":[],"
		"\"removed\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}]}", false,
		"/f: 3 operations in the kernel's table, 12 live connections touched\n"
		"  OPERATION    VIRTUAL  SERVICE             SERVER              WEIGHT  CONNECTIONS\n"
		"  set-real     http     10.77.0.100:80/tcp  web1 10.88.0.21:80  1 -> 5           12\n"
		"  add-service  mark     fwmark 7            -                        -            0\n"
		"  del-real     http     10.77.0.100:80/tcp  10.88.0.22:80            3            0\n"
		"  router web: other addresses; adds 10.77.0.102/24 dev eth0\n"
		"  router old?: goes; removes a; removes b; removes c; removes d; removes 2 more\n");
	expect_plan("{\"file\":\"/f\",\"connections\":0,\"configuration_changed\":false,"
		"\"operations\":[],\"routers\":[]}", false, "nothing would change\n");
	expect_plan("{\"file\":\"/f\",\"connections\":0,\"configuration_changed\":true,"
		"\"operations\":[],\"routers\":[]}", false,
		"/f: 0 operations in the kernel's table, 0 live connections touched\n"
		"  only other settings differ, such as probes, log or control\n");
}

static void
tells_what_was_done(void **state)
{
	(void)state;
	expect_plan("{\"file\":\"/f\",\"planned\":1,\"operations\":1,\"connections\":2,\"failed\":0}",
		true, "applied /f: 1 operation, 2 live connections touched\n");
	expect_plan("{\"file\":\"/f\",\"planned\":1,\"operations\":3,\"connections\":1,\"failed\":2}",
		true, "applied /f: 3 operations, 1 live connection touched (planned: 1); "
		"the kernel refused 2 operations, see the log\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_the_whole_picture),
		cmocka_unit_test(colours_only_when_asked),
		cmocka_unit_test(warns_of_what_is_wrong),
		cmocka_unit_test(names_what_is_lost),
		cmocka_unit_test(bears_anything),
		cmocka_unit_test(tells_what_operators_did),
		cmocka_unit_test(tells_how_a_drain_goes),
		cmocka_unit_test(says_durations),
		cmocka_unit_test(says_reasons),
		cmocka_unit_test(tells_events_on_one_line),
		cmocka_unit_test(cuts_and_counts_cells),
		cmocka_unit_test(tells_what_would_change),
		cmocka_unit_test(tells_what_was_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
