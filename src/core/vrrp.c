/* The VRRP advertisement on the wire. See vrrp.h. */
#include "core/vrrp.h"
#include "base/cursor.h"

enum { IP4_HEADER_MIN = 20, IP4_TTL_AT = 8, IP4_PROTOCOL_AT = 9, IP4_SOURCE_AT = 12 };
enum { VERSION_TYPE = 0x31, CHECKSUM_AT = 6, INTERVAL_MASK = 0x0fff };

static uint32_t
sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (length % 2 != 0)
		sum += (uint32_t)(bytes[length - 1] << 8);
	return sum;
}

uint16_t
vrrp_checksum(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	enum vrrp_checksum form)
{
	size_t size = ip_addr_size(&envelope->source);
	uint32_t sum = sum_words(0, message, length);

	if (form == VRRP_SUM_PSEUDO_HEADER || envelope->source.family == IP_V6) {
		sum = sum_words(sum, envelope->source.bytes, size);
		sum = sum_words(sum, envelope->destination.bytes, size);
		sum += VRRP_PROTOCOL + (uint32_t)length;
	}
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

size_t
vrrp_encode(const struct vrrp_advert *advert, const struct vrrp_envelope *envelope,
	enum vrrp_checksum form, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	size_t size = ip_addr_size(&envelope->source);
	uint16_t sum;

	if (advert->vrid == 0 || advert->count == 0 || advert->interval_cs == 0 ||
		advert->interval_cs > VRRP_INTERVAL_MAX_CS)
		return 0;
	writer_u8(&w, VERSION_TYPE);
	writer_u8(&w, advert->vrid);
	writer_u8(&w, advert->priority);
	writer_u8(&w, advert->count);
	writer_u16(&w, advert->interval_cs);
	writer_u16(&w, 0);
	writer_bytes(&w, advert->addresses, advert->count * size);
	if (w.failed)
		return 0;
	sum = vrrp_checksum(out, w.at, envelope, form);
	out[CHECKSUM_AT] = (uint8_t)(sum >> 8);
	out[CHECKSUM_AT + 1] = (uint8_t)sum;
	return w.at;
}

static struct ip_addr
ip4_at(const uint8_t *bytes)
{
	struct ip_addr a = {.family = IP_V4};

	memcpy(a.bytes, bytes, 4);
	return a;
}

enum reason
vrrp_open_ip4(const uint8_t *packet, size_t length, struct vrrp_envelope *envelope,
	const uint8_t **message, size_t *message_length)
{
	size_t header, total;

	if (length < IP4_HEADER_MIN || packet[0] >> 4 != 4)
		return REASON_BAD_LENGTH;
	header = (size_t)(packet[0] & 0x0f) * 4;
	total = (size_t)(packet[2] << 8 | packet[3]);
	if (header < IP4_HEADER_MIN || total < header || total > length)
		return REASON_BAD_LENGTH;
	if (packet[IP4_PROTOCOL_AT] != VRRP_PROTOCOL)
		return REASON_BAD_TYPE;
	envelope->ttl = packet[IP4_TTL_AT];
	envelope->source = ip4_at(packet + IP4_SOURCE_AT);
	envelope->destination = ip4_at(packet + IP4_SOURCE_AT + 4);
	*message = packet + header;
	*message_length = total - header;
	return REASON_NONE;
}

/* Which of the two checksum forms matches? False: neither. */
static bool
checksum_matches(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	enum vrrp_checksum *sum)
{
	for (int form = VRRP_SUM_PSEUDO_HEADER; form <= VRRP_SUM_MESSAGE; form++) {
		/* The checksum of a message that holds its right checksum is 0. */
		if (vrrp_checksum(message, length, envelope, (enum vrrp_checksum)form) == 0) {
			*sum = (enum vrrp_checksum)form;
			return true;
		}
	}
	return false;
}

enum reason
vrrp_decode(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	bool any_ttl, struct vrrp_advert *out, enum vrrp_checksum *sum)
{
	struct reader r = reader_over(message, length);
	size_t size = ip_addr_size(&envelope->source);
	uint8_t version_type;

	if (!any_ttl && envelope->ttl != VRRP_TTL)
		return REASON_BAD_TTL;
	version_type = reader_u8(&r);
	out->vrid = reader_u8(&r);
	out->priority = reader_u8(&r);
	out->count = reader_u8(&r);
	out->interval_cs = reader_u16(&r) & INTERVAL_MASK;
	reader_skip(&r, 2);
	out->addresses = message + VRRP_HEADER;
	if (r.failed)
		return REASON_BAD_LENGTH;
	if (version_type >> 4 != VERSION_TYPE >> 4)
		return REASON_BAD_VERSION;
	if ((version_type & 0x0f) != (VERSION_TYPE & 0x0f))
		return REASON_BAD_TYPE;
	if (out->vrid == 0)
		return REASON_BAD_VRID;
	if (out->count == 0)
		return REASON_BAD_COUNT;
	if (length != VRRP_HEADER + out->count * size)
		return REASON_BAD_LENGTH;
	if (out->interval_cs == 0)
		return REASON_BAD_INTERVAL;
	if (!checksum_matches(message, length, envelope, sum))
		return REASON_BAD_CHECKSUM;
	return REASON_NONE;
}
