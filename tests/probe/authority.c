/* The authority. See authority.h. */
#include "authority.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (extension == NULL || X509_add_ext(x, extension, -1) != 1) {
		fprintf(stderr, "no certificate with %s\n", value);
		exit(1);
	}
	X509_EXTENSION_free(extension);
}

struct identity
identity_new(const char *name, const char *san, long from_s, long to_s,
	const struct identity *issuer)
{
	struct identity made = {EVP_EC_gen("P-256"), X509_new()};
	const struct identity *by = issuer != NULL ? issuer : &made;
	X509_NAME *subject = X509_get_subject_name(made.certificate);

	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), random());
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), from_s);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), to_s);
	X509_set_pubkey(made.certificate, made.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
		-1, 0);
	X509_set_issuer_name(made.certificate, X509_get_subject_name(by->certificate));
	extend(made.certificate, by->certificate, NID_basic_constraints,
		san == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (san != NULL)
		extend(made.certificate, by->certificate, NID_subject_alt_name, san);
	if (X509_sign(made.certificate, by->key, EVP_sha256()) == 0) {
		fprintf(stderr, "no signature for %s\n", name);
		exit(1);
	}
	return made;
}

void
identity_free(struct identity *i)
{
	X509_free(i->certificate);
	EVP_PKEY_free(i->key);
}

char *
identity_pem(const struct identity *i)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long length;

	PEM_write_bio_X509(bio, i->certificate);
	length = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)length);
	BIO_free(bio);
	return text;
}

SSL_CTX *
identity_server(const struct identity *i)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (context == NULL || SSL_CTX_use_certificate(context, i->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(context, i->key) != 1) {
		fprintf(stderr, "no server context\n");
		exit(1);
	}
	return context;
}
