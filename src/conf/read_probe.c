/*
 * Probe groups: a real server's over its virtual server's over the defaults.
 *
 * A key that is absent is inherited; another type starts from that type's defaults, because an
 * interval chosen for a ping says nothing about a page. Equal probes share one row, those that a
 * virtual router tracks as well.
 */
#include "conf/bytes.h"
#include "conf/reader.h"
#include "core/cadence.h"
#include "core/dns.h"

#include <string.h>

uint32_t
add_probe(struct reader *r, const struct conf_probe *probe)
{
	struct config *c = r->out;
	uint32_t before = seen_add(&r->probes, probe, c->probe_count);

	if (before != UINT32_MAX)
		return before;
	c->probes = conf_grow(c->probes, c->probe_count, &r->probe_capacity, sizeof(*c->probes));
	memcpy(&c->probes[c->probe_count], probe, sizeof(*probe));
	return c->probe_count++;
}

uint32_t
probe_none(struct reader *r)
{
	struct conf_probe none;

	memset(&none, 0, sizeof(none));
	return add_probe(r, &none);
}

uint32_t
sorry_probe(struct reader *r, uint32_t base, bool has_port)
{
	const struct conf_probe *times = &r->out->probes[base], *flap = times;
	struct conf_probe p;

	memset(&p, 0, sizeof(p));
	if (times->type == CONF_PROBE_NONE)
		return base;
	if (conf_probe_is_group(times)) {
		if (times->member_count == 0)
			return probe_none(r); /* an error, told already */
		times = &r->out->probes[times->members[0]];
	}
	p.type = has_port ? CONF_PROBE_TCP : CONF_PROBE_ICMP;
	p.rise = times->rise;
	p.fall = times->fall;
	p.interval_ms = times->interval_ms;
	p.timeout_ms = times->timeout_ms;
	p.interval_fast_ms = times->interval_fast_ms;
	p.interval_down_ms = times->interval_down_ms;
	p.spread_percent = times->spread_percent;
	p.refusal_weight = times->refusal_weight;
	p.flap_falls = flap->flap_falls;
	p.flap_window_s = flap->flap_window_s;
	p.flap_hold_s = flap->flap_hold_s;
	p.flap_hold_max_s = flap->flap_hold_max_s;
	return add_probe(r, &p);
}

static bool
is_http(const struct conf_probe *p)
{
	return p->type == CONF_PROBE_HTTP || p->type == CONF_PROBE_HTTPS;
}

static void
set_defaults(struct conf_probe *p, enum conf_probe_type type)
{
	const struct scope defaults = {.keys = &keys_probe};

	memset(p, 0, sizeof(*p));
	p->type = (uint8_t)type;
	p->flap_falls = (uint8_t)scope_int(&defaults, "flap_falls");
	p->flap_window_s = scope_int(&defaults, "flap_window_s");
	p->flap_hold_s = scope_int(&defaults, "flap_hold_s");
	p->flap_hold_max_s = scope_int(&defaults, "flap_hold_max_s");
	if (conf_probe_is_group(p))
		return;
	p->rise = (uint8_t)scope_int(&defaults, "rise");
	p->fall = (uint8_t)scope_int(&defaults, "fall");
	p->spread_percent = (uint8_t)scope_int(&defaults, "spread_percent");
	p->refusal_weight = (uint8_t)scope_int(&defaults, "refusal_weight");
	p->interval_ms = scope_int(&defaults, "interval_ms");
	p->timeout_ms = scope_int(&defaults, "timeout_ms");
	if (type == CONF_PROBE_DNS) {
		scope_copy(&defaults, "query", p->query, sizeof(p->query));
		p->query_type = (uint8_t)scope_word(&defaults, "query_type");
	}
	if (type == CONF_PROBE_EXEC)
		exec_defaults(p);
	if (!is_http(p))
		return;
	http_defaults(p);
	if (type == CONF_PROBE_HTTPS)
		https_defaults(p);
}

static bool
member_is_wrong(const struct scope *s, const char *key)
{
	return s->setting && config_setting_get_member(s->setting, key) && !scope_member(s, key);
}

