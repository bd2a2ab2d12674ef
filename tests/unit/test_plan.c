/*
 * The diff of two tables, held against a fake kernel that refuses what IPVS refuses: thousands of
 * random pairs, every single step looked at.
 */
#include "core/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { SERVICES = 6, REALS = 7, ROWS = SERVICES * REALS, OPS = 256, ROUNDS = 20000 };

struct box {
	struct vs_table table;
	struct vs_service services[SERVICES];
	struct vs_real reals[ROWS];
};

/* ---- the fake kernel ---- */

struct fake_service {
	bool there;
	struct vs_service row;
	bool real_there[REALS];
	struct vs_real reals[REALS];
};

struct fake {
	struct fake_service at[SERVICES];
};

static uint32_t
draw(uint64_t *seed, uint32_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 33) % below;
}

/* Every kind of key: two that differ in the port, in the protocol, IPv6, two marks. */
static struct vs_key
key_at(size_t i)
{
	static const char *const listen[SERVICES] = {"10.0.0.1:80", "10.0.0.1:81", "10.0.0.1:80",
		"[fd00::1]:80", "10.0.0.9:1", "[fd00::9]:1"};
	struct vs_key k = {.protocol = i == 2 ? 17 : 6};

	assert_true(endpoint_parse(listen[i], &k.listen));
	if (i >= 4) {
		k = (struct vs_key){.fwmark = 7, .listen.addr.family = k.listen.addr.family};
	}
	return k;
}

static struct endpoint
real_at(size_t i)
{
	struct endpoint e;
	char text[ENDPOINT_TEXT];

	snprintf(text, sizeof(text), "10.1.0.%zu:%u", 1 + i / 2, i % 2 == 0 ? 80 : 8080);
	assert_true(endpoint_parse(text, &e));
	return e;
}

static size_t
service_index(const struct vs_key *key)
{
	for (size_t i = 0; i < SERVICES; i++) {
		struct vs_key k = key_at(i);

		if (vs_key_equal(key, &k))
			return i;
	}
	fail_msg("a key that nobody made");
	return 0;
}

static size_t
real_index(const struct endpoint *address)
{
	for (size_t i = 0; i < REALS; i++) {
		struct endpoint e = real_at(i);

		if (endpoint_equal(address, &e))
			return i;
	}
	fail_msg("a real server that nobody made");
	return 0;
}

static struct fake
fake_random(uint64_t *seed)
{
	static const char *const schedulers[] = {"rr", "wlc", "mh"};
	static const uint8_t methods[] = {VS_NAT, VS_NAT, VS_NAT, VS_DR, VS_TUNNEL, VS_TUNNEL};
	struct fake f = {0};

	for (size_t i = 0; i < SERVICES; i++) {
		struct fake_service *s = &f.at[i];

		s->there = draw(seed, 3) != 0;
		s->row.key = key_at(i);
		strcpy(s->row.scheduler, schedulers[draw(seed, 3)]);
		s->row.flags = draw(seed, 2) * 0x8;
		s->row.persistence_s = draw(seed, 2) * 60;
		strcpy(s->row.engine, draw(seed, 4) == 0 ? "sip" : "");
		for (size_t r = 0; r < REALS; r++) {
			s->real_there[r] = s->there && draw(seed, 2) == 0;
			s->reals[r] = (struct vs_real){.address = real_at(r),
				.forwarding = methods[draw(seed, 6)],
				.upper_threshold = draw(seed, 6) == 0 ? 9 : 0,
				.lower_threshold = draw(seed, 6) == 0 ? 3 : 0,
				.weight = draw(seed, 3), .active_connections = draw(seed, 5),
				.inactive_connections = draw(seed, 5)};
			if (s->reals[r].forwarding == VS_TUNNEL) {
				s->reals[r].tunnel = draw(seed, 2) == 0 ? VS_GUE : VS_GRE;
				s->reals[r].tunnel_port = (uint16_t)(6080 + draw(seed, 2));
				s->reals[r].tunnel_checksum = (uint16_t)draw(seed, 2);
			}
		}
	}
	return f;
}

