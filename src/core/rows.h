/*
 * Arrays of rows, sorted in place and searched. Pure: the C library's qsort() may allocate, and the core
 * does not.
 */
#ifndef TANDEM_CORE_ROWS_H
#define TANDEM_CORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

enum { ROWS_BYTES_MAX = 256 }; /* of one row */

/* <0, 0, >0 */
typedef int (*row_compare)(const void *a, const void *b);

void rows_sort(void *base, size_t count, size_t size, row_compare compare);
/* The first row that equals the key, or NULL; fast when they are sorted. */
const void *rows_find(const void *base, size_t count, size_t size, bool sorted, row_compare compare,
	const void *key);

#endif
