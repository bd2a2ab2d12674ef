/*
 * The egress fence of the virtual routers that want one (fence = "egress").
 *
 * A claim opens the fence before the addresses are set, every advertisement renews it, a release
 * closes it first of all. All of it is asked of the fence's thread; the loop goes on meanwhile. Only
 * an answer "its time was over" comes back to the election: an active that is on time (its adverts
 * went out, so nobody took over) opens again and says so, one that is late steps down.
 *
 * What the kernel refuses is no fence at all: no table, one warning, and the lease as ever.
 */
#include "proc/election_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REAPED = 0 }; /* sequence of an opening that no claim waits for */

static bool
is_wanted(const struct router *r)
{
	return r->conf.fence == CONF_FENCE_EGRESS && !r->leaving;
}

bool
router_is_fenced(const struct router *r)
{
	return r->elector->fencing.in_force && is_wanted(r);
}

/* --- what is told --- */

static const char *
explain(int error)
{
	switch (error) {
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		return "the kernel has no nf_tables or no egress hook (Linux 5.16)";
	case EPERM:
	case EACCES:
		return "not permitted, or another program owns the table of that name";
	case ENOENT:
		return "an nftables module is missing (nf_tables_netdev, nf_tables)";
	}
	return strerror(error);
}

static void
tell(struct elector *x, enum log_level level, enum reason why, const char *detail)
{
	struct log_line line;

	log_line_begin(&line, "fence");
	log_line_reason(&line, why);
	log_line_text(&line, "fence", x->fencing.in_force ? "egress" : "lease");
	log_line_text(&line, "detail", detail ? detail : reason_sentence(why));
	log_emit(&x->child->log, level, &line);
}

static void
tell_router(struct router *r, enum reason why)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&r->elector->fencing.limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "fence");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, why);
	log_line_text(&line, "fence", "egress");
	log_line_text(&line, "detail", reason_sentence(why));
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&r->elector->child->log, LOG_LEVEL_WARNING, &line);
}

/* --- the plan --- */

/* It has asked for its addresses; an active that still waits for its pool has not. */
static bool
speaks(const struct router *r)
{
	const struct election *e = &r->election;

	return r->fence_open || (e->role == EL_ACTIVE && (e->claimed || e->pending != 0));
}

static void
plan_interface(struct elector *x, struct fence_plan *plan, const char *name)
{
	const struct port *p = port_find(x, name);
	size_t n = plan->interface_count;

	if (!p || p->link.ifindex == 0)
		return; /* when it comes there will be another plan */
	for (size_t i = 0; i < n; i++)
		if (plan->ifindexes[i] == p->link.ifindex)
			return;
	memcpy(plan->interfaces[n], p->name, sizeof(plan->interfaces[n]));
	plan->ifindexes[n] = p->link.ifindex;
	plan->interface_count++;
}

static void
plan_guard(struct fence_plan *plan, const struct ip_prefix *prefix, bool whole, uint32_t number)
{
	struct fence_guard *g = &plan->guards[plan->guard_count++];

	g->prefix.addr = prefix->addr;
	g->prefix.length = whole ? prefix->length : (uint8_t)(8 * ip_addr_size(&prefix->addr));
	g->number = number;
}

static void
plan_router(struct router *r, struct fence_plan *plan)
{
	struct elector *x = r->elector;

	plan_interface(x, plan, r->conf.interface);
	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		plan_interface(x, plan, r->addresses[i].interface);
		/* fe80::... of a VRID may be on several interfaces: it says nothing about the router */
		if (!ip_addr_is_link_local(&r->addresses[i].prefix.addr))
			plan_guard(plan, &r->addresses[i].prefix, false, r->id);
	}
	for (uint32_t i = 0; i < r->conf.block_count; i++)
		plan_guard(plan, &r->blocks[i].prefix, true, r->id);
	if (speaks(r))
		plan->open[plan->open_count++] =
			(struct fence_item){.number = r->id, .ms = r->conf.fence_ms};
}

