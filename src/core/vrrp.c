/* The VRRP advertisement on the wire. See vrrp.h. */
#include "core/vrrp.h"
#include "base/cursor.h"

enum { IP4_HEADER_MIN = 20, IP4_TTL_AT = 8, IP4_PROTOCOL_AT = 9, IP4_SOURCE_AT = 12 };
enum { INTERVAL_MASK = 0x0fff, CS_PER_S = 100 };

static const uint8_t trailer_magic[4] = {'T', 'N', 'D', 'M'};

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

void
vrrp_seal(uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	enum vrrp_checksum form)
{
	uint16_t sum;

	if (message[0] >> 4 == 2)
		form = VRRP_SUM_MESSAGE;
	message[VRRP_CHECKSUM_AT] = message[VRRP_CHECKSUM_AT + 1] = 0;
	sum = vrrp_checksum(message, length, envelope, form);
	message[VRRP_CHECKSUM_AT] = (uint8_t)(sum >> 8);
	message[VRRP_CHECKSUM_AT + 1] = (uint8_t)sum;
}

static bool
is_encodable(const struct vrrp_advert *a, const struct vrrp_envelope *envelope)
{
	if (a->vrid == 0 || a->count == 0 || a->interval_cs == 0)
		return false;
	if (a->version != 2)
		return a->interval_cs <= VRRP_INTERVAL_MAX_CS;
	return envelope->source.family == IP_V4 && a->interval_cs % CS_PER_S == 0 &&
		a->interval_cs / CS_PER_S <= UINT8_MAX;
}

size_t
vrrp_encode(const struct vrrp_advert *advert, const struct vrrp_envelope *envelope,
	enum vrrp_checksum form, uint8_t *out, size_t capacity)
{
	static const uint8_t no_authentication[VRRP_AUTH] = {0};
	struct writer w = writer_over(out, capacity);
	size_t size = ip_addr_size(&envelope->source);
	unsigned version = advert->version == 2 ? 2 : 3;

	if (!is_encodable(advert, envelope))
		return 0;
	writer_u8(&w, (uint8_t)(version << 4 | (advert->type ? advert->type : VRRP_ADVERT)));
	writer_u8(&w, advert->vrid);
	writer_u8(&w, advert->priority);
	writer_u8(&w, advert->count);
	/* version 2: authentication type 0, then seconds */
	writer_u16(&w, version == 2 ? advert->interval_cs / CS_PER_S : advert->interval_cs);
	writer_u16(&w, 0);
	writer_bytes(&w, advert->addresses, advert->count * size);
	if (version == 2)
		writer_bytes(&w, no_authentication, sizeof(no_authentication));
	if (w.failed)
		return 0;
	vrrp_seal(out, w.at, envelope, form);
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

static enum reason
read_header(struct reader *r, unsigned version, struct vrrp_advert *out)
{
	uint8_t version_type = reader_u8(r);
	uint16_t interval;

	out->vrid = reader_u8(r);
	out->priority = reader_u8(r);
	out->count = reader_u8(r);
	interval = reader_u16(r);
	reader_skip(r, 2);
	if (r->failed)
		return REASON_BAD_LENGTH;
	if (version_type >> 4 != version)
		return REASON_BAD_VERSION;
	out->version = (uint8_t)version;
	out->type = version_type & 0x0f;
	if (out->type != VRRP_ADVERT && out->type != VRRP_HELLO)
		return REASON_BAD_TYPE;
	if (out->vrid == 0)
		return REASON_BAD_VRID;
	if (out->count == 0)
		return REASON_BAD_COUNT;
	if (version == 2 && interval >> 8 != 0)
		return REASON_BAD_AUTH;
	out->interval_cs = version == 2 ? (uint16_t)(interval * CS_PER_S) : interval & INTERVAL_MASK;
	return REASON_NONE;
}

/* Exact length (RFC 9568 7.1), or something behind it that begins as a trailer does. */
static enum reason
find_trailer(const uint8_t *message, size_t length, size_t plain, struct vrrp_advert *out)
{
	out->trailer = NULL;
	out->trailer_length = 0;
	if (length < plain || (length > plain && (length - plain < sizeof(trailer_magic) ||
		memcmp(message + plain, trailer_magic, sizeof(trailer_magic)) != 0)))
		return REASON_BAD_LENGTH;
	if (length > plain) {
		out->trailer = message + plain;
		out->trailer_length = length - plain;
	}
	return out->type == VRRP_HELLO && !out->trailer ? REASON_BAD_TYPE : REASON_NONE;
}

static bool
is_link_local(const uint8_t address[16])
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

enum reason
vrrp_decode(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	unsigned version, bool any_ttl, struct vrrp_advert *out, enum vrrp_checksum *sum)
{
	struct reader r = reader_over(message, length);
	size_t size = ip_addr_size(&envelope->source);
	enum reason why;

	if (!any_ttl && envelope->ttl != VRRP_TTL)
		return REASON_BAD_TTL;
	if ((why = read_header(&r, version, out)) != REASON_NONE)
		return why;
	out->addresses = message + VRRP_HEADER;
	why = find_trailer(message, length,
		VRRP_HEADER + out->count * size + (version == 2 ? VRRP_AUTH : 0), out);
	if (why != REASON_NONE)
		return why;
	if (out->interval_cs == 0)
		return REASON_BAD_INTERVAL;
	if (!checksum_matches(message, length, envelope, sum) ||
		(version == 2 && *sum != VRRP_SUM_MESSAGE))
		return REASON_BAD_CHECKSUM;
	if (envelope->source.family == IP_V6 && !is_link_local(out->addresses))
		return REASON_NOT_LINK_LOCAL;
	return REASON_NONE;
}
