/*
 * The tcp probe through the data path of dr and tunnel: the virtual address, asked at the real
 * server, in a packet as IPVS would send it there. It proves that the server has the address and a
 * listener on it, and that its answers find their way to somebody who is not IPVS.
 *
 * No socket of the kernel's can do that, because the active node has the address itself. So the
 * segments are made by hand. They live for one hop: a server without the address that forwards
 * would send them back to a director, and somebody else would answer for it. IPVS schedules what
 * its own host sends to a service, and has to be passed:
 *
 *   IPv4     A raw socket sends them with the virtual address in their header and the real server
 *            as the way: Linux looks for the way by the latter (FLOWI_FLAG_KNOWN_NH). With
 *            IP_NODEFRAG on the socket IPVS lets them pass.
 *   IPv6     IPVS knows no such socket. What goes there in frames of our own never meets it
 *            (path_hop.c).
 *   tunnel   A raw socket sends what is wrapped already, to the real server's own address, which
 *            is of no service.
 *
 * The answer comes from an address that is local on the active node. The kernel drops it there as a
 * martian over IPv4; a packet socket sees it before. Over IPv6, and on the standby, it would get as
 * far as TCP, which knows of no such connection and would tell the server so, or the active node:
 * hence a listener on the port, whose filter lets nothing in. It also keeps the port ours.
 *
 * All servers answer from the same address and port, so what tells them apart is the sequence
 * number that is acknowledged, 32 random bits. Every opening is followed by a reset, whatever came
 * back. Should that be lost, the server's half-open entry meets the next opening, since all of them
 * come from one port: it is known by the number of the probe before, reset again, and asked again.
 */
#include "core/segment.h"
#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKETS_A_TURN = 256 };

static struct path_traces *
bucket(struct engine *e, uint32_t sequence)
{
	return &e->path.traces[sequence % PATH_BUCKETS];
}

/* The trace that this segment answers, or NULL: of nobody, or not from whom it should be. */
static struct path_trace *
trace_answered(struct engine *e, const struct segment *s)
{
	uint32_t sequence = s->acknowledged - 1;
	struct path_trace *trace;

	LIST_FOREACH(trace, bucket(e, sequence), link) {
		const struct target *t = trace->target;

		if (trace->sequence == sequence && ip_addr_equal(&trace->from, &s->to.addr) &&
		    ip_addr_equal(&t->definition->probe.through, &s->from.addr) &&
		    t->address.port == s->from.port && path_sockets_of(e, t)->port == s->to.port)
			return trace;
	}
	return NULL;
}

/* A trace in place of the older one. */
static struct path_trace *
leave_trace(struct engine *e, struct target *t, struct ip_addr from)
{
	struct path_trace *trace = &t->path->traces[++t->path->count % 2];

	if (trace->target != NULL)
		LIST_REMOVE(trace, link);
	trace->target = t;
	trace->from = from;
	trace->sequence = (uint32_t)(random_next(&e->cookie) >> 32);
	LIST_INSERT_HEAD(bucket(e, trace->sequence), trace, link);
	return trace;
}

static struct path_trace *
latest(const struct target *t)
{
	return &t->path->traces[t->path->count % 2];
}

/* To where the real server is, which the packet does not say. False with errno. */
static bool
send_raw(const struct path_sockets *s, const struct target *t, uint8_t *bytes, size_t length)
{
	const struct endpoint way = {.addr = t->address.addr};
	alignas(struct cmsghdr) char control[SOURCE_CONTROL] = "";
	struct sockaddr_storage at;
	struct iovec part = {.iov_base = bytes, .iov_len = length};
	struct msghdr m = {.msg_name = &at, .msg_namelen = sockaddr_of(&way, &at), .msg_iov = &part,
		.msg_iovlen = 1, .msg_control = control};

	source_say(&t->source, &m);
	return sendmsg(s->raw, &m, 0) != -1;
}

static bool
goes_in_frames(const struct target *t)
{
	return t->address.addr.family == IP_V6 && !t->definition->probe.tunnelled;
}

/* The opening, or the reset that takes it back. False with errno. */
static bool
send_segment(struct engine *e, const struct path_trace *trace, uint8_t flags)
{
	const struct target *t = trace->target;
	const struct conf_probe *p = &t->definition->probe;
	const struct path_sockets *sockets = path_sockets_of(e, t);
	const struct segment s = {
		.from = {trace->from, sockets->port},
		.to = {p->through, t->address.port},
		.sequence = flags == SEGMENT_SYN ? trace->sequence : trace->sequence + 1,
		.flags = flags,
	};
	uint8_t bytes[SEGMENT_MAX];
	size_t length = segment_build(&s, p->tunnelled ? &t->address.addr : NULL, bytes,
		sizeof(bytes));

	return goes_in_frames(t) ? hop_send(e, t->path, bytes, length)
		: send_raw(sockets, t, bytes, length);
}

/* The server's kernel has an entry of ours that should be gone. */
static void
take_late(struct engine *e, const struct path_trace *trace)
{
	struct target *t = trace->target;
	struct probe_run *run = t->run;

	send_segment(e, trace, SEGMENT_RST);
	if (run == NULL || trace == latest(t) || !run->path.open || run->path.repeated)
		return;
	run->path.repeated = true;
	send_segment(e, latest(t), SEGMENT_SYN);
}

