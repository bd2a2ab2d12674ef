/* One simulated machine and its daemon. See node.h. */
#include "bundle.h"

#include <string.h>

static const int64_t exit_patience_ns = 500 * NS_PER_MS;

mono
node_now(const struct world *w, const struct node *n)
{
	return clock_local(&n->clock, w->now);
}

void
node_after(struct world *w, const struct node *n, int64_t ns, enum event_kind kind, int64_t a,
	int64_t b)
{
	events_add(&w->events, (struct event){.at = w->now + ns, .kind = kind, .node = n->id,
		.incarnation = n->incarnation, .a = a, .b = b});
}

static void
after(struct world *w, const struct node *n, int64_t ns, enum event_kind kind, int64_t a)
{
	node_after(w, n, ns, kind, a, 0);
}

/* --- the kernel's side --- */

static void
watch_leases(struct world *w, struct node *n)
{
	int64_t next = kernel_next_lapse(&n->kernel);

	n->lapse_at = INT64_MAX;
	if (next == INT64_MAX || n->life == LIFE_PAUSED)
		return;
	n->lapse_at = clock_when(&n->clock, (mono){next + n->clock.slept_ns});
	events_add(&w->events, (struct event){.kind = EVENT_LAPSE, .node = n->id,
		.at = n->lapse_at});
}

/* The kernel tells every listener; our daemon is told a moment later. */
static void
notify(struct world *w, struct node *n, unsigned gone)
{
	for (unsigned i = 0; i < gone; i++) {
		n->notices_due++;
		after(w, n, rng_between(&n->rng, 50 * NS_PER_US, 3 * NS_PER_MS), EVENT_NOTICE, 0);
	}
}

void
node_lapse(struct world *w, struct node *n, const struct event *event)
{
	unsigned gone;

	if (n->life == LIFE_PAUSED || event->at != n->lapse_at)
		return;
	gone = kernel_lapse(&n->kernel, clock_kernel(&n->clock, w->now));
	watch_leases(w, n);
	if (gone == 0)
		return;
	world_trace(w, n, "kernel: %u addresses lapsed", gone);
	notify(w, n, gone);
}

void
node_lose_addresses(struct world *w, struct node *n, unsigned mask)
{
	unsigned gone = kernel_remove(&n->kernel, mask);

	world_trace(w, n, "somebody removed %u addresses", gone);
	notify(w, n, gone);
}

/* --- the hands --- */

void
node_start_job(struct world *w, struct node *n)
{
	if (n->in_kernel || n->job_count == 0 || n->life == LIFE_HUNG || n->life == LIFE_DEAD)
		return;
	n->in_kernel = true;
	n->job_sent = node_now(w, n);
	n->job_sent_kernel = clock_kernel(&n->clock, w->now);
	after(w, n, kernel_latency_ns(&n->kernel), EVENT_HANDS, n->jobs[0].sequence);
}

static void
push_job(struct world *w, struct node *n, enum job_kind kind, uint32_t sequence)
{
	if (n->job_count == SIM_JOBS) {
		world_fail(w, n, "the hands have %u jobs waiting", n->job_count);
		return;
	}
	n->jobs[n->job_count++] = (struct job){.kind = kind, .sequence = sequence,
		.lease_ns = n->params.lease_ns, .count = n->addresses};
	if (kind == JOB_CLAIM)
		n->kernel.lapsed = false; /* what lapsed before is not missed any more */
	node_start_job(w, n);
}

static void arm(struct world *w, struct node *n);
static void perform(struct world *w, struct node *n, const struct el_acts *acts);

/* --- calls into the core; each one is seen by the checker before and after --- */

mono
node_enter(struct world *w, struct node *n, struct el_acts *acts)
{
	acts->count = 0;
	checker_before(w, n);
	return node_now(w, n);
}

void
node_leave(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause)
{
	checker_after(w, n, acts, cause);
	perform(w, n, acts);
}

void
node_tell_result(struct world *w, struct node *n, const struct result *r)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return; /* its last word made it exit */
	now = node_enter(w, n, &acts);
	el_address_result(&n->e, now, r->sequence, r->sent, r->ok, &acts);
	node_leave(w, n, &acts, CAUSE_RESULT);
}

void
node_tell_removal(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return; /* its last word made it exit */
	now = node_enter(w, n, &acts);
	el_addresses_removed(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_REMOVED);
}

