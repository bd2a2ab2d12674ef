/* JSON pointers: the cases of RFC 6901, and what must not be taken for one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/json_pointer.h"

#include <string.h>

static void
test_soundness(void **state)
{
	static const char *const good[] = {"", "/", "/a", "/a/b", "/~0", "/~1", "/a~1b~0c", "//",
		"/ ", "/0"};
	static const char *const bad[] = {"a", "a/b", "~0", "/~", "/~2", "/a~", "/~/", "#/a", " /a"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(json_pointer_sound(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(json_pointer_sound(bad[i]));
}

/* The tokens with a '|' behind each. */
static const char *
tokens(const char *pointer)
{
	static char all[128];
	char token[16];

	all[0] = '\0';
	while (json_pointer_next(&pointer, token, sizeof(token)))
		strcat(strcat(all, token), "|");
	return *pointer == '\0' ? all : "left over";
}

static void
test_tokens(void **state)
{
	(void)state;
	assert_string_equal(tokens(""), "");
	assert_string_equal(tokens("/"), "|");
	assert_string_equal(tokens("/foo/0"), "foo|0|");
	assert_string_equal(tokens("//a/"), "|a||");
	assert_string_equal(tokens("/a~1b"), "a/b|");
	assert_string_equal(tokens("/m~0n"), "m~n|");
	assert_string_equal(tokens("/~01"), "~1|"); /* not "/": unescaped once */
	assert_string_equal(tokens("/~1~0~1"), "/~/|");
	assert_string_equal(tokens("/c%d/e^f/g|h"), "c%d|e^f|g|h|");
	assert_string_equal(tokens("/012345678901234"), "012345678901234|");
	assert_string_equal(tokens("/0123456789012345"), "left over"); /* it would not fit */
}

static void
test_indexes(void **state)
{
	static const char *const bad[] = {"", "-", "-1", "+1", "01", "00", "1a", " 1", "1 ",
		"18446744073709551616", "99999999999999999999999"};
	size_t index = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(json_pointer_index(bad[i], &index));
	assert_int_equal(index, 7);
	assert_true(json_pointer_index("0", &index));
	assert_int_equal(index, 0);
	assert_true(json_pointer_index("4711", &index));
	assert_int_equal(index, 4711);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_soundness),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_indexes),
	};

	return cmocka_run_group_tests_name("json_pointer", tests, NULL, NULL);
}
