/*
 * Judging the answer. One state per part of the message; a header line is collected in a small
 * buffer (only the few fields that frame the body matter, and those are short) and understood when
 * it is certain that no folded line follows.
 */
#include "core/http.h"

#include <string.h>
#include <strings.h>

void
http_expect_body(struct http_expect *expect, const char *body)
{
	size_t length = strnlen(body, LIMIT_EXPECT_BODY - 1);
	uint8_t border = 0;
	size_t i;

	memset(expect->body, 0, sizeof(expect->body));
	memset(expect->border, 0, sizeof(expect->border));
	memcpy(expect->body, body, length);
	expect->body_length = (uint8_t)length;
	for (i = 1; i < length; i++) {
		while (border > 0 && body[border] != body[i])
			border = expect->border[border - 1];
		if (body[border] == body[i])
			border++;
		expect->border[i] = border;
	}
}

void
http_begin(struct http_parser *p, const struct http_expect *expect)
{
	memset(p, 0, sizeof(*p));
	p->expect = expect;
}

static void
http_judge(struct http_parser *p, enum reason reason)
{
	p->state = HTTP_JUDGED;
	p->reason = reason;
}

static void
http_sample(struct http_parser *p, const uint8_t *bytes, size_t length)
{
	size_t room = sizeof(p->sample) - p->sample_length;

	if (length > room)
		length = room;
	memcpy(p->sample + p->sample_length, bytes, length);
	p->sample_length = (uint8_t)(p->sample_length + length);
}

static bool
http_status_expected(const struct http_expect *expect, uint16_t status)
{
	uint32_t i;

	if (expect->status_count == 0)
		return status >= 200 && status <= 299;
	for (i = 0; i < expect->status_count && i < LIMIT_STATUS_RANGES; i++)
		if (status >= expect->status[i].low && status <= expect->status[i].high)
			return true;
	return false;
}

static void
http_line_begin(struct http_parser *p)
{
	p->line_length = 0;
	p->line_cut = false;
	p->folding = false;
}

static void
http_line_append(struct http_parser *p, char c)
{
	if (p->line_length < sizeof(p->line))
		p->line[p->line_length++] = c;
	else
		p->line_cut = true;
}

/* Could the line so far be the start of "HTTP/1.d ddd ..."? Says no at the first wrong byte. */
static bool
http_status_line_possible(const struct http_parser *p)
{
	static const char shape[] = "HTTP/1.d ddd ";
	size_t i;

	for (i = 0; i < p->line_length && i < sizeof(shape) - 1; i++) {
		char c = p->line[i];

		if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
			return false;
	}
	return true;
}

/* The status line is whole. */
static void
http_status_line(struct http_parser *p)
{
	if (p->line_length == 0 && !p->blank) {
		p->blank = true; /* a stray line end after an earlier answer: once (H16) */
		return;
	}
	if (p->line_length < 12) {
		http_judge(p, REASON_HTTP_INVALID);
		return;
	}
	p->closing = p->line[7] == '0';
	p->status = (uint16_t)((p->line[9] - '0') * 100 + (p->line[10] - '0') * 10 +
		(p->line[11] - '0'));
	p->state = HTTP_HEADER;
	http_line_begin(p);
	if (p->status < 100)
		http_judge(p, REASON_HTTP_INVALID);
	else if (p->status == 101 ||
	    (p->status >= 200 && !http_status_expected(p->expect, p->status)))
		http_judge(p, REASON_HTTP_STATUS); /* nobody asked for another protocol */
	else if (p->status < 200 && ++p->interim > HTTP_INTERIM_MAX)
		http_judge(p, REASON_HTTP_TOO_LARGE);
}

static bool
http_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
http_is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* One element of a Content-Length list: digits, not above 2^63 - 1. */
static bool
http_length_element(const char *text, size_t length, uint64_t *out)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*out = value;
	return length > 0;
}

/* Takes the next comma-separated element off *text, trimmed; false at the end. */
static bool
http_next_element(const char **text, size_t *left, const char **element, size_t *length)
{
	const char *comma;
	size_t n;

	if (*text == NULL)
		return false;
	comma = memchr(*text, ',', *left);
	n = comma != NULL ? (size_t)(comma - *text) : *left;
	*element = *text;
	*length = n;
	*text = comma != NULL ? comma + 1 : NULL;
	*left = comma != NULL ? *left - n - 1 : 0;
	while (*length > 0 && http_is_blank(**element)) {
		(*element)++;
		(*length)--;
	}
	while (*length > 0 && http_is_blank((*element)[*length - 1]))
		(*length)--;
	return true;
}

