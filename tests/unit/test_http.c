/*
 * The HTTP codec, case by case. Every answer is fed whole, one byte at a time and cut in two at
 * every place; the judgement must be the same.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN = REASON_COUNT }; /* not judged yet: the prober would wait */

/* What the tests know of a judgement. */
struct seen {
	int reason; /* enum reason or OPEN */
	int status;
};

static struct seen
feed_parts(const struct http_expect *expect, const char *bytes, size_t length, size_t first,
	size_t step, bool closed)
{
	struct http_parser p;
	size_t at = 0, n = first;

	http_begin(&p, expect);
	while (at < length) {
		if (n > length - at)
			n = length - at;
		if (http_feed(&p, bytes + at, n))
			break;
		at += n;
		n = step;
	}
	if (closed && p.state != HTTP_JUDGED)
		http_end(&p);
	return (struct seen){p.state == HTTP_JUDGED ? (int)p.reason : OPEN, p.status};
}

static struct seen
judge_bytes(const struct http_expect *expect, const char *bytes, size_t length, bool closed)
{
	struct seen whole = feed_parts(expect, bytes, length, length, length, closed), other;
	size_t cut;

	other = feed_parts(expect, bytes, length, 1, 1, closed);
	assert_int_equal(other.reason, whole.reason);
	assert_int_equal(other.status, whole.status);
	for (cut = 1; cut < length && length < 4096; cut++) {
		other = feed_parts(expect, bytes, length, cut, length, closed);
		assert_int_equal(other.reason, whole.reason);
		assert_int_equal(other.status, whole.status);
	}
	return whole;
}

static void
expect_make(struct http_expect *expect, const char *body)
{
	memset(expect, 0, sizeof(*expect));
	expect->status[0] = (struct http_range){200, 200};
	expect->status_count = 1;
	http_expect_body(expect, body);
}

/* With the connection still open, and with status 200 and this text expected. */
static int
open_answer(const char *answer, const char *body)
{
	struct http_expect expect;

	expect_make(&expect, body);
	return judge_bytes(&expect, answer, strlen(answer), false).reason;
}

/* The server closed after the answer. */
static int
closed_answer(const char *answer, const char *body)
{
	struct http_expect expect;

	expect_make(&expect, body);
	return judge_bytes(&expect, answer, strlen(answer), true).reason;
}

static void
test_H01_split_anywhere(void **state)
{
	(void)state; /* judge_bytes() cuts every case; here the plainest */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n", ""), OPEN);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 20", ""), OPEN);
}

static void
test_H02_no_reason_phrase(void **state)
{
	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 200\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 \r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 2000\r\n\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 20\r\n\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1  200 OK\r\n\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 -20 OK\r\n\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 099 No\r\n\r\n", ""), REASON_HTTP_INVALID);
}

static void
test_H03_bare_lf_yes_bare_cr_no(void **state)
{
	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 200 OK\nContent-Length: 2\n\nOK", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\rContent-Length: 2\r\n\r\nOK", "OK"),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", ""),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n\r\r\n", ""), REASON_HTTP_INVALID);
}

static void
test_H04_http10_body_to_close(void **state)
{
	const char *answer = "HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall is OK here";

	(void)state;
	assert_int_equal(open_answer(answer, "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(answer, "missing"), OPEN);
	assert_int_equal(closed_answer(answer, "missing"), REASON_HTTP_BODY);
	assert_int_equal(closed_answer("HTTP/1.0 200 OK\r\n\r\n", "x"), REASON_HTTP_BODY);
}

static void
test_H05_content_length(void **state)
{
	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabOK", "OK"),
		REASON_PROBE_OK);
	/* the surplus is not the body */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabOK", "OK"),
		REASON_HTTP_BODY);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabOK", "OK"),
		REASON_HTTP_BODY);
	/* too short: it fails only if the body was needed */
	assert_int_equal(closed_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "OK"),
		REASON_HTTP_CLOSED);
	assert_int_equal(closed_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nOK", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(closed_answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", ""),
		REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "OK"),
		REASON_HTTP_BODY);
}

