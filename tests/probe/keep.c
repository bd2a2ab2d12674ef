/*
 * keep_alive: which servers get one connection for many probes, and that one which a server ends
 * between two of them, or in the middle of a request, is nobody's failure.
 */
#include "tests.h"

#include "authority.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define YEAR (365L * 86400)
#define WELL "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\npool-member-is-well"
#define LAST "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 19\r\n\r\npool-member-is-well"
#define CHUNKS "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" \
	"13\r\npool-member-is-well\r\n0\r\nTrailer: x\r\n\r\n"

/* What becomes of a connection after its request number `of_this`. */
enum then { GO_ON, CLOSE_LATER, CLOSE_UNANSWERED, RESET_UNANSWERED };

struct keep_case {
	const char *name;
	const char *answer;
	enum then then;
	uint32_t of_this;
	bool tls;
	bool one;          /* one connection for all of them */
	enum reason reason;
};

static const struct keep_case cases[] = {
	{"with a length", WELL, GO_ON, 0, false, true, REASON_PROBE_OK},
	{"in chunks, with a trailer", CHUNKS, GO_ON, 0, false, true, REASON_PROBE_OK},
	{"TLS", WELL, GO_ON, 0, true, true, REASON_PROBE_OK},
	{"closed while it is idle", WELL, CLOSE_LATER, 1, false, false, REASON_PROBE_OK},
	{"TLS, closed while it is idle", WELL, CLOSE_LATER, 1, true, false, REASON_PROBE_OK},
	{"closed instead of an answer", WELL, CLOSE_UNANSWERED, 2, false, false, REASON_PROBE_OK},
	{"TLS, closed instead of an answer", WELL, CLOSE_UNANSWERED, 2, true, false,
		REASON_PROBE_OK},
	{"reset instead of an answer", WELL, RESET_UNANSWERED, 2, false, false, REASON_PROBE_OK},
	{"closed on the first request, too", WELL, CLOSE_UNANSWERED, 1, false, false,
		REASON_HTTP_CLOSED},
	{"the server says close", LAST, GO_ON, 0, false, false, REASON_PROBE_OK},
	{"to the close", "HTTP/1.1 200 OK\r\n\r\npool-member-is-well", CLOSE_LATER, 1, false, false,
		REASON_PROBE_OK},
	{"something behind the answer", WELL "HTTP/1.1 500 No\r\n\r\n", GO_ON, 0, false, false,
		REASON_PROBE_OK},
	{"another status", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", GO_ON, 0, false, false,
		REASON_HTTP_STATUS},
	{"the text is there, the end is not", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
		"pool-member-is-well", GO_ON, 0, false, false, REASON_HTTP_TIMEOUT},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

struct keeper {
	const struct keep_case *what;
	SSL_CTX *context;
	int fd;
	uint16_t port;
	pthread_t thread;
	_Atomic uint32_t connections, requests;
	_Atomic bool asked_so; /* each request said keep-alive */
};

struct wire {
	int fd;
	SSL *ssl; /* NULL: in the clear */
};

static int
hear(const struct wire *w, char *to, int size)
{
	return w->ssl != NULL ? SSL_read(w->ssl, to, size) : (int)recv(w->fd, to, (size_t)size, 0);
}

static void
say(const struct wire *w, const char *text)
{
	if (w->ssl != NULL)
		SSL_write(w->ssl, text, (int)strlen(text));
	else
		send(w->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void
reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void
converse(struct keeper *k, const struct wire *w)
{
	const struct keep_case *c = k->what;
	char request[4096];
	uint32_t n;
	int length;

	for (n = 1; (length = hear(w, request, sizeof(request) - 1)) > 0; n++) {
		request[length] = '\0';
		atomic_fetch_add(&k->requests, 1);
		if (strstr(request, "\r\nConnection: keep-alive\r\n") == NULL)
			atomic_store(&k->asked_so, false);
		if (n == c->of_this && c->then == RESET_UNANSWERED)
			reset_on_close(w->fd);
		if (n == c->of_this && c->then != CLOSE_LATER)
			return;
		say(w, c->answer);
		if (n == c->of_this)
			return;
	}
}

static void *
serve(void *argument)
{
	struct keeper *k = argument;
	struct wire w;

	while ((w.fd = accept(k->fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		if (w.fd == -1)
			continue;
		atomic_fetch_add(&k->connections, 1);
		w.ssl = k->what->tls ? SSL_new(k->context) : NULL;
		if (w.ssl != NULL && SSL_set_fd(w.ssl, w.fd) == 1)
			SSL_accept(w.ssl);
		converse(k, &w);
		if (w.ssl != NULL)
			SSL_shutdown(w.ssl);
		SSL_free(w.ssl);
		close(w.fd);
	}
	return NULL;
}

static void
keeper_start(struct keeper *k, const struct keep_case *what, SSL_CTX *context)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(at);

	k->what = what;
	k->context = context;
	atomic_store(&k->asked_so, true);
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (k->fd == -1 || bind(k->fd, (struct sockaddr *)&at, length) == -1 ||
	    listen(k->fd, 64) == -1 || getsockname(k->fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&k->thread, NULL, serve, k) != 0) {
		perror("keeper");
		exit(1);
	}
	k->port = ntohs(at.sin_port);
}

/* The prober is gone. A thread inside of OpenSSL would not outlive the end of the test's process. */
static void
keeper_stop(struct keeper *k)
{
	shutdown(k->fd, SHUT_RD);
	pthread_join(k->thread, NULL);
	close(k->fd);
}

static struct bench_probe
probe_kept(const struct keeper *k)
{
	struct bench_probe set = probe_of_type(k->what->tls ? CONF_PROBE_HTTPS : CONF_PROBE_HTTP);

	set.urgent = true;
	set.probe.keep_alive = true;
	set.probe.interval_ms = 500;
	set.probe.timeout_ms = 490; /* no case but one is about time: a busy machine has some */
	set.probe.fall = set.probe.rise = 1;
	set.address.port = k->port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	return set;
}

static void
check_case(const struct keeper *k, const struct seen *s)
{
	const struct keep_case *c = k->what;
	const struct ipc_probe_result *r = &s->last;
	uint32_t connections = atomic_load(&k->connections), requests = atomic_load(&k->requests);
	bool good = c->reason == REASON_PROBE_OK;

	check(r->reason == c->reason && r->up == good && r->probes >= 8 &&
		(good ? r->failures == 0 : r->failures == r->probes),
		"kept, %s: %s, %llu of %llu probes failed (%s)", c->name,
		reason_tag((enum reason)r->reason), (unsigned long long)r->failures,
		(unsigned long long)r->probes, reason_tag(s->reason_at_down));
	check(atomic_load(&k->asked_so) && (c->one ? connections == 1 : connections > requests / 3) &&
		requests >= r->probes && connections <= requests + 2,
		"kept, %s: %u requests on %u connections", c->name, requests, connections);
}

static bool
told(struct bench *b, void *of)
{
	(void)of;
	for (uint32_t i = 0; i < CASES; i++)
		if (!b->seen[i].any || b->seen[i].last.probes < 8)
			return false;
	return true;
}

/* A target, and how often it is to have been probed since it was set last. */
struct awaited {
	uint32_t target;
	uint64_t probes;
};

static bool
probed(struct bench *b, void *of)
{
	const struct awaited *a = of;
	const struct seen *s = &b->seen[a->target];

	return s->any && s->last.generation == b->generation && s->last.probes >= a->probes;
}

static bool
await_probes(struct bench *b, uint32_t target, uint64_t probes)
{
	struct awaited a = {target, probes};

	return bench_until(b, 20000, probed, &a);
}

/* Gone with its target: nothing is left open for a server that nobody asks for any more. */
static void
check_cleared(struct bench *b, struct keeper *k)
{
	struct bench_probe set = probe_kept(k);
	uint32_t before = atomic_load(&k->connections);

	bench_set(b, 0, &set); /* under another generation */
	check(await_probes(b, 0, 3) && atomic_load(&k->connections) == before + 1,
		"set anew, it connects anew, once");
	bench_clear(b, 0);
	bench_run(b, 100);
	bench_set(b, 1000, &set);
	check(await_probes(b, 1000, 1) && atomic_load(&k->connections) == before + 2 &&
			b->seen[1000].last.up,
		"cleared, its connection is closed: the server has room for the next");
	bench_clear(b, 1000);
}

void
test_keep_alive(void)
{
	static struct keeper keepers[CASES];
	struct identity self = identity_new("self", "DNS:x", -YEAR, YEAR, NULL);
	SSL_CTX *context = identity_server(&self);
	struct bench *b = bench_start(0);

	signal(SIGPIPE, SIG_IGN);
	for (uint32_t i = 0; i < CASES; i++) {
		struct bench_probe set;

		keeper_start(&keepers[i], &cases[i], context);
		set = probe_kept(&keepers[i]);
		bench_set(b, i, &set);
	}
	check(bench_until(b, 30000, told, NULL), "eight probes of each of %d servers", CASES);
	for (uint32_t i = 0; i < CASES; i++)
		check_case(&keepers[i], &b->seen[i]);
	check_cleared(b, &keepers[0]);
	check(bench_stop(b), "the prober lived through it and stopped when told");
	for (uint32_t i = 0; i < CASES; i++)
		keeper_stop(&keepers[i]);
	SSL_CTX_free(context);
	identity_free(&self);
}

static bool
three_probes_of_each(struct bench *b, void *of)
{
	uint32_t count = *(uint32_t *)of;

	for (uint32_t i = 0; i < count; i++)
		if (!b->seen[i].any || b->seen[i].last.probes < 3)
			return false;
	return true;
}

/* The longest kept connections are closed when there are more servers than descriptors. */
void
test_keep_alive_with_few_descriptors(void)
{
	enum { SERVERS = 30, SPARE = 64, PLACES = 10 };
	static struct keeper keepers[SERVERS];
	const struct rlimit few = {.rlim_cur = SPARE + PLACES, .rlim_max = SPARE + PLACES};
	struct rlimit before;
	struct bench *b;
	uint32_t up = 0, failures = 0, connections = 0, count = SERVERS;

	getrlimit(RLIMIT_NOFILE, &before);
	setrlimit(RLIMIT_NOFILE, &few);
	b = bench_start(0);
	setrlimit(RLIMIT_NOFILE, &before);
	for (uint32_t i = 0; i < SERVERS; i++) {
		struct bench_probe set;

		keeper_start(&keepers[i], &cases[0], NULL);
		set = probe_kept(&keepers[i]);
		bench_set(b, i, &set);
	}
	check(bench_until(b, 30000, three_probes_of_each, &count), "three probes of each of %d servers",
		SERVERS);
	for (uint32_t i = 0; i < SERVERS; i++) {
		up += b->seen[i].last.up && b->seen[i].last.reason == REASON_PROBE_OK;
		failures += (uint32_t)b->seen[i].last.failures;
		connections += atomic_load(&keepers[i].connections);
	}
	check(up == SERVERS && failures == 0 && connections > SERVERS,
		"%d servers, room for %d connections: %u up, %u failures, %u connections", SERVERS,
		PLACES, up, failures, connections);
	check(bench_stop(b), "stopped");
}
