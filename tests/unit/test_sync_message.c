/*
 * Messages of connection sync, byte for byte as the kernel's own structures have them
 * (net/netfilter/ipvs/ip_vs_sync.c struct ip_vs_sync_mesg, ip_vs_sync_v4, ip_vs_sync_v6).
 */
#include "core/sync_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct sync_connection
connection(const char *client, const char *virtual, const char *real, enum sync_state state)
{
	struct sync_connection c = {.state = state, .left_s = 60};

	assert_true(endpoint_parse(client, &c.client));
	assert_true(endpoint_parse(virtual, &c.virtual));
	assert_true(endpoint_parse(real, &c.real));
	return c;
}

static void
a_handshake(void **state)
{
	static const uint8_t wanted[] = {
		0, 7, 0, 44, 1, 1, 0, 0,                  /* reserved syncid size nr_conns version spare */
		0, 6, 0, 36, 0, 0, 0, 0,                  /* type protocol ver_size flags */
		0, 3, 0xd4, 0x31, 0, 80, 0x1f, 0x90,      /* state cport vport dport */
		0, 0, 0, 0, 0, 0, 0, 60,                  /* fwmark timeout */
		10, 77, 0, 2, 10, 77, 0, 100, 10, 88, 0, 21, /* caddr vaddr daddr */
	};
	struct sync_connection c =
		connection("10.77.0.2:54321", "10.77.0.100:80", "10.88.0.21:8080", SYNC_SYN_RECV);
	uint8_t out[SYNC_MESSAGE_MAX];
	size_t taken;

	(void)state;
	assert_int_equal(sync_message_encode(7, &c, 1, out, &taken), sizeof(wanted));
	assert_int_equal(taken, 1);
	assert_memory_equal(out, wanted, sizeof(wanted));
}

static void
one_that_closes_over_ipv6(void **state)
{
	static const uint8_t head[] = {
		0, 1, 0, 80, 1, 1, 0, 0,
		1, 6, 0, 72, 0, 0, 1, 0,
		0, 4, 0xd4, 0x31, 0, 80, 0x1f, 0x90,
		0, 0, 0, 0, 0, 0, 0, 119,
		0xfd, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	};
	struct sync_connection c = connection("[fd00:77::2]:54321", "[fd00:77::100]:80",
		"[fd00:88::21]:8080", SYNC_FIN_WAIT);
	uint8_t out[SYNC_MESSAGE_MAX];
	size_t taken;

	(void)state;
	c.left_s = 119;
	assert_int_equal(sync_message_encode(1, &c, 1, out, &taken), 80);
	assert_memory_equal(out, head, sizeof(head));
	assert_memory_equal(out + 48, c.virtual.addr.bytes, 16);
	assert_memory_equal(out + 64, c.real.addr.bytes, 16);
}

static void
as_many_as_fit(void **state)
{
	struct sync_connection list[300];
	uint8_t out[SYNC_MESSAGE_MAX];
	size_t taken, fit = (SYNC_MESSAGE_MAX - 8) / 36;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		list[i] = connection("10.77.0.2:54321", "10.77.0.100:80", "10.88.0.21:8080",
			SYNC_ESTABLISHED);
	assert_int_equal(sync_message_encode(1, list, 300, out, &taken), 8 + fit * 36);
	assert_int_equal(taken, fit);
	assert_int_equal(out[4], fit);
	assert_int_equal(out[2] << 8 | out[3], 8 + fit * 36);
	assert_int_equal(sync_message_encode(1, list, 0, out, &taken), 0);
	assert_int_equal(taken, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handshake),
		cmocka_unit_test(one_that_closes_over_ipv6),
		cmocka_unit_test(as_many_as_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
