/*
 * Raw sockets for VRRP. See vrrp_socket.h.
 *
 * The receiver is bound to the device and to no address, because it must hear the group as well as
 * unicast advertisements. Between socket() and the last setsockopt() a raw socket would queue
 * every VRRP packet of the host: a filter that takes nothing is attached first, and removed when
 * everything is in place and the queue is empty. The sender keeps that filter: what it would
 * receive nobody reads.
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
	TOS = 0xc0,         /* CS6, internetwork control */
	PRIORITY = 7,       /* TC_PRIO_CONTROL */
	RECEIVE_BUFFER = 1 << 20,
};

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
open_on_device(const char *interface)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);
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
join_group(int fd, int ifindex)
{
	struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(GROUP), .imr_ifindex = ifindex};

	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == -1
		? -errno : 0;
}

static int
start_hearing(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) != -1)
		; /* queued before the filter was attached, perhaps from another interface */
	return set_int(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

static int
configure_receiver(int fd, int ifindex)
{
	int error;

	/* More than rmem_max allows when we may: a burst of a thousand routers' advertisements. */
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if ((error = set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)) < 0 ||
		(error = join_group(fd, ifindex)) < 0)
		return error;
	return start_hearing(fd);
}

static int
configure_sender(int fd, int ifindex)
{
	struct ip_mreqn out = {.imr_ifindex = ifindex};
	int error;

	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)) == -1)
		return -errno;
	if ((error = set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)) < 0 ||
		(error = set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL)) < 0 ||
		(error = set_int(fd, IPPROTO_IP, IP_TTL, VRRP_TTL)) < 0 ||
		(error = set_int(fd, IPPROTO_IP, IP_TOS, TOS)) < 0)
		return error;
	return set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY); /* after IP_TOS, which sets it too */
}

int
vrrp_socket_open(struct vrrp_socket *s, const char *interface, int ifindex)
{
	int error = 0;

	*s = (struct vrrp_socket){.receive_fd = -1, .send_fd = -1, .ifindex = ifindex};
	s->send_fd = open_on_device(interface);
	s->receive_fd = open_on_device(interface);
	if (s->send_fd < 0 || s->receive_fd < 0)
		error = s->send_fd < 0 ? s->send_fd : s->receive_fd;
	if (error == 0)
		error = configure_sender(s->send_fd, ifindex);
	if (error == 0)
		error = configure_receiver(s->receive_fd, ifindex);
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

int
vrrp_socket_send(struct vrrp_socket *s, const struct ip_addr *source,
	const struct ip_addr *destination, const void *message, size_t length)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = {.bytes = {0}};
	struct in_pktinfo info = {.ipi_ifindex = s->ifindex};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = length};
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	if (source->family != IP_V4 || destination->family != IP_V4)
		return -EAFNOSUPPORT;
	memcpy(&info.ipi_spec_dst, source->bytes, 4);
	memcpy(&to.sin_addr, destination->bytes, 4);
	cmsg->cmsg_level = IPPROTO_IP;
	cmsg->cmsg_type = IP_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	return sendmsg(s->send_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -errno : 0;
}

ssize_t
vrrp_socket_receive(struct vrrp_socket *s, void *out, size_t capacity)
{
	ssize_t length = recv(s->receive_fd, out, capacity, MSG_DONTWAIT);

	return length == -1 ? -errno : length;
}
