/*
 * The probe through the data path against answers made by hand: the one that is right counts, all
 * that differ from it in one thing do not, and the host's traffic is looked at only while somebody
 * is asked.
 */
#include "tests.h"

#include "core/segment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct way {
	const char *virtual; /* of nobody: what goes there over lo is lost */
	const char *server;
	int family;
	uint16_t protocol;
} ways[] = {
	{"10.98.0.100", "127.0.0.1", AF_INET, ETH_P_IP},
	{"fd98::100", "::1", AF_INET6, ETH_P_IPV6},
};

static const struct answer_case {
	const char *name;
	uint8_t flags;
	uint32_t off_by;                  /* of the acknowledged number */
	uint8_t from, to;                 /* added to the address's last byte */
	uint16_t from_port, to_port;      /* added to the port */
	bool fragment;
	enum reason reason;
} cases[] = {
	{"accepts", SEGMENT_SYN | SEGMENT_ACK, 0, 0, 0, 0, 0, false, REASON_PROBE_OK},
	{"refuses", SEGMENT_RST | SEGMENT_ACK, 0, 0, 0, 0, 0, false, REASON_DATA_PATH_REFUSED},
	{"nothing", 0, 0, 0, 0, 0, 0, false, REASON_DATA_PATH_SILENT},
	{"another number", SEGMENT_SYN | SEGMENT_ACK, 1, 0, 0, 0, 0, false, REASON_DATA_PATH_SILENT},
	{"the number before", SEGMENT_RST | SEGMENT_ACK, UINT32_MAX, 0, 0, 0, 0, false,
		REASON_DATA_PATH_SILENT},
	{"another address", SEGMENT_SYN | SEGMENT_ACK, 0, 1, 0, 0, 0, false, REASON_DATA_PATH_SILENT},
	{"another port", SEGMENT_RST | SEGMENT_ACK, 0, 0, 0, 1, 0, false, REASON_DATA_PATH_SILENT},
	{"to another address", SEGMENT_SYN | SEGMENT_ACK, 0, 0, 1, 0, 0, false,
		REASON_DATA_PATH_SILENT},
	{"to another port", SEGMENT_SYN | SEGMENT_ACK, 0, 0, 0, 0, 1, false, REASON_DATA_PATH_SILENT},
	{"acknowledges nothing", SEGMENT_RST, 0, 0, 0, 0, 0, false, REASON_DATA_PATH_SILENT},
	{"is no answer to an opening", SEGMENT_ACK, 0, 0, 0, 0, 0, false, REASON_DATA_PATH_SILENT},
	{"is a fragment", SEGMENT_SYN | SEGMENT_ACK, 0, 0, 0, 0, 0, true, REASON_DATA_PATH_SILENT},
};

struct wire {
	const struct way *way;
	int ear, mouth;
};

static struct wire
wire_open(const struct way *way)
{
	struct wire w = {
		.way = way,
		.ear = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(way->protocol)),
		.mouth = socket(way->family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
	};

	if (w.ear == -1 || w.mouth == -1) {
		perror("wire");
		exit(1);
	}
	return w;
}

/* The next segment to the virtual address with these flags. */
static bool
hear(const struct wire *w, uint8_t flags, struct segment *out)
{
	struct pollfd p = {.fd = w->ear, .events = POLLIN};
	struct ip_addr virtual;
	uint8_t bytes[256];
	ssize_t n;

	ip_addr_parse(w->way->virtual, &virtual);
	while (poll(&p, 1, 2000) == 1) {
		n = recv(w->ear, bytes, sizeof(bytes), 0);
		if (n > 0 && segment_parse(bytes, (size_t)n, out) && out->flags == flags &&
		    ip_addr_equal(&out->to.addr, &virtual))
			return true;
	}
	return false;
}

/* One where the parser could not be fooled by its start. */
static void
make_fragment(uint8_t *packet)
{
	if (packet[0] >> 4 == 6)
		packet[6] = IPPROTO_FRAGMENT;
	else
		packet[7] = 1; /* the kernel writes the checksum */
}

static void
send_packet(const struct wire *w, const uint8_t *bytes, size_t length)
{
	struct sockaddr_in way4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 way6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool v6 = w->way->family == AF_INET6;

	if (sendto(w->mouth, bytes, length, 0,
		v6 ? (struct sockaddr *)&way6 : (struct sockaddr *)&way4,
		v6 ? sizeof(way6) : sizeof(way4)) == -1)
		perror("sendto");
}

static void
say(const struct wire *w, const struct answer_case *c, const struct segment *to)
{
	struct segment s = {.from = to->to, .to = to->from, .sequence = 7,
		.acknowledged = to->sequence + 1 + c->off_by, .flags = c->flags};
	size_t length, last = ip_addr_size(&s.to.addr) - 1;
	uint8_t bytes[SEGMENT_MAX];

	s.from.addr.bytes[last] = (uint8_t)(s.from.addr.bytes[last] + c->from);
	s.to.addr.bytes[last] = (uint8_t)(s.to.addr.bytes[last] + c->to);
	s.from.port = (uint16_t)(s.from.port + c->from_port);
	s.to.port = (uint16_t)(s.to.port + c->to_port);
	length = segment_build(&s, NULL, bytes, sizeof(bytes));
	if (c->fragment)
		make_fragment(bytes);
	if (c->flags != 0)
		send_packet(w, bytes, length);
}