#define TYPE(name) (1u << CONF_PROBE_##name)
#define GROUPS (TYPE(ALL) | TYPE(ANY))

/* Which types have a use for a key that not all have. */
static const struct {
	const char *key;
	uint32_t types;
} uses[] = {
	{"port", TYPE(TCP) | TYPE(HTTP) | TYPE(HTTPS) | TYPE(UDP) | TYPE(DNS) |
		TYPE(AGENT) | TYPE(EXEC)},
	{"path", TYPE(HTTP) | TYPE(HTTPS)},
	{"host", TYPE(HTTP) | TYPE(HTTPS)},
	{"method", TYPE(HTTP) | TYPE(HTTPS)},
	{"version", TYPE(HTTP) | TYPE(HTTPS)},
	{"headers", TYPE(HTTP) | TYPE(HTTPS)},
	{"keep_alive", TYPE(HTTP) | TYPE(HTTPS)},
	{"half_open", TYPE(TCP)},
	{"data_path", TYPE(TCP)},
	{"send", TYPE(TCP) | TYPE(UDP) | TYPE(AGENT)},
	{"query", TYPE(DNS)},
	{"query_type", TYPE(DNS)},
	{"sni", TYPE(HTTPS)},
	{"verify", TYPE(HTTPS)},
	{"ca_file", TYPE(HTTPS)},
	{"tls_min", TYPE(HTTPS)},
	{"expiry_warning_days", TYPE(HTTPS)},
	{"expiry_fail", TYPE(HTTPS)},
	{"source", ~(TYPE(EXEC) | GROUPS)}, /* a program asks as it likes */
	{"mark", ~(TYPE(EXEC) | GROUPS)},
	{"command", TYPE(EXEC)},
	{"environment", TYPE(EXEC)},
	{"user", TYPE(EXEC)},
	{"exit_weight", TYPE(EXEC)},
	{"expect", TYPE(HTTP) | TYPE(HTTPS) | TYPE(TCP) | TYPE(UDP) | TYPE(DNS)},
	/* in expect */
	{"status", TYPE(HTTP) | TYPE(HTTPS)},
	{"header", TYPE(HTTP) | TYPE(HTTPS)},
	{"body", TYPE(HTTP) | TYPE(HTTPS)}, /* of the request as well */
	{"regex", TYPE(HTTP) | TYPE(HTTPS)},
	{"json", TYPE(HTTP) | TYPE(HTTPS)},
	{"answer", TYPE(TCP) | TYPE(UDP) | TYPE(DNS)},
	{"rcode", TYPE(DNS)},
	/* what only groups have, and what each member has for itself */
	{"probes", GROUPS},
	{"address", ~GROUPS},
	{"interval_ms", ~GROUPS},
	{"timeout_ms", ~GROUPS},
	{"rise", ~GROUPS},
	{"fall", ~GROUPS},
	{"interval_fast_ms", ~GROUPS},
	{"interval_down_ms", ~GROUPS},
	{"spread_percent", ~GROUPS},
	{"refusal_weight", ~GROUPS},
};

bool
conf_probe_has(uint8_t type, const char *key)
{
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (strcmp(uses[i].key, key) == 0)
			return (uses[i].types & 1u << type) != 0;
	return true;
}

/* A key that the type has no use for would be silently without effect. */
bool
is_used(const struct scope *s, const struct conf_probe *p, const char *key)
{
	config_setting_t *member = scope_member(s, key);
	const struct scope *probe = s->keys == &keys_expect ? s->up : s;
	bool useful = conf_probe_has(p->type, key);

	if (member && !useful && !member_is_wrong(probe, "type"))
		scope_error(s, member, "%s has no meaning for a probe of type %s", key,
			words_probe_type[p->type - CONF_PROBE_ICMP]);
	return member && useful;
}

static void
read_expect(const struct scope *probe, struct conf_probe *p)
{
	struct scope s;

	if (!is_used(probe, p, "expect"))
		return;
	scope_open_member(&s, probe, "expect");
	read_http_expect(&s, p);
	if (is_used(&s, p, "answer"))
		bytes_parse(scope_text(&s, "answer"), &p->answer);
	if (is_used(&s, p, "rcode"))
		p->rcode = (uint8_t)scope_word(&s, "rcode");
}

