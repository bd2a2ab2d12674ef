/* Addresses as values: exact text in, exact text out, and the order of RFC 9568 6.4.3. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/addr.h"

#include <string.h>

static struct ip_addr
addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void
test_addresses_round_trip(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "255.255.255.255", "10.77.0.100",
		"224.0.0.18", "::", "::1", "fd00:77::100", "fe80::1", "2001:db8:1:2:3:4:5:6",
		"::ffff:10.0.0.1"};
	char out[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct ip_addr a = addr(texts[i]);

		assert_string_equal(ip_addr_format(&a, out), texts[i]);
		assert_int_equal(a.family, strchr(texts[i], ':') ? IP_V6 : IP_V4);
	}
}

static void
test_text_that_is_no_address_leaves_out_untouched(void **state)
{
	static const char *const texts[] = {"", " ", "10.0.0", "10.0.0.256", "10.0.0.1 ",
		" 10.0.0.1", "10.0.0.1/24", "10.0.0.01.1", "localhost", "fe80::1%eth0", "1::2::3",
		"[::1]", "10.0.0.1:80", "0x0a000001", "10.0.0.-1"};
	struct ip_addr a, before;

	(void)state;
	memset(&a, 0x5a, sizeof(a));
	before = a;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(ip_addr_parse(texts[i], &a));
		assert_memory_equal(&a, &before, sizeof(a));
	}
}

static void
test_unused_bytes_are_zero(void **state)
{
	struct ip_addr a;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	assert_true(ip_addr_parse("1.2.3.4", &a));
	assert_memory_equal(a.bytes + 4, ((uint8_t[12]){0}), 12);
}

/* Unsigned, in network order: not as a host integer, not as signed bytes. */
static void
test_order_is_unsigned_and_in_network_order(void **state)
{
	static const char *const ascending[] = {"0.0.0.0", "1.0.0.2", "1.0.1.0", "2.0.0.1",
		"10.0.0.9", "10.0.0.10", "127.255.255.255", "128.0.0.0", "192.0.2.11", "192.0.2.12",
		"255.0.0.1", "::", "::1", "7fff::", "8000::"};
	enum { N = sizeof(ascending) / sizeof(ascending[0]) };

	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < N; k++) {
			struct ip_addr a = addr(ascending[i]), b = addr(ascending[k]);
			int order = ip_addr_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
			assert_int_equal(ip_addr_equal(&a, &b), i == k);
		}
}

static void
test_sizes(void **state)
{
	struct ip_addr none = {0}, v4 = addr("1.2.3.4"), v6 = addr("::1");
	char out[ADDR_TEXT];

	(void)state;
	assert_int_equal(ip_addr_size(&none), 0);
	assert_int_equal(ip_addr_size(&v4), 4);
	assert_int_equal(ip_addr_size(&v6), 16);
	assert_string_equal(ip_addr_format(&none, out), "none");
}

