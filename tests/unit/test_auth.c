/* Heartbeat keys: the vectors of docs/PROTOCOL.md (made with another implementation), rotation. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "auth/heartbeat_key.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_another_cluster_is_another_key),
		cmocka_unit_test(test_first_key_signs_and_every_key_verifies),
		cmocka_unit_test(test_empty_ring),
	};

	return cmocka_run_group_tests_name("auth", tests, make_keys, NULL);
}
