/*
 * Connecting, for the probes on TCP. A probe's connection is reset when it ends (sockets.c):
 * thousands of probes a second would otherwise leave a minute's worth of TIME_WAIT behind, and
 * run out of ports.
 *
 * A half-open probe ends with that reset before the handshake is over, so that the server's
 * application never hears of it: a socket that connects with TCP_DEFER_ACCEPT set keeps the
 * handshake's last packet back for as long as an acknowledgement may be delayed (200 ms, see
 * tcp_rcv_synsent_state_process() in net/ipv4/tcp_input.c), and the socket is closed before.
 * TCP_QUICKACK does the same, but for one connection. Where
 * we speak first, that packet goes out with what we say: one less for each of us, and the server
 * is woken once.
 */
#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

socklen_t
sockaddr_of(const struct endpoint *to, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (to->addr.family == IP_V6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(to->port);
		memcpy(&in6->sin6_addr, to->addr.bytes, 16);
		return sizeof(*in6);
	}
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	in->sin_family = AF_INET;
	in->sin_port = htons(to->port);
	memcpy(&in->sin_addr, to->addr.bytes, 4);
	return sizeof(*in);
}

enum reason
stream_reason(int error, bool local)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_TCP_REFUSED;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return REASON_TCP_RESET;
	case ETIMEDOUT:
		return REASON_TCP_TIMEOUT;
	case EHOSTUNREACH: /* no neighbour answers for it; or a route of ours says unreachable, */
	case ENETUNREACH:  /* a router says so; or we have no route, */
	case EACCES:       /* a router forbids it, in ICMPv6; or a route of ours says prohibit */
	case EHOSTDOWN:
	case ENONET:
	case EPROTO:
	case ENOPROTOOPT:
		return local ? REASON_LOCAL_ERROR : REASON_UNREACHABLE;
	}
	return REASON_LOCAL_ERROR;
}

/* SYN repeats (after 1, 3, 7 ... s) that can still come before the deadline, at least one. */
static int
syn_repeats(uint32_t timeout_ms)
{
	int n = 1;

	while (n < 6 && ((2u << n) - 1) * 1000 < timeout_ms)
		n++;
	return n;
}

/* Without a port: thousands of connections share what there is, by where they go. */
bool
source_bind(const struct target *t, int fd)
{
	const struct endpoint from = {.addr = t->source};
	struct sockaddr_storage at;
	socklen_t length = sockaddr_of(&from, &at);
	const int one = 1;

	if (t->source.family == IP_NONE)
		return true;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&at, length) == 0;
}

/* A socket that was bound before stays so, and over IPv6 it even connects. */
bool
source_is_gone(const struct target *t)
{
	bool gone;
	int fd;

	if (t->source.family == IP_NONE)
		return false;
	fd = socket(t->source.family == IP_V6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	gone = !source_bind(t, fd) && errno == EADDRNOTAVAIL;
	close(fd);
	return gone;
}

/* Is the handshake's last packet to be kept back? */
static int
waits_to_acknowledge(const struct conf_probe *p)
{
	return p->half_open || p->type == CONF_PROBE_HTTP || p->type == CONF_PROBE_HTTPS ||
		p->send.length > 0;
}

/* A socket for this run, with what this probe asks of it; options stay with a socket. */
static int
stream_socket(struct probe_run *run)
{
	const struct target *t = run->target;
	const int repeats = syn_repeats(t->definition->probe.timeout_ms);
	const int waits = waits_to_acknowledge(&t->definition->probe);

	if (sockets_take(run) == -1)
		return -1;
	if (run->waits_to_acknowledge != waits &&
	    setsockopt(run->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &waits, sizeof(waits)) == -1)
		return -1;
	run->waits_to_acknowledge = waits;
	if (run->syn_repeats == repeats)
		return 0;
	run->syn_repeats = repeats;
	return setsockopt(run->fd, IPPROTO_TCP, TCP_SYNCNT, &repeats, sizeof(repeats));
}

int
stream_connect(struct probe_run *run)
{
	struct sockaddr_storage to;
	socklen_t length = sockaddr_of(&run->target->address, &to);

	if (stream_socket(run) == -1) {
		probe_finish(run, REASON_LOCAL_ERROR, errno);
		return -1;
	}
	if (connect(run->fd, (struct sockaddr *)&to, length) == 0) {
		run->connect_ns = run_age_ns(run);
		return 1;
	}
	if (errno != EINPROGRESS) {
		connect_failed(run, errno);
		return -1;
	}
	stream_wait(run, EV_WRITE);
	return 0;
}

int
stream_connected(struct probe_run *run)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (run->broken && getsockopt(run->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		return errno;
	if (error == 0)
		run->connect_ns = run_age_ns(run);
	return error;
}
