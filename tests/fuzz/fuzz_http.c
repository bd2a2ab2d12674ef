/*
 * The HTTP judge. The first byte chooses what is expected and where the answer is cut; the rest is
 * the answer. Promises: portions do not matter, a judgement stays, nothing is unjudged after the
 * close, every answer is judged within the limits, good means that the text was there.
 */
#include "fuzz.h"

#include "core/http.h"

#include <string.h>

static const char *const bodies[] = {"", "OK", "aab", "\r\n\r\n"};

struct verdict {
	bool judged;
	enum reason reason;
	uint16_t status;
};

static struct verdict
judge(const struct http_expect *expect, const uint8_t *data, size_t size, size_t step, bool closed)
{
	struct http_parser p;
	char evidence[HTTP_EVIDENCE];
	size_t at;

	http_begin(&p, expect);
	for (at = 0; at < size && p.state != HTTP_JUDGED; at += step)
		http_feed(&p, data + at, step < size - at ? step : size - at);
	if (closed)
		http_end(&p);
	http_evidence(&p, evidence);
	PROMISE(strlen(evidence) < sizeof(evidence));
	return (struct verdict){p.state == HTTP_JUDGED, p.reason, p.status};
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_expect expect = {.status = {{200, 204}, {404, 404}}, .status_count = 2};
	struct verdict whole, parts, closed;
	const char *body;

	if (size == 0)
		return 0;
	body = bodies[data[0] % 4];
	http_expect_body(&expect, body);
	whole = judge(&expect, data + 1, size - 1, size, false);
	parts = judge(&expect, data + 1, size - 1, 1 + data[0] / 4, false);
	PROMISE(whole.judged == parts.judged && whole.reason == parts.reason &&
		whole.status == parts.status);
	closed = judge(&expect, data + 1, size - 1, size, true);
	PROMISE(closed.judged);
	PROMISE(!whole.judged || (closed.reason == whole.reason && closed.status == whole.status));
	PROMISE(whole.judged || size <= HTTP_BODY_MAX);
	if (closed.reason == REASON_PROBE_OK)
		PROMISE((closed.status >= 200 && closed.status <= 204) || closed.status == 404);
	if (closed.reason == REASON_PROBE_OK && strlen(body) == 1)
		PROMISE(memchr(data + 1, body[0], size - 1) != NULL);
	return 0;
}
