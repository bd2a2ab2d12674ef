/*
 * What the pool process does to a real kernel's IPVS table: programmed, judged by health, repaired,
 * adopted, withdrawn; and never a service of somebody else touched.
 *
 * A failed expectation prints what the kernel had instead.
 */
#include "tests.h"

#include "ipc/channel.h"
#include "proc/child.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HTTP \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wlc\"; forwarding = \"nat\"; " PROBE "\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; } ); }"
#define DNS \
	"  { name = \"dns\"; router = \"web\"; listen = \"10.77.0.100:53\"; protocol = \"udp\";\n" \
	"    scheduler = \"rr\"; forwarding = \"dr\"; probe = { type = \"icmp\"; };\n" \
	"    real_servers = ( { name = \"ns1\"; address = \"10.77.0.31:53\"; } ); }"
#define SMTP \
	"  { name = \"smtp\"; router = \"spare\"; listen = \"10.77.0.101:25\"; protocol = \"tcp\";\n" \
	"    scheduler = \"mh\"; forwarding = \"nat\"; " PROBE "\n" \
	"    real_servers = ( { name = \"mx1\"; address = \"10.88.0.41:25\"; } ); }"

const char everything[] = HEAD "virtual_servers = (\n" HTTP ",\n" DNS ",\n" SMTP " );\n";
/* Of everything: another weight, another address of a router, and a server more. */
static const char changed[] =
	"cluster = \"bench\";\n"
	"nodes = ( { name = \"lb1\"; address = \"10.77.0.11\"; },\n"
	"          { name = \"lb2\"; address = \"10.77.0.12\"; } );\n"
	"virtual_routers = (\n"
	"  { name = \"web\"; vrid = 51; interface = \"v0\"; standby = \"hot\";\n"
	"    addresses = ( \"10.77.0.100/24\", \"10.77.0.110/24\" ); },\n"
	"  { name = \"spare\"; vrid = 52; interface = \"v0\"; standby = \"cold\";\n"
	"    addresses = ( \"10.77.0.101/24\" ); } );\n"
	"virtual_servers = (\n"
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n"
	"    scheduler = \"wlc\"; forwarding = \"nat\"; " PROBE "\n"
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 5; },\n"
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; },\n"
	"                     { name = \"web3\"; address = \"10.88.0.23:8080\"; weight = 2; } ); },\n"
	DNS ",\n" SMTP " );\n";
static const char other_sync[] = HEAD "sync = { id = 7; group = \"224.0.0.90\"; port = 8900; ttl = 3;"
	" maxlen = 1400; };\nvirtual_servers = (\n" HTTP ",\n" DNS ",\n" SMTP " );\n";
static const char http_only[] = HEAD "virtual_servers = (\n" HTTP " );\n";
static const char nothing[] = HEAD;

/* Lines as `ipvsadm -Sn | sort` has them. */
#define K_HTTP "-A -t 10.77.0.100:80 -s wlc\n"
#define K_DNS "-A -u 10.77.0.100:53 -s rr\n"
#define K_SMTP "-A -t 10.77.0.101:25 -s mh\n"
#define K_FOREIGN "-A -t 10.99.0.1:99 -s rr\n"
#define K_WEB1 "-a -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 1\n"
#define K_WEB2 "-a -t 10.77.0.100:80 -r 10.88.0.22:8080 -m -w 3\n"
#define K_NS1 "-a -u 10.77.0.100:53 -r 10.77.0.31:53 -g -w 1\n"
#define K_MX1 "-a -t 10.77.0.101:25 -r 10.88.0.41:25 -m -w 1\n"
#define K_FOREIGN1 "-a -t 10.99.0.1:99 -r 10.88.0.99:99 -m -w 7\n"

const char kernel_hot[] =
	K_HTTP K_FOREIGN K_DNS K_WEB1 K_WEB2 K_FOREIGN1 K_NS1;
const char kernel_web2_down[] =
	K_HTTP K_FOREIGN K_DNS K_WEB1 K_FOREIGN1 K_NS1;
static const char kernel_web1_down[] =
	K_HTTP K_FOREIGN K_DNS K_WEB2 K_FOREIGN1 K_NS1;
static const char kernel_foreign[] = K_FOREIGN K_FOREIGN1;
static const char kernel_all[] =
	K_HTTP K_SMTP K_FOREIGN K_DNS K_WEB1 K_WEB2 K_MX1 K_FOREIGN1 K_NS1;
