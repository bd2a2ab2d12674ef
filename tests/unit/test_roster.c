/* Connections from look to look: how old they are at least, who is told of, and how much is remembered. */
#include "core/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { ROWS = 64 };

/* Two looks, as a reader keeps them. */
struct bed {
	struct roster_row rows[2][ROWS];
	struct roster now, before;
	int64_t at_s;
};

static void
look_begins(struct bed *b, int64_t at_s)
{
	struct roster kept = b->before;

	b->before = b->now;
	b->now = kept;
	b->now.count = b->now.elsewhere = 0;
	b->at_s = at_s;
}

static void
open_bed(struct bed *b, size_t most)
{
	*b = (struct bed){.at_s = 0};
	b->now = (struct roster){.rows = b->rows[0], .most = most};
	b->before = (struct roster){.rows = b->rows[1], .most = most};
	look_begins(b, 100);
}

static bool
see_row(struct bed *b, const char *client, uint64_t way, uint16_t place, bool ending)
{
	struct roster_row row = {.way = way, .place = place, .ending = ending,
		.since = {b->at_s * NS_PER_S}, .state = ending ? 2 : 1};

	assert_true(endpoint_parse(client, &row.client));
	if (!roster_has_room(&b->now, place))
		return false;
	roster_see(&b->now, &row);
	return true;
}

static void
see(struct bed *b, const char *client)
{
	assert_true(see_row(b, client, 7, 0, false));
}

static void
look_ends(struct bed *b)
{
	roster_carry(&b->now, &b->before, ROWS);
}

/* "10.0.0.1 2/2 40s; ...": connections, open ones, age. */
static const char *
told(const struct bed *b, uint16_t place, size_t capacity)
{
	static char text[512];
	struct roster_client c[ROWS];
	struct roster_sum sum;
	size_t count = roster_clients(&b->now, place, c, capacity, &sum), used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char address[ADDR_TEXT];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %u/%u %llds",
			i == 0 ? "" : "; ", ip_addr_format(&c[i].address, address), c[i].open,
			c[i].connections, (long long)(b->at_s - c[i].since.ns / NS_PER_S));
	}
	return text;
}

static void
who_stays_has_been_there_for_long(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	see(&b, "10.0.0.2:1000");
	see(&b, "10.0.0.1:1000");
	see(&b, "[fd00::1]:1000");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 1/1 0s; 10.0.0.2 1/1 0s; fd00::1 1/1 0s");
	look_begins(&b, 110);
	see(&b, "[fd00::1]:1000");
	see(&b, "10.0.0.3:1000");
	see(&b, "10.0.0.2:1001");
	see(&b, "10.0.0.2:1000");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.2 2/2 10s; fd00::1 1/1 10s; 10.0.0.3 1/1 0s");
	assert_string_equal(told(&b, 0, 1), "10.0.0.2 2/2 10s");
	look_begins(&b, 130);
	see(&b, "10.0.0.2:1001");
	see(&b, "10.0.0.3:1000");
	see(&b, "10.0.0.3:1002");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.3 2/2 20s; 10.0.0.2 1/1 20s");
}

/* The oldest first, not who has most; of all those that are more than can be told. */
static void
the_oldest_are_told(void **state)
{
	struct roster_client c[3];
	struct roster_sum sum;
	char client[32];
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	for (int look = 0; look < 8; look++) {
		look_begins(&b, 100 + 10 * look);
		for (int i = 7; i >= 7 - look; i--) /* who has most came last */
			for (int n = 0; n <= 7 - i; n++) {
				snprintf(client, sizeof(client), "10.0.0.%d:%d", i, 1000 + n);
				see(&b, client);
			}
		look_ends(&b);
	}
	assert_int_equal(roster_clients(&b.now, 0, c, 3, &sum), 3);
	assert_int_equal(c[0].address.bytes[3], 7);
	assert_int_equal(c[1].address.bytes[3], 6);
	assert_int_equal(c[2].address.bytes[3], 5);
	assert_int_equal(sum.clients, 8);
	assert_int_equal(sum.connections, 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8);
}

