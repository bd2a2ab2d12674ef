/* Decoding ARP and neighbour advertisements. See resolution.h. */
#include "core/resolution.h"

#include "base/cursor.h"

#include <string.h>

enum { ARP_REQUEST = 1, ARP_REPLY = 2, TARGET_LINK_LAYER = 2, OPTION_UNIT = 8 };

static const uint8_t solicited_flag = 0x40;

bool
arp_decode(const uint8_t *frame, size_t length, struct arp_message *out)
{
	/* hardware Ethernet, protocol IPv4, lengths of their addresses */
	static const uint8_t ethernet_ip4[] = {0, 1, 0x08, 0x00, 6, 4};
	struct reader r = reader_over(frame, length);
	uint8_t kind[sizeof(ethernet_ip4)];
	uint16_t operation;

	*out = (struct arp_message){.sender = {.family = IP_V4}, .target = {.family = IP_V4}};
	reader_skip(&r, ARP_AT);
	reader_bytes(&r, kind, sizeof(kind));
	operation = reader_u16(&r);
	reader_bytes(&r, out->mac, 6);
	reader_bytes(&r, out->sender.bytes, 4);
	reader_skip(&r, 6);
	reader_bytes(&r, out->target.bytes, 4);
	out->reply = operation == ARP_REPLY;
	return !r.failed && memcmp(kind, ethernet_ip4, sizeof(kind)) == 0 &&
		(operation == ARP_REQUEST || operation == ARP_REPLY);
}

/* RFC 4861 7.1.2: an option of length 0 spoils the message. */
static bool
read_options(struct reader *r, uint8_t mac[6])
{
	while (reader_left(r) >= OPTION_UNIT) {
		uint8_t type = reader_u8(r);
		size_t length = reader_u8(r) * (size_t)OPTION_UNIT;

		if (length == 0 || length - 2 > reader_left(r))
			return false;
		if (type == TARGET_LINK_LAYER && length == OPTION_UNIT)
			reader_bytes(r, mac, 6);
		else
			reader_skip(r, length - 2);
	}
	return reader_left(r) == 0;
}

bool
advertisement_decode(const uint8_t *message, size_t length, struct advertisement *out)
{
	struct reader r = reader_over(message, length);
	uint8_t type = reader_u8(&r), code = reader_u8(&r);

	*out = (struct advertisement){.target = {.family = IP_V6}};
	reader_skip(&r, 2);
	out->solicited = (reader_u8(&r) & solicited_flag) != 0;
	reader_skip(&r, 3);
	reader_bytes(&r, out->target.bytes, 16);
	return !r.failed && type == ADVERTISEMENT_TYPE && code == 0 &&
		out->target.bytes[0] != 0xff && read_options(&r, out->mac);
}
