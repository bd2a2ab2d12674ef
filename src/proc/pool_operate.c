/*
 * What operators and autoscalers do to real servers over the control socket: drain, enable, disable,
 * weight, add, remove. Everything goes through the overlay and the plan, is stored before it is
 * answered, and is logged with who asked. SERVER is a name (in every virtual server that has one of
 * it) or VIRTUAL/NAME.
 */
#include "proc/pool_process.h"

#include "conf/host.h"
#include "control/server.h"
#include "linux/lasting_clock.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
drain_is_over(const struct override *r, uint8_t protocol, mono now)
{
	return r->admin == POOL_DRAINED &&
		(protocol == CONF_UDP || drain_time_is_over(r->since, r->drain_s, now));
}

void
operate_member(const struct pool *p, const struct conf_virtual *v, uint32_t row,
	struct pool_member *m)
{
	const struct conf_real *real = &p->config.reals[row];
	const struct override *r = p->overlay.count == 0 ? NULL
		: overlay_find(&p->overlay, v->name, real->name);

	agents_member(p, row, m);
	if (!r)
		return;
	if (r->admin != POOL_ENABLED) {
		m->admin = r->admin;
		m->over = drain_is_over(r, v->protocol, mono_now());
	}
	if (r->weight >= 0) { /* who says a number means that number */
		m->weight = (uint32_t)r->weight;
		m->is_part = false;
	}
}

bool
operate_is_disabled(const struct pool *p, uint32_t virtual_row, uint32_t row)
{
	const struct override *r = p->overlay.count == 0 ? NULL : overlay_find(&p->overlay,
		p->config.virtuals[virtual_row].name, p->config.reals[row].name);

	return r && r->admin == POOL_DISABLED;
}

static const struct conf_virtual *
virtual_named(const struct config *c, const char *name, uint32_t *row)
{
	for (uint32_t i = 0; i < c->virtual_count; i++)
		if (strcmp(c->virtuals[i].name, name) == 0) {
			*row = i;
			return &c->virtuals[i];
		}
	return NULL;
}

const char *
operate_health(const struct pool *p, uint32_t virtual_row, uint32_t row)
{
	const struct override *r = overlay_find(&p->overlay, p->config.virtuals[virtual_row].name,
		p->config.reals[row].name);

	if (r && r->admin != POOL_ENABLED)
		return overlay_admin_name(r->admin);
	return agents_effect(p, row) == AGENT_DRAINED ? overlay_admin_name(POOL_DRAINED)
		: health_name(p->targets[row].verdict);
}

/* The same by its names; one that is in no file any more is nothing. */
static const char *
health_named(const struct pool *p, const char *virtual, const char *real)
{
	const struct conf_virtual *v;
	uint32_t row;

	v = virtual_named(&p->config, virtual, &row);
	for (uint32_t i = v ? v->first_real : 0; v && i < v->first_real + v->real_count; i++)
		if (strcmp(p->config.reals[i].name, real) == 0)
			return operate_health(p, row, i);
	return "none";
}

static void
log_operation(struct pool *p, const char *virtual, const char *real, const char *from,
	const char *to, enum reason why, int64_t connections)
{
	struct log_line line;

	log_line_begin(&line, "server");
	log_line_text(&line, "server", real);
	log_line_text(&line, "virtual", virtual);
	log_line_text(&line, "from", from);
	log_line_text(&line, "to", to);
	log_line_reason(&line, why);
	if (connections >= 0)
		log_line_int(&line, "connections", connections);
	log_emit(&p->child->log, LOG_LEVEL_NOTICE, &line);
}

void
operate_open(struct pool *p)
{
	struct lasting_clock clock = lasting_clock_of_boot();
	char *text = NULL;
	size_t length;
	int error = state_read(p, STATE_OVERRIDES, &text, &length);

	if (error == -ENOENT)
		return;
	if (error != 0)
		pool_complain(p, "cannot read the overrides of servers; none of them counts", error);
	else if (!overlay_parse(&p->overlay, text, length, &clock))
		pool_complain(p, "the file of overrides is damaged; what could be read of it counts", EIO);
	free(text);
}

