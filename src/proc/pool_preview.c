/*
 * What a configuration would do to the kernel's table, before it does it, and doing just that.
 *
 * The plan is made on a second pool, so that the one at work stays as it is: the configuration
 * that may come with what operators changed, the targets and routers as a reload would carry them
 * over, and a dump of this moment. The operations are remembered. When they are to be applied they
 * are planned once more, and must come out the same: whatever moved meanwhile (somebody's hands in
 * the kernel, a verdict, another reload) makes the old plan void. The rest is a reload like any
 * other.
 */
#include "proc/pool_preview.h"

#include "conf/listen.h"
#include "conf/pack.h"
#include "linux/modules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1 << 21, OPS_MAX = 1 << 18 };
static const int64_t valid_ns = 600 * NS_PER_S;

static void
preview_free(struct preview *v)
{
	if (!v)
		return;
	config_free(&v->config);
	free(v->ops);
	free(v);
}

void
preview_close(struct pool *p)
{
	preview_free(p->preview);
	p->preview = NULL;
}

bool
preview_op_equal(const struct preview_op *a, const struct preview_op *b)
{
	const struct vs_service *s = &a->op.service, *t = &b->op.service;
	const struct vs_real *r = &a->op.real, *q = &b->op.real;

	return a->op.kind == b->op.kind && a->weight_from == b->weight_from &&
		vs_key_equal(&s->key, &t->key) &&
		strncmp(s->scheduler, t->scheduler, sizeof(s->scheduler)) == 0 &&
		strncmp(s->engine, t->engine, sizeof(s->engine)) == 0 && s->flags == t->flags &&
		s->persistence_s == t->persistence_s && ip_addr_equal(&s->netmask, &t->netmask) &&
		endpoint_equal(&r->address, &q->address) && r->forwarding == q->forwarding &&
		r->tunnel == q->tunnel && r->tunnel_port == q->tunnel_port &&
		r->tunnel_checksum == q->tunnel_checksum && r->weight == q->weight &&
		r->upper_threshold == q->upper_threshold &&
		r->lower_threshold == q->lower_threshold;
}

/* --- the second pool ----------------------------------------------------------------------- */

static void
shadow_free(struct pool *shadow)
{
	if (!shadow)
		return;
	free(shadow->routers);
	free(shadow->targets);
	free(shadow->virtuals);
	config_free(&shadow->config);
	free(shadow->wanted.services);
	free(shadow->wanted.reals);
	ipvs_table_free(&shadow->actual);
	free(shadow);
}

/* The pool as it would be after a reload. */
static struct pool *
shadow_new(const struct pool *p, const struct config *fresh)
{
	struct pool *shadow = calloc(1, sizeof(*shadow));

	if (!shadow)
		return NULL;
	shadow->child = p->child;
	shadow->overlay = p->overlay; /* its rows are only looked at */
	shadow->former_count = p->former_count; /* as those */
	shadow->formers = p->formers;
	if (overlay_config(&p->overlay, fresh, &shadow->config)) {
		names_fill(p, &shadow->config);
		shadow->routers = routers_carried(&shadow->config, &p->config, p->routers);
		shadow->targets = targets_foreseen(p, &shadow->config);
		shadow->virtuals = modes_carried(&shadow->config, &p->config, p->virtuals);
	}
	if (shadow->routers && shadow->targets && shadow->virtuals)
		return shadow;
	shadow_free(shadow);
	return NULL;
}

/* The kernel's table of this moment. Without a service, now and then, IPVS is not even loaded. */
static int
read_kernel(const struct pool *p, struct pool *shadow)
{
	struct ipvs *own = NULL;
	int error = 0;

	if (!p->ipvs && p->config.virtual_count == 0 && shadow->config.virtual_count == 0 &&
		p->owned_count == 0)
		return 0;
	if (!p->ipvs && !module_is_there("ip_vs"))
		return 0; /* nothing is in a table that is not there */
	if (!p->ipvs)
		error = ipvs_open(&own);
	if (error == 0)
		error = ipvs_dump(p->ipvs ? p->ipvs : own, &shadow->actual);
	if (own)
		ipvs_close(own);
	if (error == 0)
		vs_table_sort(&shadow->actual);
	return error;
}

/* What comes from a client may say anything: the table must not grow without bound. */
static bool
fits(const struct config *c)
{
	uint64_t services = 0, rows = 0, reals = 0;

	for (uint32_t i = 0; i < c->virtual_count && rows <= ROWS_MAX; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		for (uint32_t k = 0; k < v->listen_count && services <= LIMIT_LISTENS; k++)
			services += listen_count(&c->listens[v->first_listen + k]);
		if (services > LIMIT_LISTENS)
			return false;
		rows += (uint64_t)virtual_services(c, v) * (v->real_count + 1);
		reals += v->real_count;
	}
	return rows <= ROWS_MAX && reals <= c->real_count; /* no row in two virtual servers */
}

