/* What tracked items add up to: needed ones, weights of both signs, bounds of the priority. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/fitness.h"

static void
needed_items_impair(void **state)
{
	struct fitness f = {0};

	(void)state;
	fitness_add(&f, 0, true);
	assert_false(f.impaired);
	fitness_add(&f, 0, false);
	fitness_add(&f, 0, true); /* another that is well makes nothing good */
	assert_true(f.impaired);
	assert_int_equal(f.weight, 0);
	assert_int_equal(fitness_priority(&f, 150), 150);
}

static void
weights_count_on_their_side(void **state)
{
	static const struct {
		int weight, when_lost, when_well;
	} rows[] = {{-60, -60, 0}, {20, 0, 20}, {-1, -1, 0}, {1, 0, 1}, {-253, -253, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fitness lost = {0}, well = {0};

		fitness_add(&lost, rows[i].weight, false);
		fitness_add(&well, rows[i].weight, true);
		assert_int_equal(lost.weight, rows[i].when_lost);
		assert_int_equal(well.weight, rows[i].when_well);
		assert_false(lost.impaired || well.impaired);
	}
}

static void
weights_sum_up(void **state)
{
	struct fitness f = {0};

	(void)state;
	fitness_add(&f, -60, false);
	fitness_add(&f, 20, true);
	fitness_add(&f, -10, true);
	fitness_add(&f, 30, false);
	assert_int_equal(f.weight, -40);
	assert_int_equal(fitness_priority(&f, 150), 110);
}

/* Clamped at the end, not on the way: the order of the items must not matter. */
static void
bounds_hold_for_the_sum(void **state)
{
	struct fitness f = {0};

	(void)state;
	for (int i = 0; i < 1024; i++)
		fitness_add(&f, -32768, false);
	assert_int_equal(fitness_priority(&f, 1), 1);
	assert_int_equal(fitness_priority(&f, 254), 1);
	for (int i = 0; i < 1025; i++)
		fitness_add(&f, 32767, true);
	assert_int_equal(f.weight, 32767 - 1024);
	assert_int_equal(fitness_priority(&f, 1), 254);
	for (int configured = 1; configured <= 254; configured++)
		for (int weight = -300; weight <= 300; weight++) {
			int p = fitness_priority(&(struct fitness){.weight = weight},
				(uint8_t)configured);
			int sum = configured + weight;

			assert_int_equal(p, sum < 1 ? 1 : sum > 254 ? 254 : sum);
		}
}

/* RFC 9568 5.2.4: 255 is the owner's, and nobody else gets there. */
static void
owner_stays_owner(void **state)
{
	struct fitness f = {.weight = -100};

	(void)state;
	assert_int_equal(fitness_priority(&f, 255), 255);
	f.weight = 100;
	assert_int_equal(fitness_priority(&f, 255), 255);
	assert_int_equal(fitness_priority(&f, 200), 254);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needed_items_impair),
		cmocka_unit_test(weights_count_on_their_side),
		cmocka_unit_test(weights_sum_up),
		cmocka_unit_test(bounds_hold_for_the_sum),
		cmocka_unit_test(owner_stays_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
