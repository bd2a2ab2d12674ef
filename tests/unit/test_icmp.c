/* The echo codec: golden bytes, checksums, and everything a raw socket can hand us. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/icmp.h"

#include <string.h>

static const struct icmp_echo example = {
	.id = 0x1234, .sequence = 0x0007, .slot = 0x00010203,
	.cookie = UINT64_C(0x1122334455667788)};

/* An IPv4 packet around a reply to `example`; returns its length. */
static size_t
reply4(uint8_t *out, size_t options)
{
	uint8_t *icmp = out + 20 + options;
	size_t total = 20 + options + ICMP_ECHO_LENGTH;
	uint16_t sum;

	memset(out, 0, 20 + options);
	out[0] = (uint8_t)(0x40 | (20 + options) / 4);
	out[2] = (uint8_t)(total >> 8);
	out[3] = (uint8_t)total;
	out[8] = 64;
	out[9] = 1;
	memcpy(out + 12, (const uint8_t[]){10, 88, 0, 21}, 4);
	assert_int_equal(icmp_echo_build(IP_V4, &example, icmp, ICMP_ECHO_LENGTH),
		ICMP_ECHO_LENGTH);
	icmp[0] = 0;
	icmp[2] = icmp[3] = 0;
	sum = icmp_checksum(icmp, ICMP_ECHO_LENGTH);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	return total;
}

static void
test_checksum_of_rfc1071(void **state)
{
	const uint8_t example_bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	const uint8_t odd[] = {0x01, 0x02, 0x03};

	(void)state;
	assert_int_equal(icmp_checksum(example_bytes, 8), 0xffff - 0xddf2);
	assert_int_equal(icmp_checksum(odd, 3), 0xffff - 0x0402);
	assert_int_equal(icmp_checksum(odd, 0), 0xffff);
}

static void
test_request_bytes(void **state)
{
	static const uint8_t golden[ICMP_ECHO_LENGTH] = {8, 0, 0x92, 0x0f, 0x12, 0x34, 0, 7,
		't', 'a', 'n', 'd', 0, 1, 2, 3, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
	uint8_t out[ICMP_ECHO_LENGTH];

	(void)state;
	assert_int_equal(icmp_echo_build(IP_V4, &example, out, sizeof(out)), sizeof(out));
	assert_int_equal(icmp_checksum(out, sizeof(out)), 0);
	assert_memory_equal(out, golden, 2);
	assert_memory_equal(out + 4, golden + 4, sizeof(out) - 4);
	assert_int_equal(icmp_echo_build(IP_V6, &example, out, sizeof(out)), sizeof(out));
	assert_int_equal(out[0], 128);
	assert_int_equal(out[2] | out[3], 0);
	assert_int_equal(icmp_echo_build(IP_V4, &example, out, sizeof(out) - 1), 0);
}

static void
test_reply_comes_back(void **state)
{
	uint8_t packet[ICMP_READ_MAX];
	struct icmp_echo got;
	struct ip_addr source, expected;
	size_t options, length;

	(void)state;
	assert_true(ip_addr_parse("10.88.0.21", &expected));
	for (options = 0; options <= 40; options += 4) {
		length = reply4(packet, options);
		memset(packet + length, 0xee, 8); /* link layer padding is not ours */
		assert_true(icmp_echo_parse(IP_V4, packet, length + 8, &got, &source));
		assert_true(ip_addr_equal(&source, &expected));
		assert_int_equal(got.id, example.id);
		assert_int_equal(got.sequence, example.sequence);
		assert_int_equal(got.slot, example.slot);
		assert_true(got.cookie == example.cookie);
	}
}

static void
test_reply6_comes_back(void **state)
{
	uint8_t packet[ICMP_ECHO_LENGTH];
	struct icmp_echo got;
	struct ip_addr source;

	(void)state;
	icmp_echo_build(IP_V6, &example, packet, sizeof(packet));
	assert_false(icmp_echo_parse(IP_V6, packet, sizeof(packet), &got, &source));
	packet[0] = 129;
	assert_true(icmp_echo_parse(IP_V6, packet, sizeof(packet), &got, &source));
	assert_true(got.cookie == example.cookie && got.slot == example.slot);
	assert_false(icmp_echo_parse(IP_V6, packet, sizeof(packet) - 1, &got, &source));
}

static void
test_truncated_is_refused(void **state)
{
	uint8_t packet[ICMP_READ_MAX];
	struct icmp_echo got;
	struct ip_addr source;
	size_t length = reply4(packet, 4), n;

	(void)state;
	for (n = 0; n < length; n++)
		assert_false(icmp_echo_parse(IP_V4, packet, n, &got, &source));
	/* a total length that says less than there is, down to nothing */
	for (n = 0; n < length; n++) {
		packet[2] = 0;
		packet[3] = (uint8_t)n;
		assert_false(icmp_echo_parse(IP_V4, packet, length, &got, &source));
	}
}

/* Any one flipped bit of the ICMP message is caught. */
static void
test_flipped_bits_are_refused(void **state)
{
	uint8_t packet[ICMP_READ_MAX];
	struct icmp_echo got;
	struct ip_addr source;
	size_t length = reply4(packet, 0), bit;

	(void)state;
	for (bit = 20 * 8; bit < length * 8; bit++) {
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(icmp_echo_parse(IP_V4, packet, length, &got, &source));
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(icmp_echo_parse(IP_V4, packet, length, &got, &source));
}

static void
expect_refused_after(size_t at, uint8_t value)
{
	uint8_t packet[ICMP_READ_MAX];
	struct icmp_echo got;
	struct ip_addr source;
	size_t length = reply4(packet, 0);

	packet[at] = value;
	assert_false(icmp_echo_parse(IP_V4, packet, length, &got, &source));
}

static void
test_wrong_header_is_refused(void **state)
{
	(void)state;
	expect_refused_after(0, 0x65);  /* not IPv4 */
	expect_refused_after(0, 0x44);  /* header length below 20 */
	expect_refused_after(0, 0x4f);  /* header beyond the packet */
	expect_refused_after(6, 0x01);  /* a later fragment */
	expect_refused_after(7, 0x10);
	expect_refused_after(9, 17);    /* not ICMP */
	expect_refused_after(2, 0xff);  /* total length beyond what came */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum_of_rfc1071),
		cmocka_unit_test(test_request_bytes),
		cmocka_unit_test(test_reply_comes_back),
		cmocka_unit_test(test_reply6_comes_back),
		cmocka_unit_test(test_truncated_is_refused),
		cmocka_unit_test(test_flipped_bits_are_refused),
		cmocka_unit_test(test_wrong_header_is_refused),
	};

	return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