/* Equal values may repeat, in one line or several; different ones are an attack or a bug (H06). */
static bool
http_content_length(struct http_parser *p, const char *value, size_t left)
{
	const char *element;
	size_t length;
	uint64_t number;

	while (http_next_element(&value, &left, &element, &length)) {
		if (!http_length_element(element, length, &number))
			return false;
		if (p->sized && number != p->length)
			return false;
		p->sized = true;
		p->length = number;
	}
	return true;
}

/* "chunked" last frames the body; anything else last means up to the close. */
static void
http_transfer_encoding(struct http_parser *p, const char *value, size_t left)
{
	const char *element;
	size_t length;

	while (http_next_element(&value, &left, &element, &length)) {
		if (length == 0 || (length == 8 && strncasecmp(element, "identity", 8) == 0))
			continue;
		p->chunked = length == 7 && strncasecmp(element, "chunked", 7) == 0;
		p->other_coding = !p->chunked;
	}
}

static void
http_connection(struct http_parser *p, const char *value, size_t left)
{
	const char *element;
	size_t length;

	while (http_next_element(&value, &left, &element, &length))
		if (length == 5 && strncasecmp(element, "close", 5) == 0)
			p->closing = true;
}

/* Is this the field that has to be there, and does its value hold the text? */
static void
http_look_for(struct http_parser *p, size_t name, const char *value, size_t left)
{
	const char *wanted = p->expect->header, *colon = strchr(wanted, ':'), *text;

	if (colon == NULL || (size_t)(colon - wanted) != name ||
	    strncasecmp(p->line, wanted, name) != 0)
		return;
	for (text = colon + 1; http_is_blank(*text);)
		text++;
	p->held = p->held || memmem(value, left, text, strlen(text)) != NULL;
}

/* A header line, with the lines that continued it, is whole. */
static void
http_header_line(struct http_parser *p)
{
	const char *value;
	size_t name = 0, left;
	bool ok = true;

	while (name < p->line_length && http_is_token(p->line[name]))
		name++;
	value = p->line + name;
	left = p->line_length - name;
	while (left > 0 && http_is_blank(*value)) {
		value++;
		left--;
	}
	if (name == 0 || (left == 0 && !p->line_cut) || (left > 0 && *value != ':')) {
		http_judge(p, REASON_HTTP_INVALID);
		return;
	}
	if (left > 0) {
		value++;
		left--;
	}
	if (name == 14 && strncasecmp(p->line, "Content-Length", name) == 0)
		ok = !p->line_cut && http_content_length(p, value, left);
	else if (name == 17 && strncasecmp(p->line, "Transfer-Encoding", name) == 0) {
		ok = !p->line_cut;
		http_transfer_encoding(p, value, left);
	} else if (name == 10 && strncasecmp(p->line, "Connection", name) == 0)
		http_connection(p, value, left);
	http_look_for(p, name, value, left);
	if (!ok)
		http_judge(p, REASON_HTTP_INVALID);
}

/* An interim answer is over: the next one starts from nothing but the count of them. */
static void
http_next_answer(struct http_parser *p)
{
	struct http_parser before = {.interim = p->interim, .keep = p->keep,
		.keep_room = p->keep_room};

	http_begin(p, p->expect);
	p->interim = before.interim;
	p->keep = before.keep;
	p->keep_room = before.keep_room;
	p->blank = true;
}

/* No more of the body will come, or is looked at. */
static void
http_body_over(struct http_parser *p)
{
	http_judge(p, p->matched == p->expect->body_length ? REASON_PROBE_OK : REASON_HTTP_BODY);
}

static void
http_message_over(struct http_parser *p)
{
	p->ended = true;
	http_body_over(p);
}

