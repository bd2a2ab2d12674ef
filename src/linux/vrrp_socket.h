/*
 * Raw sockets for VRRP over IPv4 on one interface: one to receive (joined to 224.0.0.18, bound to
 * the device, IP_MULTICAST_ALL off, SO_TIMESTAMPNS not needed), one to send (IP_MULTICAST_IF,
 * loop off, TTL 255, TOS 0xC0, SO_PRIORITY 7, IP_HDRINCL off: the source address is given with
 * IP_PKTINFO). Never blocks.
 */
#ifndef TANDEM_LINUX_VRRP_SOCKET_H
#define TANDEM_LINUX_VRRP_SOCKET_H

#include "base/addr.h"
#include "base/limits.h"

#include <sys/types.h>

struct vrrp_socket {
	int receive_fd;
	int send_fd;
	int ifindex;
};

/* 0 or negative errno; on error nothing stays open. */
int vrrp_socket_open(struct vrrp_socket *s, const char *interface, int ifindex);
void vrrp_socket_close(struct vrrp_socket *s);
/* One message (no IP header) from `source` to `destination`. 0 or negative errno. */
int vrrp_socket_send(struct vrrp_socket *s, const struct ip_addr *source,
	const struct ip_addr *destination, const void *message, size_t length);
/* One packet with its IP header; its length, -EAGAIN when there is none, or a negative errno. */
ssize_t vrrp_socket_receive(struct vrrp_socket *s, void *out, size_t capacity);

#endif
