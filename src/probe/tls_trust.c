/* Whom probes trust. See engine.h. */
#include "probe/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

struct tls_trust {
	unsigned holders;
	X509_STORE *store;
};

bool
tls_library(void)
{
	return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
		OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) == 1;
}

static X509_STORE *
read_store(BIO *bio)
{
	X509_STORE *store = X509_STORE_new();
	unsigned count = 0;
	X509 *x;

	while (store != NULL && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		count += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	ERR_clear_error(); /* the end of the file is one */
	if (count > 0)
		return store;
	X509_STORE_free(store);
	return NULL;
}

struct tls_trust *
tls_trust_open(const void *pem, size_t length)
{
	struct tls_trust *trust = calloc(1, sizeof(*trust));
	BIO *bio = tls_library() && length <= INT32_MAX ? BIO_new_mem_buf(pem, (int)length) : NULL;

	if (trust != NULL && bio != NULL)
		trust->store = read_store(bio);
	BIO_free(bio);
	if (trust == NULL || trust->store == NULL) {
		free(trust);
		return NULL;
	}
	trust->holders = 1;
	return trust;
}

void
tls_trust_keep(struct tls_trust *trust)
{
	if (trust != NULL)
		trust->holders++;
}

void
tls_trust_close(struct tls_trust *trust)
{
	if (trust == NULL || --trust->holders > 0)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}

X509_STORE *
tls_trust_store(const struct tls_trust *trust)
{
	return trust->store;
}
