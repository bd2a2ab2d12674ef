/*
 * A node with eight local ports, and more probes than that: they wait for each other, and all have
 * their results in time. Where somebody else has the ports, it is told after a while, and no server's
 * fault. An address that is not there is told at once.
 */
#include "tests.h"

#include "conf/bytes.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FIRST_PORT = 40000,
	PORTS = 8,
	SERVER_PORT = 19002, /* below those that probes get */
	OTHER_PORT = 19003,
	ANSWER_US = 2000,
	EACH = 30,           /* targets of a kind and family */
};

static const struct crowd {
	const char *name;
	uint8_t type; /* enum conf_probe_type */
	const char *address;
} crowds[] = {
	{"tcp", CONF_PROBE_TCP, "127.0.0.1"},
	{"tcp over IPv6", CONF_PROBE_TCP, "::1"},
	{"udp", CONF_PROBE_UDP, "127.0.0.1"},
	{"udp over IPv6", CONF_PROBE_UDP, "::1"},
};

enum { CROWDS = sizeof(crowds) / sizeof(crowds[0]), ALL = CROWDS * EACH };

static int
open_server(int type, uint16_t port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    (type == SOCK_STREAM && listen(fd, 4096) == -1)) {
		perror("server");
		exit(1);
	}
	return fd;
}

/* One after the other, each after a moment in which its probe has a port. */
static void *
serve_stream(void *argument)
{
	int fd = (int)(intptr_t)argument, got;

	while ((got = accept(fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		if (got == -1)
			continue;
		usleep(ANSWER_US);
		(void)!send(got, "me", 2, MSG_NOSIGNAL);
		close(got);
	}
	return NULL;
}

static void *
serve_datagrams(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct sockaddr_in6 from;
	socklen_t size = sizeof(from);
	char bytes[64];

	while (recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size) != -1) {
		usleep(ANSWER_US);
		sendto(fd, "me", 2, 0, (struct sockaddr *)&from, size);
		size = sizeof(from);
	}
	return NULL;
}

static void
servers_start(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, serve_stream,
		(void *)(intptr_t)open_server(SOCK_STREAM, SERVER_PORT)) != 0 ||
	    pthread_create(&thread, NULL, serve_stream,
		(void *)(intptr_t)open_server(SOCK_STREAM, OTHER_PORT)) != 0 ||
	    pthread_create(&thread, NULL, serve_datagrams,
		(void *)(intptr_t)open_server(SOCK_DGRAM, SERVER_PORT)) != 0) {
		perror("pthread_create");
		exit(1);
	}
}

static void
set_range(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%d %d", FIRST_PORT, FIRST_PORT + PORTS - 1);
	write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", text);
}

static struct bench_probe
probe_of_crowd(const struct crowd *c)
{
	struct bench_probe set = probe_of_type(c->type);

	set.urgent = true;
	set.seed = PROBE_SEED_UP;
	set.probe.fall = 1;
	set.probe.interval_ms = 1000;
	set.probe.timeout_ms = 500;
	bytes_parse("you", &set.probe.send);
	bytes_parse("me", &set.probe.answer);
	set.address.port = SERVER_PORT;
	ip_addr_parse(c->address, &set.address.addr);
	return set;
}

static void
set_crowd(struct bench *b, uint32_t n)
{
	const struct bench_probe set = probe_of_crowd(&crowds[n]);

	for (uint32_t i = 0; i < EACH; i++)
		bench_set(b, n * EACH + i, &set);
}

static void
check_crowd(const struct bench *b, uint32_t n)
{
	uint64_t failures = 0, least = UINT64_MAX;
	uint32_t good = 0;

	for (uint32_t i = n * EACH; i < (n + 1) * EACH; i++) {
		const struct ipc_probe_result *last = &b->seen[i].last;

		good += b->seen[i].any && last->up && last->reason == REASON_PROBE_OK;
		failures += last->failures;
		least = last->probes < least ? last->probes : least;
	}
	check(good == EACH && failures == 0 && least >= 3,
		"%s: %u of %d up, %llu failures, at least %llu results each in 3.5 s",
		crowds[n].name, good, EACH, (unsigned long long)failures, (unsigned long long)least);
}

void
test_ports_are_waited_for(void)
{
	struct bench *b = bench_start(0);
	uint32_t i;

	set_range();
	servers_start();
	for (i = 0; i < CROWDS; i++)
		set_crowd(b, i);
	bench_run(b, 3500);
	for (i = 0; i < CROWDS; i++)
		check_crowd(b, i);
	check(b->stats.queued >= 2 * (EACH - PORTS) && b->stats.local_errors == 0,
		"%d local ports, %d probes: %llu waited, %llu local errors", PORTS, ALL,
		(unsigned long long)b->stats.queued, (unsigned long long)b->stats.local_errors);
	for (i = 0; i < ALL; i += 2) /* in whatever state they are */
		bench_clear(b, i);
	bench_run(b, 300);
	check(bench_stop(b), "stopped");
}

