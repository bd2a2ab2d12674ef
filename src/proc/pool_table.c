/*
 * Wanted against actual. Whatever happens (start, reload, takeover, a verdict, somebody else's
 * hands in the kernel), this is the one path: build what is wanted, dump what is, apply the
 * difference. Services that are not ours are never touched.
 */
#include "proc/pool_process.h"

#include "conf/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OPS_A_ROUND = 1024, ROUNDS = 256, DRIFT_LINES = 8 };
static const int64_t ipvs_retry_ns = 5 * NS_PER_S;
static const int64_t roles_patience_ns = 3 * NS_PER_S;
static const int64_t dump_fresh_ns = 200 * NS_PER_MS;

void
pool_complain(struct pool *p, const char *detail, int error)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&p->ipvs_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "pool");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", detail);
	log_line_text(&line, "error", strerror(error < 0 ? -error : error));
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&p->child->log, LOG_LEVEL_ERROR, &line);
}

/* Without a virtual server, now or in an earlier life, IPVS is not even loaded. */
static bool
open_ipvs(struct pool *p)
{
	mono now = mono_now();
	int error;

	if (p->ipvs)
		return true;
	if ((p->config.virtual_count == 0 && p->owned_count == 0) || !mono_due(p->ipvs_retry_at, now))
		return false;
	error = ipvs_open(&p->ipvs);
	if (error == 0) {
		/* Before any service: a connection that is established before the daemons run, and
		 * idle from then on, is never told to the other node. */
		sync_reconcile(p);
		return true;
	}
	p->ipvs = NULL;
	p->ipvs_retry_at = mono_add_ns(now, ipvs_retry_ns);
	pool_complain(p, error == -ENOENT ? "this kernel has no ip_vs; load or install the module"
				     : "cannot talk to ip_vs", error);
	return false;
}

void
table_close(struct pool *p)
{
	if (p->ipvs)
		ipvs_close(p->ipvs);
	p->ipvs = NULL;
	ipvs_table_free(&p->actual);
	free(p->wanted.services);
	free(p->wanted.reals);
	p->wanted = (struct vs_table){0};
	free(p->owned);
	p->owned = NULL;
	p->owned_count = 0;
}

uint32_t
virtual_services(const struct config *c, const struct conf_virtual *v)
{
	uint32_t count = v->fwmark != 0;

	for (uint32_t i = 0; i < v->listen_count; i++)
		count += listen_count(&c->listens[v->first_listen + i]);
	return count;
}

struct vs_key
virtual_key(const struct config *c, const struct conf_virtual *v, uint32_t i)
{
	const struct conf_listen *l = &c->listens[v->first_listen];

	if (v->fwmark != 0)
		return (struct vs_key){.fwmark = v->fwmark, .listen.addr.family = v->family};
	for (; i >= listen_count(l); l++)
		i -= listen_count(l);
	return (struct vs_key){.listen = listen_at(l, i), .protocol = v->protocol};
}

static uint8_t
forwarding_of(uint8_t forwarding)
{
	switch (forwarding) {
	case CONF_FORWARD_DR: return VS_DR;
	case CONF_FORWARD_TUNNEL: return VS_TUNNEL;
	}
	return VS_NAT;
}

/* All but the key. */
static struct pool_service
service_of(const struct conf_virtual *v)
{
	struct pool_service s = {
		.service = {.flags = v->scheduler_flags | (v->one_packet ? VS_ONE_PACKET : 0u),
			.persistence_s = v->persistence_s},
		.when_none_healthy = v->when_none_healthy == CONF_REFUSE ? POOL_REFUSE : POOL_FAIL_OPEN,
		.min_healthy = v->min_healthy,
		.has_sorry = v->has_sorry,
		.sorry = v->sorry,
		.sorry_forwarding = forwarding_of(v->forwarding),
		.tunnel = v->tunnel,
		.tunnel_port = v->tunnel_port,
		.tunnel_checksum = v->tunnel_checksum,
	};

	memcpy(s.service.scheduler, v->scheduler, sizeof(s.service.scheduler));
	memcpy(s.service.engine, v->engine, sizeof(s.service.engine));
	return s;
}

static bool
append_virtual(struct pool *p, const struct conf_virtual *v, struct pool_member *members)
{
	uint32_t services = virtual_services(&p->config, v);
	struct pool_service s = service_of(v);
	bool room = true;

	for (uint32_t i = 0; i < v->real_count; i++) {
		const struct conf_real *real = &p->config.reals[v->first_real + i];
		const struct pool_target *t = &p->targets[v->first_real + i];

		members[i] = (struct pool_member){.address = real->address, .weight = real->weight,
			.upper_threshold = real->upper_threshold,
			.lower_threshold = real->lower_threshold,
			.forwarding = forwarding_of(real->forwarding), .verdict = t->verdict,
			.keep_out = t->keep_out};
	}
	for (uint32_t i = 0; i < services && room; i++) {
		s.service.key = virtual_key(&p->config, v, i);
		s.service.netmask = (struct ip_addr){.family = IP_NONE};
		if (v->persistence_mask.family == s.service.key.listen.addr.family)
			s.service.netmask = v->persistence_mask;
		room = pool_append(&s, members, v->real_count, &p->wanted, NULL);
	}
	return room;
}