/* An answer that no record of that type could be. */
static void
check_dns_answer(const struct scope *s, const struct conf_probe *p)
{
	struct dns_expect expect;

	if (p->type == CONF_PROBE_DNS && !member_is_wrong(s, "query_type") &&
		!dns_expect_parse(conf_query_type(p->query_type), p->answer.bytes,
			p->answer.length, &expect))
		scope_error(s, s->setting, "expect.answer is not what a record of type %s holds",
			words_query_type[p->query_type]);
}

/* An answer to HEAD has no body, so nothing can be found in it. */
static void
check_head(const struct scope *s, const struct conf_probe *p)
{
	config_setting_t *at = scope_member(s, "method");

	if (is_http(p) && strcmp(words_method[p->method], "HEAD") == 0 &&
		(p->body[0] != '\0' || p->regex[0] != '\0' || p->has_json))
		scope_error(s, at ? at : s->setting, "an answer to HEAD has no body; remove body, regex "
			"and json from expect, or use GET");
}

/* What a half-open connection cannot do. */
static void
check_half_open(const struct scope *s, const struct conf_probe *p)
{
	bool speaks = p->send.length > 0 || p->answer.length > 0;

	if (p->half_open && speaks && !member_is_wrong(s, "type"))
		scope_error(s, s->setting, "half_open ends before anything is sent; set "
			"half_open = false, or remove send and expect");
}

/* What it says is of a real server; and it is not the server who says it. */
static void
check_agent(const struct scope *s, const struct conf_probe *p)
{
	if (p->type != CONF_PROBE_AGENT || member_is_wrong(s, "type"))
		return;
	if (s->keys == &keys_tracked_probe)
		scope_error(s, s->setting, "type agent is for real servers only; track its port by type "
			"tcp, or ask it in a script");
	else if (p->port == 0 && !member_is_wrong(s, "port"))
		scope_error(s, s->setting, "port is missing; an agent has one of its own");
}

void
read_times(const struct scope *s, uint32_t *interval_ms, uint32_t *timeout_ms)
{
	config_setting_t *interval = scope_member(s, "interval_ms");
	config_setting_t *timeout = scope_member(s, "timeout_ms");

	if (interval)
		*interval_ms = scope_int(s, "interval_ms");
	if (timeout)
		*timeout_ms = scope_int(s, "timeout_ms");
	else if (*timeout_ms > *interval_ms)
		*timeout_ms = *interval_ms;
	if (*timeout_ms > *interval_ms)
		scope_error(s, timeout, "timeout_ms is %u; it must not be longer than interval_ms "
			"(%u), a probe ends before the next begins", *timeout_ms, *interval_ms);
}

void
read_counts(const struct scope *s, uint8_t *rise, uint8_t *fall)
{
	if (scope_member(s, "rise"))
		*rise = (uint8_t)scope_int(s, "rise");
	if (scope_member(s, "fall"))
		*fall = (uint8_t)scope_int(s, "fall");
}

/* Does the virtual server's probe, which this one stands over, say it? Else it has the default. */
static bool
is_inherited(const struct scope *s, const char *key)
{
	config_setting_t *probe = s->up && s->up->keys == &keys_real
		? scope_member(s->up->up, "probe") : NULL;
	config_setting_t *member = probe ? config_setting_get_member(probe, key) : NULL;

	return member && !setting_is_wrong(member);
}

/*
 * The defaults are of this probe's own interval. An inherited one that does not fit that gives way
 * to the default.
 */
