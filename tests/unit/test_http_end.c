/* Answers that are wanted to their end: the body as a whole, and the connection afterwards. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/http.h"

#include <string.h>

enum { OPEN = REASON_COUNT }; /* not judged yet: the prober would wait */

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

/* With whole body wanted, and perhaps the connection afterwards: the verdict falls at its end. */
struct ending {
	int reason; /* enum reason or OPEN */
	bool reusable;
	char body[64];
};

static struct ending
end_parts(const struct http_expect *expect, const char *answer, size_t step, bool closed)
{
	struct ending seen = {.reason = OPEN};
	size_t length = strlen(answer), at;
	struct http_parser p;

	http_begin(&p, expect);
	p.keep = (uint8_t *)seen.body;
	p.keep_room = sizeof(seen.body) - 1;
	for (at = 0; at < length && p.state != HTTP_JUDGED; at += step)
		http_feed(&p, answer + at, step < length - at ? step : length - at);
	if (closed && p.state != HTTP_JUDGED)
		http_end(&p);
	if (p.state == HTTP_JUDGED)
		seen.reason = (int)p.reason;
	seen.reusable = at >= length && http_reusable(&p);
	assert_int_equal(p.kept, strlen(seen.body));
	return seen;
}

static struct ending
ending_of(const char *answer, const char *text, bool to_end, bool closed)
{
	struct http_expect expect = {.whole = true, .to_end = to_end};
	struct ending whole, other;
	size_t step;

	http_expect_body(&expect, text);
	whole = end_parts(&expect, answer, strlen(answer), closed);
	for (step = 1; step < strlen(answer); step++) {
		other = end_parts(&expect, answer, step, closed);
		assert_int_equal(other.reason, whole.reason);
		assert_string_equal(other.body, whole.body);
	}
	return whole;
}

#define SIZED "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"

/* Who looks at the body gets it without its framing, when it is there and not before. */
static void
test_H20_body_as_a_whole(void **state)
{
	struct ending e = ending_of(SIZED "a{}b", "", false, false);

	(void)state;
	assert_int_equal(e.reason, REASON_PROBE_OK);
	assert_string_equal(e.body, "a{}b");
	assert_int_equal(ending_of(SIZED "a{}", "", false, false).reason, OPEN);
	assert_int_equal(ending_of(SIZED "a{}", "", false, true).reason, REASON_HTTP_CLOSED);
	assert_int_equal(ending_of(SIZED "OK-", "OK", false, false).reason, OPEN);
	assert_int_equal(ending_of(SIZED "a{}b", "OK", false, false).reason, REASON_HTTP_BODY);
	assert_int_equal(ending_of(SIZED "abOK", "OK", false, false).reason, REASON_PROBE_OK);
	e = ending_of(CHUNKED "2;x=y\r\na{\r\n2\r\n}b\r\n0\r\n", "", false, false);
	assert_int_equal(e.reason, REASON_PROBE_OK);
	assert_string_equal(e.body, "a{}b");
	e = ending_of("HTTP/1.0 200 OK\r\n\r\na{}b", "", false, true);
	assert_int_equal(e.reason, REASON_PROBE_OK);
	assert_string_equal(e.body, "a{}b");
	assert_int_equal(ending_of("HTTP/1.0 200 OK\r\n\r\na{}b", "", false, false).reason, OPEN);
	/* an interim answer takes nothing of the room */
	e = ending_of("HTTP/1.1 100 C\r\n\r\n" SIZED "a{}b", "", false, false);
	assert_string_equal(e.body, "a{}b");
	/* more than there is room for */
	e = ending_of("HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n"
		"0123456789012345678901234567890123456789012345678901234567890123456789",
		"", false, false);
	assert_int_equal(e.reason, REASON_PROBE_OK);
	assert_int_equal(strlen(e.body), 63);
}

/* The connection may be used again when nothing of the answer is left and nobody closes. */
static void
test_H18_used_again(void **state)
{
	static const struct {
		const char *answer;
		bool reusable;
	} cases[] = {
		{SIZED "a{}b", true},
		{SIZED "a{}bc", false}, /* what would it be? */
		{"HTTP/1.1 204 None\r\n\r\n", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
		{CHUNKED "1\r\na\r\n0\r\n\r\n", true},
		{CHUNKED "1\r\na\r\n0\r\nTrailer: x\r\n\r\n", true},
		{CHUNKED "1\r\na\r\n0\r\n", false},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\nconnection: x, Close\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		{"HTTP/1.1 200 OK\r\n\r\n", false},
		{"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false},
	};
	struct http_expect expect = {.to_end = true};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(ending_of(cases[i].answer, "", true, false).reusable,
			cases[i].reusable);
	expect.head = true; /* whatever its header says of a body */
	assert_true(end_parts(&expect, SIZED, strlen(SIZED), false).reusable);
	/* a server that forgets the end of the trailer is judged when it closes */
	assert_int_equal(ending_of(CHUNKED "1\r\na\r\n0\r\nX: y", "a", true, true).reason,
		REASON_PROBE_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_H20_body_as_a_whole),
		cmocka_unit_test(test_H18_used_again),
	};

	return cmocka_run_group_tests_name("http_end", tests, NULL, NULL);
}
