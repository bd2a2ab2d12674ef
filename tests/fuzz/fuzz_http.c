/*
 * The HTTP judge. The first byte chooses what is expected and where the answer is cut; the rest is
 * the answer. Promises: portions do not matter, a judgement stays, nothing is unjudged after the
 * close, every answer is judged within the limits, good means that the text was there. Who wants
 * the body as a whole gets the same one in any portions, and no verdict of good before its end.
 */
#include "fuzz.h"

#include "core/http.h"

#include <string.h>

static const char *const bodies[] = {"", "OK", "aab", "\r\n\r\n"};

struct verdict {
	bool judged, reusable;
	enum reason reason;
	uint16_t status;
	uint32_t kept;
};

enum { KEEP = 100 };

static struct verdict
judge(const struct http_expect *expect, const uint8_t *data, size_t size, size_t step, bool closed,
	uint8_t keep[KEEP])
{
	struct http_parser p;
	char evidence[HTTP_EVIDENCE];
	size_t at;

	http_begin(&p, expect);
	p.keep = keep;
	p.keep_room = KEEP;
	for (at = 0; at < size && p.state != HTTP_JUDGED; at += step)
		http_feed(&p, data + at, step < size - at ? step : size - at);
	if (closed)
		http_end(&p);
	http_evidence(&p, evidence);
	PROMISE(strlen(evidence) < sizeof(evidence));
	PROMISE(p.kept <= KEEP);
	return (struct verdict){p.state == HTTP_JUDGED, http_reusable(&p), p.reason, p.status, p.kept};
}

/* Any way to look at it: portions do not matter, and the close ends it. */
static void
look(const struct http_expect *expect, const uint8_t *data, size_t size)
{
	uint8_t keep[KEEP], keep_parts[KEEP];
	struct verdict whole, parts, closed;

	whole = judge(expect, data + 1, size - 1, size, false, keep);
	parts = judge(expect, data + 1, size - 1, 1 + data[0] / 4, false, keep_parts);
	PROMISE(whole.judged == parts.judged && whole.reason == parts.reason &&
		whole.status == parts.status);
	if (expect->whole)
		PROMISE(whole.kept == parts.kept && memcmp(keep, keep_parts, whole.kept) == 0);
	PROMISE(!whole.reusable || (whole.judged && parts.reusable));
	closed = judge(expect, data + 1, size - 1, size, true, keep);
	PROMISE(closed.judged);
	PROMISE(!whole.judged || (closed.reason == whole.reason && closed.status == whole.status));
	PROMISE(whole.judged || size <= HTTP_BODY_MAX);
	if (closed.reason == REASON_PROBE_OK)
		PROMISE((closed.status >= 200 && closed.status <= 204) || closed.status == 404);
	if (closed.reason == REASON_PROBE_OK && expect->body_length == 1)
		PROMISE(memchr(data + 1, expect->body[0], size - 1) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_expect expect = {.status = {{200, 204}, {404, 404}}, .status_count = 2};
	uint8_t way;

	if (size == 0)
		return 0;
	http_expect_body(&expect, bodies[data[0] % 4]);
	for (way = 0; way < 16; way++) {
		expect.whole = way & 1;
		expect.to_end = way & 2;
		expect.head = way & 4;
		strcpy(expect.header, way & 8 ? "Server: a" : "");
		look(&expect, data, size);
	}
	return 0;
}
