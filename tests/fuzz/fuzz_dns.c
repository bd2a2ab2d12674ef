/*
 * The judge of DNS answers, as a socket feeds it: the first byte chooses the type that was asked for,
 * the id of the question is that of the message. Promises: it ends, what it shows is printable, and
 * a verdict has a reason.
 */
#include "fuzz.h"

#include "core/dns.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {
		DNS_A, DNS_NS, DNS_CNAME, DNS_SOA, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA};
	static const char *const wanted[] = {
		"192.0.2.1", "ns.a.b", "c.a.b", "s.a.b", "p.a.b", "m.a.b", "text", "2001:db8::1"};
	struct dns_expect expect = {0};
	struct dns_verdict verdict;
	struct dns_question q = {0};
	unsigned which;
	size_t i;

	if (size < 3)
		return 0;
	which = data[0] % 8;
	q.type = types[which];
	q.id = (uint16_t)(data[1] << 8 | data[2]);
	PROMISE(dns_name_parse("a.b", &q.name));
	PROMISE(dns_expect_parse(q.type, wanted[which], strlen(wanted[which]), &expect));
	dns_judge(&q, &expect, data + 1, size - 1, &verdict);
	PROMISE(memchr(verdict.seen, '\0', sizeof(verdict.seen)) != NULL);
	for (i = 0; verdict.seen[i] != '\0'; i++)
		PROMISE(verdict.seen[i] >= ' ' && verdict.seen[i] < 0x7f);
	PROMISE(verdict.reason == REASON_NONE || verdict.reason == REASON_PROBE_OK ||
		verdict.reason == REASON_DNS_RCODE || verdict.reason == REASON_DNS_ANSWER ||
		verdict.reason == REASON_DNS_INVALID);
	PROMISE(verdict.reason != REASON_PROBE_OK || size - 1 >= 12 + 5 + 4);
	return 0;
}
