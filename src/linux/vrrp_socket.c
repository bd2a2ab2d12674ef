/*
 * Raw sockets for VRRP. See vrrp_socket.h.
 *
 * The receiver is bound to the device and to no address, because it must hear the group as well as
 * unicast advertisements. Between socket() and the last setsockopt() a raw socket would queue
 * every VRRP packet of the host: a filter that takes nothing is attached first, and removed when
 * everything is in place and the queue is empty. The sender keeps that filter: what it would
 * receive nobody reads.
 *
 * What came through a router has a TTL below 255 (RFC 9568 5.1.1.3), and anybody on the Internet can
 * send it. The receiver's last filter drops it before it takes room in the queue, so that a flood
 * from afar neither pushes out what the peer says nor keeps the loop busy; one packet in
 * VRRP_SAMPLE gets in, for the counters and the log.
 */
#include "linux/vrrp_socket.h"

#include "core/vrrp.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	GROUP = 0xe0000012, /* 224.0.0.18 */
	CHECKSUM_AT = 6,
	TOS = 0xc0,         /* CS6, internetwork control */
	PRIORITY = 7,       /* TC_PRIO_CONTROL */
	RECEIVE_BUFFER = 1 << 20,
	IP4_TTL_AT = 8,
	IP6_HOP_LIMIT_AT = 7,
	WHOLE_PACKET = 0xffff,
};
_Static_assert((VRRP_SAMPLE & (VRRP_SAMPLE - 1)) == 0, "the filter masks a random number");

static int
set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

static int
take_nothing(int fd)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {.len = 1, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1
		? -errno : 0;
}

/* A deaf raw socket on the device. The descriptor, or a negative errno. */
static int
open_on_device(const char *interface, enum ip_family family)
{
	int domain = family == IP_V6 ? AF_INET6 : AF_INET;
	int fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);
	size_t length = strnlen(interface, LIMIT_IFNAME);
	int error;

	if (fd == -1)
		return -errno;
	error = take_nothing(fd);
	if (error == 0 && (length == 0 || length == LIMIT_IFNAME))
		error = -ENODEV; /* an empty name would bind to no device at all */
	if (error == 0 &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)length) == -1)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static int
join_ip4(int fd, int ifindex)
{
	struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(GROUP), .imr_ifindex = ifindex};
	int error = set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);

	if (error < 0)
		return error;
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == -1
		? -errno : 0;
}

/* ff02::12 */
static int
join_ip6(int fd, int ifindex)
{
	struct ipv6_mreq group = {.ipv6mr_multiaddr.s6_addr = {0xff, 2, [15] = 0x12},
		.ipv6mr_interface = (unsigned)ifindex};
	int error;

	if ((error = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_AT)) < 0)
		return error;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)) == -1
		? -errno : 0;
}

static int
take_neighbours(int fd, enum ip_family family)
{
	uint32_t ttl = (uint32_t)SKF_NET_OFF + (family == IP_V6 ? IP6_HOP_LIMIT_AT : IP4_TTL_AT);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ttl),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, VRRP_TTL, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, VRRP_SAMPLE - 1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, WHOLE_PACKET),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1
		? -errno : 0;
}

int
vrrp_socket_admit(struct vrrp_socket *s, bool from_afar)
{
	int error;

	if (!from_afar)
		return take_neighbours(s->receive_fd, s->family);
	error = set_int(s->receive_fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
	return error == -ENOENT ? 0 : error;
}

static int
start_hearing(struct vrrp_socket *s)
{
	char byte;

	while (recv(s->receive_fd, &byte, 1, MSG_DONTWAIT) != -1)
		; /* queued before the filter was attached, perhaps from another interface */
	return vrrp_socket_admit(s, false);
}

static int
configure_receiver(struct vrrp_socket *s)
{
	int fd = s->receive_fd, error;

	/* More than rmem_max allows when we may: a burst of a thousand routers' advertisements. */
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	error = s->family == IP_V6 ? join_ip6(fd, s->ifindex) : join_ip4(fd, s->ifindex);
	return error < 0 ? error : start_hearing(s);
}

static int
configure_ip4(int fd, int ifindex)
{
	struct ip_mreqn out = {.imr_ifindex = ifindex};
	int error;

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)) == -1)
		return -errno;
	if ((error = set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)) < 0 ||
		(error = set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL)) < 0 ||
		(error = set_int(fd, IPPROTO_IP, IP_TTL, VRRP_TTL)) < 0)
		return error;
	return set_int(fd, IPPROTO_IP, IP_TOS, TOS);
}

static int
configure_ip6(int fd, int ifindex)
{
	int error;

	if ((error = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, ifindex)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, VRRP_TTL)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, VRRP_TTL)) < 0 ||
		(error = set_int(fd, IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_AT)) < 0)
		return error;
	return set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS);
}

static int
configure_sender(struct vrrp_socket *s)
{
	int error = s->family == IP_V6 ? configure_ip6(s->send_fd, s->ifindex)
				       : configure_ip4(s->send_fd, s->ifindex);

	if (error < 0)
		return error;
	/* after IP_TOS, which sets it too */
	return set_int(s->send_fd, SOL_SOCKET, SO_PRIORITY, PRIORITY);
}

