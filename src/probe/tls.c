/* The handshake, and bytes through it. See tls.h. */
#include "probe/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

enum {
	CHAIN_DEPTH = 8,
	CHAIN_BYTES = 65536,
};

/* What the log says of a certificate: why it was refused, and whose it is. */
static void
say_certificate(struct tls *t, int error, X509 *x)
{
	X509_NAME *subject = x != NULL ? X509_get_subject_name(x) : NULL;
	char name[HTTP_EVIDENCE] = "";

	if (subject != NULL)
		X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof(name));
	snprintf(t->said, sizeof(t->said), "CN=%.24s: %s", name,
		X509_verify_cert_error_string(error));
}

static enum reason
reason_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return REASON_TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return REASON_TLS_NAME;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return REASON_TLS_ISSUER;
	case X509_V_ERR_OUT_OF_MEM:
		return REASON_LOCAL_ERROR;
	}
	return REASON_TLS_CERTIFICATE;
}

/* Of the first fault only: the handshake ends there. */
static int
on_verified(int good, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (good)
		return 1;
	t->detail = X509_STORE_CTX_get_error(chain);
	t->reason = reason_of(t->detail);
	say_certificate(t, t->detail, X509_STORE_CTX_get_current_cert(chain));
	return 0;
}

SSL_CTX *
tls_context(const struct conf_probe *probe, struct tls_trust *trust)
{
	SSL_CTX *context;

	if (!tls_library())
		return NULL;
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(context,
		probe->tls_min == CONF_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
		SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* one record a call: who sends nothing but handshake messages cannot hold us */
	SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(context, CHAIN_BYTES);
	SSL_CTX_set_verify_depth(context, CHAIN_DEPTH);
	SSL_CTX_set_verify(context, probe->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
		probe->verify ? on_verified : NULL);
	if (trust != NULL)
		SSL_CTX_set1_cert_store(context, tls_trust_store(trust));
	return context;
}

/* The host without its port; "" when it is an address, which has no place in the SNI. */
static void
name_of(const struct conf_probe *probe, char out[LIMIT_PATH], struct ip_addr *address)
{
	const char *from = probe->sni[0] != '\0' ? probe->sni : probe->host;
	bool bracket = from[0] == '[';
	size_t length = strcspn(from + bracket, bracket ? "]" : ":");

	memcpy(out, from + bracket, length);
	out[length] = '\0';
	if (ip_addr_parse(out, address))
		out[0] = '\0';
}

static bool
expect_peer(SSL *ssl, const struct conf_probe *probe, const struct endpoint *to)
{
	struct ip_addr address = to->addr;
	char name[LIMIT_PATH];

	name_of(probe, name, &address);
	if (name[0] == '\0')
		return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), address.bytes,
			ip_addr_size(&address)) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

bool
tls_begin(struct tls *t, SSL_CTX *context, int fd, const struct conf_probe *probe,
	const struct endpoint *to)
{
	t->reason = REASON_TLS_FAILED;
	t->ssl = SSL_new(context);
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 || !expect_peer(t->ssl, probe, to)) {
		tls_end(t);
		ERR_clear_error();
		return false;
	}
	SSL_set_app_data(t->ssl, t);
	SSL_set_connect_state(t->ssl);
	return true;
}

void
tls_end(struct tls *t)
{
	SSL_free(t->ssl);
	t->ssl = NULL;
}

/* The handshake ended in an error other than a refused certificate. */
static void
say_failure(struct tls *t, int how, int error)
{
	unsigned long why = ERR_peek_error();
	const char *text = why != 0 ? ERR_reason_error_string(why) : NULL;

	if (t->said[0] != '\0')
		return; /* the certificate said it */
	if (how == SSL_ERROR_SYSCALL && why == 0 && error != 0) {
		t->reason = error == ECONNRESET || error == EPIPE ? REASON_TCP_RESET
			: REASON_TLS_FAILED;
		t->detail = error;
	} else if (why != 0)
		t->detail = ERR_GET_REASON(why);
	if (text == NULL)
		text = error != 0 ? strerror(error) : "closed in the handshake";
	snprintf(t->said, sizeof(t->said), "%s", text);
}

enum tls_step
tls_handshake(struct tls *t)
{
	int n, how;

	ERR_clear_error();
	errno = 0;
	n = SSL_do_handshake(t->ssl);
	if (n == 1)
		return TLS_DONE;
	how = SSL_get_error(t->ssl, n);
	if (how == SSL_ERROR_WANT_READ)
		return TLS_WANTS_READ;
	if (how == SSL_ERROR_WANT_WRITE)
		return TLS_WANTS_WRITE;
	say_failure(t, how, errno);
	ERR_clear_error();
	return TLS_REFUSED;
}

/* Sets errno as a socket would, for a call that moved nothing. */
static ssize_t
as_errno(const struct tls *t, int n, int error)
{
	int how = SSL_get_error(t->ssl, n);

	ERR_clear_error();
	if (how == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (how == SSL_ERROR_WANT_READ || how == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else if (how == SSL_ERROR_SYSCALL && error == 0)
		return 0; /* closed without saying so */
	else
		errno = how == SSL_ERROR_SYSCALL ? error : EPROTO;
	return -1;
}

ssize_t
tls_receive(struct tls *t, void *to, size_t size)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_read(t->ssl, to, (int)size);
	return n > 0 ? n : as_errno(t, n, errno);
}

ssize_t
tls_send(struct tls *t, const void *bytes, size_t length)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_write(t->ssl, bytes, (int)length);
	if (n > 0)
		return n;
	if (as_errno(t, n, errno) == 0)
		errno = EPIPE;
	return -1;
}

static void
earlier(const X509 *x, int64_t *first)
{
	struct tm tm;
	int64_t end;

	if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return;
	end = timegm(&tm);
	if (end < *first)
		*first = end;
}

int64_t
tls_expires_s(const struct tls *t)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(t->ssl);
	int64_t first = INT64_MAX;
	int i;

	earlier(SSL_get0_peer_certificate(t->ssl), &first);
	for (i = 0; chain != NULL && i < sk_X509_num(chain); i++)
		earlier(sk_X509_value(chain, i), &first);
	return first;
}
