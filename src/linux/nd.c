/* Neighbour discovery: announcing, asking, hearing. See nd.h. */
#include "linux/nd.h"

#include "base/cursor.h"
#include "core/resolution.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ICMPV6 = 58,
	HOP_LIMIT = 255,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERT = 136,
	SOURCE_LINK_LAYER = 1, /* options, in units of 8 bytes */
	TARGET_LINK_LAYER = 2,
	OPTION_UNIT = 8,
	HOP_LIMIT_AT = 7, /* in the IPv6 header */
	ICMP_AT = 14 + 40,
	CHECKSUM_AT = ICMP_AT + 2,
	MESSAGE = 24, /* without options */
	RECEIVE_BUFFER = 256 * 1024,
	READ_MAX = 512,
	MALFORMED_A_CALL = 16,
};
static const uint32_t flag_router = 0x80000000, flag_override = 0x20000000;
static const uint8_t everybody[16] = {0xff, 2, [15] = 1};
static const uint8_t unspecified[16] = {0};

/* ---- frames ---- */

static uint32_t
sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

/* RFC 8200 8.1 */
static uint16_t
checksum(const uint8_t source[16], const uint8_t destination[16], const uint8_t *icmp, size_t length)
{
	uint32_t sum = sum_words(ICMPV6 + (uint32_t)length, source, 16);

	sum = sum_words(sum, destination, 16);
	sum = sum_words(sum, icmp, length);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A message about `target`, with a link-layer option of that type or without one (0). */
static size_t
build(const uint8_t mac[6], const uint8_t source[16], const uint8_t destination[16], uint8_t type,
	uint32_t flags, const struct ip_addr *target, uint8_t option, uint8_t out[ND_FRAME])
{
	struct writer w = writer_over(out, ND_FRAME);
	uint16_t length = option ? MESSAGE + OPTION_UNIT : MESSAGE, sum;
	uint8_t group[6] = {0x33, 0x33}; /* RFC 2464 7 */

	memcpy(group + 2, destination + 12, 4);
	writer_bytes(&w, group, 6);
	writer_bytes(&w, mac, 6);
	writer_u16(&w, ETH_P_IPV6);
	writer_u32(&w, 0x6c000000); /* version 6, class CS6 */
	writer_u16(&w, length);
	writer_u8(&w, ICMPV6);
	writer_u8(&w, HOP_LIMIT);
	writer_bytes(&w, source, 16);
	writer_bytes(&w, destination, 16);
	writer_u8(&w, type);
	writer_u8(&w, 0);
	writer_u16(&w, 0);
	writer_u32(&w, flags);
	writer_bytes(&w, target->bytes, 16);
	if (option) {
		writer_u8(&w, option);
		writer_u8(&w, 1);
		writer_bytes(&w, mac, 6);
	}
	sum = checksum(source, destination, out + ICMP_AT, length);
	out[CHECKSUM_AT] = (uint8_t)(sum >> 8);
	out[CHECKSUM_AT + 1] = (uint8_t)sum;
	return w.at;
}

void
nd_build(const uint8_t mac[6], const struct ip_addr *address, bool router, uint8_t out[ND_FRAME])
{
	build(mac, address->bytes, everybody, NEIGHBOUR_ADVERT,
		flag_override | (router ? flag_router : 0), address, TARGET_LINK_LAYER, out);
}

size_t
nd_build_question(const uint8_t mac[6], const struct ip_addr *own, const struct ip_addr *target,
	uint8_t out[ND_FRAME])
{
	uint8_t group[16] = {0xff, 2, [11] = 1, 0xff}; /* RFC 4291 2.7.1 */
	bool probe = own->family == IP_NONE;

	memcpy(group + 13, target->bytes + 13, 3);
	return build(mac, probe ? unspecified : own->bytes, group, NEIGHBOUR_SOLICITATION, 0, target,
		probe ? 0 : SOURCE_LINK_LAYER, out);
}

static int
send_frame(int packet_fd, int ifindex, const uint8_t *frame, size_t length)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6),
		.sll_ifindex = ifindex, .sll_halen = 6};

	memcpy(to.sll_addr, frame, 6);
	return sendto(packet_fd, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&to, sizeof(to)) == -1 ? -errno : 0;
}

int
nd_announce(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *address,
	bool router)
{
	uint8_t frame[ND_FRAME];

	if (address->family != IP_V6)
		return -EAFNOSUPPORT;
	nd_build(mac, address, router, frame);
	return send_frame(packet_fd, ifindex, frame, sizeof(frame));
}

int
nd_ask(int packet_fd, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target)
{
	uint8_t frame[ND_FRAME];

	if (target->family != IP_V6 || own->family == IP_V4)
		return -EAFNOSUPPORT;
	return send_frame(packet_fd, ifindex, frame, nd_build_question(mac, own, target, frame));
}

/* ---- hearing ---- */

static int
filter_advertisements(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF + HOP_LIMIT_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOP_LIMIT, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NEIGHBOUR_ADVERT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, READ_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	const int on = 1, size = RECEIVE_BUFFER;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == -1)
		return -errno;
	return 0;
}

int
nd_listen(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6), error;

	if (fd == -1)
		return -errno;
	error = filter_advertisements(fd);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static void
note_ancillary(struct msghdr *m, struct nd_heard *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in6_pktinfo info;

		if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		out->ifindex = (int)info.ipi6_ifindex;
		out->destination.family = IP_V6;
		memcpy(out->destination.bytes, &info.ipi6_addr, 16);
	}
}

bool
nd_read(int fd, struct nd_heard *out)
{
	for (int i = 0; i < MALFORMED_A_CALL; i++) {
		_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		uint8_t bytes[READ_MAX];
		struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
		struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control)};
		struct advertisement a;
		ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

		if (n == -1)
			return false;
		*out = (struct nd_heard){.ifindex = 0};
		note_ancillary(&m, out);
		if (out->ifindex == 0 || !advertisement_decode(bytes, (size_t)n, &a))
			continue;
		memcpy(out->mac, a.mac, sizeof(out->mac));
		out->target = a.target;
		return true;
	}
	return false;
}
