/* Unsolicited neighbour advertisements: the bytes, made with another implementation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "linux/nd.h"

#include <string.h>

static const uint8_t mac[6] = {2, 0, 0, 0, 10, 1};

static void
test_bytes(void **state)
{
	static const uint8_t wanted[ND_FRAME] = {
		0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x01,
		0x86, 0xdd, 0x6c, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff, 0xfd, 0x00,
		0x00, 0x77, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x01, 0x00, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x88, 0x00, 0x4d, 0xaf, 0x20, 0x00,
		0x00, 0x00, 0xfd, 0x00, 0x00, 0x77, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x01, 0x02, 0x00, 0x00, 0x00,
		0x0a, 0x01};
	struct ip_addr address;
	uint8_t got[ND_FRAME];

	(void)state;
	assert_true(ip_addr_parse("fd00:77::100", &address));
	nd_build(mac, &address, false, got);
	assert_memory_equal(got, wanted, sizeof(wanted));
}

/* V074: hosts drop their default route to a router that says it is none. */
static void
test_router_flag_is_all_that_differs(void **state)
{
	struct ip_addr address;
	uint8_t host[ND_FRAME], router[ND_FRAME];
	size_t differences = 0;

	(void)state;
	assert_true(ip_addr_parse("fd00:77::100", &address));
	nd_build(mac, &address, false, host);
	nd_build(mac, &address, true, router);
	assert_int_equal(host[58], 0x20);
	assert_int_equal(router[58], 0xa0);
	for (size_t i = 0; i < ND_FRAME; i++)
		differences += host[i] != router[i];
	assert_in_range(differences, 2, 3); /* the flag, and the checksum */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_router_flag_is_all_that_differs),
	};

	return cmocka_run_group_tests_name("nd", tests, NULL, NULL);
}
