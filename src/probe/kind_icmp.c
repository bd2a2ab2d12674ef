/*
 * The icmp probe: an echo and its reply. All targets share one raw socket per family, opened
 * before the privileges are gone; a filter in the kernel keeps other processes' replies away.
 * They are not connected, so the kernel tells them nothing of other hosts' ICMP errors: what fails
 * when an echo is sent is this node's, and a host that is not there is silent.
 */
#include "probe/kind.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ECHO_REPLIES_A_TURN = 256, ICMP_BUFFER = 4 << 20 };

/* Passes packets whose identifier is ours. Over IPv4 a raw socket sees the IP header first. */
static int
attach_filter(int fd, uint8_t family, uint16_t id)
{
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(v4) / sizeof(v4[0]), .filter = v4};

	if (family == IP_V6)
		program = (struct sock_fprog){.len = sizeof(v6) / sizeof(v6[0]), .filter = v6};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int
accept_only_replies(int fd, uint8_t family)
{
	struct icmp_filter filter4 = {.data = ~(1u << ICMP_ECHOREPLY)};
	struct icmp6_filter filter6;

	if (family == IP_V4)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter6);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6));
}

/* Thousands of echoes may leave, and wait for an address to be resolved, at once. */
static void
widen_buffers(int fd)
{
	const int bytes = ICMP_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int
icmp_socket(struct engine *e, uint8_t family)
{
	int fd = socket(family == IP_V6 ? AF_INET6 : AF_INET,
		SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	int error;

	if (fd == -1)
		return -1;
	if (accept_only_replies(fd, family) == -1 || attach_filter(fd, family, e->icmp_id) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	widen_buffers(fd);
	return fd;
}

/* The run that this reply answers, or NULL: late, doubled, forged, or not ours. */
static struct probe_run *
run_answered(const struct engine *e, const struct icmp_echo *echo, const struct ip_addr *source)
{
	struct probe_run *run;

	if (echo->slot >= e->run_count)
		return NULL;
	run = e->runs[echo->slot];
	if (run->target == NULL || run->target->definition->kind != &kind_icmp)
		return NULL;
	if (memcmp(&run->icmp.echo.cookie, &echo->cookie, sizeof(echo->cookie)) != 0 ||
	    run->icmp.echo.sequence != echo->sequence || run->icmp.echo.id != echo->id)
		return NULL;
	return ip_addr_equal(&run->target->address.addr, source) ? run : NULL;
}

static void
take_reply(struct engine *e, uint8_t family, size_t length, struct ip_addr source)
{
	struct icmp_echo echo;
	struct probe_run *run;

	if (!icmp_echo_parse(family, e->read_buffer, length, &echo, &source))
		return;
	run = run_answered(e, &echo, &source);
	if (run == NULL)
		return;
	run->connect_ns = run_age_ns(run);
	probe_finish(run, REASON_PROBE_OK, 0);
}

static void
on_icmp(struct ev_loop *loop, ev_io *w, int events)
{
	struct engine *e = w->data;
	uint8_t family = w == &e->icmp6_io ? IP_V6 : IP_V4;
	struct sockaddr_in6 from;
	struct ip_addr source = {.family = family};
	socklen_t size;
	ssize_t n;
	int i;

	(void)loop;
	(void)events;
	for (i = 0; i < ECHO_REPLIES_A_TURN; i++) {
		memset(&from, 0, sizeof(from));
		size = sizeof(from); /* an IPv4 address fits as well; its header tells it */
		n = recvfrom(w->fd, e->read_buffer, ICMP_READ_MAX, 0, (struct sockaddr *)&from,
			&size);
		if (n == -1)
			return;
		if (family == IP_V6)
			memcpy(source.bytes, &from.sin6_addr, 16);
		take_reply(e, family, (size_t)n, source);
	}
}

static void
watch(struct engine *e, ev_io *io, int fd)
{
	ev_io_init(io, on_icmp, fd, EV_READ);
	io->data = e;
	if (fd != -1)
		ev_io_start(e->loop, io);
}

int
icmp_open(struct engine *e)
{
	e->icmp_id = (uint16_t)(e->cookie >> 48);
	e->icmp4 = icmp_socket(e, IP_V4);
	if (e->icmp4 == -1)
		return -1;
	e->icmp6 = icmp_socket(e, IP_V6); /* a host may lack IPv6 */
	watch(e, &e->icmp4_io, e->icmp4);
	watch(e, &e->icmp6_io, e->icmp6);
	return 0;
}

void
icmp_close(struct engine *e)
{
	ev_io_stop(e->loop, &e->icmp4_io);
	ev_io_stop(e->loop, &e->icmp6_io);
	close(e->icmp4);
	if (e->icmp6 != -1)
		close(e->icmp6);
}

uint64_t
random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void
source_say(const struct ip_addr *source, struct msghdr *m)
{
	struct cmsghdr *c = m->msg_control;
	struct in_pktinfo in = {0};
	struct in6_pktinfo in6 = {0};

	if (source->family == IP_NONE) {
		m->msg_control = NULL;
		m->msg_controllen = 0;
		return;
	}
	memcpy(&in.ipi_spec_dst, source->bytes, sizeof(in.ipi_spec_dst));
	memcpy(&in6.ipi6_addr, source->bytes, sizeof(in6.ipi6_addr));
	c->cmsg_level = source->family == IP_V6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = source->family == IP_V6 ? IPV6_PKTINFO : IP_PKTINFO;
	if (source->family == IP_V6) {
		c->cmsg_len = CMSG_LEN(sizeof(in6));
		memcpy(CMSG_DATA(c), &in6, sizeof(in6));
	} else {
		c->cmsg_len = CMSG_LEN(sizeof(in));
		memcpy(CMSG_DATA(c), &in, sizeof(in));
	}
	m->msg_controllen = CMSG_ALIGN(c->cmsg_len);
}

static ssize_t
send_echo(struct engine *e, const struct target *t, uint8_t *bytes, size_t length)
{
	int fd = t->address.addr.family == IP_V6 ? e->icmp6 : e->icmp4;
	const struct endpoint to = {.addr = t->address.addr};
	struct sockaddr_storage at;
	alignas(struct cmsghdr) char control[SOURCE_CONTROL] = "";
	struct iovec part = {.iov_base = bytes, .iov_len = length};
	struct msghdr m = {.msg_name = &at, .msg_namelen = sockaddr_of(&to, &at),
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};

	source_say(&t->source, &m);
	if (t->definition->probe.mark != 0)
		fd = stock_look(e, t);
	return fd == -1 ? -1 : sendmsg(fd, &m, 0);
}

void
icmp_provoke(struct engine *e, const struct target *t)
{
	const struct icmp_echo echo = {.id = e->icmp_id, .slot = UINT32_MAX}; /* nobody's */
	uint8_t bytes[ICMP_ECHO_LENGTH];
	size_t length = icmp_echo_build(t->address.addr.family, &echo, bytes, sizeof(bytes));

	send_echo(e, t, bytes, length);
}

static void
icmp_start(struct probe_run *run)
{
	struct engine *e = run->engine;
	const struct target *t = run->target;
	uint8_t bytes[ICMP_ECHO_LENGTH];
	size_t length;

	run->icmp.echo = (struct icmp_echo){.id = e->icmp_id,
		.sequence = (uint16_t)(t->last.probes + 1), .slot = run->slot,
		.cookie = random_next(&e->cookie)};
	length = icmp_echo_build(t->address.addr.family, &run->icmp.echo, bytes, sizeof(bytes));
	if (send_echo(e, t, bytes, length) == -1)
		probe_finish(run, stream_reason(errno, true), errno);
}

/* It has no descriptor of its own. */
static void
icmp_ready(struct probe_run *run, int events)
{
	(void)run;
	(void)events;
}

static enum reason
icmp_silence(const struct probe_run *run)
{
	(void)run;
	return REASON_ICMP_TIMEOUT;
}

const struct probe_kind kind_icmp = {
	.start = icmp_start, .ready = icmp_ready, .silence = icmp_silence, .shares_socket = true};
