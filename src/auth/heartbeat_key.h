/*
 * The keys of a pair's heartbeats: HMAC-SHA256 by OpenSSL. The first key signs, every key
 * verifies, so that a key is changed by reloads without a missed beat.
 *
 * The key that signs is derived: HMAC-SHA256(key, "tandem heartbeat 1" 0x00 cluster), so that two
 * clusters that share a key file do not hear each other. docs/PROTOCOL.md has test vectors.
 *
 * A MAC of a heartbeat takes 0.4 microseconds where the processor knows SHA-256, one elsewhere.
 * Nothing here waits. Not for two threads at once: a key has one context.
 */
#ifndef TANDEM_AUTH_HEARTBEAT_KEY_H
#define TANDEM_AUTH_HEARTBEAT_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUTH_MAC = 32, AUTH_KEYS_MAX = 8 };

struct auth_ring;

/* An empty ring (nothing verifies), from malloc(); NULL without memory or without SHA-256. */
struct auth_ring *auth_ring_new(void);
/*
 * Adds a key; only the derived one is kept. False, and nothing added: the ring is full, the id is 0
 * or there already, or OpenSSL refused.
 */
bool auth_ring_add(struct auth_ring *ring, uint8_t id, const uint8_t *key, size_t length,
	const char *cluster);
/* Wipes what was derived and frees; NULL is fine. */
void auth_ring_free(struct auth_ring *ring);
/* The id of the key that signs; 0: the ring is empty. */
uint8_t auth_signing_id(const struct auth_ring *ring);
/* MAC of the bytes with the first key. False when the ring is empty. */
bool auth_sign(struct auth_ring *ring, const uint8_t *bytes, size_t length, uint8_t mac[AUTH_MAC]);
/* Is that key known? */
bool auth_has_key(const struct auth_ring *ring, uint8_t id);
/* Compares in constant time. */
bool auth_verify(struct auth_ring *ring, uint8_t id, const uint8_t *bytes, size_t length,
	const uint8_t mac[AUTH_MAC]);

#endif
