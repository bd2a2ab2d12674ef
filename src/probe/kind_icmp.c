/*
 * The icmp probe: an echo and its reply. All targets share one raw socket per family, opened
 * before the privileges are gone; a filter in the kernel keeps other processes' replies away.
 */
#include "probe/kind.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
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

static ssize_t
send_echo(const struct engine *e, const struct ip_addr *to, const uint8_t *bytes, size_t length)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (to->family == IP_V6) {
		memcpy(&in6.sin6_addr, to->bytes, 16);
		return sendto(e->icmp6, bytes, length, 0, (struct sockaddr *)&in6, sizeof(in6));
	}
	memcpy(&in.sin_addr, to->bytes, 4);
	return sendto(e->icmp4, bytes, length, 0, (struct sockaddr *)&in, sizeof(in));
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
	if (send_echo(e, &t->address.addr, bytes, length) == -1)
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
	.start = icmp_start, .ready = icmp_ready, .silence = icmp_silence};
