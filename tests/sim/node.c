/* One simulated machine and its daemon. See node.h. */
#include "world.h"

#include "core/vrrp.h"

#include <string.h>

enum { VRID = 51, IP_HEADER = 20 };

static const int64_t exit_patience_ns = 500 * NS_PER_MS;

mono
node_now(const struct world *w, const struct node *n)
{
	return clock_local(&n->clock, w->now);
}

static void
after(struct world *w, const struct node *n, int64_t ns, enum event_kind kind, int64_t a)
{
	events_add(&w->events, (struct event){.at = w->now + ns, .kind = kind, .node = n->id,
		.incarnation = n->incarnation, .a = a});
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

static void
on_lapse(struct world *w, struct node *n, const struct event *event)
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

static void
start_job(struct world *w, struct node *n)
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
	start_job(w, n);
}

static void arm(struct world *w, struct node *n);
static void perform(struct world *w, struct node *n, const struct el_acts *acts);

/* --- calls into the core; each one is seen by the checker before and after --- */

static mono
enter_core(struct world *w, struct node *n, struct el_acts *acts)
{
	acts->count = 0;
	checker_before(w, n);
	return node_now(w, n);
}

static void
leave_core(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause)
{
	checker_after(w, n, acts, cause);
	perform(w, n, acts);
}

static void
tell_result(struct world *w, struct node *n, const struct result *r)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return; /* its last word made it exit */
	now = enter_core(w, n, &acts);
	el_address_result(&n->e, now, r->sequence, r->sent, r->ok, &acts);
	leave_core(w, n, &acts, CAUSE_RESULT);
}

static void
tell_removal(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return; /* its last word made it exit */
	now = enter_core(w, n, &acts);
	el_addresses_removed(&n->e, now, &acts);
	leave_core(w, n, &acts, CAUSE_REMOVED);
}

static void
tell_fitness(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now = enter_core(w, n, &acts);

	n->fitness_news = false;
	el_set_fitness(&n->e, now, n->fit ? EL_FIT : EL_UNFIT, REASON_CARRIER_LOST, &acts);
	leave_core(w, n, &acts, CAUSE_FITNESS);
}

static void
tell_time(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now = enter_core(w, n, &acts);

	el_tick(&n->e, now, &acts);
	leave_core(w, n, &acts, CAUSE_TICK);
}

/* As the daemon does: open, decode, refuse; what is left is an event. */
static void
tell_packet(struct world *w, struct node *n, const struct event *packet)
{
	struct vrrp_envelope envelope;
	struct vrrp_advert advert;
	enum vrrp_checksum form;
	const uint8_t *message;
	size_t length;
	struct el_advert heard;
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING ||
		vrrp_open_ip4(packet->bytes, packet->length, &envelope, &message, &length) !=
			REASON_NONE ||
		vrrp_decode(message, length, &envelope, 3, false, &advert, &form) != REASON_NONE ||
		advert.vrid != VRID)
		return;
	if (packet->corrupt)
		world_fail(w, n, "a corrupt packet was accepted");
	heard = (struct el_advert){.source = envelope.source, .priority = advert.priority,
		.interval_ns = advert.interval_cs * 10 * NS_PER_MS};
	world_trace(w, n, "hears priority %u from .%u", heard.priority, heard.source.bytes[3]);
	now = enter_core(w, n, &acts);
	w->checker.heard = &heard;
	el_recv(&n->e, now, &heard, &acts);
	leave_core(w, n, &acts, CAUSE_PACKET);
	w->checker.heard = NULL;
}

/* --- actions --- */

size_t
node_packet(const struct ip_addr *source, uint8_t priority, int64_t interval_ns,
	unsigned addresses, uint8_t out[SIM_PACKET])
{
	static const uint8_t list[4 * SIM_ADDRESSES] = {10, 77, 0, 100, 10, 77, 0, 101, 10, 77, 0, 102};
	struct vrrp_envelope envelope = {.source = *source,
		.destination = {IP_V4, {224, 0, 0, 18}}, .ttl = VRRP_TTL};
	struct vrrp_advert advert = {.vrid = VRID, .priority = priority,
		.interval_cs = (uint16_t)(interval_ns / (10 * NS_PER_MS)),
		.count = (uint8_t)addresses, .addresses = list};
	size_t length = vrrp_encode(&advert, &envelope, VRRP_SUM_PSEUDO_HEADER, out + IP_HEADER,
		SIM_PACKET - IP_HEADER);

	memset(out, 0, IP_HEADER);
	out[0] = 0x45;
	out[3] = (uint8_t)(IP_HEADER + length);
	out[8] = VRRP_TTL;
	out[9] = VRRP_PROTOCOL;
	memcpy(out + 12, source->bytes, 4);
	memcpy(out + 16, envelope.destination.bytes, 4);
	return IP_HEADER + length;
}

