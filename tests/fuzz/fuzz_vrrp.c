/*
 * The advertisement, as it comes off the wire: an IPv4 packet, or (first byte odd) the message of
 * an IPv6 packet. Promises: what is taken holds together, and encodes back to the same bytes.
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
	n = vrrp_encode(advert, envelope, sum, built, sizeof(built));
	PROMISE(n == 0 || n <= length);
	/* bits that must be ignored on receipt are zero when we send */
	if (n == length && (message[4] & 0xf0) == 0)
		PROMISE(memcmp(built, message, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrrp_envelope envelope = {.ttl = VRRP_TTL};
	struct vrrp_advert advert;
	enum vrrp_checksum sum;
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
	if (vrrp_decode(message, length, &envelope, data[0] & 4 ? 2 : 3, (data[0] & 2) != 0,
		&advert, &sum) == REASON_NONE)
		taken(&advert, &envelope, sum, message, length);
	return 0;
}
