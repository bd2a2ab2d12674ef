/*
 * What a virtual server shall look like: every combination of three members' health, weight and
 * past, with every way to handle "none healthy"; then the single rules in words.
 */
#include "core/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { MEMBERS = 3, ROWS = 8 };

struct box {
	struct vs_table table;
	struct vs_service services[2];
	struct vs_real reals[ROWS];
};

static void
box_empty(struct box *b)
{
	*b = (struct box){0};
	b->table = (struct vs_table){.services = b->services, .service_capacity = 2,
		.reals = b->reals, .real_capacity = ROWS};
}

static struct endpoint
at(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, &e));
	return e;
}

static struct endpoint
member_address(size_t i)
{
	static const char *const text[MEMBERS] = {"10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"};

	return at(text[i]);
}

static struct pool_service
plain_service(void)
{
	return (struct pool_service){.service = {.key = {.listen = at("10.0.0.1:80"),
		.protocol = 6}, .scheduler = "wlc"}, .min_healthy = 1, .down = POOL_DOWN_CUT};
}

static const struct vs_real *
real_of(const struct box *b, const struct endpoint *address)
{
	return vs_table_find_real(&b->table, &b->services[0], address);
}

/* One of the 12 states a member can be in. */
static struct pool_member
member_state(size_t i, unsigned int state)
{
	return (struct pool_member){.address = member_address(i), .forwarding = VS_DR,
		.weight = state % 2 == 0 ? 0 : 5, .verdict = (enum health_verdict)(state / 2 % 3),
		.keep_out = state / 6 % 2 != 0};
}

static bool
takes_part(const struct pool_member *m)
{
	return m->verdict == HEALTH_UP || (m->verdict == HEALTH_UNKNOWN && !m->keep_out);
}

/* The rule for one member, said again and differently. */
static void
judge_member(const struct box *b, const struct pool_member *m, enum pool_mode mode)
{
	const struct vs_real *real = real_of(b, &m->address);

	switch (mode) {
	case POOL_SERVING:
		assert_int_equal(real != NULL, takes_part(m));
		assert_true(!real || real->weight == m->weight);
		break;
	case POOL_OPENED:
		assert_non_null(real);
		assert_int_equal(real->weight, m->weight);
		break;
	case POOL_ON_SORRY:
	case POOL_REFUSING:
		assert_int_equal(real != NULL, takes_part(m));
		assert_true(!real || real->weight == 0);
		break;
	}
	assert_true(!real || real->forwarding == m->forwarding);
}

static void
judge(const struct pool_service *s, const struct pool_member *members)
{
	struct pool_outcome o;
	struct box b;
	uint32_t up = 0, usable = 0, expected;
	enum pool_mode mode = POOL_SERVING;

	box_empty(&b);
	assert_true(pool_append(s, members, MEMBERS, &b.table, &o));
	for (size_t i = 0; i < MEMBERS; i++) {
		up += members[i].verdict == HEALTH_UP;
		usable += takes_part(&members[i]) && members[i].weight > 0;
	}
	if (usable == 0 || usable < s->min_healthy)
		mode = s->has_sorry ? POOL_ON_SORRY :
			s->when_none_healthy == POOL_REFUSE ? POOL_REFUSING : POOL_OPENED;
	assert_int_equal(o.mode, mode);
	assert_int_equal(o.up, up);
	assert_int_equal(o.usable, usable);
	assert_int_equal(o.programmed, b.services[0].real_count);
	assert_int_equal(b.table.service_count, 1);
	assert_int_equal(b.table.real_count, b.services[0].real_count);
	for (size_t i = 0; i < MEMBERS; i++)
		judge_member(&b, &members[i], mode);
	expected = mode == POOL_ON_SORRY;
	for (size_t i = 0; i < MEMBERS; i++)
		expected += mode == POOL_OPENED || takes_part(&members[i]);
	assert_int_equal(b.table.real_count, expected);
	if (mode == POOL_ON_SORRY)
		assert_int_equal(real_of(&b, &s->sorry)->weight, 1);
	if (s->when_none_healthy == POOL_FAIL_OPEN)
		assert_int_not_equal(b.table.real_count, 0);
}

