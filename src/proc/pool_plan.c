/*
 * Wanted against actual. Whatever happens (start, reload, takeover, a verdict, somebody else's
 * hands in the kernel), this is the one path: build what is wanted, compare it with what the kernel
 * has, apply the difference. Services that are not ours are never touched.
 *
 * What the kernel has is dumped at start, after each reload and again and again (PLAN_DRIFT); in between
 * our own changes are made in the copy as well, so that a changed weight is one message and no
 * dump. When the kernel refuses an operation the copy was wrong: it is dumped and planned again.
 *
 * Drift is what a dump differs by from what was wanted last, and not from what is wanted now: a
 * drain whose time is up and a plan that was not finished are our own doing.
 */
#include "proc/pool_process.h"

#include <errno.h>
#include <stdlib.h>

enum { OPS_A_ROUND = 16384, ROUNDS = 64 };
static const int64_t ipvs_retry_ns = 5 * NS_PER_S;
static const int64_t roles_patience_ns = 3 * NS_PER_S;
static const int64_t dump_fresh_ns = 200 * NS_PER_MS;
static const int64_t drift_least_ns = 250 * NS_PER_MS;
static const int64_t drift_most_ns = 5 * NS_PER_S;

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
	if (!modules_may_open(p))
		return false; /* planned again when it is loaded */
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
	refused_forget(p);
	p->actual_known = false;
}

/*
 * A service of ours is there from an earlier life: a server that it does not have, or has with weight
 * 0 for the sake of its connections, was down then, and stays out until a probe says otherwise.
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
				(!table_sum_real(p, v, i, &real) ||
					(real.weight == 0 && p->config.reals[i].weight != 0));
	}
}

/*
 * Reading the table costs a request for each service. It is done so often that a twentieth of a
 * processor goes into it at most, and never more often than four times a second. What counts is
 * the processor's time and not the clock's: on a busy machine it takes longer, but costs no more.
 */
static void
arm_drift_timer(struct pool *p, int64_t cost_ns)
{
	int64_t pause_ns = 20 * cost_ns;

	pause_ns = pause_ns < drift_least_ns ? drift_least_ns
		: pause_ns > drift_most_ns ? drift_most_ns : pause_ns;
	ev_timer_stop(p->loop, &p->drift_timer);
	ev_timer_set(&p->drift_timer, (double)pause_ns / (double)NS_PER_S, 0.);
	ev_timer_start(p->loop, &p->drift_timer);
}

static bool
dump(struct pool *p)
{
	int64_t spent_ns = cpu_spent_ns();
	int error = ipvs_dump(p->ipvs, &p->actual);

	p->actual_known = error == 0;
	if (error != 0) {
		pool_complain(p, "cannot read the kernel's table", error);
		ipvs_close(p->ipvs); /* the module may have been reloaded: resolve it anew */
		p->ipvs = NULL;
		return false;
	}
	vs_table_sort(&p->actual);
	p->dumped_at = mono_now();
	arm_drift_timer(p, cpu_spent_ns() - spent_ns);
	if (!p->adopted)
		adopt(p);
	return true;
}

static void
note_owned(struct pool *p, const struct plan_work *work)
{
	bool changed = false;

	for (size_t i = 0; i < work->count; i++)
		if (work->ops[i].kind == PLAN_DEL_SERVICE && work->errors[i] == 0) {
			owned_remove(p, &work->ops[i].service.key);
			changed = true;
		}
	if (changed)
		owned_store(p);
}

/* What was done to the kernel is done to the copy; where it cannot be, the copy is out of date. */
static void
patch_copy(struct pool *p, const struct plan_work *work)
{
	for (size_t i = 0; i < work->count && p->actual_known; i++)
		p->actual_known = work->errors[i] == 0 && plan_patch(&p->actual, &work->ops[i]);
}

