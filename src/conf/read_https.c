/*
 * What https adds to a probe group, and the certificates it trusts.
 *
 * The file is read here, by who may read it: the process that asks servers opens nothing. A file
 * changed on disk counts from the next reload on, as the rest of the configuration does.
 */
#include "conf/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
https_defaults(struct conf_probe *p)
{
	const struct scope s = {.keys = &keys_probe};

	p->verify = scope_bool(&s, "verify");
	p->tls_min = (uint8_t)scope_word(&s, "tls_min");
	p->expiry_warning_days = (uint16_t)scope_int(&s, "expiry_warning_days");
	p->expiry_fail = scope_bool(&s, "expiry_fail");
}

/* Number of certificates in it; 0 when there is none, or one that cannot be read. */
static unsigned
count_certificates(const void *bytes, size_t length)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)length);
	unsigned count = 0;
	unsigned long error;
	X509 *x;

	while (bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		X509_free(x);
		count++;
	}
	error = ERR_peek_last_error();
	ERR_clear_error();
	BIO_free(bio);
	return ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? count : 0;
}

/* The whole file behind what ca_bytes[] holds; -1 with errno. EFBIG: too long. */
static ssize_t
append_file(struct config *c, const char *path)
{
	size_t length = 0;
	ssize_t n = 1;
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *at;

	if (fd == -1)
		return -1;
	c->ca_bytes = realloc(c->ca_bytes, c->ca_byte_count + LIMIT_CA_FILE + 1);
	if (!c->ca_bytes)
		abort();
	at = (uint8_t *)(c->ca_bytes + c->ca_byte_count);
	while (n != 0 && length <= LIMIT_CA_FILE) {
		n = read(fd, at + length, LIMIT_CA_FILE + 1 - length);
		if (n == -1 && errno != EINTR)
			break;
		length += n > 0 ? (size_t)n : 0;
	}
	error = length > LIMIT_CA_FILE ? EFBIG : errno;
	close(fd);
	errno = error;
	return n == 0 && length <= LIMIT_CA_FILE ? (ssize_t)length : -1;
}

/* The file's row of cas[], made when it is new. */
static void
add_ca(const struct scope *s, const config_setting_t *at, const char *path)
{
	struct reader *r = s->reader;
	struct config *c = r->out;
	struct conf_ca *ca;
	ssize_t length;

	if (r->without_keys || config_find_ca(c, path))
		return;
	length = append_file(c, path);
	if (length == -1)
		scope_error(s, at, "ca_file \"%s\": %s; name the file of the certificates that signed "
			"the servers' own, or set verify = false", path, strerror(errno));
	else if (count_certificates(c->ca_bytes + c->ca_byte_count, (size_t)length) == 0)
		scope_error(s, at, "ca_file \"%s\": it is no file of certificates in PEM form "
			"(-----BEGIN CERTIFICATE-----)", path);
	else if (c->ca_count == LIMIT_CAS || c->ca_byte_count + (size_t)length > LIMIT_CA_BYTES)
		scope_error(s, at, "ca_file \"%s\": one file too many; %d files and %d bytes are the "
			"limit", path, LIMIT_CAS, LIMIT_CA_BYTES);
	c->cas = conf_grow(c->cas, c->ca_count, &r->ca_capacity, sizeof(*c->cas));
	ca = &c->cas[c->ca_count++]; /* a bad one too: it is complained of once */
	memset(ca, 0, sizeof(*ca));
	copy_text(ca->path, sizeof(ca->path), path);
	ca->first = c->ca_byte_count;
	ca->length = length > 0 ? (uint32_t)length : 0;
	c->ca_byte_count += ca->length;
}

static void
read_trust(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *file = scope_member(s, "ca_file");
	const struct scope standard = {.keys = &keys_probe};

	if (scope_member(s, "verify"))
		p->verify = scope_bool(s, "verify");
	if (!p->verify && file)
		scope_error(s, file, "ca_file has no meaning with verify = false");
	if (!p->verify) {
		memset(p->ca_file, 0, sizeof(p->ca_file));
		return;
	}
	if (file)
		scope_copy(s, "ca_file", p->ca_file, sizeof(p->ca_file));
	else if (p->ca_file[0] == '\0')
		scope_copy(&standard, "ca_file", p->ca_file, sizeof(p->ca_file));
	add_ca(s, file ? file : s->setting, p->ca_file);
}

void
read_https(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *fail = scope_member(s, "expiry_fail");

	if (scope_member(s, "sni"))
		scope_copy(s, "sni", p->sni, sizeof(p->sni));
	read_trust(s, p);
	if (scope_member(s, "tls_min"))
		p->tls_min = (uint8_t)scope_word(s, "tls_min");
	if (scope_member(s, "expiry_warning_days"))
		p->expiry_warning_days = (uint16_t)scope_int(s, "expiry_warning_days");
	if (fail)
		p->expiry_fail = scope_bool(s, "expiry_fail");
	if (p->expiry_fail && p->expiry_warning_days == 0)
		scope_error(s, fail ? fail : scope_member(s, "expiry_warning_days"),
			"expiry_fail needs expiry_warning_days above 0");
}
