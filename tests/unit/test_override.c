/*
 * A real server's own probe and agent: every key of the reader's tables is overridden over every type
 * of probe, and what comes out must be what the server would have if it said all of it itself. A
 * type that has no use for a key must refuse it in an override as well. A key that is new has no row
 * here, and that is a failure.
 */
#include "conf/keys.h"
#include "conf/pack.h"
#include "conf/print.h"
#include "conf/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A key as the virtual server has it, and as one of its servers has it; mostly shorter. */
struct sample {
	const struct key_group *group;
	const char *key, *base, *other;
};

static const struct sample samples[] = {
	{&keys_probe, "address", "address = \"health.example.net\";", "address = \"10.9.9.9\";"},
	{&keys_probe, "port", "port = 8080;", "port = 81;"},
	{&keys_probe, "source", "source = { lb1 = \"10.0.0.1\"; lb2 = \"10.0.0.2\"; };", "source = { };"},
	{&keys_probe, "mark", "mark = 7;", "mark = 8;"},
	{&keys_probe, "mark", "mark = 7;", "mark = 8;"},
	{&keys_probe, "path", "path = \"/longer/path\";", "path = \"/x\";"},
	{&keys_probe, "host", "host = \"www.example.com\";", "host = \"a.b\";"},
	{&keys_probe, "method", "method = \"POST\";", "method = \"PUT\";"},
	{&keys_probe, "version", "version = \"1.0\";", "version = \"1.1\";"},
	{&keys_probe, "headers", "headers = [ \"A: 1\", \"B: 2\" ];", "headers = [ \"C: 3\" ];"},
	{&keys_probe, "keep_alive", "keep_alive = false;", "keep_alive = true;"},
	{&keys_probe, "body", "body = \"longer\";", "body = \"x\";"},
	{&keys_probe, "sni", "sni = \"www.example.com\";", "sni = \"a.b\";"},
	{&keys_probe, "verify", "verify = true;", "verify = false;"},
	{&keys_probe, "ca_file", "ca_file = \"/etc/longer.pem\";", "ca_file = \"/x.pem\";"},
	{&keys_probe, "tls_min", "tls_min = \"1.2\";", "tls_min = \"1.3\";"},
	{&keys_probe, "expiry_warning_days", "expiry_warning_days = 5;", "expiry_warning_days = 6;"},
	{&keys_probe, "expiry_fail", "expiry_fail = false;", "expiry_fail = true;"},
	{&keys_probe, "interval_ms", "interval_ms = 2000;", "interval_ms = 3000;"},
	{&keys_probe, "timeout_ms", "timeout_ms = 400;", "timeout_ms = 300;"},
	{&keys_probe, "rise", "rise = 4;", "rise = 3;"},
	{&keys_probe, "fall", "fall = 5;", "fall = 4;"},
	{&keys_probe, "interval_fast_ms", "interval_fast_ms = 100;", "interval_fast_ms = 200;"},
	{&keys_probe, "interval_down_ms", "interval_down_ms = 2000;", "interval_down_ms = 3000;"},
	{&keys_probe, "spread_percent", "spread_percent = 0;", "spread_percent = 9;"},
	{&keys_probe, "refusal_weight", "refusal_weight = 1;", "refusal_weight = 3;"},
	{&keys_probe, "flap_falls", "flap_falls = 0;", "flap_falls = 4;"},
	{&keys_probe, "flap_window_s", "flap_window_s = 70;", "flap_window_s = 80;"},
	{&keys_probe, "flap_hold_s", "flap_hold_s = 7;", "flap_hold_s = 8;"},
	{&keys_probe, "flap_hold_max_s", "flap_hold_max_s = 90;", "flap_hold_max_s = 80;"},
	{&keys_probe, "query", "query = \"www.example.com\";", "query = \"a.b\";"},
	{&keys_probe, "query_type", "query_type = \"NS\";", "query_type = \"MX\";"},
	{&keys_probe, "send", "send = \"longer\";", "send = \"x\";"},
	{&keys_probe, "half_open", "half_open = false;", "half_open = true;"},
	{&keys_probe, "data_path", "data_path = false;", "data_path = true;"},
	{&keys_probe, "command",
		"command = [ \"/bin/sh\", \"-c\", \"true\" ];", "command = \"/bin/true\";"},
	{&keys_probe, "environment", "environment = [ \"A=1\", \"B=2\" ];", "environment = [ \"C=3\" ];"},
	{&keys_probe, "user", "user = \"nobody\";", "user = \"root\";"},
	{&keys_probe, "exit_weight", "exit_weight = false;", "exit_weight = true;"},
	{&keys_probe, "probes", "probes = ( { type = \"tcp\"; port = 81; }, { type = \"icmp\"; } );",
		"probes = ( { type = \"http\"; } );"},
	{&keys_expect, "status", "status = \"200,301-305\";", "status = \"404\";"},
	{&keys_expect, "header", "header = \"Content-Type: json\";", "header = \"A: b\";"},
	{&keys_expect, "body", "body = \"longer\";", "body = \"x\";"},
	{&keys_expect, "regex", "regex = \"lon*ger\";", "regex = \"x\";"},
	{&keys_expect, "answer", "answer = \"192.0.2.100\";", "answer = \"192.0.2.1\";"},
	{&keys_expect, "rcode", "rcode = \"NXDOMAIN\";", "rcode = \"REFUSED\";"},
	{&keys_json, "pointer", "pointer = \"/longer\"; value = \"x\";",
		"pointer = \"/a\"; value = \"x\";"},
	{&keys_json, "value", "pointer = \"/a\"; value = \"longer\";", "pointer = \"/a\"; value = \"x\";"},
	{&keys_agent, "port", "port = 9000;", "port = 9001;"},
	{&keys_agent, "address", "address = \"health.example.net\";", "address = \"10.9.9.9\";"},
	{&keys_agent, "send", "send = \"longer\";", "send = \"x\";"},
	{&keys_agent, "interval_ms", "interval_ms = 3000;", "interval_ms = 4000;"},
	{&keys_agent, "timeout_ms", "timeout_ms = 300;", "timeout_ms = 400;"},
};

