/* Ranges of addresses and ports. See listen.h. */
#include "conf/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART = 64 };

/* 0..65535 in decimal, nothing else. */
static bool
parse_port(const char *text, uint16_t *out)
{
	unsigned long v = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n] != '\0')
		return false;
	v = strtoul(text, NULL, 10);
	if (v > UINT16_MAX)
		return false;
	*out = (uint16_t)v;
	return true;
}

/* IPv6 in brackets, IPv4 without. */
static bool
parse_host(char *text, struct ip_addr *out)
{
	size_t n = strlen(text);
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

	if (brackets) {
		text[n - 1] = '\0';
		text++;
	}
	return ip_addr_parse(text, out) && (out->family == IP_V6) == brackets;
}

/* "a-b" to two parts; "a" to the same part twice. */
static bool
split(const char *text, size_t length, char first[PART], char last[PART])
{
	const char *dash = memchr(text, '-', length);
	size_t n = dash ? (size_t)(dash - text) : length;
	const char *second = dash ? dash + 1 : text;
	size_t m = dash ? length - n - 1 : length;

	if (n == 0 || m == 0 || n >= PART || m >= PART)
		return false;
	memcpy(first, text, n);
	first[n] = '\0';
	memcpy(last, second, m);
	last[m] = '\0';
	return true;
}

bool
listen_parse(const char *text, struct conf_listen *out)
{
	const char *colon = strrchr(text, ':');
	struct conf_listen l;
	char first[PART], last[PART];

	memset(&l, 0, sizeof(l));
	if (!colon || !split(text, (size_t)(colon - text), first, last) ||
		!parse_host(first, &l.first) || !parse_host(last, &l.last) ||
		!split(colon + 1, strlen(colon + 1), first, last) ||
		!parse_port(first, &l.port_low) || !parse_port(last, &l.port_high))
		return false;
	if (l.first.family != l.last.family || ip_addr_compare(&l.first, &l.last) > 0 ||
		l.port_low > l.port_high || (l.port_low == 0 && l.port_high != 0))
		return false;
	*out = l;
	return true;
}

const char *
listen_format(const struct conf_listen *l, char out[LISTEN_TEXT])
{
	const char *open = l->first.family == IP_V6 ? "[" : "", *close = *open ? "]" : "";
	char first[ADDR_TEXT], last[ADDR_TEXT];
	int n = snprintf(out, LISTEN_TEXT, "%s%s%s", open, ip_addr_format(&l->first, first), close);

	if (!ip_addr_equal(&l->first, &l->last))
		n += snprintf(out + n, (size_t)(LISTEN_TEXT - n), "-%s%s%s", open,
			ip_addr_format(&l->last, last), close);
	n += snprintf(out + n, (size_t)(LISTEN_TEXT - n), ":%u", l->port_low);
	if (l->port_high != l->port_low)
		snprintf(out + n, (size_t)(LISTEN_TEXT - n), "-%u", l->port_high);
	return out;
}

/* The last eight bytes of an address as a number: ranges that differ before them are too long. */
static uint64_t
low_bits(const struct ip_addr *a)
{
	size_t size = ip_addr_size(a);
	uint64_t v = 0;

	for (size_t i = size > 8 ? size - 8 : 0; i < size; i++)
		v = v << 8 | a->bytes[i];
	return v;
}

uint32_t
listen_count(const struct conf_listen *l)
{
	uint64_t ports = (uint64_t)l->port_high - l->port_low + 1;
	uint64_t beyond = low_bits(&l->last) - low_bits(&l->first);

	if (l->first.family == IP_V6 && memcmp(l->first.bytes, l->last.bytes, 8) != 0)
		return UINT32_MAX;
	if (beyond >= LIMIT_LISTENS || (beyond + 1) * ports > LIMIT_LISTENS)
		return UINT32_MAX;
	return (uint32_t)((beyond + 1) * ports);
}

struct endpoint
listen_at(const struct conf_listen *l, uint32_t i)
{
	uint32_t ports = (uint32_t)l->port_high - l->port_low + 1, carry = i / ports;
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	e.addr = l->first;
	e.port = (uint16_t)(l->port_low + i % ports);
	for (size_t at = ip_addr_size(&e.addr); at-- > 0 && carry != 0; carry >>= 8) {
		carry += e.addr.bytes[at];
		e.addr.bytes[at] = (uint8_t)carry;
	}
	return e;
}
