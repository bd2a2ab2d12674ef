/* Requests of the control socket: what is understood, what is refused, what is not the protocol. */
#include "control/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum control_parse
parse(const char *line, struct control_request *out, char error[128])
{
	/* Exactly so many bytes on the heap: a sanitizer sees one read too many. */
	size_t n = strlen(line);
	char *copy = malloc(n + 1);
	enum control_parse parsed;

	assert_non_null(copy);
	memcpy(copy, line, n);
	copy = realloc(copy, n > 0 ? n : 1);
	parsed = control_request_parse(copy, n, out, error);
	free(copy);
	return parsed;
}

static void
understands_every_command(void **state)
{
	struct control_request r;
	char error[128];

	(void)state;
	assert_int_equal(parse("{\"command\":\"status\"}", &r, error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_STATUS);
	assert_int_equal(parse("{\"command\":\"switchover\"}", &r, error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_SWITCHOVER);
	assert_string_equal(r.router, "");
	assert_int_equal(parse(" {\"router\":\"web\", \"command\":\"switchover\"}\r", &r, error),
		CONTROL_PARSED);
	assert_string_equal(r.router, "web");
	assert_int_equal(parse("{\"command\":\"events\",\"follow\":true}", &r, error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_EVENTS);
	assert_true(r.follow);
	assert_int_equal(parse("{\"command\":\"reload\"}", &r, error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_RELOAD);
	assert_int_equal(parse("{\"command\":\"plan\",\"file\":\"/etc/a b.conf\"}", &r, error),
		CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_PLAN);
	assert_string_equal(r.file, "/etc/a b.conf");
	assert_int_equal(parse("{\"command\":\"apply\"}", &r, error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_APPLY);
	assert_string_equal(error, "");
	assert_string_equal(control_command_name(CONTROL_PLAN), "plan");
	assert_string_equal(control_command_name(CONTROL_APPLY), "apply");
	for (int i = CONTROL_STATUS; i <= CONTROL_RELOAD; i++) {
		char line[64];

		snprintf(line, sizeof(line), "{\"command\":\"%s\"}",
			control_command_name((enum control_command)i));
		assert_int_equal(parse(line, &r, error), CONTROL_PARSED);
		assert_int_equal((int)r.command, i);
	}
}

static void
understands_orders_about_servers(void **state)
{
	struct control_request r;
	char error[128];

	(void)state;
	assert_int_equal(parse("{\"command\":\"drain\",\"server\":\"http/web1\",\"for_s\":1200}", &r,
		error), CONTROL_PARSED);
	assert_int_equal(r.command, CONTROL_DRAIN);
	assert_string_equal(r.server, "http/web1");
	assert_int_equal(r.for_s, 1200);
	assert_int_equal(parse("{\"command\":\"weight\",\"server\":\"web1\",\"weight\":7}", &r, error),
		CONTROL_PARSED);
	assert_int_equal(r.weight, 7);
	assert_int_equal(parse("{\"command\":\"weight\",\"server\":\"web1\",\"weight\":null}", &r, error),
		CONTROL_PARSED);
	assert_int_equal(r.weight, -1);
	assert_int_equal(parse("{\"command\":\"add\",\"virtual\":\"http\",\"server\":\"w\","
		"\"address\":\"10.0.0.1:80\"}", &r, error), CONTROL_PARSED);
	assert_string_equal(r.virtual, "http");
	assert_string_equal(r.address, "10.0.0.1:80");
	assert_int_equal(r.weight, -1);
}

static void
refuses_orders_that_are_not_whole(void **state)
{
	static const char *const bad[] = {
		"{\"command\":\"drain\"}",
		"{\"command\":\"drain\",\"server\":\"\"}",
		"{\"command\":\"drain\",\"server\":\"a b\"}",
		"{\"command\":\"drain\",\"server\":\"a\\n\"}",
		"{\"command\":\"drain\",\"server\":7}",
		"{\"command\":\"drain\",\"server\":\"a\",\"for_s\":0}",
		"{\"command\":\"drain\",\"server\":\"a\",\"for_s\":\"20m\"}",
		"{\"command\":\"drain\",\"server\":\"a\",\"weight\":1}",
		"{\"command\":\"enable\",\"server\":\"a\",\"for_s\":5}",
		"{\"command\":\"weight\",\"server\":\"a\"}",
		"{\"command\":\"weight\",\"server\":\"a\",\"weight\":-1}",
		"{\"command\":\"weight\",\"server\":\"a\",\"weight\":65536}",
		"{\"command\":\"add\",\"server\":\"a\",\"address\":\"10.0.0.1:80\"}",
		"{\"command\":\"add\",\"virtual\":\"v\",\"address\":\"10.0.0.1:80\"}",
		"{\"command\":\"remove\"}",
	};
	struct control_request r;
	char error[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], &r, error), CONTROL_REFUSED);
		assert_string_not_equal(error, "");
	}
}

static void
refuses_with_a_reason(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{"{}", "a request needs a command"},
		{"{\"command\":7}", "a request needs a command"},
		{"{\"command\":\"drain\"}", "this command needs: server"},
		{"{\"command\":\"drill\"}", "no such command: drill"},
		{"{\"command\":\"sta\\u001b[2Jtus\"}", "no such command: sta?[2Jtus"},
		{"{\"command\":\"status\",\"router\":\"web\"}", "unknown key: router"},
		{"{\"command\":\"status\",\"follow\":true}", "unknown key: follow"},
		{"{\"command\":\"switchover\",\"router\":5}",
			"router must be the name of a virtual router"},
		{"{\"command\":\"events\",\"follow\":1}", "follow must be true or false"},
		{"{\"command\":\"plan\"}", "this command needs: file"},
		{"{\"command\":\"plan\",\"file\":7}",
			"file must be an absolute path of at most 255 bytes"},
		{"{\"command\":\"plan\",\"file\":\"tandem.conf\"}",
			"file must be an absolute path of at most 255 bytes"},
		{"{\"command\":\"apply\",\"file\":\"/f\"}", "unknown key: file"},
	};
	struct control_request r;
	char error[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].line, &r, error), CONTROL_REFUSED);
		assert_string_equal(error, cases[i].error);
	}
}

