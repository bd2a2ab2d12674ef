/*
 * The core's actions, done. Adverts and announcements are sent here and now (a raw socket never
 * waits); everything that takes RTNL goes to the hands thread and comes back as a result.
 */
#include "proc/election_process.h"

#include "ipc/channel.h"
#include "linux/nd.h"

#include <stdlib.h>
#include <string.h>

static const double timer_pad_s = 20e-6; /* so that a timer is never early by rounding */
static const int64_t jobs_turn_ns = 1 * NS_PER_MS;
enum { NO_ROUTER = 0 };

/* Of a router's IPv4 addresses: what fits into a fraction of a millisecond. */
enum { ANNOUNCED_HERE = 32 };

static void
announce(struct router *r)
{
	uint32_t here = 0;

	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		const struct conf_address *a = &r->addresses[i];
		const struct port *p = port_find(r->elector, a->interface);
		bool v6 = a->prefix.addr.family == IP_V6;

		if ((!v6 && here++ >= ANNOUNCED_HERE) || !p || p->link.ifindex == 0)
			continue;
		if (v6)
			nd_announce(r->elector->arp.fd, p->link.ifindex, p->link.mac,
				&a->prefix.addr, p->below ? p->below->link.router6 : p->link.router6);
		else
			arp_announce(&r->elector->arp, p->link.ifindex, p->link.mac,
				&a->prefix.addr);
	}
	rounds_begin(r, ANNOUNCED_HERE);
	if (r->takeover_untold && r->election.claimed)
		report_takeover(r, mono_now());
}

/* Of a device with a virtual MAC its place in the job: the hands know best whether it is there. */
static int
index_for(const struct port *p, const struct hands_job *job)
{
	for (size_t i = 0; p && p->below && i < job->device_count; i++)
		if (strcmp(job->devices[i].name, p->name) == 0)
			return -1 - (int)i;
	return p ? p->link.ifindex : 0;
}

/* An interface that is gone holds no address to remove; setting one there must fail. */
static void
add_change(struct elector *x, struct hands_job *job, const char *interface,
	struct address_change change)
{
	const struct port *p = port_find(x, interface);

	change.ifindex = index_for(p, job);
	change.metric = p && p->below ? MACVLAN_METRIC : 0;
	if (job->verb == ADDRESS_SET || change.ifindex != 0)
		job->changes[job->count++] = change;
}

static void
add_addresses(struct elector *x, struct hands_job *job, const struct conf_address *list,
	size_t count, uint32_t lease_s)
{
	for (size_t i = 0; i < count; i++)
		add_change(x, job, list[i].interface,
			(struct address_change){.prefix = list[i].prefix, .lease_s = lease_s});
}

static void
add_blocks(struct elector *x, struct hands_job *job, const struct conf_block *list, size_t count,
	const struct ip_addr *anchor)
{
	for (size_t i = 0; i < count; i++)
		add_change(x, job, list[i].interface,
			(struct address_change){.prefix = list[i].prefix, .anchor = *anchor});
}

/* Of `r`, with its devices, or (NULL) of nobody any more. */
static struct hands_job *
empty_job(const struct router *r, size_t room, enum address_verb verb)
{
	struct hands_job *job = hands_job_with(room, r ? r->devices : NULL, r ? r->device_count : 0);

	if (!job)
		return NULL;
	job->verb = verb;
	job->count = 0;
	return job;
}

/* A block needs its anchor: it comes after the addresses, and goes before them. */
static struct hands_job *
job_for(struct router *r, enum el_act_kind kind)
{
	const struct conf_router *c = &r->conf;
	struct ip_addr anchor = router_anchor(r);
	struct hands_job *job = empty_job(r, c->address_count + c->block_count,
		kind == EL_RELEASE ? ADDRESS_REMOVE : ADDRESS_SET);

	if (!job)
		return NULL;
	if (job->verb == ADDRESS_REMOVE)
		add_blocks(r->elector, job, r->blocks, c->block_count, &anchor);
	add_addresses(r->elector, job, r->addresses, c->address_count, c->lease_s);
	if (job->verb == ADDRESS_SET)
		add_blocks(r->elector, job, r->blocks, c->block_count, &anchor);
	job->check_answers = kind == EL_CLAIM;
	job->unheard = !r->port->link.carrier;
	return job;
}

