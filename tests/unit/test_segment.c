/* The segment codec: bytes as the standards have them, what comes back, and what does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/icmp.h"
#include "core/segment.h"

#include <string.h>

static const struct segment opening = {
	.from = {{IP_V4, {10, 77, 0, 11}}, 0x9c40}, .to = {{IP_V4, {10, 77, 0, 100}}, 80},
	.sequence = 0x01020304, .acknowledged = 0xffffffff, .flags = SEGMENT_SYN};

static const struct segment opening6 = {
	.from = {{IP_V6, {0xfd, 0, 0, 0x77, [15] = 0x11}}, 0x9c40},
	.to = {{IP_V6, {0xfd, 0, 0, 0x77, [14] = 1}}, 80},
	.sequence = 0x01020304, .acknowledged = 0xffffffff, .flags = SEGMENT_SYN};

/* A TCP checksum that is right makes this sum 0. */
static uint16_t
tcp_sum(const uint8_t *ip)
{
	uint8_t bytes[64] = {0};
	size_t length = (size_t)(ip[2] << 8 | ip[3]) - 20;

	memcpy(bytes, ip + 12, 8);
	bytes[9] = 6;
	bytes[11] = (uint8_t)length;
	memcpy(bytes + 12, ip + 20, length);
	return icmp_checksum(bytes, 12 + length);
}

static uint16_t
tcp_sum6(const uint8_t *ip)
{
	uint8_t bytes[80] = {0};
	size_t length = (size_t)(ip[4] << 8 | ip[5]);

	memcpy(bytes, ip + 8, 32);
	bytes[35] = (uint8_t)length;
	bytes[39] = 6;
	memcpy(bytes + 40, ip + 40, length);
	return icmp_checksum(bytes, 40 + length);
}

static void
test_an_opening(void **state)
{
	static const uint8_t golden[] = {0x45, 0, 0, 44, 0, 0, 0x40, 0, 1, 6, 0x64, 0xc4,
		10, 77, 0, 11, 10, 77, 0, 100, 0x9c, 0x40, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0,
		0x60, 2, 0xfa, 0xf0, 0xe7, 0x96, 0, 0, 2, 4, 5, 0xb4};
	uint8_t out[SEGMENT_MAX];

	(void)state;
	assert_int_equal(segment_build(&opening, NULL, out, sizeof(out)), sizeof(golden));
	assert_int_equal(icmp_checksum(out, 20), 0);
	assert_int_equal(tcp_sum(out), 0);
	assert_memory_equal(out, golden, sizeof(golden));
	assert_int_equal(segment_build(&opening, NULL, out, sizeof(golden) - 1), 0);
}

static void
test_an_opening_over_ip6(void **state)
{
	static const uint8_t golden[] = {
		0x60, 0, 0, 0, 0, 0x18, 6, 1, 0xfd, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11,
		0xfd, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x9c, 0x40, 0, 0x50, 1, 2, 3, 4, 0,
		0, 0, 0, 0x60, 2, 0xfa, 0xf0, 0, 0xb3, 0, 0, 2, 4, 5, 0xa0};
	uint8_t out[SEGMENT_MAX];

	(void)state;
	assert_int_equal(segment_build(&opening6, NULL, out, sizeof(out)), sizeof(golden));
	assert_int_equal(tcp_sum6(out), 0);
	assert_memory_equal(out, golden, sizeof(golden));
	assert_int_equal(out[7], 1);
	assert_int_equal(segment_build(&opening6, NULL, out, sizeof(golden) - 1), 0);
}

static void
test_a_reset_says_nothing_else(void **state)
{
	struct segment reset = opening, got;
	uint8_t out[SEGMENT_MAX];

	(void)state;
	reset.flags = SEGMENT_RST;
	assert_int_equal(segment_build(&reset, NULL, out, sizeof(out)), 40);
	assert_int_equal(tcp_sum(out), 0);
	assert_true(segment_parse(out, 40, &got));
	assert_int_equal(got.acknowledged, 0);
	assert_int_equal(got.flags, SEGMENT_RST);
}

