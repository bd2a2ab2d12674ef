/*
 * ARP frames and neighbour advertisements, as they come from anybody on the LAN: the first byte
 * chooses. Promises: what is taken is whole, and every address stands in the message where it says.
 */
#include "fuzz.h"

#include "core/resolution.h"

#include <string.h>

static void
look_at_arp(const uint8_t *frame, size_t size)
{
	struct arp_message m;

	if (!arp_decode(frame, size, &m))
		return;
	PROMISE(size >= ARP_END && m.sender.family == IP_V4 && m.target.family == IP_V4);
	PROMISE(frame[ARP_AT + 7] == (m.reply ? 2 : 1) && frame[ARP_AT + 6] == 0);
	PROMISE(memcmp(m.mac, frame + ARP_AT + 8, 6) == 0);
	PROMISE(memcmp(m.sender.bytes, frame + ARP_AT + 14, 4) == 0);
	PROMISE(memcmp(m.target.bytes, frame + ARP_AT + 24, 4) == 0);
}

static void
look_at_advertisement(const uint8_t *message, size_t size)
{
	static const uint8_t none[6] = {0};
	struct advertisement a;
	bool found = false;

	if (!advertisement_decode(message, size, &a))
		return;
	PROMISE(size >= ADVERTISEMENT_MIN && (size - ADVERTISEMENT_MIN) % 8 == 0);
	PROMISE(message[0] == ADVERTISEMENT_TYPE && message[1] == 0 && message[8] != 0xff);
	PROMISE(memcmp(a.target.bytes, message + 8, 16) == 0);
	for (size_t i = ADVERTISEMENT_MIN; i < size; i += message[i + 1] * (size_t)8) {
		PROMISE(message[i + 1] != 0);
		found = found || (message[i] == 2 && message[i + 1] == 1 &&
			memcmp(a.mac, message + i + 2, 6) == 0);
	}
	PROMISE(found || memcmp(a.mac, none, sizeof(none)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if ((data[0] & 1) == 0)
		look_at_arp(data + 1, size - 1);
	else
		look_at_advertisement(data + 1, size - 1);
	return 0;
}
