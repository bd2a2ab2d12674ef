/* The echo codec. See icmp.h. */
#include "core/icmp.h"

#include "base/cursor.h"

enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_ECHO_REQUEST = 8,
	ICMP6_ECHO_REQUEST = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP4_PROTOCOL = 1,
	ICMP_PAYLOAD_MAGIC = 0x74616e64, /* "tand": tells our payload from another program's */
};

uint16_t
icmp_checksum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (i < length)
		sum += (uint32_t)bytes[i] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t
icmp_echo_build(uint8_t family, const struct icmp_echo *echo, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	uint16_t sum;

	writer_u8(&w, family == IP_V6 ? ICMP6_ECHO_REQUEST : ICMP4_ECHO_REQUEST);
	writer_u8(&w, 0);
	writer_u16(&w, 0);
	writer_u16(&w, echo->id);
	writer_u16(&w, echo->sequence);
	writer_u32(&w, ICMP_PAYLOAD_MAGIC);
	writer_u32(&w, echo->slot);
	writer_u32(&w, (uint32_t)(echo->cookie >> 32));
	writer_u32(&w, (uint32_t)echo->cookie);
	if (w.failed)
		return 0;
	if (family != IP_V6) {
		sum = icmp_checksum(out, w.at);
		out[2] = (uint8_t)(sum >> 8);
		out[3] = (uint8_t)sum;
	}
	return w.at;
}

/* Steps over the IPv4 header; false when it is not one in front of a whole ICMP message. */
static bool
icmp_open_ip4(const uint8_t **packet, size_t *length, struct ip_addr *source)
{
	const uint8_t *p = *packet;
	size_t header, total;

	if (*length < 20 || p[0] >> 4 != 4 || p[9] != ICMP4_PROTOCOL)
		return false;
	header = (size_t)(p[0] & 15) * 4;
	total = (size_t)(p[2] << 8 | p[3]);
	/* a later fragment has no ICMP header */
	if (header < 20 || total < header || total > *length || (p[6] & 0x1f) != 0 || p[7] != 0)
		return false;
	*source = (struct ip_addr){.family = IP_V4, .bytes = {p[12], p[13], p[14], p[15]}};
	*packet += header;
	*length = total - header;
	return icmp_checksum(*packet, *length) == 0;
}

bool
icmp_echo_parse(uint8_t family, const uint8_t *packet, size_t length, struct icmp_echo *out,
	struct ip_addr *source)
{
	struct reader r;
	struct icmp_echo echo;
	uint8_t type, code;
	uint32_t magic, high;

	if (family != IP_V6 && !icmp_open_ip4(&packet, &length, source))
		return false;
	r = reader_over(packet, length);
	type = reader_u8(&r);
	code = reader_u8(&r);
	reader_skip(&r, 2);
	echo.id = reader_u16(&r);
	echo.sequence = reader_u16(&r);
	magic = reader_u32(&r);
	echo.slot = reader_u32(&r);
	high = reader_u32(&r);
	echo.cookie = (uint64_t)high << 32 | reader_u32(&r);
	if (r.failed || code != 0 || magic != ICMP_PAYLOAD_MAGIC)
		return false;
	if (type != (family == IP_V6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
		return false;
	*out = echo;
	return true;
}
