/*
 * What the probes through the data path send and hear with, for each family (kind_path.c tells why):
 * a raw socket for packets that the kernel brings to the real server, a packet socket that hears
 * the answers, and over IPv6 sends frames as well, and a listener, which has the port.
 *
 * All are opened before the privileges are gone. While no target wants them the packet sockets are
 * bound to a protocol that nobody speaks, so that they cost the host's traffic nothing.
 */
#include "core/segment.h"
#include "probe/kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	NOBODYS_PROTOCOL = 0x88b5, /* IEEE 802, local experiments */
	PATH_BUFFER = 1 << 20,
};

struct path_sockets *
path_sockets_of(struct engine *e, const struct target *t)
{
	return t->address.addr.family == IP_V6 ? &e->path.v6 : &e->path.v4;
}

static int
hear_protocol(const struct path_sockets *s, uint16_t protocol)
{
	const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};

	return bind(s->packet, (const struct sockaddr *)&at, sizeof(at));
}

static int
attach(int fd, struct sock_filter *code, size_t count)
{
	const struct sock_fprog program = {.len = (unsigned short)count, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* Passes first fragments of TCP to our port, to this host. */
static int
filter_ip4(const struct path_sockets *s)
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
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s->port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SEGMENT_READ_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(s->packet, code, sizeof(code) / sizeof(code[0]));
}

static int
filter_ip6(const struct path_sockets *s)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SEGMENT_IP6_HEADER + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, s->port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SEGMENT_READ_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(s->packet, code, sizeof(code) / sizeof(code[0]));
}

/* One of the kernel's choice, since the listener is bound to none. 0 or -1 with errno. */
static int
take_port(struct path_sockets *s)
{
	struct sockaddr_in6 at = {0}; /* an IPv4 address has its port there as well */
	socklen_t length = sizeof(at);

	if (listen(s->listener, 1) == -1 ||
	    getsockname(s->listener, (struct sockaddr *)&at, &length) == -1)
		return -1;
	s->port = ntohs(at.sin6_port);
	return 0;
}

void
path_rest(struct engine *e, struct path_sockets *s)
{
	if (s->error != 0)
		return;
	ev_io_stop(e->loop, &s->io);
	if (s->family == IP_V6)
		hop_listen(e, false);
	hear_protocol(s, NOBODYS_PROTOCOL);
	shutdown(s->listener, SHUT_RDWR); /* and has no port any more */
	s->port = 0;
}

static int
wake_ip4(struct path_sockets *s)
{
	return filter_ip4(s) == 0 && hear_protocol(s, ETH_P_IP) == 0 ? 0 : -1;
}

static int
wake_ip6(struct engine *e, struct path_sockets *s)
{
	hop_listen(e, true);
	return filter_ip6(s) == 0 && hear_protocol(s, ETH_P_IPV6) == 0 ? 0 : -1;
}

int
path_wake(struct engine *e, struct path_sockets *s)
{
	int error;

	if (s->port != 0)
		return 0;
	if (s->error != 0)
		return s->error;
	if (take_port(s) == 0 && (s->family == IP_V6 ? wake_ip6(e, s) : wake_ip4(s)) == 0) {
		ev_io_start(e->loop, &s->io);
		return 0;
	}
	error = errno;
	path_rest(e, s);
	return error;
}

/* A filter that keeps TCP out asks for privileges as well. 0 or -1 with errno. */
static int
open_listener(struct path_sockets *s)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const int one = 1;

	s->listener = socket(s->family == IP_V6 ? AF_INET6 : AF_INET,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (s->listener == -1 || (s->family == IP_V6 &&
		setsockopt(s->listener, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == -1))
		return -1;
	return attach(s->listener, nothing, 1);
}

static int
open_all(struct engine *e, struct path_sockets *s)
{
	const int one = 1, bytes = PATH_BUFFER;

	if (open_listener(s) == -1)
		return -1;
	s->raw = socket(s->family == IP_V6 ? AF_INET6 : AF_INET,
		SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (s->raw == -1 || (s->family == IP_V4 &&
		setsockopt(s->raw, IPPROTO_IP, IP_NODEFRAG, &one, sizeof(one)) == -1))
		return -1;
	s->packet = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->packet == -1)
		return -1;
	setsockopt(s->packet, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return s->family == IP_V6 && !hop_open(e) ? -1 : 0;
}

static void
on_packet(struct ev_loop *loop, ev_io *w, int events)
{
	struct engine *e = w->data;

	(void)loop;
	(void)events;
	path_read(e, w == &e->path.v6.io ? &e->path.v6 : &e->path.v4);
}

static void
open_family(struct engine *e, struct path_sockets *s, uint8_t family)
{
	s->family = family;
	s->raw = s->packet = s->listener = -1;
	s->error = open_all(e, s) == 0 ? 0 : errno;
	ev_io_init(&s->io, on_packet, s->packet, EV_READ);
	s->io.data = e;
}

void
path_open(struct engine *e)
{
	e->path.hops.ask = e->path.hops.news = -1;
	open_family(e, &e->path.v4, IP_V4);
	open_family(e, &e->path.v6, IP_V6);
}

static void
close_family(struct engine *e, struct path_sockets *s)
{
	const int all[] = {s->raw, s->packet, s->listener};
	size_t i;

	path_rest(e, s);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != -1)
			close(all[i]);
}

void
path_close(struct engine *e)
{
	close_family(e, &e->path.v4);
	close_family(e, &e->path.v6);
	hop_close(e);
}
