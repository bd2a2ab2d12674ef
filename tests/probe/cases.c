/*
 * The HTTP cases H01 to H25 (tests/unit/test_http*.c has them byte by byte) against the real prober
 * process and real sockets: answers that are odd and good, and answers that look good and are not.
 * What is endless or a flood is in hostile.c.
 */
#include "tests.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 900, LATE_MS = 950 }; /* patience for a busy machine */

/* How the server behaves besides what it says. */
enum manner { CLOSES, KEEPS_OPEN, BYTE_BY_BYTE, DRIPS, UNREAD_RESET, LATE };

struct http_case {
	const char *name;
	const char *answer;
	size_t length;
	enum manner manner;
	const char *body;     /* that is expected; NULL: none */
	enum reason reason;
	bool head;            /* the request is HEAD */
	uint16_t low, high;   /* further statuses that are good; 0: none */
};

struct http_server {
	const struct http_case *what;
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_uint left_by_client; /* connections that the server would have kept */
};

#define CASE(text, how, says, expects, why) .name = text, .answer = says, \
	.length = sizeof(says) - 1, .manner = how, .body = expects, .reason = why
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define TEN(line) line line line line line line line line line line
#define INTERIM "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

static const struct http_case cases[] = {
	{CASE("H01 a byte at a time", BYTE_BY_BYTE, OK "Content-Length: 4\r\n\r\nwell", "well",
		REASON_PROBE_OK)},
	{CASE("H01 chunks, a byte at a time", BYTE_BY_BYTE, CHUNKED "2\r\nwe\r\n2\r\nll\r\n", "well",
		REASON_PROBE_OK)},
	{CASE("H02 no reason phrase", KEEPS_OPEN, "HTTP/1.1 200\r\n\r\n", NULL, REASON_PROBE_OK)},
	{CASE("H02 no reason phrase but a blank", KEEPS_OPEN, "HTTP/1.1 200 \r\n\r\n", NULL,
		REASON_PROBE_OK)},
	{CASE("H03 bare LF", KEEPS_OPEN, "HTTP/1.1 200 OK\nContent-Length: 4\n\nwell", "well",
		REASON_PROBE_OK)},
	{CASE("H03 bare CR", KEEPS_OPEN, "HTTP/1.1 200 OK\rX: y\r\n\r\n", NULL, REASON_HTTP_INVALID)},
	{CASE("H04 HTTP/1.0 up to the close", CLOSES, "HTTP/1.0 200 OK\r\n\r\nall well", "well$",
		REASON_HTTP_BODY)},
	{CASE("H04 HTTP/1.0, the text", CLOSES, "HTTP/1.0 200 OK\r\n\r\nall well", "all well",
		REASON_PROBE_OK)},
	{CASE("H05 a surplus is no body", KEEPS_OPEN, OK "Content-Length: 4\r\n\r\nill.well", "well",
		REASON_HTTP_BODY)},
	{CASE("H05 cut, and the body is needed", CLOSES, OK "Content-Length: 9\r\n\r\nall", "well",
		REASON_HTTP_CLOSED)},
	{CASE("H05 cut, and nobody needs the body", CLOSES, OK "Content-Length: 9\r\n\r\nall", NULL,
		REASON_PROBE_OK)},
	{CASE("H06 the same length twice", KEEPS_OPEN,
		OK "Content-Length: 4\r\nContent-Length: 4\r\n\r\nwell", "well", REASON_PROBE_OK)},
	{CASE("H06 two lengths", KEEPS_OPEN, OK "Content-Length: 4\r\nContent-Length: 5\r\n\r\nwell",
		"well", REASON_HTTP_INVALID)},
	{CASE("H06 chunks outrank a length", KEEPS_OPEN,
		OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n\r\n",
		"well", REASON_PROBE_OK)},
	{CASE("H07 extensions, upper case, zeros", KEEPS_OPEN,
		CHUNKED "A;x=\"y\"\r\n0123456789\r\n0004 ; z\r\nwell\r\n", "9well", REASON_PROBE_OK)},
	{CASE("H07 a trailer is no body", KEEPS_OPEN, CHUNKED "3\r\nill\r\n0\r\nX: well\r\n\r\n",
		"well", REASON_HTTP_BODY)},
	{CASE("H07 a size beyond 2^63", KEEPS_OPEN, CHUNKED "8000000000000000\r\nwell", "well",
		REASON_HTTP_INVALID)},
	{CASE("H07 no line end after the last chunk", CLOSES, CHUNKED "4\r\nwell\r\n0\r\n", "well",
		REASON_PROBE_OK)},
	{CASE("H08 100, then 103, then the answer", KEEPS_OPEN,
		"HTTP/1.1 100 Continue\r\n\r\n" INTERIM OK "\r\nwell", "well", REASON_PROBE_OK)},
	{CASE("H08 ten of them", KEEPS_OPEN, TEN(INTERIM) OK "\r\nwell", "well",
		REASON_HTTP_TOO_LARGE)},
	{CASE("H08 another protocol", KEEPS_OPEN, "HTTP/1.1 101 Up\r\n\r\n" OK "\r\n", NULL,
		REASON_HTTP_STATUS)},
	{CASE("H09 204 has no body", KEEPS_OPEN, "HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nwell",
		"well", REASON_HTTP_BODY), .low = 204, .high = 204},
	{CASE("H09 304 has no body", KEEPS_OPEN, "HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nwell",
		"well", REASON_HTTP_BODY), .low = 300, .high = 399},
	{CASE("H09 HEAD has no body", KEEPS_OPEN, OK "Content-Length: 4\r\n\r\n", NULL,
		REASON_PROBE_OK), .head = true},
	{CASE("H10 a redirect is a status", KEEPS_OPEN, "HTTP/1.1 302 Go\r\nLocation: /\r\n\r\n", NULL,
		REASON_HTTP_STATUS)},
	{CASE("H10 that may be wanted", KEEPS_OPEN, "HTTP/1.1 302 Go\r\nLocation: /\r\n\r\n", NULL,
		REASON_PROBE_OK), .low = 301, .high = 302},
	{CASE("H11 101 lines of header", KEEPS_OPEN, OK TEN(TEN("X: y\r\n")) "X: y\r\n\r\n", NULL,
		REASON_HTTP_TOO_LARGE)},
	{CASE("H11 100 lines of header", KEEPS_OPEN, OK TEN(TEN("X: y\r\n")) "\r\n", NULL,
		REASON_PROBE_OK)},
	{CASE("H12 a drip", DRIPS, OK "Content-Length: 100000\r\n\r\nwe", "well",
		REASON_HTTP_TIMEOUT)},
	{CASE("H13 the answer first, then a reset", UNREAD_RESET, OK "Content-Length: 4\r\n\r\nwell",
		"well", REASON_PROBE_OK)},
	{CASE("H13 an early 503", UNREAD_RESET, "HTTP/1.1 503 Full\r\n\r\n", NULL, REASON_HTTP_STATUS)},
	{CASE("H14 says nothing", KEEPS_OPEN, "", NULL, REASON_HTTP_TIMEOUT)},
	{CASE("H14 closes at once", CLOSES, "", NULL, REASON_HTTP_CLOSED)},
	{CASE("H15 SSH", KEEPS_OPEN, "SSH-2.0-x\r\n", NULL, REASON_HTTP_INVALID)},
	{CASE("H15 a TLS alert", KEEPS_OPEN, "\x15\x03\x01\x00\x02\x02\x46", NULL, REASON_HTTP_INVALID)},
	{CASE("H16 an empty line first", KEEPS_OPEN, "\r\n" OK "\r\nwell", "well", REASON_PROBE_OK)},
	{CASE("H16 two of them", KEEPS_OPEN, "\r\n\r\n" OK "\r\nwell", "well", REASON_HTTP_INVALID)},
	{CASE("H17 folded lines", KEEPS_OPEN, OK "X: a\r\n\tb\r\nContent-Length:\r\n 4\r\n\r\nwell",
		"well", REASON_PROBE_OK)},
	{CASE("H18 keeps the connection open", KEEPS_OPEN, OK "Content-Length: 4\r\n\r\nwell", "well",
		REASON_PROBE_OK)},
	{CASE("H20 a text over three chunks", KEEPS_OPEN, CHUNKED "1\r\nw\r\n2\r\nel\r\n1\r\nl\r\n",
		"well", REASON_PROBE_OK)},
	{CASE("H21 NUL bytes in header and body", KEEPS_OPEN,
		OK "X: a\0b\r\nContent-Length: 6\r\n\r\n\0\0well", "well", REASON_PROBE_OK)},
	{CASE("H25 after the deadline", LATE, OK "\r\nwell", "well", REASON_HTTP_TIMEOUT)},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static bool
say(int fd, const char *bytes, size_t length)
{
	return length == 0 || send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static void
say_slowly(int fd, const struct http_case *c)
{
	for (size_t i = 0; i < c->length && say(fd, c->answer + i, 1); i++)
		usleep(500);
	while (c->manner == DRIPS && say(fd, "w", 1))
		usleep(20000);
}

/* True when the client left, within two of its timeouts. */
static bool
is_left(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[512];

	return poll(&p, 1, 2 * TIMEOUT_MS) == 1 && recv(fd, bytes, sizeof(bytes), 0) <= 0;
}

static void
answer(struct http_server *s, int fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	const struct http_case *c = s->what;
	char request[4096];

	if (c->manner == UNREAD_RESET) {
		say(fd, c->answer, c->length);
		usleep(20000); /* the request is there, and nobody reads it */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		return;
	}
	if (recv(fd, request, sizeof(request), 0) <= 0)
		return;
	if (c->manner == BYTE_BY_BYTE || c->manner == DRIPS) {
		say_slowly(fd, c);
	} else {
		usleep(c->manner == LATE ? LATE_MS * 1000 : 0);
		say(fd, c->answer, c->length);
	}
	if (c->manner != CLOSES)
		atomic_fetch_add(&s->left_by_client, is_left(fd));
}

static void *
serve(void *argument)
{
	struct http_server *s = argument;
	const int one = 1;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		if (fd == -1)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		answer(s, fd);
		close(fd);
	}
	return NULL;
}

static void
serve_case(struct http_server *s, const struct http_case *what)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(at);

	s->what = what;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || bind(s->fd, (struct sockaddr *)&at, length) == -1 ||
	    listen(s->fd, 64) == -1 || getsockname(s->fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&s->thread, NULL, serve, s) != 0)
		die("http server");
	s->port = ntohs(at.sin_port);
}

