/*
 * Tables of virtual services. See table.h.
 *
 * Sorting is a heap sort of our own: the C library's qsort() may allocate, and the core does not.
 * Finding works on unsorted tables too, only slower, so that nobody can get a wrong answer by
 * forgetting to sort.
 */
#include "core/table.h"

#include <string.h>

enum { ROW_MAX = 256 }; /* of any array sorted here */

typedef int (*row_compare)(const void *a, const void *b);

struct rows {
	unsigned char *base;
	size_t size;
	row_compare compare;
};

static void
rows_swap(const struct rows *r, size_t a, size_t b)
{
	unsigned char kept[ROW_MAX];

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

static void
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

/* First row that equals the key, or NULL. */
static const void *
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

static int
compare_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int
endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	int order = ip_addr_compare(&a->addr, &b->addr);

	return order != 0 ? order : compare_u32(a->port, b->port);
}

int
vs_key_compare(const struct vs_key *a, const struct vs_key *b)
{
	if (a->fwmark != b->fwmark)
		return compare_u32(a->fwmark, b->fwmark);
	if (a->fwmark != 0)
		return compare_u32(a->listen.addr.family, b->listen.addr.family);
	if (a->protocol != b->protocol)
		return compare_u32(a->protocol, b->protocol);
	return endpoint_compare(&a->listen, &b->listen);
}

bool
vs_key_equal(const struct vs_key *a, const struct vs_key *b)
{
	return vs_key_compare(a, b) == 0;
}

static int
key_rows(const void *a, const void *b)
{
	return vs_key_compare(a, b);
}

static int
service_rows(const void *a, const void *b)
{
	const struct vs_service *first = a, *second = b;

	return vs_key_compare(&first->key, &second->key);
}

static int
real_rows(const void *a, const void *b)
{
	const struct vs_real *first = a, *second = b;

	return endpoint_compare(&first->address, &second->address);
}

void
vs_keys_sort(struct vs_key *keys, size_t count)
{
	rows_sort(keys, count, sizeof(*keys), key_rows);
}

bool
vs_keys_contain(const struct vs_key *keys, size_t count, bool sorted, const struct vs_key *key)
{
	return rows_find(keys, count, sizeof(*keys), sorted, key_rows, key) != NULL;
}

void
vs_table_clear(struct vs_table *t)
{
	t->service_count = 0;
	t->real_count = 0;
	t->sorted = false;
}

struct vs_service *
vs_table_add_service(struct vs_table *t, const struct vs_service *service)
{
	struct vs_service *row;

	if (t->service_count >= t->service_capacity)
		return NULL;
	row = &t->services[t->service_count++];
	*row = *service;
	row->first_real = (uint32_t)t->real_count;
	row->real_count = 0;
	t->sorted = false;
	return row;
}

struct vs_real *
vs_table_new_real(struct vs_table *t)
{
	struct vs_real *row;

	if (t->service_count == 0 || t->real_count >= t->real_capacity)
		return NULL;
	row = &t->reals[t->real_count++];
	*row = (struct vs_real){.weight = 0};
	t->services[t->service_count - 1].real_count++;
	t->sorted = false;
	return row;
}

bool
vs_table_add_real(struct vs_table *t, const struct vs_real *real)
{
	struct vs_real *row = vs_table_new_real(t);

	if (row)
		*row = *real;
	return row;
}

void
vs_table_sort(struct vs_table *t)
{
	_Static_assert(sizeof(struct vs_service) <= ROW_MAX, "a row fits the swap buffer");
	_Static_assert(sizeof(struct vs_real) <= ROW_MAX, "a row fits the swap buffer");

	if (t->sorted)
		return;
	rows_sort(t->services, t->service_count, sizeof(*t->services), service_rows);
	for (size_t i = 0; i < t->service_count; i++)
		if (t->services[i].real_count > 1)
			rows_sort(t->reals + t->services[i].first_real, t->services[i].real_count,
				sizeof(*t->reals), real_rows);
	t->sorted = true;
}

const struct vs_service *
vs_table_find(const struct vs_table *t, const struct vs_key *key)
{
	struct vs_service wanted = {.key = *key};

	return rows_find(t->services, t->service_count, sizeof(*t->services), t->sorted,
		service_rows, &wanted);
}

const struct vs_real *
vs_table_find_real(const struct vs_table *t, const struct vs_service *service,
	const struct endpoint *address)
{
	struct vs_real wanted = {.address = *address};

	if (service->real_count == 0)
		return NULL;
	return rows_find(t->reals + service->first_real, service->real_count, sizeof(*t->reals),
		t->sorted, real_rows, &wanted);
}