/* Without connection sync the gate means nothing, and nobody opens it when the daemon ends. */
static bool
has_gate(const struct elector *x)
{
	bool hot = false;

	for (size_t i = 0; i < x->router_count; i++)
		hot = hot || (x->routers[i]->has_pool &&
			x->routers[i]->conf.standby == CONF_STANDBY_HOT);
	return hot && x->config.node_count == 2 && x->config.sync.enabled;
}

/* The gate of IPVS on a standby is one for the whole host: shut only when no router is active. */
static enum hands_gate
gate_for(const struct router *r, enum el_act_kind kind)
{
	if (!r->has_pool || kind == EL_RENEW || !has_gate(r->elector))
		return HANDS_GATE_KEEP;
	if (kind == EL_CLAIM)
		return HANDS_GATE_OPEN;
	return routers_any_active(r->elector) ? HANDS_GATE_KEEP : HANDS_GATE_SHUT;
}

static void
move_addresses(struct router *r, mono now, const struct el_act *act)
{
	struct elector *x = r->elector;
	struct hands_job *job = job_for(r, act->kind);
	struct el_acts acts = {.count = 0};

	if (act->kind == EL_RELEASE)
		fencing_release(r); /* before the addresses: it does not wait for RTNL */
	if (job) {
		job->router = r->id;
		job->sequence = act->sequence;
		job->gate = gate_for(r, act->kind);
		if (act->kind == EL_CLAIM && fencing_takes_claim(r, job))
			return;
		if (hands_submit(x->hands, job))
			return;
		free(job);
	}
	/* No memory or no room: the lease ends by itself, and the core knows what that means. */
	report_text(x, LOG_LEVEL_ERROR, "address", REASON_SYSTEM, "router", r->conf.name);
	el_address_result(&r->election, now, act->sequence, now, false, &acts);
	router_perform(r, now, &acts);
}

void
elector_remove(struct elector *x, const struct conf_address *addresses, size_t address_count,
	const struct conf_block *blocks, size_t block_count)
{
	struct hands_job *job = empty_job(NULL, address_count + block_count, ADDRESS_REMOVE);
	const struct ip_addr any = {.family = IP_V4};

	if (!job)
		return;
	job->router = NO_ROUTER;
	add_blocks(x, job, blocks, block_count, &any);
	add_addresses(x, job, addresses, address_count, 0);
	if (!hands_submit(x->hands, job))
		free(job);
}

/* In its turn among the claims and releases under way, so it cannot undo what one of them does. */
void
elector_set_gate(struct elector *x)
{
	struct hands_job *job = hands_job_new(0);

	if (!job)
		return;
	job->task = HANDS_GATE_ALONE;
	job->router = NO_ROUTER;
	if (has_gate(x))
		job->gate = routers_any_active(x) ? HANDS_GATE_OPEN : HANDS_GATE_SHUT;
	if (!hands_submit(x->hands, job))
		free(job); /* it will be asked for again */
}

static void
prepare(struct router *r)
{
	struct ipc_name name = {{0}};

	memcpy(name.name, r->conf.name, sizeof(name.name));
	if (r->elector->pool_fd != -1)
		channel_send(r->elector->pool_fd, IPC_PREPARE, &name, sizeof(name), -1);
}

static void
perform_one(struct router *r, mono now, const struct el_act *act)
{
	switch (act->kind) {
	case EL_SEND_ADVERT:
		send_advert(r, now, act->priority);
		fencing_advert(r);
		break;
	case EL_PREPARE:
		prepare(r);
		break;
	case EL_CLAIM:
		stragglers_end(r);
		move_addresses(r, now, act);
		break;
	case EL_RENEW:
	case EL_RELEASE:
		move_addresses(r, now, act);
		break;
	case EL_ANNOUNCE:
		announce(r);
		break;
	case EL_ROLE:
		if (act->to != EL_ACTIVE)
			rounds_end(r);
		report_role(r, act);
		break;
	case EL_RIVAL:
		report_rival(r, now, act);
		break;
	case EL_SEND_HELLO:
		send_hello(r, now);
		break;
	case EL_ASK:
		wire_ask_for(r);
		break;
	case EL_RELAY:
		r->relays = true; /* as soon as they are released */
		break;
	case EL_CANDIDATE: /* group_follow() */
		break;
	case EL_STILL_ANSWERED:
		report_still_answered(r, act->reason);
		break;
	case EL_OFFER_ENDED:
		if (!act->ok)
			report_text(r->elector, LOG_LEVEL_WARNING, "switchover", act->reason,
				"router", r->conf.name);
		wish_ended(r, act->ok, act->reason);
		break;
	}
}