/* NULL: nobody wants a fence, or there is no memory for one. */
static struct fence_plan *
make_plan(struct elector *x)
{
	size_t routers = 0, guards = 0;
	struct fence_plan *plan;

	for (size_t i = 0; i < x->router_count; i++)
		if (is_wanted(x->routers[i])) {
			routers++;
			guards += x->routers[i]->conf.address_count +
				x->routers[i]->conf.block_count;
		}
	plan = routers > 0 ? fence_plan_new(x->port_count, guards, routers) : NULL;
	for (size_t i = 0; plan && i < x->router_count; i++)
		if (is_wanted(x->routers[i]))
			plan_router(x->routers[i], plan);
	return plan;
}

/* --- asking --- */

static bool
submit(struct elector *x, struct fence_job *job)
{
	if (job && x->fencing.thread && fence_submit(x->fencing.thread, job))
		return true;
	if (job)
		fence_plan_free(job->plan);
	free(job);
	return false;
}

static bool
ask(struct router *r, enum fence_verb verb, uint32_t sequence)
{
	struct fence_job *job = fence_job_new(verb, 1);

	if (job) {
		job->sequence = sequence;
		job->not_after = mono_add_ns(mono_now(), r->conf.fence_ms * NS_PER_MS);
		job->items[0] = (struct fence_item){.number = r->id, .ms = r->conf.fence_ms};
	}
	return submit(r->elector, job);
}

static void
drop_table(struct elector *x)
{
	submit(x, fence_job_new(FENCE_DROP, 0));
}

/* It does not do what it should: better none. */
static void
give_up(struct elector *x, int error)
{
	struct fencing *f = &x->fencing;

	f->in_force = false;
	if (!f->refused)
		tell(x, LOG_LEVEL_WARNING, REASON_FENCE_REFUSED, explain(error));
	f->refused = true;
	drop_table(x);
	report_all(x);
}

static bool
start_thread(struct elector *x)
{
	struct fencing *f = &x->fencing;
	int error;

	if (f->thread)
		return true;
	error = fence_start(f->name, &f->thread);
	if (error == 0) {
		ev_io_set(&f->watcher, fence_fd(f->thread), EV_READ);
		ev_io_start(x->loop, &f->watcher);
		ev_prepare_start(x->loop, &f->turn);
		return true;
	}
	if (!f->refused)
		tell(x, LOG_LEVEL_WARNING, REASON_FENCE_REFUSED, explain(-error));
	f->refused = true;
	return false;
}

static void
ask_for_plan(struct elector *x, struct fence_plan *plan)
{
	struct fencing *f = &x->fencing;
	struct fence_job *job = fence_job_new(FENCE_BUILD, 0);

	if (!job) {
		fence_plan_free(plan);
		give_up(x, ENOMEM);
		return;
	}
	job->plan = plan;
	job->not_after = mono_add_ns(mono_now(), x->config.interval_ms * NS_PER_MS);
	f->refused = false;
	atomic_store(&x->child->handover->fence, 1);
	if (!submit(x, job)) {
		give_up(x, ENOBUFS);
		return;
	}
	for (size_t i = 0; i < x->router_count; i++)
		x->routers[i]->fence_open = is_wanted(x->routers[i]) && speaks(x->routers[i]);
}

void
fencing_follow(struct elector *x, bool again)
{
	struct fencing *f = &x->fencing;
	struct fence_plan *plan = make_plan(x), *same;

	for (size_t i = 0; i < x->router_count; i++)
		if (!is_wanted(x->routers[i]))
			x->routers[i]->fence_open = false;
	if (fence_plan_equal(plan, f->plan) && !(again && f->refused)) {
		fence_plan_free(plan);
		return;
	}
	fence_plan_free(f->plan);
	f->plan = plan;
	if (!plan) {
		if (f->in_force)
			tell(x, LOG_LEVEL_NOTICE, REASON_RECONFIGURED, NULL);
		f->in_force = f->refused = false;
		drop_table(x);
		return;
	}
	same = make_plan(x); /* the thread's own */
	if (same && start_thread(x))
		ask_for_plan(x, same);
	else
		fence_plan_free(same);
}

