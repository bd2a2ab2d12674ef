/*
 * The segment parser, as a packet socket feeds it. Promises: what is taken has a whole TCP header
 * inside, with what was read where the standards have it.
 */
#include "fuzz.h"

#include "core/segment.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment s;
	const uint8_t *tcp;

	if (!segment_parse(data, size, &s))
		return 0;
	tcp = data + (size_t)(data[0] & 15) * 4;
	PROMISE((size_t)(tcp - data) >= 20 && (size_t)(tcp - data) + 20 <= size);
	PROMISE(data[9] == 6 && s.from.addr.family == IP_V4 && s.to.addr.family == IP_V4);
	PROMISE(memcmp(s.from.addr.bytes, data + 12, 4) == 0);
	PROMISE(memcmp(s.to.addr.bytes, data + 16, 4) == 0);
	PROMISE(s.from.port == (tcp[0] << 8 | tcp[1]) && s.to.port == (tcp[2] << 8 | tcp[3]));
	PROMISE((s.acknowledged >> 24) == tcp[8] && (s.acknowledged & 0xff) == tcp[11]);
	PROMISE(s.flags == tcp[13] && tcp[12] >> 4 >= 5);
	return 0;
}
