/*
 * Who cannot be reached: by what this node's own routes say, which is no server's fault, and by what
 * the network says, which is. A route answers at once, connect() or the datagram fails; a neighbour
 * that is silent fails later, whatever the kernel knows of it from the probe before.
 */
#include "tests.h"

#include "conf/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct route_case {
	const char *route; /* a type of ip-route(8); NULL: there is none */
	int error;
} routes[] = {
	{NULL, ENETUNREACH},
	{"unreachable", EHOSTUNREACH},
	{"prohibit", EACCES},
	{"blackhole", EINVAL},
};

static const struct asked_case {
	const char *name;
	uint8_t type;        /* enum conf_probe_type */
	bool half_open, answered;
	enum reason silent;  /* what a neighbour that is not there comes to */
} kinds[] = {
	{"tcp", CONF_PROBE_TCP, false, false, REASON_UNREACHABLE},
	{"half-open", CONF_PROBE_TCP, true, false, REASON_UNREACHABLE},
	{"http", CONF_PROBE_HTTP, false, false, REASON_UNREACHABLE},
	{"udp", CONF_PROBE_UDP, false, true, REASON_UNREACHABLE},
	{"udp, no answer needed", CONF_PROBE_UDP, false, false, REASON_UNREACHABLE},
	{"icmp", CONF_PROBE_ICMP, false, false, REASON_ICMP_TIMEOUT}, /* the socket is not told */
};

enum {
	ROUTES = sizeof(routes) / sizeof(routes[0]),
	KINDS = sizeof(kinds) / sizeof(kinds[0]),
	ALL = 2 * KINDS,
};

/* The even ones over IPv4, the odd ones over IPv6. */
static void
ask_all(struct bench *b, const char *address4, const char *address6)
{
	for (uint32_t i = 0; i < ALL; i++) {
		const struct asked_case *k = &kinds[i / 2];
		struct bench_probe set = probe_of_type(k->type);

		set.urgent = true;
		set.seed = PROBE_SEED_UP;
		set.probe.fall = 2;
		set.probe.interval_ms = 300;
		set.probe.timeout_ms = 300; /* longer than a neighbour is looked for */
		set.probe.interval_fast_ms = 100;
		set.probe.half_open = k->half_open;
		bytes_parse("you", &set.probe.send);
		if (k->type != CONF_PROBE_UDP)
			set.probe.send.length = 0;
		if (k->answered)
			bytes_parse("me", &set.probe.answer);
		set.address.port = 80;
		ip_addr_parse(i % 2 == 0 ? address4 : address6, &set.address.addr);
		bench_set(b, i, &set);
	}
}

/* By a route, on both families. */
static void
route(const char *what, const char *type)
{
	char command[128];

	if (type == NULL)
		return;
	snprintf(command, sizeof(command), "route %s %s 198.51.100.0/24", what, type);
	ip(command);
	snprintf(command, sizeof(command), "-6 route %s %s 2001:db8:51::/64", what, type);
	ip(command);
}

static void
check_route(const struct route_case *r)
{
	struct bench *b;
	uint32_t i;

	route("add", r->route);
	b = bench_start(0);
	ask_all(b, "198.51.100.7", "2001:db8:51::7");
	bench_run(b, 1200);
	for (i = 0; i < ALL; i++) {
		const struct ipc_probe_result *last = &b->seen[i].last;

		check(b->seen[i].any && last->up && last->failures == 0 &&
			last->reason == REASON_LOCAL_ERROR && last->detail == r->error,
			"%s route, %s over IPv%d: %s (%s), %s, %llu failures",
			r->route != NULL ? r->route : "no", kinds[i / 2].name, i % 2 == 0 ? 4 : 6,
			reason_tag((enum reason)last->reason), strerror(last->detail),
			last->up ? "up" : "down", (unsigned long long)last->failures);
	}
	check(b->stats.local_errors >= ALL, "%llu local errors are counted",
		(unsigned long long)b->stats.local_errors);
	route("del", r->route);
	check(bench_stop(b), "stopped");
}

static bool
all_down(struct bench *b, void *of)
{
	uint32_t i;

	(void)of;
	for (i = 0; i < ALL && b->seen[i].any && !b->seen[i].last.up; i++)
		continue;
	return i == ALL;
}

/* On the link, as the routes say, and nobody answers for it. A neighbour beside it is well. */
static void
check_neighbour(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe well = probe_of_type(CONF_PROBE_ICMP);
	uint32_t i;

	well.seed = PROBE_SEED_UP;
	ip_addr_parse("192.0.2.1", &well.address.addr);
	bench_set(b, ALL, &well);
	ip_addr_parse("2001:db8::1", &well.address.addr);
	bench_set(b, ALL + 1, &well);
	ask_all(b, "192.0.2.7", "2001:db8::7");
	bench_until(b, 4000, all_down, NULL);
	bench_run(b, 1100); /* asked again, of those that the kernel knows to fail */
	for (i = 0; i < ALL; i++) {
		const struct ipc_probe_result *last = &b->seen[i].last;

		check(b->seen[i].any && !last->up && last->failures >= 2 &&
			last->reason == (uint32_t)kinds[i / 2].silent,
			"a neighbour that is silent, %s over IPv%d: %s, %s", kinds[i / 2].name,
			i % 2 == 0 ? 4 : 6, reason_tag((enum reason)last->reason),
			last->up ? "up" : "down");
	}
	for (i = ALL; i < ALL + 2; i++)
		check(b->seen[i].any && b->seen[i].last.up && b->seen[i].last.failures == 0 &&
			b->seen[i].last.probes >= 10, "and nobody else's fault: %llu echoes, %llu failures",
			(unsigned long long)b->seen[i].last.probes,
			(unsigned long long)b->seen[i].last.failures);
	check(b->stats.local_errors == 0, "which is no fault of this node: %llu local errors",
		(unsigned long long)b->stats.local_errors);
	check(bench_stop(b), "stopped");
}

void
test_routes(void)
{
	link_without_neighbours("192.0.2.1/24", "2001:db8::1/64");
	for (size_t i = 0; i < ROUTES; i++)
		check_route(&routes[i]);
	check_neighbour();
}