/* A part of the weight: of the scaled one, never nothing of something, and bounded. */
static void
a_part_of_a_weight(void **state)
{
	static const struct {
		uint32_t weight, part, scale, percent, is;
	} cases[] = {
		{5, 100, 1, 0, 5}, {5, 50, 1, 0, 2}, {5, 1, 1, 0, 1}, {1, 75, 100, 0, 75},
		{5, 200, 1, 0, 10}, {65535, 150, 1, 0, 65535}, {65535, 25600, 100, 0, 6553500},
		{4, 50, 100, 10, 20}, {5, 0, 1, 0, 0}, {0, 75, 100, 0, 0},
	};
	struct pool_member m[2] = {{.address = member_address(0), .verdict = HEALTH_UP},
		{.address = member_address(1), .verdict = HEALTH_UP, .weight = 7}};
	struct pool_service s = plain_service();
	struct pool_outcome o;
	struct box b;

	(void)state;
	m[0].is_part = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m[0].weight = cases[i].weight;
		m[0].part = cases[i].part;
		m[0].percent = cases[i].percent;
		s.scale = cases[i].scale;
		box_empty(&b);
		assert_true(pool_append(&s, m, 2, &b.table, &o));
		assert_int_equal(real_of(&b, &m[0].address)->weight, cases[i].is);
		assert_int_equal(o.usable, cases[i].is == 0 ? 1 : 2); /* 0 %: quiesced as weight 0 is */
		assert_int_equal(real_of(&b, &m[1].address)->weight, 7 * cases[i].scale);
	}
}

static void
every_combination_follows_the_rules(void **state)
{
	(void)state;
	for (unsigned int way = 0; way < 4 * 5; way++) {
		struct pool_service s = plain_service();

		s.has_sorry = way % 2 != 0;
		s.sorry = at("10.1.0.9:80");
		s.when_none_healthy = way / 2 % 2 != 0 ? POOL_REFUSE : POOL_FAIL_OPEN;
		s.min_healthy = way / 4;
		for (unsigned int c = 0; c < 12 * 12 * 12; c++) {
			struct pool_member members[MEMBERS] = {member_state(0, c % 12),
				member_state(1, c / 12 % 12), member_state(2, c / 144)};

			judge(&s, members);
		}
	}
}

