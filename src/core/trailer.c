/* The trailer of a keyed pair's messages. See trailer.h. */
#include "core/trailer.h"
#include "base/cursor.h"
#include "core/vrrp.h"

static const uint32_t magic = 0x544e444d; /* TNDM */
static const uint8_t nothing[TRAILER_MAC] = {0};
enum { CARRIER = 1, ROLE_MAX = 3, FITNESS_MAX = 2, IP6_HEADER = 40, MTU = 1500 };
enum { NEIGHBOUR6 = 16 / TRAILER_NEIGHBOUR };

_Static_assert(IP6_HEADER + VRRP_HEADER + 16 * VRRP_IP6_ADDRESSES + TRAILER_MAX <= MTU,
	"a message of IPv6 with a trailer would be fragmented");

static bool
has_neighbour6(const struct trailer *t)
{
	return t->neighbour_count == 1 && t->neighbours[0].family == IP_V6;
}

/* In units of TRAILER_NEIGHBOUR, as they are counted on the wire. */
static uint8_t
neighbours_of(const struct trailer *t)
{
	return has_neighbour6(t) ? NEIGHBOUR6 : t->neighbour_count;
}

static size_t
length_of(const struct trailer *t)
{
	return TRAILER_FIXED + (size_t)t->path_count * TRAILER_PATH +
		(size_t)neighbours_of(t) * TRAILER_NEIGHBOUR + TRAILER_MAC;
}

size_t
trailer_encode(const struct trailer *t, uint8_t *out, size_t capacity)
{
	struct writer w = writer_over(out, capacity);
	size_t length = length_of(t);

	if (t->path_count > TRAILER_PATHS || t->neighbour_count > TRAILER_NEIGHBOURS)
		return 0;
	writer_u32(&w, magic);
	writer_u8(&w, TRAILER_FORMAT);
	writer_u8(&w, t->key_id);
	writer_u16(&w, (uint16_t)length);
	writer_u64(&w, t->boot);
	writer_u64(&w, t->counter);
	writer_u64(&w, t->echo_boot);
	writer_u64(&w, t->echo_counter);
	writer_u8(&w, t->role);
	writer_u8(&w, t->priority);
	writer_u8(&w, t->fitness);
	writer_u8(&w, t->path_count);
	writer_u16(&w, (uint16_t)(t->flags | (has_neighbour6(t) ? TRAILER_NEIGHBOUR6 : 0)));
	writer_u16(&w, t->healthy);
	writer_u32(&w, t->digest);
	writer_u32(&w, t->router_tag);
	writer_u8(&w, t->sender.family);
	writer_u8(&w, neighbours_of(t));
	writer_u16(&w, t->lease_s);
	writer_bytes(&w, t->sender.bytes, 16);
	for (unsigned i = 0; i < t->path_count; i++) {
		writer_u32(&w, t->paths[i].tag);
		writer_u16(&w, t->paths[i].age_ms);
		writer_u8(&w, t->paths[i].carrier ? CARRIER : 0);
		writer_u8(&w, 0);
	}
	for (unsigned i = 0; i < t->neighbour_count; i++)
		writer_bytes(&w, t->neighbours[i].bytes, ip_addr_size(&t->neighbours[i]));
	writer_bytes(&w, nothing, TRAILER_MAC);
	return w.failed ? 0 : w.at;
}

static void
read_lists(struct reader *r, struct trailer *out)
{
	for (unsigned i = 0; i < out->path_count; i++) {
		out->paths[i].tag = reader_u32(r);
		out->paths[i].age_ms = reader_u16(r);
		out->paths[i].carrier = (reader_u8(r) & CARRIER) != 0;
		reader_skip(r, 1);
	}
	if ((out->flags & TRAILER_NEIGHBOUR6) != 0 && out->neighbour_count == NEIGHBOUR6) {
		out->neighbour_count = 1;
		out->neighbours[0].family = IP_V6;
		reader_bytes(r, out->neighbours[0].bytes, 16);
		return;
	}
	for (unsigned i = 0; i < out->neighbour_count; i++) {
		out->neighbours[i].family = IP_V4;
		reader_bytes(r, out->neighbours[i].bytes, TRAILER_NEIGHBOUR);
	}
}

enum reason
trailer_decode(const uint8_t *bytes, size_t length, struct trailer *out)
{
	struct reader r = reader_over(bytes, length);
	uint32_t magic_read = reader_u32(&r);
	uint8_t format = reader_u8(&r);
	uint16_t length_read;

	memset(out, 0, sizeof(*out));
	out->key_id = reader_u8(&r);
	length_read = reader_u16(&r);
	out->boot = reader_u64(&r);
	out->counter = reader_u64(&r);
	out->echo_boot = reader_u64(&r);
	out->echo_counter = reader_u64(&r);
	out->role = reader_u8(&r);
	out->priority = reader_u8(&r);
	out->fitness = reader_u8(&r);
	out->path_count = reader_u8(&r);
	out->flags = reader_u16(&r);
	out->healthy = reader_u16(&r);
	out->digest = reader_u32(&r);
	out->router_tag = reader_u32(&r);
	out->sender.family = reader_u8(&r);
	out->neighbour_count = reader_u8(&r);
	out->lease_s = reader_u16(&r);
	reader_bytes(&r, out->sender.bytes, 16);
	if (r.failed || magic_read != magic || format != TRAILER_FORMAT || length_read != length ||
		out->path_count > TRAILER_PATHS || out->neighbour_count > TRAILER_NEIGHBOURS ||
		length != length_of(out))
		return REASON_BAD_TRAILER;
	read_lists(&r, out);
	if (out->boot == 0 || out->counter == 0 || out->key_id == 0 || out->role > ROLE_MAX ||
		out->fitness > FITNESS_MAX ||
		(out->sender.family != IP_V4 && out->sender.family != IP_V6))
		return REASON_BAD_TRAILER;
	if (out->sender.family == IP_V4) /* addresses compare as bytes */
		memset(out->sender.bytes + 4, 0, 12);
	return REASON_NONE;
}

uint32_t
trailer_tag(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash == 0 ? 1 : hash;
}
