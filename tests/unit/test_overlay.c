/* What operators changed: found among many, kept in order, and laid over a configuration. */
#include "proc/pool_overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VIRTUALS = 7, SERVERS = 31, ROWS = VIRTUALS * SERVERS };

static void
names_of(uint32_t i, char virtual[LIMIT_NAME], char real[LIMIT_NAME])
{
	snprintf(virtual, LIMIT_NAME, "v%u", i % VIRTUALS);
	snprintf(real, LIMIT_NAME, "r%u", i / VIRTUALS);
}

static void
finds_each(void **state)
{
	struct overlay o = {.count = 0};
	char virtual[LIMIT_NAME], real[LIMIT_NAME];

	(void)state;
	for (uint32_t i = 0; i < ROWS; i++) {
		names_of(i * 100 % ROWS, virtual, real); /* 217 and 100 have no divisor in common */
		assert_null(overlay_find(&o, virtual, real));
		overlay_get(&o, virtual, real)->weight = (int32_t)(i * 100 % ROWS);
	}
	assert_int_equal(o.count, ROWS);
	for (uint32_t i = 0; i < ROWS; i++) {
		names_of(i, virtual, real);
		assert_int_equal(overlay_find(&o, virtual, real)->weight, i);
		assert_ptr_equal(overlay_get(&o, virtual, real), overlay_find(&o, virtual, real));
	}
	for (uint32_t i = 0; i < ROWS; i += 2) {
		names_of(i, virtual, real);
		overlay_find(&o, virtual, real)->weight = -1;
	}
	overlay_tidy(&o);
	assert_int_equal(o.count, ROWS / 2);
	for (uint32_t i = 0; i < ROWS; i++) {
		names_of(i, virtual, real);
		assert_true((overlay_find(&o, virtual, real) != NULL) == (i % 2 != 0));
	}
	free(o.rows);
}

static struct conf_real
server(const char *name, const char *address)
{
	struct conf_real real = {.weight = 1};

	snprintf(real.name, sizeof(real.name), "%s", name);
	assert_true(endpoint_parse(address, &real.address));
	return real;
}

static void
lays_over(void **state)
{
	struct conf_virtual virtuals[] = {{.name = "a", .real_count = 2},
		{.name = "b", .first_real = 2, .real_count = 1}, {.name = "c", .first_real = 3}};
	struct conf_real reals[] = {server("x", "10.0.0.1:80"), server("y", "10.0.0.2:80"),
		server("x", "10.0.0.3:80")};
	struct config base = {.virtuals = virtuals, .virtual_count = 3, .reals = reals, .real_count = 3};
	struct overlay o = {.count = 0};
	struct config out;
	struct override *r;

	(void)state;
	overlay_get(&o, "a", "x")->removed = true;
	r = overlay_get(&o, "b", "new");
	r->added = true;
	r->address = server("new", "10.0.0.9:80").address;
	r->added_weight = 7;
	r = overlay_get(&o, "b", "again"); /* stands in the file by now */
	r->added = true;
	r->address = reals[2].address;
	overlay_get(&o, "gone", "z")->added = true;
	assert_true(overlay_config(&o, &base, &out));
	assert_int_equal(out.real_count, 3);
	assert_int_equal(out.virtuals[0].real_count, 1);
	assert_string_equal(out.reals[0].name, "y");
	assert_int_equal(out.virtuals[1].first_real, 1);
	assert_int_equal(out.virtuals[1].real_count, 2);
	assert_string_equal(out.reals[1].name, "x");
	assert_string_equal(out.reals[2].name, "new");
	assert_int_equal(out.reals[2].weight, 7);
	assert_int_equal(out.virtuals[2].real_count, 0);
	config_free(&out);
	free(o.rows);
}

