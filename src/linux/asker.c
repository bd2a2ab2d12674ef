/*
 * Questions to one host. See asker.h.
 *
 * ARP goes through a packet socket. Neighbour solicitations go through the raw ICMPv6 socket, where
 * the kernel writes the checksum and maps the multicast address, and where answers come with the
 * hop limit and the interface as ancillary data (RFC 3542).
 */
#include "linux/asker.h"

#include "base/cursor.h"
#include "core/resolution.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RECEIVE_BUFFER = 256 * 1024,
	LOOPBACK = 1, /* its index in every network namespace: LOOPBACK_IFINDEX of net/flow.h */
	FRAME = 60,
	ND_HOPS = 255, /* RFC 4861 7.1: nobody beyond the link can have sent it */
	SOLICITATION = 24 + 8,
	SKIPPED_A_CALL = 16, /* frames that are no answer */
};

static const uint8_t ethernet_ip4[] = {0, ARPHRD_ETHER, 0x08, 0x00, 6, 4};

/* ---- opening ---- */

/* ARP replies for IPv4 over Ethernet that were sent to our own hardware address. */
static int
filter_arp(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARP_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_ETHER << 16 | ETH_P_IP, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ARP_AT + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* Echo replies with our identifier. The socket sees the IP header first. */
static int
filter_icmp4(int fd, uint16_t id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_IFINDEX),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LOOPBACK, 6, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3), /* echo reply */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* Echo replies with our identifier, and neighbour advertisements. */
static int
filter_icmp6(int fd, uint16_t id)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_IFINDEX),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LOOPBACK, 6, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_NEIGHBOR_ADVERT, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	const int on = 1, hops = ND_HOPS, off = 0;

	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == -1 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) == -1 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) == -1 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof(off)) == -1)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* A packet socket of protocol 0 hears nothing until it is bound, with its filter in place. */
static int
open_arp(void)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1 && (filter_arp(fd) == -1 ||
			bind(fd, (struct sockaddr *)&all, sizeof(all)) == -1)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int
open_icmp(uint8_t family, uint16_t id)
{
	bool v6 = family == IP_V6;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);

	if (fd != -1 && (v6 ? filter_icmp6(fd, id) : filter_icmp4(fd, id)) == -1) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
asker_open(struct asker *a, uint16_t id)
{
	int size = RECEIVE_BUFFER, error;

	*a = (struct asker){.fd = {-1, -1, -1}};
	if ((a->fd[ASKER_ARP] = open_arp()) == -1 ||
		(a->fd[ASKER_ICMP4] = open_icmp(IP_V4, id)) == -1) {
		error = -errno;
		asker_close(a);
		return error;
	}
	a->fd[ASKER_ICMP6] = open_icmp(IP_V6, id);
	for (unsigned i = 0; i < ASKER_SOCKETS; i++) /* an improvement, not a need */
		setsockopt(a->fd[i], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

void
asker_close(struct asker *a)
{
	for (unsigned i = 0; i < ASKER_SOCKETS; i++) {
		if (a->fd[i] > 0)
			close(a->fd[i]);
		a->fd[i] = -1;
	}
}

/* ---- asking ---- */

static int
ask_arp(int fd, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = ifindex, .sll_halen = 6,
		.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	static const uint8_t nobody[6] = {0};
	uint8_t frame[FRAME] = {0};
	struct writer w = writer_over(frame, sizeof(frame));

	writer_bytes(&w, to.sll_addr, 6);
	writer_bytes(&w, mac, 6);
	writer_u16(&w, ETH_P_ARP);
	writer_bytes(&w, ethernet_ip4, sizeof(ethernet_ip4));
	writer_u16(&w, ARPOP_REQUEST);
	writer_bytes(&w, mac, 6);
	writer_bytes(&w, own->bytes, 4); /* zero in a probe */
	writer_bytes(&w, nobody, 6);
	writer_bytes(&w, target->bytes, 4);
	return sendto(fd, frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&to, sizeof(to)) == -1 ? -errno : 0;
}

/* Sent from `own` on that interface, whatever the routes say. */
static int
send_from(int fd, int ifindex, const struct ip_addr *own, struct sockaddr_in6 *to,
	const uint8_t *bytes, size_t length)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)ifindex};
	struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr m = {.msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = &part,
		.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	memcpy(&info.ipi6_addr, own->bytes, 16);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -errno : 0;
}

