/*
 * Raw sockets for VRRP on one interface and of one family: one to receive (joined to 224.0.0.18 or
 * ff02::12, bound to the device; it hears unicast as well), one to send (multicast loop off, TTL or
 * hop limit 255, class CS6, SO_PRIORITY 7; the source address is given with IP_PKTINFO or
 * IPV6_PKTINFO). Never blocks. Over IPv6 the kernel computes and checks the checksum
 * (IPV6_CHECKSUM). RFC 9568 5.1.
 */
#ifndef TANDEM_LINUX_VRRP_SOCKET_H
#define TANDEM_LINUX_VRRP_SOCKET_H

#include "base/addr.h"
#include "base/limits.h"
#include "core/vrrp.h"

#include <sys/types.h>

enum { VRRP_SAMPLE = 32 }; /* of what is refused for its TTL, one in so many is received */

struct vrrp_socket {
	int receive_fd;
	int send_fd;
	int ifindex;
	uint8_t family; /* enum ip_family */
};

/* 0 or negative errno; on error nothing stays open. Hears neighbours only (see admit). */
int vrrp_socket_open(struct vrrp_socket *s, const char *interface, int ifindex,
	enum ip_family family);
void vrrp_socket_close(struct vrrp_socket *s);
/*
 * May packets come through routers? `from_afar` false: what has a TTL or hop limit below 255 is
 * dropped by the kernel (RFC 9568 7.1), all but a sample of one in VRRP_SAMPLE. May be called at any
 * time; what is queued stays. 0 or negative errno.
 */
int vrrp_socket_admit(struct vrrp_socket *s, bool from_afar);
/* One message (no IP header) from `source` to `destination`. 0 or negative errno. */
int vrrp_socket_send(struct vrrp_socket *s, const struct ip_addr *source,
	const struct ip_addr *destination, const void *message, size_t length);
/*
 * One packet: fills the buffer and the envelope and points at the VRRP message in it; returns the
 * message's length, -EAGAIN when there is none, -EPROTO for what is no VRRP packet (the envelope's
 * source may be unknown then), or a negative errno.
 */
ssize_t vrrp_socket_receive(struct vrrp_socket *s, void *buffer, size_t capacity,
	struct vrrp_envelope *envelope, const uint8_t **message);

#endif
