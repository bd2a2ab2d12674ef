/* The newest connections out of lines as ip_vs_conn has them. */
#include "linux/newest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 16 };

static const char head[] =
	"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
static const char lines[] =
	"TCP 0A4D0002 D431 0A4D0064 0050 0A580015 1F90 SYN_RECV         59\n"
	"TCP 0A4D0002 D432 0A4D0064 0050 0A580015 1F90 SYN_RECV         12\n"
	"TCP 0A4D0002 D433 0A4D0064 0050 0A580015 1F90 ESTABLISHED     899\n"
	"TCP 0A4D0002 D434 0A4D0064 0050 0A580015 1F90 ESTABLISHED     700\n"
	"TCP 0A4D0002 D435 0A4D0064 0051 0A580015 1F90 ESTABLISHED     899\n"
	"TCP 0A4D0002 D436 0A4D0065 0050 0A580015 1F90 SYN_RECV         59\n"
	"TCP 0A4D0002 D437 0A4D0064 0050 0A580015 1F90 TIME_WAIT       119\n"
	"TCP 0A4D0002 D438 0A4D0064 0050 0A580015 1F90 FIN_WAIT        119\n"
	"UDP 0A4D0002 D439 0A4D0064 0050 0A580015 1F90 UDP             299\n"
	"TCP SYN_RECV\n"
	"TCP [fd00:0077:0000:0000:0000:0000:0000:0002] D431 [fd00:0077:0000:0000:0000:0000:0000:0100] 0050 "
	"[fd00:0088:0000:0000:0000:0000:0000:0021] 1F90 CLOSE_WAIT       59\n";

static struct newest *
of_port_80(void)
{
	struct newest_service list[2] = {{.port_low = 80, .port_high = 80},
		{.port_low = 0, .port_high = 0}};
	struct newest *n;

	assert_true(ip_addr_parse("10.77.0.100", &list[0].first));
	assert_true(ip_addr_parse("fd00:77::100", &list[1].first));
	list[0].last = list[0].first;
	list[1].last = list[1].first;
	n = newest_new(list, 2);
	assert_non_null(n);
	return n;
}

/* A look at these lines. */
static size_t
look(struct newest *n, const char *text, struct sync_connection *out)
{
	struct ipvs_connection c;
	size_t count = 0;

	newest_begin(n);
	for (; *text != '\0'; text = strchr(text, '\n') + 1)
		if (ipvs_connection_parse(text, &c))
			count += newest_take(n, &c, &out[count]);
	return count;
}

static void
what_is_new_and_ours(void **state)
{
	struct sync_connection out[ROOM];
	struct newest *n = of_port_80();
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_int_equal(look(n, head, out), 0);
	assert_int_equal(look(n, lines, out), 4);
	assert_string_equal(endpoint_format(&out[0].client, text), "10.77.0.2:54321");
	assert_string_equal(endpoint_format(&out[0].virtual, text), "10.77.0.100:80");
	assert_string_equal(endpoint_format(&out[0].real, text), "10.88.0.21:8080");
	assert_int_equal(out[0].state, SYNC_SYN_RECV);
	assert_int_equal(out[0].left_s, 60);
	assert_int_equal(out[1].client.port, 0xd433);
	assert_int_equal(out[1].state, SYNC_ESTABLISHED);
	assert_int_equal(out[2].state, SYNC_FIN_WAIT);
	assert_string_equal(endpoint_format(&out[3].real, text), "[fd00:88::21]:8080");
	assert_int_equal(out[3].state, SYNC_CLOSE_WAIT);
	assert_false(newest_is_full(n));
	newest_free(n);
}

static void
each_once(void **state)
{
	static const char later[] =
		"TCP 0A4D0002 D431 0A4D0064 0050 0A580015 1F90 ESTABLISHED     899\n"
		"TCP 0A4D0002 D440 0A4D0064 0050 0A580015 1F90 SYN_RECV         59\n";
	struct sync_connection out[ROOM];
	struct newest *n = of_port_80();

	(void)state;
	assert_int_equal(look(n, lines, out), 4);
	assert_int_equal(look(n, lines, out), 0);
	assert_int_equal(look(n, later, out), 1);
	assert_int_equal(out[0].client.port, 0xd440);
	newest_free(n);
}

/* Too many: said so, and handshakes have places that others cannot take. */
static void
bounded(void **state)
{
	enum { LINES = 9000, LINE = 80 };
	struct sync_connection *out = calloc(LINES, sizeof(*out));
	char *text = calloc(LINES + 1, LINE), *at = text;
	struct newest *n = of_port_80();
	size_t count;

	(void)state;
	assert_true(out && text);
	for (unsigned i = 0; i < LINES - 1; i++)
		at += sprintf(at, "TCP 0A4D%04X D431 0A4D0064 0050 0A580015 1F90 ESTABLISHED 899\n", i);
	sprintf(at, "TCP 0A4E0000 D431 0A4D0064 0050 0A580015 1F90 SYN_RECV 59\n");
	count = look(n, text, out);
	assert_true(count > 1000 && count < LINES - 1);
	assert_int_equal(out[count - 1].state, SYNC_SYN_RECV);
	assert_true(newest_is_full(n));
	newest_free(n);
	free(text);
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_new_and_ours),
		cmocka_unit_test(each_once),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
