/*
 * Answers that are struck anywhere: cut or reset at each of their bytes, in the clear and inside of
 * TLS, and answers with bytes changed, doubled and lost at random. One server for all, which reads
 * from the path of the request what is to become of its answer.
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
#include <sys/socket.h>
#include <unistd.h>

#define YEAR (365L * 86400)

static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	"5;x=y\r\npool-\r\ne\r\nmember-is-well\r\n0\r\n\r\n";

enum {
	ANSWER = sizeof(answer) - 1,
	ENOUGH = ANSWER - 7, /* with the last byte of the text the verdict is certain */
	TLS_STEP = 13,       /* bytes between two cuts inside of TLS */
	TLS_CUTS = 80,
	TLS_TARGETS = 40,
};

struct striker {
	int fd;
	uint16_t port;
	SSL_CTX *context; /* NULL: in the clear */
	bool uncut;       /* to show that what is cut would be good */
	pthread_t thread;
	_Atomic uint64_t served;
};

static void
reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* What is in `from` to the client, as long as there is some of the `left` bytes. */
static void
pass_out(BIO *from, int fd, long *left)
{
	char bytes[4096];
	int n;

	while ((n = BIO_read(from, bytes, sizeof(bytes))) > 0) {
		if (*left < n)
			n = (int)*left;
		if (n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
			*left = 0;
		*left -= n;
	}
}

/* Handshake and answer; no more than so many bytes of all of it leave. */
static void
answer_in_tls(struct striker *s, int fd, long left)
{
	SSL *ssl = SSL_new(s->context);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char bytes[4096];
	ssize_t n;

	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	while (left > 0 && (n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		BIO_write(in, bytes, (int)n);
		if (SSL_do_handshake(ssl) == 1 && SSL_read(ssl, bytes, sizeof(bytes)) > 0) {
			SSL_write(ssl, answer, ANSWER);
			pass_out(out, fd, &left);
			break;
		}
		pass_out(out, fd, &left);
	}
	SSL_free(ssl);
}

/* One byte to three are changed, doubled or lost, anywhere. */
static size_t
mutate(char *text, size_t length, unsigned *seed)
{
	int i;

	for (i = 0; i < 1 + rand_r(seed) % 3 && length > 1; i++) {
		size_t at = (size_t)rand_r(seed) % length;
		char *here = text + at;

		switch (rand_r(seed) % 4) {
		case 0:
			*here = (char)rand_r(seed);
			break;
		case 1:
			*here = "\r\n :;0f\0"[rand_r(seed) % 8];
			break;
		case 2:
			memmove(here + 1, here, length - at);
			length++;
			break;
		case 3:
			memmove(here, here + 1, length - at - 1);
			length--;
			break;
		}
	}
	return length;
}

/* "/cut/17", "/reset/17": after so many bytes. "/any/3": whatever this seed makes of it. */
static void
answer_struck(struct striker *s, int fd)
{
	char request[4096] = "", text[ANSWER + 64], what[8] = "";
	ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
	unsigned number = 0, seed;
	size_t length = ANSWER;

	if (n <= 0 || sscanf(request, "GET /%7[a-z]/%u", what, &number) != 2)
		return;
	memcpy(text, answer, ANSWER);
	seed = number * 1000003u + (unsigned)atomic_load(&s->served);
	if (strcmp(what, "any") == 0)
		length = mutate(text, ANSWER, &seed);
	else if (number < length)
		length = number;
	send(fd, text, length, MSG_NOSIGNAL);
	if (strcmp(what, "reset") == 0)
		reset_on_close(fd);
}

static void *
serve(void *argument)
{
	struct striker *s = argument;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		uint64_t served = atomic_fetch_add(&s->served, 1);

		if (fd == -1)
			continue;
		if (s->context == NULL)
			answer_struck(s, fd);
		else
			answer_in_tls(s, fd, s->uncut ? INT32_MAX :
				(long)(served % TLS_CUTS) * TLS_STEP);
		if (s->context != NULL && !s->uncut && served / TLS_CUTS % 2 == 1)
			reset_on_close(fd);
		close(fd);
	}
	return NULL;
}

static void
striker_start(struct striker *s, SSL_CTX *context)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(at);

	s->context = context;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || bind(s->fd, (struct sockaddr *)&at, length) == -1 ||
	    listen(s->fd, 4096) == -1 || getsockname(s->fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&s->thread, NULL, serve, s) != 0) {
		perror("striker");
		exit(1);
	}
	s->port = ntohs(at.sin_port);
}

/* The prober is gone. A thread inside of OpenSSL would not outlive the end of the test's process. */
static void
striker_stop(struct striker *s)
{
	shutdown(s->fd, SHUT_RD);
	pthread_join(s->thread, NULL);
	SSL_CTX_free(s->context);
	close(s->fd);
}

static struct bench_probe
probe_struck(const struct striker *s, const char *what, unsigned number)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);

	snprintf(set.probe.path, sizeof(set.probe.path), "/%s/%u", what, number);
	set.probe.interval_ms = 1000;
	set.probe.timeout_ms = 900;
	set.address.port = s->port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	return set;
}

static bool
known_up_to(struct bench *b, void *of)
{
	uint32_t count = *(uint32_t *)of;

	for (uint32_t i = 0; i < count; i++)
		if (!b->seen[i].any)
			return false;
	return true;
}

