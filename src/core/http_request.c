/* Writing the request. See http.h. */
#include "core/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Would this text change the shape of the request? */
static bool
http_text_safe(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool
http_is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static size_t
http_name_length(const char *field, size_t length)
{
	size_t n = 0;

	while (n < length && http_is_name_byte(field[n]))
		n++;
	return n;
}

bool
http_header_sound(const char *field, size_t length)
{
	size_t name = http_name_length(field, length), i;

	if (name == 0 || name == length || field[name] != ':')
		return false;
	for (i = name + 1; i < length; i++)
		if (((unsigned char)field[i] < ' ' && field[i] != '\t') || field[i] == 0x7f)
			return false;
	return true;
}

bool
http_header_taken(const char *field, size_t length)
{
	static const char *const taken[] = {"Host", "User-Agent", "Connection", "Accept-Encoding",
		"Content-Length", "Transfer-Encoding", "Keep-Alive", "TE", "Trailer", "Upgrade",
		"Expect"};
	size_t name = http_name_length(field, length), i;

	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (strlen(taken[i]) == name && strncasecmp(field, taken[i], name) == 0)
			return true;
	return false;
}

/* The Host value: IPv6 in brackets, the port only when it is not the default (H19). */
static void
http_host_text(const struct endpoint *to, uint16_t default_port, char out[ENDPOINT_TEXT])
{
	endpoint_format(to, out);
	if (to->port == default_port)
		*strrchr(out, ':') = '\0';
}

/* What is being written; length beyond capacity: it did not fit, or may not be sent. */
struct http_text {
	char *out;
	size_t capacity, length;
};

static void
http_put(struct http_text *t, const void *bytes, size_t length)
{
	if (t->length > t->capacity || length > t->capacity - t->length) {
		t->length = t->capacity + 1;
		return;
	}
	memcpy(t->out + t->length, bytes, length);
	t->length += length;
}

static void
http_put_texts(struct http_text *t, const char *a, const char *b, const char *c)
{
	http_put(t, a, strlen(a));
	http_put(t, b, strlen(b));
	http_put(t, c, strlen(c));
}

/* The caller's own lines. */
static void
http_put_headers(struct http_text *t, const char *lines)
{
	const char *end;

	for (; lines != NULL && (end = strchr(lines, '\n')) != NULL; lines = end + 1) {
		size_t length = (size_t)(end - lines);

		if (!http_header_sound(lines, length) || http_header_taken(lines, length))
			t->length = t->capacity + 1;
		http_put(t, lines, length);
		http_put(t, "\r\n", 2);
	}
}

/* A length is said where there is a body, and where a server would wait for one. */
static void
http_put_length(struct http_text *t, const struct http_request *request, const char *method)
{
	bool usual = method[0] == 'P'; /* POST, PUT, PATCH: RFC 9110 8.6 */
	char number[24];

	if (request->body_length == 0 && !usual)
		return;
	snprintf(number, sizeof(number), "%zu", request->body_length);
	http_put_texts(t, "Content-Length: ", number, "\r\n");
}

size_t
http_request_build(const struct http_request *request, char *out, size_t capacity)
{
	const char *method = request->method != NULL ? request->method : "GET";
	struct http_text t = {.out = out, .capacity = capacity};
	char host[ENDPOINT_TEXT];

	if (request->path[0] != '/' || !http_text_safe(request->path) ||
	    !http_text_safe(request->host) || !http_text_safe(method))
		return 0;
	http_host_text(request->to, request->default_port, host);
	http_put_texts(&t, method, " ", request->path);
	http_put_texts(&t, " HTTP/1.", request->http_1_0 ? "0" : "1", "\r\nHost: ");
	http_put_texts(&t, request->host[0] != '\0' ? request->host : host,
		"\r\nUser-Agent: tandem/", request->version);
	http_put_texts(&t, "\r\nConnection: ", request->keep_alive ? "keep-alive" : "close",
		"\r\nAccept-Encoding: identity\r\n");
	http_put_headers(&t, request->headers);
	http_put_length(&t, request, method);
	http_put(&t, "\r\n", 2);
	if (request->body_length > 0)
		http_put(&t, request->body, request->body_length);
	if (t.length >= capacity)
		return 0;
	out[t.length] = '\0'; /* for who reads it as a text */
	return t.length;
}