/* By name: a row of hosts for each name, in the family of the virtual server and with its patience. */
static void
adds_names(void **state)
{
	struct conf_listen listens[] = {{.first.family = IP_V4}, {.first.family = IP_V6}};
	struct conf_virtual virtuals[] = {
		{.name = "a", .listen_count = 1, .resolve_s = 7, .real_count = 1},
		{.name = "b", .first_listen = 1, .listen_count = 1, .resolve_s = 9, .first_real = 1}};
	struct conf_host hosts[] = {{.name = "there", .family = IP_V4, .resolve_s = 3}};
	struct conf_real reals[] = {{.name = "x", .host = 1, .address.port = 80}};
	struct config base = {.virtuals = virtuals, .virtual_count = 2, .reals = reals, .real_count = 1,
		.listens = listens, .listen_count = 2, .hosts = hosts, .host_count = 1};
	static const struct {
		const char *virtual, *real, *host;
		uint16_t port;
	} added[] = {{"a", "old", "there", 81}, {"a", "same", "there", 80}, {"b", "new", "there", 80},
		{"b", "other", "elsewhere", 0}};
	struct overlay o = {.count = 0};
	struct config out;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct override *r = overlay_get(&o, added[i].virtual, added[i].real);

		r->added = true;
		r->address.port = added[i].port;
		memcpy(r->host, added[i].host, strlen(added[i].host) + 1);
	}
	assert_true(overlay_config(&o, &base, &out));
	assert_int_equal(out.real_count, 4); /* "same" stands there already */
	assert_int_equal(out.reals[1].host, 1);
	assert_int_equal(out.reals[1].address.port, 81);
	assert_int_equal(out.host_count, 3);
	assert_string_equal(conf_real_host(&out, &out.reals[2])->name, "there");
	assert_int_equal(conf_real_host(&out, &out.reals[2])->family, IP_V6);
	assert_int_equal(conf_real_host(&out, &out.reals[2])->resolve_s, 9);
	assert_string_equal(conf_real_host(&out, &out.reals[3])->name, "elsewhere");
	config_free(&out);
	free(o.rows);
}

static const struct lasting_clock here = {.boot = "one", .now = {100 * NS_PER_S}, .wall_s = 1700000000};

/* As it is in the file of the state directory. */
static void
what_is_printed_is_read_back(void **state)
{
	struct overlay o = {.count = 0}, back = {.count = 0};
	struct override *r;
	static const char spoilt[] = "[{\"virtual\":\"http\"},"
		"{\"virtual\":\"http\",\"server\":\"web2\",\"weight\":3}]";
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	(void)state;
	r = overlay_get(&o, "http", "web1");
	r->admin = POOL_DRAINED;
	r->since = (mono){-5 * NS_PER_S + 1}; /* before the boot */
	r->drain_s = 300;
	r->until = (mono){1200 * NS_PER_S + 2};
	overlay_get(&o, "http", "web2")->weight = 0;
	overlay_get(&o, "http", "web3")->removed = true;
	r = overlay_get(&o, "http", "web4");
	r->added = true;
	r->address = server("web4", "10.0.0.9:80").address;
	r->added_weight = 7;
	r = overlay_get(&o, "http", "web5");
	r->added = true;
	strcpy(r->host, "web5.example.net");
	r->address.port = 81;
	overlay_print(&o, f, &here);
	assert_int_equal(fclose(f), 0);
	assert_true(overlay_parse(&back, text, length, &here));
	assert_int_equal(back.count, o.count);
	for (uint32_t i = 0; i < o.count; i++) {
		const struct override *a = &o.rows[i], *b = &back.rows[i];

		assert_string_equal(a->virtual, b->virtual);
		assert_string_equal(a->real, b->real);
		assert_true(a->admin == b->admin && a->since.ns == b->since.ns &&
			a->until.ns == b->until.ns && a->drain_s == b->drain_s);
		assert_true(a->weight == b->weight && a->added == b->added && a->removed == b->removed &&
			endpoint_equal(&a->address, &b->address) && a->added_weight == b->added_weight);
		assert_string_equal(a->host, b->host);
	}
	free(back.rows);
	back = (struct overlay){.count = 0};
	assert_false(overlay_parse(&back, text, length / 2, &here)); /* half of it */
	assert_false(overlay_parse(&back, "", 0, &here));
	assert_false(overlay_parse(&back, spoilt, strlen(spoilt), &here));
	assert_int_equal(back.count, 1); /* what could be read counts */
	free(back.rows);
	free(o.rows);
	free(text);
}