static const char kernel_http_web2_down[] = K_HTTP K_FOREIGN K_WEB1 K_FOREIGN1;

#define K_WEB1_5 "-a -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 5\n"
#define K_WEB3 "-a -t 10.77.0.100:80 -r 10.88.0.23:8080 -m -w 2\n"
static const char kernel_changed[] =
	K_HTTP K_FOREIGN K_DNS K_WEB1_5 K_WEB2 K_WEB3 K_FOREIGN1 K_NS1;

void
foreign_service(void)
{
	bench_shell("ipvsadm -A -t 10.99.0.1:99 -s rr && "
		"ipvsadm -a -t 10.99.0.1:99 -r 10.88.0.99:99 -m -w 7");
}

void
all_up(struct bench *b)
{
	bench_until(b, SLOW_MS, has_targets, "10.77.0.31:53");
	bench_report(b, "10.88.0.21:8080", true, REASON_PROBE_OK, 0);
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	bench_report(b, "10.77.0.31:53", true, REASON_PROBE_OK, 0);
}

static void
without_virtual_servers(struct bench *b)
{
	check(bench_start(b, nothing), "starts without a virtual server");
	bench_role(b, "web", EL_BACKUP);
	bench_role(b, "spare", EL_BACKUP);
	bench_run(b, 1500);
	check(!bench_logged(b, "event=plan") && !bench_logged(b, "event=pool"),
		"and does not touch IPVS then");
	check(bench_stop(b), "and stops cleanly");
}

static void
programs_the_kernel(struct bench *b)
{
	foreign_service();
	check(bench_start(b, everything), "starts");
	bench_role(b, "web", EL_BACKUP);
	bench_role(b, "spare", EL_BACKUP);
	expect_table(b, SLOW_MS, kernel_hot, "a hot standby has its services in the kernel at once");
	expect_line(b, "event=plan reason=started");
	check(!bench_logged(b, "reason=drift"), "and calls nobody else's hands guilty of it");
	all_up(b);
	expect_line(b, "event=server server=web1 virtual=http from=unknown to=up reason=ok");
	check(bench_targets(b, "10.88.0.41:25") == 0, "a cold standby is not even probed");
}

static void
follows_health(struct bench *b)
{
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	expect_table(b, 2000, kernel_web2_down, "a server that is down is out of the kernel");
	expect_line(b, "event=server server=web2 virtual=http from=up to=down reason=tcp-refused "
		"detail=111 address=10.88.0.22:8080");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	expect_table(b, 2000, kernel_hot, "and back when it is up again");
	expect_line(b, "event=server server=web2 virtual=http from=down to=up reason=ok");
	bench_report(b, "10.88.0.21:8080", false, REASON_TCP_TIMEOUT, 0);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_TIMEOUT, 0);
	bench_run(b, 500);
	check(bench_table_is(b, kernel_hot), "none healthy: all serve rather than none");
	all_up(b);
}

static void
repairs(struct bench *b)
{
	bench_run(b, 500);
	bench_forget(b);
	bench_shell("ipvsadm -C");
	foreign_service();
	expect_table(b, 2000, kernel_hot, "an emptied table is whole again within 2 s");
	expect_line(b, "event=plan reason=drift");
	bench_shell("ipvsadm -e -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 99 && "
		"ipvsadm -E -t 10.77.0.100:80 -s rr && "
		"ipvsadm -a -t 10.77.0.100:80 -r 10.88.0.66:66 -m && "
		"ipvsadm -d -u 10.77.0.100:53 -r 10.77.0.31:53");
	expect_table(b, 2000, kernel_hot, "so are a weight, a scheduler, and servers put in or out");
	bench_shell("ipvsadm -e -t 10.99.0.1:99 -r 10.88.0.99:99 -m -w 9");
	bench_run(b, 1500);
	check(strstr(bench_table(), "10.88.0.99:99 -m -w 9") != NULL,
		"a foreign service is left as its owner has it");
	bench_shell("ipvsadm -e -t 10.99.0.1:99 -r 10.88.0.99:99 -m -w 7");
}

