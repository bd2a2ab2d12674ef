/*
 * tcpecho NAME PORT [6]: a server that says its NAME and then echoes, for as long as the client likes.
 * With 6 over IPv6.
 * One process, poll; the far end of tcphold.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CLIENTS = 1024 };

struct server {
	const char *name;
	struct pollfd fds[MAX_CLIENTS + 1]; /* the first is the listening socket */
	nfds_t count;
};

static void
accept_client(struct server *s)
{
	char hello[80];
	int fd = accept4(s->fds[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int len = snprintf(hello, sizeof(hello), "%s\n", s->name);

	if (fd == -1)
		return;
	if (s->count > MAX_CLIENTS || send(fd, hello, (size_t)len, MSG_NOSIGNAL) != len) {
		close(fd);
		return;
	}
	s->fds[s->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static bool
echo(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n > 0 && send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
}

static int
listen_on(uint16_t port, bool v6)
{
	struct sockaddr_in at4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 at6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int one = 1, fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, v6 ? (struct sockaddr *)&at6 : (struct sockaddr *)&at4,
		v6 ? sizeof(at6) : sizeof(at4)) == -1 || listen(fd, 512) == -1)
		tool_die("tcpecho");
	return fd;
}

int
main(int argc, char **argv)
{
	static struct server s;
	nfds_t i;

	if (argc != 3 && argc != 4) {
		fputs("usage: tcpecho NAME PORT [6]\n", stderr);
		return 2;
	}
	s.name = argv[1];
	s.fds[0] = (struct pollfd){.fd = listen_on((uint16_t)atoi(argv[2]), argc == 4), .events = POLLIN};
	s.count = 1;
	for (;;) {
		if (poll(s.fds, s.count, -1) <= 0)
			continue;
		if (s.fds[0].revents)
			accept_client(&s);
		for (i = s.count - 1; i > 0; i--) {
			if (!s.fds[i].revents || echo(s.fds[i].fd))
				continue;
			close(s.fds[i].fd);
			s.fds[i] = s.fds[--s.count];
		}
	}
}