static void
store(struct pool *p)
{
	struct lasting_clock clock = lasting_clock_of_boot();
	struct state_text t;
	FILE *f = state_text(&t);

	overlay_tidy(&p->overlay);
	if (f) {
		overlay_print(&p->overlay, f, &clock);
		p->overlay.stored = clock;
		p->overlay.stale = false;
	}
	state_put_text(p, STATE_OVERRIDES, &t);
}

/* The configuration changed under the same file: servers came or went. */
static bool
reconfigure(struct pool *p)
{
	struct config before = p->config, fresh;

	if (!overlay_config(&p->overlay, &p->base, &fresh))
		return false;
	p->config = fresh;
	if (!names_configure(p, false))
		_exit(EXIT_REFUSED);
	names_fill(p, &p->config);
	if (!pool_rebuild(p, &before))
		_exit(EXIT_REFUSED);
	names_ask(p);
	config_free(&before);
	return true;
}

static uint32_t
live(const struct pool *p, uint32_t virtual_row, uint32_t row)
{
	struct vs_real sum;

	return p->ipvs && table_sum_real(p, virtual_row, row, &sum)
		? sum.active_connections + sum.inactive_connections : 0;
}

/* A server that the request means. */
struct meant {
	uint32_t virtual, real; /* rows */
};

/* All of them; the caller frees. 0: none. */
static size_t
find_meant(const struct pool *p, const char *text, struct meant **out)
{
	const struct config *c = &p->config;
	const char *slash = strchr(text, '/');
	const char *name = slash ? slash + 1 : text;
	size_t count = 0;

	*out = calloc(c->real_count + 1, sizeof(**out));
	for (uint32_t v = 0; *out && v < c->virtual_count; v++) {
		size_t n = slash ? (size_t)(slash - text) : 0;

		if (slash && (strlen(c->virtuals[v].name) != n ||
				     memcmp(c->virtuals[v].name, text, n) != 0))
			continue;
		for (uint32_t i = 0; i < c->virtuals[v].real_count; i++)
			if (strcmp(c->reals[c->virtuals[v].first_real + i].name, name) == 0)
				(*out)[count++] = (struct meant){v, c->virtuals[v].first_real + i};
	}
	return count;
}

/* Is anybody left for new connections? */
static uint32_t
usable_left(const struct pool *p, uint32_t virtual_row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	uint32_t left = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		struct pool_member m = {.weight = p->config.reals[i].weight};

		operate_member(p, v, i, &m);
		left += m.admin == POOL_ENABLED && m.weight != 0 &&
			p->targets[i].verdict != HEALTH_DOWN;
	}
	return left;
}

void
answer_line(json_t *lines, const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	json_array_append_new(lines, json_string(text));
}

static void
answer_end(const struct pool *p, const struct meant *m, json_t *lines)
{
	const struct override *r = overlay_find(&p->overlay, p->config.virtuals[m->virtual].name,
		p->config.reals[m->real].name);

	if (r && !mono_is_never(r->until))
		answer_line(lines, "  undone in %lld s",
			(long long)lasting_left_s(r->until, mono_now()));
}

static void
set_admin(struct pool *p, const struct control_request *q, const struct meant *m,
	enum pool_admin admin)
{
	const struct conf_virtual *v = &p->config.virtuals[m->virtual];
	const struct conf_real *real = &p->config.reals[m->real];
	struct override *r = overlay_get(&p->overlay, v->name, real->name);
	const char *from = operate_health(p, m->virtual, m->real);
	mono now = mono_now();

	if (!r)
		return;
	if (r->admin != admin) {
		r->admin = admin;
		log_operation(p, v->name, real->name, from, operate_health(p, m->virtual, m->real),
			REASON_OPERATOR, live(p, m->virtual, m->real));
		r->since = now;
		if (admin == POOL_DRAINED)
			drain_begin(&p->targets[m->real].drain, now, live(p, m->virtual, m->real));
		else
			p->targets[m->real].drain = (struct drain){.since = MONO_NEVER};
		p->targets[m->real].drain_told = false;
	}
	r->drain_s = v->drain_s;
	r->until = q->for_s > 0 && admin != POOL_ENABLED ? mono_add_ns(now, q->for_s * NS_PER_S)
		: MONO_NEVER;
}