static const char shape[] =
	"nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; },\n"
	"  { name = \"lb2\"; address = \"10.0.0.2\"; } );\n"
	"virtual_routers = ( { name = \"web\"; vrid = 1; interface = \"eth0\";\n"
	"  addresses = [ \"10.0.0.100/24\" ]; } );\n"
	"virtual_servers = ( { name = \"a\"; listen = \"10.0.0.100:80\"; forwarding = \"dr\"; %s\n"
	"  real_servers = ( { name = \"r1\"; address = \"10.0.1.1:80\"; %s },\n"
	"    { name = \"r2\"; address = \"10.0.1.2:80\"; } ); } );\n";

enum { TEXT = 2048, TYPES = CONF_PROBE_ANY };

static char folder[] = "/tmp/tandem-override-XXXXXX";
static char path[sizeof(folder) + 8];

static const struct sample *
sample_of(const struct key_group *group, const char *key)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if (samples[i].group == group && strcmp(samples[i].key, key) == 0)
			return &samples[i];
	fail_msg("%s of %s is not in the samples: say here how it is overridden", key, group->name);
	return NULL;
}

/* False: refused, and `why` has the first message. */
static bool
reads(const char *of_virtual, const char *of_real, struct config *c, char why[TEXT])
{
	struct conf_errors errors = {0};
	FILE *f = fopen(path, "w");
	bool good;

	assert_non_null(f);
	fprintf(f, shape, of_virtual, of_real);
	assert_int_equal(fclose(f), 0);
	good = config_read_without_keys(path, c, &errors);
	if (!good)
		snprintf(why, TEXT, "%s", errors.list[0].message);
	conf_errors_free(&errors);
	return good;
}

/* What the dump says is the same again. */
static void
prints_back(const struct config *c, const char *what)
{
	struct conf_errors errors = {0};
	struct config again;
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	config_print(c, f);
	assert_int_equal(fclose(f), 0);
	if (!config_read_without_keys(path, &again, &errors))
		fail_msg("%s: printed, it is refused: %s", what, errors.list[0].message);
	if (!config_equal(c, &again))
		fail_msg("%s: printed, it does not read back to the same", what);
	config_free(&again);
}