static bool
make_room(struct pool *p)
{
	size_t services = 1, reals = 1;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		services += virtual_services(&p->config, v);
		reals += (size_t)virtual_services(&p->config, v) * (v->real_count + 1);
	}
	if (p->wanted.service_capacity >= services && p->wanted.real_capacity >= reals)
		return true;
	free(p->wanted.services);
	free(p->wanted.reals);
	p->wanted = (struct vs_table){
		.services = calloc(services, sizeof(struct vs_service)),
		.reals = calloc(reals, sizeof(struct vs_real)),
		.service_capacity = services,
		.real_capacity = reals,
	};
	return p->wanted.services && p->wanted.reals;
}

static bool
build_wanted(struct pool *p)
{
	struct pool_member *members = calloc(p->config.real_count + 1, sizeof(*members));
	bool ok = members && make_room(p);

	if (ok)
		vs_table_clear(&p->wanted);
	for (uint32_t i = 0; ok && i < p->config.virtual_count; i++)
		if (virtual_is_served(p, i))
			ok = append_virtual(p, &p->config.virtuals[i], members);
	free(members);
	if (ok)
		vs_table_sort(&p->wanted);
	return ok;
}

/*
 * A service of ours is there from an earlier life: a server it does not have was down then, and
 * stays out until a probe says otherwise.
 */
static void
adopt(struct pool *p)
{
	p->adopted = true;
	for (uint32_t v = 0; v < p->config.virtual_count; v++) {
		const struct conf_virtual *row = &p->config.virtuals[v];
		struct vs_key key = virtual_key(&p->config, row, 0);
		struct vs_real real;

		for (uint32_t i = row->first_real; vs_table_find(&p->actual, &key) &&
			i < row->first_real + row->real_count; i++)
			p->targets[i].keep_out = p->targets[i].verdict == HEALTH_UNKNOWN &&
				!table_sum_real(p, v, i, &real);
	}
}

static bool
dump(struct pool *p)
{
	int error = ipvs_dump(p->ipvs, &p->actual);

	if (error != 0) {
		pool_complain(p, "cannot read the kernel's table", error);
		ipvs_close(p->ipvs); /* the module may have been reloaded: resolve it anew */
		p->ipvs = NULL;
		return false;
	}
	vs_table_sort(&p->actual);
	p->dumped_at = mono_now();
	if (!p->adopted)
		adopt(p);
	return true;
}

static void
log_op(struct pool *p, enum log_level level, enum reason why, const struct plan_op *op, int error)
{
	bool real = op->kind == PLAN_ADD_REAL || op->kind == PLAN_SET_REAL || op->kind == PLAN_DEL_REAL;
	struct log_line line;

	log_line_begin(&line, "plan");
	log_line_text(&line, "operation", plan_kind_name(op->kind));
	log_line_reason(&line, why);
	if (op->service.key.fwmark != 0) {
		log_line_int(&line, "fwmark", op->service.key.fwmark);
	} else {
		log_line_text(&line, "protocol", conf_protocol_name(op->service.key.protocol));
		log_line_endpoint(&line, "service", &op->service.key.listen);
	}
	if (real) {
		log_line_endpoint(&line, "server", &op->real.address);
		log_line_int(&line, "weight", op->real.weight);
		log_line_int(&line, "connections", op->connections);
	}
	if (error == ENOENT && !real) { /* ip_vs_ctl.c: it asked for the module in vain */
		log_line_text(&line, "scheduler", op->service.scheduler);
		log_line_text(&line, "detail", op->service.engine[0] != '\0'
			? "this kernel has no module for the scheduler or for persistence_engine; install "
			  "it or choose another"
			: "this kernel has no module for the scheduler (ip_vs_NAME); install it or choose "
			  "another");
	}
	if (error != 0)
		log_line_text(&line, "error", strerror(error));
	log_emit(&p->child->log, level, &line);
}

static void
log_plan(struct pool *p, enum reason why, const struct plan_op *ops, const int *errors, size_t count)
{
	enum log_level level = why == REASON_DRIFT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	int64_t failed = 0, connections = 0;
	struct log_line line;

	for (size_t i = 0; i < count; i++) {
		failed += errors[i] != 0;
		connections += ops[i].connections;
		if (errors[i] != 0)
			log_op(p, LOG_LEVEL_ERROR, REASON_SYSTEM, &ops[i], errors[i]);
		else if (i < DRIFT_LINES)
			log_op(p, level, !p->settled && ops[i].kind == PLAN_DEL_SERVICE
				? REASON_LEFTOVER : why, &ops[i], 0);
	}
	log_line_begin(&line, "plan");
	log_line_reason(&line, why);
	log_line_int(&line, "operations", (int64_t)count);
	log_line_int(&line, "failed", failed);
	log_line_int(&line, "connections", connections);
	log_emit(&p->child->log, level, &line);
}

