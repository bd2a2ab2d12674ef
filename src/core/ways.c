/*
 * Whose connection it is. See ways.h. The number is FNV-1a: there are millions of connections to look up
 * and few bytes in each. A client could at most make two connections of its own look like one.
 */
#include "core/ways.h"

#include "core/rows.h"

static uint64_t
mix(uint64_t number, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		number = (number ^ bytes[i]) * UINT64_C(0x100000001b3);
	return number;
}

static uint64_t
mix_endpoint(uint64_t number, const struct endpoint *e)
{
	uint8_t head[3] = {e->addr.family, (uint8_t)(e->port >> 8), (uint8_t)e->port};

	return mix(mix(number, head, sizeof(head)), e->addr.bytes, ip_addr_size(&e->addr));
}

uint64_t
way_number(const struct way *way)
{
	uint64_t number = mix(UINT64_C(0xcbf29ce484222325), &way->protocol, 1);

	return mix_endpoint(mix_endpoint(number, &way->service), &way->server);
}

/* Equal ones in the order of their places: ELSEWHERE is the last. */
static int
by_number_and_place(const void *a, const void *b)
{
	const struct way_row *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int
by_number(const void *a, const void *b)
{
	const struct way_row *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

void
ways_add(struct ways *ways, const struct way *way, uint16_t place)
{
	if (way->service.addr.family == IP_NONE)
		ways->marks = true;
	else if (way->service.port == 0)
		ways->ports = true;
	ways->rows[ways->count++] = (struct way_row){.number = way_number(way), .place = place};
}

void
ways_sort(struct ways *ways)
{
	rows_sort(ways->rows, ways->count, sizeof(*ways->rows), by_number_and_place);
}

static const struct way_row *
find(const struct ways *ways, uint64_t number)
{
	struct way_row key = {.number = number};

	return rows_find(ways->rows, ways->count, sizeof(key), true, by_number, &key);
}

/* With the server's port or whatever port was asked. */
static const struct way_row *
find_any_port(const struct ways *ways, struct way way)
{
	const struct way_row *row = find(ways, way_number(&way));

	way.server.port = 0;
	return row ? row : find(ways, way_number(&way));
}

uint16_t
ways_find(const struct ways *ways, const struct way *way, uint64_t number)
{
	const struct way_row *row = find(ways, number);
	struct way wide = *way;

	wide.service.port = 0;
	if (!row && ways->ports)
		row = find_any_port(ways, wide);
	wide = (struct way){.server = way->server};
	if (!row && ways->marks)
		row = find_any_port(ways, wide);
	return row ? row->place : (uint16_t)WAYS_ELSEWHERE;
}
