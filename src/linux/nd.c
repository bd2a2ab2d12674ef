/* Unsolicited neighbour advertisements. See nd.h. */
#include "linux/nd.h"

#include "base/cursor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

enum {
	ICMPV6 = 58,
	HOP_LIMIT = 255,
	NEIGHBOUR_ADVERT = 136,
	TARGET_LINK_LAYER = 2, /* option, in units of 8 bytes */
	ICMP_AT = 14 + 40,
	CHECKSUM_AT = ICMP_AT + 2,
	ICMP_LENGTH = ND_FRAME - ICMP_AT,
};
static const uint32_t flag_router = 0x80000000, flag_override = 0x20000000;
static const uint8_t everybody_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t everybody[16] = {0xff, 2, [15] = 1};

static uint32_t
sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* RFC 8200 8.1 */
static uint16_t
checksum(const struct ip_addr *source, const uint8_t *icmp)
{
	uint32_t sum = sum_words(ICMPV6 + ICMP_LENGTH, source->bytes, 16);

	sum = sum_words(sum, everybody, 16);
	sum = sum_words(sum, icmp, ICMP_LENGTH);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void
nd_build(const uint8_t mac[6], const struct ip_addr *address, bool router, uint8_t out[ND_FRAME])
{
	struct writer w = writer_over(out, ND_FRAME);
	uint16_t sum;

	writer_bytes(&w, everybody_mac, 6);
	writer_bytes(&w, mac, 6);
	writer_u16(&w, ETH_P_IPV6);
	writer_u32(&w, 0x6c000000); /* version 6, class CS6 */
	writer_u16(&w, ICMP_LENGTH);
	writer_u8(&w, ICMPV6);
	writer_u8(&w, HOP_LIMIT);
	writer_bytes(&w, address->bytes, 16);
	writer_bytes(&w, everybody, 16);
	writer_u8(&w, NEIGHBOUR_ADVERT);
	writer_u8(&w, 0);
	writer_u16(&w, 0);
	writer_u32(&w, flag_override | (router ? flag_router : 0));
	writer_bytes(&w, address->bytes, 16);
	writer_u8(&w, TARGET_LINK_LAYER);
	writer_u8(&w, 1);
	writer_bytes(&w, mac, 6);
	sum = checksum(address, out + ICMP_AT);
	out[CHECKSUM_AT] = (uint8_t)(sum >> 8);
	out[CHECKSUM_AT + 1] = (uint8_t)sum;
}

int
nd_announce(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *address,
	bool router)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = ifindex, .sll_halen = sizeof(everybody_mac)};
	uint8_t frame[ND_FRAME];

	if (address->family != IP_V6)
		return -EAFNOSUPPORT;
	memcpy(to.sll_addr, everybody_mac, sizeof(everybody_mac));
	nd_build(mac, address, router, frame);
	return sendto(packet_fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&to, sizeof(to)) == -1 ? -errno : 0;
}
