/*
 * Questions and answers. See wire.h; what is of IPv6 is in nd.c.
 *
 * The filter lets in ARP for IPv4 over Ethernet and nothing that this host sent itself. A gratuitous
 * frame has the same address as sender and as target.
 */
#include "linux/wire.h"

#include "core/resolution.h"
#include "linux/nd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SKIPPED_A_CALL = 16, RECEIVE_BUFFER = 256 * 1024 };
enum { FRAME = 60 };
enum { SENDER_MAC_AT = 8, SENDER_AT = 14, TARGET_AT = 24 }; /* in the ARP message */
enum { LENGTHS = 6 << 24 | 4 << 16 }; /* of the addresses, before the operation */

static const uint8_t ethernet_ip4[] = {0, ARPHRD_ETHER, 0x08, 0x00, 6, 4};

/* Instructions up to where a frame is known as ARP that somebody sent, and those of a prefix. */
enum { HEAD = 8, SAMPLING = 7, EACH = 4, TAIL = 1, DROP_AT = HEAD - 1 };
_Static_assert(HEAD + SAMPLING + EACH * WIRE_QUIET + TAIL <= BPF_MAXINSNS, "too long a filter");
_Static_assert((WIRE_SAMPLE & (WIRE_SAMPLE - 1)) == 0, "the filter masks a random number");

static size_t
write_head(struct sock_filter *out)
{
	const struct sock_filter code[HEAD] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, DROP_AT - 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARP_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_ETHER << 16 | ETH_P_IP, 0, DROP_AT - 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARP_AT + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LENGTHS | ARPOP_REPLY, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LENGTHS | ARPOP_REQUEST, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(out, code, sizeof(code));
	return HEAD;
}

/* What is not gratuitous gets in, and of what is a sample. The sender is in X from here on. */
static size_t
write_sampling(struct sock_filter *out)
{
	const struct sock_filter code[SAMPLING] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARP_AT + SENDER_AT),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARP_AT + TARGET_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_RANDOM),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, WIRE_SAMPLE - 1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, FRAME),
	};

	memcpy(out, code, sizeof(code));
	return SAMPLING;
}

static size_t
write_prefix(struct sock_filter *out, const struct ip_prefix *p)
{
	const uint8_t *b = p->addr.bytes;
	uint32_t net = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	uint32_t mask = p->length == 0 ? 0 : ~0u << (32 - p->length);
	const struct sock_filter code[EACH] = {
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, net & mask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(out, code, sizeof(code));
	return EACH;
}

int
wire_quiet(struct wire *w, const struct ip_prefix *prefixes, size_t count)
{
	struct sock_filter *code = calloc(HEAD + SAMPLING + EACH * WIRE_QUIET + TAIL, sizeof(*code));
	struct sock_fprog program = {.filter = code};
	size_t n, quiet = 0;
	int error;

	if (!code)
		return -ENOMEM;
	n = write_head(code);
	if (count > 0)
		n += write_sampling(code + n);
	for (size_t i = 0; i < count && quiet < WIRE_QUIET; i++)
		if (prefixes[i].addr.family == IP_V4) {
			n += write_prefix(code + n, &prefixes[i]);
			quiet++;
		}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, FRAME);
	program.len = (unsigned short)n;
	error = setsockopt(w->fd[WIRE_ARP], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == -1
		? -errno : 0;
	free(code);
	return error;
}

int
wire_open(struct wire *w)
{
	struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int size = RECEIVE_BUFFER, error;
	/* protocol 0 hears nothing until the filter is there */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*w = (struct wire){.fd = {fd, -1}};
	if (fd == -1)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	error = wire_quiet(w, NULL, 0);
	if (error == 0 && bind(fd, (struct sockaddr *)&all, sizeof(all)) == -1)
		error = -errno;
	if (error != 0)
		wire_close(w);
	return error;
}

void
wire_close(struct wire *w)
{
	for (unsigned i = 0; i < WIRE_SOCKETS; i++) {
		if (w->fd[i] > 0)
			close(w->fd[i]);
		w->fd[i] = -1;
	}
}

int
wire_hear_ip6(struct wire *w, bool wanted)
{
	int fd = -1;

	if (wanted == (w->fd[WIRE_ND] != -1))
		return 0;
	if (wanted && (fd = nd_listen()) < 0)
		return fd;
	if (!wanted)
		close(w->fd[WIRE_ND]);
	w->fd[WIRE_ND] = fd;
	return 0;
}

int
wire_ask(struct wire *w, int ifindex, const uint8_t mac[6], const struct ip_addr *own,
	const struct ip_addr *target)
{
	uint8_t frame[FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t *arp = frame + ARP_AT;
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = ifindex, .sll_halen = 6};

	if (target->family == IP_V6)
		return nd_ask(w->fd[WIRE_ARP], ifindex, mac, own, target);
	if (target->family != IP_V4 || own->family == IP_V6)
		return -EAFNOSUPPORT;
	memcpy(to.sll_addr, frame, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 0x08;
	frame[13] = 0x06;
	memcpy(arp, ethernet_ip4, sizeof(ethernet_ip4));
	arp[7] = ARPOP_REQUEST;
	memcpy(arp + SENDER_MAC_AT, mac, 6);
	memcpy(arp + SENDER_AT, own->bytes, 4); /* zero in a probe */
	memcpy(arp + TARGET_AT, target->bytes, 4);
	return sendto(w->fd[WIRE_ARP], frame, sizeof(frame), MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&to, sizeof(to)) == -1 ? -errno : 0;
}

static bool
read_arp(int fd, struct wire_frame *out)
{
	for (int i = 0; i < SKIPPED_A_CALL; i++) {
		uint8_t frame[FRAME];
		struct sockaddr_ll from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT,
			(struct sockaddr *)&from, &size);
		struct arp_message m;

		if (n == -1)
			return false;
		if (from.sll_pkttype == PACKET_OUTGOING || !arp_decode(frame, (size_t)n, &m))
			continue;
		*out = (struct wire_frame){.ifindex = from.sll_ifindex, .reply = m.reply,
			.sender = m.sender, .target = m.target};
		memcpy(out->mac, m.mac, sizeof(out->mac));
		return true;
	}
	return false;
}

static bool
read_nd(int fd, struct wire_frame *out)
{
	struct nd_heard heard;

	if (fd == -1 || !nd_read(fd, &heard))
		return false;
	*out = (struct wire_frame){.ifindex = heard.ifindex, .reply = true, .sender = heard.target,
		.target = heard.destination};
	memcpy(out->mac, heard.mac, sizeof(out->mac));
	return true;
}

bool
wire_read(struct wire *w, unsigned which, struct wire_frame *out)
{
	return which == WIRE_ND ? read_nd(w->fd[WIRE_ND], out) : read_arp(w->fd[WIRE_ARP], out);
}
