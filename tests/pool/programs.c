/* Programs as probes: the supervisor is asked to run them, and their exit status is a weight. */
#include "tests.h"

#include <string.h>

#define PROGRAMS HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; " \
	"    probe = { type = \"exec\"; command = \"/bin/true\"; exit_weight = true; };\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 2; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = %d; } ); } );\n"

void
weighs_by_programs(struct bench *b)
{
	char text[2048];

	snprintf(text, sizeof(text), PROGRAMS, 3);
	check(bench_configure(b, text), "(programs are configured)");
	check(bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080"), "the supervisor is asked");
	bench_exit(b, "10.88.0.21:8080", 0);
	bench_exit(b, "10.88.0.22:8080", 0);
	check(bench_until(b, 2000, has_row, "10.88.0.22:8080 -m -w 3"), "exit 0: as configured");
	bench_exit(b, "10.88.0.22:8080", 42);
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 40"), "exit 42: 40");
	expect_line(b, "event=plan reason=probe-weight");
	bench_exit(b, "10.88.0.22:8080", 2);
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 0"), "exit 2: nobody new");
	bench_exit(b, "10.88.0.22:8080", 255);
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 253"), "exit 255: 253");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web2\",\"weight\":9}");
	check(has_row(b, "10.88.0.22:8080 -m -w 9"), "an operator's weight outranks it");
	ask_for(b, "{\"command\":\"weight\",\"server\":\"web2\",\"weight\":null}");
	bench_exit(b, "10.88.0.22:8080", 1);
	expect_line(b, "server=web2 virtual=http from=up to=down reason=exec-failed detail=1");
	snprintf(text, sizeof(text), PROGRAMS, 4);
	check(bench_configure(b, text), "(reloaded, with another weight)");
	bench_run(b, 300);
	check(!has_row(b, "10.88.0.22:8080"), "and over a reload it is down");
	check(b->targets[0].exec || b->targets[1].exec, "asked again of the new configuration");
	bench_exit(b, "10.88.0.22:8080", 0);
	check(bench_until(b, 1000, has_row, "10.88.0.22:8080 -m -w 4"), "exit 0: as configured now");
}