/* --- the operations ------------------------------------------------------------------------ */

static uint32_t
weight_now(const struct vs_table *actual, const struct plan_op *op)
{
	const struct vs_service *s = NULL;
	const struct vs_real *r = NULL;

	if (op->kind == PLAN_SET_REAL || op->kind == PLAN_DEL_REAL)
		s = vs_table_find(actual, &op->service.key);
	if (s)
		r = vs_table_find_real(actual, s, &op->real.address);
	return r ? r->weight : 0;
}

static uint32_t
add_text(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u; /* FNV-1a */
	return hash;
}

static uint32_t
add_op(uint32_t hash, const struct preview_op *o)
{
	char text[3 * ENDPOINT_TEXT], service[ENDPOINT_TEXT], real[ENDPOINT_TEXT];

	snprintf(text, sizeof(text), "%d %u %u %s %s %u %u;", o->op.kind, o->op.service.key.fwmark,
		o->op.service.key.protocol, endpoint_format(&o->op.service.key.listen, service),
		endpoint_format(&o->op.real.address, real), o->weight_from, o->op.real.weight);
	return add_text(hash, text);
}

/* A service that is changed or goes touches the connections of all its servers: they count once. */
static void
sum_up(struct preview *v)
{
	const struct vs_key *whole = NULL;

	v->fingerprint = 2166136261u;
	for (size_t i = 0; i < v->count; i++) {
		const struct plan_op *op = &v->ops[i].op;

		v->fingerprint = add_op(v->fingerprint, &v->ops[i]);
		if (op->kind == PLAN_SET_SERVICE || op->kind == PLAN_DEL_SERVICE)
			whole = &op->service.key;
		else if (whole && vs_key_equal(whole, &op->service.key))
			continue;
		v->connections += op->connections;
	}
}

/* False: no memory, or too many. */
static bool
diff(const struct pool *p, const struct pool *shadow, struct preview *v)
{
	size_t most = shadow->wanted.service_count + shadow->wanted.real_count +
		shadow->actual.service_count + shadow->actual.real_count;
	struct plan_op *ops;
	bool whole = false;

	most = most < OPS_MAX ? most : OPS_MAX;
	ops = calloc(most + 1, sizeof(*ops));
	if (ops)
		v->count = plan_diff(&shadow->wanted, &shadow->actual, p->owned, p->owned_count,
			ops, most, &whole);
	v->ops = whole ? calloc(v->count + 1, sizeof(*v->ops)) : NULL;
	for (size_t i = 0; v->ops && i < v->count; i++)
		v->ops[i] = (struct preview_op){.op = ops[i],
			.weight_from = weight_now(&shadow->actual, &ops[i])};
	free(ops);
	if (v->ops)
		sum_up(v);
	return v->ops;
}

/* The operations of a configuration at this moment, in *v, whose configuration is not touched. */
static const char *
look_ahead(const struct pool *p, const struct config *fresh, struct preview *v)
{
	static const char no_memory[] = "the system refused memory for the plan";
	struct pool *shadow = shadow_new(p, fresh);
	const char *refusal = NULL;
	int error;

	if (!shadow)
		return no_memory;
	error = read_kernel(p, shadow);
	if (error == -ENOENT)
		refusal = "this kernel has no ip_vs; load or install the module";
	else if (error != 0)
		refusal = "cannot read the kernel's table; see the log";
	else if (!table_build_wanted(shadow) || !diff(p, shadow, v))
		refusal = no_memory;
	shadow_free(shadow);
	return refusal;
}

/* --- plan ---------------------------------------------------------------------------------- */

static void
log_plan(struct pool *p, const struct preview *v)
{
	char number[16];
	struct log_line line;

	snprintf(number, sizeof(number), "%08x", v->fingerprint);
	log_line_begin(&line, "plan");
	log_line_reason(&line, REASON_OPERATOR);
	log_line_text(&line, "plan", number);
	log_line_text(&line, "file", v->file);
	log_line_int(&line, "operations", (int64_t)v->count);
	log_line_int(&line, "connections", (int64_t)v->connections);
	log_emit(&p->child->log, LOG_LEVEL_NOTICE, &line);
}

static const char *
take_plan(const struct pool *p, int fd, struct preview *v)
{
	if (!config_unpack(fd, &v->config))
		return "that is not a configuration of this version; use the tandemctl of this tandemd";
	v->config.key_count = 0;
	if (config_find_node(&v->config, p->config.nodes[p->child->node].name) != p->child->node)
		return "this node's entry in nodes is gone or moved there; tandemd must be restarted "
		       "for that";
	if (!fits(&v->config))
		return "the configuration has too many services or real servers to plan";
	return look_ahead(p, &v->config, v);
}

