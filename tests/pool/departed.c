/* Who was down stays out when nothing more is known of him for a while: asked anew, or by a successor. */
#include "tests.h"

#define ASKED_ANEW HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wlc\"; forwarding = \"nat\";\n" \
	"    probe = { type = \"http\"; interval_ms = 60000; timeout_ms = 500; };\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; } ); } );\n"

static bool
asked_at_once(const struct bench *b, const char *address)
{
	struct endpoint at;
	bool urgent = false;

	endpoint_parse(address, &at);
	for (size_t i = 0; i < BENCH_TARGETS; i++)
		if (b->targets[i].set && endpoint_equal(&b->targets[i].what.address, &at))
			urgent = b->targets[i].what.urgent;
	return urgent;
}

/* A reload that has a server asked in another way knows as much of it as before: it is down. */
void
keeps_out_who_is_asked_anew(struct bench *b)
{
	bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080");
	all_up(b);
	expect_table(b, 2000, kernel_hot, "(all up)");
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	expect_table(b, 2000, kernel_web2_down, "(one server down)");
	bench_run(b, 300);
	bench_forget(b);
	check(bench_configure(b, ASKED_ANEW), "(another probe)");
	bench_run(b, 500);
	if (!check(!has_row(b, "10.88.0.22:8080") && !bench_logged(b, "server=10.88.0.22:8080"),
		    "who was down gets no clients because it is asked in another way"))
		printf("  the log has:\n%s", b->log);
	check(bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080") &&
		asked_at_once(b, "10.88.0.22:8080") && !asked_at_once(b, "10.88.0.21:8080"),
		"and is asked at once, and not within the next minute");
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	check(bench_until(b, 2000, has_row, "10.88.0.22:8080 -m -w 3"), "the first result lets it in");
	check(bench_configure(b, everything), "(as before)");
	all_up(b);
	expect_table(b, SLOW_MS, kernel_hot, "as before");
}

/* A server that is down and has connections stands in the kernel with weight 0. */
void
keeps_the_departing_out(struct bench *b)
{
	static const char departing[] = "10.88.0.22:8080 -m -w 0";

	bench_shell("ip route add 10.88.0.0/24 dev v0; for i in 1 2 3 4 5 6 7 8; do "
		"timeout 0.2 bash -c 'exec 3<> /dev/tcp/10.77.0.100/80' 2> /dev/null; done; true");
	bench_run(b, 1000);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	check(bench_until(b, 2000, has_row, departing), "who goes down with connections keeps them");
	bench_kill(b);
	bench_forget(b);
	check(bench_start(b, everything), "a successor starts");
	bench_role(b, "web", EL_ACTIVE);
	bench_role(b, "spare", EL_BACKUP);
	bench_run(b, 2500);
	if (!check(has_row(b, departing) && !bench_logged(b, "event=plan"),
		    "it gives no clients to who was down, and cuts no connection"))
		printf("  the log has:\n%s%s", b->log, bench_table());
	bench_until(b, SLOW_MS, has_targets, "10.88.0.22:8080");
	all_up(b);
	expect_table(b, 2000, kernel_hot, "the first result lets it in");
}