static void
set_weight(struct pool *p, const struct control_request *q, const struct meant *m)
{
	const struct conf_virtual *v = &p->config.virtuals[m->virtual];
	const struct conf_real *real = &p->config.reals[m->real];
	struct override *r = overlay_get(&p->overlay, v->name, real->name);
	char from[16], to[16];

	if (!r)
		return;
	snprintf(from, sizeof(from), "%u", r->weight >= 0 ? (uint32_t)r->weight : real->weight);
	snprintf(to, sizeof(to), "%u", q->weight >= 0 ? (uint32_t)q->weight : real->weight);
	r->weight = q->weight;
	log_operation(p, v->name, real->name, from, to, REASON_OPERATOR, -1);
}

static void
apply_change(struct pool *p)
{
	store(p);
	targets_refresh(p);
	table_apply_now(p, REASON_OPERATOR);
	table_check_soon(p);
}

static void
warn_of_emptiness(const struct pool *p, uint32_t virtual_row, json_t *lines)
{
	if (usable_left(p, virtual_row) == 0)
		answer_line(lines, "warning: %s has no healthy server left for new connections",
			p->config.virtuals[virtual_row].name);
}

void
operate_answer_drain(struct pool *p, struct control_client *client, const char *server)
{
	json_t *lines = json_array();
	struct meant *meant;
	size_t count = find_meant(p, server, &meant);

	for (size_t i = 0; i < count; i++) {
		drains_answer(p, meant[i].virtual, meant[i].real,
			live(p, meant[i].virtual, meant[i].real), lines);
		answer_end(p, &meant[i], lines);
		warn_of_emptiness(p, meant[i].virtual, lines);
	}
	free(meant);
	control_answer_stored(p, client, json_pack("{s:o}", "lines", lines));
}

/* Who is connected takes a look at the kernel's connections, which the client waits for. */
static void
drain_servers(struct pool *p, struct control_client *client, const struct control_request *q)
{
	struct meant *meant;
	size_t count = find_meant(p, q->server, &meant);
	uint32_t connections = 0;
	uint64_t look = 0;

	for (size_t i = 0; i < count; i++)
		set_admin(p, q, &meant[i], POOL_DRAINED);
	apply_change(p);
	for (size_t i = 0; i < count; i++)
		connections |= live(p, meant[i].virtual, meant[i].real);
	free(meant);
	if (connections != 0)
		look = clients_look(p);
	if (look == 0 || !control_answer_looked(p, client, q->server, look))
		operate_answer_drain(p, client, q->server);
}

/* enable, disable, weight: of servers that are there. */
static void
change_servers(struct pool *p, struct control_client *client, const struct control_request *q)
{
	enum pool_admin admin = q->command == CONTROL_DISABLE ? POOL_DISABLED : POOL_ENABLED;
	json_t *lines = json_array();
	struct meant *meant;
	size_t count = find_meant(p, q->server, &meant);

	for (size_t i = 0; i < count; i++)
		if (q->command == CONTROL_WEIGHT)
			set_weight(p, q, &meant[i]);
		else
			set_admin(p, q, &meant[i], admin);
	apply_change(p);
	for (size_t i = 0; i < count; i++) {
		answer_line(lines, "%s/%s: %s", p->config.virtuals[meant[i].virtual].name,
			p->config.reals[meant[i].real].name, q->command == CONTROL_WEIGHT
			? "weight set" : overlay_admin_name(admin));
		answer_end(p, &meant[i], lines);
		warn_of_emptiness(p, meant[i].virtual, lines);
	}
	free(meant);
	control_answer_stored(p, client, json_pack("{s:o}", "lines", lines));
}

