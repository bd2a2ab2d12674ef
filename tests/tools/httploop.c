/*
 * httploop ADDRESS PORT PATH RATE [DURATION_S [TIMEOUT_MS]]: RATE requests a second, each on a new
 * connection, started on time whether or not earlier ones have been answered (a client that waits
 * for its answers sends fewer requests during an outage, and so hides it).
 *
 * A request is good when a status 200 comes within TIMEOUT_MS (3000). The server names itself in a
 * header "X-Server: NAME". Prints "ready" after the first good answer, and one JSON object at the
 * end: requests, failures by kind, the slowest answer, the longest time in which no request that
 * was started then succeeded without delay, and each server's share.
 */
#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_OPEN = 4000, MAX_SERVERS = 16, ANSWER_MAX = 1024, PROMPT_MS = 100 };
enum outcome { GOOD, REFUSED, RESET, TIMED_OUT, BAD_ANSWER, LOCAL, OUTCOMES };

struct request {
	int64_t start_ns;
	bool asked;
	size_t got;
	char answer[ANSWER_MAX];
};

struct share {
	char name[32];
	unsigned count;
};

struct loop {
	struct sockaddr_in to;
	char ask[512];
	int64_t interval_ns, timeout_ns, end_ns;
	struct request requests[MAX_OPEN];
	struct pollfd fds[MAX_OPEN];
	nfds_t open;
	unsigned started, outcomes[OUTCOMES];
	int64_t slowest_ns;
	int64_t prompt_ns; /* start of the latest request that was answered promptly */
	int64_t outage_ns; /* longest distance between two such */
	struct share shares[MAX_SERVERS];
};

static volatile sig_atomic_t stopped;

static void
on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

static void
count_share(struct loop *l, const char *answer)
{
	static const char header[] = "\r\nX-Server: ";
	const char *at = strstr(answer, header);
	char name[32] = "?";
	unsigned i;

	if (at)
		sscanf(at + sizeof(header) - 1, "%31[^\r\n]", name);
	for (i = 0; i < MAX_SERVERS; i++) {
		if (l->shares[i].name[0] && strcmp(l->shares[i].name, name) != 0)
			continue;
		strcpy(l->shares[i].name, name);
		l->shares[i].count++;
		return;
	}
}

static void
finish(struct loop *l, nfds_t i, enum outcome outcome)
{
	struct request *r = &l->requests[i];
	int64_t took = tool_now_ns() - r->start_ns;

	l->outcomes[outcome]++;
	if (outcome == GOOD) {
		count_share(l, r->answer);
		if (took > l->slowest_ns)
			l->slowest_ns = took;
		if (!l->prompt_ns) {
			puts("ready");
			fflush(stdout);
		}
		if (took <= PROMPT_MS * INT64_C(1000000) || !l->prompt_ns) {
			if (l->prompt_ns && r->start_ns - l->prompt_ns > l->outage_ns)
				l->outage_ns = r->start_ns - l->prompt_ns;
			l->prompt_ns = r->start_ns;
		}
	}
	close(l->fds[i].fd);
	l->open--;
	l->fds[i] = l->fds[l->open];
	l->requests[i] = l->requests[l->open];
}

static enum outcome
outcome_of_errno(int err)
{
	if (err == ECONNREFUSED)
		return REFUSED;
	return err == ECONNRESET || err == EPIPE ? RESET : err == ETIMEDOUT ? TIMED_OUT : LOCAL;
}

static void
start_request(struct loop *l, int64_t now)
{
	struct request *r = &l->requests[l->open];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	l->started++;
	if (fd == -1 || l->open == MAX_OPEN) {
		l->outcomes[LOCAL]++;
		if (fd != -1)
			close(fd);
		return;
	}
	r->start_ns = now;
	r->asked = false;
	r->got = 0;
	l->fds[l->open++] = (struct pollfd){.fd = fd, .events = POLLOUT};
	if (connect(fd, (struct sockaddr *)&l->to, sizeof(l->to)) == -1 && errno != EINPROGRESS)
		finish(l, l->open - 1, outcome_of_errno(errno));
}

