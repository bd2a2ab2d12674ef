/*
 * The message, as it comes off the wire: an IPv4 packet, or (first byte odd) the message of an IPv6
 * packet. Promises: what is taken holds together, and encodes back to the same bytes. With bit 3
 * of the first byte the checksum is set right first, so that the rungs behind it are reached.
 */
#include "fuzz.h"

#include "core/vrrp.h"

#include <string.h>

static void
taken(const struct vrrp_advert *advert, const struct vrrp_envelope *envelope,
	enum vrrp_checksum sum, const uint8_t *message, size_t length)
{
	uint8_t built[VRRP_MAX];
	size_t each = ip_addr_size(&envelope->source), n;

	PROMISE(advert->vrid != 0 && advert->count != 0);
	PROMISE(advert->addresses >= message &&
		advert->addresses + advert->count * each <= message + length);
	PROMISE(advert->type == VRRP_ADVERT || (advert->type == VRRP_HELLO && advert->trailer));
	PROMISE(!advert->trailer || (advert->trailer >= message + VRRP_HEADER + each &&
		advert->trailer + advert->trailer_length == message + length));
	n = vrrp_encode(advert, envelope, sum, built, sizeof(built));
	PROMISE(n == length - advert->trailer_length);
	/* bits that must be ignored on receipt are zero when we send */
	if (n == length && (message[4] & 0xf0) == 0 && advert->version == 3)
		PROMISE(memcmp(built, message, n) == 0);
}

static void
decode(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope, uint8_t how)
{
	struct vrrp_advert advert;
	enum vrrp_checksum sum;
	enum reason why = vrrp_decode(message, length, envelope, how & 4 ? 2 : 3, (how & 2) != 0,
		&advert, &sum);

	PROMISE(reason_tag(why) != reason_tag(REASON_COUNT));
	if (why == REASON_NONE)
		taken(&advert, envelope, sum, message, length);
}

static void
decode_sealed(const uint8_t *message, size_t length, const struct vrrp_envelope *envelope,
	uint8_t how)
{
	uint8_t *copy = malloc(length);

	PROMISE(copy != NULL);
	memcpy(copy, message, length);
	vrrp_seal(copy, length, envelope, VRRP_SUM_PSEUDO_HEADER);
	decode(copy, length, envelope, how);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrrp_envelope envelope = {.ttl = VRRP_TTL};
	const uint8_t *message = data + 1;
	size_t length = size - 1;

	if (size == 0)
		return 0;
	if ((data[0] & 1) != 0) {
		envelope.source.family = envelope.destination.family = IP_V6;
		envelope.source.bytes[0] = 0xfe;
		envelope.source.bytes[1] = 0x80;
		envelope.source.bytes[15] = 1;
		memcpy(envelope.destination.bytes, (const uint8_t[]){0xff, 0x02}, 2);
		envelope.destination.bytes[15] = 0x12;
	} else if (vrrp_open_ip4(data + 1, size - 1, &envelope, &message, &length) !=
	    REASON_NONE) {
		return 0;
	}
	PROMISE(message >= data + 1 && message + length <= data + size);
	if ((data[0] & 8) != 0 && length >= VRRP_HEADER)
		decode_sealed(message, length, &envelope, data[0]);
	else
		decode(message, length, &envelope, data[0]);
	return 0;
}