/* RFC 4861 4.3, to the solicited-node multicast address (RFC 4291 2.7.1). */
static int
solicit(int fd, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)ifindex,
		.sin6_addr = {{{0xff, 2, [11] = 1, 0xff}}}};
	uint8_t message[SOLICITATION] = {0};
	struct writer w = writer_over(message, sizeof(message));

	memcpy(&to.sin6_addr.s6_addr[13], &target->bytes[13], 3);
	writer_u8(&w, ND_NEIGHBOR_SOLICIT);
	writer_u8(&w, 0);
	writer_u16(&w, 0); /* the kernel's */
	writer_u32(&w, 0);
	writer_bytes(&w, target->bytes, 16);
	writer_u8(&w, ND_OPT_SOURCE_LINKADDR);
	writer_u8(&w, 1);
	writer_bytes(&w, mac, 6);
	return send_from(fd, ifindex, own, &to, message, sizeof(message));
}

int
asker_link(struct asker *a, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target)
{
	if (target->family == IP_V4 && own->family != IP_V6)
		return ask_arp(a->fd[ASKER_ARP], ifindex, mac, own, target);
	if (target->family != IP_V6 || own->family != IP_V6 || a->fd[ASKER_ICMP6] == -1)
		return -EAFNOSUPPORT;
	return solicit(a->fd[ASKER_ICMP6], ifindex, mac, own, target);
}

int
asker_echo(struct asker *a, const struct ip_addr *target, const struct icmp_echo *echo)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	bool v6 = target->family == IP_V6;
	const struct sockaddr *to = v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
	int fd = a->fd[v6 ? ASKER_ICMP6 : ASKER_ICMP4];
	uint8_t bytes[ICMP_ECHO_LENGTH];
	size_t length = icmp_echo_build(target->family, echo, bytes, sizeof(bytes));

	if (fd == -1)
		return -EAFNOSUPPORT;
	memcpy(&in.sin_addr, target->bytes, 4);
	memcpy(&in6.sin6_addr, target->bytes, 16);
	return sendto(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, to,
		v6 ? sizeof(in6) : sizeof(in)) == -1 ? -errno : 0;
}

/* ---- hearing ---- */

/* What a datagram was, and how it came. */
struct heard {
	size_t length;
	int ifindex, hops;
	struct ip_addr source, destination; /* over IPv6 */
};

static bool
take_arp(const uint8_t *frame, const struct heard *h, struct asker_answer *out)
{
	struct arp_message m;

	if (!arp_decode(frame, h->length, &m) || !m.reply)
		return false;
	*out = (struct asker_answer){.ifindex = h->ifindex, .host = m.sender, .asker = m.target};
	return true;
}

/* Unsolicited ones answer nobody. */
static bool
take_advertisement(const uint8_t *bytes, const struct heard *h, struct asker_answer *out)
{
	struct advertisement a;

	if (h->hops != ND_HOPS || !advertisement_decode(bytes, h->length, &a) || !a.solicited)
		return false;
	*out = (struct asker_answer){.ifindex = h->ifindex, .host = a.target,
		.asker = h->destination};
	return true;
}

static bool
take(unsigned which, const uint8_t *bytes, const struct heard *h, struct asker_answer *out)
{
	struct asker_answer answer = {.echo = true, .host = h->source};
	uint8_t family = which == ASKER_ICMP6 ? IP_V6 : IP_V4;

	if (which == ASKER_ARP)
		return take_arp(bytes, h, out);
	if (which == ASKER_ICMP6 && h->length > 0 && bytes[0] == ND_NEIGHBOR_ADVERT)
		return take_advertisement(bytes, h, out);
	if (!icmp_echo_parse(family, bytes, h->length, &answer.reply, &answer.host))
		return false;
	*out = answer;
	return true;
}

static void
note_ancillary(struct msghdr *m, struct heard *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in6_pktinfo info;

		if (c->cmsg_level != IPPROTO_IPV6)
			continue;
		if (c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&h->hops, CMSG_DATA(c), sizeof(h->hops));
		} else if (c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			h->ifindex = (int)info.ipi6_ifindex;
			h->destination.family = IP_V6;
			memcpy(h->destination.bytes, &info.ipi6_addr, 16);
		}
	}
}

bool
asker_read(struct asker *a, unsigned which, struct asker_answer *out)
{
	for (int i = 0; i < SKIPPED_A_CALL; i++) {
		_Alignas(struct cmsghdr) uint8_t control[128];
		uint8_t bytes[ICMP_READ_MAX];
		union {
			struct sockaddr_ll link;
			struct sockaddr_in6 in6;
		} from = {.in6 = {0}};
		struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
		struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part,
			.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
		struct heard h = {0};
		ssize_t n = a->fd[which] == -1 ? -1 : recvmsg(a->fd[which], &m, MSG_DONTWAIT);

		if (n == -1)
			return false;
		h.length = (size_t)n;
		if (which == ASKER_ARP) {
			h.ifindex = from.link.sll_ifindex;
		} else if (which == ASKER_ICMP6) {
			h.source.family = IP_V6;
			memcpy(h.source.bytes, &from.in6.sin6_addr, 16);
			note_ancillary(&m, &h);
		}
		if (take(which, bytes, &h, out))
			return true;
	}
	return false;
}