/* NULL, or why a server cannot be added. `host`: "", or its name instead of an address. */
static const char *
why_not_add(const struct pool *p, const struct conf_virtual *v, const struct control_request *q,
	const struct endpoint *address, const char *host)
{
	if (address->addr.family == IP_NONE && host[0] == '\0')
		return "the address must be one such as 10.88.0.29:8080, or a name such as "
		       "web9.example.net:8080";
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		if (strcmp(p->config.reals[i].name, q->server) == 0)
			return "a server of this name is there already";
		if (overlay_same_place(&p->config, &p->config.reals[i], address, host))
			return "a server of this address is there already";
	}
	if (host[0] != '\0')
		return p->config.host_count >= LIMIT_HOSTS || p->config.real_count >= LIMIT_REALS ||
			p->overlay.count >= OVERLAY_MAX ? "there are too many servers" : NULL;
	if (v->forwarding != CONF_FORWARD_TUNNEL &&
		address->addr.family != virtual_key(&p->config, v, 0).listen.addr.family)
		return "the address is of another family than the virtual server";
	return p->config.real_count >= LIMIT_REALS || p->overlay.count >= OVERLAY_MAX
		? "there are too many servers" : NULL;
}

/* The server of that name in the file, or NULL. */
static const struct conf_real *
configured(const struct pool *p, uint32_t virtual_row, const char *name)
{
	const struct conf_virtual *v = &p->base.virtuals[virtual_row];

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (strcmp(p->base.reals[i].name, name) == 0)
			return &p->base.reals[i];
	return NULL;
}

/* One that is in the file at that very address is as configured again, but for another weight. */
static void
bring(const struct pool *p, uint32_t virtual_row, const struct control_request *q,
	const struct endpoint *address, const char *host, struct override *r)
{
	const struct conf_real *was = configured(p, virtual_row, q->server);

	r->added = !was || !overlay_same_place(&p->base, was, address, host);
	r->removed = was && r->added;
	if (!r->added) {
		r->weight = q->weight == (int64_t)was->weight ? -1 : q->weight;
		return;
	}
	r->address = *address;
	memcpy(r->host, host, sizeof(r->host));
	r->added_weight = q->weight >= 0 ? (uint32_t)q->weight : 1;
}

static void
add_server(struct pool *p, struct control_client *client, const struct control_request *q)
{
	struct endpoint address = {.port = 0};
	char host[LIMIT_HOST] = "";
	const struct conf_virtual *v;
	struct override *r;
	const char *why_not;
	uint32_t row;

	v = virtual_named(&p->config, q->virtual, &row);
	if (!v) {
		control_refuse(client, "there is no virtual server of that name");
		return;
	}
	r = overlay_find(&p->overlay, v->name, q->server);
	if (!endpoint_parse(q->address, &address) && !ip_addr_parse(q->address, &address.addr))
		host_parse(q->address, host, &address.port);
	why_not = why_not_add(p, v, q, &address, host);
	if (!why_not && !r)
		r = overlay_get(&p->overlay, v->name, q->server);
	if (why_not || !r) {
		control_refuse(client, why_not ? why_not : "no memory");
		return;
	}
	log_operation(p, v->name, q->server, r->removed ? "removed" : "none", "added",
		REASON_OPERATOR, -1);
	bring(p, row, q, &address, host, r);
	if (!reconfigure(p)) {
		control_refuse(client, "no memory");
		return;
	}
	apply_change(p);
	control_answer_stored(p, client, json_pack("{s:[s]}", "lines", "added"));
}