/* The fake as a table, in a random order of rows. */
static void
fake_table(const struct fake *f, struct box *b, uint64_t *seed)
{
	size_t turn = draw(seed, SERVICES), turn_real = draw(seed, REALS);

	b->table = (struct vs_table){.services = b->services, .service_capacity = SERVICES,
		.reals = b->reals, .real_capacity = ROWS};
	for (size_t n = 0; n < SERVICES; n++) {
		const struct fake_service *s = &f->at[(n + turn) % SERVICES];

		if (!s->there)
			continue;
		assert_non_null(vs_table_add_service(&b->table, &s->row));
		for (size_t m = 0; m < REALS; m++) {
			size_t r = (m + turn_real) % REALS;

			if (s->real_there[r])
				assert_true(vs_table_add_real(&b->table, &s->reals[r]));
		}
	}
	if (draw(seed, 2) == 0)
		vs_table_sort(&b->table);
}

static uint32_t
fake_connections(const struct fake_service *s)
{
	uint32_t sum = 0;

	for (size_t r = 0; r < REALS; r++)
		if (s->real_there[r])
			sum += s->reals[r].active_connections + s->reals[r].inactive_connections;
	return sum;
}

static void
fake_apply_real(struct fake_service *s, const struct plan_op *op)
{
	size_t r = real_index(&op->real.address);
	uint32_t active = s->reals[r].active_connections;
	uint32_t live = active + s->reals[r].inactive_connections;

	assert_true(s->there);
	assert_int_equal(s->real_there[r], op->kind != PLAN_ADD_REAL);
	assert_int_equal(op->connections, op->kind == PLAN_ADD_REAL ? 0 : live);
	s->real_there[r] = op->kind != PLAN_DEL_REAL;
	s->reals[r] = op->real; /* the whole record, as SET_DEST does */
	s->reals[r].active_connections = op->kind == PLAN_ADD_REAL ? 0 : active;
	s->reals[r].inactive_connections = op->kind == PLAN_ADD_REAL ? 0 : live - active;
}

/* Refuses what the kernel would: EEXIST, ESRCH, ENOENT fail the test. */
static void
fake_apply(struct fake *f, const struct plan_op *op)
{
	struct fake_service *s = &f->at[service_index(&op->service.key)];

	switch (op->kind) {
	case PLAN_ADD_SERVICE:
		assert_false(s->there);
		assert_int_equal(op->connections, 0);
		s->there = true;
		memset(s->real_there, 0, sizeof(s->real_there));
		s->row = op->service;
		return;
	case PLAN_SET_SERVICE:
		assert_true(s->there);
		assert_int_equal(op->connections, fake_connections(s));
		s->row = op->service;
		return;
	case PLAN_DEL_SERVICE:
		assert_true(s->there);
		assert_int_equal(op->connections, fake_connections(s));
		s->there = false;
		return;
	case PLAN_ADD_REAL:
	case PLAN_SET_REAL:
	case PLAN_DEL_REAL:
		fake_apply_real(s, op);
		return;
	}
	fail_msg("an operation that is none");
}

static bool
fake_usable(const struct fake_service *s)
{
	for (size_t r = 0; s->there && r < REALS; r++)
		if (s->real_there[r] && s->reals[r].weight != 0)
			return true;
	return false;
}

static void
assert_same_service(const struct fake_service *a, const struct fake_service *b)
{
	assert_int_equal(a->there, b->there);
	if (!a->there)
		return;
	assert_string_equal(a->row.scheduler, b->row.scheduler);
	assert_string_equal(a->row.engine, b->row.engine);
	assert_int_equal(a->row.flags, b->row.flags);
	assert_int_equal(a->row.persistence_s, b->row.persistence_s);
	for (size_t r = 0; r < REALS; r++) {
		assert_int_equal(a->real_there[r], b->real_there[r]);
		if (a->real_there[r]) {
			assert_int_equal(a->reals[r].weight, b->reals[r].weight);
			assert_int_equal(a->reals[r].forwarding, b->reals[r].forwarding);
			assert_int_equal(a->reals[r].upper_threshold, b->reals[r].upper_threshold);
			assert_int_equal(a->reals[r].lower_threshold, b->reals[r].lower_threshold);
			assert_int_equal(a->reals[r].tunnel, b->reals[r].tunnel);
			assert_int_equal(a->reals[r].tunnel_port, b->reals[r].tunnel_port);
			assert_int_equal(a->reals[r].tunnel_checksum, b->reals[r].tunnel_checksum);
		}
	}
}

