/* Bytes in the configuration: escapes, bounds, and that what is printed is read again. */
#include "conf/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
expect_bytes(const char *text, const char *bytes, size_t length)
{
	struct conf_bytes got;

	assert_true(bytes_parse(text, &got));
	assert_int_equal(got.length, length);
	assert_memory_equal(got.bytes, bytes, length);
}

static void
test_escapes(void **state)
{
	(void)state;
	expect_bytes("", "", 0);
	expect_bytes("PING\r\n", "PING\r\n", 6);
	expect_bytes("PING\\r\\n\\t", "PING\r\n\t", 7);
	expect_bytes("\\x00\\xFf\\x5C", "\0\xff\\", 3);
	expect_bytes("\\\\x41", "\\x41", 4);
	expect_bytes("\xe4", "\xe4", 1);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = {"\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x0g", "\\R"};
	struct conf_bytes got;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bytes_parse(bad[i], &got));
}

static void
test_length(void **state)
{
	char text[LIMIT_PROBE_BYTES + 2];
	struct conf_bytes got;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[LIMIT_PROBE_BYTES] = '\0';
	assert_true(bytes_parse(text, &got));
	assert_int_equal(got.length, LIMIT_PROBE_BYTES);
	text[LIMIT_PROBE_BYTES] = 'a';
	text[LIMIT_PROBE_BYTES + 1] = '\0';
	assert_false(bytes_parse(text, &got));
}

/* As libconfig reads a text: \r, \n, \\ and \" are all that is printed. */
static void
unquote(const char *text, char *out)
{
	assert_int_equal(*text++, '"');
	while (*text != '"') {
		if (*text == '\\') {
			text++;
			*out++ = *text == 'r' ? '\r' : *text == 'n' ? '\n' : *text;
			text++;
		} else {
			*out++ = *text++;
		}
	}
	assert_int_equal(text[1], '\0');
	*out = '\0';
}

static void
test_printed_is_read_again(void **state)
{
	struct conf_bytes all = {.length = 256}, got;
	char *printed, text[2048];
	size_t size;
	FILE *to = open_memstream(&printed, &size);

	(void)state;
	for (int i = 0; i < 256; i++)
		all.bytes[i] = (uint8_t)i;
	bytes_print(&all, to);
	fclose(to);
	unquote(printed, text);
	assert_true(bytes_parse(text, &got));
	assert_memory_equal(&got, &all, sizeof(all));
	free(printed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_printed_is_read_again),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
