/* Bounded cursors: what is not there reads as zero and fails for good; nothing is overrun. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cursor.h"

static const uint8_t eight[] = {1, 2, 3, 4, 5, 6, 7, 8};

static void
test_integers_are_big_endian(void **state)
{
	struct reader r = reader_over(eight, sizeof(eight));

	(void)state;
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_int_equal(reader_left(&r), 1);
	assert_false(r.failed);
}

static void
test_a_read_past_the_end_yields_zero_and_stays_failed(void **state)
{
	struct reader r = reader_over(eight, 3);

	(void)state;
	reader_skip(&r, 2);
	assert_int_equal(reader_u16(&r), 0);
	assert_true(r.failed);
	/* one byte would still be there, but a decoder must not resynchronise on it */
	assert_int_equal(reader_u8(&r), 0);
	assert_int_equal(r.at, 2);
}

static void
test_a_read_that_fails_fills_with_zeros(void **state)
{
	struct reader r = reader_over(eight, 2);
	uint8_t out[4] = {9, 9, 9, 9};

	(void)state;
	reader_bytes(&r, out, sizeof(out));
	assert_memory_equal(out, ((uint8_t[4]){0}), 4);
	assert_true(r.failed);
}

static void
test_a_huge_length_does_not_wrap(void **state)
{
	uint8_t room[4] = {0};
	struct reader r = reader_over(eight, 4);
	struct writer w = writer_over(room, sizeof(room));
	volatile size_t huge = SIZE_MAX; /* as from the wire: the compiler must not see it */

	(void)state;
	reader_skip(&r, 1);
	reader_skip(&r, huge);
	assert_true(r.failed);
	assert_int_equal(r.at, 1);
	writer_u8(&w, 1);
	writer_bytes(&w, eight, huge);
	assert_true(w.failed);
	assert_int_equal(w.at, 1);
}

static void
test_reading_exactly_to_the_end_is_fine(void **state)
{
	struct reader r = reader_over(eight, 4);

	(void)state;
	assert_int_equal(reader_u32(&r), 0x01020304);
	reader_skip(&r, 0);
	assert_false(r.failed);
	assert_int_equal(reader_left(&r), 0);
}

static void
test_an_empty_reader(void **state)
{
	struct reader r = reader_over(NULL, 0);

	(void)state;
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.failed);
}

static void
test_what_is_written_reads_back(void **state)
{
	uint8_t out[9];
	struct writer w = writer_over(out, sizeof(out));
	struct reader r = reader_over(out, sizeof(out));

	(void)state;
	writer_u8(&w, 0xfe);
	writer_u16(&w, 0xbeef);
	writer_u32(&w, 0xdeadbeef);
	writer_bytes(&w, eight, 2);
	assert_false(w.failed);
	assert_int_equal(w.at, 9);
	assert_int_equal(reader_u8(&r), 0xfe);
	assert_int_equal(reader_u16(&r), 0xbeef);
	assert_int_equal(reader_u32(&r), 0xdeadbeef);
	assert_int_equal(reader_u16(&r), 0x0102);
}

static void
test_a_write_past_the_end_is_dropped_for_good(void **state)
{
	uint8_t out[4] = {7, 7, 7, 7};
	struct writer w = writer_over(out, 3);

	(void)state;
	writer_u16(&w, 0x0102);
	writer_u16(&w, 0x0304);
	assert_true(w.failed);
	writer_u8(&w, 5); /* would fit: a message with a hole in it must not look whole */
	assert_int_equal(w.at, 2);
	assert_memory_equal(out, ((uint8_t[4]){1, 2, 7, 7}), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_a_read_past_the_end_yields_zero_and_stays_failed),
		cmocka_unit_test(test_a_read_that_fails_fills_with_zeros),
		cmocka_unit_test(test_a_huge_length_does_not_wrap),
		cmocka_unit_test(test_reading_exactly_to_the_end_is_fine),
		cmocka_unit_test(test_an_empty_reader),
		cmocka_unit_test(test_what_is_written_reads_back),
		cmocka_unit_test(test_a_write_past_the_end_is_dropped_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