static void
advance(struct loop *l, nfds_t i)
{
	struct request *r = &l->requests[i];
	ssize_t n;

	if (!r->asked) {
		n = send(l->fds[i].fd, l->ask, strlen(l->ask), MSG_NOSIGNAL);
		if (n == -1) {
			finish(l, i, outcome_of_errno(errno));
			return;
		}
		r->asked = true;
		l->fds[i].events = POLLIN;
		return;
	}
	n = recv(l->fds[i].fd, r->answer + r->got, ANSWER_MAX - 1 - r->got, 0);
	if (n == -1 && errno != EAGAIN) {
		finish(l, i, outcome_of_errno(errno));
	} else if (n >= 0) {
		r->got += (size_t)n;
		r->answer[r->got] = '\0';
		if (n == 0 || r->got == ANSWER_MAX - 1)
			finish(l, i, strncmp(r->answer, "HTTP/1.1 200", 12) ? BAD_ANSWER : GOOD);
	}
}

static void
serve_until(struct loop *l, int64_t until_ns)
{
	struct timespec left = tool_timespec(until_ns - tool_now_ns());
	int64_t now;
	nfds_t i;

	if (ppoll(l->fds, l->open, &left, NULL) == -1)
		return;
	now = tool_now_ns();
	/* backwards: finish() moves the last, which has been served already, into the gap */
	for (i = l->open; i-- > 0;) {
		if (l->fds[i].revents)
			advance(l, i);
		else if (now - l->requests[i].start_ns > l->timeout_ns)
			finish(l, i, TIMED_OUT);
	}
}

static void
run(struct loop *l)
{
	int64_t due = tool_now_ns();

	while (!stopped && tool_now_ns() < l->end_ns) {
		while (tool_now_ns() >= due) {
			start_request(l, tool_now_ns());
			due += l->interval_ns;
		}
		serve_until(l, due);
	}
	while (l->open)
		serve_until(l, tool_now_ns() + 50000000);
}

static void
report(const struct loop *l)
{
	unsigned i;

	printf("{\"requests\":%u,\"good\":%u,\"failed\":%u,\"refused\":%u,\"reset\":%u,"
	       "\"timed_out\":%u,\"bad_answer\":%u,\"local\":%u,\"slowest_ms\":%.1f,"
	       "\"outage_ms\":%.1f,\"servers\":{",
		l->started, l->outcomes[GOOD], l->started - l->outcomes[GOOD],
		l->outcomes[REFUSED], l->outcomes[RESET], l->outcomes[TIMED_OUT],
		l->outcomes[BAD_ANSWER], l->outcomes[LOCAL], tool_ms(l->slowest_ns),
		tool_ms(l->outage_ns > 2 * l->interval_ns ? l->outage_ns : 0));
	for (i = 0; i < MAX_SERVERS && l->shares[i].name[0]; i++)
		printf("%s\"%s\":%u", i ? "," : "", l->shares[i].name, l->shares[i].count);
	puts("}}");
}

int
main(int argc, char **argv)
{
	static struct loop l = {.timeout_ns = INT64_C(3000000000), .end_ns = INT64_MAX};

	l.to.sin_family = AF_INET;
	if (argc < 5 || inet_pton(AF_INET, argv[1], &l.to.sin_addr) != 1 || atoi(argv[4]) < 1) {
		fputs("usage: httploop ADDRESS PORT PATH RATE [DURATION_S [TIMEOUT_MS]]\n", stderr);
		return 2;
	}
	l.to.sin_port = htons((uint16_t)atoi(argv[2]));
	l.interval_ns = 1000000000 / atoi(argv[4]);
	if (argc > 5 && atoi(argv[5]) > 0)
		l.end_ns = tool_now_ns() + atoi(argv[5]) * INT64_C(1000000000);
	if (argc > 6)
		l.timeout_ns = atoi(argv[6]) * INT64_C(1000000);
	snprintf(l.ask, sizeof(l.ask), "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
		argv[3], argv[1]);
	tool_on_stop(on_stop);
	run(&l);
	report(&l);
	return 0;
}
