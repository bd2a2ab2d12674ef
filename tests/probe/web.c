/*
 * What http probes ask and expect, against the real prober process: the request as it arrives, byte
 * by byte, and the verdict on what was answered to it.
 */
#include "tests.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct web_case {
	const char *name;
	void (*set)(struct conf_probe *p);
	const char *request; /* how it begins; NULL: not looked at */
	const char *answer;  /* '+' at its end: the server keeps the connection open */
	enum reason reason;
	const char *evidence; /* NULL: not looked at */
};

struct web_server {
	const struct web_case *what;
	int fd;
	uint16_t port;
	pthread_t thread;
	char request[4096];
	atomic_bool asked;
};

#define OK_WITH(body) "HTTP/1.1 200 OK\r\n\r\n" body
#define ASKED(first) first "\r\nHost: h\r\nUser-Agent: tandem/" PACKAGE_VERSION \
	"\r\nConnection: close\r\n" "Accept-Encoding: identity\r\n"

static void
set_plain(struct conf_probe *p)
{
	strcpy(p->host, "h");
}

static void
set_head(struct conf_probe *p)
{
	set_plain(p);
	p->method = 1;
}

static void
set_post(struct conf_probe *p)
{
	set_plain(p);
	p->method = 2;
	strcpy(p->headers, "Content-Type: application/json\nX-Empty:\n");
	p->send.length = 4;
	memcpy(p->send.bytes, "{\0}\n", 4);
}

static void
set_put(struct conf_probe *p)
{
	set_plain(p);
	p->method = 3;
}

static void
set_options_1_0(struct conf_probe *p)
{
	set_plain(p);
	p->method = 6;
	p->http_version = 1;
}

static void
set_header(struct conf_probe *p)
{
	strcpy(p->header, "Content-Type: json");
}

static void
set_regex(struct conf_probe *p)
{
	strcpy(p->regex, "^all (is|are) \\w+$");
}

static void
set_dear_regex(struct conf_probe *p)
{
	strcpy(p->regex, "(a*)*b|.*[bc]");
}

static void
set_json(struct conf_probe *p)
{
	p->has_json = true;
	strcpy(p->json_pointer, "/checks/0/state");
	strcpy(p->json_value, "UP");
}

static void
set_all(struct conf_probe *p)
{
	set_header(p);
	set_json(p);
	strcpy(p->regex, "\"UP\"");
	strcpy(p->body, "checks");
}

#define UP "{\"checks\":[{\"state\":\"UP\"}]}"