/* What an operator or the probes take out: its connections go on as long as the service says. */
static void
the_departing_keep_their_connections(void **state)
{
	static const struct {
		struct pool_member member;
		enum pool_down down;
		bool in;
	} rows[] = {
		{{.verdict = HEALTH_DOWN, .busy = true}, POOL_DOWN_DRAIN, true},
		{{.verdict = HEALTH_DOWN, .busy = true}, POOL_DOWN_CUT, false},
		{{.verdict = HEALTH_DOWN}, POOL_DOWN_DRAIN, false},
		{{.verdict = HEALTH_DOWN, .stays = true}, POOL_DOWN_DRAIN, true},
		{{.verdict = HEALTH_DOWN, .stays = true}, POOL_DOWN_CUT, false},
		{{.verdict = HEALTH_UNKNOWN, .keep_out = true, .stays = true}, POOL_DOWN_DRAIN, true},
		{{.verdict = HEALTH_UP, .admin = POOL_DISABLED, .stays = true}, POOL_DOWN_DRAIN, false},
		{{.verdict = HEALTH_UNKNOWN, .keep_out = true, .busy = true}, POOL_DOWN_DRAIN, true},
		{{.verdict = HEALTH_UNKNOWN, .keep_out = true, .busy = true}, POOL_DOWN_CUT, false},
		{{.verdict = HEALTH_UNKNOWN, .keep_out = true}, POOL_DOWN_DRAIN, false},
		{{.verdict = HEALTH_UP, .admin = POOL_DRAINED}, POOL_DOWN_CUT, true},
		{{.verdict = HEALTH_UP, .admin = POOL_DRAINED, .busy = true, .over = true},
			POOL_DOWN_DRAIN, false},
		{{.verdict = HEALTH_DOWN, .admin = POOL_DRAINED, .busy = true}, POOL_DOWN_CUT, true},
		{{.verdict = HEALTH_DOWN, .admin = POOL_DRAINED}, POOL_DOWN_CUT, false},
		{{.verdict = HEALTH_UP, .admin = POOL_DISABLED, .busy = true}, POOL_DOWN_DRAIN, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pool_member members[2] = {rows[i].member,
			{.address = member_address(1), .weight = 5, .verdict = HEALTH_UP}};
		struct pool_service s = plain_service();
		struct pool_outcome o;
		struct box b;

		members[0].address = member_address(0);
		members[0].weight = 9;
		s.down = rows[i].down;
		box_empty(&b);
		assert_true(pool_append(&s, members, 2, &b.table, &o));
		assert_int_equal(o.mode, POOL_SERVING);
		assert_int_equal(o.usable, 1);
		assert_int_equal(o.up, 1);
		assert_int_equal(real_of(&b, &members[0].address) != NULL, rows[i].in);
		if (rows[i].in)
			assert_int_equal(real_of(&b, &members[0].address)->weight, 0);
	}
}

/* Fail open means the sick, not those that an operator took out. */
static void
an_operators_word_outlasts_fail_open(void **state)
{
	struct pool_member members[3] = {
		{.address = member_address(0), .weight = 5, .verdict = HEALTH_DOWN},
		{.address = member_address(1), .weight = 5, .verdict = HEALTH_UP, .admin = POOL_DRAINED},
		{.address = member_address(2), .weight = 5, .verdict = HEALTH_UP, .admin = POOL_DISABLED}};
	struct pool_service s = plain_service();
	struct pool_outcome o;
	struct box b;

	(void)state;
	box_empty(&b);
	assert_true(pool_append(&s, members, 3, &b.table, &o));
	assert_int_equal(o.mode, POOL_OPENED);
	assert_int_equal(real_of(&b, &members[0].address)->weight, 5);
	assert_int_equal(real_of(&b, &members[1].address)->weight, 0);
	assert_null(real_of(&b, &members[2].address));
}

static void
the_sorry_server_comes_with_its_forwarding_and_spares_connections(void **state)
{
	struct pool_service s = plain_service();
	struct pool_member members[MEMBERS] = {
		{.address = member_address(0), .weight = 5, .verdict = HEALTH_UP},
		{.address = member_address(1), .weight = 5, .verdict = HEALTH_DOWN},
		{.address = member_address(2), .weight = 5, .verdict = HEALTH_DOWN}};
	struct box b;

	(void)state;
	s.has_sorry = true;
	s.sorry = at("10.1.0.9:80");
	s.sorry_forwarding = VS_DR;
	s.min_healthy = 2;
	box_empty(&b);
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(b.table.real_count, 2);
	assert_int_equal(real_of(&b, &s.sorry)->weight, 1);
	assert_int_equal(real_of(&b, &s.sorry)->forwarding, VS_DR);
	assert_int_equal(real_of(&b, &members[0].address)->weight, 0);
}

static void
a_sorry_server_that_is_a_member_stands_there_once(void **state)
{
	struct pool_service s = plain_service();
	struct pool_member members[] = {
		{.address = member_address(0), .weight = 0, .verdict = HEALTH_UP}};
	struct box b;

	(void)state;
	s.has_sorry = true;
	s.sorry = member_address(0);
	box_empty(&b);
	assert_true(pool_append(&s, members, 1, &b.table, NULL));
	assert_int_equal(b.table.real_count, 1);
	assert_int_equal(b.reals[0].weight, 1);
}

static void
the_service_keeps_its_header_and_gets_the_persistence_flag(void **state)
{
	struct pool_service s = plain_service();
	struct box b;

	(void)state;
	box_empty(&b);
	s.service.flags = 0x10;
	s.service.persistence_s = 300;
	s.service.real_count = 77; /* not meant */
	assert_true(pool_append(&s, NULL, 0, &b.table, NULL));
	assert_int_equal(b.services[0].flags, 0x10 | VS_PERSISTENT);
	assert_int_equal(b.services[0].real_count, 0);
	assert_string_equal(b.services[0].scheduler, "wlc");
	s.service.persistence_s = 0;
	assert_true(pool_append(&s, NULL, 0, &b.table, NULL));
	assert_int_equal(b.services[1].flags, 0x10);
}

/* The kernel's hashes keep the share of a server that has weight 0 now, and turn its clients away. */
static void
a_hash_passes_over_who_is_quiesced(void **state)
{
	static const struct {
		const char *scheduler;
		uint32_t flags, count; /* with a drained one */
	} rows[] = {{"wlc", 0x10, 2}, {"sh", 0x10 | VS_FALLBACK, 2}, {"mh", 0x10 | VS_FALLBACK, 2},
		{"dh", 0x10, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pool_service s = plain_service();
		struct pool_member members[2] = {member_state(0, 3), member_state(1, 3)};
		struct box b;

		strcpy(s.service.scheduler, rows[i].scheduler);
		s.service.flags = 0x10;
		box_empty(&b);
		assert_true(pool_append(&s, members, 2, &b.table, NULL));
		assert_int_equal(b.services[0].flags, 0x10); /* as configured */
		assert_int_equal(b.services[0].real_count, 2);
		members[1].admin = POOL_DRAINED;
		assert_true(pool_append(&s, members, 2, &b.table, NULL));
		assert_int_equal(b.services[1].flags, rows[i].flags);
		assert_int_equal(b.services[1].real_count, rows[i].count);
		s.has_sorry = true; /* and beside a sorry server */
		s.sorry = at("10.1.0.9:80");
		s.min_healthy = 2;
		box_empty(&b);
		assert_true(pool_append(&s, members, 2, &b.table, NULL));
		assert_int_equal(b.services[0].flags, rows[i].flags);
		assert_int_equal(b.services[0].real_count, rows[i].count == 1 ? 1 : 3);
		assert_int_equal(real_of(&b, &s.sorry)->weight, rows[i].flags != 0x10 ? 65535 : 1);
		members[1] = (struct pool_member){.address = member_address(1), .weight = 5,
			.verdict = HEALTH_DOWN, .stays = true};
		s.down = POOL_DOWN_DRAIN; /* where it would only be in the sorry server's way */
		box_empty(&b);
		assert_true(pool_append(&s, members, 2, &b.table, NULL));
		assert_null(real_of(&b, &members[1].address));
	}
}

static void
a_table_too_small_is_left_as_it_was(void **state)
{
	struct pool_service s = plain_service();
	struct pool_member members[MEMBERS];
	struct box b;

	(void)state;
	for (size_t i = 0; i < MEMBERS; i++)
		members[i] = member_state(i, 3);
	box_empty(&b);
	b.table.real_capacity = 2 * MEMBERS - 1;
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_false(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(b.table.service_count, 1);
	assert_int_equal(b.table.real_count, MEMBERS);
	b.table.real_capacity = ROWS;
	b.table.service_capacity = 1;
	assert_false(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(b.table.real_count, MEMBERS);
	b.table.service_capacity = 2;
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(b.services[1].first_real, MEMBERS);
}

/* A share of the weight, at least 1 of a weight that is one; all of it when nobody is healthy. */
static void
a_percent_is_of_the_scaled_weight(void **state)
{
	struct pool_member members[MEMBERS] = {
		{.address = member_address(0), .weight = 1, .verdict = HEALTH_UP, .percent = 10},
		{.address = member_address(1), .weight = 65535, .verdict = HEALTH_UP, .percent = 99},
		{.address = member_address(2), .weight = 0, .verdict = HEALTH_UP, .percent = 50}};
	struct pool_service s = plain_service();
	struct box b;

	(void)state;
	s.scale = 100;
	box_empty(&b);
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(real_of(&b, &members[0].address)->weight, 10);
	assert_int_equal(real_of(&b, &members[1].address)->weight, 65535 * 99);
	assert_int_equal(real_of(&b, &members[2].address)->weight, 0);
	s.scale = 0;
	box_empty(&b);
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(real_of(&b, &members[0].address)->weight, 1);
	members[0].verdict = members[1].verdict = members[2].verdict = HEALTH_DOWN;
	s.scale = 100;
	box_empty(&b);
	assert_true(pool_append(&s, members, MEMBERS, &b.table, NULL));
	assert_int_equal(real_of(&b, &members[0].address)->weight, 100);
}

static void
a_shortage_lasts_as_long_as_it_is_said_to(void **state)
{
	struct pool_service s = plain_service();
	struct pool_member members[MEMBERS];

	(void)state;
	for (size_t i = 0; i < MEMBERS; i++)
		members[i] = (struct pool_member){.weight = i == 2 ? 0 : 5, .verdict = HEALTH_UP};
	assert_int_equal(pool_judge(&s, members, MEMBERS).mode, POOL_SERVING);
	assert_int_equal(pool_judge(&s, members, MEMBERS).possible, 2);
	s.is_short = true;
	assert_int_equal(pool_judge(&s, members, MEMBERS).mode, POOL_OPENED);
	members[0].admin = POOL_DRAINED;
	assert_int_equal(pool_judge(&s, members, MEMBERS).possible, 1);
}

static void
every_mode_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(pool_mode_name(POOL_SERVING), "serving");
	assert_string_equal(pool_mode_name(POOL_ON_SORRY), "sorry");
	assert_string_equal(pool_mode_name(POOL_OPENED), "fail-open");
	assert_string_equal(pool_mode_name(POOL_REFUSING), "refuse");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_follows_the_rules),
		cmocka_unit_test(a_part_of_a_weight),
		cmocka_unit_test(the_departing_keep_their_connections),
		cmocka_unit_test(an_operators_word_outlasts_fail_open),
		cmocka_unit_test(the_sorry_server_comes_with_its_forwarding_and_spares_connections),
		cmocka_unit_test(a_sorry_server_that_is_a_member_stands_there_once),
		cmocka_unit_test(the_service_keeps_its_header_and_gets_the_persistence_flag),
		cmocka_unit_test(a_hash_passes_over_who_is_quiesced),
		cmocka_unit_test(a_table_too_small_is_left_as_it_was),
		cmocka_unit_test(a_percent_is_of_the_scaled_weight),
		cmocka_unit_test(a_shortage_lasts_as_long_as_it_is_said_to),
		cmocka_unit_test(every_mode_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
