/*
 * The trailer of a keyed pair's message, as it comes off the wire. Promises: what is taken is in
 * range and encodes back to the same bytes, but for what must be ignored and the MAC.
 */
#include "fuzz.h"

#include "core/trailer.h"

#include <string.h>

/* Bytes that are not kept: reserved ones, unknown flags of a path, what follows an IPv4 address. */
static void
clear_ignored(uint8_t *bytes, size_t length)
{
	size_t paths_end = TRAILER_FIXED + (size_t)bytes[43] * TRAILER_PATH;

	if (bytes[56] == IP_V4)
		memset(bytes + 64, 0, 12);
	for (size_t at = TRAILER_FIXED; at < paths_end; at += TRAILER_PATH) {
		bytes[at + 6] &= 1;
		bytes[at + 7] = 0;
	}
	memset(bytes + length - TRAILER_MAC, 0, TRAILER_MAC);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t wanted[TRAILER_MAX], built[TRAILER_MAX];
	struct trailer t, again;
	enum reason why = trailer_decode(data, size, &t);

	PROMISE(why == REASON_NONE || why == REASON_BAD_TRAILER);
	if (why != REASON_NONE)
		return 0;
	PROMISE(size >= TRAILER_FIXED + TRAILER_MAC && size <= TRAILER_MAX);
	PROMISE(t.boot != 0 && t.counter != 0 && t.key_id != 0);
	PROMISE(t.path_count <= TRAILER_PATHS && t.neighbour_count <= TRAILER_NEIGHBOURS);
	memcpy(wanted, data, size);
	clear_ignored(wanted, size);
	PROMISE(trailer_encode(&t, built, size - 1) == 0);
	PROMISE(trailer_encode(&t, built, sizeof(built)) == size);
	PROMISE(memcmp(built, wanted, size) == 0);
	PROMISE(trailer_decode(built, size, &again) == REASON_NONE);
	PROMISE(memcmp(&again, &t, sizeof(t)) == 0);
	return 0;
}
