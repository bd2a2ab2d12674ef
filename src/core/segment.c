/* The segment codec. See segment.h. */
#include "core/segment.h"

#include "base/cursor.h"
#include "core/icmp.h"

enum {
	TCP_PROTOCOL = 6,
	IP4_PROTOCOL = 4,
	IP6_PROTOCOL = 41,
	TCP_HEADER = 20,
	MSS_OPTION = 4,
	ETHERNET_MTU = 1500,
	WINDOW = 64240,
	TTL_TUNNEL = 64,
	DO_NOT_FRAGMENT = 0x4000,
};

static void
put_checksum(uint8_t *at, uint16_t sum)
{
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

static void
put_ip4(struct writer *w, const struct ip_addr *from, const struct ip_addr *to, uint8_t protocol,
	uint8_t ttl, size_t payload)
{
	size_t start = w->at;

	writer_u8(w, 0x45);
	writer_u8(w, 0);
	writer_u16(w, (uint16_t)(SEGMENT_IP4_HEADER + payload));
	writer_u16(w, 0);
	writer_u16(w, DO_NOT_FRAGMENT);
	writer_u8(w, ttl);
	writer_u8(w, protocol);
	writer_u16(w, 0);
	writer_bytes(w, from->bytes, 4);
	writer_bytes(w, to->bytes, 4);
	if (!w->failed)
		put_checksum(w->bytes + start + 10,
			icmp_checksum(w->bytes + start, SEGMENT_IP4_HEADER));
}

static void
put_ip6(struct writer *w, const struct ip_addr *from, const struct ip_addr *to, uint8_t protocol,
	uint8_t hop_limit, size_t payload)
{
	writer_u32(w, 6u << 28);
	writer_u16(w, (uint16_t)payload);
	writer_u8(w, protocol);
	writer_u8(w, hop_limit);
	writer_bytes(w, from->bytes, 16);
	writer_bytes(w, to->bytes, 16);
}

static size_t
ip_header_length(const struct segment *s)
{
	return s->from.addr.family == IP_V6 ? SEGMENT_IP6_HEADER : SEGMENT_IP4_HEADER;
}

static void
put_ip(struct writer *w, const struct ip_addr *from, const struct ip_addr *to, uint8_t protocol,
	uint8_t hops, size_t payload)
{
	if (from->family == IP_V6)
		put_ip6(w, from, to, protocol, hops, payload);
	else
		put_ip4(w, from, to, protocol, hops, payload);
}

/* Over the addresses, the protocol and the length as well (RFC 9293 3.1, RFC 8200 8.1). */
static uint16_t
tcp_checksum(const struct segment *s, const uint8_t *tcp, size_t length)
{
	uint8_t bytes[36 + TCP_HEADER + MSS_OPTION];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_bytes(&w, s->from.addr.bytes, ip_addr_size(&s->from.addr));
	writer_bytes(&w, s->to.addr.bytes, ip_addr_size(&s->to.addr));
	writer_u16(&w, TCP_PROTOCOL);
	writer_u16(&w, (uint16_t)length);
	writer_bytes(&w, tcp, length);
	return icmp_checksum(bytes, w.at);
}

static void
put_tcp(struct writer *w, const struct segment *s, size_t length)
{
	size_t start = w->at;

	writer_u16(w, s->from.port);
	writer_u16(w, s->to.port);
	writer_u32(w, s->sequence);
	writer_u32(w, (s->flags & SEGMENT_ACK) != 0 ? s->acknowledged : 0);
	writer_u8(w, (uint8_t)(length / 4 << 4));
	writer_u8(w, s->flags);
	writer_u16(w, (s->flags & SEGMENT_RST) != 0 ? 0 : WINDOW);
	writer_u32(w, 0); /* checksum, urgent pointer */
	if (length > TCP_HEADER)
		writer_u32(w, 0x02040000u |
			(uint32_t)(ETHERNET_MTU - ip_header_length(s) - TCP_HEADER));
	if (!w->failed)
		put_checksum(w->bytes + start + 16, tcp_checksum(s, w->bytes + start, length));
}

size_t
segment_build(const struct segment *s, const struct ip_addr *tunnel, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	size_t length = (s->flags & SEGMENT_SYN) != 0 ? TCP_HEADER + MSS_OPTION : TCP_HEADER;

	if (tunnel != NULL)
		put_ip(&w, &s->from.addr, tunnel,
			s->from.addr.family == IP_V6 ? IP6_PROTOCOL : IP4_PROTOCOL, TTL_TUNNEL,
			ip_header_length(s) + length);
	put_ip(&w, &s->from.addr, &s->to.addr, TCP_PROTOCOL, 1, length);
	put_tcp(&w, s, length);
	return w.failed ? 0 : w.at;
}

/* The length of a whole IPv4 header in front of TCP; 0 when there is none. */
static size_t
ip4_header(const uint8_t *p, size_t length)
{
	size_t header, total;

	if (length < SEGMENT_IP4_HEADER || p[0] >> 4 != 4 || p[9] != TCP_PROTOCOL)
		return 0;
	header = (size_t)(p[0] & 15) * 4;
	total = (size_t)(p[2] << 8 | p[3]);
	/* a later fragment has no TCP header */
	if (header < SEGMENT_IP4_HEADER || header > length || (p[6] & 0x1f) != 0 || p[7] != 0)
		return 0;
	return total >= header + TCP_HEADER && icmp_checksum(p, header) == 0 ? header : 0;
}

/* The same of IPv6: TCP follows at once, where no fragment has it. */
static size_t
ip6_header(const uint8_t *p, size_t length)
{
	if (length < SEGMENT_IP6_HEADER || p[0] >> 4 != 6 || p[6] != TCP_PROTOCOL)
		return 0;
	return (size_t)(p[4] << 8 | p[5]) >= TCP_HEADER ? SEGMENT_IP6_HEADER : 0;
}

/* Steps over the IP header and takes the addresses from it. Its length; 0: it is none. */
static size_t
take_ip(const uint8_t *p, size_t length, struct segment *s)
{
	bool v6 = length > 0 && p[0] >> 4 == 6;
	size_t header = v6 ? ip6_header(p, length) : ip4_header(p, length);
	size_t addresses = v6 ? 8 : 12, size = v6 ? 16 : 4;

	if (header == 0)
		return 0;
	s->from.addr.family = s->to.addr.family = v6 ? IP_V6 : IP_V4;
	memcpy(s->from.addr.bytes, p + addresses, size);
	memcpy(s->to.addr.bytes, p + addresses + size, size);
	return header;
}

bool
segment_parse(const uint8_t *packet, size_t length, struct segment *out)
{
	struct segment s = {.flags = 0};
	size_t header = take_ip(packet, length, &s);
	struct reader r;
	uint8_t offset;

	if (header == 0)
		return false;
	r = reader_over(packet + header, length - header);
	s.from.port = reader_u16(&r);
	s.to.port = reader_u16(&r);
	s.sequence = reader_u32(&r);
	s.acknowledged = reader_u32(&r);
	offset = reader_u8(&r);
	s.flags = reader_u8(&r);
	reader_skip(&r, 6);
	if (r.failed || offset >> 4 < TCP_HEADER / 4)
		return false;
	*out = s;
	return true;
}
