/* DNS of the probes: questions as they are on the wire, answers sound, wrong and hostile. */
#include "core/dns.h"

#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An answer that is put together in a test. */
struct message {
	struct writer w;
	uint8_t bytes[2048];
};

static struct dns_question
ask(const char *name, uint16_t type)
{
	struct dns_question q = {.id = 0x1234, .type = type};

	assert_true(dns_name_parse(name, &q.name));
	return q;
}

static void
begin(struct message *m, const struct dns_question *q, uint8_t rcode, uint16_t answers)
{
	m->w = writer_over(m->bytes, sizeof(m->bytes));
	writer_u16(&m->w, q->id);
	writer_u16(&m->w, (uint16_t)(0x8180 | rcode));
	writer_u16(&m->w, 1);
	writer_u16(&m->w, answers);
	writer_u32(&m->w, 0);
	writer_bytes(&m->w, q->name.bytes, q->name.length);
	writer_u16(&m->w, q->type);
	writer_u16(&m->w, 1);
}

/* A record of the name in the question. */
static void
add(struct message *m, uint16_t type, const void *data, size_t length)
{
	writer_u16(&m->w, 0xc00c);
	writer_u16(&m->w, type);
	writer_u16(&m->w, 1);
	writer_u32(&m->w, 300);
	writer_u16(&m->w, (uint16_t)length);
	writer_bytes(&m->w, data, length);
}

static struct dns_verdict
judge(const struct message *m, const struct dns_question *q, const char *answer, uint8_t rcode)
{
	struct dns_expect expect = {0};
	struct dns_verdict verdict;

	assert_true(dns_expect_parse(q->type, answer, strlen(answer), &expect));
	expect.rcode = rcode;
	dns_judge(q, &expect, m->bytes, m->w.at, &verdict);
	return verdict;
}

static void
expect_reason(const struct message *m, const struct dns_question *q, const char *answer,
	enum reason reason)
{
	assert_int_equal(judge(m, q, answer, 0).reason, reason);
}

static void
test_question_bytes(void **state)
{
	static const uint8_t wire[] = "\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x03www\x07" "example\x03"
		"com\0\0\x1c\0\x01";
	struct dns_question q = ask("www.example.com.", DNS_AAAA), root = ask(".", DNS_NS);
	uint8_t out[DNS_QUERY_MAX];

	(void)state;
	assert_int_equal(dns_query_build(&q, out, sizeof(out)), sizeof(wire) - 1);
	assert_memory_equal(out, wire, sizeof(wire) - 1);
	assert_int_equal(dns_query_build(&q, out, sizeof(wire) - 2), 0);
	assert_int_equal(dns_query_build(&root, out, sizeof(out)), 17);
}

static void
test_names(void **state)
{
	struct dns_name name;
	char text[300];

	(void)state;
	assert_false(dns_name_parse("", &name));
	assert_false(dns_name_parse("a..b", &name));
	assert_false(dns_name_parse(".a", &name));
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_true(dns_name_parse(text, &name));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(dns_name_parse(text, &name));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? 'a' : '.';
	text[253] = '\0'; /* 127 labels of one byte: 255 bytes on the wire */
	assert_true(dns_name_parse(text, &name));
	assert_int_equal(name.length, DNS_NAME_MAX);
	text[253] = '.';
	text[255] = '\0';
	assert_false(dns_name_parse(text, &name));
}

static void
test_addresses(void **state)
{
	struct dns_question q = ask("WWW.example.com", DNS_A), q6 = ask("a.b", DNS_AAAA);
	struct message m;
	struct dns_verdict v;

	(void)state;
	begin(&m, &q, 0, 2);
	add(&m, DNS_A, "\xc0\0\2\1", 4);
	add(&m, DNS_A, "\xc0\0\2\2", 4);
	expect_reason(&m, &q, "", REASON_PROBE_OK);
	expect_reason(&m, &q, "192.0.2.1", REASON_PROBE_OK);
	expect_reason(&m, &q, "192.0.2.2", REASON_PROBE_OK);
	v = judge(&m, &q, "192.0.2.3", 0);
	assert_int_equal(v.reason, REASON_DNS_ANSWER);
	assert_string_equal(v.seen, "192.0.2.1");
	m.bytes[13] = 'w'; /* servers may fold the case of the question */
	expect_reason(&m, &q, "192.0.2.2", REASON_PROBE_OK);
	begin(&m, &q, 0, 1);
	add(&m, DNS_A, "\xc0\0\2", 3);
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q6, 0, 1);
	add(&m, DNS_AAAA, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	expect_reason(&m, &q6, "2001:DB8:0::1", REASON_PROBE_OK);
	begin(&m, &q, 0, 0);
	expect_reason(&m, &q, "", REASON_PROBE_OK);
	v = judge(&m, &q, "192.0.2.1", 0);
	assert_int_equal(v.reason, REASON_DNS_ANSWER);
	assert_string_equal(v.seen, "no such record");
}