json_t *
preview_plan(struct pool *p, const char *file, int fd, const char **refusal)
{
	struct preview *v = calloc(1, sizeof(*v));

	*refusal = v ? take_plan(p, fd, v) : "the system refused memory for the plan";
	if (*refusal) {
		preview_free(v);
		return NULL;
	}
	snprintf(v->file, sizeof(v->file), "%s", file);
	v->generation = p->generation;
	v->at = mono_now();
	preview_close(p);
	p->preview = v;
	modules_want(p, &v->config); /* so that they are there when it is applied */
	log_plan(p, v);
	return preview_json(p, v);
}

/* --- apply --------------------------------------------------------------------------------- */

static const char *
op_text(const struct preview_op *o, char *out, size_t size)
{
	char service[ENDPOINT_TEXT], real[ENDPOINT_TEXT];
	bool of_real = o->op.real.address.addr.family != IP_NONE;
	const struct vs_key *key = &o->op.service.key;

	if (key->fwmark != 0)
		snprintf(service, sizeof(service), "fwmark %u", key->fwmark);
	else
		endpoint_format(&key->listen, service);
	snprintf(out, size, "%s %s%s%s", plan_kind_name(o->op.kind), service, of_real ? " " : "",
		of_real ? endpoint_format(&o->op.real.address, real) : "");
	return out;
}

/* The first difference between what was planned and what would be done now. */
static bool
moved(const struct preview *was, const struct preview *now, char refusal[PREVIEW_REFUSAL])
{
	size_t i = 0;
	char text[192];

	while (i < was->count && i < now->count && preview_op_equal(&was->ops[i], &now->ops[i]))
		i++;
	if (i == was->count && i == now->count)
		return false;
	snprintf(refusal, PREVIEW_REFUSAL, "the kernel or the health of servers changed since the plan "
		"(%zu operations then, %zu now; the first that differs: %s); plan again",
		was->count, now->count, i < now->count ? op_text(&now->ops[i], text, sizeof(text))
			: op_text(&was->ops[i], text, sizeof(text)));
	return true;
}

static bool
is_void(const struct pool *p, const struct preview *v, char refusal[PREVIEW_REFUSAL])
{
	struct preview now = {.count = 0};
	const char *why = NULL;
	bool differs;

	if (!v)
		why = "there is no plan; make one with `tandemctl plan`";
	else if (mono_diff_ns(mono_now(), v->at) > valid_ns)
		why = "the plan is older than 10 minutes; plan again";
	else if (v->generation != p->generation)
		why = "the configuration was reloaded since the plan; plan again";
	else
		why = look_ahead(p, &v->config, &now);
	if (why)
		snprintf(refusal, PREVIEW_REFUSAL, "%s", why);
	differs = why || moved(v, &now, refusal);
	free(now.ops);
	return differs;
}

int
preview_order(struct pool *p, struct ipc_apply *order, char refusal[PREVIEW_REFUSAL])
{
	struct preview *v = p->preview;
	int fd;

	if (is_void(p, v, refusal))
		return -1;
	fd = config_pack(&v->config);
	if (fd == -1) {
		snprintf(refusal, PREVIEW_REFUSAL, "the system refused memory for the plan: %s",
			strerror(errno));
		return -1;
	}
	memcpy(order->file, v->file, sizeof(order->file));
	v->applying = true;
	v->done = v->failed = v->done_connections = 0;
	v->apply_ns = 0;
	p->actual_known = false; /* it was planned against the kernel, not against our copy */
	table_refresh(p);
	return fd;
}

void
preview_note(struct pool *p, enum reason why, const struct plan_work *work)
{
	struct preview *v = p->preview;

	if (!v || !v->applying || (why != REASON_RECONFIGURED && why != REASON_OPERATOR))
		return;
	for (size_t i = 0; i < work->count; i++) {
		v->failed += work->errors[i] != 0;
		v->done_connections += work->ops[i].connections;
	}
	v->done += work->count;
	v->apply_ns += work->apply_ns;
}

json_t *
preview_done(struct pool *p)
{
	struct preview *v = p->preview;
	json_t *o;

	if (!v)
		return json_object();
	if (v->generation == p->generation) /* the file is in force already: only the kernel differed */
		table_apply_now(p, REASON_OPERATOR);
	o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:f, s:b}", "file", v->file,
		"planned", (json_int_t)v->count, "operations", (json_int_t)v->done,
		"failed", (json_int_t)v->failed, "connections", (json_int_t)v->done_connections,
		"apply_ms", (double)v->apply_ns / (double)NS_PER_MS,
		"programmed", (int)(p->programmed || p->config.virtual_count == 0));
	preview_close(p);
	return o;
}