/* A socket that has a port which a probe of this crowd would want. */
static int
hold_one(const struct crowd *c)
{
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(SERVER_PORT),
		.sin6_addr = in6addr_loopback};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(SERVER_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	bool v6 = strchr(c->address, ':') != NULL;
	int fd = socket(v6 ? AF_INET6 : AF_INET,
		(c->type == CONF_PROBE_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (connect(fd, v6 ? (struct sockaddr *)&to6 : (struct sockaddr *)&to4,
		v6 ? sizeof(to6) : sizeof(to4)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
hold_all(int held[PORTS], const struct crowd *c)
{
	for (int i = 0; i < PORTS; i++) {
		held[i] = hold_one(c);
		if (held[i] == -1)
			perror("hold");
	}
}

static void
let_go(int held[PORTS])
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	for (int i = 0; i < PORTS; i++) {
		setsockopt(held[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(held[i]);
	}
}

static bool
target_heard(struct bench *b, void *of)
{
	return b->seen[*(uint32_t *)of].any;
}

static bool
target_well(struct bench *b, void *of)
{
	return b->seen[*(uint32_t *)of].last.reason == REASON_PROBE_OK;
}

/* How long it takes until there is a first result. */
static int64_t
first_result_ns(struct bench *b, uint32_t target, const struct bench_probe *set)
{
	mono began = mono_now();

	bench_set(b, target, set);
	bench_until(b, 2000, target_heard, &target);
	return mono_diff_ns(mono_now(), began);
}

static void
check_held(struct bench *b, uint32_t n)
{
	struct bench_probe set = probe_of_crowd(&crowds[n]), other = set;
	const struct ipc_probe_result *last = &b->seen[n].last;
	uint32_t beside = 100 + n;
	int held[PORTS];
	int64_t took_ns;

	hold_all(held, &crowds[n]);
	set.probe.interval_ms = set.probe.interval_fast_ms = 400;
	set.probe.timeout_ms = 100;
	other.address.port = OTHER_PORT;
	if (crowds[n].type == CONF_PROBE_TCP)
		bench_set(b, beside, &other);
	took_ns = first_result_ns(b, n, &set);
	check(last->reason == REASON_LOCAL_ERROR && last->detail == EADDRINUSE && last->up &&
		last->failures == 0 && took_ns >= 200 * NS_PER_MS && took_ns < 400 * NS_PER_MS,
		"%s, somebody has all ports: %s (%s) after %.0f ms, %s", crowds[n].name,
		reason_tag((enum reason)last->reason), strerror(last->detail), (double)took_ns / 1e6,
		last->up ? "up" : "down");
	if (crowds[n].type == CONF_PROBE_TCP)
		check(target_well(b, &beside), "another port of that server is asked meanwhile");
	bench_run(b, 1600);
	check(last->reason == REASON_LOCAL_ERROR && last->probes >= 2 && last->probes <= 4 && last->up,
		"as long as that lasts, %llu times", (unsigned long long)last->probes);
	let_go(held);
	bench_until(b, 1000, target_well, &n);
	check(last->reason == REASON_PROBE_OK && last->failures == 0,
		"let go: %s, %llu failures", reason_tag((enum reason)last->reason),
		(unsigned long long)last->failures);
	bench_clear(b, n);
	bench_clear(b, beside);
}

/* The data path is asked without a port, but which address it is asked from costs one. */
static void
check_data_path(struct bench *b)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	const struct ipc_probe_result *last = &b->seen[300].last;
	int held[PORTS];
	int64_t took_ns;

	set.urgent = true;
	set.seed = PROBE_SEED_UP;
	set.probe.data_path = true;
	set.probe.interval_ms = 400;
	set.address.port = SERVER_PORT;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	ip_addr_parse("10.98.0.100", &set.probe.through);
	hold_all(held, &crowds[CROWDS - 2]);
	took_ns = first_result_ns(b, 300, &set);
	check(last->reason == REASON_LOCAL_ERROR && last->detail == EADDRINUSE && last->up &&
		took_ns >= 200 * NS_PER_MS, "the data path, without a port: %s (%s) after %.0f ms",
		reason_tag((enum reason)last->reason), strerror(last->detail), (double)took_ns / 1e6);
	let_go(held);
	bench_clear(b, 300);
}

/* No address of this family is there to ask from, or not the one that is configured. */
static void
check_no_address(struct bench *b)
{
	static const struct {
		const char *name, *source;
		uint8_t type;
	} cases[] = {
		{"tcp over IPv6 without an address", "::", CONF_PROBE_TCP},
		{"udp over IPv6 without an address", "::", CONF_PROBE_UDP},
		{"tcp from an address that is not here", "2001:db8::9", CONF_PROBE_TCP},
		{"udp from an address that is not here", "2001:db8::9", CONF_PROBE_UDP},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct crowd c = {.type = cases[i].type, .address = "2001:db8:77::7"};
		struct bench_probe set = probe_of_crowd(&c);
		const struct ipc_probe_result *last = &b->seen[200 + i].last;
		int64_t took_ns;

		if (strcmp(cases[i].source, "::") != 0)
			ip_addr_parse(cases[i].source, &set.probe.source[0]);
		took_ns = first_result_ns(b, 200 + i, &set);
		check(last->reason == REASON_LOCAL_ERROR && last->detail == EADDRNOTAVAIL &&
			last->up && took_ns < 250 * NS_PER_MS, "%s: %s (%s) after %.0f ms",
			cases[i].name, reason_tag((enum reason)last->reason), strerror(last->detail),
			(double)took_ns / 1e6);
	}
}

void
test_ports_that_others_have(void)
{
	struct bench *b = bench_start(0);

	set_range();
	servers_start();
	for (uint32_t i = 0; i < CROWDS; i++)
		check_held(b, i);
	check_data_path(b);
	link_without_neighbours(NULL, NULL);
	ip("-6 address flush dev alone0");
	ip("-6 address flush dev alone1");
	ip("-6 address del ::1/128 dev lo");
	ip("-6 route add 2001:db8:77::/64 dev alone0");
	check_no_address(b);
	check(bench_stop(b), "stopped");
}
