/*
 * Log lines: whatever a value holds, one line stays one line and a key stays a key. The checker
 * here is a small logfmt reader of its own, so that it does not share the writer's mistakes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/logline.h"

#include <limits.h>
#include <string.h>

/* Reads one `key=value` at *at; false at the end. A malformed line fails the test. */
static bool
next_pair(const char **at, char *key, char *value)
{
	const char *p = *at;

	if (*p == '\0')
		return false;
	while (*p != '=') {
		assert_true(*p > ' ' && *p < 0x7f && *p != '"');
		*key++ = *p++;
	}
	*key = '\0';
	if (*++p == '"') {
		for (p++; *p != '"'; p++) {
			assert_true(*p >= ' ' && *p < 0x7f);
			if (*p == '\\')
				p++;
			*value++ = *p;
		}
		p++;
	} else {
		while (*p != ' ' && *p != '\0') {
			assert_true(*p > ' ' && *p < 0x7f && *p != '"' && *p != '=');
			*value++ = *p++;
		}
	}
	*value = '\0';
	if (*p == ' ')
		p++;
	else
		assert_int_equal(*p, '\0');
	*at = p;
	return true;
}

static void
test_plain_line(void **state)
{
	struct log_line line;
	struct ip_addr a;
	struct endpoint e;

	(void)state;
	assert_true(ip_addr_parse("10.77.0.12", &a));
	assert_true(endpoint_parse("[::1]:80", &e));
	log_line_begin(&line, "role");
	log_line_text(&line, "router", "web");
	log_line_int(&line, "count", -42);
	log_line_ms(&line, "total_ms", 1204567);
	log_line_addr(&line, "peer", &a);
	log_line_endpoint(&line, "listen", &e);
	log_line_reason(&line, REASON_PEER_SILENT);
	assert_string_equal(line.text, "event=role router=web count=-42 total_ms=1.204 "
		"peer=10.77.0.12 listen=[::1]:80 reason=peer-silent");
	assert_int_equal(line.length, strlen(line.text));
	assert_false(line.cut);
}

static void
test_values_are_quoted_when_they_need_it(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "plain"}, {"", "\"\""}, {"two words", "\"two words\""},
		{"a=b", "\"a=b\""}, {"say \"hi\"", "\"say \\\"hi\\\"\""}, {"back\\slash",
		"\"back\\\\slash\""}, {"tab\there", "\"tab?here\""}, {"\x7f", "\"?\""},
		{"caf\xc3\xa9", "\"caf??\""}, {"a,b;c:d/[e]", "a,b;c:d/[e]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_line line;

		log_line_begin(&line, "x");
		log_line_text(&line, "v", cases[i].in);
		assert_int_equal(strncmp(line.text, "event=x v=", 10), 0);
		assert_string_equal(line.text + 10, cases[i].out);
	}
}

static void
test_nothing_injects_a_line_or_a_key(void **state)
{
	static const char *const hostile[] = {"x\nevent=role to=active", "x\r\nevent=y",
		"\" event=role", "\\\" event=role", "x event=role", "\\", "\"", "\x1b[2J", "%s%n"};

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct log_line line;
		const char *at = line.text;
		char key[LIMIT_LOG_LINE], value[LIMIT_LOG_LINE];

		log_line_begin(&line, "probe");
		log_line_text(&line, "detail", hostile[i]);
		log_line_int(&line, "after", 1);
		assert_null(strchr(line.text, '\n'));
		assert_null(strchr(line.text, '\r'));
		assert_true(next_pair(&at, key, value));
		assert_string_equal(key, "event");
		assert_string_equal(value, "probe");
		assert_true(next_pair(&at, key, value));
		assert_string_equal(key, "detail");
		assert_int_equal(strlen(value), strlen(hostile[i]));
		assert_true(next_pair(&at, key, value));
		assert_string_equal(key, "after");
		assert_false(next_pair(&at, key, value));
	}
}

static void
test_bytes_with_nul_and_every_value(void **state)
{
	struct log_line line;
	uint8_t bytes[256];
	char key[LIMIT_LOG_LINE], value[LIMIT_LOG_LINE];
	const char *at = line.text;

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	log_line_begin(&line, "x");
	log_line_bytes(&line, "v", bytes, sizeof(bytes));
	assert_int_equal(line.length, strlen(line.text));
	next_pair(&at, key, value);
	assert_true(next_pair(&at, key, value));
	assert_int_equal(strlen(value), 256);
	for (int i = 0; i < 256; i++)
		assert_int_equal(value[i], i >= ' ' && i < 0x7f ? i : '?');
}