static void
take_answer(struct engine *e, const struct segment *s)
{
	struct path_trace *trace = (s->flags & SEGMENT_ACK) != 0 ? trace_answered(e, s) : NULL;
	struct probe_run *run;

	if (trace == NULL)
		return;
	run = trace == latest(trace->target) ? trace->target->run : NULL;
	if (run != NULL && !run->path.open)
		run = NULL;
	if ((s->flags & SEGMENT_RST) != 0) {
		if (run == NULL)
			return;
		run->path.open = false;
		probe_finish(run, REASON_DATA_PATH_REFUSED, 0);
	} else if (run != NULL && (s->flags & SEGMENT_SYN) != 0) {
		run->connect_ns = run_age_ns(run);
		probe_finish(run, REASON_PROBE_OK, 0);
	} else {
		take_late(e, trace);
	}
}

void
path_read(struct engine *e, struct path_sockets *sockets)
{
	struct segment s;
	ssize_t n;
	int i;

	for (i = 0; i < PACKETS_A_TURN && sockets->port != 0; i++) {
		n = recv(sockets->packet, e->read_buffer, SEGMENT_READ_MAX, 0);
		if (n == -1)
			return;
		if (segment_parse(e->read_buffer, (size_t)n, &s))
			take_answer(e, &s);
	}
}

/* The address that our packets to the server have. 0 or the errno of why there is none. */
static int
own_address(const struct target *t, struct ip_addr *out)
{
	bool v6 = t->address.addr.family == IP_V6;
	struct sockaddr_storage at, own = {.ss_family = AF_UNSPEC};
	socklen_t length = sockaddr_of(&t->address, &at), own_length = sizeof(own);
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP), error = 0;

	if (fd == -1)
		return errno;
	if (!source_bind(t, fd) || connect(fd, (struct sockaddr *)&at, length) == -1 ||
	    getsockname(fd, (struct sockaddr *)&own, &own_length) == -1)
		error = errno == EAGAIN ? EADDRINUSE : errno; /* no port: as listen(2) has it */
	close(fd);
	*out = (struct ip_addr){.family = v6 ? IP_V6 : IP_V4};
	if (v6)
		memcpy(out->bytes, &((struct sockaddr_in6 *)&own)->sin6_addr, 16);
	else
		memcpy(out->bytes, &((struct sockaddr_in *)&own)->sin_addr, 4);
	if (error == 0 && ip_addr_equal(out, &t->definition->probe.through))
		error = EADDRNOTAVAIL; /* the server would answer itself */
	return error;
}

static void
path_fail(struct probe_run *run, int error)
{
	if (error == EADDRINUSE)
		ports_wait(run);
	else
		probe_finish(run, stream_reason(error, true), error);
}

void
path_go_on(struct probe_run *run)
{
	struct engine *e = run->engine;

	run->path.waiting = false;
	run->path.open = send_segment(e, leave_trace(e, run->target, run->path.from), SEGMENT_SYN);
	if (!run->path.open)
		path_fail(run, errno);
}

static void
path_start(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct target *t = run->target;
	int error;

	run->path = (struct path_run){.open = false};
	error = t->path != NULL ? path_wake(e, path_sockets_of(e, t)) : ENOMEM;
	if (error == 0)
		error = own_address(t, &run->path.from);
	if (error == 0 && goes_in_frames(t))
		error = hop_find(e, t);
	if (error == 0)
		path_go_on(run);
	else if (error == EAGAIN)
		run->path.waiting = true;
	else
		path_fail(run, error);
}

/* It has no descriptor of its own. */
static void
path_ready(struct probe_run *run, int events)
{
	(void)run;
	(void)events;
}

static enum reason
path_silence(const struct probe_run *run)
{
	(void)run;
	return REASON_DATA_PATH_SILENT;
}

static void
path_release(struct probe_run *run)
{
	if (run->path.open)
		send_segment(run->engine, latest(run->target), SEGMENT_RST);
	run->path.open = run->path.waiting = false;
}

void
path_join(struct engine *e, struct target *t)
{
	t->path = calloc(1, sizeof(*t->path));
	if (t->path == NULL)
		return;
	t->path->target = t;
	path_sockets_of(e, t)->users++;
}

void
path_leave(struct engine *e, struct target *t)
{
	struct path_sockets *sockets = path_sockets_of(e, t);
	int i;

	if (t->path == NULL)
		return;
	for (i = 0; i < 2; i++)
		if (t->path->traces[i].target != NULL)
			LIST_REMOVE(&t->path->traces[i], link);
	hop_forget(t->path);
	free(t->path);
	t->path = NULL;
	if (--sockets->users == 0)
		path_rest(e, sockets);
}

void
path_init(struct engine *e)
{
	for (size_t i = 0; i < PATH_BUCKETS; i++) {
		LIST_INIT(&e->path.traces[i]);
		LIST_INIT(&e->path.hops.at[i]);
	}
}

const struct probe_kind kind_path = {.start = path_start, .ready = path_ready,
	.silence = path_silence, .release = path_release, .shares_socket = true};
