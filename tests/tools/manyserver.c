/*
 * manyserver PORT [http]: a server on every address of this machine, as many servers as it has
 * addresses. It takes a connection and closes it at once; with http it answers each request with
 * 200 and closes when the client does. As little work as possible: what is measured is the client.
 */
#include "tool.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BACKLOG = 65535 };

static const char answer[] = "HTTP/1.1 200 OK\r\nServer: many\r\nContent-Type: text/plain\r\n"
	"Content-Length: 3\r\nConnection: close\r\n\r\nOK\n";

static int
listen_on(uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == -1 || listen(fd, BACKLOG) == -1)
		tool_die("manyserver");
	return fd;
}

static void
accept_clients(int epoll, int listening, bool http)
{
	int fd;

	while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1 ||
	       errno == ECONNABORTED) {
		struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};

		if (fd == -1)
			continue;
		if (!http || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == -1)
			close(fd); /* its client has what it asked for */
	}
}

static void
serve(int fd)
{
	char request[2048];
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n > 0)
		(void)!send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
	if (n > 0 || (n == -1 && errno == EAGAIN))
		return;
	close(fd);
}

int
main(int argc, char **argv)
{
	struct rlimit many = {1 << 17, 1 << 17};
	struct epoll_event events[EVENTS], listening = {.events = EPOLLIN};
	bool http = argc == 3 && strcmp(argv[2], "http") == 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC), i, n;

	if (argc != 2 && !http) {
		fputs("usage: manyserver PORT [http]\n", stderr);
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &many);
	listening.data.fd = listen_on((uint16_t)atoi(argv[1]));
	epoll_ctl(epoll, EPOLL_CTL_ADD, listening.data.fd, &listening);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (i = 0; i < n; i++)
			if (events[i].data.fd == listening.data.fd)
				accept_clients(epoll, listening.data.fd, http);
			else
				serve(events[i].data.fd);
	}
}
