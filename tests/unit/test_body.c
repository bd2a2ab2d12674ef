/* What a probe makes of the body of an answer: patterns on a budget, values of JSON. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "probe/kind.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct world {
	struct engine engine;
	struct definition definition;
	struct target target;
	struct probe_run run;
};

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	w->target.definition = &w->definition;
	w->run.target = &w->target;
	w->run.engine = &w->engine;
	w->definition.expect.whole = true;
	http_begin(&w->run.http.parser, &w->definition.expect);
	return w;
}

static void
world_free(struct world *w)
{
	body_release(&w->run);
	assert_int_equal(w->engine.body_bytes, 0);
	pattern_free(w->definition.pattern);
	free(w);
}

/* The body of these bytes, kept as an answer's is. */
static void
keep_body(struct world *w, const void *body, size_t length)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	size_t at, n;

	http_feed(&w->run.http.parser, head, sizeof(head) - 1);
	for (at = 0; at < length; at += n) {
		n = length - at < 1000 ? length - at : 1000;
		assert_true(body_reserve(&w->run, n));
		http_feed(&w->run.http.parser, (const char *)body + at, n);
	}
	http_end(&w->run.http.parser);
	assert_int_equal(w->run.http.parser.kept, length < HTTP_BODY_MAX ? length : HTTP_BODY_MAX);
}

static bool
holds(const char *regex, const char *pointer, const char *value, const void *body, size_t length,
	char said[HTTP_EVIDENCE])
{
	struct world *w = world_new();
	bool good;

	strcpy(w->definition.probe.regex, regex);
	w->definition.probe.has_json = pointer != NULL;
	if (pointer != NULL) {
		strcpy(w->definition.probe.json_pointer, pointer);
		strcpy(w->definition.probe.json_value, value);
	}
	assert_true(body_define(&w->definition));
	keep_body(w, body, length);
	good = body_expected(&w->run);
	if (said != NULL)
		memcpy(said, w->run.http.said, HTTP_EVIDENCE);
	world_free(w);
	return good;
}

static bool
matches(const char *regex, const char *body)
{
	return holds(regex, NULL, NULL, body, strlen(body), NULL);
}

static void
test_patterns(void **state)
{
	(void)state;
	assert_true(matches("^all (is|are) well$", "all is well"));
	assert_false(matches("^all (is|are) well$", "all was well"));
	assert_true(matches("(?i)status:\\s*up", "x Status: \t UP y"));
	assert_true(matches("a.c", "a\xffg a\xff" "c")); /* bytes, not UTF-8 */
	assert_true(matches("(\\d+)-\\1", "12-34 56-56"));
	assert_false(matches("x", ""));
	assert_true(matches("^$", ""));
	assert_true(holds("a\\x00b", NULL, NULL, "xa\0b", 4, NULL));
	assert_false(holds("b", NULL, NULL, "a\0c", 3, NULL));
}

static void
test_patterns_that_are_none(void **state)
{
	static const char *const bad[] = {"(", "a)", "[a", "a**", "(?<n>a)(?<n>b)", "\\", "*a",
		"(?z)", "a{2,1}", "\\C", "(*UTF)a", "(*UCP)a",
		"((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
		"((a{1,1000}){1,1000}){1,1000}"};
	char fault[PATTERN_FAULT];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(fault, 0, sizeof(fault));
		assert_null(pattern_new(bad[i], fault));
		assert_true(strlen(fault) > 10 && strlen(fault) < sizeof(fault));
	}
	assert_null(pattern_new("ab(", fault));
	assert_string_equal(fault, "missing closing parenthesis (at character 4)");
}

static double
processor_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Bodies made for the pattern: neither may hold the prober up. */
static void
test_patterns_on_a_budget(void **state)
{
	static const struct {
		const char *regex, *fill;
	} cases[] = {
		{"(a*)*b", "a"}, {"(a|aa)+$", "a"}, {"a.*[bc]", "a"}, {"[^b]*b", "a"},
		{"(x+x+)+y", "x"}, {"(.*)(.*)(.*)(.*)(.*)[0]", "a"}, {"\"s\":[^}]*}", "\"s\":"},
		{"(?:a?){60}a{60}b", "a"}, {"^(([a-z])+.)+[A-Z]([a-z])+$", "a"},
		{"(?=(a+))a*b\\1", "a"}, {"(?R)?a", "a"}, {"a(?R)?b", "a"}, {"(\\w+\\s?)*x$", "ab "},
	};
	char *body = malloc(HTTP_BODY_MAX), said[HTTP_EVIDENCE];
	double worst = 0, before;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t at = 0; at < HTTP_BODY_MAX; at++)
			body[at] = cases[i].fill[at % strlen(cases[i].fill)];
		before = processor_ms();
		holds(cases[i].regex, NULL, NULL, body, HTTP_BODY_MAX, said);
		if (processor_ms() - before > worst)
			worst = processor_ms() - before;
	}
	print_message("the dearest pattern took %.1f ms\n", worst);
	assert_true(worst < (TANDEM_SANITIZERS ? 2000 : 200));
	memset(body, 'a', HTTP_BODY_MAX);
	assert_false(holds("(a*)*b|.*[bc]", NULL, NULL, body, HTTP_BODY_MAX, said));
	assert_string_equal(said, "regex: too much work for this body");
	/* an honest one over as much has enough */
	memcpy(body + HTTP_BODY_MAX - 20, "\"status\": \"UP\"", 14);
	assert_true(holds("\"status\":\\s*\"UP", NULL, NULL, body, HTTP_BODY_MAX, said));
	memcpy(body + HTTP_BODY_MAX - 20, "ten words, then: end", 20);
	assert_true(holds("\\bthen: end$", NULL, NULL, body, HTTP_BODY_MAX, said));
	free(body);
}

