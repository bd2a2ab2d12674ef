/* Names of hosts. See host.h. */
#include "conf/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 63 };

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One label; *letters: does it have one? */
static bool
label_is_sound(const char *label, size_t length, bool *letters)
{
	*letters = false;
	if (length == 0 || length > LABEL_MAX || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_letter(label[i]) && !is_digit(label[i]) && label[i] != '-')
			return false;
		*letters = *letters || is_letter(label[i]);
	}
	return true;
}

static bool
name_is_sound(const char *name, size_t length)
{
	bool letters = false;

	if (length == 0 || length >= LIMIT_HOST)
		return false;
	for (size_t at = 0; at <= length;) {
		const char *dot = memchr(name + at, '.', length - at);
		size_t end = dot ? (size_t)(dot - name) : length;

		if (!label_is_sound(name + at, end - at, &letters))
			return false;
		at = end + 1;
	}
	return letters;
}

/* 1 to 65535, in digits alone and without zeros before it. */
static bool
port_parse(const char *text, uint16_t *out)
{
	unsigned long port;
	size_t length = strlen(text);

	if (length == 0 || length > 5 || text[0] == '0' || strspn(text, "0123456789") != length)
		return false;
	port = strtoul(text, NULL, 10);
	*out = (uint16_t)port;
	return port <= UINT16_MAX;
}

bool
host_parse(const char *text, char host[LIMIT_HOST], uint16_t *port)
{
	size_t length = strcspn(text, ":");
	uint16_t number = 0;

	if (!name_is_sound(text, length))
		return false;
	if (text[length] == ':' && !port_parse(text + length + 1, &number))
		return false;
	memset(host, 0, LIMIT_HOST);
	memcpy(host, text, length);
	*port = number;
	return true;
}

const char *
host_format(const char *host, uint16_t port, char out[HOST_TEXT])
{
	if (port != 0)
		snprintf(out, HOST_TEXT, "%s:%u", host, port);
	else
		snprintf(out, HOST_TEXT, "%s", host);
	return out;
}

const char *
server_format(const struct config *c, const struct endpoint *e, uint32_t host,
	char out[SERVER_TEXT])
{
	if (host != 0)
		return host_format(conf_host(c, host)->name, e->port, out);
	return e->port != 0 ? endpoint_format(e, out) : ip_addr_format(&e->addr, out);
}

uint8_t
host_family(const struct config *c, const struct conf_virtual *v)
{
	return v->listen_count != 0 ? c->listens[v->first_listen].first.family : v->family;
}
