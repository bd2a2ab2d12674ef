/* Internet addresses as values. See addr.h. Pure: inet_pton() and inet_ntop() only format. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t
ip_addr_size(const struct ip_addr *a)
{
	return a->family == IP_V4 ? 4 : a->family == IP_V6 ? 16 : 0;
}

bool
ip_addr_is_sound(const struct ip_addr *a)
{
	static const uint8_t zero[sizeof(a->bytes)];
	size_t used = ip_addr_size(a);

	return (used > 0 || a->family == IP_NONE) &&
		memcmp(a->bytes + used, zero, sizeof(a->bytes) - used) == 0;
}

bool
ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static int
compare_u64(const uint8_t a[8], const uint8_t b[8])
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	x = be64toh(x);
	y = be64toh(y);
	return (x > y) - (x < y);
}

int
ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = compare_u64(a->bytes, b->bytes);
	return order != 0 ? order : compare_u64(a->bytes + 8, b->bytes + 8);
}

bool
ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	size_t whole = p->length / 8;
	unsigned rest = p->length % 8;

	if (a->family == IP_NONE || a->family != p->addr.family ||
		memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || (p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool
ip_addr_is_link_local(const struct ip_addr *a)
{
	if (a->family == IP_V4)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == IP_V6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool
ip_addr_parse(const char *text, struct ip_addr *out)
{
	struct ip_addr a = {0};

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = IP_V4;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = IP_V6;
	else
		return false;
	*out = a;
	return true;
}

/* Decimal 0..max without sign, space or surplus; -1 when it is not that. */
static long
parse_decimal(const char *text, long max)
{
	long value = 0;

	if (*text == '\0' || strlen(text) > 5)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value <= max ? value : -1;
}

bool
ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t host_len = slash ? (size_t)(slash - text) : strlen(text);
	struct ip_prefix p = {0};
	long length;

	if (host_len >= sizeof(host))
		return false;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (!ip_addr_parse(host, &p.addr))
		return false;
	length = (long)ip_addr_size(&p.addr) * 8;
	if (slash)
		length = parse_decimal(slash + 1, length);
	if (length == -1)
		return false;
	p.length = (uint8_t)length;
	*out = p;
	return true;
}

bool
endpoint_parse(const char *text, struct endpoint *out)
{
	char host[ENDPOINT_TEXT];
	const char *colon = strrchr(text, ':');
	struct endpoint e = {0};
	size_t host_len;
	bool bracketed;
	long port;

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return false;
	host_len = (size_t)(colon - text);
	bracketed = host_len >= 2 && text[0] == '[' && text[host_len - 1] == ']';
	if (bracketed)
		host_len -= 2;
	memcpy(host, text + (bracketed ? 1 : 0), host_len);
	host[host_len] = '\0';
	port = parse_decimal(colon + 1, 65535);
	if (!ip_addr_parse(host, &e.addr) || bracketed != (e.addr.family == IP_V6) || port < 1)
		return false;
	e.port = (uint16_t)port;
	*out = e;
	return true;
}

/* By hand, since each http probe says whom it asks: printf takes five times as long. Returns the end. */
static char *
put_decimal(char *out, unsigned value)
{
	char digits[10];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (n > 0)
		*out++ = digits[--n];
	*out = '\0';
	return out;
}

static void
put_ipv4(char *out, const uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		out = put_decimal(out, bytes[i]);
		if (i < 3)
			*out++ = '.';
	}
}

const char *
ip_addr_format(const struct ip_addr *a, char out[ADDR_TEXT])
{
	if (a->family == IP_V4)
		put_ipv4(out, a->bytes);
	else if (a->family == IP_V6)
		inet_ntop(AF_INET6, a->bytes, out, ADDR_TEXT);
	else
		strcpy(out, "none");
	return out;
}

const char *
ip_prefix_format(const struct ip_prefix *p, char out[ADDR_TEXT])
{
	size_t used;

	ip_addr_format(&p->addr, out);
	used = strlen(out);
	snprintf(out + used, ADDR_TEXT - used, "/%u", p->length);
	return out;
}

const char *
endpoint_format(const struct endpoint *e, char out[ENDPOINT_TEXT])
{
	bool six = e->addr.family == IP_V6;
	size_t used;

	out[0] = '[';
	ip_addr_format(&e->addr, out + six);
	used = strlen(out);
	if (six)
		out[used++] = ']';
	out[used++] = ':';
	put_decimal(out + used, e->port);
	return out;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}
