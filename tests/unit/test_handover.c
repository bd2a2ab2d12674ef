/*
 * Whose addresses keep silent after a handover: those of every router that has just come, since
 * routers of a group come together, and of nobody else.
 */
#include "proc/pool_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUTERS = 3, ADDRESSES = 4, MOST = 8 };

struct bed {
	struct pool pool;
	struct conf_router routers[ROUTERS];
	struct pool_router states[ROUTERS];
	struct conf_address addresses[ADDRESSES];
};

static const mono now = {1000 * NS_PER_S};

static int
bed_up(void **state)
{
	static const char *const addresses[] = {"10.77.0.100", "fd00:77::100", "10.77.0.101",
		"10.77.0.102"};
	static const uint32_t first[] = {0, 2, 3}, count[] = {2, 1, 1};
	struct bed *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	for (size_t i = 0; i < ADDRESSES; i++)
		if (!ip_addr_parse(addresses[i], &b->addresses[i].prefix.addr))
			return -1;
	for (size_t i = 0; i < ROUTERS; i++) {
		b->routers[i].first_address = first[i];
		b->routers[i].address_count = count[i];
	}
	b->pool.config.routers = b->routers;
	b->pool.config.router_count = ROUTERS;
	b->pool.config.addresses = b->addresses;
	b->pool.routers = b->states;
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	free(*state);
	return 0;
}

static void
nobody_came(void **state)
{
	struct bed *b = *state;
	struct ip_addr out[MOST];

	assert_int_equal(handover_hushed(&b->pool, now, out, MOST), 0);
}

static void
those_that_came_together(void **state)
{
	struct bed *b = *state;
	struct ip_addr out[MOST];

	b->states[0].hushed_until = mono_add_ns(now, 1400 * NS_PER_MS); /* a moment ago */
	b->states[2].hushed_until = mono_add_ns(now, 1500 * NS_PER_MS);
	assert_int_equal(handover_hushed(&b->pool, now, out, MOST), 3);
	assert_int_equal(ip_addr_compare(&out[0], &b->addresses[0].prefix.addr), 0);
	assert_int_equal(ip_addr_compare(&out[1], &b->addresses[1].prefix.addr), 0);
	assert_int_equal(ip_addr_compare(&out[2], &b->addresses[3].prefix.addr), 0);
	assert_int_equal(handover_hushed(&b->pool, now, out, 2), 2);
}

static void
no_longer_than_its_time(void **state)
{
	struct bed *b = *state;
	struct ip_addr out[MOST];

	b->states[0].hushed_until = now;
	b->states[1].hushed_until = mono_add_ns(now, 1);
	assert_int_equal(handover_hushed(&b->pool, now, out, MOST), 1);
	assert_int_equal(ip_addr_compare(&out[0], &b->addresses[2].prefix.addr), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_came, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(those_that_came_together, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(no_longer_than_its_time, bed_up, bed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
