/* Servers good and bad. See servers.h. */
#include "servers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- what a connection gets ------------------------------------------------------------ */

/* False when the other side is gone. */
static bool
say_bytes(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;
	ssize_t n;

	while (length > 0) {
		n = send(fd, at, length, MSG_NOSIGNAL);
		if (n == -1)
			return false;
		at += n;
		length -= (size_t)n;
	}
	return true;
}

static bool
say(int fd, const char *text)
{
	return say_bytes(fd, text, strlen(text));
}

/* The whole request; false when the client left before. */
static bool
read_request(int fd)
{
	char text[2048];
	size_t length = 0;
	ssize_t n;

	while (length < sizeof(text) - 1) {
		n = recv(fd, text + length, sizeof(text) - 1 - length, 0);
		if (n <= 0)
			return false;
		length += (size_t)n;
		text[length] = '\0';
		if (strstr(text, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static bool
still_bad(const struct server *s)
{
	return atomic_load(&s->is_bad) && !atomic_load(&s->stop);
}

/* Holds the connection until the client leaves or the server is to be good again. */
static void
hold(struct server *s, int fd)
{
	char bytes[512];
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (still_bad(s))
		if (poll(&p, 1, 10) == 1 && recv(fd, bytes, sizeof(bytes), 0) <= 0)
			return;
}

static void
reset_on_close(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Text over and over until the client leaves. */
static void
repeat(struct server *s, int fd, const char *text)
{
	char block[8192];
	size_t length = strlen(text), at = 0;

	while (at + length <= sizeof(block)) {
		memcpy(block + at, text, length);
		at += length;
	}
	while (still_bad(s) && say_bytes(fd, block, at))
		;
}

static void
drip(struct server *s, int fd, const char *text)
{
	const char *at = text;

	while (still_bad(s) && say_bytes(fd, at, 1)) {
		at++;
		if (*at == '\0')
			at = text;
		usleep(10000);
	}
}

void
bad_silent(struct server *s, int fd)
{
	hold(s, fd);
}

void
bad_agent(struct server *s, int fd)
{
	say(fd, atomic_load(&s->line));
	hold(s, fd);
}

void
bad_reset(struct server *s, int fd)
{
	(void)s;
	reset_on_close(fd);
}

void
bad_close(struct server *s, int fd)
{
	(void)s;
	read_request(fd);
}

void
bad_drip_head(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\n"))
		drip(s, fd, "X-Slow: yes\r\n");
}

void
bad_drip_body(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
		drip(s, fd, "pool-member-is-we");
}

void
bad_drip_wrong(struct server *s, int fd)
{
	if (read_request(fd))
		drip(s, fd, "200 NO ");
}

void
bad_endless_garbage(struct server *s, int fd)
{
	if (read_request(fd))
		repeat(s, fd, "200 NO ");
}

void
bad_endless_head(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\n"))
		repeat(s, fd, "X-More: and more and more and more and more and more and more\r\n");
}

void
bad_endless_line(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nX-Long: "))
		repeat(s, fd, "aaaaaaaaaaaaaaaa");
}

void
bad_endless_body(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\n\r\n"))
		repeat(s, fd, "pool-member-is-not-");
}

void
bad_endless_chunks(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
		repeat(s, fd, "5;x=y\r\nhello\r\n");
}

void
bad_garbage(struct server *s, int fd)
{
	char bytes[4096];
	size_t i;

	(void)s;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	bytes[0] = '\0';
	if (read_request(fd))
		say_bytes(fd, bytes, sizeof(bytes));
}

void
bad_banner(struct server *s, int fd)
{
	if (say(fd, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"))
		hold(s, fd);
}

void
bad_tls(struct server *s, int fd)
{
	if (read_request(fd) && say_bytes(fd, "\x15\x03\x01\x00\x02\x02\x46", 7))
		hold(s, fd);
}

void
bad_half_head(struct server *s, int fd)
{
	(void)s;
	if (read_request(fd))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Le");
}

void
bad_half_body(struct server *s, int fd)
{
	(void)s;
	if (read_request(fd))
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npool-member");
}

void
bad_500(struct server *s, int fd)
{
	(void)s;
	if (read_request(fd))
		say(fd, "HTTP/1.1 500 Broken\r\nContent-Length: 19\r\n\r\n" SENTINEL);
}

void
bad_redirect(struct server *s, int fd)
{
	(void)s;
	if (read_request(fd))
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n");
}

void
bad_wrong_body(struct server *s, int fd)
{
	if (read_request(fd) &&
	    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nmaintenance"))
		hold(s, fd);
}

void
bad_interim_flood(struct server *s, int fd)
{
	if (read_request(fd))
		repeat(s, fd, "HTTP/1.1 100 Continue\r\n\r\n");
}

void
bad_chunk_size(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"fffffffffffffffff\r\n" SENTINEL))
		hold(s, fd);
}

void
bad_lengths(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n"
		"Content-Length: 20\r\n\r\n" SENTINEL))
		hold(s, fd);
}

/* Answers without reading, and resets: the request may hit a closed socket. */
void
bad_early_400(struct server *s, int fd)
{
	(void)s;
	say(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

/* Right, but when nobody waits for it any more: 150 ms is the deadline. */
void
bad_late(struct server *s, int fd)
{
	(void)s;
	if (!read_request(fd))
		return;
	usleep(170000);
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" SENTINEL);
}

void
bad_upgrade(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n" SENTINEL))
		hold(s, fd);
}

void
bad_huge_chunk(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"7fffffffffffffff\r\n"))
		repeat(s, fd, "pool-member-is-not-");
}

void
bad_huge_length(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\n"
		"Content-Length: 4611686018427387904\r\n\r\n"))
		repeat(s, fd, "pool-member-is-not-");
}

void
bad_length(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\n"
		"Content-Length: 9223372036854775808\r\n\r\n" SENTINEL))
		hold(s, fd);
}