static void
test_H06_lengths_in_conflict(void **state)
{
#define LENGTH(values) "HTTP/1.1 200 OK\r\nContent-Length: " values "\r\n\r\nOK"
	(void)state;
	assert_int_equal(open_answer(LENGTH("2\r\nContent-Length: 2"), "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(LENGTH("2, 2"), "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(LENGTH("2\r\ncontent-length: 3"), "OK"),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("2, 3"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("-2"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("+2"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("0x2"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("2 2"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH(""), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("18446744073709551618"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("9223372036854775808"), ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(LENGTH("0000000000000000000000002"), "OK"),
		REASON_PROBE_OK);
	/* Transfer-Encoding wins, in either order */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n"
		"Content-Length: 1\r\n\r\n2\r\nOK\r\n", "OK"), REASON_PROBE_OK);
	/* another coding last: up to the close */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, odd\r\n"
		"Content-Length: 1\r\n\r\n2\r\nOK\r\n", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n"
		"Content-Length: 1\r\n\r\nOK", "OK"), REASON_HTTP_BODY);
#undef LENGTH
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void
test_H07_chunked(void **state)
{
	(void)state;
	assert_int_equal(open_answer(CHUNKED "1\r\nO\r\n1\r\nK\r\n0\r\n\r\n", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "2;name=value;x=\"y;z\"\r\nOK\r\n", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "2 ; x\r\nOK\r\n", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "2  \r\nOK\r\n", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "A\r\n0123456789\r\na\r\nabcdefghOK", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "000000000000000000000002\r\nOK\r\n", "OK"),
		REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "2\nOK\n0\n\n", "OK"), REASON_PROBE_OK);
	/* the last chunk: nothing more can come, whatever the trailer says or lacks */
	assert_int_equal(open_answer(CHUNKED "2\r\nno\r\n0\r\nTrailer: OK\r\n\r\n", "OK"),
		REASON_HTTP_BODY);
	assert_int_equal(open_answer(CHUNKED "0\r\n", "OK"), REASON_HTTP_BODY);
	assert_int_equal(closed_answer(CHUNKED "2\r\nOK\r\n0\r\n", "OK"), REASON_PROBE_OK);
}

static void
test_H07_chunked_broken(void **state)
{
	(void)state;
	assert_int_equal(open_answer(CHUNKED "10000000000000000\r\nOK", "OK"),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "8000000000000000\r\nOK", "OK"),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "7fffffffffffffff\r\nOK", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer(CHUNKED "ffffffffffffffff\r\nOK", "OK"),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "\r\nOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED ";x\r\nOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "-2\r\nOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "0x2\r\nOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "2 2\r\nOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(open_answer(CHUNKED "2\rOK", "OK"), REASON_HTTP_INVALID);
	/* data that does not end where it said */
	assert_int_equal(open_answer(CHUNKED "2\r\nabOK", "OK"), REASON_HTTP_INVALID);
	assert_int_equal(closed_answer(CHUNKED "2\r\nab", "OK"), REASON_HTTP_CLOSED);
	assert_int_equal(closed_answer(CHUNKED "2\r\nab\r\n", "OK"), REASON_HTTP_CLOSED);
}

/* n interim answers, then 200. */
static int
interim_then_ok(unsigned n)
{
	char text[2048] = "";
	size_t at = 0;

	while (n-- > 0)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n");
	snprintf(text + at, sizeof(text) - at, "HTTP/1.1 200 OK\r\n\r\n");
	return open_answer(text, "");
}

static void
test_H08_interim_answers(void **state)
{
	struct http_expect any = {.status = {{100, 599}}, .status_count = 1};
	const char *upgrade = "HTTP/1.1 101 Switching\r\n\r\n";

	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
		"Content-Length: 2\r\n\r\nOK", "OK"), REASON_PROBE_OK);
	/* what an interim answer says of lengths is not about the final one */
	assert_int_equal(open_answer("HTTP/1.1 100 C\r\nContent-Length: 1\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK", "OK"), REASON_PROBE_OK);
	assert_int_equal(interim_then_ok(HTTP_INTERIM_MAX), REASON_PROBE_OK);
	assert_int_equal(interim_then_ok(HTTP_INTERIM_MAX + 1), REASON_HTTP_TOO_LARGE);
	assert_int_equal(judge_bytes(&any, upgrade, strlen(upgrade), false).reason,
		REASON_HTTP_STATUS);
	assert_int_equal(closed_answer("HTTP/1.1 100 Continue\r\n\r\n", ""), REASON_HTTP_CLOSED);
}

static void
test_H09_status_without_body(void **state)
{
	struct http_expect expect;
	const char *no_content = "HTTP/1.1 204 None\r\nContent-Length: 2\r\n\r\nOK";
	const char *not_modified = "HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK";

	(void)state;
	expect_make(&expect, "OK");
	expect.status[0] = (struct http_range){204, 304};
	assert_int_equal(judge_bytes(&expect, no_content, strlen(no_content), false).reason,
		REASON_HTTP_BODY);
	assert_int_equal(judge_bytes(&expect, not_modified, strlen(not_modified), false).reason,
		REASON_HTTP_BODY);
	http_expect_body(&expect, "");
	assert_int_equal(judge_bytes(&expect, no_content, strlen(no_content), false).reason,
		REASON_PROBE_OK);
}

static void
test_H09_head(void **state)
{
	struct http_expect expect;
	const char *answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

	(void)state;
	expect_make(&expect, "");
	expect.head = true;
	assert_int_equal(judge_bytes(&expect, answer, strlen(answer), false).reason,
		REASON_PROBE_OK);
	expect.to_end = true; /* the length is of a body that does not come */
	assert_int_equal(judge_bytes(&expect, answer, strlen(answer), false).reason,
		REASON_PROBE_OK);
}

static void
test_H10_redirect_is_a_status(void **state)
{
	struct http_expect expect;
	const char *moved = "HTTP/1.1 302 Found\r\nLocation: /other\r\n\r\n";
	struct seen seen;

	(void)state;
	expect_make(&expect, "");
	seen = judge_bytes(&expect, moved, strlen(moved), false);
	assert_int_equal(seen.reason, REASON_HTTP_STATUS);
	assert_int_equal(seen.status, 302);
	expect.status[0] = (struct http_range){300, 399};
	assert_int_equal(judge_bytes(&expect, moved, strlen(moved), false).reason,
		REASON_PROBE_OK);
}

/* 200 and `lines` header lines of `width` bytes (line end included), then the empty line. */
static int
long_header(unsigned lines, size_t width)
{
	struct http_expect expect;
	char *text = malloc(64 + lines * width + 2);
	size_t at = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
	int reason;

	while (lines-- > 0) {
		memset(text + at, 'a', width);
		memcpy(text + at, "X: ", 3);
		memcpy(text + at + width - 2, "\r\n", 2);
		at += width;
	}
	memcpy(text + at, "\r\n", 2);
	expect_make(&expect, "");
	reason = judge_bytes(&expect, text, at + 2, false).reason;
	free(text);
	return reason;
}

static void
test_H11_header_limits(void **state)
{
	(void)state;
	assert_int_equal(long_header(HTTP_LINES_MAX, 20), REASON_PROBE_OK);
	assert_int_equal(long_header(HTTP_LINES_MAX + 1, 20), REASON_HTTP_TOO_LARGE);
	assert_int_equal(long_header(1, HTTP_HEADER_MAX - 17 - 2), REASON_PROBE_OK);
	assert_int_equal(long_header(1, HTTP_HEADER_MAX - 17 - 1), REASON_HTTP_TOO_LARGE);
	assert_int_equal(long_header(1, 1000000), REASON_HTTP_TOO_LARGE);
}

static void
test_H11_every_endless_part_ends(void **state)
{
	static const char *starts[] = {"HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: ",
		"HTTP/1.1 200 OK\r\nContent-Length: ", CHUNKED, CHUNKED "1;", CHUNKED "1 ",
		"HTTP/1.1 200 OK\r\n\r\n", CHUNKED "7fffffffffffffff\r\n"};
	static const char fills[] = {'0', ' ', 'a', '\n', '\t', '\0', ':'};
	const size_t limit = HTTP_BODY_MAX + HTTP_HEADER_MAX;
	struct http_expect expect;
	size_t i, j, n;

	(void)state;
	expect_make(&expect, "never");
	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		for (j = 0; j < sizeof(fills); j++) {
			struct http_parser p;

			http_begin(&p, &expect);
			http_feed(&p, starts[i], strlen(starts[i]));
			for (n = 0; n < limit && p.state != HTTP_JUDGED; n++)
				http_feed(&p, &fills[j], 1);
			assert_int_equal(p.state, HTTP_JUDGED);
			assert_int_not_equal(p.reason, REASON_PROBE_OK);
		}
}

/* The deadline itself is the engine's; the codec must not judge a slow but right answer early. */
static void
test_H12_slow_drip(void **state)
{
	const char *answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
	struct http_expect expect;
	struct http_parser p;
	size_t i;

	(void)state;
	expect_make(&expect, "OK");
	http_begin(&p, &expect);
	for (i = 0; i + 1 < strlen(answer); i++)
		assert_false(http_feed(&p, answer + i, 1));
	assert_true(http_feed(&p, answer + i, 1));
	assert_int_equal(p.reason, REASON_PROBE_OK);
}

static void
test_H13_early_answer(void **state)
{
	(void)state; /* a whole status line is a judgement, whatever happens to the connection */
	assert_int_equal(open_answer("HTTP/1.1 400 Bad Request\r\n", ""), REASON_HTTP_STATUS);
	assert_int_equal(open_answer("HTTP/1.0 503 Busy\nX", "OK"), REASON_HTTP_STATUS);
	assert_int_equal(closed_answer("HTTP/1.1 400 Bad Req", ""), REASON_HTTP_CLOSED);
}

static void
test_H14_empty_reply(void **state)
{
	(void)state;
	assert_int_equal(open_answer("", ""), OPEN);
	assert_int_equal(closed_answer("", ""), REASON_HTTP_CLOSED);
}

static void
test_H15_other_protocols(void **state)
{
	struct http_expect expect;

	(void)state;
	expect_make(&expect, "");
	assert_int_equal(open_answer("SSH-2.0-OpenSSH_9.2\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("220 mail ESMTP\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/2.0 200 OK\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("http/1.1 200 OK\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("ICY 200 OK\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(judge_bytes(&expect, "\x15\x03\x01\x00\x02\x02\x46", 7, false).reason,
		REASON_HTTP_INVALID);
	assert_int_equal(judge_bytes(&expect, "\0\0\0", 3, false).reason, REASON_HTTP_INVALID);
	/* known at the first wrong byte, without waiting for a line end that may never come */
	assert_int_equal(open_answer("S", ""), REASON_HTTP_INVALID);
}

static void
test_H16_one_leading_empty_line(void **state)
{
	(void)state;
	assert_int_equal(open_answer("\r\nHTTP/1.1 200 OK\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("\nHTTP/1.1 200 OK\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""), REASON_HTTP_INVALID);
}

static void
test_H17_folded_lines(void **state)
{
	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\n\r\n", ""),
		REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\nabOK",
		"OK"), REASON_HTTP_BODY);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n"
		"\tchunked\r\n\r\n2\r\nOK", "OK"), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n 2\r\n\r\n", ""),
		REASON_HTTP_INVALID);
	/* nothing to continue */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n X: a\r\n\r\n", ""), REASON_HTTP_INVALID);
	/* continued without end */
	assert_int_equal(long_header(HTTP_LINES_MAX + 1, 5), REASON_HTTP_TOO_LARGE);
}

