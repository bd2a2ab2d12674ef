/*
 * Names filled in from the file of the last addresses: what gets which address, what must not, and what
 * was what where rows of names have moved or stand for something else.
 */
#include "proc/pool_process.h"

#include "conf/pack.h"
#include "conf/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char shape[] =
	"nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; },\n"
	"  { name = \"lb2\"; address = \"10.0.0.2\"; } );\n"
	"virtual_routers = ( { name = \"web\"; vrid = 1; interface = \"eth0\";\n"
	"  addresses = [ \"10.0.0.100/24\" ];\n"
	"  track = { probes = ( { name = \"db\"; address = \"db:5432\"; weight = %d; },\n"
	"    { name = \"six\"; address = \"db\"; port = 5432;\n"
	"      source = { lb1 = \"fd00::1\"; lb2 = \"fd00::2\"; }; } ); }; } );\n"
	"virtual_servers = ( { name = \"a\"; listen = \"10.0.0.100:80\"; %s\n"
	"  probe = { address = \"health\"; }; real_servers = ( { name = \"r\"; address = \"%s:80\"; },\n"
	"    { name = \"s\"; address = \"10.0.1.2:80\"; probe = { address = \"10.9.9.9\"; }; },\n"
	"    { name = \"t\"; address = \"10.0.1.3:80\"; probe = { type = \"all\";\n"
	"      probes = ( { type = \"icmp\"; }, { address = \"db\"; } ); }; } ); } );\n";

enum { DB, SIX, TRACKS, R = 0, S, T, REALS };

struct bench {
	char folder[64], conf[96], names[96];
	struct child child;
	struct pool pool;
};

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int
make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	strcpy(b->folder, "/tmp/tandem-named-XXXXXX");
	if (!mkdtemp(b->folder))
		return -1;
	snprintf(b->conf, sizeof(b->conf), "%s/conf", b->folder);
	snprintf(b->names, sizeof(b->names), "%s/names", b->folder);
	b->child.state_dir = b->folder;
	b->pool.child = &b->child;
	*state = b;
	return 0;
}

static int
drop(void **state)
{
	struct bench *b = *state;

	names_close(&b->pool);
	config_free(&b->pool.config);
	unlink(b->conf);
	unlink(b->names);
	rmdir(b->folder);
	free(b);
	return 0;
}

/* As the pool process does with a new configuration. */
static void
configure(struct bench *b, int weight, const char *more, const char *real)
{
	char text[4096];
	struct conf_errors errors = {0};

	snprintf(text, sizeof(text), shape, weight, more, real);
	put(b->conf, text);
	if (!config_read_path(b->conf, &b->pool.config, &errors))
		conf_errors_print(&errors, stderr);
	assert_int_equal(errors.count, 0);
	assert_true(names_configure(&b->pool, true));
	names_fill(&b->pool, &b->pool.config);
}

static void
start(struct bench *b, const char *names, const char *more, const char *real)
{
	put(b->names, names);
	names_open(&b->pool);
	configure(b, -20, more, real);
}

static void
is_address(const struct ip_addr *a, const char *text)
{
	char got[ADDR_TEXT] = "none";

	if (a->family != IP_NONE)
		ip_addr_format(a, got);
	assert_string_equal(got, text);
}

static void
is_asked(const struct bench *b, uint32_t target, const char *text)
{
	struct ip_addr a = target_asked(&b->pool.config, target);

	assert_int_equal(target_is_unresolved(&b->pool.config, target), 0);
	assert_non_null(target_probe(&b->pool.config, target));
	is_address(&a, text);
}

static void
is_not_asked(const struct bench *b, uint32_t target)
{
	assert_true(target_is_unresolved(&b->pool.config, target));
	assert_null(target_probe(&b->pool.config, target));
	assert_non_null(target_way(&b->pool.config, target));
}

static void
nothing_is_known(void **state)
{
	struct bench *b = *state;
	const struct config *c = &b->pool.config;

	start(b, "", "sorry_server = \"sorry:80\"; agent = { port = 9000; address = \"db\"; };", "web");
	is_not_asked(b, R);
	is_asked(b, S, "10.9.9.9");
	is_asked(b, T, "10.0.1.3"); /* a group: nobody asks it itself */
	is_asked(b, member_target(c, T, 0), "10.0.1.3");
	is_not_asked(b, member_target(c, T, 1));
	is_not_asked(b, c->real_count + DB);
	is_not_asked(b, c->real_count + SIX);
	is_not_asked(b, sorry_target(c, 0));
	is_not_asked(b, agent_target(c, S));
	assert_false(target_has_address(c, sorry_target(c, 0)));
	assert_true(target_has_address(c, S));
}

static void
everybody_gets_theirs(void **state)
{
	struct bench *b = *state;
	const struct config *c = &b->pool.config;

	start(b, "web 10.0.1.1\nhealth 10.9.9.1 loopback\ndb 10.9.9.2 loopback\ndb fd00::7 loopback\n"
		"sorry 10.0.1.9\nof-nobody 10.0.0.7\n",
		"sorry_server = \"sorry:80\"; agent = { port = 9000; address = \"db\"; };", "web");
	is_asked(b, R, "10.9.9.1");
	is_address(&c->reals[R].address.addr, "10.0.1.1");
	is_asked(b, member_target(c, T, 1), "10.9.9.2");
	is_asked(b, c->real_count + DB, "10.9.9.2");
	is_asked(b, c->real_count + SIX, "fd00::7"); /* of the family of its source */
	is_asked(b, sorry_target(c, 0), "10.0.1.9");
	is_asked(b, agent_target(c, R), "10.9.9.2");
}