/* The empty line: how is the body framed (RFC 9112 6.3), and is it wanted at all? */
static void
http_header_end(struct http_parser *p)
{
	if (p->status < 200) {
		http_next_answer(p);
		return;
	}
	if (p->expect->header[0] != '\0' && !p->held) {
		http_judge(p, REASON_HTTP_HEADER);
		return;
	}
	if (p->expect->body_length == 0 && !p->expect->whole && !p->expect->to_end) {
		http_judge(p, REASON_PROBE_OK);
		return;
	}
	p->sample_length = 0; /* from here on the body is what tells */
	p->header_bytes = 0;  /* chunk lines have the limit to themselves */
	if (p->expect->head || p->status == 204 || p->status == 304)
		http_message_over(p);
	else if (p->chunked)
		p->state = HTTP_CHUNK_SIZE;
	else if (p->other_coding || !p->sized)
		p->state = HTTP_BODY_TO_CLOSE;
	else if (p->length == 0)
		http_message_over(p);
	else
		p->state = HTTP_BODY_SIZED;
	p->left = p->length;
}

/* Line ends: CR LF, or a bare LF; a bare CR is none (H03). 1: end. 0: c belongs to the line. */
static int
http_line_end(struct http_parser *p, char c)
{
	if (p->cr) {
		p->cr = false;
		if (c == '\n')
			return 1;
		http_judge(p, REASON_HTTP_INVALID);
		return -1;
	}
	if (c == '\r') {
		p->cr = true;
		return -1;
	}
	return c == '\n';
}

static void
http_status_byte(struct http_parser *p, char c)
{
	int end = http_line_end(p, c);

	if (end == 1) {
		http_status_line(p);
	} else if (end == 0) {
		http_line_append(p, c);
		if (!http_status_line_possible(p))
			http_judge(p, REASON_HTTP_INVALID);
	}
}

static void
http_header_byte(struct http_parser *p, char c)
{
	int end;

	if (p->folding && http_is_blank(c)) {
		p->folding = false; /* continued: the line end counts as a blank (H17) */
		http_line_append(p, ' ');
		return;
	}
	if (p->folding) {
		http_header_line(p);
		http_line_begin(p);
		if (p->state == HTTP_JUDGED)
			return;
	}
	end = http_line_end(p, c);
	if (end == 0) {
		http_line_append(p, c);
	} else if (end == 1) {
		if (p->line_length == 0)
			http_header_end(p);
		else if (++p->lines > HTTP_LINES_MAX)
			http_judge(p, REASON_HTTP_TOO_LARGE);
		else
			p->folding = true;
	}
}

static int
http_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A byte of the line in front of a chunk. Its length is held like a header's. */
static void
http_chunk_line_byte(struct http_parser *p, char c)
{
	int digit = http_hex(c), end;

	if (p->state == HTTP_CHUNK_SIZE && digit >= 0 && !p->cr) {
		if (p->left > (uint64_t)INT64_MAX >> 4)
			http_judge(p, REASON_HTTP_INVALID);
		p->left = p->left << 4 | (uint64_t)digit;
		p->digits = 1;
		return;
	}
	end = http_line_end(p, c);
	if (p->state == HTTP_JUDGED)
		return;
	if (p->digits == 0) {
		http_judge(p, REASON_HTTP_INVALID);
	} else if (end == 1) {
		p->state = HTTP_CHUNK_DATA;
		p->header_bytes = 0;
		if (p->left == 0 && p->expect->to_end) {
			p->state = HTTP_TRAILER;
			http_line_begin(p);
		} else if (p->left == 0) {
			http_body_over(p); /* the last one: the text cannot come */
		}
	} else if (end == 0 && p->state != HTTP_CHUNK_EXTENSION) {
		if (c == ';')
			p->state = HTTP_CHUNK_EXTENSION;
		else if (http_is_blank(c))
			p->state = HTTP_CHUNK_PAD;
		else
			http_judge(p, REASON_HTTP_INVALID);
	}
}

static void
http_chunk_end_byte(struct http_parser *p, char c)
{
	int end = http_line_end(p, c);

	if (end == 0) {
		http_judge(p, REASON_HTTP_INVALID);
	} else if (end == 1) {
		p->state = HTTP_CHUNK_SIZE;
		p->left = 0;
		p->digits = 0;
	}
}

/* Fields after the last chunk say nothing that matters. */
static void
http_trailer_byte(struct http_parser *p, char c)
{
	int end = http_line_end(p, c);

	if (end == 0)
		http_line_append(p, c);
	else if (end == 1 && p->line_length == 0)
		http_message_over(p);
	else if (end == 1)
		http_line_begin(p);
}

static void
http_keep(struct http_parser *p, const uint8_t *bytes, size_t length)
{
	if (length > p->keep_room - p->kept)
		length = p->keep_room - p->kept;
	if (length == 0)
		return;
	memcpy(p->keep + p->kept, bytes, length);
	p->kept += (uint32_t)length;
}