static void
tells_its_status(struct bench *b)
{
	json_t *answer = bench_ask(b, "{\"command\":\"status\"}"), *v, *r;

	v = json_array_get(json_object_get(json_object_get(answer, "result"), "virtual_servers"), 0);
	r = json_array_get(json_object_get(v, "real_servers"), 1);
	check(json_is_true(json_object_get(v, "programmed")) &&
		json_integer_value(json_object_get(v, "healthy")) == 2, "status: programmed, 2 healthy");
	check(json_integer_value(json_object_get(r, "effective_weight")) == 3 &&
		json_is_true(json_object_get(r, "in_kernel")), "status: the weight the kernel has");
	v = json_array_get(json_object_get(json_object_get(answer, "result"), "virtual_servers"), 2);
	check(json_is_false(json_object_get(v, "programmed")) &&
		json_is_false(json_object_get(v, "served")), "status: a cold standby serves nothing");
	json_decref(answer);
}

static bool
lacks_row(struct bench *b, const void *row)
{
	return !has_row(b, row);
}

/* Everything that an operator can do to a server, and that it stays over a restart. */
static void
obeys_operators(struct bench *b)
{
	static const char web1[] = "-a -t 10.77.0.100:80 -r 10.88.0.21:8080 -m";

	check(strstr(ask_for(b, "{\"command\":\"drain\",\"server\":\"web1\"}"), "http/web1: drained, no"),
		"drain answers with what is left");
	check(has_row(b, "-r 10.88.0.21:8080 -m -w 0"), "a drained server has weight 0 at once");
	expect_line(b, "event=server server=web1 virtual=http from=up to=drained reason=operator");
	expect_line(b, "event=server server=web1 virtual=http from=drained to=idle reason=drained");
	ask_for(b, "{\"command\":\"enable\",\"server\":\"http/web1\"}");
	expect_table(b, 1000, kernel_hot, "enable undoes it");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web1\",\"weight\":9}");
	check(has_row(b, "-r 10.88.0.21:8080 -m -w 9"), "another weight");
	ask_for(b, "{\"command\":\"disable\",\"server\":\"web1\",\"for_s\":2}");
	check(!has_row(b, web1), "a disabled server is out");
	check(bench_until(b, 500, has_no_targets, "10.88.0.21:8080"), "and not probed");
	check(bench_until(b, 5000, has_row, "-r 10.88.0.21:8080 -m -w 9"), "until its time is over");
	expect_line(b, "from=disabled to=unknown reason=override-ended");
	check(strstr(ask_for(b, "{\"command\":\"add\",\"virtual\":\"http\",\"server\":\"web9\","
		"\"address\":\"10.88.0.29:8080\",\"weight\":4}"), "added") != NULL, "add");
	check(has_row(b, "-r 10.88.0.29:8080 -m -w 4"), "a server added is in the kernel");
	check(bench_until(b, 1000, has_targets, "10.88.0.29:8080"), "and probed");
	check(strstr(ask_for(b, "{\"command\":\"add\",\"virtual\":\"http\",\"server\":\"web9\","
		"\"address\":\"10.88.0.28:8080\"}"), "already") != NULL, "twice is refused");
	check(strstr(ask_for(b, "{\"command\":\"add\",\"virtual\":\"nix\",\"server\":\"w\","
		"\"address\":\"10.88.0.28:8080\"}"), "no virtual server") != NULL, "so is a stranger");
	check(strstr(ask_for(b, "{\"command\":\"drain\",\"server\":\"nix\"}"), "no real server") != NULL,
		"and a server that is not there");
	ask_for(b, "{\"command\":\"remove\",\"server\":\"http/web2\"}");
	check(!has_row(b, "-r 10.88.0.22:8080"), "a server removed is out");
	check(bench_configure(b, everything), "a reload");
	bench_run(b, 500);
	check(has_row(b, "-r 10.88.0.29:8080 -m -w 4") && !has_row(b, "-r 10.88.0.22:8080") &&
		has_row(b, "-r 10.88.0.21:8080 -m -w 9"), "leaves all of that as it is");
	bench_kill(b);
	check(bench_start(b, everything), "so does a successor");
	bench_role(b, "web", EL_BACKUP);
	bench_role(b, "spare", EL_BACKUP);
	check(bench_until(b, SLOW_MS, has_row, "-r 10.88.0.29:8080 -m -w 4") &&
		!has_row(b, "-r 10.88.0.22:8080") && has_row(b, "-r 10.88.0.21:8080 -m -w 9"),
		"with the same overrides");
	ask_for(b, "{\"command\":\"remove\",\"server\":\"web9\"}");
	ask_for(b, "{\"command\":\"add\",\"virtual\":\"http\",\"server\":\"web2\","
		"\"address\":\"10.88.0.22:8080\",\"weight\":3}");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web1\",\"weight\":null}");
	all_up(b);
	expect_table(b, 2000, kernel_hot, "and everything can be undone");
}

