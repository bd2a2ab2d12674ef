/*
 * TLS for a probe: a client that never waits, holds one connection and forgets it.
 *
 * No session is kept: each connection asks for the certificate anew, so that one that expired or was
 * replaced is seen by the next. (One that is kept between probes, see idle.c, ends with its
 * certificate.) Nothing is read from disk and no thread made; OpenSSL's
 * configuration file is not looked at. A record is at most as long as the engine's read buffer,
 * so nothing decrypted stays behind where no descriptor tells of it.
 */
#ifndef TANDEM_PROBE_TLS_H
#define TANDEM_PROBE_TLS_H

#include "base/addr.h"
#include "base/reason.h"
#include "core/http.h"
#include "probe/engine.h"

#include <openssl/ssl.h>

struct tls {
	SSL *ssl;                 /* NULL: none */
	enum reason reason;       /* why the handshake failed */
	int32_t detail;           /* X509_V_ERR_* or SSL_R_*, 0 */
	char said[HTTP_EVIDENCE]; /* of a certificate that was refused or a failed handshake, or "" */
};

/* Before anything else of OpenSSL, which would read its configuration file. Any number of times. */
bool tls_library(void);

/* How to ask, of the keys of an https probe. NULL without memory. */
SSL_CTX *tls_context(const struct conf_probe *probe, struct tls_trust *trust);

/* One more holder; NULL is none. Given back by tls_trust_close(). */
void tls_trust_keep(struct tls_trust *trust);
X509_STORE *tls_trust_store(const struct tls_trust *trust);

/*
 * Begins on a connected socket, which stays the caller's. The name that is asked for and checked
 * is `sni`, else `host` without its port, else the address itself. False without memory.
 */
bool tls_begin(struct tls *t, SSL_CTX *context, int fd, const struct conf_probe *probe,
	const struct endpoint *to);
void tls_end(struct tls *t);

enum tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_REFUSED };

/* Goes on with the handshake. TLS_REFUSED: reason, detail and said tell why. */
enum tls_step tls_handshake(struct tls *t);
/* As recv() and send(): EAGAIN, or ECONNRESET; EPROTO for what is no TLS. */
ssize_t tls_receive(struct tls *t, void *to, size_t size);
ssize_t tls_send(struct tls *t, const void *bytes, size_t length);

/*
 * After the handshake: when the first certificate of the chain ends, seconds of the wall clock;
 * INT64_MAX when that cannot be told.
 */
int64_t tls_expires_s(const struct tls *t);

#endif
