/*
 * Results that are read while the prober itself was held up: whatever they say, they are void, and
 * the server is asked again soon. The prober is stopped while a request is under way, the server
 * does what it does, and the prober goes on.
 */
#include "tests.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\npool-member-is-well"
#define WRONG "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"

enum { TIMEOUT_MS = 1000, STALL_MS = 600, SOON_MS = 500 };

static const struct lag_case {
	const char *name, *answer; /* NULL: none */
	bool reset;
} cases[] = {
	{"a good answer", GOOD, false},
	{"a wrong answer", WRONG, false},
	{"an answer and a reset", WRONG, true},
	{"a connection that is closed", NULL, false},
	{"a connection that is reset", NULL, true},
};

static int
listen_at(struct sockaddr_in *at, int backlog)
{
	socklen_t size = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd == -1 || bind(fd, (struct sockaddr *)at, size) == -1 || listen(fd, backlog) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &size) == -1) {
		perror("listener");
		exit(1);
	}
	return fd;
}

static struct sockaddr_in
loopback(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Once a minute, so that whoever asks sooner asks again. */
static struct bench_probe
probe_of_lag(const struct sockaddr_in *at)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);

	set.urgent = true;
	set.seed = PROBE_SEED_UP;
	set.probe.fall = set.probe.rise = 1;
	set.probe.interval_ms = set.probe.interval_fast_ms = 60000;
	set.probe.timeout_ms = TIMEOUT_MS;
	set.address.port = ntohs(at->sin_port);
	ip_addr_parse("127.0.0.1", &set.address.addr);
	return set;
}

/* The next request: its connection, or -1 when none comes. */
static int
take_request(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char request[512];
	int got;

	if (poll(&p, 1, wait_ms) != 1)
		return -1;
	got = accept(fd, NULL, NULL);
	if (got != -1 && read(got, request, sizeof(request)) <= 0)
		perror("request");
	return got;
}

static void
answer(int fd, const char *text, bool reset)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	if (text != NULL && write(fd, text, strlen(text)) == -1)
		perror("answer");
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* The request that is under way is answered while the prober is held up. */
static void
answer_unheard(struct bench *b, int fd, const char *text, bool reset)
{
	kill(b->pid, SIGSTOP);
	answer(fd, text, reset);
	usleep(STALL_MS * 1000);
	kill(b->pid, SIGCONT);
}

static void
check_void(const struct lag_case *c)
{
	struct sockaddr_in at = loopback();
	struct bench *b = bench_start(0);
	int fd = listen_at(&at, 8), one;
	struct bench_probe set = probe_of_lag(&at);
	const struct seen *seen = &b->seen[0];

	bench_set(b, 0, &set);
	one = take_request(fd, 3000);
	answer_unheard(b, one, c->answer, c->reset);
	one = take_request(fd, SOON_MS);
	check(one != -1, "%s while the prober is held up: asked again soon", c->name);
	bench_run(b, 50);
	check(!seen->any, "and nothing is said of the first time");
	if (one != -1)
		answer(one, GOOD, false);
	bench_run(b, 1300);
	check(seen->any && seen->last.up && seen->last.reason == REASON_PROBE_OK &&
		seen->last.probes == 1 && seen->last.failures == 0 &&
		b->stats.voided == 1, "the second counts: %s, %llu results, %llu failures, %llu void",
		reason_tag((enum reason)seen->last.reason), (unsigned long long)seen->last.probes,
		(unsigned long long)seen->last.failures, (unsigned long long)b->stats.voided);
	check(take_request(fd, 200) == -1, "and then it is left alone for its minute");
	check(bench_stop(b), "stopped");
	close(fd);
}

/* A SYN is lost, and what is said to the next one is read late: a refusal, by nobody who is there now. */
static void
check_refusal(void)
{
	struct sockaddr_in at = loopback();
	struct bench *b = bench_start(0);
	int fd = listen_at(&at, 0), filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one;
	struct bench_probe set = probe_of_lag(&at);
	const struct seen *seen = &b->seen[0];

	if (connect(filler, (struct sockaddr *)&at, sizeof(at)) == -1)
		perror("filler");
	set.probe.timeout_ms = 2000;
	bench_set(b, 0, &set);
	bench_run(b, 400);
	kill(b->pid, SIGSTOP);
	close(filler);
	close(fd);
	usleep(1200000); /* the SYN comes again a second after the first */
	fd = listen_at(&at, 8);
	kill(b->pid, SIGCONT);
	one = take_request(fd, SOON_MS);
	check(one != -1, "a refusal while the prober is held up: asked again soon");
	if (one != -1)
		answer(one, GOOD, false);
	bench_run(b, 1300);
	check(seen->any && seen->last.up && seen->last.failures == 0 && b->stats.voided == 1 &&
		seen->last.reason == REASON_PROBE_OK, "and nobody's failure: %s, %llu failures, %llu void",
		reason_tag((enum reason)seen->last.reason), (unsigned long long)seen->last.failures,
		(unsigned long long)b->stats.voided);
	check(bench_stop(b), "stopped");
	close(fd);
}