static void
test_H18_server_keeps_open(void **state)
{
	(void)state; /* judged by the framing, not by the close */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
		"Content-Length: 4\r\n\r\nnope", "OK"), REASON_HTTP_BODY);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", ""),
		REASON_PROBE_OK);
}

static void
test_H20_status_match(void **state)
{
	struct http_expect expect = {.status = {{200, 204}, {301, 301}}, .status_count = 2};
	static const int codes[] = {199, 200, 204, 205, 300, 301, 302, 999};
	static const bool good[] = {false, true, true, false, false, true, false, false};
	char text[64];
	size_t i;

	(void)state;
	for (i = 1; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 %d x\r\n\r\n", codes[i]);
		assert_int_equal(judge_bytes(&expect, text, strlen(text), false).reason,
			good[i] ? REASON_PROBE_OK : REASON_HTTP_STATUS);
	}
	expect.status_count = 0;
	assert_int_equal(judge_bytes(&expect, "HTTP/1.1 299 x\r\n\r\n", 18, false).reason,
		REASON_PROBE_OK);
	assert_int_equal(judge_bytes(&expect, "HTTP/1.1 300 x\r\n\r\n", 18, false).reason,
		REASON_HTTP_STATUS);
}

static void
test_H20_text_across_chunks(void **state)
{
	(void)state;
	assert_int_equal(open_answer(CHUNKED "3\r\naab\r\n2\r\naa\r\n3;x\r\nbab\r\n", "aabaabab"),
		REASON_PROBE_OK);
	/* a text that overlaps itself: the search must fall back, not start over */
	assert_int_equal(open_answer("HTTP/1.0 200 OK\r\n\r\naaaaaaab", "aaab"), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.0 200 OK\r\n\r\nababababac", "ababac"),
		REASON_PROBE_OK);
	assert_int_equal(closed_answer("HTTP/1.0 200 OK\r\n\r\naaaaaaaa", "aaab"),
		REASON_HTTP_BODY);
}