static void
read_rhythm(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *fast = scope_member(s, "interval_fast_ms");
	config_setting_t *down = scope_member(s, "interval_down_ms");

	if (fast)
		p->interval_fast_ms = scope_int(s, "interval_fast_ms");
	else if (!is_inherited(s, "interval_fast_ms") || p->interval_fast_ms == 0 ||
		p->interval_fast_ms > p->interval_ms)
		p->interval_fast_ms = cadence_fast_ms(p->interval_ms);
	if (p->interval_fast_ms > p->interval_ms)
		scope_error(s, fast, "interval_fast_ms is %u; it must not be longer than "
			"interval_ms (%u)", p->interval_fast_ms, p->interval_ms);
	if (down)
		p->interval_down_ms = scope_int(s, "interval_down_ms");
	else if (!is_inherited(s, "interval_down_ms") || p->interval_down_ms < p->interval_ms)
		p->interval_down_ms = p->interval_ms;
	if (down && p->interval_down_ms < p->interval_ms)
		scope_error(s, down, "interval_down_ms is %u; it must not be shorter than "
			"interval_ms (%u)", p->interval_down_ms, p->interval_ms);
	if (scope_member(s, "spread_percent"))
		p->spread_percent = (uint8_t)scope_int(s, "spread_percent");
	if (scope_member(s, "refusal_weight"))
		p->refusal_weight = (uint8_t)scope_int(s, "refusal_weight");
}

/* An address for each node, since the file is the same on both; an empty group takes them back. */
static void
read_source(const struct scope *probe, struct conf_probe *p)
{
	config_setting_t *at = scope_member(probe, "source");
	const struct config *c = probe->reader->out;
	struct scope s;

	if (!is_used(probe, p, "source"))
		return;
	scope_open_member(&s, probe, "source");
	memset(p->source, 0, sizeof(p->source));
	for (uint32_t n = 0; n < c->node_count && config_setting_length(at) > 0; n++) {
		const char *name = c->nodes[n].name;
		config_setting_t *member = *name ? scope_member(&s, name) : NULL;

		if (member)
			ip_addr_parse(config_setting_get_string(member), &p->source[n]);
		else if (*name && !config_setting_get_member(at, name))
			scope_error(&s, at, "%s is missing: the address that its probes come from",
				name);
	}
}

bool
source_fits(const struct conf_probe *p, uint8_t family)
{
	for (uint32_t n = 0; n < LIMIT_NODES; n++)
		if (p->source[n].family != IP_NONE && p->source[n].family != family)
			return false;
	return true;
}

/* The family of what it may ask; IP_NONE: any. */
static uint8_t
source_family(const struct conf_probe *p)
{
	for (uint32_t n = 0; n < LIMIT_NODES; n++)
		if (p->source[n].family != IP_NONE)
			return p->source[n].family;
	return IP_NONE;
}

void
read_address(const struct scope *s, struct conf_probe *p)
{
	const char *text = scope_member(s, "address") ? scope_text(s, "address") : NULL;
	uint16_t port;

	if (!text || conf_probe_is_group(p))
		return;
	memset(&p->address, 0, sizeof(p->address));
	p->address_host = 0;
	if (!ip_addr_parse(text, &p->address))
		p->address_host = read_name(s->reader, text, source_family(p), true, &port);
}

/* As above: who sets only how long it begins with has no bound below that. */
static void
read_flap(const struct scope *s, struct conf_probe *p)
{
	config_setting_t *most = scope_member(s, "flap_hold_max_s");

	if (scope_member(s, "flap_falls"))
		p->flap_falls = (uint8_t)scope_int(s, "flap_falls");
	if (scope_member(s, "flap_window_s"))
		p->flap_window_s = scope_int(s, "flap_window_s");
	if (scope_member(s, "flap_hold_s"))
		p->flap_hold_s = scope_int(s, "flap_hold_s");
	if (most)
		p->flap_hold_max_s = scope_int(s, "flap_hold_max_s");
	else if (p->flap_hold_max_s < p->flap_hold_s)
		p->flap_hold_max_s = p->flap_hold_s;
	if (p->flap_hold_max_s < p->flap_hold_s)
		scope_error(s, most, "flap_hold_max_s is %u; it must not be shorter than "
			"flap_hold_s (%u)", p->flap_hold_max_s, p->flap_hold_s);
}

static void fill_probe(const struct scope *s, uint32_t base, enum conf_probe_type standard,
	struct conf_probe *p);