static struct bench_probe
probe_for(const struct http_case *c, uint16_t port)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);

	memset(set.probe.body, 0, sizeof(set.probe.body));
	if (c->body != NULL)
		strcpy(set.probe.body, c->body);
	set.probe.method = c->head ? 1 : 0;
	set.probe.status[1] = (struct conf_status_range){c->low, c->high};
	set.probe.status_count = c->low != 0 ? 2 : 1;
	set.urgent = true;
	set.probe.interval_ms = 1000;
	set.probe.timeout_ms = TIMEOUT_MS;
	set.address.port = port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	return set;
}

static bool
asked_twice(struct bench *b, void *of)
{
	uint32_t count = *(uint32_t *)of;

	for (uint32_t i = 0; i < count; i++)
		if (!b->seen[i].any || b->seen[i].last.probes < 2)
			return false;
	return true;
}

/* The second result as well: nothing of the first answer may be left over. */
void
test_http_cases(void)
{
	static struct http_server servers[CASES];
	struct bench *b = bench_start(0);
	uint32_t count = CASES;

	for (uint32_t i = 0; i < CASES; i++) {
		struct bench_probe set;

		serve_case(&servers[i], &cases[i]);
		set = probe_for(&cases[i], servers[i].port);
		bench_set(b, i, &set);
	}
	check(bench_until(b, 8000, asked_twice, &count), "each of %u servers was asked twice", count);
	bench_run(b, 500); /* the first connections are over by now */
	for (uint32_t i = 0; i < CASES; i++) {
		const struct ipc_probe_result *r = &b->seen[i].last;
		const struct http_case *c = &cases[i];
		bool holds = c->manner != CLOSES && c->manner != UNREAD_RESET && c->manner != DRIPS;

		uint32_t left = atomic_load(&servers[i].left_by_client);

		check(r->reason == c->reason && r->up == (c->reason == REASON_PROBE_OK) &&
			(left > 0 || !holds), "http %s: %s %d \"%s\"%s", c->name,
			reason_tag((enum reason)r->reason), r->detail, r->evidence,
			left > 0 ? ", and then we left" : "");
	}
	check(bench_stop(b), "the prober lived through it and stopped when told");
}