enum el_fitness
node_own_fitness(const struct world *w, const struct node *n, enum reason *why)
{
	*why = REASON_CARRIER_LOST;
	if (w->keyed && !n->pairing.carrier[SERVICE])
		return EL_UNFIT;
	if (w->keyed)
		*why = REASON_NO_SOURCE_ADDRESS;
	if (!n->fit)
		return EL_UNFIT;
	*why = n->impaired ? REASON_GATEWAY_LOST : REASON_NONE;
	return n->impaired ? EL_IMPAIRED : EL_FIT;
}

void
node_tell_fitness(struct world *w, struct node *n)
{
	struct el_acts acts;
	enum el_fitness fitness;
	enum reason why;
	mono now;

	n->fitness_news = false;
	if (bundle_is_grouped(w)) {
		bundle_learn_fitness(w, n);
		return;
	}
	now = node_enter(w, n, &acts);
	fitness = node_own_fitness(w, n, &why);
	el_set_fitness(&n->e, now, fitness, why, &acts);
	node_leave(w, n, &acts, CAUSE_FITNESS);
}

/* election_routers.c, router_set_fitness(). */
void
node_set_fitness(struct world *w, struct node *n, enum el_fitness fitness, enum reason why,
	uint8_t priority)
{
	struct el_acts acts;
	mono now;

	if (priority != n->params.priority) {
		world_trace(w, n, "its group has priority %u", priority);
		n->params.priority = priority;
		now = node_enter(w, n, &acts);
		el_reconfigure(&n->e, now, &n->params, &acts);
		node_leave(w, n, &acts, CAUSE_RECONFIGURE);
	}
	if (fitness == n->e.fitness && why == n->e.unfit)
		return;
	now = node_enter(w, n, &acts);
	el_set_fitness(&n->e, now, fitness, why, &acts);
	node_leave(w, n, &acts, CAUSE_FITNESS);
}

/* The order was carried out by the core: the checker looks at it as at any other call. */
void
node_ordered(struct world *w, struct node *n, const struct el_acts *acts)
{
	checker_before(w, n);
	for (size_t i = acts->count; i-- > 0;)
		if (acts->list[i].kind == EL_ROLE)
			w->checker.before.role = acts->list[i].from;
	node_leave(w, n, acts, CAUSE_GROUP);
}

void
node_tell_time(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now = node_enter(w, n, &acts);

	el_tick(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_TICK);
}

/* --- actions --- */

static void
ask_pool(struct world *w, struct node *n)
{
	if (n->pool_answers)
		after(w, n, rng_between(&n->rng, NS_PER_MS, 1200 * NS_PER_MS), EVENT_PREPARED, 0);
}

static void
perform(struct world *w, struct node *n, const struct el_acts *acts)
{
	for (size_t i = 0; i < acts->count; i++) {
		const struct el_act *a = &acts->list[i];

		switch (a->kind) {
		case EL_SEND_ADVERT:
			node_send_advert(w, n, a->priority);
			break;
		case EL_PREPARE:
			ask_pool(w, n);
			break;
		case EL_CLAIM:
			push_job(w, n, JOB_CLAIM, a->sequence);
			break;
		case EL_RENEW:
			push_job(w, n, JOB_RENEW, a->sequence);
			break;
		case EL_RELEASE:
			push_job(w, n, JOB_RELEASE, a->sequence);
			break;
		case EL_ANNOUNCE:
			world_trace(w, n, "announces");
			node_announce(w, n);
			break;
		case EL_ROLE:
			world_trace(w, n, "%s -> %s %s", el_role_name(a->from), el_role_name(a->to),
				reason_tag(a->reason));
			break;
		case EL_RIVAL:
			world_trace(w, n, "rival of priority %u", a->rival_priority);
			break;
		case EL_SEND_HELLO:
			node_send_hello(w, n);
			break;
		case EL_ASK:
			node_ask_wire(w, n);
			break;
		case EL_RELAY:
			break;
		case EL_STILL_ANSWERED:
			world_trace(w, n, "silent, but its kernel answers");
			break;
		case EL_OFFER_ENDED:
			world_trace(w, n, "offer %s", a->ok ? "taken" : "not taken");
		case EL_CANDIDATE:
			break;
		}
	}
	if (n->stopping && el_is_quiet(&n->e))
		node_crash(w, n);
	bundle_follow(w, n, acts);
	arm(w, n);
}

static void
arm(struct world *w, struct node *n)
{
	mono deadline = el_deadline(&n->e);
	int64_t at;

	if (n->life != LIFE_RUNNING || mono_is_never(deadline)) {
		n->tick_at = INT64_MAX;
		return;
	}
	at = clock_when(&n->clock, deadline);
	if (at < w->now)
		at = w->now;
	if (n->tick_at >= at && n->tick_at <= at + w->jitter_ns)
		return;
	n->tick_at = at + rng_between(&n->rng, 0, w->jitter_ns);
	events_add(&w->events, (struct event){.at = n->tick_at, .kind = EVENT_TICK, .node = n->id,
		.incarnation = n->incarnation});
}

