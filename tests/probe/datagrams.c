/*
 * The udp probe against a server that turns from one behaviour to the next: the verdict, the reason
 * and what it shows for it, over IPv4 and IPv6.
 */
#include "tests.h"

#include "conf/bytes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum behaviour { ANSWERS, ANSWERS_WRONG, ANSWERS_NOTHING, SILENT, FLOODS, STRANGER_ANSWERS, CLOSED };

struct datagrams {
	int fd, stranger;
	struct sockaddr_in6 at; /* IPv4 as mapped addresses: one socket for both */
	_Atomic int behaviour;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
say(int fd, const char *text, const struct sockaddr_in6 *to)
{
	sendto(fd, text, strlen(text), 0, (const struct sockaddr *)to, sizeof(*to));
}

static void
behave(const struct datagrams *d, const struct sockaddr_in6 *to)
{
	int i;

	switch ((enum behaviour)atomic_load(&d->behaviour)) {
	case ANSWERS: say(d->fd, "well: PONG\n", to); break;
	case ANSWERS_WRONG: say(d->fd, "busy\a", to); break;
	case ANSWERS_NOTHING: say(d->fd, "", to); break;
	case STRANGER_ANSWERS: say(d->stranger, "PONG", to); break;
	case FLOODS:
		for (i = 0; i < 300; i++)
			say(d->fd, i % 2 == 0 ? "flood" : "more", to);
		break;
	case SILENT:
	case CLOSED: break;
	}
}

static int
open_port(struct sockaddr_in6 *at)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*at);

	if (fd == -1 || bind(fd, (struct sockaddr *)at, sizeof(*at)) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &size) == -1)
		die("udp socket");
	return fd;
}

static void *
serve(void *argument)
{
	const struct timeval soon = {.tv_usec = 5000};
	struct datagrams *d = argument;
	struct sockaddr_in6 from;
	char bytes[512];
	socklen_t size;

	for (;;) {
		if (atomic_load(&d->behaviour) == CLOSED) {
			close(d->fd);
			while (atomic_load(&d->behaviour) == CLOSED)
				usleep(1000);
			d->fd = open_port(&d->at);
		}
		setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
		size = sizeof(from);
		if (recvfrom(d->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size) != -1)
			behave(d, &from);
	}
	return NULL;
}

static struct datagrams *
datagrams_start(void)
{
	struct datagrams *d = calloc(1, sizeof(*d));
	struct sockaddr_in6 other = {.sin6_family = AF_INET6};
	pthread_t thread;

	if (d == NULL)
		die("calloc");
	d->at.sin6_family = AF_INET6;
	d->at.sin6_port = htons(19000); /* below those that probes get: it stays free */
	d->fd = open_port(&d->at);
	d->stranger = open_port(&other);
	if (pthread_create(&thread, NULL, serve, d) != 0)
		die("pthread_create");
	return d;
}

struct outcome {
	uint32_t target;
	bool up;
	enum reason reason;
};

/* The latest probe and the verdict are as they should be. */
static bool
is_outcome(struct bench *b, void *of)
{
	const struct outcome *o = of;
	const struct seen *s = &b->seen[o->target];

	return s->any && s->last.up == o->up && s->last.reason == (uint32_t)o->reason;
}

static void
expect_outcomes(struct bench *b, struct datagrams *d, enum behaviour behaviour, const char *name,
	const struct outcome outcomes[4])
{
	static const char *const targets[] = {"IPv4", "IPv6", "IPv4, no answer needed",
		"IPv6, no answer needed"};
	struct outcome o;
	uint32_t i;
	bool done;

	atomic_store(&d->behaviour, behaviour);
	for (i = 0; i < 4; i++) {
		o = outcomes[i];
		o.target = i;
		done = bench_until(b, 3000, is_outcome, &o);
		check(done, "udp %s, %s: %s, %s \"%s\"", name, targets[i],
			b->seen[i].last.up ? "up" : "down",
			reason_tag((enum reason)b->seen[i].last.reason), b->seen[i].last.evidence);
	}
}

void
test_udp(void)
{
	static const struct outcome well[] = {{0, true, REASON_PROBE_OK},
		{0, true, REASON_PROBE_OK}, {0, true, REASON_PROBE_OK}, {0, true, REASON_PROBE_OK}};
	static const struct outcome wrong[] = {{0, false, REASON_ANSWER_WRONG},
		{0, false, REASON_ANSWER_WRONG}, {0, true, REASON_PROBE_OK},
		{0, true, REASON_PROBE_OK}};
	static const struct outcome silent[] = {{0, false, REASON_ANSWER_TIMEOUT},
		{0, false, REASON_ANSWER_TIMEOUT}, {0, true, REASON_PROBE_OK},
		{0, true, REASON_PROBE_OK}};
	static const struct outcome refused[] = {{0, false, REASON_UDP_REFUSED},
		{0, false, REASON_UDP_REFUSED}, {0, false, REASON_UDP_REFUSED},
		{0, false, REASON_UDP_REFUSED}};
	struct bench *b = bench_start(0); /* first: it would hold a copy of the server's socket */
	struct datagrams *d = datagrams_start();
	struct bench_probe set = probe_of_type(CONF_PROBE_UDP);
	uint32_t i;

	set.probe.fall = 2;
	set.address.port = ntohs(d->at.sin6_port);
	for (i = 0; i < 4; i++) {
		ip_addr_parse(i % 2 == 0 ? "127.0.0.1" : "::1", &set.address.addr);
		memset(&set.probe.answer, 0, sizeof(set.probe.answer));
		if (i < 2)
			bytes_parse("PONG", &set.probe.answer);
		bytes_parse("PING\\x00", &set.probe.send);
		bench_set(b, i, &set);
	}
	expect_outcomes(b, d, ANSWERS, "answers", well);
	expect_outcomes(b, d, ANSWERS_WRONG, "answers something else", wrong);
	check(strcmp(b->seen[0].last.evidence, "busy.") == 0, "what it said is shown");
	expect_outcomes(b, d, ANSWERS, "answers again", well);
	expect_outcomes(b, d, SILENT, "is silent", silent);
	expect_outcomes(b, d, ANSWERS_NOTHING, "answers an empty datagram", wrong);
	expect_outcomes(b, d, STRANGER_ANSWERS, "is silent, another port answers", silent);
	expect_outcomes(b, d, FLOODS, "floods", wrong);
	expect_outcomes(b, d, CLOSED, "is gone", refused);
	expect_outcomes(b, d, ANSWERS, "is back", well);
	check(bench_stop(b), "stopped");
}
