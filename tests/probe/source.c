/*
 * Where probes come from: what a server sees of each kind of probe over IPv4 and IPv6, and what
 * becomes of one whose address this node does not have.
 */
#include "tests.h"

#include "conf/bytes.h"
#include "servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCE4 "10.98.0.5"
#define SOURCE6 "fd00:98::5"

static const struct source_case {
	const char *name;
	uint8_t type;   /* enum conf_probe_type */
	uint8_t family; /* enum ip_family */
} cases[] = {
	{"tcp", CONF_PROBE_TCP, IP_V4},
	{"tcp over IPv6", CONF_PROBE_TCP, IP_V6},
	{"http", CONF_PROBE_HTTP, IP_V4},
	{"udp", CONF_PROBE_UDP, IP_V4},
	{"udp over IPv6", CONF_PROBE_UDP, IP_V6},
	{"icmp", CONF_PROBE_ICMP, IP_V4},
	{"icmp over IPv6", CONF_PROBE_ICMP, IP_V6},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* What hears the probe: a listener, a port, or every echo request of that family. */
static int
open_ear(const struct source_case *c, uint16_t *port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6}; /* IPv4 comes as mapped addresses */
	socklen_t length = sizeof(at);
	int kind = c->type == CONF_PROBE_UDP ? SOCK_DGRAM : SOCK_STREAM, fd;

	if (c->type == CONF_PROBE_ICMP) {
		*port = 0;
		return socket(c->family == IP_V6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC,
			c->family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	}
	fd = socket(AF_INET6, kind | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, length) == -1 ||
	    (kind == SOCK_STREAM && listen(fd, 16) == -1) ||
	    getsockname(fd, (struct sockaddr *)&at, &length) == -1)
		die("ear");
	*port = ntohs(at.sin6_port);
	return fd;
}

/* The address that the next probe comes from, as a text; "" when none came. */
static const char *
hear(const struct source_case *c, int ear)
{
	static char text[INET6_ADDRSTRLEN];
	struct pollfd p = {.fd = ear, .events = POLLIN};
	struct sockaddr_in6 from = {0};
	struct sockaddr_in from4 = {0};
	socklen_t length = sizeof(from);
	char bytes[256];
	int fd = -1;

	text[0] = '\0';
	if (poll(&p, 1, 3000) != 1)
		return text;
	if (c->type == CONF_PROBE_TCP || c->type == CONF_PROBE_HTTP)
		fd = accept(ear, (struct sockaddr *)&from, &length);
	else
		recvfrom(ear, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &length);
	if (fd != -1)
		close(fd);
	if (from.sin6_family == AF_INET6) {
		inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
	} else {
		memcpy(&from4, &from, sizeof(from4));
		inet_ntop(AF_INET, &from4.sin_addr, text, sizeof(text));
	}
	return strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text;
}

static struct bench_probe
probe_from(const struct source_case *c, const char *source4, const char *source6, uint16_t port)
{
	struct bench_probe set = probe_of_type(c->type);

	set.urgent = true;
	set.node = 1;
	set.seed = PROBE_SEED_UP;
	set.address.port = port;
	ip_addr_parse(c->family == IP_V6 ? "::1" : "127.0.0.1", &set.address.addr);
	ip_addr_parse(c->family == IP_V6 ? "fd00:98::4" : "10.98.0.4", &set.probe.source[0]);
	ip_addr_parse(c->family == IP_V6 ? source6 : source4, &set.probe.source[1]);
	bytes_parse("x", &set.probe.send);
	return set;
}

static void
check_seen(struct bench *b, const struct source_case *c, uint32_t target)
{
	uint16_t port;
	int ear = open_ear(c, &port);
	struct bench_probe set = probe_from(c, SOURCE4, SOURCE6, port);
	const char *seen;

	bench_set(b, target, &set);
	seen = hear(c, ear);
	check(strcmp(seen, c->family == IP_V6 ? SOURCE6 : SOURCE4) == 0, "%s comes from %s",
		c->name, seen);
	if (c->type == CONF_PROBE_ICMP) {
		bench_run(b, 300);
		check(b->seen[target].last.ok, "%s: the reply is taken", c->name);
	}
	bench_clear(b, target);
	close(ear);
}