/* --- the life of a process --- */

void
node_create(struct world *w, unsigned id)
{
	struct node *n = &w->nodes[id];

	memset(n, 0, sizeof(*n));
	n->id = (uint8_t)id;
	n->fit = true;
	n->pool_answers = true;
	n->tick_at = n->lapse_at = INT64_MAX;
	n->rng = rng_stream(w->seed, 10 + id);
	n->kernel.rng = rng_stream(w->seed, 20 + id);
	n->clock = (struct sim_clock){.local_base = (1000 + 100 * (int64_t)id) * NS_PER_S};
}

void
node_start(struct world *w, struct node *n)
{
	/* what an earlier life left is purged before anything else */
	world_trace(w, n, "starts, purges %u", kernel_held(&n->kernel));
	kernel_remove(&n->kernel, ~0u);
	node_tell_fitness(w, n);
}

struct handover
node_left(const struct node *n)
{
	return (struct handover){.active = n->e.role == EL_ACTIVE, .claimed = n->e.claimed,
		.since = n->e.since, .last_advert = n->last_advert,
		.lease_deadline = n->e.lease_deadline};
}

void
node_begin(struct world *w, struct node *n)
{
	n->life = LIFE_RUNNING;
	n->incarnation++;
	n->off = n->stopping = n->in_kernel = n->fitness_news = false;
	n->pair_due = n->look_due = false;
	memset(n->frames, 0, sizeof(n->frames));
	memset(n->news, 0, sizeof(n->news));
	n->job_count = n->inbox_count = n->result_count = n->notices = n->notices_due = 0;
	n->tick_at = INT64_MAX;
	el_init(&n->e, &n->params, node_now(w, n));
	if (w->keyed)
		node_pair_start(w, n);
	checker_booted(w, n);
}

bool
node_resume(struct world *w, struct node *n, const struct handover *left)
{
	struct el_acts acts;
	mono now = node_enter(w, n, &acts);
	bool resumed;

	w->checker.handover = left;
	resumed = el_resume(&n->e, now, left->since, left->last_advert, left->lease_deadline, &acts);
	if (!resumed)
		w->checker.handover = NULL;
	node_leave(w, n, &acts, CAUSE_RESUME);
	w->checker.handover = NULL;
	return resumed;
}

void
node_boot(struct world *w, struct node *n, bool handover)
{
	struct handover left = node_left(n);

	if (n->life != LIFE_DEAD)
		return;
	node_begin(w, n);
	if (!handover || !left.active || !n->fit || !node_resume(w, n, &left))
		node_start(w, n);
}

/* What the kernel has been asked already it may or may not have done. */
void
node_crash(struct world *w, struct node *n)
{
	if (n->life == LIFE_DEAD)
		return;
	world_trace(w, n, "process is gone");
	if (n->in_kernel && rng_chance(&n->rng, 50)) {
		kernel_do(&n->kernel, clock_kernel(&n->clock, w->now), &n->jobs[0]);
		watch_leases(w, n);
	}
	n->life = LIFE_DEAD;
	n->tick_at = INT64_MAX;
	n->job_count = 0;
	n->in_kernel = false;
	while (n->inbox_count > 0)
		packet_drop(&w->events, n->inbox[--n->inbox_count]);
}

void
node_power_off(struct world *w, struct node *n)
{
	world_trace(w, n, "power is off");
	node_crash(w, n);
	kernel_remove(&n->kernel, ~0u);
	n->off = true;
}

void
node_hang(struct world *w, struct node *n)
{
	if (n->life != LIFE_RUNNING)
		return;
	world_trace(w, n, "hangs");
	n->life = LIFE_HUNG;
	n->paused_at = node_now(w, n);
	n->tick_at = INT64_MAX;
}

void
node_pause(struct world *w, struct node *n, bool seen)
{
	if (n->life != LIFE_RUNNING)
		return;
	world_trace(w, n, "machine is paused");
	n->life = LIFE_PAUSED;
	n->pause_is_seen = seen;
	n->paused_at = node_now(w, n);
	n->tick_at = INT64_MAX;
}

void
node_resume_machine(struct world *w, struct node *n)
{
	if (n->pause_is_seen) {
		n->clock.slept_ns += mono_diff_ns(node_now(w, n), n->paused_at);
	} else {
		n->clock.local_base = n->paused_at.ns;
		n->clock.true_base = w->now;
	}
	n->life = LIFE_RUNNING;
	watch_leases(w, n);
	/* the request in the kernel's hands goes on with the machine */
	if (n->in_kernel)
		after(w, n, kernel_latency_ns(&n->kernel), EVENT_HANDS, n->jobs[0].sequence);
}