static struct bench_probe
probe_through(const struct way *way)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);

	set.urgent = true;
	set.probe.data_path = true;
	set.probe.interval_ms = 500;
	set.probe.timeout_ms = 100;
	set.address.port = 80;
	ip_addr_parse(way->server, &set.address.addr);
	ip_addr_parse(way->virtual, &set.probe.through);
	return set;
}

static bool
has_result(struct bench *b, void *of)
{
	return b->seen[*(uint32_t *)of].any;
}

static void
check_case(struct bench *b, const struct wire *w, uint32_t target)
{
	const struct answer_case *c = &cases[target];
	struct bench_probe set = probe_through(w->way);
	struct segment opening, reset;
	enum reason reason;

	bench_set(b, target, &set);
	if (!check(hear(w, SEGMENT_SYN, &opening), "%s, %s: asked", w->way->virtual, c->name))
		return;
	say(w, c, &opening);
	bench_until(b, 2000, has_result, &target);
	reason = (enum reason)b->seen[target].last.reason;
	check(reason == c->reason && b->seen[target].last.up == (reason == REASON_PROBE_OK),
		"%s, %s: %s", w->way->virtual, c->name, reason_tag(reason));
	check(c->reason == REASON_DATA_PATH_REFUSED || (hear(w, SEGMENT_RST, &reset) &&
		reset.sequence == opening.sequence + 1),
		"%s, %s: the opening is taken back", w->way->virtual, c->name);
	bench_clear(b, target);
}

static void
check_local(struct bench *b, const struct way *way, uint32_t target)
{
	struct bench_probe set = probe_through(way);

	ip_addr_parse(way->server, &set.probe.through);
	bench_set(b, target, &set);
	bench_until(b, 2000, has_result, &target);
	check(b->seen[target].last.reason == REASON_LOCAL_ERROR &&
		b->seen[target].last.detail == EADDRNOTAVAIL,
		"%s: a node with no address but the virtual one: %s", way->server,
		reason_tag((enum reason)b->seen[target].last.reason));
	bench_clear(b, target);
}

static unsigned
openings_within(const struct wire *w, int ms)
{
	struct pollfd p = {.fd = w->ear, .events = POLLIN};
	struct segment s;
	uint8_t bytes[256];
	unsigned count = 0;
	ssize_t n;

	while (poll(&p, 1, ms) == 1) {
		n = recv(w->ear, bytes, sizeof(bytes), 0);
		count += n > 0 && segment_parse(bytes, (size_t)n, &s) && s.flags == SEGMENT_SYN;
	}
	return count;
}

/* The first to be asked, in what a connection left behind: nothing of that is taken for its own. */
static void
check_after_a_connection(struct bench *b, const struct wire *w, uint32_t target)
{
	struct bench_probe tcp = probe_of_type(CONF_PROBE_TCP), set = probe_through(w->way);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listen(fd, 8) == -1 || getsockname(fd, (struct sockaddr *)&at, &length) == -1)
		perror("listen");
	tcp.urgent = true;
	tcp.address.port = ntohs(at.sin_port);
	ip_addr_parse("127.0.0.1", &tcp.address.addr);
	bench_set(b, target, &tcp);
	bench_until(b, 2000, has_result, &target);
	check(b->seen[target].last.ok, "%s: a connection before", w->way->virtual);
	bench_clear(b, target);
	openings_within(w, 50);
	target++;
	bench_set(b, target, &set);
	bench_run(b, 50);
	check(openings_within(w, 20) == 1, "%s: asked once", w->way->virtual);
	bench_clear(b, target);
	close(fd);
}

/* Packet sockets of that protocol. */
static unsigned
looking_at(uint16_t wanted)
{
	FILE *f = fopen("/proc/net/packet", "r");
	unsigned protocol, n = 0;
	char line[256];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += sscanf(line, "%*x %*u %*u %x", &protocol) == 1 && protocol == wanted;
	if (f != NULL)
		fclose(f);
	return n;
}

static void
check_way(const struct way *way)
{
	struct bench *b = bench_start(0);
	struct wire w;
	struct bench_probe set = probe_through(way);
	uint32_t i;

	check(looking_at(way->protocol) == 0, "%s: the host's traffic is not looked at", way->virtual);
	bench_set(b, 100, &set);
	bench_run(b, 200);
	check(looking_at(way->protocol) == 1 && looking_at(ETH_P_IP) + looking_at(ETH_P_IPV6) == 1,
		"%s: only while somebody is asked", way->virtual);
	bench_clear(b, 100);
	bench_run(b, 100);
	check(looking_at(way->protocol) == 0, "%s: and not afterwards", way->virtual);
	w = wire_open(way);
	check_after_a_connection(b, &w, 101);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(b, &w, i);
	check_local(b, way, i);
	close(w.ear);
	close(w.mouth);
	check(bench_stop(b), "stopped");
}

void
test_data_path(void)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		check_way(&ways[i]);
}
