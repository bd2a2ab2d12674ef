/*
 * The trailer's bytes (core/trailer.c). Bytes to be decoded end at a page that must not be touched,
 * so that a byte read too far is a crash.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/trailer.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct trailer example = {
	.key_id = 3, .boot = 0x0102030405060708, .counter = 9, .echo_boot = 0xa0b0c0d0e0f00010,
	.echo_counter = 11, .role = 2, .priority = 150, .fitness = 1, .flags = 0x6655,
	.healthy = 12, .lease_s = 0x0e10, .digest = 0xdeadbeef, .router_tag = 13,
	.sender = {IP_V4, {10, 77, 0, 11}}, .path_count = 2,
	.paths = {{0x01020304, 2, true}, {3, TRAILER_AGE_NEVER, false}}, .neighbour_count = 1,
	.neighbours = {{IP_V4, {10, 77, 0, 50}}}};

/* The example, written down by hand after trailer.h. */
static const uint8_t example_bytes[] = {
	'T', 'N', 'D', 'M', 1, 3, 0, 128,
	1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9,
	0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 11,
	2, 150, 1, 2, 0x66, 0x55, 0, 12, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 13,
	4, 1, 0x0e, 0x10, 10, 77, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	1, 2, 3, 4, 0, 2, 1, 0, 0, 0, 0, 3, 0xff, 0xff, 0, 0,
	10, 77, 0, 50,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* Two pages; the second faults. Returns the end of the first. */
static uint8_t *
guard_end(void)
{
	static uint8_t *end;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages;

	if (end)
		return end;
	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	end = pages + page;
	return end;
}

static enum reason
decode(const uint8_t *bytes, size_t length, struct trailer *out)
{
	uint8_t *copy = guard_end() - length;

	memcpy(copy, bytes, length);
	return trailer_decode(copy, length, out);
}

static void
test_bytes_are_those_of_the_format(void **state)
{
	uint8_t bytes[TRAILER_MAX];

	(void)state;
	memset(bytes, 0xaa, sizeof(bytes));
	assert_int_equal(trailer_encode(&example, bytes, sizeof(bytes)), sizeof(example_bytes));
	assert_memory_equal(bytes, example_bytes, sizeof(example_bytes));
}

static void
test_trailer_goes_round(void **state)
{
	struct trailer got;

	(void)state;
	memset(&got, 0xaa, sizeof(got));
	assert_int_equal(decode(example_bytes, sizeof(example_bytes), &got), REASON_NONE);
	assert_memory_equal(&got, &example, sizeof(got));
}

static void
test_largest_and_smallest(void **state)
{
	struct trailer t = example, got;
	uint8_t bytes[TRAILER_MAX];

	(void)state;
	t.neighbour_count = TRAILER_NEIGHBOURS;
	for (unsigned i = 0; i < TRAILER_NEIGHBOURS; i++)
		t.neighbours[i] = (struct ip_addr){IP_V4, {10, 0, 0, (uint8_t)i}};
	t.path_count = TRAILER_PATHS;
	for (unsigned i = 0; i < TRAILER_PATHS; i++)
		t.paths[i] = (struct trailer_path){.tag = i + 1, .age_ms = (uint16_t)(i * 4000)};
	assert_int_equal(trailer_encode(&t, bytes, sizeof(bytes)), TRAILER_MAX);
	assert_int_equal(decode(bytes, TRAILER_MAX, &got), REASON_NONE);
	assert_memory_equal(&got, &t, sizeof(got));
	t.path_count = 0;
	memset(t.paths, 0, sizeof(t.paths));
	t.neighbour_count = 0;
	memset(t.neighbours, 0, sizeof(t.neighbours));
	assert_int_equal(trailer_encode(&t, bytes, sizeof(bytes)), TRAILER_FIXED + TRAILER_MAC);
	assert_int_equal(decode(bytes, TRAILER_FIXED + TRAILER_MAC, &got), REASON_NONE);
	assert_memory_equal(&got, &t, sizeof(got));
}

static void
test_what_does_not_fit_is_not_written(void **state)
{
	struct trailer t = example;
	uint8_t bytes[TRAILER_MAX + TRAILER_PATH];

	(void)state;
	for (size_t room = 0; room < sizeof(example_bytes); room++) {
		memset(bytes, 0xaa, sizeof(bytes));
		assert_int_equal(trailer_encode(&example, bytes, room), 0);
		assert_int_equal(bytes[room], 0xaa);
	}
	t.path_count = TRAILER_PATHS + 1;
	assert_int_equal(trailer_encode(&t, bytes, sizeof(bytes)), 0);
	t.path_count = 0;
	t.neighbour_count = TRAILER_NEIGHBOURS + 1;
	assert_int_equal(trailer_encode(&t, bytes, sizeof(bytes)), 0);
}

static void
test_every_other_length_is_refused(void **state)
{
	uint8_t longer[sizeof(example_bytes) + TRAILER_PATH] = {0};
	struct trailer got;

	(void)state;
	for (size_t n = 0; n < sizeof(example_bytes); n++)
		assert_int_equal(decode(example_bytes, n, &got), REASON_BAD_TRAILER);
	memcpy(longer, example_bytes, sizeof(example_bytes));
	for (size_t n = sizeof(example_bytes) + 1; n <= sizeof(longer); n++)
		assert_int_equal(decode(longer, n, &got), REASON_BAD_TRAILER);
	/* nor when the length it claims is the one it has, but not the one of its paths */
	longer[7] = sizeof(longer);
	assert_int_equal(decode(longer, sizeof(longer), &got), REASON_BAD_TRAILER);
}

static void
test_out_of_range_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum reason why;
	} rungs[] = {
		{0, 'U', REASON_BAD_TRAILER}, {3, 0, REASON_BAD_TRAILER}, /* magic */
		{4, 0, REASON_BAD_TRAILER}, {4, 2, REASON_BAD_TRAILER},   /* format */
		{5, 0, REASON_BAD_TRAILER}, {5, 255, REASON_NONE},        /* key */
		{6, 1, REASON_BAD_TRAILER}, {7, 123, REASON_BAD_TRAILER}, /* length */
		{23, 0, REASON_BAD_TRAILER},                              /* counter 0 */
		{40, 3, REASON_NONE}, {40, 4, REASON_BAD_TRAILER},        /* role */
		{41, 0, REASON_NONE}, {41, 255, REASON_NONE},             /* priority */
		{42, 2, REASON_NONE}, {42, 3, REASON_BAD_TRAILER},        /* fitness */
		{43, 1, REASON_BAD_TRAILER}, {43, 255, REASON_BAD_TRAILER}, /* paths */
		{44, 0xff, REASON_NONE},                                  /* flags */
		{56, 0, REASON_BAD_TRAILER}, {56, 5, REASON_BAD_TRAILER}, {56, 6, REASON_NONE},
		{57, 0, REASON_BAD_TRAILER}, {57, 2, REASON_BAD_TRAILER}, /* neighbours */
		{57, 255, REASON_BAD_TRAILER},
		{58, 1, REASON_NONE}, {59, 0, REASON_NONE},               /* lease */
		{82, 0xff, REASON_NONE}, {83, 1, REASON_NONE},            /* reserved */
	};
	uint8_t bytes[sizeof(example_bytes)];
	struct trailer got;

	(void)state;
	for (size_t i = 0; i < sizeof(rungs) / sizeof(rungs[0]); i++) {
		memcpy(bytes, example_bytes, sizeof(bytes));
		bytes[rungs[i].at] = rungs[i].value;
		assert_int_equal(decode(bytes, sizeof(bytes), &got), rungs[i].why);
	}
	memcpy(bytes, example_bytes, sizeof(bytes));
	memset(bytes + 8, 0, 8); /* boot 0 */
	assert_int_equal(decode(bytes, sizeof(bytes), &got), REASON_BAD_TRAILER);
}

