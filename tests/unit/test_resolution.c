/* ARP frames and neighbour advertisements: who speaks for what, and what is not one. */
#include "core/resolution.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t arp_reply[ARP_END] = {
	2, 0, 0, 0, 10, 2, 2, 0, 0, 0, 10, 1, 0x08, 0x06, /* Ethernet */
	0, 1, 0x08, 0x00, 6, 4, 0, 2, 2, 0, 0, 0, 10, 1, 10, 77, 0, 100, 2, 0, 0, 0, 10, 2, 10, 77, 0, 12};

static const uint8_t advert[32] = {136, 0, 0xaa, 0xbb, 0x60, 0, 0, 0,
	0xfd, 0, 0, 0x77, [22] = 1, [24] = 2, 1, 2, 0, 0, 0, 10, 1};

/* Exactly so many bytes on the heap: a sanitizer sees one read too many. */
static uint8_t *
cut(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	return copy;
}

static void
arp_says_who_has_what(void **state)
{
	uint8_t frame[60] = {0};
	struct arp_message m;
	char text[ADDR_TEXT];

	(void)state;
	memcpy(frame, arp_reply, sizeof(arp_reply)); /* padded, as Ethernet has it */
	assert_true(arp_decode(frame, sizeof(frame), &m));
	assert_true(m.reply);
	assert_memory_equal(m.mac, arp_reply + 6, 6);
	assert_string_equal(ip_addr_format(&m.sender, text), "10.77.0.100");
	assert_string_equal(ip_addr_format(&m.target, text), "10.77.0.12");
	frame[ARP_AT + 7] = 1;
	assert_true(arp_decode(frame, sizeof(frame), &m));
	assert_false(m.reply);
}

static void
what_is_not_arp_for_ip4_is_refused(void **state)
{
	static const size_t spoilt[] = {14, 15, 16, 17, 18, 19, 20}; /* kind, lengths, operation */
	struct arp_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		uint8_t frame[ARP_END];

		memcpy(frame, arp_reply, sizeof(frame));
		frame[spoilt[i]] ^= 0x40;
		assert_false(arp_decode(frame, sizeof(frame), &m));
	}
	for (size_t length = 0; length < ARP_END; length++) {
		uint8_t *part = cut(arp_reply, length);

		assert_false(arp_decode(part, length, &m));
		free(part);
	}
}

static void
an_advertisement_says_who_has_what(void **state)
{
	struct advertisement a;
	char text[ADDR_TEXT];

	(void)state;
	assert_true(advertisement_decode(advert, sizeof(advert), &a));
	assert_true(a.solicited);
	assert_memory_equal(a.mac, advert + 26, 6);
	assert_string_equal(ip_addr_format(&a.target, text), "fd00:77::100");
	assert_true(advertisement_decode(advert, ADVERTISEMENT_MIN, &a)); /* no option */
	assert_int_equal(a.mac[0], 0);
}

static void
malformed_advertisements_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} spoilt[] = {{0, 135}, {1, 1}, {8, 0xff}, {25, 0}, {25, 2}};
	struct advertisement a;

	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		uint8_t message[sizeof(advert)];

		memcpy(message, advert, sizeof(message));
		message[spoilt[i].at] = spoilt[i].value;
		assert_false(advertisement_decode(message, sizeof(message), &a));
	}
	for (size_t length = 0; length < sizeof(advert); length++) {
		uint8_t *part = cut(advert, length);

		assert_int_equal(advertisement_decode(part, length, &a), length == ADVERTISEMENT_MIN);
		free(part);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_says_who_has_what),
		cmocka_unit_test(what_is_not_arp_for_ip4_is_refused),
		cmocka_unit_test(an_advertisement_says_who_has_what),
		cmocka_unit_test(malformed_advertisements_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
