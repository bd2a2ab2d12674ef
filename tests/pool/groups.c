/* Groups of probes: members are targets of their own, the server has one verdict. */
#include "tests.h"

#include <string.h>

#define GROUP HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; probe = { type = \"%s\"; probes = (\n" \
	"      { type = \"tcp\"; }, { type = \"http\"; port = 8081; }, { type = \"exec\"; port = 8082;\n" \
	"        command = \"/bin/true\"; } ); };\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 2; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = %d; } ); } );\n"
#define ROW "10.88.0.22:8080 -m -w 3"

static void
one_up(struct bench *b, const char *host)
{
	static const char *const ports[] = {"8080", "8081", "8082"};
	char address[ENDPOINT_TEXT];

	for (int i = 0; i < 3; i++) {
		snprintf(address, sizeof(address), "%s:%s", host, ports[i]);
		check(bench_until(b, SLOW_MS, has_targets, address), "%s is asked", address);
		if (i < 2)
			bench_report(b, address, true, REASON_PROBE_OK, 0);
		else
			bench_exit(b, address, 0);
	}
}

static bool
lacks_server(struct bench *b, const void *row)
{
	return !has_row(b, row);
}

void
groups_probes(struct bench *b)
{
	char text[2048];

	snprintf(text, sizeof(text), GROUP, "all", 3);
	check(bench_configure(b, text), "(all of three probes)");
	one_up(b, "10.88.0.21");
	one_up(b, "10.88.0.22");
	expect_line(b, "event=server server=web2 virtual=http from=unknown to=up reason=ok");
	bench_report(b, "10.88.0.22:8081", false, REASON_HTTP_STATUS, 503);
	check(bench_until(b, 1000, lacks_server, "10.88.0.22:8080"), "all: one is enough to be out");
	expect_line(b, "event=server server=web2 virtual=http from=up to=down reason=http-status "
		"detail=503 member=2");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	bench_exit(b, "10.88.0.22:8082", 1);
	snprintf(text, sizeof(text), GROUP, "all", 3);
	bench_run(b, 300);
	bench_report(b, "10.88.0.22:8081", true, REASON_PROBE_OK, 0);
	bench_run(b, 300);
	check(!has_row(b, "10.88.0.22:8080"), "and another one to stay out");
	snprintf(text, sizeof(text), GROUP, "all", 4);
	check(bench_configure(b, text), "(reloaded, with another weight)");
	bench_run(b, 300);
	check(!has_row(b, "10.88.0.22:8080"), "over a reload, too");
	bench_exit(b, "10.88.0.22:8082", 0);
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 4"), "all well: in");
	snprintf(text, sizeof(text), GROUP, "any", 3);
	check(bench_configure(b, text), "(any of three probes)");
	one_up(b, "10.88.0.21");
	one_up(b, "10.88.0.22");
	bench_forget(b);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	bench_exit(b, "10.88.0.22:8082", 1);
	bench_run(b, 300);
	check(has_row(b, ROW) && !bench_logged(b, "event=server"), "any: one is enough to stay in");
	bench_report(b, "10.88.0.22:8081", false, REASON_HTTP_STATUS, 503);
	check(bench_until(b, 1000, lacks_server, "10.88.0.22:8080"), "none: out");
	expect_line(b, "server=web2 virtual=http from=up to=down reason=http-status detail=503 member=2");
	bench_exit(b, "10.88.0.22:8082", 0);
	check(bench_until(b, 1000, has_row, ROW), "one is back");
	ask_for(b, "{\"command\":\"disable\",\"server\":\"web2\"}");
	check(bench_until(b, 1000, has_no_targets, "10.88.0.22:8081") &&
		bench_until(b, 1000, has_no_targets, "10.88.0.22:8082"), "disabled: none is asked");
	ask_for(b, "{\"command\":\"enable\",\"server\":\"web2\"}");
	check(bench_until(b, 1000, has_targets, "10.88.0.22:8081"), "enabled: they are again");
}