/* What each type needs, and something besides that has to stay; not the key itself. */
static void
put_needs(char out[TEXT], enum conf_probe_type type, const char *key)
{
	static const struct {
		enum conf_probe_type type;
		const char *key, *text;
	} needs[] = {
		{CONF_PROBE_AGENT, "port", "port = 9000;"},
		{CONF_PROBE_EXEC, "command", "command = \"/bin/false\";"},
		{CONF_PROBE_ALL, "probes", "probes = ( { type = \"udp\"; } );"},
		{CONF_PROBE_ANY, "probes", "probes = ( { type = \"udp\"; } );"},
		{CONF_PROBE_DNS, "query_type", "query_type = \"A\";"},
	};
	bool group = type == CONF_PROBE_ALL || type == CONF_PROBE_ANY;
	const char *stays = group ? "flap_falls" : "fall";
	size_t n = (size_t)snprintf(out, TEXT, "type = \"%s\"; ", words_probe_type[type - 1]);

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].type == type && strcmp(needs[i].key, key) != 0)
			n += (size_t)snprintf(out + n, TEXT - n, "%s ", needs[i].text);
	if (strcmp(stays, key) != 0)
		snprintf(out + n, TEXT - n, "%s = 9;", stays);
}

/* Of probes, some keys of which are in groups of their own. */
static void
put_setting(char out[TEXT], const struct sample *s, const char *text)
{
	if (s->group == &keys_expect)
		snprintf(out, TEXT, "expect = { %s };", text);
	else if (s->group == &keys_json)
		snprintf(out, TEXT, "expect = { json = { %s }; };", text);
	else
		snprintf(out, TEXT, "%s", text);
}

/* In every byte, but for the rows in which the members of a group stand. */
static bool
same(const struct config *a, uint32_t row_a, const struct config *b, uint32_t row_b)
{
	struct conf_probe x, y;

	memcpy(&x, &a->probes[row_a], sizeof(x));
	memcpy(&y, &b->probes[row_b], sizeof(y));
	memset(x.members, 0, sizeof(x.members));
	memset(y.members, 0, sizeof(y.members));
	if (!config_same_probe(a, row_a, b, row_b))
		return false;
	x.address_host = y.address_host;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

struct row {
	const char *of_virtual, *of_real, *whole; /* `whole`: as if it stood alone */
	bool agent;
};

/* The same as if it stood alone, and another than the virtual server's, which the others keep. */
static void
counts(const struct row *row, const struct config *alone, const char *what)
{
	uint32_t of_virtual, of_real, of_other, of_alone;
	char why[TEXT];
	struct config c;

	if (!reads(row->of_virtual, row->of_real, &c, why))
		fail_msg("%s: alone it is taken, but not as an override: %s", what, why);
	of_virtual = row->agent ? c.virtuals[0].agent : c.virtuals[0].probe;
	of_real = row->agent ? c.reals[0].agent : c.reals[0].probe;
	of_other = row->agent ? c.reals[1].agent : c.reals[1].probe;
	of_alone = row->agent ? alone->reals[0].agent : alone->reals[0].probe;
	if (!same(&c, of_real, alone, of_alone))
		fail_msg("%s: the override is not what it would be alone", what);
	if (same(&c, of_real, &c, of_virtual))
		fail_msg("%s: the override changes nothing", what);
	if (!same(&c, of_other, &c, of_virtual))
		fail_msg("%s: another server is not asked as the virtual server says", what);
	prints_back(&c, what);
	config_free(&c);
}

/* Is it taken? What is refused alone has no meaning there, and is refused as an override, too. */
static bool
tried(const struct row *row, const char *bare_virtual, const char *what)
{
	struct config c;
	char why[TEXT];

	if (reads("", row->whole, &c, why)) {
		counts(row, &c, what);
		config_free(&c);
		return true;
	}
	if (!strstr(why, "has no meaning for") && !strstr(why, " is for type "))
		fail_msg("%s: the sample is wrong: %s", what, why);
	if (reads(bare_virtual, row->of_real, &c, why))
		fail_msg("%s: refused alone, and silently taken as an override", what);
	return false;
}

/* The key over a probe of that type. */
static bool
tried_of_type(const struct sample *s, enum conf_probe_type type)
{
	char needs[TEXT], base[TEXT], other[TEXT], text[4][3 * TEXT], what[128];
	const struct row row = {text[0], text[1], text[2], false};

	put_needs(needs, type, s->key);
	put_setting(base, s, s->base);
	put_setting(other, s, s->other);
	snprintf(text[0], sizeof(text[0]), "probe = { %s %s };", needs, base);
	snprintf(text[1], sizeof(text[1]), "probe = { %s };", other);
	snprintf(text[2], sizeof(text[2]), "probe = { %s %s };", needs, other);
	snprintf(text[3], sizeof(text[3]), "probe = { %s };", needs);
	snprintf(what, sizeof(what), "%s of %s, type %s", s->key, s->group->name,
		words_probe_type[type - 1]);
	return tried(&row, text[3], what);
}

static void
later(const struct key_group *group, const char *key)
{
	const struct sample *s = sample_of(group, key);
	char text[TEXT], why[TEXT];
	struct config c;

	snprintf(text, sizeof(text), "probe = { %s };", s->other);
	assert_false(reads("probe = { type = \"tcp\"; };", text, &c, why));
	if (!strstr(why, "not available in this version"))
		fail_msg("%s: %s", key, why);
}

static void
every_key(const struct key_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct key *key = &group->keys[i];
		int types = 0;

		if (key->kind == KEY_LATER) {
			later(group, key->name);
			continue;
		}
		if (key->group == &keys_expect || key->group == &keys_json ||
			strcmp(key->name, "type") == 0)
			continue; /* by their own keys; by every_type() */
		for (int type = CONF_PROBE_ICMP; type <= TYPES; type++)
			types += tried_of_type(sample_of(group, key->name), (enum conf_probe_type)type);
		if (types == 0)
			fail_msg("%s of %s: no type of probe takes it", key->name, group->name);
	}
}

