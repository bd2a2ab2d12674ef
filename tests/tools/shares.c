/*
 * Who answers: servers that say their name, and a client that counts the names.
 *
 *   shares serve PROTOCOL NAME ADDRESS PORT[-PORT]
 *   shares ask [-s SOURCE] [-d TEXT] [-1] [-k] PROTOCOL ADDRESS PORT[-PORT] COUNT
 *
 * PROTOCOL is tcp, udp or sctp. The client asks COUNT times, the ports of a range in turn, each time
 * from a new socket (-1: from one, for datagrams), and prints one JSON object: answers by name, "none"
 * for those that did not come within two seconds. -k keeps all connections until SIGTERM. TEXT is
 * what a datagram carries.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FDS = 2048, MAX_NAMES = 16, PATIENCE_S = 2 };

struct way {
	int type, protocol;
	struct sockaddr_storage at;
	socklen_t at_size;
	unsigned first, last; /* ports */
};

struct tally {
	char name[MAX_NAMES][32];
	unsigned count[MAX_NAMES], none;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static _Noreturn void
usage(void)
{
	fputs("usage: shares serve PROTOCOL NAME ADDRESS PORT[-PORT]\n"
	      "       shares ask [-s SOURCE] [-d TEXT] [-1] [-k] PROTOCOL ADDRESS PORT[-PORT] COUNT\n",
		stderr);
	exit(2);
}

static socklen_t
parse_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		usage();
	v6->sin6_family = AF_INET6;
	return sizeof(*v6);
}

static struct way
parse_way(const char *protocol, const char *address, const char *ports)
{
	struct way w = {.type = SOCK_STREAM, .protocol = IPPROTO_TCP};

	if (strcmp(protocol, "udp") == 0)
		w = (struct way){.type = SOCK_DGRAM, .protocol = IPPROTO_UDP};
	else if (strcmp(protocol, "sctp") == 0)
		w.protocol = IPPROTO_SCTP;
	else if (strcmp(protocol, "tcp") != 0)
		usage();
	w.at_size = parse_address(address, &w.at);
	if (sscanf(ports, "%u-%u", &w.first, &w.last) == 1)
		w.last = w.first;
	if (w.first == 0 || w.last < w.first || w.last > 65535)
		usage();
	return w;
}

static void
set_port(struct way *w, unsigned port)
{
	if (w->at.ss_family == AF_INET)
		((struct sockaddr_in *)&w->at)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)&w->at)->sin6_port = htons((uint16_t)port);
}

/* ---- the server ---- */

static int
listen_at(struct way *w, unsigned port)
{
	int one = 1, fd = socket(w->at.ss_family, w->type | SOCK_NONBLOCK, w->protocol);

	set_port(w, port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&w->at, w->at_size) == -1 ||
		(w->type == SOCK_STREAM && listen(fd, 512) == -1))
		tool_die("shares: listen");
	return fd;
}

static void
answer_datagram(int fd, const char *name)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char buf[2048];

	if (recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &size) >= 0)
		(void)sendto(fd, name, strlen(name), 0, (struct sockaddr *)&from, size);
}

static void
accept_one(struct pollfd *fds, nfds_t *count, int listener, const char *name)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd == -1)
		return;
	if (*count == MAX_FDS || send(fd, name, strlen(name), MSG_NOSIGNAL) == -1)
		close(fd);
	else
		fds[(*count)++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static int
serve(struct way *w, const char *name)
{
	static struct pollfd fds[MAX_FDS];
	nfds_t listeners = 0, count;
	char buf[4096];

	for (unsigned port = w->first; port <= w->last && listeners < MAX_FDS / 2; port++)
		fds[listeners++] = (struct pollfd){.fd = listen_at(w, port), .events = POLLIN};
	for (count = listeners; !stopped;) {
		if (poll(fds, count, -1) <= 0)
			continue;
		for (nfds_t i = count; i-- > listeners;) {
			if (!fds[i].revents || recv(fds[i].fd, buf, sizeof(buf), 0) > 0)
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
		}
		for (nfds_t i = 0; i < listeners; i++) {
			if (fds[i].revents && w->type == SOCK_DGRAM)
				answer_datagram(fds[i].fd, name);
			else if (fds[i].revents)
				accept_one(fds, &count, fds[i].fd, name);
		}
	}
	return 0;
}

/* ---- the client ---- */

static void
count_name(struct tally *t, const char *name)
{
	unsigned i = 0;

	while (i < MAX_NAMES - 1 && t->name[i][0] && strcmp(t->name[i], name) != 0)
		i++;
	snprintf(t->name[i], sizeof(t->name[i]), "%s", name);
	t->count[i]++;
}

static int
client_socket(const struct way *w, const char *source)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct sockaddr_storage from;
	int fd = socket(w->at.ss_family, w->type, w->protocol);

	if (fd == -1)
		tool_die("shares: socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (source) {
		socklen_t size = parse_address(source, &from);

		if (bind(fd, (struct sockaddr *)&from, size) == -1)
			tool_die("shares: bind");
	}
	return fd;
}

static bool
ask_once(int fd, struct way *w, const char *text, struct tally *t)
{
	char name[32];
	ssize_t n;

	if (connect(fd, (struct sockaddr *)&w->at, w->at_size) == -1)
		return false;
	if (w->type == SOCK_DGRAM && send(fd, text, strlen(text), 0) == -1)
		return false;
	n = recv(fd, name, sizeof(name) - 1, 0);
	if (n <= 0)
		return false;
	name[n] = '\0';
	count_name(t, name);
	return true;
}

static void
report(const struct tally *t)
{
	printf("{\"none\":%u", t->none);
	for (unsigned i = 0; i < MAX_NAMES && t->name[i][0]; i++)
		printf(",\"%s\":%u", t->name[i], t->count[i]);
	puts("}");
	fflush(stdout);
}

static int
ask(int argc, char **argv)
{
	const char *source = NULL, *text = "who?";
	bool keep = false, one = false;
	struct tally t = {.none = 0};
	struct way w;
	int fd = -1, c;

	while ((c = getopt(argc, argv, "s:d:1k")) != -1) {
		switch (c) {
		case 's': source = optarg; break;
		case 'd': text = optarg; break;
		case '1': one = true; break;
		case 'k': keep = true; break;
		default: usage();
		}
	}
	if (argc - optind != 4)
		usage();
	w = parse_way(argv[optind], argv[optind + 1], argv[optind + 2]);
	for (unsigned i = 0; i < (unsigned)atoi(argv[optind + 3]) && !stopped; i++) {
		set_port(&w, w.first + i % (w.last - w.first + 1));
		if (fd == -1 || !one)
			fd = client_socket(&w, source);
		t.none += !ask_once(fd, &w, text, &t);
		if (!keep && !one)
			close(fd);
	}
	report(&t);
	while (keep && !stopped)
		pause();
	return 0;
}

int
main(int argc, char **argv)
{
	tool_on_stop(on_stop);
	if (argc == 6 && strcmp(argv[1], "serve") == 0) {
		struct way w = parse_way(argv[2], argv[4], argv[5]);

		return serve(&w, argv[3]);
	}
	if (argc < 2 || strcmp(argv[1], "ask") != 0)
		usage();
	return ask(argc - 1, argv + 1);
}
