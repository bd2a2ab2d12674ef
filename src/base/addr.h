/*
 * Internet addresses as plain values: an address with its family, a prefix, an endpoint.
 * Bytes are in network order and unused bytes are zero, so that values compare with memcmp().
 */
#ifndef TANDEM_BASE_ADDR_H
#define TANDEM_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip_addr {
	uint8_t family; /* enum ip_family */
	uint8_t bytes[16];
};

struct ip_prefix {
	struct ip_addr addr; /* host bits kept */
	uint8_t length;      /* 0..32 or 0..128 */
};

struct endpoint {
	struct ip_addr addr;
	uint16_t port; /* host order */
};

enum {
	ADDR_TEXT = 46 + 4,     /* longest "address/length" with NUL */
	ENDPOINT_TEXT = 46 + 8, /* longest "[address]:port" with NUL */
};

/* Bytes of an address of this family: 4 or 16; 0 for IP_NONE. */
size_t ip_addr_size(const struct ip_addr *a);
/* Of a known family or none, and zero in the bytes that it does not use? */
bool ip_addr_is_sound(const struct ip_addr *a);
bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b);
/* Family first, then unsigned bytes in network order (RFC 9568 6.4.3 compares so). <0, 0, >0. */
int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b);
/* Is the address in the prefix, whatever the prefix's host bits? Never in one of another family. */
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
/* fe80::/10 or 169.254.0.0/16 */
bool ip_addr_is_link_local(const struct ip_addr *a);

/* Parse exact text; false leaves *out untouched. No names, no zone, no leading or trailing space. */
bool ip_addr_parse(const char *text, struct ip_addr *out);
/* "address/length"; without "/length" the whole address (32 or 128). */
bool ip_prefix_parse(const char *text, struct ip_prefix *out);
/* "a.b.c.d:port" or "[v6]:port", port 1..65535. */
bool endpoint_parse(const char *text, struct endpoint *out);

/* Print into the caller's buffer; return it. */
const char *ip_addr_format(const struct ip_addr *a, char out[ADDR_TEXT]);
const char *ip_prefix_format(const struct ip_prefix *p, char out[ADDR_TEXT]);
const char *endpoint_format(const struct endpoint *e, char out[ENDPOINT_TEXT]);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