static void
send_advert(struct world *w, struct node *n, uint8_t priority)
{
	uint8_t bytes[SIM_PACKET];
	size_t length = node_packet(&n->params.own, priority, n->params.interval_ns, n->addresses,
		bytes);

	world_trace(w, n, "sends priority %u", priority);
	network_send(w, n->id, bytes, length);
}

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
			send_advert(w, n, a->priority);
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
			break;
		case EL_ROLE:
			world_trace(w, n, "%s -> %s %s", el_role_name(a->from), el_role_name(a->to),
				reason_tag(a->reason));
			break;
		case EL_RIVAL:
			world_trace(w, n, "rival of priority %u", a->rival_priority);
			break;
		case EL_SEND_HELLO:
		case EL_ASK:
		case EL_RELAY:
		case EL_STILL_ANSWERED:
		case EL_OFFER_ENDED:
			break;
		}
	}
	if (n->stopping && el_is_quiet(&n->e))
		node_crash(w, n);
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

static void
start_election(struct world *w, struct node *n)
{
	/* what an earlier life left is purged before anything else */
	world_trace(w, n, "starts, purges %u", kernel_held(&n->kernel));
	kernel_remove(&n->kernel, ~0u);
	tell_fitness(w, n);
}

static struct handover
take_handover(const struct node *n, const struct checker *c)
{
	return (struct handover){.active = n->e.role == EL_ACTIVE, .claimed = n->e.claimed,
		.since = n->e.since, .last_advert = c->watch[n->id].last_sent,
		.lease_deadline = n->e.lease_deadline};
}

void
node_boot(struct world *w, struct node *n, bool handover)
{
	struct handover left = take_handover(n, &w->checker);
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_DEAD)
		return;
	n->life = LIFE_RUNNING;
	n->incarnation++;
	n->stopping = n->in_kernel = n->fitness_news = false;
	n->job_count = n->inbox_count = n->result_count = n->notices = n->notices_due = 0;
	n->tick_at = INT64_MAX;
	el_init(&n->e, &n->params, node_now(w, n));
	checker_booted(w, n);
	if (!handover || !left.active || !n->fit) {
		start_election(w, n);
		return;
	}
	now = enter_core(w, n, &acts);
	w->checker.handover = &left;
	if (el_resume(&n->e, now, left.since, left.last_advert, left.lease_deadline, &acts)) {
		leave_core(w, n, &acts, CAUSE_RESUME);
		w->checker.handover = NULL;
	} else {
		w->checker.handover = NULL;
		leave_core(w, n, &acts, CAUSE_RESUME);
		start_election(w, n);
	}
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
}

