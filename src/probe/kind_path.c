/*
 * The tcp probe through the data path of dr and tunnel: the virtual address, asked at the real
 * server, in a packet as IPVS would send it there. It proves that the server has the address and a
 * listener on it, and that its answers find their way to somebody who is not IPVS.
 *
 * No socket of the kernel's can do that, because the active node has the address itself. So the
 * segments are made by hand. A raw socket sends them with the virtual address in their header and
 * the real server as the way: Linux looks for the way by the latter (FLOWI_FLAG_KNOWN_NH). They
 * live for one hop: a server without the address that forwards would send them back to a director,
 * and somebody else would answer for it. With IP_NODEFRAG on the socket IPVS lets them pass, which
 * otherwise schedules what its own host sends to a service.
 *
 * The answer comes from an address that is local on the active node, and the kernel drops it as a
 * martian; a packet socket sees it before. On the standby it would get as far as TCP, which knows
 * of no such connection and would tell the active node so: hence a listener on the port, whose
 * filter lets nothing in. It also keeps the port ours.
 *
 * All servers answer from the same address and port, so what tells them apart is the sequence
 * number that is acknowledged, 32 random bits. Every opening is followed by a reset, whatever came
 * back. Should that be lost, the server's half-open entry meets the next opening, since all of them
 * come from one port: it is known by the number of the probe before, reset again, and asked again.
 *
 * All three sockets are opened before the privileges are gone. While no target wants them the
 * packet socket is bound to a protocol that nobody speaks, so that it costs the host's traffic
 * nothing.
 */
#include "core/segment.h"
#include "probe/kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PACKETS_A_TURN = 256,
	NOBODYS_PROTOCOL = 0x88b5, /* IEEE 802, local experiments */
	PATH_BUFFER = 1 << 20,
};

static struct path_traces *
bucket(struct engine *e, uint32_t sequence)
{
	return &e->path.traces[sequence % PATH_BUCKETS];
}

static int
hear_protocol(const struct engine *e, uint16_t protocol)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};

	return bind(e->path.packet, (const struct sockaddr *)&at, sizeof(at));
}