static void
test_a_reset_over_ip6(void **state)
{
	struct segment reset = opening6, got;
	uint8_t out[SEGMENT_MAX];

	(void)state;
	reset.flags = SEGMENT_RST;
	assert_int_equal(segment_build(&reset, NULL, out, sizeof(out)), 60);
	assert_int_equal(tcp_sum6(out), 0);
	assert_true(segment_parse(out, 60, &got));
	assert_int_equal(got.acknowledged, 0);
	assert_int_equal(got.flags, SEGMENT_RST);
	assert_int_equal(got.sequence, opening6.sequence);
}

static void
test_through_a_tunnel(void **state)
{
	const struct ip_addr real = {IP_V4, {10, 88, 0, 21}};
	uint8_t out[SEGMENT_MAX], plain[SEGMENT_MAX];
	size_t length = segment_build(&opening, NULL, plain, sizeof(plain));
	struct segment got;

	(void)state;
	assert_int_equal(segment_build(&opening, &real, out, sizeof(out)), length + 20);
	assert_int_equal(icmp_checksum(out, 20), 0);
	assert_int_equal(out[2] << 8 | out[3], length + 20);
	assert_int_equal(out[8], 64);
	assert_int_equal(out[9], 4);
	assert_memory_equal(out + 12, opening.from.addr.bytes, 4);
	assert_memory_equal(out + 16, real.bytes, 4);
	assert_memory_equal(out + 20, plain, length);
	assert_false(segment_parse(out, length + 20, &got)); /* that is not TCP */
}

static void
test_through_a_tunnel_over_ip6(void **state)
{
	const struct ip_addr real = {IP_V6, {0xfd, 0, 0, 0x88, [15] = 0x21}};
	uint8_t out[SEGMENT_MAX], plain[SEGMENT_MAX];
	size_t length = segment_build(&opening6, NULL, plain, sizeof(plain));
	struct segment got;

	(void)state;
	assert_int_equal(segment_build(&opening6, &real, out, sizeof(out)), SEGMENT_MAX);
	assert_int_equal(length + 40, SEGMENT_MAX);
	assert_int_equal(out[0] >> 4, 6);
	assert_int_equal(out[4] << 8 | out[5], length);
	assert_int_equal(out[6], 41);
	assert_int_equal(out[7], 64);
	assert_memory_equal(out + 8, opening6.from.addr.bytes, 16);
	assert_memory_equal(out + 24, real.bytes, 16);
	assert_memory_equal(out + 40, plain, length);
	assert_false(segment_parse(out, SEGMENT_MAX, &got));
	assert_int_equal(segment_build(&opening6, &real, out, SEGMENT_MAX - 1), 0);
}

/* An answer with that many bytes of options in either header. */
static size_t
answer(uint8_t *out, size_t ip_options, size_t tcp_options)
{
	struct segment s = {.from = opening.to, .to = opening.from, .sequence = 7,
		.acknowledged = opening.sequence + 1, .flags = SEGMENT_SYN | SEGMENT_ACK};
	uint8_t plain[SEGMENT_MAX];
	size_t header = 20 + ip_options, total = header + 20 + tcp_options;
	uint16_t sum;

	assert_int_equal(segment_build(&s, NULL, plain, sizeof(plain)), 44);
	memset(out, 1, total);
	memcpy(out, plain, 20);
	memcpy(out + header, plain + 20, 20);
	out[0] = (uint8_t)(0x40 | header / 4);
	out[2] = 0;
	out[3] = (uint8_t)total;
	out[10] = out[11] = 0;
	out[header + 12] = (uint8_t)((20 + tcp_options) / 4 << 4);
	sum = icmp_checksum(out, header);
	out[10] = (uint8_t)(sum >> 8);
	out[11] = (uint8_t)sum;
	return total;
}