/* ---- the properties ---- */

struct trial {
	struct fake wanted, before, kernel;
	struct box wanted_box;
	struct vs_key owned[SERVICES];
	size_t owned_count;
	bool ours[SERVICES]; /* is in owned[] */
};

static void
trial_make(struct trial *t, uint64_t *seed)
{
	*t = (struct trial){0};
	t->wanted = fake_random(seed);
	t->before = fake_random(seed);
	t->kernel = t->before;
	fake_table(&t->wanted, &t->wanted_box, seed);
	for (size_t i = 0; i < SERVICES; i++) {
		size_t at = SERVICES - 1 - i;

		t->ours[at] = draw(seed, 2) == 0;
		if (t->ours[at])
			t->owned[t->owned_count++] = key_at(at);
	}
	if (draw(seed, 2) == 0)
		vs_keys_sort(t->owned, t->owned_count);
}

static size_t
trial_plan(struct trial *t, struct plan_op *ops, size_t capacity, bool *whole, uint64_t *seed)
{
	struct box actual;

	fake_table(&t->kernel, &actual, seed);
	return plan_diff(&t->wanted_box.table, &actual.table, t->owned, t->owned_count, ops,
		capacity, whole);
}

static void
trial_step(struct trial *t, const struct plan_op *op)
{
	fake_apply(&t->kernel, op);
	for (size_t i = 0; i < SERVICES; i++)
		if (fake_usable(&t->before.at[i]) && fake_usable(&t->wanted.at[i]))
			assert_true(fake_usable(&t->kernel.at[i]));
}

static void
trial_end(const struct trial *t)
{
	static const struct fake_service none;

	for (size_t i = 0; i < SERVICES; i++)
		assert_same_service(&t->kernel.at[i],
			t->wanted.at[i].there ? &t->wanted.at[i] :
			t->ours[i] ? &none : &t->before.at[i]);
}

static void
a_plan_leads_from_any_table_to_any_other(void **state)
{
	uint64_t seed = 88172645463325252u;
	struct plan_op ops[OPS];

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct trial t;
		bool whole;
		size_t count;

		trial_make(&t, &seed);
		count = trial_plan(&t, ops, OPS, &whole, &seed);
		assert_true(whole);
		for (size_t i = 0; i < count; i++)
			trial_step(&t, &ops[i]);
		trial_end(&t);
		assert_int_equal(trial_plan(&t, ops, OPS, &whole, &seed), 0);
		assert_true(whole);
	}
}

static void
a_plan_in_pieces_leads_there_too(void **state)
{
	uint64_t seed = 2463534242u;
	struct plan_op ops[OPS];

	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct trial t;
		size_t capacity = 1 + draw(&seed, 6), total, done = 0;
		bool whole;

		trial_make(&t, &seed);
		total = trial_plan(&t, ops, OPS, &whole, &seed);
		do {
			size_t count = trial_plan(&t, ops, capacity, &whole, &seed);

			assert_int_equal(whole, total - done <= capacity);
			assert_int_equal(count, whole ? total - done : capacity);
			for (size_t i = 0; i < count; i++)
				trial_step(&t, &ops[i]);
			done += count;
		} while (!whole);
		assert_int_equal(done, total);
		trial_end(&t);
	}
}

static size_t
left_over(const struct vs_table *wanted, const struct vs_table *actual)
{
	struct plan_op ops[OPS];
	struct vs_key all[SERVICES];
	bool whole;

	for (size_t i = 0; i < SERVICES; i++)
		all[i] = key_at(i);
	return plan_diff(wanted, actual, all, SERVICES, ops, OPS, &whole);
}

