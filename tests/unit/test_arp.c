/* The bytes of both gratuitous ARP forms. No socket is opened: the builder alone is enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "linux/arp.h"

#include <errno.h>
#include <libnet.h>
#include <string.h>

static const uint8_t mac[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};

static int
make_builder(void **state)
{
	static struct arp_sender sender;
	char error[LIBNET_ERRBUF_SIZE];

	sender = (struct arp_sender){.fd = -1, .builder = libnet_init(LIBNET_NONE, NULL, error)};
	*state = &sender;
	return sender.builder ? 0 : -1;
}

static int
drop_builder(void **state)
{
	arp_sender_close(*state);
	return 0;
}

static void
expect_frame(struct arp_sender *s, const char *text, bool reply, const uint8_t head[42])
{
	uint8_t frame[ARP_FRAME], wanted[ARP_FRAME] = {0};
	struct ip_addr address;

	assert_true(ip_addr_parse(text, &address));
	memset(frame, 0xaa, sizeof(frame));
	memcpy(wanted, head, 42);
	assert_int_equal(arp_build(s, mac, &address, reply, frame), ARP_FRAME);
	assert_memory_equal(frame, wanted, ARP_FRAME);
}

static void
test_request_form(void **state)
{
	static const uint8_t head[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
		0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 10, 77, 0, 100,
		0, 0, 0, 0, 0, 0, 10, 77, 0, 100};

	expect_frame(*state, "10.77.0.100", false, head);
}

static void
test_reply_form(void **state)
{
	static const uint8_t head[42] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 0x08, 0x06,
		0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02,
		0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 192, 168, 1, 254,
		0x02, 0x11, 0x22, 0x33, 0x44, 0x55, 192, 168, 1, 254};

	/* Twice: nothing of the first frame is left in the builder. */
	expect_frame(*state, "192.168.1.254", true, head);
	expect_frame(*state, "192.168.1.254", true, head);
}

static void
test_only_ipv4(void **state)
{
	uint8_t frame[ARP_FRAME];
	struct ip_addr address;

	assert_true(ip_addr_parse("fd00::1", &address));
	assert_int_equal(arp_build(*state, mac, &address, false, frame), -EAFNOSUPPORT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_form),
		cmocka_unit_test(test_reply_form),
		cmocka_unit_test(test_only_ipv4),
	};

	return cmocka_run_group_tests(tests, make_builder, drop_builder);
}