static void
refuse_flap(const struct scope *member)
{
	static const char *const keys[] = {"flap_falls", "flap_window_s", "flap_hold_s",
		"flap_hold_max_s"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (scope_member(member, keys[i]))
			scope_error(member, scope_member(member, keys[i]),
				"%s is of the group as a whole", keys[i]);
}

/* One probe of a group, which has what it would have alone, and of its own. */
static void
read_member(const struct scope *group, config_setting_t *element, int index, struct conf_probe *p)
{
	struct reader *r = group->reader;
	struct conf_probe member;
	struct scope s;

	scope_open(&s, r, group, &keys_member, element, index);
	fill_probe(&s, CONF_NO_INDEX, CONF_PROBE_TCP, &member);
	read_address(&s, &member);
	refuse_flap(&s);
	member.flap_falls = 0; /* the server as a whole falls */
	member.flap_window_s = member.flap_hold_s = member.flap_hold_max_s = 0;
	if (member.type == CONF_PROBE_AGENT)
		scope_error(&s, element, "an agent is no member of a group; use the key agent besides");
	else if (member.exit_weight)
		scope_error(&s, element, "exit_weight has no meaning in a group of probes");
	else if (!conf_probe_is_group(&member))
		p->members[p->member_count++] = add_probe(r, &member);
}

/* How long it may take until all of them have said the same. */
static void
note_times(const struct config *c, struct conf_probe *p)
{
	p->interval_ms = p->timeout_ms = 0;
	for (uint8_t i = 0; i < p->member_count; i++) {
		const struct conf_probe *m = &c->probes[p->members[i]];

		if (m->interval_ms > p->interval_ms)
			p->interval_ms = m->interval_ms;
		if (m->timeout_ms > p->timeout_ms)
			p->timeout_ms = m->timeout_ms;
	}
}

static void
read_group(const struct scope *s, struct conf_probe *p)
{
	static const char *const of_members[] = {"address", "interval_ms", "timeout_ms", "rise", "fall",
		"interval_fast_ms", "interval_down_ms", "spread_percent", "refusal_weight"};
	config_setting_t *list = is_used(s, p, "probes") ? scope_member(s, "probes") : NULL;
	uint32_t length = scope_length(s, "probes");

	for (size_t i = 0; i < sizeof(of_members) / sizeof(of_members[0]); i++)
		is_used(s, p, of_members[i]);
	if (s->keys == &keys_member)
		scope_error(s, s->setting, "a group of probes cannot hold another one");
	else if (s->keys == &keys_tracked_probe)
		scope_error(s, s->setting, "type %s is for real servers only; track each probe by itself",
			words_probe_type[p->type - CONF_PROBE_ICMP]);
	else if (!list && p->member_count == 0 && !member_is_wrong(s, "probes"))
		scope_error(s, s->setting, "probes is missing");
	else if (list && (length == 0 || length > LIMIT_MEMBERS))
		scope_error(s, list, "probes has %u entries; it must be 1 to %d", length, LIMIT_MEMBERS);
	else if (list) {
		memset(p->members, 0, sizeof(p->members));
		p->member_count = 0;
		for (uint32_t i = 0; i < length; i++)
			if (!setting_is_wrong(config_setting_get_elem(list, i)))
				read_member(s, config_setting_get_elem(list, i), (int)i + 1, p);
	}
	note_times(s->reader->out, p);
	if (p->member_count > s->reader->out->probe_members)
		s->reader->out->probe_members = p->member_count;
}

/* See read_probe() for `base` and `standard`. */
static void
fill_probe(const struct scope *s, uint32_t base, enum conf_probe_type standard,
	struct conf_probe *p)
{
	static const char *const of_one[] = {"sni", "verify", "ca_file", "tls_min",
		"expiry_warning_days", "expiry_fail", "command", "environment", "user", "exit_weight"};
	const struct config *c = s->reader->out;
	int type = scope_word(s, "type") + CONF_PROBE_ICMP;

	if (base != CONF_NO_INDEX && c->probes[base].type == CONF_PROBE_NONE)
		base = CONF_NO_INDEX;
	if (type < CONF_PROBE_ICMP)
		type = base == CONF_NO_INDEX ? (int)standard : c->probes[base].type;
	if (base != CONF_NO_INDEX && c->probes[base].type == type)
		memcpy(p, &c->probes[base], sizeof(*p));
	else
		set_defaults(p, (enum conf_probe_type)type);
	if (is_used(s, p, "port"))
		p->port = (uint16_t)scope_int(s, "port");
	read_source(s, p);
	if (is_used(s, p, "mark"))
		p->mark = scope_int(s, "mark");
	read_http(s, p);
	if (is_used(s, p, "half_open"))
		p->half_open = scope_bool(s, "half_open");
	if (is_used(s, p, "send"))
		bytes_parse(scope_text(s, "send"), &p->send);
	if (is_used(s, p, "query"))
		scope_copy(s, "query", p->query, sizeof(p->query));
	if (is_used(s, p, "query_type"))
		p->query_type = (uint8_t)scope_word(s, "query_type");
	read_expect(s, p);
	check_head(s, p);
	check_dns_answer(s, p);
	for (size_t i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++)
		is_used(s, p, of_one[i]);
	if (p->type == CONF_PROBE_EXEC)
		read_exec(s, p);
	if (p->type == CONF_PROBE_HTTPS)
		read_https(s, p);
	check_half_open(s, p);
	read_data_path(s, p);
	check_agent(s, p);
	if (conf_probe_is_group(p)) {
		read_group(s, p);
		read_flap(s, p);
		return;
	}
	is_used(s, p, "probes");
	read_times(s, &p->interval_ms, &p->timeout_ms);
	read_counts(s, &p->rise, &p->fall);
	read_rhythm(s, p);
	read_flap(s, p);
}

uint32_t
read_probe(struct reader *r, const struct scope *holder, uint32_t base,
	enum conf_probe_type standard)
{
	struct conf_probe p;
	struct scope s;

	scope_open_member(&s, holder, "probe");
	fill_probe(&s, base, standard, &p);
	read_address(&s, &p); /* that of a tracked probe is another thing */
	return add_probe(r, &p);
}

/* Where a tracked probe asks. Has that a port? */
static bool
read_target(const struct scope *s, const char *text, const struct conf_probe *p, struct conf_track *t)
{
	uint8_t family;

	if (endpoint_parse(text, &t->target) || ip_addr_parse(text, &t->target.addr)) {
		family = t->target.addr.family;
	} else {
		s->reader->resolve_s = t->resolve_s = scope_int(s, "resolve_s");
		t->host = read_name(s->reader, text, source_family(p), true, &t->target.port);
		family = conf_host(s->reader->out, t->host)->family;
	}
	if (t->host == 0 && scope_member(s, "resolve_s"))
		scope_error(s, scope_member(s, "resolve_s"), "resolve_s has no meaning for an address; "
			"it is of names");
	if (!source_fits(p, family))
		scope_error(s, scope_member(s, "source"), "source is of another family than address");
	return t->target.port != 0;
}

static void
check_tracked_port(const struct scope *s, const struct conf_probe *p, bool has_port)
{
	config_setting_t *at = scope_member(s, "address");

	if (member_is_wrong(s, "type") || member_is_wrong(s, "port"))
		return;
	if (has_port && p->type == CONF_PROBE_ICMP)
		scope_error(s, at, "address has a port, but a probe of type icmp asks none");
	else if (has_port && p->port != 0)
		scope_error(s, scope_member(s, "port"), "address has a port already; remove port");
	else if (!has_port && p->port == 0 && p->type != CONF_PROBE_ICMP)
		scope_error(s, at, "address needs a port for a probe of type %s, such as "
			"127.0.0.1:80", words_probe_type[p->type - CONF_PROBE_ICMP]);
}

void
read_tracked_probe(const struct scope *s, struct conf_track *t)
{
	config_setting_t *at = scope_member(s, "address");
	struct conf_probe p;
	bool has_port;

	fill_probe(s, CONF_NO_INDEX, CONF_PROBE_TCP, &p);
	if (at) {
		has_port = read_target(s, config_setting_get_string(at), &p, t);
		check_tracked_port(s, &p, has_port);
		if (!has_port)
			t->target.port = p.port;
		p.port = 0; /* the row says how to ask, not where */
	}
	t->probe = add_probe(s->reader, &p);
}
