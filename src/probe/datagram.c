/*
 * Datagrams, for the probes on UDP. Each probe has a connected socket of its own: the kernel draws
 * a random port, lets nothing in but what comes from the server, and tells what ICMP says of it
 * (with IP_RECVERR also what may pass, as that the host cannot be reached). It is used for one
 * datagram, so that no error of an earlier one can be told for this one's.
 */
#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

static enum reason
datagram_reason(int error, bool local)
{
	if (error == ECONNREFUSED)
		return REASON_UDP_REFUSED;
	return stream_reason(error, local);
}

int
datagram_connect(struct probe_run *run)
{
	const struct endpoint *to = &run->target->address;
	bool v6 = to->addr.family == IP_V6;
	struct sockaddr_storage at;
	socklen_t length = sockaddr_of(to, &at);
	const int one = 1;

	sockets_forget(run);
	run->fd = run->target->definition->probe.mark != 0 ? stock_take(run->engine, run->target)
		: socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			IPPROTO_UDP);
	if (run->fd != -1)
		setsockopt(run->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR,
			&one, sizeof(one));
	if (run->fd == -1 || !source_bind(run->target, run->fd)) {
		probe_finish(run, stream_reason(errno, true), errno);
		return -1;
	}
	if (connect(run->fd, (struct sockaddr *)&at, length) == 0)
		return 0;
	connect_failed(run, errno);
	return -1;
}

static void
on_ready(struct ev_loop *loop, ev_io *w, int events)
{
	struct probe_run *run = w->data;

	(void)loop;
	run->target->definition->kind->ready(run, events);
}

bool
datagram_send(struct probe_run *run, const void *bytes, size_t length)
{
	if (send(run->fd, bytes, length, MSG_NOSIGNAL) == -1) {
		probe_finish(run, datagram_reason(errno, errno != ECONNREFUSED), errno);
		return false;
	}
	if (ev_is_active(&run->io))
		return true;
	ev_io_init(&run->io, on_ready, run->fd, EV_READ);
	ev_io_start(run->engine->loop, &run->io);
	return true;
}

ssize_t
datagram_receive(struct probe_run *run, bool *done)
{
	struct engine *e = run->engine;
	ssize_t n = recv(run->fd, e->read_buffer, sizeof(e->read_buffer), 0);

	*done = n == -1 && errno != EAGAIN && errno != EINTR;
	if (*done)
		probe_finish(run, datagram_reason(errno, false), errno);
	else if (n != -1 && run->answer_ns == -1)
		run->answer_ns = run_age_ns(run);
	return n;
}
