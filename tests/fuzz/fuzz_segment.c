/*
 * The segment parser, as a packet socket feeds it. Promises: what is taken has a whole TCP header
 * inside, with what was read where the standards have it.
 */
#include "fuzz.h"

#include "core/segment.h"

#include <string.h>

/* Each returns where TCP begins. */
static size_t
check_ip4(const uint8_t *data, size_t size, const struct segment *s)
{
	size_t header = (size_t)(data[0] & 15) * 4;

	PROMISE(data[0] >> 4 == 4 && size >= header && header >= 20 && data[9] == 6);
	PROMISE(s->from.addr.family == IP_V4 && s->to.addr.family == IP_V4);
	PROMISE(memcmp(s->from.addr.bytes, data + 12, 4) == 0);
	PROMISE(memcmp(s->to.addr.bytes, data + 16, 4) == 0);
	return header;
}

static size_t
check_ip6(const uint8_t *data, size_t size, const struct segment *s)
{
	PROMISE(size >= 40 && data[6] == 6 && (data[4] << 8 | data[5]) >= 20);
	PROMISE(s->from.addr.family == IP_V6 && s->to.addr.family == IP_V6);
	PROMISE(memcmp(s->from.addr.bytes, data + 8, 16) == 0);
	PROMISE(memcmp(s->to.addr.bytes, data + 24, 16) == 0);
	return 40;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct segment s;
	const uint8_t *tcp;

	if (!segment_parse(data, size, &s))
		return 0;
	tcp = data + (data[0] >> 4 == 6 ? check_ip6(data, size, &s) : check_ip4(data, size, &s));
	PROMISE((size_t)(tcp - data) + 20 <= size);
	PROMISE(ip_addr_is_sound(&s.from.addr) && ip_addr_is_sound(&s.to.addr));
	PROMISE(s.from.port == (tcp[0] << 8 | tcp[1]) && s.to.port == (tcp[2] << 8 | tcp[3]));
	PROMISE((s.acknowledged >> 24) == tcp[8] && (s.acknowledged & 0xff) == tcp[11]);
	PROMISE(s.flags == tcp[13] && tcp[12] >> 4 >= 5);
	return 0;
}
