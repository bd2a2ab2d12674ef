/*
 * Tables of virtual services. See table.h.
 *
 * Finding works on unsorted tables too, only slower, so that nobody can get a wrong answer by
 * forgetting to sort.
 */
#include "core/table.h"

#include "core/rows.h"

#include <string.h>

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
	_Static_assert(sizeof(struct vs_service) <= ROWS_BYTES_MAX, "a row fits the swap buffer");
	_Static_assert(sizeof(struct vs_real) <= ROWS_BYTES_MAX, "a row fits the swap buffer");

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