/* One server, drained at `here` for 20 minutes, is stored, and read by that clock. */
static struct override
read_again(const struct lasting_clock *c, bool *stale)
{
	struct overlay o = {.count = 0}, back = {.count = 0};
	struct override *r = overlay_get(&o, "http", "web1"), result;
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);

	r->admin = POOL_DRAINED;
	r->since = here.now;
	r->until = mono_add_ns(here.now, 1200 * NS_PER_S);
	overlay_print(&o, f, &here);
	assert_int_equal(fclose(f), 0);
	assert_true(overlay_parse(&back, text, length, c));
	assert_int_equal(back.count, 1);
	result = back.rows[0];
	*stale = back.stale;
	free(o.rows);
	free(back.rows);
	free(text);
	return result;
}

static void
ends_outlast_a_restart_and_a_boot(void **state)
{
	const int64_t ten_years_s = 315360000;
	struct lasting_clock c = here;
	struct override r;
	bool stale;

	(void)state;
	c.now = mono_add_ns(here.now, 60 * NS_PER_S); /* a restart; the clock is anywhere */
	for (int way = -1; way <= 1; way++) {
		c.wall_s = here.wall_s + 60 + way * ten_years_s;
		r = read_again(&c, &stale);
		assert_int_equal(r.since.ns, 100 * NS_PER_S);
		assert_int_equal(r.until.ns, 1300 * NS_PER_S);
		assert_false(stale);
	}
	strcpy(c.boot, "two");
	c.now = (mono){7 * NS_PER_S};
	c.wall_s = here.wall_s + 60;
	r = read_again(&c, &stale);
	assert_int_equal(r.until.ns, (7 + 1140) * NS_PER_S);
	assert_true(stale); /* or another restart would begin anew */
	c.wall_s = here.wall_s - ten_years_s;
	r = read_again(&c, &stale);
	assert_int_equal(r.since.ns, 7 * NS_PER_S);
	assert_int_equal(r.until.ns, (7 + 1200) * NS_PER_S);
}

/* Before, the wall clock's moments were all there was. */
static void
a_file_of_old_is_read(void **state)
{
	static const char text[] = "[{\"virtual\":\"http\",\"server\":\"web1\",\"state\":\"drained\","
		"\"since_s\":1699999900,\"drain_s\":300,\"until_s\":1700000500},"
		"{\"virtual\":\"http\",\"server\":\"web2\",\"state\":\"disabled\","
		"\"since_s\":1699999900,\"drain_s\":300}]";
	struct lasting_clock c = here;
	struct overlay o = {.count = 0};

	(void)state;
	assert_true(overlay_parse(&o, text, strlen(text), &c));
	assert_int_equal(o.count, 2);
	assert_int_equal(o.rows[0].since.ns, NS_PER_S); /* a second less than it says: whole ones */
	assert_int_equal(o.rows[0].drain_s, 300);
	assert_int_equal(o.rows[0].until.ns, 600 * NS_PER_S);
	assert_true(mono_is_never(o.rows[1].until));
	assert_true(o.stale);
	c.wall_s = 1; /* wrong at boot: no longer than it can have been asked for */
	assert_true(overlay_parse(&o, text, strlen(text), &c));
	assert_int_equal(o.rows[0].until.ns, (100 + 600) * NS_PER_S);
	free(o.rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_each),
		cmocka_unit_test(lays_over),
		cmocka_unit_test(adds_names),
		cmocka_unit_test(what_is_printed_is_read_back),
		cmocka_unit_test(ends_outlast_a_restart_and_a_boot),
		cmocka_unit_test(a_file_of_old_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