/* A patched copy and a fresh dump are the same, whichever is wanted; live connections, too. */
static void
a_patched_copy_is_what_a_dump_would_be(void **state)
{
	uint64_t seed = 1181783497276652981u;
	struct plan_op ops[OPS];
	size_t patched = 0;

	(void)state;
	for (int round = 0; round < ROUNDS / 4; round++) {
		struct box copy, dumped;
		struct trial t;
		size_t count;
		bool whole;

		trial_make(&t, &seed);
		count = trial_plan(&t, ops, OPS, &whole, &seed);
		fake_table(&t.kernel, &copy, &seed);
		for (size_t i = 0; i < count; i++) {
			trial_step(&t, &ops[i]);
			fake_table(&t.kernel, &dumped, &seed);
			if (!plan_patch(&copy.table, &ops[i])) {
				fake_table(&t.kernel, &copy, &seed);
				continue;
			}
			patched++;
			assert_int_equal(left_over(&copy.table, &dumped.table), 0);
			assert_int_equal(left_over(&dumped.table, &copy.table), 0);
		}
	}
	assert_true(patched > ROUNDS);
}

/* ---- single facts ---- */

static struct vs_real
real_of(size_t at, uint32_t weight)
{
	return (struct vs_real){.address = real_at(at), .weight = weight};
}

/* A box with one rr service and the given weights of real servers 0, 1, ... (-1: not there). */
static void
box_of(struct box *b, const int *weights, size_t count)
{
	struct vs_service s = {.key = key_at(0), .scheduler = "rr"};

	b->table = (struct vs_table){.services = b->services, .service_capacity = SERVICES,
		.reals = b->reals, .real_capacity = ROWS};
	assert_non_null(vs_table_add_service(&b->table, &s));
	for (size_t i = 0; i < count; i++) {
		struct vs_real r = real_of(i, (uint32_t)weights[i]);

		if (weights[i] >= 0)
			assert_true(vs_table_add_real(&b->table, &r));
	}
	vs_table_sort(&b->table);
}

static size_t
diff_of(const struct box *wanted, const struct box *actual, struct plan_op *ops)
{
	bool whole;
	size_t count = plan_diff(&wanted->table, &actual->table, NULL, 0, ops, OPS, &whole);

	assert_true(whole);
	return count;
}

static void
a_changed_weight_is_one_operation(void **state)
{
	struct box wanted, actual;
	struct plan_op ops[OPS];

	(void)state;
	box_of(&wanted, (int[]){1, 2, 5}, 3);
	box_of(&actual, (int[]){1, 2, 3}, 3);
	assert_int_equal(diff_of(&wanted, &actual, ops), 1);
	assert_int_equal(ops[0].kind, PLAN_SET_REAL);
	assert_int_equal(ops[0].real.weight, 5);
	assert_true(vs_key_equal(&ops[0].service.key, &wanted.services[0].key));
}

static void
servers_come_before_others_are_quiesced_or_go(void **state)
{
	static const enum plan_kind kinds[] = {PLAN_SET_SERVICE, PLAN_ADD_REAL, PLAN_SET_REAL,
		PLAN_DEL_REAL};
	struct box wanted, actual;
	struct plan_op ops[OPS];

	(void)state;
	box_of(&wanted, (int[]){0, -1, 4}, 3);
	box_of(&actual, (int[]){1, 1, -1}, 3);
	strcpy(wanted.services[0].scheduler, "mh");
	assert_int_equal(diff_of(&wanted, &actual, ops), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ops[i].kind, kinds[i]);
	assert_string_equal(ops[0].service.scheduler, "mh");
	assert_int_equal(ops[2].real.weight, 0);
}

static void
the_kernels_own_flag_and_a_whole_mask_are_no_difference(void **state)
{
	struct box wanted, actual;
	struct plan_op ops[OPS];

	(void)state;
	box_of(&wanted, (int[]){1}, 1);
	box_of(&actual, (int[]){1}, 1);
	actual.services[0].flags |= VS_HASHED;
	assert_true(ip_addr_parse("255.255.255.255", &actual.services[0].netmask));
	assert_int_equal(diff_of(&wanted, &actual, ops), 0);
	assert_true(ip_addr_parse("255.255.255.0", &actual.services[0].netmask));
	assert_int_equal(diff_of(&wanted, &actual, ops), 1);
	assert_int_equal(ops[0].kind, PLAN_SET_SERVICE);
	actual.services[0].netmask = wanted.services[0].netmask;
	actual.services[0].flags = 0x10;
	assert_int_equal(diff_of(&wanted, &actual, ops), 1);
}

