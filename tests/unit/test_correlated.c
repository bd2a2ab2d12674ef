/* Is it them, or is it me? Every case, and every share. */
#include "core/correlated.h"

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
most_is_two_and_half(void **state)
{
	(void)state;
	for (uint32_t healthy = 0; healthy <= 40; healthy++)
		for (uint32_t silent = 0; silent <= healthy; silent++)
			assert_int_equal(correlated_most(silent, healthy),
				silent >= 2 && 2 * silent >= healthy);
}

/* The other node has k of n servers, we have all but those that are held. */
static void
the_peer_sees_them_when_it_has_most_of_them(void **state)
{
	(void)state;
	for (uint32_t total = 2; total <= 24; total++)
		for (uint32_t held = 2; held <= total; held++)
			for (uint32_t peer = 0; peer <= total; peer++) {
				uint32_t rest = total - held;
				enum correlated_peer says = correlated_peer_says(
					view_share(rest, total), view_share(peer, total), held, total);

				if (2 * peer > 2 * rest + held + 1)
					assert_int_equal(says, CORRELATED_PEER_SEES);
				else if (2 * peer + 1 < 2 * rest + held)
					assert_int_equal(says, CORRELATED_PEER_LOST);
				else
					assert_int_not_equal(says, CORRELATED_PEER_UNKNOWN);
			}
	/* a share of three is 333 of 1000: rounding decides nothing */
	assert_int_equal(correlated_peer_says(0, 333, 3, 3), CORRELATED_PEER_LOST);
	assert_int_equal(correlated_peer_says(0, 666, 3, 3), CORRELATED_PEER_SEES);
	assert_int_equal(correlated_peer_says(0, 1000, 2, 2), CORRELATED_PEER_SEES);
	assert_int_equal(correlated_peer_says(500, 500, 2, 4), CORRELATED_PEER_LOST);
}

static void
who_tells_nothing_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(correlated_peer_says(VIEW_UNKNOWN, 1000, 2, 3), CORRELATED_PEER_UNKNOWN);
	assert_int_equal(correlated_peer_says(0, VIEW_UNKNOWN, 2, 3), CORRELATED_PEER_UNKNOWN);
	assert_int_equal(correlated_peer_says(0, VIEW_ALL + 1, 2, 3), CORRELATED_PEER_UNKNOWN);
	assert_int_equal(correlated_peer_says(0, 1000, 0, 3), CORRELATED_PEER_UNKNOWN);
	assert_int_equal(correlated_peer_says(0, 1000, 0, 0), CORRELATED_PEER_UNKNOWN);
}

static void
every_answer(void **state)
{
	/* by peer, path, and whether the bound has passed */
	static const enum correlated_verdict H = CORRELATED_HOLD, B = CORRELATED_BELIEVE;
	const enum correlated_verdict wanted[3][3][2] = {
		[CORRELATED_PEER_UNKNOWN] = {
			[CORRELATED_PATH_ASKED] = {H, B},
			[CORRELATED_PATH_ANSWERS] = {B, B},
			[CORRELATED_PATH_GONE] = {H, B}},
		[CORRELATED_PEER_SEES] = {{H, H}, {H, H}, {H, H}},
		[CORRELATED_PEER_LOST] = {{B, B}, {B, B}, {B, B}},
	};
	static const int64_t passed_ms[] = {0, 1, 1999, 2000, 2001, 3600 * 1000};
	struct correlated c = {.since = at_ms(0)};

	(void)state;
	for (int peer = 0; peer < 3; peer++)
		for (int path = 0; path < 3; path++)
			for (int i = 0; i < 6; i++)
				assert_int_equal(correlated_judge(&c, at_ms(passed_ms[i]),
					2000 * NS_PER_MS, (enum correlated_peer)peer,
					(enum correlated_path)path),
					wanted[peer][path][passed_ms[i] >= 2000]);
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(correlated_peer_name(CORRELATED_PEER_UNKNOWN), "unknown");
	assert_string_equal(correlated_peer_name(CORRELATED_PEER_SEES), "sees-them");
	assert_string_equal(correlated_peer_name(CORRELATED_PEER_LOST), "lost-them");
	assert_string_equal(correlated_path_name(CORRELATED_PATH_ASKED), "silent");
	assert_string_equal(correlated_path_name(CORRELATED_PATH_ANSWERS), "answers");
	assert_string_equal(correlated_path_name(CORRELATED_PATH_GONE), "no-carrier");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_is_two_and_half),
		cmocka_unit_test(the_peer_sees_them_when_it_has_most_of_them),
		cmocka_unit_test(who_tells_nothing_is_unknown),
		cmocka_unit_test(every_answer),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