#define BRIEF HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wlc\"; forwarding = \"nat\"; drain_s = 2; " PROBE "\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; } ); } );\n"

/* What ends by itself between two looks at the kernel's table is nobody else's doing. */
static void
blames_nobody(struct bench *b)
{
	check(bench_configure(b, BRIEF), "(drains of two seconds)");
	bench_run(b, 500);
	bench_forget(b);
	for (int i = 0; i < 3; i++) {
		ask_for(b, "{\"command\":\"drain\",\"server\":\"web1\"}");
		check(has_row(b, "-r 10.88.0.21:8080 -m -w 0"), "a drain");
		check(bench_until(b, SLOW_MS, lacks_row, "-r 10.88.0.21:8080"), "that ends");
		bench_run(b, 300);
		ask_for(b, "{\"command\":\"enable\",\"server\":\"web1\"}");
	}
	if (!check(!bench_logged(b, "reason=drift"), "and nobody else is held guilty of it"))
		printf("  the log has:\n%s", b->log);
	bench_shell("ipvsadm -e -t 10.77.0.100:80 -r 10.88.0.21:8080 -m -w 99");
	expect_line(b, "event=plan reason=drift");
	check(bench_configure(b, everything), "(as before)");
	expect_table(b, SLOW_MS, kernel_hot, "as before");
}

static void
forgets_agents(struct bench *b)
{
	check(bench_configure(b, everything), "(without agents again)");
	check(bench_until(b, 1000, has_no_targets, "10.88.0.22:9000"), "nobody asks them");
	all_up(b);
	expect_table(b, SLOW_MS, kernel_hot, "plain weights again");
}

#define SORRY HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; min_healthy = 2; down = \"cut\";\n" \
	"    sorry_server = \"10.88.0.9:80\"; when_none_healthy = \"fail-open\";\n" \
	"    probe = { type = \"http\"; path = \"/health\"; interval_ms = 1000; timeout_ms = 500; };\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; },\n" \
	"                     { name = \"web3\"; address = \"10.88.0.23:8080\"; weight = 1; } ); } );\n"

static void
says_sorry(struct bench *b)
{
	static const char sorry[] = "10.88.0.9:80 -m -w 1";

	check(bench_configure(b, SORRY), "(min_healthy = 2, with a sorry server)");
	check(bench_until(b, 2000, has_targets, "10.88.0.9:80"), "the sorry server is probed");
	bench_report(b, "10.88.0.9:80", true, REASON_PROBE_OK, 0);
	for (int i = 21; i <= 23; i++) {
		char address[ENDPOINT_TEXT];

		snprintf(address, sizeof(address), "10.88.0.%d:8080", i);
		bench_until(b, 2000, has_targets, address);
		bench_report(b, address, true, REASON_PROBE_OK, 0);
	}
	expect_line(b, "server=sorry_server virtual=http from=unknown to=up reason=ok");
	bench_run(b, 500);
	check(!has_row(b, "10.88.0.9:"), "and not used while enough are healthy");
	bench_report(b, "10.88.0.21:8080", false, REASON_TCP_REFUSED, 111);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	check(bench_until(b, 1000, has_row, sorry), "used when too few are");
	expect_line(b, "event=pool virtual=http from=serving to=sorry reason=too-few-healthy "
		"healthy=1 usable=1 needed=2 total=3");
	check(weight_of("10.88.0.23:8080") == 0, "what still works keeps its connections");
	bench_report(b, "10.88.0.9:80", false, REASON_TCP_REFUSED, 111);
	check(bench_until(b, 1000, has_row, "10.88.0.21:8080 -m -w 1") && !has_row(b, "10.88.0.9:"),
		"one that is dead is not used: fail-open");
	expect_line(b, "from=sorry to=fail-open");
	bench_report(b, "10.88.0.9:80", true, REASON_PROBE_OK, 0);
	check(bench_until(b, 1000, has_row, sorry), "it is back");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	bench_run(b, 2500);
	check(has_row(b, sorry), "just enough healthy is not enough yet");
	bench_report(b, "10.88.0.21:8080", true, REASON_PROBE_OK, 0);
	check(bench_until(b, 1000, has_row, "10.88.0.21:8080 -m -w 1") && !has_row(b, "10.88.0.9:"),
		"one more ends it at once");
	expect_line(b, "from=sorry to=serving reason=enough-healthy healthy=3 usable=3 needed=2");
	bench_report(b, "10.88.0.21:8080", false, REASON_TCP_REFUSED, 111);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	check(bench_until(b, 1000, has_row, sorry), "(short again)");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	check(bench_until(b, 7500, has_row, "10.88.0.22:8080 -m -w 3") && !has_row(b, "10.88.0.9:"),
		"so do five quiet seconds");
	expect_line(b, "event=plan reason=enough-healthy");
	check(bench_configure(b, everything), "(without a sorry server again)");
	all_up(b);
	expect_table(b, SLOW_MS, kernel_hot, "as before");
	check(bench_targets(b, "10.88.0.9:80") == 0, "nobody probes the sorry server any more");
}