void
router_perform(struct router *r, mono now, const struct el_acts *acts)
{
	for (size_t i = 0; i < acts->count; i++)
		perform_one(r, now, &acts->list[i]);
	if (acts->count > 0)
		report_page(r);
	if (r->offering != (r->election.offer != REASON_NONE))
		report_router(r);
	group_follow(r, now, acts);
	/* A deadline that moved away is met by an early timer, which costs less than re-arming at
	 * every advert heard. */
	if (mono_before(el_deadline(&r->election), r->armed))
		router_arm(r);
}

void
router_arm(struct router *r)
{
	struct ev_loop *loop = r->elector->loop;
	mono deadline = el_deadline(&r->election);
	double after;

	ev_timer_stop(loop, &r->timer);
	r->armed = deadline;
	if (mono_is_never(deadline))
		return;
	ev_now_update(loop);
	after = (double)mono_diff_ns(deadline, mono_now()) / NS_PER_S + timer_pad_s;
	ev_timer_set(&r->timer, after > 0. ? after : 0., 0.);
	ev_timer_start(loop, &r->timer);
}

static void
note_lateness(struct router *r, mono now)
{
	struct elector *x = r->elector;
	mono deadline = el_deadline(&r->election);
	int64_t late = mono_diff_ns(now, deadline);

	if (mono_is_never(deadline) || late <= 0)
		return;
	if (late > x->lateness_last_ns)
		x->lateness_last_ns = late;
	if (late > x->lateness_max_ns)
		x->lateness_max_ns = late;
}

void
router_on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct router *r = w->data;
	struct el_acts acts = {.count = 0};
	mono now;

	(void)loop;
	(void)events;
	r->armed = MONO_NEVER;
	/* Whatever the peer has already said counts before it is called silent (V027). */
	if (r->election.role == EL_BACKUP)
		ports_drain(r->elector);
	if (r->election.asks > 0)
		wire_drain(r->elector); /* an answer that waits counts before the claim */
	now = mono_now();
	note_lateness(r, now);
	el_tick(&r->election, now, &acts);
	router_perform(r, now, &acts);
	router_arm(r);
}

static void
log_failed(const struct router *r, const struct hands_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct log_line line;
		char text[ADDR_TEXT];

		if (job->changes[i].error == 0)
			continue;
		log_line_begin(&line, "address");
		log_line_text(&line, "router", r->conf.name);
		log_line_reason(&line, REASON_ADDRESS_REFUSED);
		log_line_text(&line, job->changes[i].anchor.family == IP_NONE ? "address" : "block",
			ip_prefix_format(&job->changes[i].prefix, text));
		log_line_text(&line, "error", strerror(job->changes[i].error));
		log_emit(&r->elector->child->log, LOG_LEVEL_ERROR, &line);
	}
}

/* Of many jobs some in a turn: the loop's timers have theirs in between. */
void
elector_take_jobs(struct elector *x)
{
	mono begun = mono_now();
	struct hands_job *job;

	while (mono_diff_ns(mono_now(), begun) < jobs_turn_ns &&
		(job = hands_next_done(x->hands)) != NULL) {
		struct router *r = job->router == NO_ROUTER ? NULL : router_by_id(x, job->router);
		struct el_acts acts = {.count = 0};
		mono now;

		devices_done(x, r, job);
		now = mono_now();
		if (r && job->task == HANDS_ADDRESSES) {
			if (job->failed != 0)
				log_failed(r, job);
			if (job->mute)
				blocks_mute(r);
			el_address_result(&r->election, now, job->sequence, job->sent,
				job->failed == 0, &acts);
			router_perform(r, now, &acts);
			rounds_prolong(r);
			if (job->verb == ADDRESS_REMOVE)
				stragglers_released(r, now);
		}
		free(job);
	}
	routers_sweep(x);
}