static void
remove_server(struct pool *p, struct control_client *client, const struct control_request *q)
{
	json_t *lines = json_array();
	struct meant *meant;
	size_t count = find_meant(p, q->server, &meant), stay = 0;

	for (size_t i = 0; i < count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[meant[i].virtual];
		const char *name = p->config.reals[meant[i].real].name;
		struct override *r = overlay_get(&p->overlay, v->name, name);
		uint32_t connections = live(p, meant[i].virtual, meant[i].real);

		if (v->real_count == 1 || !r) {
			answer_line(lines, "%s/%s: stays, it is the only one", v->name, name);
			stay++;
			continue;
		}
		log_operation(p, v->name, name, operate_health(p, meant[i].virtual, meant[i].real),
			"removed", REASON_OPERATOR, connections);
		answer_line(lines, "%s/%s: removed, %u connections cut", v->name, name, connections);
		r->removed = configured(p, meant[i].virtual, name) != NULL;
		r->added = false;
		r->admin = POOL_ENABLED;
		r->until = MONO_NEVER;
		r->weight = -1;
	}
	free(meant);
	if (stay == count || !reconfigure(p)) {
		json_decref(lines);
		control_refuse(client, stay == count
			? "it is the only server of its virtual server, and stays" : "no memory");
		return;
	}
	apply_change(p);
	control_answer_stored(p, client, json_pack("{s:o}", "lines", lines));
}

void
operate(struct pool *p, struct control_client *client, const struct control_request *q)
{
	struct meant *meant;
	size_t count = 0;
	char text[4 * LIMIT_NAME];

	if (q->command == CONTROL_ADD) {
		add_server(p, client, q);
		return;
	}
	count = find_meant(p, q->server, &meant);
	free(meant);
	if (count == 0) {
		snprintf(text, sizeof(text), "there is no real server \"%.128s\"; `tandemctl status` "
			"lists them", q->server);
		control_refuse(client, text);
		return;
	}
	if (q->command == CONTROL_REMOVE)
		remove_server(p, client, q);
	else if (q->command == CONTROL_DRAIN)
		drain_servers(p, client, q);
	else
		change_servers(p, client, q);
}

/* Ends that have come: a drain or disable that was to be undone. True when anything changed. */
static bool
undo_what_ended(struct pool *p)
{
	mono now = mono_now();
	bool changed = false;

	for (uint32_t i = 0; i < p->overlay.count; i++) {
		struct override *r = &p->overlay.rows[i];
		const char *from = overlay_admin_name(r->admin);

		if (!mono_due(r->until, now))
			continue;
		r->admin = POOL_ENABLED;
		log_operation(p, r->virtual, r->real, from, health_named(p, r->virtual, r->real),
			REASON_OVERRIDE_ENDED, -1);
		r->until = MONO_NEVER;
		changed = true;
	}
	return changed;
}

/* Follows a drain to its end. True when its time is up and it was not so before. */
static bool
follow_drain(struct pool *p, uint32_t virtual_row, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	const struct conf_real *real = &p->config.reals[row];
	const struct override *r = overlay_find(&p->overlay, v->name, real->name);
	struct pool_target *t = &p->targets[row];
	uint32_t connections;
	bool over;

	if (!r || r->admin != POOL_DRAINED)
		return false;
	connections = live(p, virtual_row, row);
	if (mono_is_never(t->drain.since))
		drain_begin(&t->drain, mono_now(), connections);
	drain_sample(&t->drain, mono_now(), connections);
	over = drain_is_over(r, v->protocol, mono_now());
	if (t->drain_told || (connections != 0 && !over))
		return false;
	t->drain_told = true;
	log_operation(p, v->name, real->name, "drained", connections == 0 ? "idle" : "cut",
		connections == 0 ? REASON_DRAINED : REASON_DRAIN_DEADLINE, connections);
	return over;
}

/* Does the file tell moments by another boot, or by a wall clock that was set since? */
static bool
is_told_otherwise(const struct pool *p)
{
	struct lasting_clock clock = lasting_clock_now();

	return p->overlay.stale || lasting_clock_was_set(&p->overlay.stored, &clock);
}

void
operate_second(struct pool *p)
{
	bool changed = false;

	if (p->overlay.count == 0)
		return;
	for (uint32_t v = 0; v < p->config.virtual_count; v++)
		for (uint32_t i = 0; i < p->config.virtuals[v].real_count; i++)
			changed |= follow_drain(p, v, p->config.virtuals[v].first_real + i);
	if (undo_what_ended(p)) {
		store(p);
		targets_refresh(p);
		changed = true;
	} else if (is_told_otherwise(p)) {
		store(p);
	}
	if (changed)
		table_apply_now(p, REASON_OPERATOR);
}
