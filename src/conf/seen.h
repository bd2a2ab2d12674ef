/*
 * Which keys have been seen, and in which row: a growing hash table over keys of one fixed size,
 * so that a configuration with tens of thousands of rows is checked without comparing each with
 * each.
 */
#ifndef TANDEM_CONF_SEEN_H
#define TANDEM_CONF_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	size_t key_size;
	uint8_t *keys;   /* in the order in which they came */
	uint32_t *rows;  /* the row of each */
	size_t count, key_capacity, row_capacity;
	uint32_t *slots; /* place in keys, plus 1; 0: free */
	size_t slot_count;
};

void seen_open(struct seen *s, size_t key_size);
void seen_close(struct seen *s);
/* The row in which the key (zero-filled) was seen first, or UINT32_MAX. */
uint32_t seen_find(const struct seen *s, const void *key);
/* Seen already: its row. Else notes it with this row and returns UINT32_MAX. */
uint32_t seen_add(struct seen *s, const void *key, uint32_t row);

#endif