static void
test_a_long_line_is_cut_and_says_so(void **state)
{
	for (size_t n = LIMIT_LOG_LINE - 20; n < LIMIT_LOG_LINE + 20; n++) {
		struct {
			struct log_line line;
			char after[8];
		} guarded;
		char value[LIMIT_LOG_LINE + 32];
		size_t whole = strlen("event=x v=") + n;

		(void)state;
		memset(guarded.after, 0x5a, sizeof(guarded.after));
		memset(value, 'a', n);
		value[n] = '\0';
		log_line_begin(&guarded.line, "x");
		log_line_text(&guarded.line, "v", value);
		assert_int_equal(guarded.line.cut, whole > LIMIT_LOG_LINE - 1);
		assert_int_equal(guarded.line.length,
			whole > LIMIT_LOG_LINE - 1 ? LIMIT_LOG_LINE - 1 : whole);
		assert_int_equal(guarded.line.text[guarded.line.length], '\0');
		log_line_int(&guarded.line, "more", 123456);
		assert_true(guarded.line.length <= LIMIT_LOG_LINE - 1);
		assert_memory_equal(guarded.after, "ZZZZZZZZ", 8);
	}
}

static void
test_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{0, "0.000"}, {999, "0.000"}, {1000, "0.001"}, {1000000, "1.000"},
		{361 * NS_PER_MS + 12 * NS_PER_US, "361.012"}, {-1500 * NS_PER_US, "-1.500"},
		{-1, "0.000"}, {INT64_MAX, "9223372036854.775"}, {INT64_MIN, "-9223372036854.775"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_line line;

		log_line_begin(&line, "x");
		log_line_ms(&line, "ms", cases[i].ns);
		assert_string_equal(line.text + strlen("event=x ms="), cases[i].text);
	}
}

static void
test_integers_at_the_ends(void **state)
{
	struct log_line line;

	(void)state;
	log_line_begin(&line, "x");
	log_line_int(&line, "a", INT64_MIN);
	log_line_int(&line, "b", INT64_MAX);
	assert_string_equal(line.text,
		"event=x a=-9223372036854775808 b=9223372036854775807");
}

static void
test_levels(void **state)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
	enum log_level level;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(log_level_parse(names[i], &level));
		assert_int_equal(level, LOG_LEVEL_ERROR + (int)i);
		assert_string_equal(log_level_name(level), names[i]);
	}
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("", &level));
}

static void
test_rate_limit(void **state)
{
	struct log_limit limit = {.every_ns = NS_PER_S, .burst = 3};
	uint64_t held = 99;
	mono now = {5 * NS_PER_S};

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(log_limit_allow(&limit, now, &held));
		assert_int_equal(held, 0);
	}
	for (int i = 0; i < 10; i++)
		assert_false(log_limit_allow(&limit, mono_add_ns(now, NS_PER_S - 1), &held));
	/* then one per every_ns, not another burst */
	assert_true(log_limit_allow(&limit, mono_add_ns(now, NS_PER_S), &held));
	assert_int_equal(held, 10);
	assert_false(log_limit_allow(&limit, mono_add_ns(now, NS_PER_S), &held));
	assert_true(log_limit_allow(&limit, mono_add_ns(now, 2 * NS_PER_S), &held));
	assert_int_equal(held, 1);
	/* a quiet while gives the burst back, and no more than that */
	now = mono_add_ns(now, 3600 * NS_PER_S);
	for (int i = 0; i < 3; i++)
		assert_true(log_limit_allow(&limit, now, &held));
	assert_false(log_limit_allow(&limit, now, &held));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_line),
		cmocka_unit_test(test_values_are_quoted_when_they_need_it),
		cmocka_unit_test(test_nothing_injects_a_line_or_a_key),
		cmocka_unit_test(test_bytes_with_nul_and_every_value),
		cmocka_unit_test(test_a_long_line_is_cut_and_says_so),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_integers_at_the_ends),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_rate_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