/* Random texts over two letters against memmem(). */
static void
test_H20_search_equals_memmem(void **state)
{
	struct http_expect expect;
	unsigned round, i;

	(void)state;
	srand(1);
	for (round = 0; round < 2000; round++) {
		char body[9] = "", answer[64 + 40] = "HTTP/1.0 200 OK\r\n\r\n";
		size_t head = strlen(answer), needle = 1 + (size_t)rand() % 8;

		for (i = 0; i < needle; i++)
			body[i] = (char)('a' + rand() % 2);
		for (i = 0; i < 40; i++)
			answer[head + i] = (char)('a' + rand() % 2);
		expect_make(&expect, body);
		assert_int_equal(
			feed_parts(&expect, answer, head + 40, 1 + round % 37, 3, true).reason,
			memmem(answer + head, 40, body, needle) != NULL ? REASON_PROBE_OK :
				REASON_HTTP_BODY);
	}
}

static void
test_H20_only_the_first_bytes_of_the_body(void **state)
{
	const char *head = "HTTP/1.1 200 OK\r\n\r\n";
	size_t start = strlen(head);
	char *text = malloc(start + HTTP_BODY_MAX + 16);
	struct http_expect expect;

	(void)state;
	expect_make(&expect, "OK");
	memcpy(text, head, start);
	memset(text + start, '.', HTTP_BODY_MAX + 16);
	memcpy(text + start + HTTP_BODY_MAX - 2, "OK", 2);
	assert_int_equal(judge_bytes(&expect, text, start + HTTP_BODY_MAX, false).reason,
		REASON_PROBE_OK);
	memmove(text + start + HTTP_BODY_MAX - 1, "OK", 2);
	text[start + HTTP_BODY_MAX - 2] = '.';
	assert_int_equal(judge_bytes(&expect, text, start + HTTP_BODY_MAX + 1, false).reason,
		REASON_HTTP_BODY);
	free(text);
}