/* Addresses are compared as bytes: what stands behind an IPv4 address is not part of it. */
static void
test_address_of_ipv4_has_four_bytes(void **state)
{
	uint8_t bytes[sizeof(example_bytes)];
	struct trailer got;

	(void)state;
	memcpy(bytes, example_bytes, sizeof(bytes));
	memset(bytes + 64, 0xff, 12);
	assert_int_equal(decode(bytes, sizeof(bytes), &got), REASON_NONE);
	assert_true(ip_addr_equal(&got.sender, &example.sender));
	assert_memory_equal(&got.sender, &example.sender, sizeof(got.sender));
}

/* What four IPv4 addresses take is one IPv6 address, and a flag says so. */
static void
test_neighbour_of_ipv6(void **state)
{
	struct trailer t = example, got;
	uint8_t bytes[TRAILER_MAX];
	size_t at = TRAILER_FIXED + 2 * TRAILER_PATH, size;

	(void)state;
	t.neighbours[0] = (struct ip_addr){IP_V6, {0xfe, 0x80, [15] = 0x50}};
	size = trailer_encode(&t, bytes, sizeof(bytes));
	assert_int_equal(size, sizeof(example_bytes) + 12);
	assert_int_equal(bytes[44], (t.flags >> 8) | 0x80);
	assert_int_equal(bytes[57], 4);
	assert_memory_equal(bytes + at, t.neighbours[0].bytes, 16);
	assert_int_equal(decode(bytes, size, &got), REASON_NONE);
	t.flags |= TRAILER_NEIGHBOUR6;
	assert_memory_equal(&got, &t, sizeof(got));
	bytes[44] &= 0x7f; /* without the flag they are four */
	assert_int_equal(decode(bytes, size, &got), REASON_NONE);
	assert_int_equal(got.neighbour_count, 4);
	assert_int_equal(got.neighbours[3].family, IP_V4);
	assert_int_equal(got.neighbours[3].bytes[3], 0x50);
	memcpy(bytes, example_bytes, sizeof(example_bytes));
	bytes[44] |= 0x80; /* and with it one is none */
	assert_int_equal(decode(bytes, sizeof(example_bytes), &got), REASON_NONE);
	assert_int_equal(got.neighbour_count, 1);
	assert_int_equal(got.neighbours[0].family, IP_V4);
}

static void
test_tags(void **state)
{
	(void)state;
	/* FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
	assert_int_equal(trailer_tag("a"), 0xe40c292c);
	assert_int_equal(trailer_tag("foobar"), 0xbf9cf968);
	assert_int_equal(trailer_tag("\xcc\x24\x31\xc4"), 1); /* its hash is 0, which means none */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_those_of_the_format),
		cmocka_unit_test(test_trailer_goes_round),
		cmocka_unit_test(test_largest_and_smallest),
		cmocka_unit_test(test_what_does_not_fit_is_not_written),
		cmocka_unit_test(test_every_other_length_is_refused),
		cmocka_unit_test(test_out_of_range_is_refused),
		cmocka_unit_test(test_address_of_ipv4_has_four_bytes),
		cmocka_unit_test(test_neighbour_of_ipv6),
		cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests_name("trailer", tests, NULL, NULL);
}
