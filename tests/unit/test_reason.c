/* The closed list of reasons: scripts grep for the tags, so they are unique and well-formed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/reason.h"

#include <string.h>

static void
test_tags_are_unique(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(reason_tag((enum reason)i), reason_tag((enum reason)k));
}

static void
test_tags_are_lower_case_words_with_dashes(void **state)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *tag = reason_tag((enum reason)i);
		size_t n = strlen(tag);

		assert_in_range(n, 1, 24);
		assert_int_equal(strspn(tag, allowed), n);
		assert_true(tag[0] != '-' && tag[n - 1] != '-');
		assert_null(strstr(tag, "--"));
		assert_string_not_equal(tag, "invalid");
	}
}

static void
test_sentences_say_something_and_fit_a_line(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *sentence = reason_sentence((enum reason)i);

		assert_in_range(strlen(sentence), 10, 78);
		assert_null(strchr(sentence, '\n'));
		assert_true(sentence[strlen(sentence) - 1] != '.');
		for (int k = 0; k < i; k++)
			if (i != REASON_OPERATOR) /* shares its sentence with `switchover` */
				assert_string_not_equal(sentence, reason_sentence((enum reason)k));
	}
}

static void
test_numbers_out_of_range_are_invalid(void **state)
{
	(void)state;
	assert_string_equal(reason_tag(REASON_COUNT), "invalid");
	assert_string_equal(reason_sentence(REASON_COUNT), "invalid");
	assert_string_equal(reason_tag((enum reason)-1), "invalid");
	assert_string_equal(reason_tag((enum reason)1000000), "invalid");
}

static void
test_a_few_tags_others_rely_on(void **state)
{
	(void)state;
	assert_string_equal(reason_tag(REASON_NONE), "none");
	assert_string_equal(reason_tag(REASON_PEER_SILENT), "peer-silent");
	assert_string_equal(reason_tag(REASON_PEER_RESIGNED), "peer-resigned");
	assert_string_equal(reason_tag(REASON_HTTP_STATUS), "http-status");
	assert_string_equal(reason_tag(REASON_CARRIER_LOST), "carrier-lost");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_are_unique),
		cmocka_unit_test(test_tags_are_lower_case_words_with_dashes),
		cmocka_unit_test(test_sentences_say_something_and_fit_a_line),
		cmocka_unit_test(test_numbers_out_of_range_are_invalid),
		cmocka_unit_test(test_a_few_tags_others_rely_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
