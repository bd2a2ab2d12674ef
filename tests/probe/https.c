/*
 * https servers, good and bad, against the real prober process: the verdict, its reason and that the
 * prober lives, within its memory. Each case is a server with a thread of its own; the first result
 * is the verdict.
 */
#include "tests.h"

#include "authority.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\npool-member-is-well"
#define YEAR (365L * 86400)

enum which { GOOD, EXPIRED, NOT_YET, SOON, STRANGER, SELF, ADDRESS, IDENTITIES };

struct world {
	struct identity authority, stranger, all[IDENTITIES];
	SSL_CTX *contexts[IDENTITIES];
	char *pem;
};

struct https_case;

struct https_server {
	const struct https_case *what;
	SSL_CTX *context;
	int fd;
	uint16_t port;
	pthread_t thread;
};

struct https_case {
	const char *name;
	void (*serve)(struct https_server *s, int fd);
	enum which identity;
	enum reason reason;
	const char *sni;
	bool unverified, expiry_fail, tls_1_3_alone;
	int most; /* TLS version of the server; 0: any */
	const char *evidence;
};

static bool
say(int fd, const void *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* Until the client leaves. */
static void
hold(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

/* The handshake and the request; NULL when it did not come so far. */
static SSL *
shake(struct https_server *s, int fd)
{
	SSL *ssl = SSL_new(s->context);
	char request[4096];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void
answers(struct https_server *s, int fd, const char *text)
{
	SSL *ssl = shake(s, fd);

	if (ssl == NULL)
		return;
	SSL_write(ssl, text, (int)strlen(text));
	hold(fd);
	SSL_free(ssl);
}

static void
serve_good(struct https_server *s, int fd)
{
	answers(s, fd, GOOD_ANSWER);
}

static void
serve_500(struct https_server *s, int fd)
{
	answers(s, fd, "HTTP/1.1 500 Broken\r\n\r\n");
}

static void
serve_to_close(struct https_server *s, int fd)
{
	SSL *ssl = shake(s, fd);

	if (ssl == NULL)
		return;
	SSL_write(ssl, "HTTP/1.0 200 OK\r\n\r\nnothing", 26);
	SSL_free(ssl); /* closed without a close_notify */
}

/* One record a byte: the deadline is one for all of them. */
static void
serve_drip(struct https_server *s, int fd)
{
	SSL *ssl = shake(s, fd);
	const char *at = "HTTP/1.1 200 OK\r\nX-Very-Long: ";

	while (ssl != NULL && SSL_write(ssl, at, 1) == 1) {
		usleep(5000);
		if (at[1] != '\0')
			at++;
	}
	SSL_free(ssl);
}

static void
serve_endless_head(struct https_server *s, int fd)
{
	static const char line[] = "X-Padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
	SSL *ssl = shake(s, fd);

	if (ssl != NULL && SSL_write(ssl, "HTTP/1.1 200 OK\r\n", 17) == 17)
		while (SSL_write(ssl, line, sizeof(line) - 1) > 0)
			;
	SSL_free(ssl);
}

/* Handshake messages for ever, after a handshake that is over. */
static void
serve_key_updates(struct https_server *s, int fd)
{
	SSL *ssl = shake(s, fd);

	while (ssl != NULL && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1)
		;
	SSL_free(ssl);
}

static void
serve_garbage_after(struct https_server *s, int fd)
{
	SSL *ssl = shake(s, fd);

	if (ssl == NULL)
		return;
	say(fd, "\x17\x03\x03\x00\x20nothing that any key would open..", 38);
	hold(fd);
	SSL_free(ssl);
}

static void
serve_silent(struct https_server *s, int fd)
{
	(void)s;
	hold(fd);
}

static void
serve_plain_http(struct https_server *s, int fd)
{
	(void)s;
	say(fd, GOOD_ANSWER, sizeof(GOOD_ANSWER) - 1);
	hold(fd);
}

static void
serve_alert(struct https_server *s, int fd)
{
	(void)s;
	say(fd, "\x15\x03\x03\x00\x02\x02\x28", 7);
	hold(fd);
}

static void
serve_close(struct https_server *s, int fd)
{
	char bytes[4096];

	(void)s;
	if (recv(fd, bytes, sizeof(bytes), 0) > 0)
		shutdown(fd, SHUT_WR);
	hold(fd);
}

static void
serve_reset(struct https_server *s, int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};
	char bytes[4096];

	(void)s;
	recv(fd, bytes, sizeof(bytes), 0);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* A handshake record of 16384 bytes that never ends, a byte at a time. */
static void
serve_drip_record(struct https_server *s, int fd)
{
	(void)s;
	if (!say(fd, "\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", 9))
		return;
	while (say(fd, "\x03", 1))
		usleep(5000);
}

/* A certificate message that claims 16 megabytes, and sends as fast as it is taken. */
static void
serve_huge_message(struct https_server *s, int fd)
{
	static uint8_t record[5 + 16384] = {0x16, 0x03, 0x03, 0x40, 0x00, 0x02, 0xff, 0xff, 0xff};

	(void)s;
	while (say(fd, record, sizeof(record)))
		;
}

static void
serve_random(struct https_server *s, int fd)
{
	char bytes[512];

	(void)s;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)random();
	say(fd, bytes, sizeof(bytes));
	hold(fd);
}

static const struct https_case cases[] = {
	{"good", serve_good, GOOD, REASON_PROBE_OK, .sni = "www.example.org"},
	{"good by its address", serve_good, ADDRESS, REASON_PROBE_OK, .sni = NULL},
	{"good, TLS 1.2", serve_good, GOOD, REASON_PROBE_OK, .sni = "www.example.org",
		.most = TLS1_2_VERSION},
	{"self-signed, not verified", serve_good, SELF, REASON_PROBE_OK, .unverified = true},
	{"about to expire, warned of", serve_good, SOON, REASON_PROBE_OK,
		.sni = "www.example.org"},
	{"about to expire, to fail", serve_good, SOON, REASON_TLS_EXPIRES,
		.sni = "www.example.org", .expiry_fail = true, .evidence = "2 days left"},
	{"expired", serve_good, EXPIRED, REASON_TLS_EXPIRED, .sni = "www.example.org",
		.evidence = "CN=expired: certificate has expired"},
	{"expired, not verified, to fail", serve_good, EXPIRED, REASON_TLS_EXPIRES,
		.unverified = true, .expiry_fail = true},
	{"not valid yet", serve_good, NOT_YET, REASON_TLS_CERTIFICATE, .sni = "www.example.org"},
	{"another name", serve_good, GOOD, REASON_TLS_NAME, .sni = "www.example.com",
		.evidence = "CN=good: hostname mismatch"},
	{"another address", serve_good, GOOD, REASON_TLS_NAME, .sni = NULL},
	{"authority not known", serve_good, STRANGER, REASON_TLS_ISSUER,
		.sni = "www.example.org"},
	{"self-signed", serve_good, SELF, REASON_TLS_ISSUER, .sni = "www.example.org"},
	{"TLS 1.2 where 1.3 is the least", serve_good, GOOD, REASON_TLS_FAILED,
		.sni = "www.example.org", .most = TLS1_2_VERSION, .tls_1_3_alone = true},
	{"status 500", serve_500, GOOD, REASON_HTTP_STATUS, .sni = "www.example.org",
		.evidence = "HTTP/1.1 500 Broken...."},
	{"body to the close, without the text", serve_to_close, GOOD, REASON_HTTP_BODY,
		.sni = "www.example.org"},
	{"header a byte a record", serve_drip, GOOD, REASON_HTTP_TIMEOUT,
		.sni = "www.example.org"},
	{"header without end", serve_endless_head, GOOD, REASON_HTTP_TOO_LARGE,
		.sni = "www.example.org"},
	{"key updates without end", serve_key_updates, GOOD, REASON_HTTP_TIMEOUT,
		.sni = "www.example.org"},
	{"garbage after the handshake", serve_garbage_after, GOOD, REASON_TLS_FAILED,
		.sni = "www.example.org"},
	{"says nothing", serve_silent, GOOD, REASON_TLS_TIMEOUT, .sni = NULL},
	{"speaks plain HTTP", serve_plain_http, GOOD, REASON_TLS_FAILED, .sni = NULL},
	{"answers an alert", serve_alert, GOOD, REASON_TLS_FAILED, .sni = NULL},
	{"closes in the handshake", serve_close, GOOD, REASON_TLS_FAILED, .sni = NULL},
	{"resets in the handshake", serve_reset, GOOD, REASON_TCP_RESET, .sni = NULL},
	{"drips a handshake record", serve_drip_record, GOOD, REASON_TLS_TIMEOUT, .sni = NULL},
	{"certificate of 16 megabytes", serve_huge_message, GOOD, REASON_TLS_FAILED, .sni = NULL},
	{"random bytes", serve_random, GOOD, REASON_TLS_FAILED, .sni = NULL},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void *
serve_all(void *argument)
{
	struct https_server *s = argument;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		if (fd == -1)
			continue;
		s->what->serve(s, fd);
		close(fd);
	}
	return NULL;
}

static void
serve(struct https_server *s, struct world *w)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(at);

	s->context = w->contexts[s->what->identity];
	if (s->what->most != 0) {
		s->context = identity_server(&w->all[s->what->identity]);
		SSL_CTX_set_max_proto_version(s->context, s->what->most);
	}
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || bind(s->fd, (struct sockaddr *)&at, length) == -1 ||
	    listen(s->fd, 64) == -1 || getsockname(s->fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&s->thread, NULL, serve_all, s) != 0) {
		perror("https server");
		exit(1);
	}
	s->port = ntohs(at.sin_port);
}

