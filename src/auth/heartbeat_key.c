/*
 * Heartbeat keys. See heartbeat_key.h.
 *
 * One context a key, made once. It is given its key again for every MAC: to start over with the one
 * it has (EVP_MAC_init() with NULL) saves a tenth of a microsecond, but is silently without effect
 * before OpenSSL 3.0.3 (openssl issue 17811), which Ubuntu 22.04 has.
 */
#include "auth/heartbeat_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char label[] = "tandem heartbeat 1"; /* its NUL separates it from the cluster */

struct ring_key {
	uint8_t id;
	uint8_t derived[AUTH_MAC];
	EVP_MAC_CTX *context;
};

struct auth_ring {
	EVP_MAC *hmac;
	struct ring_key keys[AUTH_KEYS_MAX];
	size_t count;
};

struct auth_ring *
auth_ring_new(void)
{
	struct auth_ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!ring->hmac) {
		free(ring);
		return NULL;
	}
	return ring;
}

static EVP_MAC_CTX *
context_for(struct auth_ring *ring, const uint8_t *key, size_t length)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(ring->hmac);

	if (context && EVP_MAC_init(context, key, length, params))
		return context;
	EVP_MAC_CTX_free(context);
	return NULL;
}

static bool
compute(const struct ring_key *key, const uint8_t *bytes, size_t length, uint8_t mac[AUTH_MAC])
{
	size_t got;

	return EVP_MAC_init(key->context, key->derived, sizeof(key->derived), NULL) &&
		EVP_MAC_update(key->context, bytes, length) &&
		EVP_MAC_final(key->context, mac, &got, AUTH_MAC) && got == AUTH_MAC;
}

static bool
derive(struct auth_ring *ring, const uint8_t *key, size_t length, const char *cluster,
	uint8_t derived[AUTH_MAC])
{
	EVP_MAC_CTX *context = context_for(ring, key, length);
	size_t got;
	bool ok = context && EVP_MAC_update(context, (const uint8_t *)label, sizeof(label)) &&
		EVP_MAC_update(context, (const uint8_t *)cluster, strlen(cluster)) &&
		EVP_MAC_final(context, derived, &got, AUTH_MAC) && got == AUTH_MAC;

	EVP_MAC_CTX_free(context);
	return ok;
}

bool
auth_ring_add(struct auth_ring *ring, uint8_t id, const uint8_t *key, size_t length,
	const char *cluster)
{
	struct ring_key *row;

	if (ring->count == AUTH_KEYS_MAX || id == 0 || auth_has_key(ring, id))
		return false;
	row = &ring->keys[ring->count];
	if (derive(ring, key, length, cluster, row->derived))
		row->context = context_for(ring, row->derived, sizeof(row->derived));
	if (!row->context) {
		OPENSSL_cleanse(row->derived, sizeof(row->derived));
		return false;
	}
	row->id = id;
	ring->count++;
	return true;
}

void
auth_ring_free(struct auth_ring *ring)
{
	if (!ring)
		return;
	for (size_t i = 0; i < ring->count; i++)
		EVP_MAC_CTX_free(ring->keys[i].context); /* cleanses */
	EVP_MAC_free(ring->hmac);
	OPENSSL_cleanse(ring, sizeof(*ring));
	free(ring);
}

uint8_t
auth_signing_id(const struct auth_ring *ring)
{
	return ring->count > 0 ? ring->keys[0].id : 0;
}

bool
auth_sign(struct auth_ring *ring, const uint8_t *bytes, size_t length, uint8_t mac[AUTH_MAC])
{
	return ring->count > 0 && compute(&ring->keys[0], bytes, length, mac);
}

bool
auth_has_key(const struct auth_ring *ring, uint8_t id)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].id == id)
			return true;
	return false;
}

bool
auth_verify(struct auth_ring *ring, uint8_t id, const uint8_t *bytes, size_t length,
	const uint8_t mac[AUTH_MAC])
{
	for (size_t i = 0; i < ring->count; i++) {
		uint8_t wanted[AUTH_MAC];

		if (ring->keys[i].id == id)
			return compute(&ring->keys[i], bytes, length, wanted) &&
				CRYPTO_memcmp(wanted, mac, AUTH_MAC) == 0;
	}
	return false;
}
