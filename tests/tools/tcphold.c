/*
 * tcphold ADDRESS PORT COUNT [DURATION_S]: holds COUNT connections to tcpecho servers open; the
 * even ones chatter every 100 ms, in ten groups that take turns, so that a director that resets for
 * ten milliseconds only is noticed; the odd ones are silent until the end. Prints "ready" when all
 * are established. After DURATION_S, or at SIGTERM, every connection sends one more line and has
 * 10 s to get it back: those that do have survived whatever happened in between. One JSON object:
 * how many, the longest silence that a chattering one saw, each server's share, and what those that
 * died say of it.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1000, MAX_SERVERS = 16, CHATTER_MS = 100, GROUPS = 10, LAST_WORD_MS = 10000 };

struct connection {
	bool open, final_answered;
	char server[32];
	uint64_t sent, echoed; /* bytes */
	uint64_t final_at;     /* echoed bytes at which the last word is back */
	int64_t heard_ns;
	int died_errno; /* 0: closed by the other side */
};

struct hold {
	struct connection c[MAX_CONNECTIONS];
	struct pollfd fds[MAX_CONNECTIONS];
	nfds_t count;
	int64_t longest_silence_ns;
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
die(struct hold *h, nfds_t i, int why)
{
	h->c[i].open = false;
	h->c[i].died_errno = why;
	h->fds[i].events = 0;
	close(h->fds[i].fd);
	h->fds[i].fd = -1;
}

/* Connects and waits for the server's name: a connection is held when a real server has it. */
static bool
open_one(struct hold *h, nfds_t i, const struct sockaddr_in *to)
{
	struct timeval limit = {.tv_sec = 5};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n;

	h->fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == -1)
		return false;
	n = recv(fd, h->c[i].server, sizeof(h->c[i].server) - 1, 0);
	if (n <= 0)
		return false;
	h->c[i].server[strcspn(h->c[i].server, "\n")] = '\0';
	h->c[i].open = true;
	h->c[i].heard_ns = tool_now_ns();
	return true;
}

static void
say(struct hold *h, nfds_t i)
{
	static const char word[] = "still here\n";
	ssize_t n = send(h->fds[i].fd, word, sizeof(word) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		h->c[i].sent += (uint64_t)n;
	else if (n == -1 && errno != EAGAIN)
		die(h, i, errno);
}

static void
hear(struct hold *h, nfds_t i, int64_t now)
{
	struct connection *c = &h->c[i];
	char buf[4096];
	ssize_t n = recv(h->fds[i].fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0) {
		c->echoed += (uint64_t)n;
		if (i % 2 == 0 && now - c->heard_ns > h->longest_silence_ns)
			h->longest_silence_ns = now - c->heard_ns;
		c->heard_ns = now;
		c->final_answered = c->final_at && c->echoed >= c->final_at;
	} else if (n == 0 || errno != EAGAIN) {
		die(h, i, n == 0 ? 0 : errno);
	}
}

static void
serve(struct hold *h, int timeout_ms)
{
	nfds_t i;

	if (poll(h->fds, h->count, timeout_ms) <= 0)
		return;
	for (i = 0; i < h->count; i++) {
		if (h->c[i].open && h->fds[i].revents)
			hear(h, i, tool_now_ns());
	}
}

static void
chatter(struct hold *h, int64_t end_ns)
{
	int64_t due = tool_now_ns();
	nfds_t i, turn = 0;

	while (!stopped && tool_now_ns() < end_ns) {
		if (tool_now_ns() >= due) {
			for (i = 2 * turn; i < h->count; i += 2 * GROUPS) {
				if (h->c[i].open)
					say(h, i);
			}
			turn = (turn + 1) % GROUPS;
			due += CHATTER_MS * INT64_C(1000000) / GROUPS;
		}
		serve(h, CHATTER_MS / GROUPS);
	}
}

static void
last_word(struct hold *h)
{
	int64_t end = tool_now_ns() + LAST_WORD_MS * INT64_C(1000000);
	nfds_t i, waiting = 1;

	for (i = 0; i < h->count; i++) {
		if (!h->c[i].open)
			continue;
		say(h, i);
		h->c[i].final_at = h->c[i].sent;
	}
	while (waiting && tool_now_ns() < end) {
		serve(h, 50);
		for (i = 0, waiting = 0; i < h->count; i++)
			waiting += h->c[i].open && !h->c[i].final_answered;
	}
}

static void
report_shares(const struct hold *h)
{
	nfds_t i, j;
	unsigned share;
	bool first = true;

	for (i = 0; i < h->count; i++) {
		for (j = 0; j < i && strcmp(h->c[j].server, h->c[i].server) != 0; j++)
			;
		if (j < i || !h->c[i].server[0])
			continue;
		for (share = 0; j < h->count; j++)
			share += strcmp(h->c[j].server, h->c[i].server) == 0;
		printf("%s\"%s\":%u", first ? "" : ",", h->c[i].server, share);
		first = false;
	}
}

/* Why connections died, as errno tells it: who was reset saw 104 (ECONNRESET). */
static void
report_errors(const struct hold *h)
{
	bool first = true;

	for (nfds_t i = 0; i < h->count; i++) {
		unsigned share = 0;
		nfds_t j;

		for (j = 0; j < i && h->c[j].died_errno != h->c[i].died_errno; j++)
			;
		if (j < i || h->c[i].died_errno == 0)
			continue;
		for (; j < h->count; j++)
			share += h->c[j].died_errno == h->c[i].died_errno;
		printf("%s\"%s\":%u", first ? "" : ",", strerror(h->c[i].died_errno), share);
		first = false;
	}
}

static void
report(const struct hold *h, unsigned opened)
{
	unsigned survived = 0, reset = 0, closed = 0, mute = 0;
	nfds_t i;

	for (i = 0; i < h->count; i++) {
		if (!h->c[i].server[0])
			continue;
		survived += h->c[i].open && h->c[i].final_answered;
		mute += h->c[i].open && !h->c[i].final_answered;
		reset += !h->c[i].open && h->c[i].died_errno != 0;
		closed += !h->c[i].open && h->c[i].died_errno == 0;
	}
	printf("{\"wanted\":%u,\"opened\":%u,\"survived\":%u,\"reset\":%u,\"closed\":%u,\"mute\":%u,"
	       "\"longest_silence_ms\":%.1f,\"servers\":{",
		(unsigned)h->count, opened, survived, reset, closed, mute,
		tool_ms(h->longest_silence_ns));
	report_shares(h);
	printf("},\"errors\":{");
	report_errors(h);
	puts("}}");
}

int
main(int argc, char **argv)
{
	static struct hold h;
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned opened = 0;
	nfds_t i;

	if (argc < 4 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || atoi(argv[3]) < 1 ||
		atoi(argv[3]) > MAX_CONNECTIONS) {
		fputs("usage: tcphold ADDRESS PORT COUNT [DURATION_S]\n", stderr);
		return 2;
	}
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	h.count = (nfds_t)atoi(argv[3]);
	tool_on_stop(on_stop);
	for (i = 0; i < h.count && !stopped; i++) {
		if (open_one(&h, i, &to))
			opened++;
		else
			die(&h, i, errno);
	}
	puts(opened == h.count ? "ready" : "incomplete");
	fflush(stdout);
	chatter(&h, argc > 4 ? tool_now_ns() + atoi(argv[4]) * INT64_C(1000000000) : INT64_MAX);
	last_word(&h);
	report(&h, opened);
	return 0;
}