static bool
refused_with(json_t *answer, const char *text)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	bool ok = error && strstr(error, text);

	if (!ok)
		json_dumpf(answer, stdout, JSON_INDENT(1));
	json_decref(answer);
	return ok;
}

static const char *
op_text(json_t *op, const char *key)
{
	const char *text = json_string_value(json_object_get(op, key));

	return text ? text : "";
}

static void
plans(struct bench *b)
{
	json_t *answer = bench_plan(b, changed), *plan = json_object_get(answer, "result");
	json_t *ops = json_object_get(plan, "operations"), *op = json_array_get(ops, 0);
	json_t *router = json_array_get(json_object_get(plan, "routers"), 0);

	check(json_array_size(ops) == 2 && strcmp(op_text(op, "operation"), "set-real") == 0 &&
		strcmp(op_text(op, "name"), "web1") == 0 && strcmp(op_text(op, "virtual"), "http") == 0 &&
		json_integer_value(json_object_get(op, "weight_from")) == 1 &&
		json_integer_value(json_object_get(op, "weight")) == 5, "plan: another weight");
	op = json_array_get(ops, 1);
	check(strcmp(op_text(op, "operation"), "add-real") == 0 &&
		strcmp(op_text(op, "server"), "10.88.0.23:8080") == 0,
		"plan: a server that nobody has probed yet comes in, as at a reload");
	check(strcmp(op_text(router, "name"), "web") == 0 &&
		json_array_size(json_object_get(router, "added")) == 1 &&
		json_array_size(json_object_get(router, "removed")) == 0 &&
		json_array_size(json_object_get(plan, "routers")) == 1, "plan: a router's address more");
	if (!check(bench_table_is(b, kernel_hot), "and nothing has changed"))
		printf("%s", bench_table());
	json_decref(answer);
	expect_line(b, "event=plan reason=operator plan=");
	answer = bench_plan(b, everything);
	plan = json_object_get(answer, "result");
	check(json_array_size(json_object_get(plan, "operations")) == 0 &&
		json_array_size(json_object_get(plan, "routers")) == 0 &&
		json_is_false(json_object_get(plan, "configuration_changed")),
		"plan: nothing would change");
	json_decref(answer);
	answer = bench_plan(b, nothing);
	ops = json_object_get(json_object_get(answer, "result"), "operations");
	check(json_array_size(ops) == 2 &&
		strcmp(op_text(json_array_get(ops, 0), "operation"), "del-service") == 0 &&
		strcmp(op_text(json_array_get(ops, 1), "operation"), "del-service") == 0 &&
		strcmp(op_text(json_array_get(ops, 0), "service"), "10.99.0.1:99") != 0 &&
		strcmp(op_text(json_array_get(ops, 1), "service"), "10.99.0.1:99") != 0,
		"plan: without virtual servers ours go, a foreign one is not even mentioned");
	json_decref(answer);
	check(refused_with(bench_ask(b, "{\"command\":\"plan\",\"file\":\"/f\"}"), "descriptor"),
		"plan: refused without a descriptor");
}

static void
refuses_a_void_plan(struct bench *b)
{
	static const char apply[] = "{\"command\":\"apply\"}";

	json_decref(bench_plan(b, changed));
	b->apply.id = 0;
	bench_report(b, "10.88.0.21:8080", false, REASON_TCP_REFUSED, 111);
	expect_table(b, 2000, kernel_web1_down, "(a server goes down after the plan)");
	check(refused_with(bench_ask(b, apply), "changed since the plan (2 operations then, 1 now"),
		"apply: refused when the kernel moved since");
	check(b->apply.id == 0 && bench_table_is(b, kernel_web1_down), "and nothing was asked or done");
	all_up(b);
	expect_table(b, 2000, kernel_hot, "(up again)");
	check(refused_with(bench_ask(b, apply), "not what was planned") &&
		strcmp(b->apply.file, "/planned.conf") == 0 && bench_table_is(b, kernel_hot),
		"apply: refused when the daemon's file is another");
	check(bench_configure(b, everything), "(a reload)");
	check(refused_with(bench_ask(b, apply), "reloaded since the plan"),
		"apply: refused after a reload");
}

