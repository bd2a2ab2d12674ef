/* Slow start over a real table: the kernel's weight in time, and who has none. */
#include "tests.h"

#define RAMPED HEAD "virtual_servers = (\n" \
	"  { name = \"http\"; router = \"web\"; listen = \"10.77.0.100:80\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wrr\"; forwarding = \"nat\"; slow_start_s = 6; " PROBE "\n" \
	"    real_servers = ( { name = \"web1\"; address = \"10.88.0.21:8080\"; weight = 1; },\n" \
	"                     { name = \"web2\"; address = \"10.88.0.22:8080\"; weight = 3; } ); },\n" \
	"  { name = \"smtp\"; router = \"spare\"; listen = \"10.77.0.101:25\"; protocol = \"tcp\";\n" \
	"    scheduler = \"wlc\"; forwarding = \"nat\"; slow_start_s = 6; " PROBE "\n" \
	"    real_servers = ( { name = \"mx1\"; address = \"10.88.0.41:25\"; weight = 2; },\n" \
	"                     { name = \"mx2\"; address = \"10.88.0.42:25\"; weight = 2; } ); } );\n"

enum { RAMP_MS = 6000, RAMP_WHOLE = 300, RAMP_TICK_MS = 2000 };

/* What slow start makes of 300 after so long: ten steps, the first at once, the last at the end. */
static int
ramped(int64_t ms)
{
	int64_t steps = ms <= 0 ? 0 : ms >= RAMP_MS ? 9 : ms * 9 / RAMP_MS;

	return (int)(RAMP_WHOLE * (1 + steps) / 10);
}

/* The kernel's weight in time, from the moment that the server is well: looked at each second here. */
static void
climbs_as_configured(struct bench *b)
{
	mono begun = mono_now();
	int samples = 0, off = 0, weight = 0;

	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	expect_line(b, "server=10.88.0.22:8080 weight=30"); /* a tenth */
	printf("figure weight of %d in the kernel, ms after recovery, slow start of %d ms:", RAMP_WHOLE,
		RAMP_MS);
	while (weight < RAMP_WHOLE && !mono_due(mono_add_ns(begun, 12 * NS_PER_S), mono_now())) {
		int64_t from_ms = mono_diff_ns(mono_now(), begun) / NS_PER_MS, to_ms;

		weight = weight_of("10.88.0.22:8080");
		to_ms = mono_diff_ns(mono_now(), begun) / NS_PER_MS;
		printf(" %d:%d", (int)to_ms, weight);
		samples++;
		off += weight > ramped(to_ms) || weight < ramped(from_ms - RAMP_TICK_MS);
		bench_run(b, 250);
	}
	printf("\n");
	check(weight == RAMP_WHOLE && samples > 5 && off == 0,
		"its weight climbs as configured, to all of it: %d of %d samples off", off, samples);
	check(weight_of("10.88.0.21:8080") == 100, "the other one has what it had");
}

static void
starts_with_all_of_it(struct bench *b)
{
	bench_kill(b);
	bench_shell("ipvsadm -C");
	foreign_service();
	check(bench_start(b, RAMPED), "(a start)");
	bench_role(b, "web", EL_BACKUP);
	bench_role(b, "spare", EL_BACKUP);
	check(bench_until(b, SLOW_MS, has_row, "-r 10.88.0.22:8080 -m -w 300"),
		"no slow start at a start");
	bench_role(b, "spare", EL_ACTIVE);
	check(bench_until(b, SLOW_MS, has_row, "-r 10.88.0.42:25 -m -w 200"), "nor at a takeover");
	bench_until(b, SLOW_MS, has_targets, "10.88.0.42:25");
	bench_forget(b);
	bench_report(b, "10.88.0.41:25", true, REASON_PROBE_OK, 0);
	bench_report(b, "10.88.0.42:25", true, REASON_PROBE_OK, 0);
	expect_line(b, "server=mx2 virtual=smtp from=unknown to=up");
	check(weight_of("10.88.0.41:25") == 200 && weight_of("10.88.0.42:25") == 200 &&
		!bench_logged(b, "event=plan"), "nor with the first good probe");
	bench_role(b, "spare", EL_BACKUP);
}

void
warms_who_was_down(struct bench *b)
{
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	check(bench_configure(b, RAMPED), "(slow start is configured)");
	bench_until(b, SLOW_MS, has_row, "-r 10.88.0.21:8080 -m -w 100");
	check(weight_of("10.88.0.21:8080") == 100, "a reload: a hundredfold, and no slow start");
	bench_forget(b);
	climbs_as_configured(b);
	check(!bench_logged(b, "reason=drift"), "and nobody else is held guilty of it");
	expect_line(b, "event=plan reason=slow-start");
	bench_report(b, "10.88.0.21:8080", false, REASON_TCP_REFUSED, 111);
	bench_report(b, "10.88.0.22:8080", false, REASON_TCP_REFUSED, 111);
	bench_run(b, 300);
	bench_report(b, "10.88.0.22:8080", true, REASON_PROBE_OK, 0);
	bench_run(b, 300);
	check(weight_of("10.88.0.22:8080") == 300, "the only healthy one serves at once");
	starts_with_all_of_it(b);
	check(bench_configure(b, everything), "(without slow start again)");
	all_up(b);
	expect_table(b, SLOW_MS, kernel_hot, "plain weights again");
}