/* A table that changes while it is read may hide a connection, or show it twice. */
static void
a_look_may_miss_one(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	see(&b, "10.0.0.1:1000");
	look_ends(&b);
	for (int i = 1; i <= 2; i++) {
		look_begins(&b, 100 + 10 * i);
		look_ends(&b);
		assert_string_equal(told(&b, 0, 9), "");
	}
	look_begins(&b, 130);
	see(&b, "10.0.0.1:1000");
	see(&b, "10.0.0.1:1000");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 1/1 30s");
	for (int i = 1; i <= 3; i++) {
		look_begins(&b, 130 + 10 * i);
		look_ends(&b);
	}
	look_begins(&b, 170);
	see(&b, "10.0.0.1:1000");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 1/1 0s");
}

static void
the_same_port_again_is_another_connection(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	see(&b, "10.0.0.1:1000");
	look_ends(&b);
	look_begins(&b, 110);
	see_row(&b, "10.0.0.1:1000", 7, 0, true);
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 0/1 10s");
	look_begins(&b, 120);
	see(&b, "10.0.0.1:1000");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 1/1 0s");
}

/* Who is about to go is not told before who stays, nor is a client as old as what it has closed. */
static void
what_is_ending_comes_last(void **state)
{
	struct roster_client c[2];
	struct roster_sum sum;
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	see(&b, "10.0.0.1:1000");
	see(&b, "10.0.0.2:1000");
	look_ends(&b);
	look_begins(&b, 110);
	see_row(&b, "10.0.0.1:1000", 7, 0, true);
	see_row(&b, "10.0.0.2:1000", 7, 0, true);
	see(&b, "10.0.0.2:1001");
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.2 1/2 0s; 10.0.0.1 0/1 10s");
	assert_int_equal(roster_clients(&b.now, 0, c, 2, &sum), 2);
	assert_int_equal(sum.open, 1);
	assert_int_equal(c[0].state, 1);
	assert_int_equal(c[1].state, 2);
}

static void
each_place_has_its_own(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	see_row(&b, "10.0.0.1:1000", 7, 0, false);
	see_row(&b, "10.0.0.1:1000", 8, 1, false);
	see_row(&b, "10.0.0.1:1001", 9, WAYS_ELSEWHERE, false);
	see_row(&b, "10.0.0.2:1001", 9, WAYS_ELSEWHERE, false);
	look_ends(&b);
	assert_string_equal(told(&b, 0, 9), "10.0.0.1 1/1 0s");
	assert_string_equal(told(&b, 1, 9), "10.0.0.1 1/1 0s");
	assert_string_equal(told(&b, 2, 9), "");
	look_begins(&b, 110);
	see_row(&b, "10.0.0.2:1001", 9, 1, false); /* what it is asked for now */
	look_ends(&b);
	assert_string_equal(told(&b, 1, 9), "10.0.0.2 1/1 10s");
	assert_string_equal(told(&b, 0, 9), "");
}

static void
memory_is_bounded(void **state)
{
	char client[32];
	struct bed b;
	int refused = 0;

	(void)state;
	open_bed(&b, 8);
	for (int i = 0; i < 8; i++) {
		snprintf(client, sizeof(client), "10.0.0.%d:1000", i);
		refused += !see_row(&b, client, 7, WAYS_ELSEWHERE, false);
	}
	assert_int_equal(refused, 4);
	for (int i = 0; i < 8; i++) {
		snprintf(client, sizeof(client), "10.0.1.%d:1000", i);
		refused += !see_row(&b, client, 7, 0, false);
	}
	assert_int_equal(refused, 8);
	look_ends(&b);
	assert_int_equal(b.now.count, 8);
	/* What is missed takes nobody's room. */
	look_begins(&b, 110);
	for (int i = 0; i < 7; i++) {
		snprintf(client, sizeof(client), "10.0.2.%d:1000", i);
		see(&b, client);
	}
	roster_carry(&b.now, &b.before, 7);
	assert_int_equal(b.now.count, 7);
	look_begins(&b, 120);
	see(&b, "10.0.3.1:1000");
	roster_carry(&b.now, &b.before, ROWS);
	assert_int_equal(b.now.count, 8);
	/* Twice the same gives its room back. */
	open_bed(&b, 8);
	for (int i = 0; i < 4; i++)
		assert_true(see_row(&b, "10.0.0.1:1000", 7, WAYS_ELSEWHERE, false));
	look_ends(&b);
	assert_true(roster_has_room(&b.now, WAYS_ELSEWHERE));
	assert_int_equal(b.now.count, 1);
}