/* --- what is asked ------------------------------------------------------------------------ */

/* The request as it arrives at [::1], read late. */
static size_t
hear_request(int listener, char *out, size_t size)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	size_t length = 0;
	ssize_t n;
	int fd;

	if (poll(&p, 1, 3000) != 1 || (fd = accept(listener, NULL, NULL)) == -1)
		return 0;
	p.fd = fd;
	usleep(50000);
	while (length < size - 1 && strstr(out, "\r\n\r\nend") == NULL && poll(&p, 1, 300) == 1 &&
	    (n = recv(fd, out + length, size - 1 - length, 0)) > 0) {
		length += (size_t)n;
		out[length] = '\0';
	}
	close(fd);
	return length;
}

static int
listen_at(uint16_t port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback,
		.sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), least = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, 8) == -1)
		die("listener");
	return fd;
}

static struct bench_probe
probe_at(uint16_t port)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);

	set.urgent = true;
	set.probe.interval_ms = 2000;
	set.probe.timeout_ms = 1500;
	set.address.port = port;
	ip_addr_parse("::1", &set.address.addr);
	return set;
}

static void
check_host(struct bench *b, uint16_t port, const char *host)
{
	char request[4096] = "", expected[128];
	struct bench_probe set = probe_at(port);
	int listener = listen_at(port);

	snprintf(expected, sizeof(expected), "GET /health HTTP/1.1\r\nHost: %s\r\n", host);
	bench_set(b, 1, &set);
	hear_request(listener, request, sizeof(request));
	check(strncmp(request, expected, strlen(expected)) == 0, "http H19 port %u: Host is %s", port,
		host);
	check(strstr(request, "\r\nAccept-Encoding: identity\r\n") != NULL &&
		strstr(request, "\r\nConnection: close\r\n") != NULL, "http H23, H18: plain, and to close");
	bench_clear(b, 1);
	close(listener);
}