static bool
json(const char *pointer, const char *value, const char *body)
{
	return holds("", pointer, value, body, strlen(body), NULL);
}

static void
test_json_values(void **state)
{
	static const char body[] = "{\"status\":\"UP\",\"n\":3,\"neg\":-7,\"x\":1.50,\"t\":true,"
		"\"f\":false,\"z\":null,\"a/b\":\"s\",\"m~n\":\"t\",\"\":\"empty\","
		"\"list\":[{\"state\":\"ok\"},5],\"big\":9007199254740993,\"o\":{}}";

	(void)state;
	assert_true(json("/status", "UP", body));
	assert_false(json("/status", "up", body));
	assert_false(json("/status", "UP ", body));
	assert_true(json("/n", "3", body));
	assert_false(json("/n", "3.0", body));
	assert_true(json("/neg", "-7", body));
	assert_true(json("/x", "1.5", body) && json("/x", "1.50", body));
	assert_false(json("/x", "1.51", body) || json("/x", "", body) || json("/x", "1.5x", body));
	assert_true(json("/t", "true", body) && json("/f", "false", body) && json("/z", "null", body));
	assert_false(json("/t", "false", body) || json("/z", "", body));
	assert_true(json("/big", "9007199254740993", body));
	assert_true(json("/a~1b", "s", body) && json("/m~0n", "t", body));
	assert_true(json("/", "empty", body));
	assert_true(json("/list/0/state", "ok", body) && json("/list/1", "5", body));
	assert_false(json("/list/2", "5", body) || json("/list/-", "5", body));
	assert_false(json("/list/01", "5", body) || json("/list/a", "5", body));
	assert_false(json("/status/x", "UP", body) || json("/nothing", "", body));
	assert_false(json("/o", "{", body) || json("/list", "[", body) || json("", "{", body));
	assert_true(json("", "UP", "\"UP\"") && json("", "5", " 5 "));
}

static void
test_json_of_strangers(void **state)
{
	static const char *const bodies[] = {"", " ", "{", "{\"status\":", "<html>", "[1,2", "nul",
		"{\"status\":\"UP\"} x", "\"\xff\"", "{\"status\":\"\\u0000\"}", "{\"status\":1e999}",
		"{\"status\":99999999999999999999999}", "{'status':'UP'}"};
	char *deep = malloc(HTTP_BODY_MAX), said[HTTP_EVIDENCE];

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_false(holds("", "/status", "UP", bodies[i], strlen(bodies[i]), said));
		assert_memory_equal(said, "no JSON: ", 9);
	}
	for (const char *fill = "[{\"0-"; *fill != '\0'; fill++) {
		memset(deep, *fill, HTTP_BODY_MAX);
		assert_false(holds("", "/0/0/0/0/0", "UP", deep, HTTP_BODY_MAX, said));
	}
	memset(deep, 'x', HTTP_BODY_MAX); /* a text longer than any value */
	deep[0] = deep[HTTP_BODY_MAX - 1] = '"';
	assert_false(holds("", "", "xxx", deep, HTTP_BODY_MAX, said));
	assert_int_equal(strlen(said), 30);
	holds("", "/status", "UP", "{\"status\":\"DOWN\"}", 17, said);
	assert_string_equal(said, "/status: DOWN");
	holds("", "/status", "UP", "{\"state\":1}", 11, said);
	assert_string_equal(said, "/status: nothing there");
	free(deep);
}

static void
test_both_must_hold(void **state)
{
	const char *body = "{\"status\":\"UP\"}";

	(void)state;
	assert_true(holds("status", "/status", "UP", body, strlen(body), NULL));
	assert_false(holds("stratus", "/status", "UP", body, strlen(body), NULL));
	assert_false(holds("status", "/status", "DOWN", body, strlen(body), NULL));
}

/* 64 MiB for all bodies together: the next one has none, and says so. */
static void
test_room_for_all_is_bounded(void **state)
{
	enum { RUNS = 1100 };
	struct world *w[RUNS];
	char *body = calloc(1, HTTP_BODY_MAX);
	struct engine *engine;
	size_t i, refused = 0;

	(void)state;
	for (i = 0; i < RUNS; i++) {
		w[i] = world_new();
		w[i]->run.engine = &w[0]->engine;
		http_feed(&w[i]->run.http.parser, "HTTP/1.1 200 OK\r\n\r\n", 19);
		refused += !body_reserve(&w[i]->run, HTTP_BODY_MAX);
	}
	engine = &w[0]->engine;
	assert_int_equal(engine->body_bytes, 64 << 20);
	assert_int_equal(refused, RUNS - 1024);
	for (i = RUNS; i-- > 1;)
		body_release(&w[i]->run);
	assert_int_equal(engine->body_bytes, HTTP_BODY_MAX);
	for (i = RUNS; i-- > 0;)
		world_free(w[i]);
	free(body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_patterns_that_are_none),
		cmocka_unit_test(test_patterns_on_a_budget),
		cmocka_unit_test(test_json_values),
		cmocka_unit_test(test_json_of_strangers),
		cmocka_unit_test(test_both_must_hold),
		cmocka_unit_test(test_room_for_all_is_bounded),
	};

	return cmocka_run_group_tests_name("body", tests, NULL, NULL);
}