/* Random comings and goings against a model that knows every connection's age. */
static void
ages_are_right_whatever_happens(void **state)
{
	int64_t since_s[16] = {0};
	struct bed b;

	(void)state;
	open_bed(&b, ROWS);
	srand(5);
	for (int64_t at_s = 100; at_s < 5000; at_s++) {
		struct roster_client c[16];
		struct roster_sum sum;
		size_t count;
		uint32_t there = 0;

		look_begins(&b, at_s);
		for (int i = 15; i >= 0; i--) {
			struct roster_row row = {.way = (uint64_t)i, .since = {at_s * NS_PER_S},
				.client = {.addr = {.family = IP_V4, .bytes = {(uint8_t)i}}, .port = 9}};

			if (rand() % 50 == 0) /* long enough to be forgotten */
				since_s[i] = -(at_s + 5);
			if (since_s[i] < 0 && at_s >= -since_s[i])
				since_s[i] = 0;
			if (since_s[i] < 0)
				continue;
			if (since_s[i] == 0)
				since_s[i] = at_s;
			roster_see(&b.now, &row);
			there++;
		}
		look_ends(&b);
		count = roster_clients(&b.now, 0, c, 16, &sum);
		assert_int_equal(count, there);
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(c[i].since.ns / NS_PER_S, since_s[c[i].address.bytes[0]]);
			assert_true(i == 0 || c[i - 1].since.ns <= c[i].since.ns);
		}
	}
}

/* As many as are remembered at most, in the order of a hash: what a look costs its thread. */
static void
many_are_carried_quickly(void **state)
{
	enum { MANY = 65536 };
	struct roster r[2], none = {.most = MANY};
	struct roster_client c[10];
	struct roster_sum sum;
	clock_t begin;

	(void)state;
	for (int k = 0; k < 2; k++) {
		r[k] = (struct roster){.rows = calloc(MANY, sizeof(struct roster_row)), .most = MANY};
		assert_non_null(r[k].rows);
	}
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		uint32_t n = i % MANY * 40503u % MANY;
		struct roster_row row = {.client = {.addr = {.family = IP_V4,
			.bytes = {10, 0, (uint8_t)(n >> 8), (uint8_t)(n & 0xf8)}}, .port = (uint16_t)n}};

		row.since.ns = 1 + i / MANY;
		roster_see(&r[i / MANY], &row);
	}
	begin = clock();
	roster_carry(&r[0], &none, MANY);
	roster_carry(&r[1], &r[0], MANY);
	assert_int_equal(roster_clients(&r[1], 0, c, 10, &sum), 10);
	printf("two looks at %d rows: %lld ms\n", MANY,
		(long long)(clock() - begin) / (CLOCKS_PER_SEC / 1000));
	assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
	assert_int_equal(c[9].since.ns, 1);
	assert_int_equal(sum.clients, MANY / 8);
	assert_int_equal(sum.connections, MANY);
	free(r[0].rows);
	free(r[1].rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_stays_has_been_there_for_long),
		cmocka_unit_test(the_oldest_are_told),
		cmocka_unit_test(a_look_may_miss_one),
		cmocka_unit_test(the_same_port_again_is_another_connection),
		cmocka_unit_test(what_is_ending_comes_last),
		cmocka_unit_test(each_place_has_its_own),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(ages_are_right_whatever_happens),
		cmocka_unit_test(many_are_carried_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