static void
applies_a_plan(struct bench *b)
{
	json_t *answer, *done;

	json_decref(bench_plan(b, changed));
	bench_install(b, changed);
	bench_forget(b);
	answer = bench_ask(b, "{\"command\":\"apply\"}");
	done = json_object_get(answer, "result");
	if (!check(json_integer_value(json_object_get(done, "operations")) == 2 &&
		    json_integer_value(json_object_get(done, "planned")) == 2 &&
		    json_is_true(json_object_get(done, "programmed")), "apply: did what was planned"))
		json_dumpf(answer, stdout, JSON_INDENT(1));
	check(bench_table_is(b, kernel_changed), "and the kernel has it when the answer comes");
	json_decref(answer);
	expect_line(b, "event=plan reason=reconfigured operations=2 failed=0");
	check(refused_with(bench_ask(b, "{\"command\":\"apply\"}"), "there is no plan"),
		"apply: once");
	check(bench_configure(b, everything), "(back)");
	expect_table(b, SLOW_MS, kernel_hot, "(as before)");
	all_up(b);
}

#define MEASURED HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; weighting = \"latency\"; " PROBE "\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; } ); } );\n"

static void
weighs_by_latency(struct bench *b)
{
	int swing;

	check(bench_configure(b, MEASURED), "(weighting by latency)");
	check(bench_until(b, SLOW_MS, has_row, "-r 10.88.0.22:8080 -m -w 300"), "a hundredfold");
	bench_forget(b);
	for (int i = 0; i < 40 && weight_of("10.88.0.22:8080") != 75; i++) {
		bench_report(b, "10.88.0.21:8080", true, REASON_PROBE_OK, 0);
		bench_report_after(b, "10.88.0.22:8080", 80 * NS_PER_MS);
		bench_run(b, 500);
	}
	check(weight_of("10.88.0.22:8080") == 75, "a slow server gets a quarter of its weight");
	check(weight_of("10.88.0.21:8080") == 100, "the quick one all of it");
	if (!check(!bench_logged(b, "reason=drift"), "and nobody else is held guilty of it"))
		printf("  the log has:\n%s", b->log);
	expect_line(b, "event=plan reason=latency");
	swing = weight_of("10.88.0.22:8080");
	bench_report_after(b, "10.88.0.22:8080", NS_PER_MS);
	bench_run(b, 2500);
	check(weight_of("10.88.0.22:8080") == swing, "one quick answer changes nothing");
	check(bench_configure(b, everything), "(static again)");
	all_up(b);
	expect_table(b, SLOW_MS, kernel_hot, "plain weights again");
}

static bool
wished(struct bench *b, const void *unused)
{
	(void)unused;
	return b->wish.id != 0;
}

/* The answer of the election comes while the client waits. */
static void
forwards_a_switchover(struct bench *b)
{
	struct ipc_result result = {.ok = false, .text = "not active on this node"};
	json_t *answer;

	/* An answer that nobody asked for harms nobody. */
	result.id = 12345;
	channel_send(b->election, IPC_SWITCHOVER_RESULT, &result, sizeof(result), -1);
	answer = bench_ask(b, "{\"command\":\"switchover\",\"router\":\"web\"}");
	check(wished(b, NULL) && strcmp(b->wish.router, "web") == 0,
		"a switchover is asked of the election");
	check(strstr(json_string_value(json_object_get(answer, "error")), "no answer") != NULL,
		"and refused when it does not answer in 5 s");
	json_decref(answer);
}

static bool
backup_only_is(struct bench *b, const void *value)
{
	(void)b;
	return strcmp(bench_sysctl("backup_only"), value) == 0;
}

static bool
gate_asked_for(struct bench *b, const void *unused)
{
	(void)unused;
	return b->gate_asks > 0;
}

/*
 * The gate is the election's. This process does not know of a takeover before it has read the
 * message; what it would write on its own may be the opposite of what the takeover has just set.
 */