static void
make_world(struct world *w)
{
	static const char san[] = "DNS:www.example.org";

	w->authority = identity_new("tests", NULL, -YEAR, YEAR, NULL);
	w->stranger = identity_new("stranger", NULL, -YEAR, YEAR, NULL);
	w->all[GOOD] = identity_new("good", san, -YEAR, YEAR, &w->authority);
	w->all[EXPIRED] = identity_new("expired", san, -YEAR, -60, &w->authority);
	w->all[NOT_YET] = identity_new("early", san, 3600, YEAR, &w->authority);
	w->all[SOON] = identity_new("soon", san, -YEAR, 2 * 86400 + 3600, &w->authority);
	w->all[STRANGER] = identity_new("unknown", san, -YEAR, YEAR, &w->stranger);
	w->all[SELF] = identity_new("self", san, -YEAR, YEAR, NULL);
	w->all[ADDRESS] = identity_new("address", "IP:127.0.0.1", -YEAR, YEAR, &w->authority);
	w->pem = identity_pem(&w->authority);
	for (int i = 0; i < IDENTITIES; i++)
		w->contexts[i] = identity_server(&w->all[i]);
}

static struct bench_probe
probe_for(const struct https_case *c, const struct world *w, uint16_t port)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTPS);

	set.urgent = true;
	set.probe.interval_ms = 500;
	set.probe.timeout_ms = 400;
	set.probe.verify = !c->unverified;
	set.probe.expiry_warning_days = 14;
	set.probe.expiry_fail = c->expiry_fail;
	set.probe.tls_min = c->tls_1_3_alone ? CONF_TLS_1_3 : CONF_TLS_1_2;
	if (c->sni != NULL)
		strcpy(set.probe.sni, c->sni);
	if (set.probe.verify) {
		strcpy(set.probe.ca_file, "/test");
		set.ca = w->pem;
	}
	set.address.port = port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	return set;
}

