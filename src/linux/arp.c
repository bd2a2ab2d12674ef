/*
 * Gratuitous ARP. See arp.h.
 *
 * libnet opens no socket at all in its LIBNET_NONE mode: it only builds the frame there. The frame
 * is taken out with libnet_pblock_coalesce() (libnet_adv_cull_packet() refuses this mode) and
 * padded here, as libnet does not pad.
 */
#include "linux/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnet.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SEND_BUFFER = 1 << 20, /* a burst of a thousand frames while the device's queue is full */
	PRIORITY = 7,          /* TC_PRIO_CONTROL */
};

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

int
arp_sender_open(struct arp_sender *s)
{
	char error[LIBNET_ERRBUF_SIZE];
	int size = SEND_BUFFER, priority = PRIORITY, refused;

	*s = (struct arp_sender){.fd = -1, .builder = libnet_init(LIBNET_NONE, NULL, error)};
	if (!s->builder)
		return -ENOMEM;
	/* Protocol 0: receives nothing. */
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd == -1) {
		refused = -errno;
		arp_sender_close(s);
		return refused;
	}
	/* Both are improvements, not needs. */
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(s->fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	return 0;
}

/* One that is zeroed and was never opened may be closed, too. */
void
arp_sender_close(struct arp_sender *s)
{
	if (s->builder) {
		libnet_destroy(s->builder);
		if (s->fd != -1)
			close(s->fd);
	}
	*s = (struct arp_sender){.fd = -1};
}

/* Lays the ARP block and the Ethernet block into the (empty) builder. */
static bool
lay_blocks(libnet_t *l, const uint8_t mac[6], const struct ip_addr *address, bool reply)
{
	static const uint8_t nobody[6] = {0};
	const uint8_t *target = reply ? mac : nobody;

	return libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IP, 6, 4, reply ? ARPOP_REPLY : ARPOP_REQUEST,
			mac, address->bytes, target, address->bytes, NULL, 0, l, 0) != -1 &&
		libnet_build_ethernet(everybody, mac, ETHERTYPE_ARP, NULL, 0, l, 0) != -1;
}

int
arp_build(struct arp_sender *s, const uint8_t mac[6], const struct ip_addr *address, bool reply,
	uint8_t out[ARP_FRAME])
{
	libnet_t *l = s->builder;
	uint8_t *frame = NULL;
	uint32_t length = 0;

	if (address->family != IP_V4)
		return -EAFNOSUPPORT;
	libnet_clear_packet(l);
	if (!lay_blocks(l, mac, address, reply) ||
		libnet_pblock_coalesce(l, &frame, &length) == -1)
		return -ENOMEM;
	if (length <= ARP_FRAME) {
		memset(out, 0, ARP_FRAME);
		memcpy(out, frame, length);
	}
	libnet_adv_free_packet(l, frame);
	return length <= ARP_FRAME ? ARP_FRAME : -EMSGSIZE;
}

int
arp_send_frame(struct arp_sender *s, int ifindex, const uint8_t *frame, size_t length)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_halen = 6};

	if (length < LIBNET_ETH_H)
		return -EINVAL;
	memcpy(to.sll_addr, frame, 6);
	memcpy(&to.sll_protocol, frame + 12, 2);
	return sendto(s->fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
		sizeof(to)) == -1 ? -errno : 0;
}

int
arp_announce(struct arp_sender *s, int ifindex, const uint8_t mac[6],
	const struct ip_addr *address)
{
	uint8_t frame[ARP_FRAME];

	for (int reply = 0; reply <= 1; reply++) {
		int error = arp_build(s, mac, address, reply == 1, frame);

		if (error > 0)
			error = arp_send_frame(s, ifindex, frame, sizeof(frame));
		if (error < 0)
			return error;
	}
	return 0;
}