static void
what_the_kernel_counts_is_no_difference(void **state)
{
	struct box wanted, actual;
	struct plan_op ops[OPS];

	(void)state;
	box_of(&wanted, (int[]){1}, 1);
	box_of(&actual, (int[]){1}, 1);
	actual.reals[0].active_connections = 9;
	actual.reals[0].connections = 99;
	actual.reals[0].in_bytes = 1 << 20;
	assert_int_equal(diff_of(&wanted, &actual, ops), 0);
}

static void
a_row_that_is_wanted_twice_counts_once(void **state)
{
	struct box wanted, actual;
	struct vs_real twice = real_of(0, 9);
	struct plan_op ops[OPS];

	(void)state;
	box_of(&wanted, (int[]){1}, 1);
	assert_true(vs_table_add_real(&wanted.table, &twice));
	assert_non_null(vs_table_add_service(&wanted.table, &wanted.services[0]));
	box_of(&actual, NULL, 0);
	actual.table.service_count = 0;
	assert_int_equal(diff_of(&wanted, &actual, ops), 2);
	vs_table_sort(&wanted.table);
	assert_int_equal(diff_of(&wanted, &actual, ops), 2);
}

static void
every_kind_has_a_name(void **state)
{
	(void)state;
	for (enum plan_kind k = PLAN_ADD_SERVICE; k <= PLAN_DEL_REAL; k++)
		assert_string_not_equal(plan_kind_name(k), "invalid");
	assert_string_equal(plan_kind_name(PLAN_SET_REAL), "set-real");
}

/* ---- size ---- */

/* `services` of `reals` each, written backwards so that sorting has work; weights as given. */
static void
large_table(struct vs_table *t, size_t services, size_t reals, uint32_t weight)
{
	*t = (struct vs_table){.service_capacity = services, .real_capacity = services * reals};
	t->services = calloc(t->service_capacity, sizeof(*t->services));
	t->reals = calloc(t->real_capacity, sizeof(*t->reals));
	assert_non_null(t->services);
	assert_non_null(t->reals);
	for (size_t s = services; s > 0; s--) {
		struct vs_service row = {.scheduler = "wlc", .key = {.protocol = 6,
			.listen = {.addr = {.family = IP_V4, .bytes = {10}}, .port = (uint16_t)s}}};

		assert_non_null(vs_table_add_service(t, &row));
		for (size_t r = reals; r > 0; r--) {
			struct vs_real real = {.weight = weight, .address = {.port = 80,
				.addr = {.family = IP_V4, .bytes = {10, (uint8_t)(r >> 16),
					(uint8_t)(r >> 8), (uint8_t)r}}}};

			assert_true(vs_table_add_real(t, &real));
		}
	}
	vs_table_sort(t);
}

/* Generous against n log n with sanitizers, hopeless for n * n of 65536 rows. */
static void
large_diff(size_t services, size_t reals)
{
	struct vs_table wanted, actual;
	size_t capacity = services * reals;
	struct plan_op *ops = calloc(capacity, sizeof(*ops));
	clock_t begin;
	bool whole;

	assert_non_null(ops);
	large_table(&wanted, services, reals, 2);
	large_table(&actual, services, reals, 1);
	begin = clock();
	assert_int_equal(plan_diff(&wanted, &actual, NULL, 0, ops, capacity, &whole), capacity);
	assert_true(whole);
	assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
	free(wanted.services);
	free(wanted.reals);
	free(actual.services);
	free(actual.reals);
	free(ops);
}

static void
large_tables_are_no_matter(void **state)
{
	(void)state;
	large_diff(525, 20);
	large_diff(1, 65536);
	large_diff(4096, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_leads_from_any_table_to_any_other),
		cmocka_unit_test(a_plan_in_pieces_leads_there_too),
		cmocka_unit_test(a_patched_copy_is_what_a_dump_would_be),
		cmocka_unit_test(a_changed_weight_is_one_operation),
		cmocka_unit_test(servers_come_before_others_are_quiesced_or_go),
		cmocka_unit_test(the_kernels_own_flag_and_a_whole_mask_are_no_difference),
		cmocka_unit_test(what_the_kernel_counts_is_no_difference),
		cmocka_unit_test(a_row_that_is_wanted_twice_counts_once),
		cmocka_unit_test(every_kind_has_a_name),
		cmocka_unit_test(large_tables_are_no_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