/* What a probe may ask no server may have: they are asked for apart. */
static void
loopback_is_for_probes(void **state)
{
	struct bench *b = *state;
	const struct config *c = &b->pool.config;

	start(b, "health 127.0.0.1 loopback\n", "", "health");
	is_address(&c->reals[R].address.addr, "none");
	is_address(&c->probes[c->reals[R].probe].address, "127.0.0.1");
	is_not_asked(b, R);
}

static void
nobody_is_there_twice(void **state)
{
	struct bench *b = *state;
	const struct config *c = &b->pool.config;

	start(b, "web 10.0.1.1\nsorry 10.0.1.1\nhealth 10.9.9.1 loopback\n",
		"sorry_server = \"sorry:80\";", "web");
	is_address(&c->reals[R].address.addr, "10.0.1.1");
	is_address(&c->virtuals[0].sorry.addr, "none");
	assert_false(modes_has_sorry(&b->pool, &c->virtuals[0]));
	assert_true(target_is_taken(&b->pool, sorry_target(c, 0)));
	assert_false(target_is_taken(&b->pool, R));
	assert_string_equal(holder_of(c, &c->virtuals[0], REALS, &c->reals[R].address), "r");
	assert_null(holder_of(c, &c->virtuals[0], R, &c->reals[R].address));
	config_free(&b->pool.config);
	configure(b, -20, "sorry_server = \"10.0.1.1:80\";", "web");
	assert_true(target_is_taken(&b->pool, R));
	assert_string_equal(holder_of(c, &c->virtuals[0], R, &c->virtuals[0].sorry), "sorry_server");
	is_address(&c->reals[R].address.addr, "none"); /* who is configured by address comes first */
	config_free(&b->pool.config);
	configure(b, -20, "sorry_server = \"10.0.1.1:81\";", "web");
	is_address(&c->reals[R].address.addr, "10.0.1.1"); /* at another port */
}

static void
virtual_address_is_nobodys(void **state)
{
	struct bench *b = *state;

	start(b, "web 10.0.1.1\nsorry 10.0.0.100\n", "sorry_server = \"sorry:81\";", "web");
	is_address(&b->pool.config.virtuals[0].sorry.addr, "none");
	assert_true(target_is_taken(&b->pool, sorry_target(&b->pool.config, 0)));
	assert_false(target_is_taken(&b->pool, b->pool.config.real_count + DB)); /* it has none at all */
}

/* Rows of names move, one stands for something else: the same questions all the same. */
static void
carried_by_name(void **state)
{
	struct bench *b = *state;
	struct config before, *c = &b->pool.config;
	uint32_t *was;

	start(b, "web 10.0.1.1\nhealth 10.9.9.1 loopback\ndb 10.9.9.2 loopback\nsorry 10.0.1.9\n",
		"sorry_server = \"sorry:80\";", "web");
	before = *c;
	names_close(&b->pool);
	b->pool.names = NULL;
	b->pool.name_count = 0;
	put(b->names, "web 10.0.1.1\nhealth 10.9.9.11 loopback\ndb 10.9.9.12 loopback\n");
	names_open(&b->pool);
	configure(b, 30, "", "web"); /* without the sorry server, its name is gone */
	was = carry_targets(c, &before);
	assert_non_null(was);
	for (uint32_t i = 0; i < REALS; i++)
		assert_int_equal(was[i], i);
	assert_int_equal(was[member_target(c, T, 1)], member_target(&before, T, 1));
	assert_int_equal(was[c->real_count + DB], before.real_count + DB);
	assert_int_equal(was[c->real_count + SIX], before.real_count + SIX);
	free(was);
	is_asked(b, R, "10.9.9.11");
	is_asked(b, c->real_count + DB, "10.9.9.12");
	config_free(&before);
}

static void
another_name_is_another_question(void **state)
{
	struct bench *b = *state;
	struct config before, *c = &b->pool.config;
	uint32_t *was, host;

	start(b, "web 10.0.1.1\nhealth 10.9.9.1 loopback\ndb 10.9.9.1 loopback\n", "", "web");
	assert_true(config_copy(c, &before));
	host = c->probes[c->reals[R].probe].address_host;
	c->probes[c->reals[R].probe].address_host = c->tracks[DB].host;
	c->tracks[DB].host = host;
	was = carry_targets(c, &before);
	assert_non_null(was);
	assert_int_equal(was[R], CONF_NO_INDEX);
	assert_int_equal(was[c->real_count + DB], CONF_NO_INDEX);
	assert_int_equal(was[c->real_count + SIX], before.real_count + SIX);
	free(was);
	config_free(&before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_known, make, drop),
		cmocka_unit_test_setup_teardown(everybody_gets_theirs, make, drop),
		cmocka_unit_test_setup_teardown(loopback_is_for_probes, make, drop),
		cmocka_unit_test_setup_teardown(nobody_is_there_twice, make, drop),
		cmocka_unit_test_setup_teardown(virtual_address_is_nobodys, make, drop),
		cmocka_unit_test_setup_teardown(carried_by_name, make, drop),
		cmocka_unit_test_setup_teardown(another_name_is_another_question, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