static void
leaves_the_gate_alone(struct bench *b)
{
	b->gate = NULL;
	bench_shell("echo 0 > /proc/sys/net/ipv4/vs/backup_only"); /* a takeover, not yet told */
	b->gate_asks = 0;
	check(bench_until(b, 3000, gate_asked_for, NULL) && backup_only_is(b, "0"),
		"a gate that is open on a standby: asks, and does not shut it");
	b->gate = "1";
	check(bench_until(b, 3000, backup_only_is, "1"), "the election does");
	bench_run(b, 200);
	b->gate_asks = 0;
	bench_run(b, 2500);
	check(b->gate_asks == 0, "a gate that is right is nobody's business");
}

static void
tells_of_a_refused_gate(struct bench *b)
{
	b->gate = NULL;
	bench_forget(b);
	bench_shell("echo 0 > /proc/sys/net/ipv4/vs/backup_only");
	bench_run(b, 4500);
	expect_line(b, "detail=backup_only error=");
	b->gate = "1";
	check(bench_until(b, 3000, backup_only_is, "1"), "and goes on asking");
	bench_forget(b);
}

static bool
sync_daemons_are(struct bench *b, const void *lines)
{
	(void)b;
	return strcmp(bench_shell("ipvsadm -L --daemon 2>&1 | sort"), lines) == 0;
}

#define TO "group=224.0.0.90, port=8900, ttl=3)\n"

static void
synchronises_as_configured(struct bench *b)
{
	/* What the other one sends is as long as its own file says: there is room for more. */
	static const char daemons[] =
		"backup sync daemon (mcast=v0, syncid=8, maxlen=1472, " TO "master sync daemon "
		"(mcast=v0, syncid=7, maxlen=1400, " TO;

	check(bench_configure(b, other_sync), "(another group, port, ttl, id and length)");
	if (!check(bench_until(b, 3000, sync_daemons_are, daemons), "the sync daemons have all of it"))
		printf("  %s\n", bench_shell("ipvsadm -L --daemon"));
	check(bench_configure(b, everything), "(as before)");
}

static void
synchronises(struct bench *b)
{
	const char *daemons = bench_shell("ipvsadm -L --daemon 2>&1 | sort");

	if (!check(strstr(daemons, "backup sync daemon (mcast=v0, syncid=2") &&
		    strstr(daemons, "master sync daemon (mcast=v0, syncid=1"),
		    "both sync daemons run, with crossed ids"))
		printf("  %s\n", daemons);
	check(strcmp(bench_sysctl("sync_threshold"), "0 1") == 0 &&
		strcmp(bench_sysctl("sync_refresh_period"), "10") == 0, "with the sysctls they need");
	check(bench_until(b, 3000, backup_only_is, "1"), "the gate is shut on a standby");
	leaves_the_gate_alone(b);
	tells_of_a_refused_gate(b);
	bench_role(b, "web", EL_ACTIVE);
	check(bench_until(b, 1000, backup_only_is, "0"), "open on an active node");
	bench_shell("echo 1 > /proc/sys/net/ipv4/vs/backup_only");
	check(bench_until(b, 3000, backup_only_is, "0"), "opened again when somebody shuts it");
	bench_role(b, "web", EL_BACKUP);
	check(bench_until(b, 3000, backup_only_is, "1"), "and shut after the role is gone");
	synchronises_as_configured(b);
}

static bool
prepared(struct bench *b, const void *router)
{
	return strcmp(b->prepared, router) == 0;
}

static void
warms_a_cold_standby(struct bench *b)
{
	bench_prepare(b, "spare");
	check(bench_until(b, SLOW_MS, prepared, "spare"), "a cold pool is prepared when asked");
	if (!check(bench_table_is(b, kernel_all), "and is in the kernel when it says so"))
		printf("%s", bench_table());
	bench_role(b, "spare", EL_ACTIVE);
	check(bench_until(b, 2000, has_targets, "10.88.0.41:25"), "its servers are probed now");
	for (size_t i = 0; i < BENCH_TARGETS; i++)
		if (b->targets[i].set && b->targets[i].what.address.port == 25)
			check(b->targets[i].what.urgent, "at once, not at their phase");
	bench_role(b, "spare", EL_BACKUP);
	expect_table(b, 2000, kernel_hot, "and gone when the role is");
	bench_prepare(b, "spare");
	bench_until(b, SLOW_MS, prepared, "spare");
	bench_role(b, "spare", EL_BACKUP); /* the claim was given up: no change of role */
	expect_table(b, SLOW_MS, kernel_hot, "a preparation that leads to nothing is undone");
}

static bool
is_alive(struct bench *b, const void *since)
{
	return atomic_load(&b->handover->alive_ns[handover_slot(PROCESS_POOL, 0)]) >
		*(const int64_t *)since;
}