static void
bounds_the_name(void **state)
{
	char line[256], name[LIMIT_NAME + 1], error[128];
	struct control_request r;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[LIMIT_NAME - 1] = '\0';
	snprintf(line, sizeof(line), "{\"command\":\"switchover\",\"router\":\"%s\"}", name);
	assert_int_equal(parse(line, &r, error), CONTROL_PARSED);
	assert_string_equal(r.router, name);
	name[LIMIT_NAME - 1] = 'x';
	name[LIMIT_NAME] = '\0';
	snprintf(line, sizeof(line), "{\"command\":\"switchover\",\"router\":\"%s\"}", name);
	assert_int_equal(parse(line, &r, error), CONTROL_REFUSED);
}

static void
tells_garbage(void **state)
{
	static const char *const lines[] = {"", " ", "hello", "GET / HTTP/1.1", "[]", "\"status\"",
		"{\"command\":\"status\"", "{\"command\":\"status\"} x",
		"{\"command\":\"status\",\"command\":\"reload\"}", "\xff\xfe",
		"{\"command\":\"\xff\"}", "{\"command\":\"a\\u0000b\"}"};
	char deep[CONTROL_LINE_MAX + 1], error[128];
	struct control_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i], &r, error), CONTROL_GARBAGE);
		assert_true(error[0] != '\0');
		for (const char *c = error; *c; c++)
			assert_true(*c >= ' ' && *c <= '~');
	}
	memset(deep, '[', CONTROL_LINE_MAX);
	deep[CONTROL_LINE_MAX] = '\0';
	assert_int_equal(parse(deep, &r, error), CONTROL_GARBAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_every_command),
		cmocka_unit_test(understands_orders_about_servers),
		cmocka_unit_test(refuses_orders_that_are_not_whole),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(bounds_the_name),
		cmocka_unit_test(tells_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
