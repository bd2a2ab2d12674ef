/* Raw sockets for VRRP over IPv4. See vrrp_socket.h. */
#include "linux/vrrp_socket.h"

#include "core/vrrp.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL_PRIORITY = 7 /* TC_PRIO_CONTROL */, DSCP_CS6 = 0xc0, RECEIVE_BUFFER = 1 << 20 };

static int
set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == -1 ? -errno : 0;
}

static int
bind_device(int fd, const char *interface)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		       (socklen_t)strlen(interface) + 1) == -1 ? -errno : 0;
}

static int
raw_socket(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, VRRP_PROTOCOL);

	return fd == -1 ? -errno : fd;
}

static struct ip_mreqn
group_on(int ifindex)
{
	struct ip_mreqn group = {.imr_ifindex = ifindex};

	group.imr_multiaddr.s_addr = htonl(0xe0000012);
	return group;
}

static int
open_receiver(const char *interface, int ifindex)
{
	struct ip_mreqn group = group_on(ifindex);
	int fd = raw_socket(), error;

	if (fd < 0)
		return fd;
	error = bind_device(fd, interface);
	if (error == 0)
		error = set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (error == 0 && setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == -1)
		error = -errno;
	if (error == 0) {
		set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER); /* as much as is allowed */
		return fd;
	}
	close(fd);
	return error;
}

static int
open_sender(const char *interface, int ifindex)
{
	struct ip_mreqn group = {.imr_ifindex = ifindex};
	int fd = raw_socket(), error;

	if (fd < 0)
		return fd;
	error = bind_device(fd, interface);
	if (error == 0 && setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)) == -1)
		error = -errno;
	if (error == 0)
		error = set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	if (error == 0)
		error = set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, VRRP_TTL);
	if (error == 0)
		error = set_int(fd, IPPROTO_IP, IP_TTL, VRRP_TTL);
	if (error == 0)
		error = set_int(fd, IPPROTO_IP, IP_TOS, DSCP_CS6);
	if (error == 0)
		error = set_int(fd, SOL_SOCKET, SO_PRIORITY, CONTROL_PRIORITY); /* after IP_TOS */
	if (error == 0) {
		set_int(fd, SOL_SOCKET, SO_RCVBUF, 0); /* it hears what arrives, and nobody reads it */
		return fd;
	}
	close(fd);
	return error;
}

int
vrrp_socket_open(struct vrrp_socket *s, const char *interface, int ifindex)
{
	*s = (struct vrrp_socket){.receive_fd = -1, .send_fd = -1, .ifindex = ifindex};
	s->receive_fd = open_receiver(interface, ifindex);
	if (s->receive_fd < 0)
		return s->receive_fd;
	s->send_fd = open_sender(interface, ifindex);
	if (s->send_fd >= 0)
		return 0;
	close(s->receive_fd);
	return s->send_fd;
}

void
vrrp_socket_close(struct vrrp_socket *s)
{
	close(s->receive_fd);
	close(s->send_fd);
	s->receive_fd = s->send_fd = -1;
}

int
vrrp_socket_send(struct vrrp_socket *s, const struct ip_addr *source,
	const struct ip_addr *destination, const void *message, size_t length)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct in_pktinfo from = {.ipi_ifindex = s->ifindex};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(from))];
	} control = {.bytes = {0}};
	struct iovec iov = {(void *)(uintptr_t)message, length};
	struct msghdr msg = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	memcpy(&to.sin_addr, destination->bytes, 4);
	memcpy(&from.ipi_spec_dst, source->bytes, 4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(c), &from, sizeof(from));
	return sendmsg(s->send_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -errno : 0;
}

ssize_t
vrrp_socket_receive(struct vrrp_socket *s, void *out, size_t capacity)
{
	ssize_t n = recv(s->receive_fd, out, capacity, MSG_DONTWAIT);

	return n == -1 ? -errno : n;
}
