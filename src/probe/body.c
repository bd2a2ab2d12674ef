/*
 * The body of an http answer, for the probes that have to see it as a whole: it is kept while it
 * arrives, up to HTTP_BODY_MAX bytes, and for all probes together up to BODIES_MAX. Beyond that a
 * probe has no result: the lack is ours and no server's.
 */
#include "core/json_pointer.h"
#include "probe/kind.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_FIRST = 1024, BODIES_MAX = 64 << 20 };

bool
body_define(struct definition *d)
{
	char fault[PATTERN_FAULT];

	if (d->probe.regex[0] == '\0')
		return true;
	d->pattern = pattern_new(d->probe.regex, fault);
	return d->pattern != NULL;
}

bool
body_reserve(struct probe_run *run, size_t length)
{
	struct http_parser *p = &run->http.parser;
	struct engine *e = run->engine;
	size_t wanted = p->kept + length, room = p->keep_room > 0 ? p->keep_room : BODY_FIRST;
	uint8_t *body;

	if (!p->expect->whole || wanted <= p->keep_room || p->keep_room == HTTP_BODY_MAX)
		return true;
	while (room < wanted && room < HTTP_BODY_MAX)
		room *= 2;
	if (e->body_bytes + room - p->keep_room > BODIES_MAX)
		return false;
	body = realloc(run->http.body, room);
	if (body == NULL)
		return false;
	e->body_bytes += room - p->keep_room;
	run->http.body = p->keep = body;
	p->keep_room = (uint32_t)room;
	return true;
}

void
body_release(struct probe_run *run)
{
	if (run->http.body == NULL)
		return;
	run->engine->body_bytes -= run->http.parser.keep_room;
	free(run->http.body);
	run->http.body = NULL;
}

/* Also of an answer that had none. */
static const char *
body_start(const struct probe_run *run)
{
	return run->http.body != NULL ? (const char *)run->http.body : "";
}

/* What the pointer leads to; NULL: nothing. */
static const json_t *
json_at(const json_t *root, const char *pointer)
{
	char token[LIMIT_EXPECT_BODY];
	const json_t *at = root;
	size_t index;

	while (at != NULL && *pointer != '\0') {
		if (!json_pointer_next(&pointer, token, sizeof(token)))
			return NULL;
		if (json_is_array(at))
			at = json_pointer_index(token, &index) ? json_array_get(at, index) : NULL;
		else
			at = json_object_get(at, token);
	}
	return at;
}

/* A value as the configuration writes it; numbers with a fraction are compared as numbers. */
static void
json_text(const json_t *value, char *out, size_t size)
{
	static const char *const names[] = {[JSON_OBJECT] = "{", [JSON_ARRAY] = "[",
		[JSON_TRUE] = "true", [JSON_FALSE] = "false", [JSON_NULL] = "null"};

	if (value == NULL)
		snprintf(out, size, "nothing there");
	else if (json_is_string(value))
		snprintf(out, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(out, size, "%.17g", json_real_value(value));
	else
		snprintf(out, size, "%s", names[json_typeof(value)]);
}

static bool
json_equals(const json_t *value, const char *wanted)
{
	char text[2 * LIMIT_EXPECT_BODY], *end;

	if (value == NULL || json_is_object(value) || json_is_array(value))
		return false;
	if (json_is_string(value)) /* which may hold a NUL byte or be long */
		return json_string_length(value) == strlen(wanted) &&
			strcmp(json_string_value(value), wanted) == 0;
	if (json_is_real(value)) {
		double number = strtod(wanted, &end);

		return *wanted != '\0' && *end == '\0' && number <= json_real_value(value) &&
			number >= json_real_value(value);
	}
	json_text(value, text, sizeof(text));
	return strcmp(text, wanted) == 0;
}

static bool
json_expected(struct probe_run *run)
{
	const struct conf_probe *p = &run->target->definition->probe;
	const struct http_parser *parser = &run->http.parser;
	json_error_t error;
	json_t *root = json_loadb(body_start(run), parser->kept, JSON_DECODE_ANY,
		&error);
	const json_t *value;
	char text[HTTP_EVIDENCE];
	bool equal;

	if (root == NULL) {
		snprintf(run->http.said, sizeof(run->http.said), "no JSON: %.40s", error.text);
		return false;
	}
	value = json_at(root, p->json_pointer);
	equal = json_equals(value, p->json_value);
	json_text(value, text, sizeof(text));
	if (!equal)
		snprintf(run->http.said, sizeof(run->http.said), "%.30s: %.28s", p->json_pointer, text);
	json_decref(root);
	return equal;
}

bool
body_expected(struct probe_run *run)
{
	const struct definition *d = run->target->definition;
	const struct http_parser *parser = &run->http.parser;

	if (d->pattern != NULL)
		switch (pattern_match(d->pattern, body_start(run), parser->kept)) {
		case PATTERN_MATCHES:
			break;
		case PATTERN_TOO_MUCH:
			snprintf(run->http.said, sizeof(run->http.said),
				"regex: too much work for this body");
			return false;
		case PATTERN_DIFFERS:
			return false;
		}
	return !d->probe.has_json || json_expected(run);
}