static void
test_prefixes(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{"10.77.0.100/24", "10.77.0.100/24"}, {"10.77.0.100", "10.77.0.100/32"},
		{"0.0.0.0/0", "0.0.0.0/0"}, {"10.0.0.1/32", "10.0.0.1/32"},
		{"fd00:77::100/64", "fd00:77::100/64"}, {"::1", "::1/128"}, {"::/0", "::/0"},
	};
	static const char *const bad[] = {"", "/24", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1",
		"10.0.0.1/+4", "10.0.0.1/ 4", "10.0.0.1/24 ", "10.0.0.1/24/8", "10.0.0.1/99999999999",
		"::1/129", "10.0.0/24",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/64"};
	struct ip_prefix p;
	char out[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(ip_prefix_parse(good[i].in, &p));
		assert_string_equal(ip_prefix_format(&p, out), good[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ip_prefix_parse(bad[i], &p));
}

static void
test_endpoints(void **state)
{
	static const char *const good[] = {"10.77.0.100:80", "255.255.255.255:65535", "[::1]:1",
		"[fd00:77::100]:443", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"};
	static const char *const bad[] = {"", ":", ":80", "10.0.0.1", "10.0.0.1:", "10.0.0.1:0",
		"10.0.0.1:65536", "10.0.0.1:8a", "10.0.0.1:-1", "10.0.0.1:+80", "10.0.0.1: 80",
		"[10.0.0.1]:80", "::1:80", "[::1]", "[::1]80", "[]:80", "[::1:80", "10.0.0.1:000080"};
	struct endpoint e, again;
	char out[ENDPOINT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(endpoint_parse(good[i], &e));
		assert_string_equal(endpoint_format(&e, out), good[i]);
		assert_true(endpoint_parse(out, &again));
		assert_true(endpoint_equal(&e, &again));
		again.port ^= 1;
		assert_false(endpoint_equal(&e, &again));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(endpoint_parse(bad[i], &e));
}

/* The longest texts fill the buffers whose sizes the header promises. */
static void
test_longest_texts_fit(void **state)
{
	char out[ENDPOINT_TEXT];
	struct endpoint e = {.addr = {.family = IP_V6}, .port = 65535};
	struct ip_prefix p = {.addr = {.family = IP_V6}, .length = 128};

	(void)state;
	memset(e.addr.bytes, 0xff, 16);
	memset(p.addr.bytes, 0xff, 16);
	assert_string_equal(endpoint_format(&e, out),
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	assert_string_equal(ip_prefix_format(&p, out),
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static bool
holds(const char *prefix, const char *address)
{
	struct ip_prefix p;
	struct ip_addr a;

	assert_true(ip_prefix_parse(prefix, &p));
	assert_true(ip_addr_parse(address, &a));
	return ip_prefix_contains(&p, &a);
}

static void
test_what_a_prefix_contains(void **state)
{
	struct ip_prefix nothing = {0};
	struct ip_addr none = {0};

	(void)state;
	assert_true(holds("10.78.0.0/20", "10.78.0.0"));
	assert_true(holds("10.78.0.0/20", "10.78.15.255"));
	assert_false(holds("10.78.0.0/20", "10.78.16.0"));
	assert_false(holds("10.78.0.0/20", "10.77.255.255"));
	assert_true(holds("10.78.3.4/20", "10.78.15.255")); /* host bits do not matter */
	assert_true(holds("10.78.0.1/32", "10.78.0.1"));
	assert_false(holds("10.78.0.1/32", "10.78.0.0"));
	assert_true(holds("10.78.0.0/31", "10.78.0.1"));
	assert_false(holds("10.78.0.0/31", "10.78.0.2"));
	assert_true(holds("128.0.0.0/1", "255.1.2.3"));
	assert_false(holds("128.0.0.0/1", "127.1.2.3"));
	assert_true(holds("0.0.0.0/0", "255.255.255.255"));
	assert_false(holds("0.0.0.0/0", "::"));
	assert_false(holds("::/0", "10.0.0.1"));
	assert_true(holds("2001:db8::/33", "2001:db8:7fff:ffff::1"));
	assert_false(holds("2001:db8::/33", "2001:db8:8000::"));
	assert_true(holds("2001:db8::1/128", "2001:db8::1"));
	assert_false(holds("2001:db8::1/128", "2001:db8::"));
	assert_false(ip_prefix_contains(&nothing, &none));
}

static bool
link_local(const char *address)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(address, &a));
	return ip_addr_is_link_local(&a);
}

static void
test_link_local_addresses(void **state)
{
	struct ip_addr none = {0};

	(void)state;
	assert_true(link_local("fe80::1"));
	assert_true(link_local("febf:ffff::1"));
	assert_false(link_local("fec0::1"));
	assert_false(link_local("fe7f::1"));
	assert_false(link_local("fd80::1"));
	assert_true(link_local("169.254.0.1"));
	assert_false(link_local("169.253.0.1"));
	assert_false(link_local("10.254.0.1"));
	assert_false(ip_addr_is_link_local(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_round_trip),
		cmocka_unit_test(test_text_that_is_no_address_leaves_out_untouched),
		cmocka_unit_test(test_unused_bytes_are_zero),
		cmocka_unit_test(test_order_is_unsigned_and_in_network_order),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_longest_texts_fit),
		cmocka_unit_test(test_what_a_prefix_contains),
		cmocka_unit_test(test_link_local_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