static void
every_key_of_probes(void **state)
{
	(void)state;
	every_key(&keys_probe);
	every_key(&keys_expect);
	every_key(&keys_json);
}

/* Another type begins with its own defaults. */
static void
every_type(void **state)
{
	char needs[2][TEXT], text[2][2 * TEXT], what[64];
	struct config alone;

	(void)state;
	for (int from = CONF_PROBE_ICMP; from <= TYPES; from++)
		for (int to = CONF_PROBE_ICMP; to <= TYPES; to++) {
			const struct row row = {text[0], text[1], text[1], false};

			if (from == to)
				continue;
			put_needs(needs[0], (enum conf_probe_type)from, "");
			put_needs(needs[1], (enum conf_probe_type)to, "");
			snprintf(text[0], sizeof(text[0]), "probe = { %s rise = 8; };", needs[0]);
			if (from >= CONF_PROBE_ALL)
				snprintf(text[0], sizeof(text[0]), "probe = { %s };", needs[0]);
			snprintf(text[1], sizeof(text[1]), "probe = { %s };", needs[1]);
			snprintf(what, sizeof(what), "type %s over %s", words_probe_type[to - 1],
				words_probe_type[from - 1]);
			assert_true(reads("", text[1], &alone, needs[0]));
			counts(&row, &alone, what);
			config_free(&alone);
		}
}

static void
every_key_of_agents(void **state)
{
	(void)state;
	for (size_t i = 0; i < keys_agent.count; i++) {
		const struct sample *s = sample_of(&keys_agent, keys_agent.keys[i].name);
		const char *port = strcmp(s->key, "port") == 0 ? "" : "port = 9002;";
		char text[3][TEXT], what[64];
		const struct row row = {text[0], text[1], text[2], true};

		snprintf(text[0], sizeof(text[0]), "agent = { %s %s };", port, s->base);
		snprintf(text[1], sizeof(text[1]), "agent = { %s };", s->other);
		snprintf(text[2], sizeof(text[2]), "agent = { %s %s };", port, s->other);
		snprintf(what, sizeof(what), "%s of agents", s->key);
		assert_true(tried(&row, text[0], what));
	}
}

static int
make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/conf", folder);
	return 0;
}

static int
drop(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_probes),
		cmocka_unit_test(every_type),
		cmocka_unit_test(every_key_of_agents),
	};

	return cmocka_run_group_tests(tests, make, drop);
}
