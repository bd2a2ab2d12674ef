/* Gratuitous ARP: libnet builds, our own packet socket sends. See arp.h. */
#include "linux/arp.h"

#include <errno.h>
#include <libnet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

int
arp_sender_open(struct arp_sender *s)
{
	char error[LIBNET_ERRBUF_SIZE];

	/* LIBNET_NONE: a builder without a socket of its own. */
	s->builder = libnet_init(LIBNET_NONE, NULL, error);
	if (!s->builder)
		return -ENOMEM;
	s->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd != -1)
		return 0;
	libnet_destroy(s->builder);
	return -errno;
}

void
arp_sender_close(struct arp_sender *s)
{
	if (s->builder)
		libnet_destroy(s->builder);
	if (s->fd > 0)
		close(s->fd);
	*s = (struct arp_sender){.fd = -1};
}

int
arp_build(struct arp_sender *s, const uint8_t mac[6], const struct ip_addr *address, bool reply,
	uint8_t out[ARP_FRAME])
{
	static const uint8_t nobody[6];
	libnet_t *l = s->builder;
	uint8_t *frame;
	uint32_t length;
	bool built;

	libnet_clear_packet(l);
	built = libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IP, 6, 4, reply ? ARPOP_REPLY : ARPOP_REQUEST,
			mac, address->bytes, reply ? mac : nobody, address->bytes, NULL, 0, l, 0) != -1 &&
		libnet_build_ethernet(broadcast, mac, ETHERTYPE_ARP, NULL, 0, l, 0) != -1 &&
		libnet_pblock_coalesce(l, &frame, &length) != -1;
	if (!built)
		return -EINVAL;
	memset(out, 0, ARP_FRAME);
	memcpy(out, frame, length < ARP_FRAME ? length : ARP_FRAME);
	if (l->aligner > 0)
		frame = frame - l->aligner; /* libnet over-allocates and hands out an inner pointer */
	free(frame);
	return ARP_FRAME;
}

static int
send_frame(struct arp_sender *s, int ifindex, const uint8_t frame[ARP_FRAME])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex,
		.sll_protocol = htons(ETHERTYPE_ARP), .sll_halen = 6};

	memcpy(to.sll_addr, broadcast, sizeof(broadcast));
	return sendto(s->fd, frame, ARP_FRAME, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
		       sizeof(to)) == -1 ? -errno : 0;
}

int
arp_announce(struct arp_sender *s, int ifindex, const uint8_t mac[6], const struct ip_addr *address)
{
	uint8_t frame[ARP_FRAME];
	int error = 0;

	for (int reply = 0; reply <= 1 && error == 0; reply++) {
		int built = arp_build(s, mac, address, reply == 1, frame);

		error = built < 0 ? built : send_frame(s, ifindex, frame);
	}
	return error;
}