static void
note_owned(struct pool *p, const struct plan_op *ops, const int *errors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ops[i].kind == PLAN_DEL_SERVICE && errors[i] == 0)
			owned_remove(p, &ops[i].service.key);
}

/* Remembered before it is programmed: a crash in between must not leave an orphan. */
static void
own_wanted(struct pool *p)
{
	size_t before = p->owned_count;

	for (size_t i = 0; i < p->wanted.service_count; i++)
		owned_add(p, &p->wanted.services[i].key);
	if (p->owned_count != before)
		owned_store(p);
}

static bool
apply_round(struct pool *p, enum reason why, struct plan_op *ops, int *errors, bool *again)
{
	size_t owned_before = p->owned_count, count;
	bool whole = true;
	int failed;

	*again = false;
	if (!dump(p))
		return false;
	count = plan_diff(&p->wanted, &p->actual, p->owned, p->owned_count, ops, OPS_A_ROUND, &whole);
	if (count == 0)
		return true;
	failed = ipvs_apply(p->ipvs, ops, count, errors);
	if (failed < 0) {
		pool_complain(p, "cannot change the kernel's table", failed);
		return false;
	}
	log_plan(p, why, ops, errors, count);
	note_owned(p, ops, errors, count);
	if (p->owned_count != owned_before)
		owned_store(p);
	*again = !whole && failed == 0;
	return failed == 0;
}

/*
 * After a crash of this process the election is still there and a cold router may be active:
 * what is in the kernel must not go before its role is known.
 */
static bool
roles_missing(const struct pool *p)
{
	for (uint32_t i = 0; i < p->config.router_count; i++)
		if (!p->routers[i].known && !p->routers[i].preparing)
			return mono_diff_ns(mono_now(), p->started) < roles_patience_ns;
	return false;
}

bool
table_apply_now(struct pool *p, enum reason why)
{
	struct plan_op *ops;
	int *errors;
	bool again = true;

	if (roles_missing(p))
		return false;
	p->programmed = false;
	/* What is adopted decides who is kept out: look at the kernel before anything is wanted. */
	if (!open_ipvs(p) || (!p->adopted && !dump(p)) || !build_wanted(p))
		return false;
	if (!p->settled) /* whichever message came first, nothing was here before it */
		why = REASON_STARTED;
	own_wanted(p);
	ops = calloc(OPS_A_ROUND, sizeof(*ops));
	errors = calloc(OPS_A_ROUND, sizeof(*errors));
	for (int i = 0; ops && errors && again && i < ROUNDS; i++)
		p->programmed = apply_round(p, why, ops, errors, &again);
	free(ops);
	free(errors);
	p->settled = p->settled || p->programmed;
	return p->programmed;
}

void
table_replan(struct pool *p, enum reason why)
{
	(void)why;
	if (p->replan_soon)
		return;
	p->replan_soon = true;
	ev_timer_stop(p->loop, &p->replan_timer);
	ev_timer_set(&p->replan_timer, 0., 0.);
	ev_timer_start(p->loop, &p->replan_timer);
}

bool
table_refresh(struct pool *p)
{
	if (!p->ipvs)
		return false;
	if (mono_diff_ns(mono_now(), p->dumped_at) < dump_fresh_ns)
		return true;
	return dump(p);
}

static void
add_counters(struct vs_real *sum, const struct vs_real *row)
{
	sum->active_connections += row->active_connections;
	sum->inactive_connections += row->inactive_connections;
	sum->persistent_connections += row->persistent_connections;
	sum->connections += row->connections;
	sum->in_packets += row->in_packets;
	sum->out_packets += row->out_packets;
	sum->in_bytes += row->in_bytes;
	sum->out_bytes += row->out_bytes;
}

bool
table_sum_real(const struct pool *p, uint32_t virtual_row, uint32_t real_row, struct vs_real *sum)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	uint32_t services = virtual_services(&p->config, v);
	bool found = false;

	for (uint32_t i = 0; i < services; i++) {
		struct vs_key key = virtual_key(&p->config, v, i);
		struct endpoint address = p->config.reals[real_row].address;
		const struct vs_service *s = vs_table_find(&p->actual, &key);
		const struct vs_real *row;

		if (address.port == 0)
			address.port = key.listen.port;
		row = s ? vs_table_find_real(&p->actual, s, &address) : NULL;
		if (row && found)
			add_counters(sum, row);
		else if (row)
			*sum = *row;
		found = found || row;
	}
	return found;
}

void
table_withdraw_all(struct pool *p)
{
	struct plan_op *ops = calloc(OPS_A_ROUND, sizeof(*ops));
	int *errors = calloc(OPS_A_ROUND, sizeof(*errors));
	bool again = true;

	vs_table_clear(&p->wanted);
	for (int i = 0; p->ipvs && ops && errors && again && i < ROUNDS; i++)
		apply_round(p, REASON_STOPPED, ops, errors, &again);
	free(ops);
	free(errors);
}