void
node_set_fit(struct world *w, struct node *n, bool fit, int64_t after_ns)
{
	n->fit = fit;
	after(w, n, after_ns, EVENT_FITNESS, 0);
}

void
node_set_impaired(struct world *w, struct node *n, bool impaired)
{
	n->impaired = impaired;
	after(w, n, 0, EVENT_FITNESS, 0);
}

void
node_cable(struct world *w, struct node *n, unsigned path, int64_t after_ns)
{
	node_after(w, n, after_ns, EVENT_CABLE, path, 0);
}

void
node_switchover(struct world *w, struct node *n)
{
	struct el_acts acts;
	enum reason why;
	mono now;

	if (n->life != LIFE_RUNNING || n->stopping)
		return;
	world_trace(w, n, "operator: switchover");
	now = node_enter(w, n, &acts);
	why = el_switchover(&n->e, now, &acts);
	if (why == REASON_NONE ? w->checker.before.role != EL_ACTIVE
			       : !w->keyed && w->checker.before.role == EL_ACTIVE)
		world_fail(w, n, "switchover of an active refused, or of another accepted");
	node_leave(w, n, &acts, CAUSE_SWITCHOVER);
}

void
node_reconfigure(struct world *w, struct node *n, const struct el_params *params)
{
	struct el_acts acts;
	mono now;

	if (n->life == LIFE_HUNG || n->life == LIFE_PAUSED)
		return; /* nobody there to read it */
	n->params = *params;
	if (n->life != LIFE_RUNNING)
		return;
	world_trace(w, n, "reload: priority %u preempt %d interval %lld lease %lld delay %lld",
		params->priority, params->preempt, (long long)(params->interval_ns / NS_PER_MS),
		(long long)(params->lease_ns / NS_PER_S),
		(long long)(params->preempt_delay_ns / NS_PER_MS));
	if (w->keyed)
		node_pair_configure(n, w->network.count);
	now = node_enter(w, n, &acts);
	el_reconfigure(&n->e, now, params, &acts);
	node_leave(w, n, &acts, CAUSE_RECONFIGURE);
}

void
node_new_addresses(struct world *w, struct node *n, unsigned count)
{
	struct el_acts acts;
	mono now;

	if (n->life == LIFE_HUNG || n->life == LIFE_PAUSED)
		return;
	/* the daemon removes by itself what left the list */
	for (unsigned i = count; i < n->addresses; i++)
		kernel_remove(&n->kernel, 1u << i);
	n->addresses = count;
	if (n->life != LIFE_RUNNING)
		return;
	world_trace(w, n, "reload: %u addresses", count);
	now = node_enter(w, n, &acts);
	el_addresses_changed(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_ADDRESSES);
}

void
node_stop(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING || n->stopping)
		return;
	world_trace(w, n, "operator: stop");
	n->stopping = true;
	now = node_enter(w, n, &acts);
	el_stop(&n->e, now, &acts);
	after(w, n, exit_patience_ns, EVENT_EXIT, 0);
	node_leave(w, n, &acts, CAUSE_STOP);
}

void
node_hands(struct world *w, struct node *n)
{
	struct job job = n->jobs[0];
	struct result r = {.sequence = job.sequence, .sent = n->job_sent};
	bool was_lapsed = n->kernel.lapsed;
	int64_t now = clock_kernel(&n->clock, w->now), begun = n->job_sent_kernel;

	/* leases count from when the kernel got to it, which nobody is told */
	if (begun < now - 150 * NS_PER_MS)
		begun = now - 150 * NS_PER_MS;
	r.ok = kernel_do(&n->kernel, rng_between(&n->rng, begun, now), &job);
	if (job.kind == JOB_RENEW && was_lapsed && r.ok)
		checker_recreated(w, n);
	world_trace(w, n, "kernel: %s %u of %u addresses %s",
		job.kind == JOB_CLAIM ? "claim" : job.kind == JOB_RENEW ? "renewal" : "release",
		job.sequence, job.count, r.ok ? "done" : "failed");
	watch_leases(w, n);
	n->in_kernel = false;
	memmove(&n->jobs[0], &n->jobs[1], --n->job_count * sizeof(n->jobs[0]));
	checker_job_done(w, n, &job, r.ok);
	if (n->life == LIFE_RUNNING)
		node_tell_result(w, n, &r);
	else
		n->results[n->result_count++] = r;
	node_start_job(w, n);
}