/* Neither socket takes more than a part of it: the rest waits until the server reads. */
static void
check_partial_writes(struct bench *b)
{
	struct bench_probe set = probe_at(8080);
	char request[4096] = "", expected[sizeof(set.probe.headers) + 2];
	int listener = listen_at(8080);
	size_t i, length;

	for (i = 0; i + 40 < sizeof(set.probe.headers); i += 40)
		sprintf(set.probe.headers + i, "X-%02zu: %033zu\n", i / 40 % 100, i);
	set.probe.method = 2; /* POST */
	set.probe.send.length = sizeof(set.probe.send.bytes);
	memset(set.probe.send.bytes, 'b', sizeof(set.probe.send.bytes));
	memcpy(set.probe.send.bytes, "end", 3);
	memset(set.probe.path + 1, 'p', sizeof(set.probe.path) - 2);
	bench_set(b, 2, &set);
	length = hear_request(listener, request, sizeof(request));
	snprintf(expected, sizeof(expected), "X-%02zu: %033zu\r\n", (i / 40 - 1) % 100, i - 40);
	check(length > 1300 && strstr(request, expected) != NULL && strstr(request, "\r\n\r\nend") != NULL,
		"http H22: a request of %zu bytes arrives whole, a part at a time", length);
	bench_clear(b, 2);
	close(listener);
}

/* What would split the request is refused before anything is sent. */
static void
check_no_splitting(struct bench *b)
{
	static const char *const paths[] = {"/a b", "/a\r\nX: y", "/a\tb", "a"};
	int listener = listen_at(8081);
	struct pollfd p = {.fd = listener, .events = POLLIN};

	for (uint32_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct bench_probe set = probe_at(8081);

		strcpy(set.probe.path, paths[i]);
		bench_set(b, 10 + i, &set);
	}
	bench_run(b, 500);
	check(poll(&p, 1, 0) == 0,
		"http H24: a path that would split the request is never sent");
	close(listener);
}

void
test_http_requests(void)
{
	struct bench *b;

	ip("link set lo mtu 1280 gso_max_segs 1");
	if (system("echo 1 1 1 > /proc/sys/net/ipv4/tcp_wmem") != 0)
		die("tcp_wmem");
	b = bench_start(0);
	check_host(b, 80, "[::1]");
	check_host(b, 8079, "[::1]:8079");
	check_partial_writes(b);
	check_no_splitting(b);
	check(bench_stop(b), "stopped");
}
