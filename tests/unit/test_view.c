/* When a node is the one that sees badly. */
#include "core/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static mono
at_ms(int64_t ms)
{
	return (mono){1000 * NS_PER_S + ms * NS_PER_MS};
}

static void
a_lasting_difference_counts(void **state)
{
	struct view v;

	(void)state;
	view_init(&v);
	assert_false(view_update(&v, at_ms(0), 1000, 1000));
	assert_false(view_update(&v, at_ms(10), 0, 1000));
	assert_false(v.worse);
	assert_int_equal(view_deadline(&v).ns, at_ms(710).ns);
	assert_false(view_update(&v, at_ms(709), 0, 1000));
	assert_true(view_update(&v, at_ms(710), 0, 1000));
	assert_true(v.worse);
	assert_true(mono_is_never(view_deadline(&v)));
	/* better, but not as good as the other: no way back yet */
	assert_false(view_update(&v, at_ms(900), 800, 1000));
	assert_true(v.worse);
	assert_true(view_update(&v, at_ms(901), 1000, 1000));
	assert_false(v.worse);
}

static void
a_passing_or_small_difference_does_not(void **state)
{
	struct view v;

	(void)state;
	view_init(&v);
	view_update(&v, at_ms(0), 0, 1000); /* the server died; the other has not noticed yet */
	assert_false(view_update(&v, at_ms(600), 0, 0));
	assert_false(view_update(&v, at_ms(5000), 0, 0));
	assert_false(view_update(&v, at_ms(6000), 700, 1000)); /* one of many: it may be the server */
	assert_false(view_update(&v, at_ms(9000), 700, 1000));
	assert_false(view_update(&v, at_ms(9100), 1000, 0)); /* the other is worse */
	assert_false(view_update(&v, at_ms(19100), 1000, 0));
	assert_false(v.worse);
}

static void
what_is_not_told_says_nothing(void **state)
{
	struct view v;

	(void)state;
	view_init(&v);
	view_update(&v, at_ms(0), 0, VIEW_UNKNOWN);
	assert_false(view_update(&v, at_ms(5000), 0, VIEW_UNKNOWN));
	view_update(&v, at_ms(5000), 0, 1000);
	assert_true(view_update(&v, at_ms(6000), 0, 1000));
	assert_true(view_update(&v, at_ms(6001), 0, VIEW_UNKNOWN)); /* the peer is gone */
	assert_false(v.worse);
	assert_int_equal(view_share(0, 0), VIEW_UNKNOWN);
	assert_int_equal(view_share(2, 3), 666);
	assert_int_equal(view_share(65536, 65536), VIEW_ALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lasting_difference_counts),
		cmocka_unit_test(a_passing_or_small_difference_does_not),
		cmocka_unit_test(what_is_not_told_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
