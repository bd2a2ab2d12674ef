/* A certificate authority of the tests: keys and certificates, good and bad, made in memory. */
#ifndef TANDEM_TESTS_PROBE_AUTHORITY_H
#define TANDEM_TESTS_PROBE_AUTHORITY_H

#include <openssl/ssl.h>

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

/*
 * A certificate of that common name for the names in `san` ("DNS:a,IP:127.0.0.1"; NULL: an
 * authority), valid from and to so many seconds from now. `issuer` NULL: signed by itself.
 */
struct identity identity_new(const char *name, const char *san, long from_s, long to_s,
	const struct identity *issuer);
void identity_free(struct identity *i);
/* In PEM, allocated. */
char *identity_pem(const struct identity *i);
/* A server's context with that certificate. */
SSL_CTX *identity_server(const struct identity *i);

#endif