static int
header_answer(const char *expected, const char *fields)
{
	struct http_expect expect;
	char answer[512];

	expect_make(&expect, "");
	snprintf(expect.header, sizeof(expect.header), "%s", expected);
	snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\n%s\r\n", fields);
	return judge_bytes(&expect, answer, strlen(answer), false).reason;
}

static void
test_expected_header(void **state)
{
	(void)state;
	assert_int_equal(header_answer("Content-Type: json",
		"content-type: application/json; charset=utf-8\r\n"), REASON_PROBE_OK);
	assert_int_equal(header_answer("Content-Type: json", "Content-Type: text/html\r\n"),
		REASON_HTTP_HEADER);
	assert_int_equal(header_answer("Content-Type: json", "X: json\r\n"), REASON_HTTP_HEADER);
	assert_int_equal(header_answer("Content-Type: json", "Content-Type-X: json\r\n"),
		REASON_HTTP_HEADER);
	assert_int_equal(header_answer("Content-Type: json", "Content: json\r\n"),
		REASON_HTTP_HEADER);
	assert_int_equal(header_answer("X:", "X: anything\r\n"), REASON_PROBE_OK);
	assert_int_equal(header_answer("X:", ""), REASON_HTTP_HEADER);
	/* one of several, and one that goes on */
	assert_int_equal(header_answer("Via: b", "Via: a\r\nVia: b\r\nVia: c\r\n"),
		REASON_PROBE_OK);
	assert_int_equal(header_answer("Via: a b", "Via: a\r\n b\r\n"), REASON_PROBE_OK);
	/* an interim answer's is another answer's */
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(header_answer("X: y",
		"\r\n"), REASON_HTTP_HEADER);
}