static const struct web_case cases[] = {
	{"GET", set_plain, ASKED("GET /health HTTP/1.1") "\r\n", OK_WITH(""), REASON_PROBE_OK, NULL},
	{"HEAD, a length without a body", set_head, ASKED("HEAD /health HTTP/1.1") "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n+", REASON_PROBE_OK, NULL},
	{"POST with headers and a body", set_post, ASKED("POST /health HTTP/1.1")
		"Content-Type: application/json\r\nX-Empty:\r\nContent-Length: 4\r\n\r\n{",
		OK_WITH(""), REASON_PROBE_OK, NULL},
	{"PUT without a body", set_put, ASKED("PUT /health HTTP/1.1") "Content-Length: 0\r\n\r\n",
		OK_WITH(""), REASON_PROBE_OK, NULL},
	{"OPTIONS in HTTP/1.0", set_options_1_0, ASKED("OPTIONS /health HTTP/1.0") "\r\n",
		"HTTP/1.0 204 None\r\nAllow: GET\r\n\r\n", REASON_PROBE_OK, NULL},
	{"header as expected", set_header, NULL,
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n+", REASON_PROBE_OK, NULL},
	{"another header", set_header, NULL, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n+",
		REASON_HTTP_HEADER, "HTTP/1.1 200 OK..Content-Type: text/html...."},
	{"regex matches", set_regex, NULL, OK_WITH("all are well"), REASON_PROBE_OK, NULL},
	{"regex matches, chunked, kept open", set_regex, NULL, "HTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n4\r\nall \r\n7\r\nis fine\r\n0\r\n\r\n+",
		REASON_PROBE_OK, NULL},
	{"regex does not match", set_regex, NULL, OK_WITH("all was well"), REASON_HTTP_BODY,
		"all was well"},
	{"regex, the body never ends", set_regex, NULL, OK_WITH("all is well") "+",
		REASON_HTTP_TIMEOUT, NULL},
	{"regex, the body is cut", set_regex, NULL,
		"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nall is well", REASON_HTTP_CLOSED, NULL},
	{"regex, too much work", set_dear_regex, NULL, NULL, REASON_HTTP_BODY,
		"regex: too much work for this body"},
	{"json as expected", set_json, NULL, OK_WITH(UP), REASON_PROBE_OK, NULL},
	{"json, another value", set_json, NULL, OK_WITH("{\"checks\":[{\"state\":\"DO\\u000aWN\"}]}"),
		REASON_HTTP_BODY, "/checks/0/state: DO.WN"},
	{"json, nothing there", set_json, NULL, OK_WITH("{\"checks\":[]}"), REASON_HTTP_BODY,
		"/checks/0/state: nothing there"},
	{"json, a page instead", set_json, NULL, OK_WITH("<html>"), REASON_HTTP_BODY,
		"no JSON: invalid token near '<'"},
	{"json, nothing at all", set_json, NULL, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n+",
		REASON_HTTP_BODY, NULL},
	{"everything as expected", set_all, NULL,
		"HTTP/1.1 200 OK\r\nContent-Type: a/json\r\n\r\n" UP, REASON_PROBE_OK, NULL},
	{"everything but the text", set_all, NULL, "HTTP/1.1 200 OK\r\nContent-Type: a/json\r\n\r\n"
		"{\"check\":[{\"state\":\"UP\"}]}", REASON_HTTP_BODY, NULL},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static bool
say(int fd, const char *text, size_t length)
{
	return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

/* 64 KiB of one letter, for the pattern that cannot bear it. */
static void
say_much(int fd)
{
	static char block[65536];

	memset(block, 'a', sizeof(block));
	if (say(fd, "HTTP/1.1 200 OK\r\n\r\n", 19))
		say(fd, block, sizeof(block));
}

static void
answer(struct web_server *s, int fd)
{
	ssize_t n = recv(fd, s->request, sizeof(s->request) - 1, 0);
	const char *text = s->what->answer;
	size_t length = text != NULL ? strlen(text) : 0;
	bool hold = length > 0 && text[length - 1] == '+';

	atomic_store(&s->asked, n > 0);
	if (text == NULL)
		say_much(fd);
	else
		say(fd, text, length - hold);
	shutdown(fd, hold ? SHUT_RD : SHUT_WR);
	if (hold)
		usleep(600000);
}

static void *
serve(void *argument)
{
	struct web_server *s = argument;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) != -1 || errno == ECONNABORTED) {
		if (fd == -1)
			continue;
		answer(s, fd);
		close(fd);
	}
	return NULL;
}

static void
web_start(struct web_server *s, const struct web_case *what)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof(at);

	s->what = what;
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1 || bind(s->fd, (struct sockaddr *)&at, length) == -1 ||
	    listen(s->fd, 64) == -1 || getsockname(s->fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&s->thread, NULL, serve, s) != 0) {
		perror("web server");
		exit(1);
	}
	s->port = ntohs(at.sin_port);
}

static bool
all_known(struct bench *b, void *of)
{
	(void)of;
	for (uint32_t i = 0; i < CASES; i++)
		if (!b->seen[i].any)
			return false;
	return true;
}

static void
set_case(struct bench *b, const struct web_server *s, uint32_t i)
{
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);

	memset(set.probe.body, 0, sizeof(set.probe.body));
	cases[i].set(&set.probe);
	set.probe.status[0] = (struct conf_status_range){200, 299};
	set.urgent = true;
	set.probe.interval_ms = 2000;
	set.probe.timeout_ms = 400;
	set.address.port = s->port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	bench_set(b, i, &set);
}

void
test_web(void)
{
	static struct web_server servers[CASES];
	struct bench *b = bench_start(0);

	for (uint32_t i = 0; i < CASES; i++) {
		web_start(&servers[i], &cases[i]);
		set_case(b, &servers[i], i);
	}
	check(bench_until(b, 5000, all_known, NULL), "a verdict on each of %d servers", CASES);
	for (uint32_t i = 0; i < CASES; i++) {
		const struct ipc_probe_result *r = &b->seen[i].last;
		const struct web_case *c = &cases[i];

		check(r->reason == c->reason && r->up == (c->reason == REASON_PROBE_OK) &&
			(c->evidence == NULL || strcmp(r->evidence, c->evidence) == 0),
			"web %s: %s %d \"%s\"", c->name, reason_tag((enum reason)r->reason),
			r->detail, r->evidence);
		if (c->request != NULL)
			check(atomic_load(&servers[i].asked) && strncmp(servers[i].request, c->request,
				strlen(c->request)) == 0, "web %s: asked as it should be", c->name);
	}
	check(bench_stop(b), "the prober lived through it and stopped when told");
}