void
node_hang(struct world *w, struct node *n)
{
	if (n->life != LIFE_RUNNING)
		return;
	world_trace(w, n, "hangs");
	n->life = LIFE_HUNG;
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

static void
resume_machine(struct world *w, struct node *n)
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

static void
drain_inbox(struct world *w, struct node *n)
{
	for (unsigned i = 0; i < n->inbox_count; i++)
		tell_packet(w, n, &n->inbox[i]);
	n->inbox_count = 0;
}

static void
drain_results(struct world *w, struct node *n)
{
	unsigned count = n->result_count;

	n->result_count = 0;
	for (unsigned i = 0; i < count; i++)
		tell_result(w, n, &n->results[i]);
	for (; n->notices > 0; n->notices--)
		tell_removal(w, n);
}

void
node_wake(struct world *w, struct node *n)
{
	if (n->life != LIFE_HUNG && n->life != LIFE_PAUSED)
		return;
	world_trace(w, n, "wakes");
	if (n->life == LIFE_PAUSED)
		resume_machine(w, n);
	n->life = LIFE_RUNNING;
	checker_woke(w, n);
	start_job(w, n);
	/* the loop serves its descriptors in any order, but time after all of them */
	if (rng_chance(&n->rng, 50)) {
		drain_inbox(w, n);
		drain_results(w, n);
	} else {
		drain_results(w, n);
		drain_inbox(w, n);
	}
	if (n->fitness_news && n->life == LIFE_RUNNING)
		tell_fitness(w, n);
	if (n->life == LIFE_RUNNING)
		tell_time(w, n);
	checker_awake(w, n);
}

void
node_set_fit(struct world *w, struct node *n, bool fit, int64_t after_ns)
{
	n->fit = fit;
	after(w, n, after_ns, EVENT_FITNESS, 0);
}

void
node_switchover(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING || n->stopping)
		return;
	world_trace(w, n, "operator: switchover");
	now = enter_core(w, n, &acts);
	if ((el_switchover(&n->e, now, &acts) == REASON_NONE) !=
		(w->checker.before.role == EL_ACTIVE))
		world_fail(w, n, "switchover of an active refused, or of another accepted");
	leave_core(w, n, &acts, CAUSE_SWITCHOVER);
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
	now = enter_core(w, n, &acts);
	el_reconfigure(&n->e, now, params, &acts);
	leave_core(w, n, &acts, CAUSE_RECONFIGURE);
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
	now = enter_core(w, n, &acts);
	el_addresses_changed(&n->e, now, &acts);
	leave_core(w, n, &acts, CAUSE_ADDRESSES);
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
	now = enter_core(w, n, &acts);
	el_stop(&n->e, now, &acts);
	after(w, n, exit_patience_ns, EVENT_EXIT, 0);
	leave_core(w, n, &acts, CAUSE_STOP);
}

/* --- events --- */

static void
on_hands(struct world *w, struct node *n)
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
		tell_result(w, n, &r);
	else
		n->results[n->result_count++] = r;
	start_job(w, n);
}

static void
on_notice(struct world *w, struct node *n)
{
	if (n->notices_due > 0)
		n->notices_due--;
	if (n->life == LIFE_RUNNING)
		tell_removal(w, n);
	else if (n->notices < 2 * SIM_ADDRESSES)
		n->notices++;
}

static void
on_packet(struct world *w, struct node *n, const struct event *event)
{
	if (w->network.down[n->id] || n->life == LIFE_DEAD)
		return;
	if (n->life == LIFE_RUNNING)
		tell_packet(w, n, event);
	else if (n->inbox_count < SIM_INBOX)
		n->inbox[n->inbox_count++] = *event;
}

static void
on_prepared(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now;

	if (n->life != LIFE_RUNNING)
		return;
	now = enter_core(w, n, &acts);
	el_prepared(&n->e, now, &acts);
	leave_core(w, n, &acts, CAUSE_PREPARED);
}

static void
on_fitness(struct world *w, struct node *n)
{
	if (n->life == LIFE_RUNNING)
		tell_fitness(w, n);
	else
		n->fitness_news = true;
}

static void
on_tick(struct world *w, struct node *n, const struct event *event)
{
	if (event->at != n->tick_at || n->life != LIFE_RUNNING)
		return;
	n->tick_at = INT64_MAX;
	tell_time(w, n);
}

void
node_event(struct world *w, struct node *n, const struct event *event)
{
	bool stale = event->incarnation != n->incarnation;

	switch (event->kind) {
	case EVENT_PACKET:
		on_packet(w, n, event);
		break;
	case EVENT_LAPSE:
		on_lapse(w, n, event);
		break;
	case EVENT_TICK:
		if (!stale)
			on_tick(w, n, event);
		break;
	case EVENT_HANDS:
		if (!stale && n->in_kernel && n->life != LIFE_PAUSED &&
			event->a == n->jobs[0].sequence)
			on_hands(w, n);
		break;
	case EVENT_NOTICE:
		if (!stale)
			on_notice(w, n);
		break;
	case EVENT_PREPARED:
		if (!stale)
			on_prepared(w, n);
		break;
	case EVENT_FITNESS:
		if (!stale)
			on_fitness(w, n);
		break;
	case EVENT_EXIT:
		if (!stale)
			node_crash(w, n);
		break;
	case EVENT_STRANGER:
	case EVENT_FAULT:
		break;
	}
}