/* Passes first fragments of TCP to our port, to this host. */
static int
filter_answers(const struct engine *e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, e->path.port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SEGMENT_READ_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(e->path.packet, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* One of the kernel's choice, since the listener is bound to none. 0 or -1 with errno. */
static int
take_port(struct engine *e)
{
	struct sockaddr_in at = {0};
	socklen_t length = sizeof(at);

	if (listen(e->path.listener, 1) == -1 ||
	    getsockname(e->path.listener, (struct sockaddr *)&at, &length) == -1)
		return -1;
	e->path.port = ntohs(at.sin_port);
	return 0;
}

/* Nobody asks any more: the host's traffic is not looked at. */
static void
rest(struct engine *e)
{
	if (e->path.error != 0)
		return;
	ev_io_stop(e->loop, &e->path.io);
	hear_protocol(e, NOBODYS_PROTOCOL);
	shutdown(e->path.listener, SHUT_RDWR); /* and has no port any more */
	e->path.port = 0;
}

/* Ready to ask? The error if not. */
static int
wake(struct engine *e)
{
	int error;

	if (e->path.port != 0)
		return 0;
	if (e->path.error != 0)
		return e->path.error;
	if (take_port(e) == 0 && filter_answers(e) == 0 && hear_protocol(e, ETH_P_IP) == 0) {
		ev_io_start(e->loop, &e->path.io);
		return 0;
	}
	error = errno;
	rest(e);
	return error;
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
		    t->address.port == s->from.port && e->path.port == s->to.port)
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

/* The opening, or the reset that takes it back. False with errno. */
static bool
send_segment(const struct engine *e, const struct path_trace *trace, uint8_t flags)
{
	const struct target *t = trace->target;
	const struct conf_probe *p = &t->definition->probe;
	const struct segment s = {
		.from = {trace->from, e->path.port},
		.to = {p->through, t->address.port},
		.sequence = flags == SEGMENT_SYN ? trace->sequence : trace->sequence + 1,
		.flags = flags,
	};
	const struct endpoint way = {.addr = t->address.addr};
	alignas(struct cmsghdr) char control[SOURCE_CONTROL] = "";
	uint8_t bytes[SEGMENT_MAX];
	struct sockaddr_storage at;
	struct iovec part = {.iov_base = bytes,
		.iov_len = segment_build(&s, p->tunnelled ? &way.addr : NULL, bytes, sizeof(bytes))};
	struct msghdr m = {.msg_name = &at, .msg_namelen = sockaddr_of(&way, &at), .msg_iov = &part,
		.msg_iovlen = 1, .msg_control = control};

	source_say(&t->source, &m);
	return sendmsg(e->path.raw, &m, 0) != -1;
}

/* The server's kernel has an entry of ours that should be gone. */
static void
take_late(struct engine *e, struct path_trace *trace)
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

static void
on_packet(struct ev_loop *loop, ev_io *w, int events)
{
	struct engine *e = w->data;
	struct segment s;
	ssize_t n;
	int i;

	(void)loop;
	(void)events;
	for (i = 0; i < PACKETS_A_TURN && e->path.port != 0; i++) {
		n = recv(w->fd, e->read_buffer, SEGMENT_READ_MAX, 0);
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
	struct sockaddr_storage at;
	struct sockaddr_in own = {0};
	socklen_t length = sockaddr_of(&t->address, &at), own_length = sizeof(own);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP), error = 0;

	if (fd == -1)
		return errno;
	if (!source_bind(t, fd) || connect(fd, (struct sockaddr *)&at, length) == -1 ||
	    getsockname(fd, (struct sockaddr *)&own, &own_length) == -1)
		error = errno == EAGAIN ? EADDRINUSE : errno; /* no port: as listen(2) has it */
	close(fd);
	*out = (struct ip_addr){.family = IP_V4};
	memcpy(out->bytes, &own.sin_addr, 4);
	if (error == 0 && ip_addr_equal(out, &t->definition->probe.through))
		error = EADDRNOTAVAIL; /* the server would answer itself */
	return error;
}

static void
path_start(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct target *t = run->target;
	struct ip_addr from;
	int error = t->path != NULL ? wake(e) : ENOMEM;

	run->path.open = run->path.repeated = false;
	if (error == 0)
		error = own_address(t, &from);
	if (error == 0) {
		run->path.open = send_segment(e, leave_trace(e, t, from), SEGMENT_SYN);
		error = run->path.open ? 0 : errno;
	}
	if (error == EADDRINUSE)
		ports_wait(run);
	else if (error != 0)
		probe_finish(run, stream_reason(error, true), error);
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
	run->path.open = false;
}

void
path_join(struct engine *e, struct target *t)
{
	t->path = calloc(1, sizeof(*t->path));
	e->path.users += t->path != NULL;
}

void
path_leave(struct engine *e, struct target *t)
{
	int i;

	if (t->path == NULL)
		return;
	for (i = 0; i < 2; i++)
		if (t->path->traces[i].target != NULL)
			LIST_REMOVE(&t->path->traces[i], link);
	free(t->path);
	t->path = NULL;
	if (--e->path.users == 0)
		rest(e);
}

/* 0 or -1 with errno. A filter that keeps TCP out asks for privileges as well. */
static int
open_all(struct path_sockets *p)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = 1, .filter = nothing};
	const int one = 1, bytes = PATH_BUFFER;

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (p->listener == -1 ||
	    setsockopt(p->listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1)
		return -1;
	p->raw = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (p->raw == -1 || setsockopt(p->raw, IPPROTO_IP, IP_NODEFRAG, &one, sizeof(one)) == -1)
		return -1;
	p->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->packet == -1)
		return -1;
	setsockopt(p->packet, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return 0;
}

void
path_open(struct engine *e)
{
	struct path_sockets *p = &e->path;
	size_t i;

	for (i = 0; i < PATH_BUCKETS; i++)
		LIST_INIT(&p->traces[i]);
	p->raw = p->packet = p->listener = -1;
	p->error = open_all(p) == 0 ? 0 : errno;
	ev_io_init(&p->io, on_packet, p->packet, EV_READ);
	p->io.data = e;
}

void
path_close(struct engine *e)
{
	const int all[] = {e->path.raw, e->path.packet, e->path.listener};
	size_t i;

	rest(e);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != -1)
			close(all[i]);
}

const struct probe_kind kind_path = {.start = path_start, .ready = path_ready,
	.silence = path_silence, .release = path_release, .shares_socket = true};
