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

/* A small pool that is dead here and alive there, in a router with many servers. */
static void
a_lost_pool_counts_more_than_the_share(void **state)
{
	uint16_t own = view_tell(990, 1), peer = view_tell(1000, 0);
	struct view v;

	(void)state;
	view_init(&v);
	assert_false(view_update(&v, at_ms(0), own, peer));
	assert_true(view_update(&v, at_ms(700), own, peer));
	/* the other one has fewer servers by now, but no pool lost: it goes on */
	assert_false(view_update(&v, at_ms(800), own, view_tell(400, 0)));
	assert_true(v.worse);
	assert_true(view_update(&v, at_ms(900), view_tell(1000, 0), peer));
	/* and the other one is not worse than this for its share */
	view_init(&v);
	assert_false(view_update(&v, at_ms(0), view_tell(400, 0), own));
	assert_false(view_update(&v, at_ms(9000), view_tell(400, 0), own));
	/* lost for both, or another one each: then the share */
	assert_false(view_update(&v, at_ms(9000), view_tell(500, 2), view_tell(700, 2)));
	assert_false(view_update(&v, at_ms(18000), view_tell(500, 2), view_tell(700, 2)));
	assert_false(view_update(&v, at_ms(19000), view_tell(300, 2), view_tell(700, 2)));
	assert_true(view_update(&v, at_ms(19700), view_tell(300, 2), view_tell(700, 2)));
	/* the share is as good, a pool more is lost */
	assert_false(view_update(&v, at_ms(20000), view_tell(700, 3), view_tell(700, 2)));
	assert_true(v.worse);
	assert_true(view_update(&v, at_ms(20100), view_tell(600, 2), view_tell(700, 3)));
}

static void
lasts_for_longer_than_the_probes_are_apart(void **state)
{
	struct view v;

	(void)state;
	view_init(&v);
	view_set_interval(&v, 200);
	assert_int_equal(v.patience_ns, 700 * NS_PER_MS);
	view_set_interval(&v, 10000);
	assert_false(view_update(&v, at_ms(0), 0, 1000));
	assert_int_equal(view_deadline(&v).ns, at_ms(7000).ns);
	assert_false(view_update(&v, at_ms(6999), 0, 1000));
	assert_true(view_update(&v, at_ms(7000), 0, 1000));
	view_set_interval(&v, 3600000);
	assert_int_equal(v.patience_ns, 2520 * NS_PER_S);
}

static void
comes_back_as_it_was_told(void **state)
{
	(void)state;
	for (uint32_t lost = 0; lost <= VIEW_LOST_MOST; lost++)
		for (uint16_t share = 0; share <= VIEW_ALL; share++) {
			uint16_t told = view_tell(share, lost);

			assert_int_equal(view_share_of(told), share);
			assert_int_equal(view_lost_of(told), lost);
			assert_int_equal(told == share, lost == 0);
		}
	assert_int_equal(view_lost_of(view_tell(7, 4096)), VIEW_LOST_MOST);
	assert_int_equal(view_tell(VIEW_UNKNOWN, 3), VIEW_UNKNOWN);
	for (uint32_t told = view_tell(VIEW_ALL, VIEW_LOST_MOST) + 1u; told <= UINT16_MAX; told++) {
		assert_int_equal(view_share_of((uint16_t)told), VIEW_UNKNOWN);
		assert_int_equal(view_lost_of((uint16_t)told), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lasting_difference_counts),
		cmocka_unit_test(a_passing_or_small_difference_does_not),
		cmocka_unit_test(what_is_not_told_says_nothing),
		cmocka_unit_test(a_lost_pool_counts_more_than_the_share),
		cmocka_unit_test(lasts_for_longer_than_the_probes_are_apart),
		cmocka_unit_test(comes_back_as_it_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