/* --- events of the election --- */

bool
fencing_takes_claim(struct router *r, struct hands_job *claim)
{
	struct fencing *f = &r->elector->fencing;

	free(r->claim);
	r->claim = NULL;
	if (!f->thread || f->refused || !is_wanted(r) || !ask(r, FENCE_OPEN, claim->sequence))
		return false;
	r->fence_open = true;
	r->claim = claim;
	return true;
}

void
fencing_release(struct router *r)
{
	free(r->claim);
	r->claim = NULL;
	if (r->fence_open)
		ask(r, FENCE_CLOSE, REAPED);
	r->fence_open = r->fence_due = false;
}

void
fencing_advert(struct router *r)
{
	if (!r->fence_open || !r->elector->fencing.in_force)
		return;
	r->fence_due = true;
	r->elector->fencing.due++;
}

/* Once a turn of the loop, for all routers that have advertised in it. */
static void
on_turn(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct elector *x = w->data;
	struct fencing *f = &x->fencing;
	struct fence_job *job;

	(void)loop;
	(void)events;
	if (f->due == 0 || f->keeping)
		return;
	job = fence_job_new(FENCE_KEEP, x->router_count);
	if (!job)
		return;
	job->count = 0;
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];

		if (r->fence_due && r->fence_open)
			job->items[job->count++] =
				(struct fence_item){.number = r->id, .ms = r->conf.fence_ms};
		r->fence_due = false;
	}
	f->due = 0;
	if (job->count == 0)
		free(job);
	else
		f->keeping = submit(x, job);
}

/* --- answers --- */

static void
claim_now(struct router *r, bool fenced_well)
{
	struct el_acts acts = {.count = 0};
	struct hands_job *claim = r->claim;
	mono now = mono_now();

	r->claim = NULL;
	if (!claim || (fenced_well && hands_submit(r->elector->hands, claim)))
		return;
	el_address_result(&r->election, now, claim->sequence, now, false, &acts);
	free(claim);
	router_perform(r, now, &acts);
	router_arm(r);
}

/* Is it still active, if it is asked now whether it is late? */
static bool
is_still_active(struct router *r)
{
	struct el_acts acts = {.count = 0};
	mono now = mono_now();

	if (r->election.role != EL_ACTIVE)
		return false;
	el_tick(&r->election, now, &acts);
	router_perform(r, now, &acts);
	router_arm(r);
	return r->election.role == EL_ACTIVE && r->fence_open;
}

static void
take_built(struct elector *x, const struct fence_job *job)
{
	struct fencing *f = &x->fencing;

	if (job->error != 0) {
		give_up(x, job->error);
		return;
	}
	if (f->in_force || !f->plan)
		return;
	f->in_force = true;
	tell(x, LOG_LEVEL_NOTICE, REASON_FENCE_SET, NULL);
	report_all(x);
}

static void
take_opened(struct elector *x, const struct fence_job *job)
{
	struct router *r = router_by_id(x, job->items[0].number);
	bool awaited = r && r->claim && r->claim->sequence == job->sequence;

	if (!r || (!r->fence_open && !awaited))
		return;
	if (job->error == ETIME) { /* we slept between the asking and the doing */
		if (is_still_active(r) && !ask(r, FENCE_OPEN, job->sequence))
			claim_now(r, false);
		return;
	}
	if (job->error != 0 && job->error != EOPNOTSUPP) {
		give_up(x, job->error);
		/* asked again when the table is gone: then the claim needs no fence */
		if (awaited && !ask(r, FENCE_OPEN, job->sequence))
			claim_now(r, false);
		return;
	}
	if (job->rebuilt)
		tell_router(r, REASON_FENCE_REMOVED);
	else if (job->sequence == REAPED && job->error == 0)
		tell_router(r, REASON_FENCE_LATE);
	if (awaited)
		claim_now(r, true);
}

