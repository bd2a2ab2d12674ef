/* Clients out of lines as ip_vs_conn has them. */
#include "linux/ipvs_connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const char lines[] =
	"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	"TCP 0A4D0002 D431 0A4D0064 0050 0A580015 1F90 ESTABLISHED     899\n"
	"TCP 0A4D0003 D432 0A4D0064 0050 0A580015 1F90 ESTABLISHED     899\n"
	"TCP 0A4D0003 D433 0A4D0064 0050 0A580015 1F90 FIN_WAIT        112\n"
	"TCP 0A4D0004 D434 0A4D0064 0050 0A580016 1F90 ESTABLISHED     899\n"
	"UDP 0A4D0005 D435 0A4D0064 0035 0A580015 0035 UDP             299\n"
	"garbage\n"
	"TCP ZZ4D0003 D433 0A4D0064 0050 0A580015 1F90 FIN_WAIT        112\n"
	"TCP [fd00:0077:0000:0000:0000:0000:0000:0002] D431 [fd00:0077:0000:0000:0000:0000:0000:0100] 0050 "
	"[fd00:0088:0000:0000:0000:0000:0000:0021] 1F90 ESTABLISHED     899\n";

static size_t
clients(const char *server, struct ipvs_client *out, size_t capacity)
{
	FILE *f = fmemopen((void *)(uintptr_t)lines, sizeof(lines) - 1, "r");
	struct endpoint e = {.port = 0};
	size_t count;

	assert_non_null(f);
	assert_true(endpoint_parse(server, &e) || ip_addr_parse(server, &e.addr));
	count = ipvs_clients_read(f, &e, out, capacity);
	fclose(f);
	return count;
}

static void
clients_are_counted_by_address(void **state)
{
	struct ipvs_client c[4];
	char text[ADDR_TEXT];

	(void)state;
	assert_int_equal(clients("10.88.0.21:8080", c, 4), 2);
	assert_string_equal(ip_addr_format(&c[0].address, text), "10.77.0.3");
	assert_int_equal(c[0].connections, 2);
	assert_int_equal(c[1].connections, 1);
	assert_int_equal(clients("10.88.0.21:8080", c, 1), 1);
	assert_int_equal(clients("10.88.0.21", c, 4), 3);
	assert_int_equal(clients("10.88.0.99:8080", c, 4), 0);
	assert_int_equal(clients("[fd00:88::21]:8080", c, 4), 1);
	assert_string_equal(ip_addr_format(&c[0].address, text), "fd00:77::2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(clients_are_counted_by_address)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