static void
test_H21_nul_bytes(void **state)
{
	static const char in_header[] =
		"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nabOK";
	static const char in_length[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\0\r\n\r\nOK";
	static const char in_body[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\0\0\0OK";
	static const char in_name[] = "HTTP/1.1 200 OK\r\nX\0: a\r\n\r\n";
	static const char in_phrase[] = "HTTP/1.1 200 O\0K\r\n\r\n";
	struct http_expect expect;

	(void)state;
	expect_make(&expect, "OK");
	assert_int_equal(judge_bytes(&expect, in_header, sizeof(in_header) - 1, false).reason,
		REASON_HTTP_BODY);
	assert_int_equal(judge_bytes(&expect, in_length, sizeof(in_length) - 1, false).reason,
		REASON_HTTP_INVALID);
	assert_int_equal(judge_bytes(&expect, in_body, sizeof(in_body) - 1, false).reason,
		REASON_PROBE_OK);
	assert_int_equal(judge_bytes(&expect, in_name, sizeof(in_name) - 1, false).reason,
		REASON_HTTP_INVALID);
	expect_make(&expect, "");
	assert_int_equal(judge_bytes(&expect, in_phrase, sizeof(in_phrase) - 1, false).reason,
		REASON_PROBE_OK);
}

static void
test_H25_bytes_after_the_verdict(void **state)
{
	const char *good = "HTTP/1.1 200 OK\r\n\r\n", *bad = "HTTP/1.1 500 No\r\n\r\n";
	struct http_expect expect;
	struct http_parser p;

	(void)state;
	expect_make(&expect, "");
	http_begin(&p, &expect);
	assert_true(http_feed(&p, good, strlen(good)));
	assert_true(http_feed(&p, bad, strlen(bad)));
	http_end(&p);
	assert_int_equal(p.reason, REASON_PROBE_OK);
	assert_int_equal(p.status, 200);
}

static void
test_header_lines_need_a_name(void **state)
{
	(void)state;
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", ""),
		REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\n: x\r\n\r\n", ""), REASON_HTTP_INVALID);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nX:\r\n\r\n", ""), REASON_PROBE_OK);
	assert_int_equal(open_answer("HTTP/1.1 200 OK\r\nX\r\n\r\n", ""), REASON_HTTP_INVALID);
}

