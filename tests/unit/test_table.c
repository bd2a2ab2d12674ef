/* Tables of services: keys as the kernel tells them apart, sorting, finding, bounds. */
#include "core/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { SERVICES = 40, REALS = 200 };

struct box {
	struct vs_table table;
	struct vs_service services[SERVICES];
	struct vs_real reals[REALS];
};

static struct vs_key
key(const char *listen, uint8_t protocol, uint32_t fwmark)
{
	struct vs_key k = {.protocol = protocol, .fwmark = fwmark};

	assert_true(endpoint_parse(listen, &k.listen));
	return k;
}

static void
keys_differ_as_the_kernel_tells_them_apart(void **state)
{
	struct vs_key keys[] = {key("10.0.0.1:80", 6, 0), key("10.0.0.1:80", 17, 0),
		key("10.0.0.1:81", 6, 0), key("10.0.0.2:80", 6, 0), key("[::a00:1]:80", 6, 0),
		key("10.0.0.1:80", 6, 1), key("10.0.0.1:80", 6, 2), key("[::1]:80", 6, 1)};
	struct vs_key same_mark = key("10.9.9.9:99", 17, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++) {
			int order = vs_key_compare(&keys[i], &keys[j]);
			int back = vs_key_compare(&keys[j], &keys[i]);

			assert_int_equal(vs_key_equal(&keys[i], &keys[j]), i == j);
			assert_true((order < 0) == (back > 0) && (order == 0) == (i == j));
		}
	assert_true(vs_key_equal(&keys[5], &same_mark));
}

static uint32_t
draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static void
box_random(struct box *b, uint32_t *seed)
{
	uint32_t services = draw(seed, SERVICES + 1);

	b->table = (struct vs_table){.services = b->services, .service_capacity = SERVICES,
		.reals = b->reals, .real_capacity = REALS};
	for (uint32_t i = 0; i < services; i++) {
		struct vs_service s = {.key = key("10.0.0.1:80", 6, 0), .persistence_s = i};

		s.key.listen.port = (uint16_t)(1 + draw(seed, 60));
		assert_non_null(vs_table_add_service(&b->table, &s));
		for (uint32_t r = draw(seed, 5); r > 0; r--) {
			/* The weight tells whose it is, through every move. */
			struct vs_real real = {.address = s.key.listen, .weight = i};

			real.address.port = (uint16_t)(1 + draw(seed, 8));
			assert_true(vs_table_add_real(&b->table, &real));
		}
	}
}

static void
assert_sorted(const struct box *b)
{
	for (size_t i = 0; i < b->table.service_count; i++) {
		const struct vs_service *s = &b->services[i];

		assert_true(i == 0 || vs_key_compare(&s[-1].key, &s->key) <= 0);
		for (uint32_t r = 0; r < s->real_count; r++) {
			const struct vs_real *real = &b->reals[s->first_real + r];

			assert_int_equal(real->weight, s->persistence_s);
			assert_true(r == 0 || real[-1].address.port <= real->address.port);
		}
	}
}

/* Whatever a table has is found, sorted or not, and nothing else. */
static void
assert_found(const struct box *b)
{
	for (uint16_t port = 0; port < 64; port++) {
		struct vs_key k = key("10.0.0.1:80", 6, 0);
		const struct vs_service *first = NULL, *found;

		k.listen.port = port;
		for (size_t i = b->table.service_count; i > 0; i--)
			if (vs_key_equal(&b->services[i - 1].key, &k))
				first = &b->services[i - 1];
		found = vs_table_find(&b->table, &k);
		assert_ptr_equal(found, first);
		for (uint16_t at = 0; found && at < 10; at++) {
			struct endpoint e = {.addr = k.listen.addr, .port = at};
			const struct vs_real *real = NULL;

			for (uint32_t r = found->real_count; r > 0; r--)
				if (b->reals[found->first_real + r - 1].address.port == at)
					real = &b->reals[found->first_real + r - 1];
			assert_ptr_equal(vs_table_find_real(&b->table, found, &e), real);
		}
	}
}

static void
sorting_keeps_rows_together_and_finding_finds(void **state)
{
	static struct box b;
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 500; round++) {
		box_random(&b, &seed);
		assert_false(b.table.sorted);
		assert_found(&b);
		vs_table_sort(&b.table);
		assert_true(b.table.sorted);
		assert_sorted(&b);
		assert_found(&b);
	}
}

static void
adding_undoes_sorted_and_stops_when_full(void **state)
{
	static struct box b;
	struct vs_service s = {.key = key("10.0.0.1:80", 6, 0)};
	struct vs_real r = {.address = s.key.listen};

	(void)state;
	b.table = (struct vs_table){.services = b.services, .service_capacity = 2,
		.reals = b.reals, .real_capacity = 2};
	assert_false(vs_table_add_real(&b.table, &r)); /* of no service */
	assert_non_null(vs_table_add_service(&b.table, &s));
	assert_true(vs_table_add_real(&b.table, &r));
	vs_table_sort(&b.table);
	assert_true(vs_table_add_real(&b.table, &r));
	assert_false(b.table.sorted);
	assert_false(vs_table_add_real(&b.table, &r));
	vs_table_sort(&b.table);
	assert_non_null(vs_table_add_service(&b.table, &s));
	assert_false(b.table.sorted);
	assert_null(vs_table_add_service(&b.table, &s));
	vs_table_clear(&b.table);
	assert_int_equal(b.table.service_count + b.table.real_count, 0);
	assert_null(vs_table_find(&b.table, &s.key));
}

static void
keys_in_a_list_are_found_sorted_or_not(void **state)
{
	struct vs_key keys[20];
	uint32_t seed = 7;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		keys[i] = key("10.0.0.1:80", 6, 1 + draw(&seed, 30));
	for (int sorted = 0; sorted < 2; sorted++) {
		if (sorted)
			vs_keys_sort(keys, 20);
		for (uint32_t mark = 1; mark < 32; mark++) {
			struct vs_key k = key("10.0.0.1:80", 6, mark);
			bool there = false;

			for (size_t i = 0; i < 20; i++)
				there |= keys[i].fwmark == mark;
			assert_int_equal(vs_keys_contain(keys, 20, sorted, &k), there);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_differ_as_the_kernel_tells_them_apart),
		cmocka_unit_test(sorting_keeps_rows_together_and_finding_finds),
		cmocka_unit_test(adding_undoes_sorted_and_stops_when_full),
		cmocka_unit_test(keys_in_a_list_are_found_sorted_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