static bool
all_known(struct bench *b, void *of)
{
	uint32_t count = *(uint32_t *)of, i;

	for (i = 0; i < count; i++)
		if (!b->seen[i].any || b->seen[i].last.reason == REASON_LOCAL_ERROR)
			return false;
	return true;
}

static void
check_cases(const struct bench *b)
{
	for (uint32_t i = 0; i < CASES; i++) {
		const struct ipc_probe_result *r = &b->seen[i].last;
		const struct https_case *c = &cases[i];

		check(r->reason == c->reason && r->up == (c->reason == REASON_PROBE_OK) &&
			(c->evidence == NULL || strcmp(r->evidence, c->evidence) == 0),
			"https %s: %s %d \"%s\"", c->name, reason_tag((enum reason)r->reason),
			r->detail, r->evidence);
	}
}

void
test_https(void)
{
	static struct https_server servers[CASES];
	static struct world w;
	struct bench *b = bench_start(0);
	uint32_t count = CASES, i;
	long before_kib;

	signal(SIGPIPE, SIG_IGN);
	make_world(&w);
	for (i = 0; i < CASES; i++) {
		struct bench_probe set;

		servers[i].what = &cases[i];
		serve(&servers[i], &w);
		set = probe_for(&cases[i], &w, servers[i].port);
		bench_set(b, i, &set);
	}
	check(bench_until(b, 5000, all_known, &count), "a verdict on each of %u servers", count);
	check_cases(b);
	check(b->seen[4].last.expires_s - time(NULL) > 86400 &&
		b->seen[4].last.expires_s - time(NULL) < 3 * 86400,
		"the end of the certificate is told");
	bench_run(b, 1500);
	before_kib = resident_kib(b->pid);
	bench_run(b, 2000);
	check_cases(b);
	check(resident_kib(b->pid) - before_kib < 1024 || TANDEM_SANITIZERS,
		"the prober's memory stayed: %ld KiB before, %ld KiB after", before_kib,
		resident_kib(b->pid));
	check(bench_stop(b), "the prober lived through it and stopped when told");
}

/* So many authorities that sorting them is another way through libc. */
void
test_https_system_bundle(void)
{
	enum { AUTHORITIES = 300 };
	static const struct https_case good = {"good", serve_good, GOOD, REASON_PROBE_OK,
		.sni = "www.example.org"};
	static struct https_server server = {.what = &good};
	static struct world w;
	struct bench *b = bench_start(0);
	struct bench_probe set;
	uint32_t count = 1;
	char *all, name[32];
	size_t used = 0;

	make_world(&w);
	all = calloc(AUTHORITIES + 1, 1024);
	for (int i = 0; i <= AUTHORITIES; i++) {
		struct identity other;
		char *pem;

		snprintf(name, sizeof(name), "authority %d", i);
		other = identity_new(name, NULL, -YEAR, YEAR, NULL);
		pem = identity_pem(&other);
		used += (size_t)sprintf(all + used, "%s", i == AUTHORITIES ? w.pem : pem);
		free(pem);
		identity_free(&other);
	}
	serve(&server, &w);
	set = probe_for(&good, &w, server.port);
	set.ca = all;
	bench_set(b, 0, &set);
	bench_until(b, 5000, all_known, &count);
	check(b->seen[0].any && b->seen[0].last.up,
		"good under one of %d authorities: %s \"%s\"", AUTHORITIES + 1,
		reason_tag((enum reason)b->seen[0].last.reason), b->seen[0].last.evidence);
	check(bench_stop(b), "stopped");
	free(all);
}