static void
outlives_a_crash(struct bench *b)
{
	int64_t now = mono_now().ns;

	check(bench_until(b, 1000, is_alive, &now), "gives signs of life");
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	expect_table(b, 2000, kernel_web2_down, "(one server down)");
	bench_kill(b);
	check(bench_table_is(b, kernel_web2_down), "killed: the table stays");
	bench_forget(b);
	check(bench_start(b, everything), "a successor starts");
	bench_role(b, "web", EL_ACTIVE);
	bench_role(b, "spare", EL_BACKUP);
	bench_run(b, 2500);
	if (!check(bench_table_is(b, kernel_web2_down) && !bench_logged(b, "event=plan"),
		    "it adopts the table and changes nothing, not even for a moment"))
		printf("  the log has:\n%s", b->log);
	bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	expect_table(b, 2000, kernel_hot, "the first result lets the server in again");
}

static void
removes_leftovers(struct bench *b)
{
	bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080");
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	expect_table(b, 2000, kernel_web2_down, "(one server down again)");
	check(bench_abandon(b), "without a supervisor it ends");
	check(bench_table_is(b, kernel_web2_down), "and leaves the table to its successor");
	bench_forget(b);
	check(bench_start(b, http_only), "a successor with a smaller configuration starts");
	bench_role(b, "web", EL_ACTIVE);
	bench_role(b, "spare", EL_BACKUP);
	expect_table(b, SLOW_MS, kernel_http_web2_down, "what is not configured any more is removed");
	expect_line(b, "event=plan operation=del-service reason=leftover protocol=udp "
		"service=10.77.0.100:53");
	check(bench_configure(b, everything), "a reload is taken");
	expect_table(b, SLOW_MS, kernel_web2_down, "and adds what is new; the server stays down");
	expect_line(b, "event=plan reason=reconfigured");
}

static void
survives_rudeness(struct bench *b)
{
	char command[256];

	snprintf(command, sizeof(command),
		"for i in 1 2 3 4 5; do head -c 20000 /dev/urandom | "
		"timeout 5 socat -u - UNIX-CONNECT:%s/tandem.sock 2>/dev/null; done; true", b->dir);
	bench_shell(command);
	tells_its_status(b);
	expect_line(b, "event=control reason=bad-request");
}

static void
withdraws(struct bench *b)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/tandem.sock", b->dir);
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "the control socket is root's");
	check(bench_stop(b), "a clean stop exits with 0");
	if (!check(bench_table_is(b, kernel_foreign), "removes what is ours and nothing else"))
		printf("%s", bench_table());
	if (!check(bench_shell("ipvsadm -L --daemon 2>&1")[0] == '\0', "stops the sync daemons"))
		printf("  %s", bench_shell("ipvsadm -L --daemon"));
	check(strcmp(bench_sysctl("backup_only"), "0") == 0, "opens the gate");
	snprintf(path, sizeof(path), "%s|", bench_sysctl("sync_threshold"));
	strcat(path, bench_sysctl("sync_refresh_period"));
	strcat(strcat(path, "|"), bench_sysctl("expire_nodest_conn"));
	if (!check(strcmp(path, "3 50|0|0") == 0, "puts back what was there"))
		printf("  %s\n", path);
	check(stat(path, &st) == -1, "and takes the control socket away");
	check(!bench_logged(b, "error="), "without a refusal of the kernel");
}

int
main(void)
{
	static struct bench b;

	bench_open(&b);
	without_virtual_servers(&b);
	programs_the_kernel(&b);
	follows_health(&b);
	repairs(&b);
	tells_its_status(&b);
	obeys_operators(&b);
	blames_nobody(&b);
	plans(&b);
	refuses_a_void_plan(&b);
	applies_a_plan(&b);
	warms_who_was_down(&b);
	hears_agents(&b);
	weighs_by_programs(&b);
	groups_probes(&b);
	forgets_agents(&b);
	says_sorry(&b);
	weighs_by_latency(&b);
	forwards_a_switchover(&b);
	synchronises(&b);
	warms_a_cold_standby(&b);
	outlives_a_crash(&b);
	removes_leftovers(&b);
	keeps_out_who_is_asked_anew(&b);
	keeps_the_departing_out(&b);
	survives_rudeness(&b);
	withdraws(&b);
	bench_close(&b);
	printf("%d passed, %d failed\n", check_passes(), check_failures());
	return check_failures() == 0 ? 0 : 1;
}
