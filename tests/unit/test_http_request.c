/* The request of an http probe, to the byte, and what may not get into it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/http.h"

#include <string.h>

static uint16_t default_port = 80;

/* The Host line of a request to this endpoint. */
static void
expect_host(const char *address, uint16_t port, const char *host, const char *line)
{
	struct endpoint to = {.port = port};
	struct http_request request = {.path = "/", .host = host, .to = &to, .version = "1.0",
		.default_port = default_port};
	char text[HTTP_REQUEST_MAX];
	size_t length;

	assert_true(ip_addr_parse(address, &to.addr));
	length = http_request_build(&request, text, sizeof(text));
	assert_int_equal(length, strlen(text));
	assert_non_null(strstr(text, line));
}

static void
test_H19_host_header(void **state)
{
	(void)state;
	expect_host("10.0.0.1", 80, "", "\r\nHost: 10.0.0.1\r\n");
	expect_host("10.0.0.1", 8080, "", "\r\nHost: 10.0.0.1:8080\r\n");
	expect_host("10.0.0.1", 8080, "www.example.org", "\r\nHost: www.example.org\r\n");
	expect_host("fd00::1", 80, "", "\r\nHost: [fd00::1]\r\n");
	expect_host("fd00::80", 80, "", "\r\nHost: [fd00::80]\r\n");
	expect_host("fd00::1", 443, "", "\r\nHost: [fd00::1]:443\r\n");
	default_port = 443; /* https */
	expect_host("fd00::1", 443, "", "\r\nHost: [fd00::1]\r\n");
	expect_host("10.0.0.1", 80, "", "\r\nHost: 10.0.0.1:80\r\n");
	default_port = 80;
}

/* The request has one length, so that a partial write can go on where it stopped (H22). */
static void
test_H22_H23_request(void **state)
{
	struct endpoint to = {.port = 8080};
	struct http_request request = {.path = "/health?a=b", .host = "", .to = &to,
		.version = "0.1.0",
		.default_port = 80};
	char text[HTTP_REQUEST_MAX];
	size_t length, n;

	(void)state;
	assert_true(ip_addr_parse("10.88.0.21", &to.addr));
	length = http_request_build(&request, text, sizeof(text));
	assert_string_equal(text, "GET /health?a=b HTTP/1.1\r\n"
		"Host: 10.88.0.21:8080\r\n"
		"User-Agent: tandem/0.1.0\r\n"
		"Connection: close\r\n"
		"Accept-Encoding: identity\r\n"
		"\r\n");
	for (n = 0; n <= length; n++)
		assert_int_equal(http_request_build(&request, text, n), 0);
	assert_int_equal(http_request_build(&request, text, length + 1), length);
}

static void
test_request_of_every_kind(void **state)
{
	struct endpoint to = {.addr = {.family = IP_V4, .bytes = {10, 0, 0, 1}}, .port = 80};
	struct http_request request = {.path = "/", .host = "h", .to = &to, .version = "1",
		.default_port = 80, .method = "POST", .headers = "X-A: b c\nY:\n",
		.body = "{\0}", .body_length = 3, .keep_alive = true};
	static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nUser-Agent: tandem/1\r\n"
		"Connection: keep-alive\r\nAccept-Encoding: identity\r\nX-A: b c\r\nY:\r\n"
		"Content-Length: 3\r\n\r\n{\0}";
	char text[HTTP_REQUEST_MAX];

	(void)state;
	assert_int_equal(http_request_build(&request, text, sizeof(text)), sizeof(post) - 1);
	assert_memory_equal(text, post, sizeof(post));
	request = (struct http_request){.path = "/", .host = "h", .to = &to, .version = "1",
		.method = "HEAD", .http_1_0 = true};
	assert_int_not_equal(http_request_build(&request, text, sizeof(text)), 0);
	assert_string_equal(text, "HEAD / HTTP/1.0\r\nHost: h\r\nUser-Agent: tandem/1\r\n"
		"Connection: close\r\nAccept-Encoding: identity\r\n\r\n");
	request.method = "PUT"; /* a server would wait for the length */
	http_request_build(&request, text, sizeof(text));
	assert_non_null(strstr(text, "\r\nContent-Length: 0\r\n\r\n"));
}

