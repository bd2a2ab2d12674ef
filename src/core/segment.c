/* The segment codec. See segment.h. */
#include "core/segment.h"

#include "base/cursor.h"
#include "core/icmp.h"

enum {
	TCP_PROTOCOL = 6,
	IPIP_PROTOCOL = 4,
	TCP_HEADER = 20,
	MSS_OPTION = 4,
	MSS = 1460,
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
put_ip(struct writer *w, const struct ip_addr *from, const struct ip_addr *to, uint8_t protocol,
	uint8_t ttl, size_t payload)
{
	size_t start = w->at;

	writer_u8(w, 0x45);
	writer_u8(w, 0);
	writer_u16(w, (uint16_t)(SEGMENT_IP_HEADER + payload));
	writer_u16(w, 0);
	writer_u16(w, DO_NOT_FRAGMENT);
	writer_u8(w, ttl);
	writer_u8(w, protocol);
	writer_u16(w, 0);
	writer_bytes(w, from->bytes, 4);
	writer_bytes(w, to->bytes, 4);
	if (!w->failed)
		put_checksum(w->bytes + start + 10,
			icmp_checksum(w->bytes + start, SEGMENT_IP_HEADER));
}

/* Over the addresses, the protocol and the length as well (RFC 9293 3.1). */
static uint16_t
tcp_checksum(const struct segment *s, const uint8_t *tcp, size_t length)
{
	uint8_t bytes[12 + TCP_HEADER + MSS_OPTION];
	struct writer w = writer_over(bytes, sizeof(bytes));

	writer_bytes(&w, s->from.addr.bytes, 4);
	writer_bytes(&w, s->to.addr.bytes, 4);
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
		writer_u32(w, 0x02040000u | MSS);
	if (!w->failed)
		put_checksum(w->bytes + start + 16, tcp_checksum(s, w->bytes + start, length));
}

size_t
segment_build(const struct segment *s, const struct ip_addr *tunnel, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	size_t length = (s->flags & SEGMENT_SYN) != 0 ? TCP_HEADER + MSS_OPTION : TCP_HEADER;

	if (tunnel != NULL)
		put_ip(&w, &s->from.addr, tunnel, IPIP_PROTOCOL, TTL_TUNNEL,
			SEGMENT_IP_HEADER + length);
	put_ip(&w, &s->from.addr, &s->to.addr, TCP_PROTOCOL, 1, length);
	put_tcp(&w, s, length);
	return w.failed ? 0 : w.at;
}

/* The length of a whole IPv4 header in front of TCP; 0 when there is none. */
static size_t
ip_header(const uint8_t *p, size_t length)
{
	size_t header, total;

	if (length < SEGMENT_IP_HEADER || p[0] >> 4 != 4 || p[9] != TCP_PROTOCOL)
		return 0;
	header = (size_t)(p[0] & 15) * 4;
	total = (size_t)(p[2] << 8 | p[3]);
	/* a later fragment has no TCP header */
	if (header < SEGMENT_IP_HEADER || header > length || (p[6] & 0x1f) != 0 || p[7] != 0)
		return 0;
	return total >= header + TCP_HEADER && icmp_checksum(p, header) == 0 ? header : 0;
}

bool
segment_parse(const uint8_t *packet, size_t length, struct segment *out)
{
	size_t header = ip_header(packet, length);
	struct segment s = {.from.addr.family = IP_V4, .to.addr.family = IP_V4};
	struct reader r;
	uint8_t offset;

	if (header == 0)
		return false;
	memcpy(s.from.addr.bytes, packet + 12, 4);
	memcpy(s.to.addr.bytes, packet + 16, 4);
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
