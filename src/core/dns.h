/*
 * DNS over UDP, as a prober needs it: build one question, judge what came back (RFC 1035). Pure.
 *
 * An answer is believed when it carries the id of the question and the question itself; anything
 * else is nobody's answer. Names may be compressed; a pointer must lead strictly backwards, so
 * that no chain of them can go round.
 */
#ifndef TANDEM_CORE_DNS_H
#define TANDEM_CORE_DNS_H

#include "base/addr.h"
#include "base/reason.h"

enum {
	DNS_NAME_MAX = 255, /* bytes of a name on the wire */
	DNS_QUERY_MAX = 12 + DNS_NAME_MAX + 4,
	DNS_TEXT_MAX = 256, /* bytes of an expected text */
	DNS_SEEN = 64,      /* bytes that show what was answered, NUL included */
};

/* The types of records that can be asked for. */
enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
};

/* A name as it is on the wire, not compressed, the root's zero included. */
struct dns_name {
	uint8_t length; /* 0: none */
	uint8_t bytes[DNS_NAME_MAX];
};

struct dns_question {
	uint16_t id;
	uint16_t type; /* enum dns_type */
	struct dns_name name;
};

/* What has to be answered. */
struct dns_expect {
	uint8_t rcode;
	bool any;                   /* no record is asked for */
	struct ip_addr address;     /* for A and AAAA */
	struct dns_name name;       /* for NS, CNAME, PTR; MX: the exchange; SOA: the server */
	uint16_t text_length;       /* for TXT: part of a record's text */
	uint8_t text[DNS_TEXT_MAX];
};

struct dns_verdict {
	enum reason reason; /* NONE: no answer to this question; wait on */
	uint8_t rcode;
	char seen[DNS_SEEN]; /* the rcode's name, or the first record of the type; printable */
};

/* "www.example.com", with or without a dot at its end; "." is the root. False: no name. */
bool dns_name_parse(const char *text, struct dns_name *out);

/* Fills *out from a text of `length` bytes by the type; no bytes: any. False: not of that type. */
bool dns_expect_parse(uint16_t type, const void *text, size_t length, struct dns_expect *out);

/* A recursive question. Returns its length, 0 when it does not fit. */
size_t dns_query_build(const struct dns_question *q, uint8_t *out, size_t capacity);

/* PROBE_OK, DNS_RCODE, DNS_ANSWER, DNS_INVALID, or NONE. */
void dns_judge(const struct dns_question *q, const struct dns_expect *expect, const void *bytes,
	size_t length, struct dns_verdict *out);

/* "NOERROR" ..., or "rcode N". */
const char *dns_rcode_name(uint8_t rcode);

#endif