static void
test_names_and_texts(void **state)
{
	struct dns_question ns = ask("example.com", DNS_NS), mx = ask("example.com", DNS_MX);
	struct dns_question txt = ask("example.com", DNS_TXT);
	struct message m;

	(void)state;
	begin(&m, &ns, 0, 2);
	add(&m, DNS_CNAME, "\1x\0", 3); /* of another type */
	add(&m, DNS_NS, "\3NS1\xc0\x0c", 6);
	expect_reason(&m, &ns, "ns1.example.com", REASON_PROBE_OK);
	expect_reason(&m, &ns, "ns2.example.com.", REASON_DNS_ANSWER);
	assert_string_equal(judge(&m, &ns, "x", 0).seen, "NS1.example.com.");
	begin(&m, &mx, 0, 1);
	add(&m, DNS_MX, "\0\x0a\4mail\xc0\x0c", 9);
	expect_reason(&m, &mx, "mail.example.com", REASON_PROBE_OK);
	begin(&m, &mx, 0, 1);
	add(&m, DNS_MX, "\0", 1);
	expect_reason(&m, &mx, "", REASON_DNS_INVALID);
	begin(&m, &txt, 0, 1);
	add(&m, DNS_TXT, "\4v=sp\4f1 -", 10);
	expect_reason(&m, &txt, "spf1", REASON_PROBE_OK);
	expect_reason(&m, &txt, "spf2", REASON_DNS_ANSWER);
	begin(&m, &txt, 0, 1);
	add(&m, DNS_TXT, "\5v=sp", 5);
	expect_reason(&m, &txt, "", REASON_DNS_INVALID);
}

static void
test_rcodes(void **state)
{
	struct dns_question q = ask("nowhere.example", DNS_A);
	struct dns_verdict v;
	struct message m;

	(void)state;
	begin(&m, &q, 3, 0);
	v = judge(&m, &q, "", 0);
	assert_int_equal(v.reason, REASON_DNS_RCODE);
	assert_int_equal(v.rcode, 3);
	assert_string_equal(v.seen, "NXDOMAIN");
	assert_int_equal(judge(&m, &q, "", 3).reason, REASON_PROBE_OK);
	/* refused without the question */
	begin(&m, &q, 5, 0);
	m.bytes[5] = 0;
	m.w.at = 12;
	assert_int_equal(judge(&m, &q, "", 0).reason, REASON_DNS_RCODE);
	m.bytes[3] = 0x80; /* but not answered without it */
	assert_int_equal(judge(&m, &q, "", 0).reason, REASON_NONE);
}

static void
test_not_ours(void **state)
{
	struct dns_question q = ask("a.example", DNS_A), other = ask("b.example", DNS_A);
	struct message m;

	(void)state;
	begin(&m, &other, 0, 0);
	expect_reason(&m, &q, "", REASON_NONE);
	begin(&m, &q, 0, 0);
	m.bytes[0] ^= 1;
	expect_reason(&m, &q, "", REASON_NONE); /* another id */
	begin(&m, &q, 0, 0);
	m.bytes[2] &= 0x7f;
	expect_reason(&m, &q, "", REASON_NONE); /* a question: an echo of ours */
	begin(&m, &q, 0, 0);
	m.bytes[m.w.at - 3] = DNS_NS;
	expect_reason(&m, &q, "", REASON_NONE); /* of another type */
	for (size_t cut = 0; cut < 27; cut++) {
		begin(&m, &q, 0, 0);
		m.w.at = cut;
		expect_reason(&m, &q, "", REASON_NONE);
	}
}

static void
test_pointers_end(void **state)
{
	struct dns_question q = ask("a", DNS_NS);
	struct message m;

	(void)state;
	begin(&m, &q, 0, 1);
	add(&m, DNS_NS, "\xc0\x1f", 2); /* to itself: 12 + 3 + 4 + 12 = 31 */
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q, 0, 1);
	add(&m, DNS_NS, "\1b\xc0\x1f", 4); /* back to the label before it */
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q, 0, 1);
	add(&m, DNS_NS, "\xc0\x21\xc0\x1f", 4); /* forward, and back */
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q, 0, 1);
	add(&m, DNS_NS, "\xc3\xff", 2); /* beyond the end */
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q, 0, 1);
	add(&m, DNS_NS, "\x40x\0", 3); /* no length */
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
	begin(&m, &q, 0, 2); /* fewer records than it says */
	add(&m, DNS_CNAME, "\0", 1);
	expect_reason(&m, &q, "", REASON_DNS_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_bytes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_names_and_texts),
		cmocka_unit_test(test_rcodes),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_pointers_end),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