/* Each byte at which it was cut: before the text is whole, bad, with one of these reasons. */
static void
check_cuts(const struct bench *b, const char *what, uint32_t first, enum reason other)
{
	unsigned good = 0, bad = 0;

	for (uint32_t n = 0; n <= ANSWER; n++) {
		const struct ipc_probe_result *r = &b->seen[first + n].last;
		bool cut = r->reason == REASON_HTTP_CLOSED || r->reason == (uint32_t)other;

		if (n >= ENOUGH && r->reason == REASON_PROBE_OK)
			good++;
		else if (n < ENOUGH && cut)
			bad++;
		else
			check(false, "%s after %u bytes: %s \"%s\"", what, n,
				reason_tag((enum reason)r->reason), r->evidence);
	}
	check(good + bad == ANSWER + 1, "%s after each of %d bytes: %u bad, %u good", what, ANSWER,
		bad, good);
}

void
test_cut_at_each_byte(void)
{
	enum { TARGETS = 2 * (ANSWER + 1) };
	static struct striker s;
	struct bench *b = bench_start(0);
	uint32_t count = TARGETS;

	striker_start(&s, NULL);
	for (unsigned n = 0; n <= ANSWER; n++) {
		struct bench_probe cut = probe_struck(&s, "cut", n);
		struct bench_probe reset = probe_struck(&s, "reset", n);

		bench_set(b, n, &cut);
		bench_set(b, ANSWER + 1 + n, &reset);
	}
	check(bench_until(b, 5000, known_up_to, &count), "a verdict on each of %u", count);
	check_cuts(b, "closed", 0, REASON_HTTP_CLOSED);
	check_cuts(b, "reset", ANSWER + 1, REASON_TCP_RESET);
	check(bench_stop(b), "the prober lived through it and stopped when told");
}

/* Every cut came up several times, and each target has met a few. */
static bool
struck_enough(struct bench *b, void *of)
{
	const struct striker *s = of;

	for (unsigned i = 0; i < TLS_TARGETS; i++)
		if (!b->seen[i].any || b->seen[i].last.probes < 5)
			return false;
	return b->seen[TLS_TARGETS].any && atomic_load(&s->served) > 4 * TLS_CUTS;
}

/* The handshake of TLS and what follows, cut each 13 bytes, closed and reset: never good. */
void
test_cut_inside_tls(void)
{
	static struct striker s, uncut = {.uncut = true};
	struct identity self = identity_new("self", "DNS:x", -YEAR, YEAR, NULL);
	struct bench *b = bench_start(0);
	unsigned wrong = 0;

	signal(SIGPIPE, SIG_IGN);
	striker_start(&s, identity_server(&self));
	striker_start(&uncut, identity_server(&self));
	for (unsigned i = 0; i <= TLS_TARGETS; i++) {
		struct bench_probe set = probe_struck(i == TLS_TARGETS ? &uncut : &s, "cut", 0);

		set.probe.type = CONF_PROBE_HTTPS;
		set.probe.interval_ms = 500;
		set.probe.timeout_ms = 490; /* a cut is seen at once; this is for a busy machine */
		set.probe.fall = set.probe.rise = 1;
		set.seed = PROBE_SEED_DOWN;
		bench_set(b, i, &set);
	}
	check(bench_until(b, 30000, struck_enough, &s), "each cut came up several times");
	for (unsigned i = 0; i < TLS_TARGETS; i++) {
		const struct ipc_probe_result *r = &b->seen[i].last;
		bool cut = r->reason == REASON_TLS_FAILED || r->reason == REASON_TCP_RESET ||
			r->reason == REASON_HTTP_CLOSED;

		wrong += r->up || r->probes < 5 || !cut || b->seen[i].up_at.ns != 0;
	}
	check(b->seen[TLS_TARGETS].last.up, "uncut it is good");
	check(wrong == 0, "%llu handshakes cut after 0 to %d bytes: none is good",
		(unsigned long long)atomic_load(&s.served), (TLS_CUTS - 1) * TLS_STEP);
	check(bench_stop(b), "the prober lived through it and stopped when told");
	striker_stop(&s);
	striker_stop(&uncut);
	identity_free(&self);
}

void
test_mutated_answers(void)
{
	enum { TARGETS = 60, FOR_MS = 4000 };
	static struct striker s;
	struct bench *b = bench_start(0);
	uint64_t probes = 0, failures = 0;
	long before_kib;

	striker_start(&s, NULL);
	for (unsigned i = 0; i < TARGETS; i++) {
		struct bench_probe set = probe_struck(&s, "any", i);

		set.probe.interval_ms = 20;
		set.probe.timeout_ms = 20;
		if (i % 3 == 1)
			strcpy(set.probe.regex, "^pool-member-is-(well|ill)$");
		if (i % 3 == 2) {
			set.probe.has_json = true;
			strcpy(set.probe.json_value, "well");
		}
		bench_set(b, i, &set);
	}
	bench_run(b, 1000);
	before_kib = resident_kib(b->pid);
	bench_run(b, FOR_MS);
	for (unsigned i = 0; i < TARGETS; i++) {
		probes += b->seen[i].last.probes;
		failures += b->seen[i].last.failures;
	}
	check(probes > 2000 && failures > probes / 3 && failures < probes,
		"%llu answers with bytes changed, doubled and lost: %llu failures",
		(unsigned long long)probes, (unsigned long long)failures);
	check(resident_kib(b->pid) - before_kib < 512 || TANDEM_SANITIZERS,
		"the prober's memory stayed: %ld KiB before, %ld KiB after", before_kib,
		resident_kib(b->pid));
	check(bench_stop(b), "the prober lived through it and stopped when told");
}