void
test_lagging_results_are_void(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_void(&cases[i]);
	check_refusal();
}

/* A prober that is held up each time: what comes fourth counts, the first result of all included. */
void
test_always_lagging_prober_has_a_verdict(void)
{
	enum { VOIDS = 3 };
	struct sockaddr_in at = loopback();
	struct bench *b = bench_start(0);
	int fd = listen_at(&at, 8), one, asked = 0;
	struct bench_probe set = probe_of_lag(&at);
	const struct seen *seen = &b->seen[0];

	set.seed = PROBE_SEED_UNKNOWN;
	bench_set(b, 0, &set);
	while ((one = take_request(fd, 1000)) != -1) {
		check(!seen->any, "asked for the %d. time, nothing is known", ++asked);
		answer_unheard(b, one, GOOD, false);
		bench_run(b, 1);
	}
	bench_run(b, 1300);
	check(asked == VOIDS + 1 && seen->any && seen->last.up && seen->last.probes == 1 &&
		b->stats.voided == VOIDS, "after %llu void ones it counts: %s, %s",
		(unsigned long long)b->stats.voided, seen->last.up ? "up" : "down",
		reason_tag((enum reason)seen->last.reason));
	check(seen->last.answer_ns == -1, "but for its times");
	check(bench_stop(b), "stopped");
	close(fd);
}

enum { CROWD = 1500, AGAIN_AT_LEAST_MS = 50 };

struct held_crowd {
	int fd;
	atomic_bool served;
	_Atomic int64_t first_ns, last_ns; /* of those who came again */
	_Atomic uint32_t again;
};

static void *
serve_held_crowd(void *argument)
{
	struct held_crowd *c = argument;
	int fds[CROWD], got;
	int64_t now_ns;

	for (int i = 0; i < CROWD; i++)
		fds[i] = accept(c->fd, NULL, NULL);
	while (!atomic_load(&c->served))
		usleep(1000);
	for (int i = 0; i < CROWD; i++)
		answer(fds[i], "x", false);
	while ((got = accept(c->fd, NULL, NULL)) != -1) {
		now_ns = mono_now().ns;
		if (atomic_fetch_add(&c->again, 1) == 0)
			atomic_store(&c->first_ns, now_ns);
		atomic_store(&c->last_ns, now_ns);
		answer(got, "x", false);
	}
	return NULL;
}

static bool
crowd_runs(struct bench *b, void *of)
{
	(void)of;
	return b->stats.running == CROWD;
}

/* Of as many as that each is asked once more, and not all in one moment. */
void
test_void_crowd_is_no_storm(void)
{
	static struct held_crowd crowd;
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct bench *b = bench_start(0);
	struct bench_probe set;
	uint32_t i, good = 0;
	pthread_t thread;

	crowd.fd = listen_at(&at, 4096);
	set = probe_of_lag(&at);
	set.probe.type = CONF_PROBE_TCP;
	set.probe.timeout_ms = 4000;
	set.probe.answer = (struct conf_bytes){.length = 1, .bytes = "x"};
	for (i = 0; i < CROWD; i++) {
		set.address.addr = (struct ip_addr){.family = IP_V4,
			.bytes = {127, 1, (uint8_t)(i >> 8), (uint8_t)i}};
		bench_set(b, i, &set);
	}
	pthread_create(&thread, NULL, serve_held_crowd, &crowd);
	check(bench_until(b, 3000, crowd_runs, NULL), "%d probes are under way", CROWD);
	kill(b->pid, SIGSTOP);
	atomic_store(&crowd.served, true);
	usleep(2500000);
	kill(b->pid, SIGCONT);
	bench_run(b, 2300);
	for (i = 0; i < CROWD; i++)
		good += b->seen[i].any && b->seen[i].last.up && b->seen[i].last.probes == 1;
	check(good == CROWD && b->stats.voided == CROWD && atomic_load(&crowd.again) == CROWD,
		"%u of %d up, %llu void, asked again %u times", good, CROWD,
		(unsigned long long)b->stats.voided, atomic_load(&crowd.again));
	check(crowd.last_ns - crowd.first_ns >= AGAIN_AT_LEAST_MS * NS_PER_MS,
		"over %.0f ms", (double)(crowd.last_ns - crowd.first_ns) / 1e6);
	check(bench_stop(b), "stopped");
}
