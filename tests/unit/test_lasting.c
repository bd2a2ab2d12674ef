/* Moments that outlast a boot: the wall clock may say what it likes, and says little after a boot. */
#include "core/lasting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t ten_years_s = 315360000;
static const int64_t noon_s = 1800000000; /* wall clock */

static struct lasting_clock
clock_at(const char *boot, int64_t up_s, int64_t wall_s)
{
	struct lasting_clock c = {.now = {up_s * NS_PER_S}, .wall_s = wall_s};

	snprintf(c.boot, sizeof(c.boot), "%s", boot);
	return c;
}

/* Began at noon and 1000 s after the boot "one", ends an hour later. */
static struct lasting
stored(int64_t boot_s, int64_t wall_s)
{
	struct lasting l = {.boot = "one", .boot_ns = boot_s * NS_PER_S, .wall_s = wall_s,
		.left_s = 3600};

	return l;
}

static const struct lasting *
begin_stored(struct lasting *l)
{
	*l = stored(1000, noon_s);
	return l;
}

static const struct lasting *
end_stored(struct lasting *l)
{
	*l = stored(4600, noon_s + 3600);
	return l;
}

static int64_t
s_of(mono at)
{
	assert_int_equal(at.ns % NS_PER_S, 0);
	return at.ns / NS_PER_S;
}

static void
in_its_boot_no_wall_clock_counts(void **state)
{
	const int64_t set_by_s[] = {0, ten_years_s, -ten_years_s, 1 - noon_s, INT64_MAX - 2 * noon_s};
	struct lasting l;

	(void)state;
	for (size_t i = 0; i < sizeof(set_by_s) / sizeof(set_by_s[0]); i++) {
		struct lasting_clock c = clock_at("one", 1600, noon_s + 600 + set_by_s[i]);

		assert_int_equal(s_of(lasting_begin(begin_stored(&l), &c)), 1000);
		assert_int_equal(s_of(lasting_end(end_stored(&l), &c)), 4600);
	}
}

/* The machine was off for a while, and up for 50 s when this is read. */
static void
after_a_boot_the_wall_clock_counts(void **state)
{
	struct lasting_clock c = clock_at("two", 50, noon_s + 600);
	struct lasting l;

	(void)state;
	assert_int_equal(s_of(lasting_begin(begin_stored(&l), &c)), 50 - 599);
	assert_int_equal(s_of(lasting_end(end_stored(&l), &c)), 50 + 3000);
	c = clock_at("two", 50, noon_s + 3700);
	assert_int_equal(s_of(lasting_end(end_stored(&l), &c)), 50); /* it is over */
}

static void
a_clock_that_is_wrong_at_boot_lengthens_nothing(void **state)
{
	struct lasting_clock c = clock_at("two", 50, noon_s - ten_years_s);
	struct lasting l;

	(void)state;
	assert_int_equal(s_of(lasting_begin(begin_stored(&l), &c)), 50);
	assert_int_equal(s_of(lasting_end(end_stored(&l), &c)), 50 + 3600);
	l.left_s = 20; /* stored when little was left */
	assert_int_equal(s_of(lasting_end(&l, &c)), 50 + 20);
	l.left_s = -1; /* not known: what may be asked for at most */
	assert_int_equal(s_of(lasting_end(&l, &c)), 50 + 366 * 24 * 3600);
}

static void
a_boot_without_an_id_is_another_one(void **state)
{
	struct lasting_clock c = clock_at("", 50, noon_s + 600);
	struct lasting l = {.boot = "", .wall_s = noon_s + 3600, .left_s = 3600};

	(void)state;
	assert_int_equal(s_of(lasting_end(&l, &c)), 50 + 3000);
	c = clock_at("one", 1600, noon_s + 600);
	assert_int_equal(s_of(lasting_end(&l, &c)), 1600 + 3000);
}

static void
numbers_of_a_damaged_file_overflow_nothing(void **state)
{
	const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);

	(void)state;
	for (size_t i = 0; i < count * count * count; i++) {
		struct lasting l = {.boot = "one", .boot_ns = numbers[i % count],
			.wall_s = numbers[i / count % count], .left_s = numbers[i / count / count]};
		struct lasting_clock same = clock_at("one", 1600, noon_s);
		struct lasting_clock other = clock_at("two", 1600, noon_s);

		assert_true(lasting_begin(&l, &same).ns <= same.now.ns);
		assert_true(lasting_begin(&l, &other).ns <= other.now.ns);
		assert_true(lasting_end(&l, &same).ns >= same.now.ns);
		assert_true(lasting_end(&l, &other).ns >= other.now.ns);
		assert_true(lasting_end(&l, &same).ns <= (1600 + 366 * 24 * 3600) * NS_PER_S);
		assert_true(lasting_end(&l, &other).ns <= (1600 + 366 * 24 * 3600) * NS_PER_S);
	}
}

static void
is_shown_by_the_wall_clock(void **state)
{
	struct lasting_clock c = clock_at("one", 1600, noon_s);

	(void)state;
	c.wall_ns = 999999999;
	assert_int_equal(lasting_wall_s((mono){1600 * NS_PER_S}, &c), noon_s);
	assert_int_equal(lasting_wall_s((mono){1600 * NS_PER_S + 1}, &c), noon_s + 1);
	assert_int_equal(lasting_wall_s((mono){1590 * NS_PER_S}, &c), noon_s - 10);
	c.wall_ns = 0;
	assert_int_equal(lasting_wall_s((mono){1600 * NS_PER_S - 1}, &c), noon_s - 1);
	assert_int_equal(lasting_left_s((mono){1601 * NS_PER_S}, c.now), 1);
	assert_int_equal(lasting_left_s((mono){1601 * NS_PER_S + 1}, c.now), 2);
	assert_int_equal(lasting_left_s((mono){1500 * NS_PER_S}, c.now), 0);
}

static void
a_clock_that_was_set_is_seen(void **state)
{
	struct lasting_clock before = clock_at("one", 1600, noon_s);
	struct lasting_clock c = clock_at("one", 2600, noon_s + 1000);

	(void)state;
	assert_false(lasting_clock_was_set(&before, &c));
	c.wall_s += 5;
	assert_false(lasting_clock_was_set(&before, &c));
	c.wall_s += 1;
	assert_true(lasting_clock_was_set(&before, &c));
	c.wall_s -= 12;
	assert_true(lasting_clock_was_set(&before, &c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_its_boot_no_wall_clock_counts),
		cmocka_unit_test(after_a_boot_the_wall_clock_counts),
		cmocka_unit_test(a_clock_that_is_wrong_at_boot_lengthens_nothing),
		cmocka_unit_test(a_boot_without_an_id_is_another_one),
		cmocka_unit_test(numbers_of_a_damaged_file_overflow_nothing),
		cmocka_unit_test(is_shown_by_the_wall_clock),
		cmocka_unit_test(a_clock_that_was_set_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