/* Looks for the text; portions and chunks may cut it anywhere (H20). */
static void
http_search(struct http_parser *p, const uint8_t *bytes, size_t length)
{
	const struct http_expect *e = p->expect;
	size_t i;

	http_sample(p, bytes, length);
	http_keep(p, bytes, length);
	for (i = 0; i < length && p->matched < e->body_length; i++) {
		while (p->matched > 0 && (uint8_t)e->body[p->matched] != bytes[i])
			p->matched = e->border[p->matched - 1];
		if ((uint8_t)e->body[p->matched] == bytes[i])
			p->matched++;
	}
	p->body_bytes += (uint32_t)length;
	if ((p->matched == e->body_length && !e->whole && !e->to_end) ||
	    p->body_bytes >= HTTP_BODY_MAX)
		http_body_over(p);
}

/* Body bytes in one go; returns how many belonged to it. */
static size_t
http_body_bytes(struct http_parser *p, const uint8_t *bytes, size_t length)
{
	bool framed = p->state != HTTP_BODY_TO_CLOSE;

	if (framed && length > p->left)
		length = (size_t)p->left;
	if (length > HTTP_BODY_MAX - p->body_bytes)
		length = HTTP_BODY_MAX - p->body_bytes;
	http_search(p, bytes, length);
	if (!framed || p->state == HTTP_JUDGED)
		return length;
	p->left -= length;
	if (p->left == 0 && p->state == HTTP_CHUNK_DATA)
		p->state = HTTP_CHUNK_END;
	else if (p->left == 0)
		http_message_over(p);
	return length;
}

/* A byte of anything but the body. */
static void
http_frame_byte(struct http_parser *p, uint8_t byte)
{
	char c = (char)byte;

	if (++p->header_bytes > HTTP_HEADER_MAX) {
		http_judge(p, REASON_HTTP_TOO_LARGE);
		return;
	}
	switch (p->state) {
	case HTTP_STATUS_LINE:
		http_sample(p, &byte, 1);
		http_status_byte(p, c);
		break;
	case HTTP_HEADER:
		http_sample(p, &byte, 1);
		http_header_byte(p, c);
		break;
	case HTTP_CHUNK_SIZE:
	case HTTP_CHUNK_PAD:
	case HTTP_CHUNK_EXTENSION:
		http_chunk_line_byte(p, c);
		break;
	case HTTP_CHUNK_END:
		http_chunk_end_byte(p, c);
		break;
	case HTTP_TRAILER:
		http_trailer_byte(p, c);
		break;
	case HTTP_BODY_SIZED:
	case HTTP_BODY_TO_CLOSE:
	case HTTP_CHUNK_DATA:
	case HTTP_JUDGED:
		break;
	}
}

bool
http_feed(struct http_parser *p, const void *bytes, size_t length)
{
	const uint8_t *at = bytes, *end = at + length;

	while (at < end && p->state != HTTP_JUDGED) {
		if (p->state == HTTP_BODY_SIZED || p->state == HTTP_BODY_TO_CLOSE ||
		    p->state == HTTP_CHUNK_DATA)
			at += http_body_bytes(p, at, (size_t)(end - at));
		else
			http_frame_byte(p, *at++);
		/* nobody will look at the rest, but who reads the log wants to see it */
		if (p->state == HTTP_JUDGED && p->reason != REASON_HTTP_BODY && !p->ended)
			http_sample(p, at, (size_t)(end - at));
	}
	p->surplus = p->surplus || at < end;
	return p->state == HTTP_JUDGED;
}

bool
http_reusable(const struct http_parser *p)
{
	return p->state == HTTP_JUDGED && p->ended && !p->closing && !p->surplus;
}

void
http_end(struct http_parser *p)
{
	if (p->state == HTTP_BODY_TO_CLOSE || p->state == HTTP_TRAILER)
		http_body_over(p);
	else if (p->state != HTTP_JUDGED)
		http_judge(p, REASON_HTTP_CLOSED);
}

void
http_evidence(const struct http_parser *p, char out[HTTP_EVIDENCE])
{
	size_t i;

	for (i = 0; i < p->sample_length; i++)
		out[i] = p->sample[i] >= ' ' && p->sample[i] < 0x7f ? (char)p->sample[i] : '.';
	out[i] = '\0';
}
