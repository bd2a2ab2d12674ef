/* A hash table of keys of one size. See seen.h. */
#include "conf/seen.h"
#include "conf/errors.h"

#include <stdlib.h>
#include <string.h>

void
seen_open(struct seen *s, size_t key_size)
{
	*s = (struct seen){.key_size = key_size};
}

void
seen_close(struct seen *s)
{
	free(s->keys);
	free(s->rows);
	free(s->slots);
	*s = (struct seen){0};
}

/* FNV-1a */
static size_t
hash_of(const void *key, size_t size)
{
	const uint8_t *bytes = key;
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 29);
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t
slot_of(const struct seen *s, const void *key)
{
	size_t at = hash_of(key, s->key_size) & (s->slot_count - 1);

	while (s->slots[at] != 0 &&
		memcmp(s->keys + (s->slots[at] - 1) * s->key_size, key, s->key_size) != 0)
		at = (at + 1) & (s->slot_count - 1);
	return at;
}

static void
double_slots(struct seen *s)
{
	s->slot_count = s->slot_count ? s->slot_count * 2 : 64;
	free(s->slots);
	s->slots = conf_alloc(s->slot_count, sizeof(*s->slots));
	for (size_t i = 0; i < s->count; i++)
		s->slots[slot_of(s, s->keys + i * s->key_size)] = (uint32_t)i + 1;
}

uint32_t
seen_find(const struct seen *s, const void *key)
{
	uint32_t place = s->slot_count ? s->slots[slot_of(s, key)] : 0;

	return place ? s->rows[place - 1] : UINT32_MAX;
}

uint32_t
seen_add(struct seen *s, const void *key, uint32_t row)
{
	uint32_t before = seen_find(s, key);

	if (before != UINT32_MAX)
		return before;
	if (s->count * 2 >= s->slot_count)
		double_slots(s);
	s->keys = conf_grow(s->keys, s->count, &s->key_capacity, s->key_size);
	s->rows = conf_grow(s->rows, s->count, &s->row_capacity, sizeof(*s->rows));
	s->slots[slot_of(s, key)] = (uint32_t)s->count + 1;
	memcpy(s->keys + s->count * s->key_size, key, s->key_size);
	s->rows[s->count++] = row;
	return UINT32_MAX;
}