/* What the configuration allows at most fits. */
static void
test_request_of_every_length(void **state)
{
	struct endpoint to = {.addr = {.family = IP_V4, .bytes = {10, 0, 0, 1}}, .port = 80};
	struct http_request request = {.to = &to, .version = "0.1.0", .method = "OPTIONS"};
	char path[LIMIT_PATH], host[LIMIT_PATH], headers[LIMIT_PROBE_HEADERS] = "";
	char text[HTTP_REQUEST_MAX], body[LIMIT_PROBE_BYTES] = "";
	size_t i;

	(void)state;
	memset(path, '/', sizeof(path) - 1);
	memset(host, 'h', sizeof(host) - 1);
	path[sizeof(path) - 1] = host[sizeof(host) - 1] = '\0';
	for (i = 0; i + 3 < sizeof(headers); i += 3)
		memcpy(headers + i, "X:\n", 3); /* the shortest: each line is one byte longer */
	request.path = path;
	request.host = host;
	request.headers = headers;
	request.body = body;
	request.body_length = sizeof(body);
	assert_int_not_equal(http_request_build(&request, text, sizeof(text)), 0);
}

static void
test_H24_header_fields(void **state)
{
	static const char *const bad[] = {"", ":", ": x", "X", "X Y: z", "X: a\rb", "X: a\nb",
		"X: \x7f", "X: a\x01", "\xc3\xa4: x", " X: y"};
	static const char *const taken[] = {"Host: x", "host:", "CONTENT-LENGTH: 1",
		"Transfer-Encoding: chunked", "connection: x", "User-Agent: x", "accept-encoding: x",
		"Upgrade: x", "Expect: 100-continue"};
	static const char *const good[] = {"X: y", "X:", "Authorization: Basic YTpi",
		"Hosts: x", "Content-Type: a/b", "X: \xc3\xa4", "X: a\tb"};
	struct endpoint to = {.addr = {.family = IP_V4, .bytes = {10, 0, 0, 1}}, .port = 80};
	struct http_request request = {.path = "/", .host = "", .to = &to, .version = "1"};
	char text[HTTP_REQUEST_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http_header_sound(bad[i], strlen(bad[i])));
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		assert_true(http_header_sound(taken[i], strlen(taken[i])));
		assert_true(http_header_taken(taken[i], strlen(taken[i])));
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(http_header_sound(good[i], strlen(good[i])));
		assert_false(http_header_taken(good[i], strlen(good[i])));
	}
	request.headers = "X: y\n";
	assert_int_not_equal(http_request_build(&request, text, sizeof(text)), 0);
	request.headers = "X: y\nHost: z\n"; /* whoever let it through to here */
	assert_int_equal(http_request_build(&request, text, sizeof(text)), 0);
	request.headers = "X: y\r\n";
	assert_int_equal(http_request_build(&request, text, sizeof(text)), 0);
}

static void
test_H24_no_request_splitting(void **state)
{
	static const char *bad[] = {"/a b", "/a\r\nX: y", "/a\n", "/\t", "/\x7f", "health", ""};
	struct endpoint to = {.addr = {.family = IP_V4, .bytes = {10, 0, 0, 1}}, .port = 80};
	struct http_request request = {.host = "", .to = &to, .version = "1"};
	char text[HTTP_REQUEST_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		request.path = bad[i];
		assert_int_equal(http_request_build(&request, text, sizeof(text)), 0);
	}
	request.path = "/";
	request.host = "a\r\nb";
	assert_int_equal(http_request_build(&request, text, sizeof(text)), 0);
	request.host = "a b";
	assert_int_equal(http_request_build(&request, text, sizeof(text)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_H19_host_header),
		cmocka_unit_test(test_H22_H23_request),
		cmocka_unit_test(test_request_of_every_kind),
		cmocka_unit_test(test_request_of_every_length),
		cmocka_unit_test(test_H24_header_fields),
		cmocka_unit_test(test_H24_no_request_splitting),
	};

	return cmocka_run_group_tests_name("http_request", tests, NULL, NULL);
}