static void
take_kept(struct elector *x, const struct fence_job *job)
{
	x->fencing.keeping = false;
	for (size_t i = 0; i < job->count; i++) {
		struct router *r = router_by_id(x, job->items[i].number);

		if (!r || !r->fence_open || job->items[i].error == 0 || !x->fencing.in_force)
			continue;
		if (job->items[i].error != ENOENT) {
			give_up(x, job->items[i].error);
			return;
		}
		if (is_still_active(r) && !r->claim)
			ask(r, FENCE_OPEN, REAPED);
	}
}

static void
take_dropped(struct elector *x, const struct fence_job *job)
{
	if (job->error == 0 && (x->fencing.refused || !x->fencing.plan))
		atomic_store(&x->child->handover->fence, 0);
	if (job->error != 0)
		report_text(x, LOG_LEVEL_ERROR, "fence", REASON_SYSTEM, "error", strerror(job->error));
}

static void
take_job(struct elector *x, const struct fence_job *job)
{
	switch (job->verb) {
	case FENCE_BUILD:
		take_built(x, job);
		break;
	case FENCE_OPEN:
		take_opened(x, job);
		break;
	case FENCE_KEEP:
		take_kept(x, job);
		break;
	case FENCE_CLOSE:
		break; /* what could not be closed runs out */
	case FENCE_DROP:
		take_dropped(x, job);
		break;
	}
}

static void
on_done(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;
	struct fence_job *job;

	(void)loop;
	(void)events;
	while ((job = fence_next_done(x->fencing.thread)) != NULL) {
		take_job(x, job);
		free(job);
	}
}

/* --- start and stop --- */

/* A table of an earlier life would keep the addresses silent for ever. */
static bool
is_left_over(const struct elector *x)
{
	struct fence_table *t;
	bool exists;

	if (fence_table_open(x->fencing.name, &t) != 0)
		return false;
	exists = fence_table_exists(t);
	fence_table_close(t);
	return exists;
}

static void
purge(struct elector *x)
{
	struct fence_table *t;
	int error = fence_table_open(x->fencing.name, &t);

	if (error == 0) {
		error = fence_table_remove(t);
		fence_table_close(t);
	}
	if (error != 0 && error != -ENOENT)
		report_text(x, LOG_LEVEL_ERROR, "fence", REASON_LEFTOVER, "error", strerror(-error));
}

void
fencing_start(struct elector *x)
{
	struct fencing *f = &x->fencing;
	struct fence_job *job;
	bool left_over;

	fence_table_name(x->child->run_dir, f->name);
	f->limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 3};
	ev_init(&f->watcher, on_done);
	f->watcher.data = x;
	ev_prepare_init(&f->turn, on_turn);
	f->turn.data = x;
	left_over = is_left_over(x);
	fencing_follow(x, false);
	if (f->thread && (job = fence_wait_done(f->thread)) != NULL) {
		take_job(x, job); /* nothing is claimed before it is there */
		free(job);
	}
	if (left_over && !f->in_force)
		purge(x);
	if (left_over)
		tell(x, LOG_LEVEL_NOTICE, REASON_LEFTOVER, NULL);
}

void
fencing_stop(struct elector *x)
{
	struct fencing *f = &x->fencing;

	if (f->thread) {
		drop_table(x);
		ev_io_stop(x->loop, &f->watcher);
		ev_prepare_stop(x->loop, &f->turn);
		fence_stop(f->thread);
		atomic_store(&x->child->handover->fence, 0);
	}
	f->thread = NULL;
	fence_plan_free(f->plan);
	f->plan = NULL;
}