/* True when nothing is left to do. */
static bool
apply_round(struct pool *p, enum reason why, struct plan_work *work)
{
	bool whole = true;
	mono begun;
	int failed;

	if (!p->actual_known && !dump(p))
		return false;
	refused_leave_out(p);
	work->count = plan_diff(&p->wanted, &p->actual, p->owned, p->owned_count, work->ops,
		OPS_A_ROUND, &whole);
	if (work->count == 0)
		return true;
	begun = mono_now();
	failed = ipvs_apply(p->ipvs, work->ops, work->count, work->errors);
	work->ended = mono_now();
	work->apply_ns = mono_diff_ns(work->ended, begun);
	if (failed < 0) {
		p->actual_known = false;
		pool_complain(p, "cannot change the kernel's table", failed);
		return false;
	}
	plan_log(p, why, work);
	preview_note(p, why, work);
	note_owned(p, work);
	refused_note(p, work);
	patch_copy(p, work);
	return whole && failed == 0;
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

/* A table that is refused a second time stays as it is until the next dump. */
static bool
apply_rounds(struct pool *p, enum reason why, mono begun)
{
	/* Not cleared: of megabytes one operation is used most of the time. */
	struct plan_work work = {.ops = reallocarray(NULL, OPS_A_ROUND, sizeof(*work.ops)),
		.errors = reallocarray(NULL, OPS_A_ROUND, sizeof(*work.errors)), .begun = begun};
	bool done = false;
	int refused = 0;

	for (int i = 0; work.ops && work.errors && !done && refused < 2 && p->ipvs && i < ROUNDS; i++) {
		done = apply_round(p, why, &work);
		refused += !done && work.count < OPS_A_ROUND;
	}
	free(work.ops);
	free(work.errors);
	return done;
}

bool
table_apply_now(struct pool *p, enum reason why)
{
	mono begun = mono_is_never(p->told_at) ? mono_now() : p->told_at;

	if (roles_missing(p))
		return false;
	p->programmed = false;
	p->unfinished = why;
	/* What is adopted decides who is kept out: look at the kernel before anything is wanted. */
	if (!open_ipvs(p) || (!p->adopted && !dump(p)) || !table_build_wanted(p))
		return false;
	if (!p->settled) /* whichever message came first, nothing was here before it */
		why = REASON_STARTED;
	if (why == REASON_DRIFT || why == REASON_STARTED)
		p->actual_known = false;
	modes_tell(p);
	owned_add_wanted(p);
	p->programmed = apply_rounds(p, why, begun);
	p->settled = p->settled || p->programmed;
	return p->programmed;
}

void
table_look(struct pool *p)
{
	p->actual_known = false;
	if (p->programmed && p->ipvs) {
		p->unfinished = REASON_DRIFT;
		p->programmed = apply_rounds(p, REASON_DRIFT, mono_now());
	}
	table_apply_now(p, p->programmed ? REASON_HEALTH : p->unfinished);
}

void
table_check_soon(struct pool *p)
{
	ev_timer_stop(p->loop, &p->drift_timer);
	ev_timer_set(&p->drift_timer, 0., 0.);
	ev_timer_start(p->loop, &p->drift_timer);
}

void
table_replan(struct pool *p, enum reason why)
{
	if (p->replan_soon && p->replan_why != why)
		p->replan_why = REASON_HEALTH; /* of several */
	if (p->replan_soon)
		return;
	p->replan_soon = true;
	p->replan_why = why;
	ev_timer_stop(p->loop, &p->replan_timer);
	ev_timer_set(&p->replan_timer, 0., 0.);
	ev_timer_start(p->loop, &p->replan_timer);
}

bool
table_refresh(struct pool *p)
{
	if (!p->ipvs)
		return false;
	if (p->actual_known && mono_diff_ns(mono_now(), p->dumped_at) < dump_fresh_ns)
		return true;
	return dump(p);
}

void
table_withdraw_all(struct pool *p)
{
	vs_table_clear(&p->wanted);
	p->actual_known = false;
	apply_rounds(p, REASON_STOPPED, mono_now());
}
