/* Sorting and finding rows. See rows.h. It is a heap sort: in place, and never quadratic. */
#include "core/rows.h"

#include <stdint.h>
#include <string.h>

struct rows {
	unsigned char *base;
	size_t size;
	row_compare compare;
};

static void
rows_swap(const struct rows *r, size_t a, size_t b)
{
	unsigned char kept[ROWS_BYTES_MAX];

	memcpy(kept, r->base + a * r->size, r->size);
	memcpy(r->base + a * r->size, r->base + b * r->size, r->size);
	memcpy(r->base + b * r->size, kept, r->size);
}

static bool
rows_less(const struct rows *r, size_t a, size_t b)
{
	return r->compare(r->base + a * r->size, r->base + b * r->size) < 0;
}

static void
rows_sift(const struct rows *r, size_t root, size_t count)
{
	for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
		if (child + 1 < count && rows_less(r, child, child + 1))
			child++;
		if (!rows_less(r, root, child))
			return;
		rows_swap(r, root, child);
		root = child;
	}
}

void
rows_sort(void *base, size_t count, size_t size, row_compare compare)
{
	struct rows r = {.base = base, .size = size, .compare = compare};
	size_t ordered = 1;

	while (ordered < count && !rows_less(&r, ordered, ordered - 1))
		ordered++;
	if (ordered >= count)
		return;
	for (size_t root = count / 2; root > 0; root--)
		rows_sift(&r, root - 1, count);
	for (size_t end = count - 1; end > 0; end--) {
		rows_swap(&r, 0, end);
		rows_sift(&r, 0, end);
	}
}

const void *
rows_find(const void *base, size_t count, size_t size, bool sorted, row_compare compare,
	const void *key)
{
	const unsigned char *rows = base;
	size_t low = 0, high = count;

	while (sorted && low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(rows + middle * size, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count; low++) {
		if (compare(rows + low * size, key) == 0)
			return rows + low * size;
		if (sorted)
			break;
	}
	return NULL;
}