int
vrrp_socket_open(struct vrrp_socket *s, const char *interface, int ifindex, enum ip_family family)
{
	int error = 0;

	*s = (struct vrrp_socket){.receive_fd = -1, .send_fd = -1, .ifindex = ifindex,
		.family = (uint8_t)family};
	s->send_fd = open_on_device(interface, family);
	s->receive_fd = open_on_device(interface, family);
	if (s->send_fd < 0 || s->receive_fd < 0)
		error = s->send_fd < 0 ? s->send_fd : s->receive_fd;
	if (error == 0)
		error = configure_sender(s);
	if (error == 0)
		error = configure_receiver(s);
	if (error < 0)
		vrrp_socket_close(s);
	return error;
}

void
vrrp_socket_close(struct vrrp_socket *s)
{
	if (s->receive_fd >= 0)
		close(s->receive_fd);
	if (s->send_fd >= 0)
		close(s->send_fd);
	s->receive_fd = s->send_fd = -1;
}

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

static void
set_control(struct msghdr *msg, int level, int type, const void *data, size_t length)
{
	struct cmsghdr *cmsg;

	msg->msg_controllen = CMSG_SPACE(length);
	cmsg = CMSG_FIRSTHDR(msg);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(cmsg), data, length);
}

static void
address_ip4(struct msghdr *msg, struct sockaddr_in *to, int ifindex,
	const struct ip_addr *source, const struct ip_addr *destination)
{
	struct in_pktinfo info = {.ipi_ifindex = ifindex};

	memcpy(&info.ipi_spec_dst, source->bytes, 4);
	*to = (struct sockaddr_in){.sin_family = AF_INET};
	memcpy(&to->sin_addr, destination->bytes, 4);
	msg->msg_namelen = sizeof(*to);
	set_control(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void
address_ip6(struct msghdr *msg, struct sockaddr_in6 *to, int ifindex,
	const struct ip_addr *source, const struct ip_addr *destination)
{
	struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)ifindex};

	memcpy(&info.ipi6_addr, source->bytes, 16);
	*to = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex};
	memcpy(&to->sin6_addr, destination->bytes, 16);
	msg->msg_namelen = sizeof(*to);
	set_control(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

int
vrrp_socket_send(struct vrrp_socket *s, const struct ip_addr *source,
	const struct ip_addr *destination, const void *message, size_t length)
{
	union control control = {.bytes = {0}};
	union {
		struct sockaddr any;
		struct sockaddr_in ip4;
		struct sockaddr_in6 ip6;
	} to;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = length};
	struct msghdr msg = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes};

	if (source->family != s->family || destination->family != s->family)
		return -EAFNOSUPPORT;
	if (s->family == IP_V6)
		address_ip6(&msg, &to.ip6, s->ifindex, source, destination);
	else
		address_ip4(&msg, &to.ip4, s->ifindex, source, destination);
	return sendmsg(s->send_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -errno : 0;
}

/* Source, destination and hop limit come beside the message. */
static void
read_ip6_envelope(struct msghdr *msg, const struct sockaddr_in6 *from,
	struct vrrp_envelope *envelope)
{
	*envelope = (struct vrrp_envelope){.source = {.family = IP_V6},
		.destination = {.family = IP_V6}};
	memcpy(envelope->source.bytes, &from->sin6_addr, 16);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_PKTINFO) {
			memcpy(envelope->destination.bytes, CMSG_DATA(c), 16);
		} else if (c->cmsg_type == IPV6_HOPLIMIT) {
			int hops;

			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			envelope->ttl = (uint8_t)hops;
		}
	}
}

static ssize_t
receive_ip6(struct vrrp_socket *s, void *buffer, size_t capacity, struct vrrp_envelope *envelope,
	const uint8_t **message)
{
	union control control;
	struct sockaddr_in6 from = {0};
	struct iovec iov = {.iov_base = buffer, .iov_len = capacity};
	struct msghdr msg = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t length = recvmsg(s->receive_fd, &msg, MSG_DONTWAIT);

	if (length == -1)
		return -errno;
	read_ip6_envelope(&msg, &from, envelope);
	*message = buffer;
	return length;
}

ssize_t
vrrp_socket_receive(struct vrrp_socket *s, void *buffer, size_t capacity,
	struct vrrp_envelope *envelope, const uint8_t **message)
{
	ssize_t length;
	size_t message_length;

	if (s->family == IP_V6)
		return receive_ip6(s, buffer, capacity, envelope, message);
	length = recv(s->receive_fd, buffer, capacity, MSG_DONTWAIT);
	if (length == -1)
		return -errno;
	*envelope = (struct vrrp_envelope){.source = {.family = IP_V4}};
	if (vrrp_open_ip4(buffer, (size_t)length, envelope, message, &message_length) !=
		REASON_NONE)
		return -EPROTO;
	return (ssize_t)message_length;
}
