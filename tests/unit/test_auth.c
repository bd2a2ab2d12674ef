/* Heartbeat keys: the vectors of docs/PROTOCOL.md (made with another implementation), rotation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "auth/heartbeat_key.h"

#include <openssl/evp.h>
#include <string.h>

static uint8_t key[32], other[32];

static int
make_keys(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)i;
		other[i] = (uint8_t)(255 - i);
	}
	return 0;
}

static void
test_vector(void **state)
{
	static const uint8_t wanted[AUTH_MAC] = {
		0x50, 0x58, 0x54, 0xfe, 0xc3, 0xf4, 0xea, 0x63,
		0x55, 0x41, 0xa1, 0x3c, 0xcd, 0x6f, 0x53, 0x14,
		0x6f, 0x34, 0x35, 0x85, 0xde, 0xc7, 0x31, 0xdc,
		0xd9, 0xfe, 0x80, 0xae, 0x7c, 0x32, 0xb5, 0x03};
	struct auth_ring *ring = auth_ring_new();
	uint8_t mac[AUTH_MAC];

	(void)state;
	assert_true(auth_ring_add(ring, 7, key, sizeof(key), "edge"));
	assert_int_equal(auth_signing_id(ring), 7);
	for (int i = 0; i < 3; i++) { /* a context starts over each time */
		assert_true(auth_sign(ring, (const uint8_t *)"Hi There", 8, mac));
		assert_memory_equal(mac, wanted, sizeof(wanted));
	}
	assert_true(auth_verify(ring, 7, (const uint8_t *)"Hi There", 8, mac));
	assert_false(auth_verify(ring, 7, (const uint8_t *)"Hi there", 8, mac));
	assert_false(auth_verify(ring, 8, (const uint8_t *)"Hi There", 8, mac));
	mac[31] ^= 1;
	assert_false(auth_verify(ring, 7, (const uint8_t *)"Hi There", 8, mac));
	auth_ring_free(ring);
}

static void
test_another_cluster_is_another_key(void **state)
{
	struct auth_ring *a = auth_ring_new(), *b = auth_ring_new();
	uint8_t mac[AUTH_MAC];

	(void)state;
	assert_true(auth_ring_add(a, 1, key, sizeof(key), "edge"));
	assert_true(auth_ring_add(b, 1, key, sizeof(key), "edgf"));
	assert_true(auth_sign(a, key, 32, mac));
	assert_false(auth_verify(b, 1, key, 32, mac));
	auth_ring_free(a);
	auth_ring_free(b);
}

static void
test_first_key_signs_and_every_key_verifies(void **state)
{
	struct auth_ring *before = auth_ring_new(), *both = auth_ring_new();
	uint8_t mac[AUTH_MAC];

	(void)state;
	assert_true(auth_ring_add(before, 1, key, sizeof(key), "edge"));
	assert_true(auth_ring_add(both, 2, other, sizeof(other), "edge"));
	assert_true(auth_ring_add(both, 1, key, sizeof(key), "edge"));
	assert_false(auth_ring_add(both, 1, other, sizeof(other), "edge"));
	assert_true(auth_sign(before, key, 32, mac));
	assert_true(auth_verify(both, 1, key, 32, mac));
	assert_true(auth_sign(both, key, 32, mac));
	assert_false(auth_verify(before, auth_signing_id(both), key, 32, mac));
	assert_true(auth_has_key(both, 2));
	assert_false(auth_has_key(before, 2));
	auth_ring_free(before);
	auth_ring_free(both);
}

static void
test_empty_ring(void **state)
{
	struct auth_ring *ring = auth_ring_new();
	uint8_t mac[AUTH_MAC] = {0};

	(void)state;
	assert_int_equal(auth_signing_id(ring), 0);
	assert_false(auth_sign(ring, key, 32, mac));
	assert_false(auth_verify(ring, 1, key, 32, mac));
	auth_ring_free(ring);
	auth_ring_free(NULL);
}

/* HMAC-SHA256 in one call of the library, for comparison. */
static void
hmac(const uint8_t *k, size_t k_length, const void *bytes, size_t length, uint8_t mac[AUTH_MAC])
{
	size_t got;

	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k, k_length, bytes, length,
		mac, AUTH_MAC, &got));
	assert_int_equal(got, AUTH_MAC);
}

/* RFC 4231 4.2, 4.3 and 4.7: a short key, a key of text, a key longer than a block. */
static void
test_library_computes_rfc_4231(void **state)
{
	static const uint8_t first[] = {0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53},
		second[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e},
		sixth[] = {0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f};
	static const char hi[] = "Hi There", what[] = "what do ya want for nothing?",
		large[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t k[131], mac[AUTH_MAC];

	(void)state;
	memset(k, 0x0b, 20);
	hmac(k, 20, hi, strlen(hi), mac);
	assert_memory_equal(mac, first, sizeof(first));
	hmac((const uint8_t *)"Jefe", 4, what, strlen(what), mac);
	assert_memory_equal(mac, second, sizeof(second));
	memset(k, 0xaa, sizeof(k));
	hmac(k, sizeof(k), large, strlen(large), mac);
	assert_memory_equal(mac, sixth, sizeof(sixth));
}

/* Keys and messages of every length; two keys used in turn do not touch each other. */
static void
test_ring_computes_hmac_with_the_derived_key(void **state)
{
	static const uint8_t label[] = "tandem heartbeat 1\0edge"; /* and a NUL of C */
	uint8_t k[64], message[400], derived[AUTH_MAC], wanted[AUTH_MAC], mac[AUTH_MAC];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7);
	for (size_t n = 32; n <= sizeof(k); n++) {
		struct auth_ring *ring = auth_ring_new();

		memset(k, (int)n, n);
		hmac(k, n, label, sizeof(label) - 1, derived);
		assert_true(auth_ring_add(ring, 1, k, n, "edge"));
		assert_true(auth_ring_add(ring, 2, other, sizeof(other), "edge"));
		memset(k, 0, n); /* it has its own */
		for (size_t length = n - 32; length < sizeof(message); length += 11) {
			hmac(derived, sizeof(derived), message, length, wanted);
			assert_true(auth_sign(ring, message, length, mac));
			assert_memory_equal(mac, wanted, sizeof(wanted));
			assert_false(auth_verify(ring, 2, message, length, mac));
			assert_true(auth_verify(ring, 1, message, length, mac));
		}
		auth_ring_free(ring);
	}
}

static void
test_ring_is_bounded(void **state)
{
	struct auth_ring *ring = auth_ring_new();

	(void)state;
	assert_false(auth_ring_add(ring, 0, key, sizeof(key), "edge"));
	for (uint8_t id = 1; id <= AUTH_KEYS_MAX; id++)
		assert_true(auth_ring_add(ring, id, key, sizeof(key), "edge"));
	assert_false(auth_ring_add(ring, 99, key, sizeof(key), "edge"));
	assert_false(auth_has_key(ring, 99));
	assert_true(auth_has_key(ring, AUTH_KEYS_MAX));
	auth_ring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_another_cluster_is_another_key),
		cmocka_unit_test(test_first_key_signs_and_every_key_verifies),
		cmocka_unit_test(test_empty_ring),
		cmocka_unit_test(test_library_computes_rfc_4231),
		cmocka_unit_test(test_ring_computes_hmac_with_the_derived_key),
		cmocka_unit_test(test_ring_is_bounded),
	};

	return cmocka_run_group_tests_name("auth", tests, make_keys, NULL);
}