static void
test_an_answer_comes_back(void **state)
{
	uint8_t packet[SEGMENT_READ_MAX];
	struct segment got;

	(void)state;
	for (size_t ip = 0; ip <= 40; ip += 4)
		for (size_t tcp = 0; tcp <= 40; tcp += 4) {
			size_t length = answer(packet, ip, tcp);

			assert_true(segment_parse(packet, length, &got));
			assert_true(endpoint_equal(&got.from, &opening.to));
			assert_true(endpoint_equal(&got.to, &opening.from));
			assert_int_equal(got.sequence, 7);
			assert_int_equal(got.acknowledged, opening.sequence + 1);
			assert_int_equal(got.flags, SEGMENT_SYN | SEGMENT_ACK);
			/* more behind it, or its end not read */
			assert_true(segment_parse(packet, 20 + ip + 20, &got));
			for (size_t cut = 0; cut < 20 + ip + 20; cut++)
				assert_false(segment_parse(packet, cut, &got));
		}
}

/* An answer over IPv6 with that many bytes of options. */
static size_t
answer6(uint8_t *out, size_t options)
{
	struct segment s = {.from = opening6.to, .to = opening6.from, .sequence = 7,
		.acknowledged = opening6.sequence + 1, .flags = SEGMENT_ACK};

	memset(out, 1, 60 + options);
	assert_int_equal(segment_build(&s, NULL, out, 60), 60);
	out[5] = (uint8_t)(20 + options);
	out[52] = (uint8_t)((20 + options) / 4 << 4);
	out[53] = SEGMENT_SYN | SEGMENT_ACK;
	return 60 + options;
}

static void
test_an_answer_over_ip6(void **state)
{
	uint8_t packet[SEGMENT_READ_MAX];
	struct segment got;

	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		size_t length = answer6(packet, options);

		assert_true(segment_parse(packet, length, &got));
		assert_true(endpoint_equal(&got.from, &opening6.to));
		assert_true(endpoint_equal(&got.to, &opening6.from));
		assert_int_equal(got.sequence, 7);
		assert_int_equal(got.acknowledged, opening6.sequence + 1);
		assert_int_equal(got.flags, SEGMENT_SYN | SEGMENT_ACK);
		assert_true(segment_parse(packet, 60, &got));
		for (size_t cut = 0; cut < 60; cut++)
			assert_false(segment_parse(packet, cut, &got));
	}
}

static void
test_what_is_none_over_ip6(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} spoils[] = {
		{0, 0x45}, {0, 0x70},             /* version */
		{5, 19},                          /* no room for TCP */
		{6, 44}, {6, 0}, {6, 17}, {6, 41}, /* something else follows */
		{52, 0x40},                       /* TCP's header too short */
	};
	uint8_t packet[SEGMENT_READ_MAX];
	struct segment got;

	(void)state;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		size_t length = answer6(packet, 0);

		assert_true(segment_parse(packet, length, &got));
		packet[spoils[i].at] = spoils[i].value;
		assert_false(segment_parse(packet, length, &got));
	}
}

static void
test_what_is_none(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} spoils[] = {
		{0, 0x65}, {0, 0x44}, {0, 0x4f}, /* version, headers too short and too long */
		{3, 39},                         /* no room for TCP */
		{7, 1}, {6, 0x1f},               /* a later fragment */
		{9, 17},
		{12, 11},                        /* the header's checksum */
		{32, 0x40},                      /* TCP's header too short */
	};
	uint8_t packet[SEGMENT_READ_MAX];
	struct segment got;
	uint16_t sum;

	(void)state;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		size_t length = answer(packet, 0, 0);

		packet[spoils[i].at] = spoils[i].value;
		if (spoils[i].at != 12) {
			packet[10] = packet[11] = 0;
			sum = icmp_checksum(packet, 20);
			packet[10] = (uint8_t)(sum >> 8);
			packet[11] = (uint8_t)sum;
		}
		assert_false(segment_parse(packet, length, &got));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_opening),
		cmocka_unit_test(test_an_opening_over_ip6),
		cmocka_unit_test(test_a_reset_over_ip6),
		cmocka_unit_test(test_through_a_tunnel_over_ip6),
		cmocka_unit_test(test_an_answer_over_ip6),
		cmocka_unit_test(test_what_is_none_over_ip6),
		cmocka_unit_test(test_a_reset_says_nothing_else),
		cmocka_unit_test(test_through_a_tunnel),
		cmocka_unit_test(test_an_answer_comes_back),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