void
bad_endless_chunk_line(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"))
		repeat(s, fd, "extension");
}

void
bad_endless_status_line(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 "))
		repeat(s, fd, "OK");
}

void
bad_empty_lines(struct server *s, int fd)
{
	if (read_request(fd))
		repeat(s, fd, "\r\n");
}

void
bad_nul(struct server *s, int fd)
{
	static const char zeros[4096];

	if (read_request(fd))
		while (still_bad(s) && say_bytes(fd, zeros, sizeof(zeros)))
			;
}

void
bad_bare_cr(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 200 OK\r\nX: a\rContent-Length: 19\r\n\r\n" SENTINEL))
		hold(s, fd);
}

void
bad_half_status(struct server *s, int fd)
{
	(void)s;
	if (read_request(fd))
		say(fd, "HTTP/1.1 200 O");
}

void
bad_204(struct server *s, int fd)
{
	if (read_request(fd) && say(fd, "HTTP/1.1 204 None\r\nContent-Length: 19\r\n\r\n" SENTINEL))
		hold(s, fd);
}

void
bad_reset_body(struct server *s, int fd)
{
	(void)s;
	if (!read_request(fd) || !say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npool-mem"))
		return;
	usleep(5000); /* it is read before the reset comes */
	reset_on_close(fd);
}

/* Well in turn by length, by chunks that cut the text, and by closing. */
static void
behave_well(struct server *s, int fd)
{
	if (!read_request(fd))
		return;
	switch (atomic_load(&s->accepted) % 3) {
	case 0:
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" SENTINEL);
		break;
	case 1:
		say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5\r\npool-\r\ne\r\nmember-is-well\r\n0\r\n\r\n");
		break;
	case 2:
		say(fd, "HTTP/1.0 200 OK\r\n\r\nall in order: " SENTINEL);
		break;
	}
}

/* --- the listening socket --------------------------------------------------------------- */

static socklen_t
address_of(const struct server *s, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (s->at.addr.family == IP_V6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(s->at.port);
		in6->sin6_addr = in6addr_loopback;
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	in->sin_family = AF_INET;
	in->sin_port = htons(s->at.port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*in);
}

static void
open_listener(struct server *s, int backlog)
{
	struct sockaddr_storage at;
	socklen_t length = address_of(s, &at);
	const int one = 1;

	s->fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		die("socket");
	setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->fd, (struct sockaddr *)&at, length) == -1 || listen(s->fd, backlog) == -1)
		die("listen");
}

/* Nobody accepts, and the queue of those who wait is full: further SYNs are dropped. */
static void
fill_backlog(struct server *s)
{
	struct sockaddr_storage at;
	socklen_t length = address_of(s, &at);
	size_t i;

	for (i = 0; i < sizeof(s->fill) / sizeof(s->fill[0]); i++) {
		s->fill[i] = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		reset_on_close(s->fill[i]);
		connect(s->fill[i], (struct sockaddr *)&at, length);
	}
}

/* Bad by the listening socket itself, until it is to be good again. */
static void
listen_badly(struct server *s)
{
	size_t i;

	close(s->fd);
	s->fd = -1;
	if (s->listening == LISTEN_FULL) {
		open_listener(s, 0);
		fill_backlog(s);
	}
	while (still_bad(s))
		usleep(2000);
	if (s->listening == LISTEN_FULL) {
		for (i = 0; i < sizeof(s->fill) / sizeof(s->fill[0]); i++)
			close(s->fill[i]);
		close(s->fd);
	}
	open_listener(s, 128);
}

static void
serve_one(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	uint32_t open;

	if (fd == -1)
		return;
	atomic_fetch_add(&s->accepted, 1);
	open = atomic_fetch_add(&s->open, 1) + 1;
	if (open > atomic_load(&s->open_max))
		atomic_store(&s->open_max, open);
	if (atomic_load(&s->is_bad) && s->bad != NULL)
		s->bad(s, fd);
	else
		behave_well(s, fd);
	atomic_fetch_sub(&s->open, 1);
	close(fd);
}

static void *
run(void *argument)
{
	struct server *s = argument;

	while (!atomic_load(&s->stop)) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};

		if (atomic_load(&s->is_bad) && s->listening != LISTEN_ALWAYS)
			listen_badly(s);
		else if (poll(&p, 1, 2) == 1)
			serve_one(s);
	}
	close(s->fd);
	return NULL;
}

void
server_start(struct server *s, uint8_t family)
{
	/* below the ports that connections are made from: one that is closed stays free */
	static _Atomic uint16_t next_port = 20000;

	s->at = (struct endpoint){.addr = {.family = family}, .port = next_port++};
	if (family == IP_V4)
		memcpy(s->at.addr.bytes, (const uint8_t[]){127, 0, 0, 1}, 4);
	else
		s->at.addr.bytes[15] = 1;
	open_listener(s, 128);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		die("pthread_create");
}

void
server_set_bad(struct server *s, bool bad)
{
	atomic_store(&s->is_bad, bad);
}

void
server_stop(struct server *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
}