/* The few fields that matter must not hide behind padding. */
static void
test_padded_length_is_refused(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length:%600s\r\n\r\n", "2");
	assert_int_equal(open_answer(text, "OK"), REASON_HTTP_INVALID);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length%600s2\r\n\r\n", ":");
	assert_int_equal(open_answer(text, "OK"), REASON_HTTP_INVALID);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nX:%600s\r\n\r\n", "2");
	assert_int_equal(open_answer(text, ""), REASON_PROBE_OK);
}

static void
test_evidence_is_printable(void **state)
{
	const char *busy = "HTTP/1.1 503 Busy\r\nX: \x01\xff", *page =
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<\"a\">";
	struct http_expect expect;
	struct http_parser p;
	char evidence[HTTP_EVIDENCE], garbage[200];

	(void)state;
	expect_make(&expect, "OK");
	http_begin(&p, &expect);
	http_feed(&p, busy, strlen(busy));
	http_evidence(&p, evidence);
	assert_string_equal(evidence, "HTTP/1.1 503 Busy..X: ..");
	/* a body that lacks the text shows itself, not the header */
	http_begin(&p, &expect);
	http_feed(&p, page, strlen(page));
	assert_int_equal(p.reason, REASON_HTTP_BODY);
	http_evidence(&p, evidence);
	assert_string_equal(evidence, "<\"a\">");
	/* judged at its first byte, shown with what came along */
	http_begin(&p, &expect);
	http_feed(&p, "SSH-2.0-x\r\n", 11);
	http_evidence(&p, evidence);
	assert_string_equal(evidence, "SSH-2.0-x..");
	memset(garbage, 'x', sizeof(garbage));
	memcpy(garbage, "HTTP/1.1 500 ", 13);
	http_begin(&p, &expect);
	http_feed(&p, garbage, sizeof(garbage));
	http_evidence(&p, evidence);
	assert_int_equal(strlen(evidence), HTTP_EVIDENCE - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_H01_split_anywhere),
		cmocka_unit_test(test_H02_no_reason_phrase),
		cmocka_unit_test(test_H03_bare_lf_yes_bare_cr_no),
		cmocka_unit_test(test_H04_http10_body_to_close),
		cmocka_unit_test(test_H05_content_length),
		cmocka_unit_test(test_H06_lengths_in_conflict),
		cmocka_unit_test(test_H07_chunked),
		cmocka_unit_test(test_H07_chunked_broken),
		cmocka_unit_test(test_H08_interim_answers),
		cmocka_unit_test(test_H09_status_without_body),
		cmocka_unit_test(test_H09_head),
		cmocka_unit_test(test_H10_redirect_is_a_status),
		cmocka_unit_test(test_H11_header_limits),
		cmocka_unit_test(test_H11_every_endless_part_ends),
		cmocka_unit_test(test_H12_slow_drip),
		cmocka_unit_test(test_H13_early_answer),
		cmocka_unit_test(test_H14_empty_reply),
		cmocka_unit_test(test_H15_other_protocols),
		cmocka_unit_test(test_H16_one_leading_empty_line),
		cmocka_unit_test(test_H17_folded_lines),
		cmocka_unit_test(test_H18_server_keeps_open),
		cmocka_unit_test(test_H20_status_match),
		cmocka_unit_test(test_H20_text_across_chunks),
		cmocka_unit_test(test_H20_search_equals_memmem),
		cmocka_unit_test(test_H20_only_the_first_bytes_of_the_body),
		cmocka_unit_test(test_expected_header),
		cmocka_unit_test(test_H21_nul_bytes),
		cmocka_unit_test(test_H25_bytes_after_the_verdict),
		cmocka_unit_test(test_header_lines_need_a_name),
		cmocka_unit_test(test_padded_length_is_refused),
		cmocka_unit_test(test_evidence_is_printable),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