static void
check_not_ours(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < CASES; i++) {
		struct bench_probe set = probe_from(&cases[i], "10.98.0.6", "fd00:98::6", 9);

		bench_set(b, 100 + i, &set);
	}
	bench_run(b, 1200);
	for (i = 0; i < CASES; i++) {
		const struct ipc_probe_result *r = &b->seen[100 + i].last;

		check(r->reason == REASON_LOCAL_ERROR && r->up && r->failures == 0 &&
			(r->detail == EADDRNOTAVAIL || cases[i].type == CONF_PROBE_ICMP),
			"%s from an address that is not here: %s (%s), still up", cases[i].name,
			reason_tag((enum reason)r->reason), strerror(r->detail));
	}
	ip("address add 10.98.0.6/32 dev lo");
	bench_run(b, 700); /* nobody listens there, which is the server's fault now */
	check(b->seen[100].last.reason == REASON_TCP_REFUSED && !b->seen[100].last.up,
		"once the address is there the server is judged: %s",
		reason_tag((enum reason)b->seen[100].last.reason));
}

static bool
target_is_local(struct bench *b, void *of)
{
	return b->seen[*(uint32_t *)of].last.reason == REASON_LOCAL_ERROR;
}

/* Taken away from a prober that has sockets, or a connection, with that address. */
static void
check_taken_away(struct server *server, uint8_t type, bool v6)
{
	struct source_case c = {.type = type, .family = v6 ? IP_V6 : IP_V4};
	struct bench *b = bench_start(0);
	const struct ipc_probe_result *last = &b->seen[0].last;
	struct bench_probe set;
	uint32_t target = 0;

	ip(v6 ? "address add fd00:98::7/128 dev lo nodad" : "address add 10.98.0.7/32 dev lo");
	server_start(server, v6 ? IP_V6 : IP_V4);
	set = probe_from(&c, "10.98.0.7", "fd00:98::7", server->at.port);
	set.probe.fall = 1;
	set.probe.keep_alive = type == CONF_PROBE_HTTP;
	if (type == CONF_PROBE_TCP)
		memset(&set.probe.send, 0, sizeof(set.probe.send));
	bench_set(b, target, &set);
	bench_run(b, 400);
	check(last->ok, "IPv%d from an address that is there: %s", v6 ? 6 : 4,
		reason_tag((enum reason)last->reason));
	ip(v6 ? "address del fd00:98::7/128 dev lo" : "address del 10.98.0.7/32 dev lo");
	bench_until(b, 2000, target_is_local, &target);
	bench_run(b, 400);
	check(last->reason == REASON_LOCAL_ERROR && last->detail != 0 && last->up &&
		last->failures == 0, "%s over IPv%d, the address is taken away: %s (%s), %s",
		type == CONF_PROBE_TCP ? "tcp" : "http", v6 ? 6 : 4,
		reason_tag((enum reason)last->reason), strerror(last->detail),
		last->up ? "up" : "down");
	check(bench_stop(b), "stopped");
	server_stop(server);
}

void
test_source(void)
{
	struct bench *b;

	ip("address add " SOURCE4 "/32 dev lo");
	ip("address add " SOURCE6 "/128 dev lo nodad");
	b = bench_start(0);
	for (uint32_t i = 0; i < CASES; i++)
		check_seen(b, &cases[i], i);
	check_not_ours(b);
	check(bench_stop(b), "stopped");
}

void
test_source_taken_away(void)
{
	static struct server servers[4];

	for (int i = 0; i < 4; i++)
		check_taken_away(&servers[i], i < 2 ? CONF_PROBE_TCP : CONF_PROBE_HTTP, i % 2 == 1);
}
