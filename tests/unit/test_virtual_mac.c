/* Virtual MAC addresses, their devices' names, and frames made with another implementation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/virtual_mac.h"

#include <stdio.h>
#include <string.h>

static void
test_mac_has_the_vrid(void **state)
{
	char text[MAC_TEXT];
	uint8_t mac[6];

	(void)state;
	virtual_mac(IP_V4, 51, mac);
	assert_string_equal(virtual_mac_format(mac, text), "00:00:5e:00:01:33");
	virtual_mac(IP_V6, 255, mac);
	assert_string_equal(virtual_mac_format(mac, text), "00:00:5e:00:02:ff");
}

static const char *
name_of(enum ip_family family, uint8_t vrid, const char *interface)
{
	static char name[LIMIT_IFNAME];
	char from[LIMIT_IFNAME] = {0};

	memcpy(from, interface, strlen(interface));
	virtual_mac_device(family, vrid, from, name);
	assert_int_equal(name[LIMIT_IFNAME - 1], '\0');
	return name;
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(name_of(IP_V4, 51, "eth0"), "vrrp.51.eth0");
	assert_string_equal(name_of(IP_V6, 51, "eth0"), "vrrp6.51.eth0");
	assert_string_equal(name_of(IP_V4, 1, "enp3s0f1"), "vrrp.1.enp3s0f1");
}

/* Those that are too long differ as well, by VRID, family and interface. */
static void
test_long_names(void **state)
{
	char first[LIMIT_IFNAME], again[LIMIT_IFNAME];

	(void)state;
	strcpy(first, name_of(IP_V4, 51, "enp129s0f1np1"));
	assert_int_equal(strlen(first), 13);
	assert_memory_equal(first, "vrrp.51.", 8);
	strcpy(again, name_of(IP_V4, 51, "enp129s0f1np1"));
	assert_string_equal(first, again);
	assert_string_not_equal(first, name_of(IP_V4, 51, "enp129s0f1np2"));
	assert_string_not_equal(first, name_of(IP_V4, 52, "enp129s0f1np1"));
	assert_string_not_equal(first, name_of(IP_V6, 51, "enp129s0f1np1"));
	assert_int_equal(strlen(name_of(IP_V6, 255, "a-long-one-1234")), 15);
}

/* Thousands of neighbouring names, no two alike. */
static void
test_names_do_not_meet(void **state)
{
	static char names[4000][LIMIT_IFNAME];
	size_t count = sizeof(names) / sizeof(names[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char interface[LIMIT_IFNAME] = {0};

		snprintf(interface, sizeof(interface), "enp129s0.%u", (unsigned)i);
		strcpy(names[i], name_of(IP_V4, 7, interface));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(names[i], names[k]);
	}
}

static struct vrrp_envelope
envelope(const char *source, const char *destination)
{
	struct vrrp_envelope e = {.ttl = 0};

	assert_true(ip_addr_parse(source, &e.source));
	assert_true(ip_addr_parse(destination, &e.destination));
	return e;
}

static const uint8_t message[12] = {0x31, 51, 150, 1, 0, 10, 0x12, 0x34, 10, 77, 0, 100};

static void
test_frame_ip4(void **state)
{
	static const uint8_t wanted[] = {
		0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 0x00, 0x00, 0x5e, 0x00, 0x01, 0x33,
		0x08, 0x00, 0x45, 0xc0, 0x00, 0x20, 0x00, 0x00, 0x40, 0x00, 0xff, 0x70,
		0x90, 0x43, 0x0a, 0x4d, 0x00, 0x0b, 0xe0, 0x00, 0x00, 0x12, 0x31, 0x33,
		0x96, 0x01, 0x00, 0x0a, 0x12, 0x34, 0x0a, 0x4d, 0x00, 0x64};
	struct vrrp_envelope e = envelope("10.77.0.11", "224.0.0.18");
	uint8_t got[VRRP_FRAME_HEADERS + sizeof(message)], mac[6];

	(void)state;
	virtual_mac(IP_V4, 51, mac);
	assert_int_equal(vrrp_frame(mac, &e, message, sizeof(message), got, sizeof(got)),
		sizeof(wanted));
	assert_memory_equal(got, wanted, sizeof(wanted));
}

static void
test_frame_ip6(void **state)
{
	static const uint8_t wanted[] = {
		0x33, 0x33, 0x00, 0x00, 0x00, 0x12, 0x00, 0x00, 0x5e, 0x00, 0x02, 0x3d,
		0x86, 0xdd, 0x6c, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x70, 0xff, 0xfe, 0x80,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x11, 0xff, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x12, 0x31, 0x33, 0x96, 0x01, 0x00, 0x0a,
		0x12, 0x34, 0x0a, 0x4d, 0x00, 0x64};
	struct vrrp_envelope e = envelope("fe80::11", "ff02::12");
	uint8_t got[VRRP_FRAME_HEADERS + sizeof(message)], mac[6];

	(void)state;
	virtual_mac(IP_V6, 61, mac);
	assert_int_equal(vrrp_frame(mac, &e, message, sizeof(message), got, sizeof(got)),
		sizeof(wanted));
	assert_memory_equal(got, wanted, sizeof(wanted));
}

static void
test_frame_that_does_not_fit(void **state)
{
	struct vrrp_envelope e = envelope("10.77.0.11", "224.0.0.18");
	uint8_t got[14 + 20 + sizeof(message)] = {0}, mac[6] = {0};

	(void)state;
	assert_int_equal(vrrp_frame(mac, &e, message, sizeof(message), got, sizeof(got) - 1), 0);
	assert_int_equal(vrrp_frame(mac, &e, message, sizeof(message), got, sizeof(got)),
		sizeof(got));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac_has_the_vrid),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_names_do_not_meet),
		cmocka_unit_test(test_frame_ip4),
		cmocka_unit_test(test_frame_ip6),
		cmocka_unit_test(test_frame_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
