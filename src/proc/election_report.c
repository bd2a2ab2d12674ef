/*
 * What the election tells: log lines for people, facts for the pool process, and the page from
 * which a successor goes on. Telling never waits; facts that a full channel refused go out again
 * with the next second.
 */
#include "proc/election_process.h"

#include "ipc/channel.h"

#include <string.h>

enum { TURNS = 8 };

static void
add_peer(struct log_line *line, const struct election *e)
{
	if (mono_is_never(e->last_heard))
		return;
	log_line_addr(line, "peer", &e->last_source);
	log_line_int(line, "peer_priority", e->last_priority);
}

static void
begin_role(struct log_line *line, const struct router *r, enum el_role from, enum el_role to,
	enum reason reason)
{
	log_line_begin(line, "role");
	log_line_text(line, "router", r->conf.name);
	log_line_text(line, "from", el_role_name(from));
	log_line_text(line, "to", el_role_name(to));
	log_line_reason(line, reason);
	log_line_int(line, "vrid", r->conf.vrid);
	log_line_text(line, "interface", r->conf.interface);
	log_line_int(line, "priority", r->election.params.priority);
}

static void
run_hook(struct router *r, enum el_role to, enum reason reason)
{
	struct ipc_hook hook = {.hook = CONF_HOOK_ACTIVE};

	if (to == EL_INIT)
		return;
	if (to == EL_BACKUP)
		hook.hook = CONF_HOOK_BACKUP;
	else if (to == EL_FAULT)
		hook.hook = CONF_HOOK_FAULT;
	if (r->conf.hook[hook.hook][0] == '\0')
		return;
	memcpy(hook.router, r->conf.name, sizeof(hook.router));
	strncpy(hook.role, el_role_name(to), sizeof(hook.role) - 1);
	strncpy(hook.reason, reason_tag(reason), sizeof(hook.reason) - 1);
	channel_send(r->elector->child->supervisor_fd, IPC_HOOK, &hook, sizeof(hook), -1);
}

void
report_takeover(struct router *r, mono announced)
{
	const struct election *e = &r->election;
	const struct el_phases *p = &e->phases;
	mono heard = mono_is_never(p->last_heard) ? r->backup_since : p->last_heard;
	struct log_line line;

	r->takeover_untold = false;
	begin_role(&line, r, r->takeover_from, EL_ACTIVE, e->reason);
	if (e->reason != REASON_RESUMED && !mono_is_never(p->claimed)) {
		log_line_ms(&line, "silence_ms", mono_diff_ns(p->decided, heard));
		log_line_ms(&line, "decide_ms", mono_diff_ns(p->decided, p->due));
		log_line_ms(&line, "address_ms", mono_diff_ns(p->claimed, p->decided));
		log_line_ms(&line, "announce_ms", mono_diff_ns(announced, p->claimed));
		log_line_ms(&line, "total_ms", mono_diff_ns(announced, heard));
	}
	add_peer(&line, e);
	log_emit(&r->elector->child->log, LOG_LEVEL_NOTICE, &line);
	run_hook(r, EL_ACTIVE, e->reason);
}

void
report_role(struct router *r, const struct el_act *act)
{
	struct log_line line;

	if (r->takeover_untold) /* it did not come to an announcement */
		report_takeover(r, act->to == EL_ACTIVE ? mono_now() : r->election.since);
	if (act->to == EL_BACKUP)
		r->backup_since = r->election.since;
	if (act->to == EL_ACTIVE) {
		if (act->from != EL_BACKUP)
			r->backup_since = r->election.since;
		r->takeover_from = act->from;
		r->takeover_untold = true;
	} else {
		begin_role(&line, r, act->from, act->to, act->reason);
		add_peer(&line, &r->election);
		log_emit(&r->elector->child->log,
			act->to == EL_FAULT ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, &line);
		run_hook(r, act->to, act->reason);
	}
	report_router(r);
}

void
report_rival(struct router *r, mono now, const struct el_act *act)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&r->conflict_limit, now, &suppressed))
		return;
	log_line_begin(&line, "conflict");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, REASON_RIVAL);
	log_line_text(&line, "detail", "another node is active too; it must give way");
	log_line_addr(&line, "peer", &act->rival);
	log_line_int(&line, "peer_priority", act->rival_priority);
	log_line_int(&line, "priority", r->election.params.priority);
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&r->elector->child->log, LOG_LEVEL_WARNING, &line);
}

/* Another group on the LAN is nobody's mistake, our own echo and a peer's start neither. */
static bool
is_innocent(const struct elector *x, enum reason why, const struct ip_addr *source,
	const char *interface)
{
	const struct port *p;

	if (why != REASON_OWN_PACKET)
		return why == REASON_BAD_VRID || why == REASON_NOT_BELIEVED;
	p = port_find(x, interface);
	return p && port_has(p, source);
}

void
report_refused(struct elector *x, mono now, enum reason why, const struct ip_addr *source,
	const char *interface)
{
	struct log_line line;
	uint64_t suppressed;

	x->refused[why]++;
	if (is_innocent(x, why, source, interface) ||
		!log_limit_allow(&x->packet_limit, now, &suppressed))
		return;
	log_line_begin(&line, "packet");
	log_line_reason(&line, why);
	log_line_text(&line, "interface", interface);
	log_line_addr(&line, "source", source);
	log_line_int(&line, "refused", (int64_t)x->refused[why]);
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	if (why == REASON_OWN_PACKET)
		log_line_text(&line, "detail", "another host says that it is this node; was it started "
			"with this node's name or address?");
	log_emit(&x->child->log, LOG_LEVEL_WARNING, &line);
}

void
report_send(struct elector *x, const char *interface, int error)
{
	struct log_line line;
	uint64_t suppressed;

	if (error == 0)
		return;
	x->refused[REASON_SEND_REFUSED]++;
	if (!log_limit_allow(&x->send_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "packet");
	log_line_reason(&line, REASON_SEND_REFUSED);
	log_line_text(&line, "interface", interface);
	log_line_text(&line, "error", strerror(-error));
	log_line_int(&line, "refused", (int64_t)x->refused[REASON_SEND_REFUSED]);
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&x->child->log, LOG_LEVEL_WARNING, &line);
}

void
report_interval(struct router *r, mono now, const struct el_advert *advert)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&r->interval_limit, now, &suppressed))
		return;
	log_line_begin(&line, "peer");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, REASON_INTERVAL_DIFFERS);
	log_line_text(&line, "detail", "advertisement interval differs from ours; theirs is used");
	log_line_addr(&line, "peer", &advert->source);
	log_line_ms(&line, "interval_ms", r->election.params.interval_ns);
	log_line_ms(&line, "peer_interval_ms", advert->interval_ns);
	log_emit(&r->elector->child->log, LOG_LEVEL_WARNING, &line);
}

void
report_state(struct elector *x)
{
	mono now = mono_now();

	for (size_t i = 0; i < x->router_count; i++) {
		const struct router *r = x->routers[i];
		struct log_line line;

		log_line_begin(&line, "state");
		log_line_text(&line, "router", r->conf.name);
		log_line_text(&line, "role", el_role_name(r->election.role));
		log_line_reason(&line, r->election.reason);
		log_line_ms(&line, "since_ms", mono_diff_ns(now, r->election.since));
		log_line_int(&line, "priority", r->election.params.priority);
		log_line_text(&line, "hold", r->election.hold ? "yes" : "no");
		log_line_text(&line, "fence", router_is_fenced(r) ? "egress" : "lease");
		log_line_int(&line, "adverts_sent", (int64_t)r->adverts_sent);
		log_line_int(&line, "adverts_received", (int64_t)r->adverts_received);
		log_line_ms(&line, "lateness_max_ms", x->lateness_max_ns);
		add_peer(&line, &r->election);
		log_emit(&x->child->log, LOG_LEVEL_INFO, &line);
	}
}

static bool
hears_active(const struct election *e, mono now)
{
	return e->role == EL_BACKUP && !mono_is_never(e->last_heard) &&
		e->last_priority != EL_PRIORITY_RESIGN &&
		mono_diff_ns(now, e->last_heard) < el_down_ns(e->params.priority, e->active_interval_ns);
}

/* A line when a standby begins to learn the connections, and when it knows them. */
static void
log_behind(struct router *r, bool behind)
{
	struct log_line line;

	if (behind == r->was_behind)
		return;
	r->was_behind = behind;
	if (!behind && r->election.role != EL_BACKUP)
		return;
	log_line_begin(&line, "sync");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, behind ? REASON_CATCHING_UP : REASON_CAUGHT_UP);
	if (behind)
		log_line_ms(&line, "preemption_held_ms", r->election.params.catch_up_ns);
	log_emit(&r->elector->child->log, LOG_LEVEL_NOTICE, &line);
}

static bool
tell_router(struct router *r, mono now)
{
	const struct election *e = &r->election;
	bool peer_told = e->params.keyed && el_peer_is_fresh(e, now);
	struct ipc_router facts = {
		.vrid = r->conf.vrid,
		.priority = e->params.priority,
		.role = (uint8_t)e->role,
		.hold = e->hold,
		.fenced = router_is_fenced(r),
		.claimed = e->claimed,
		.peer_active = hears_active(e, now),
		.peer_priority = e->last_priority,
		.behind = el_is_behind(e, now),
		.behind_ns = e->catch_up_deadline.ns,
		.peer_behind = peer_told && (e->peer.flags & TRAILER_BEHIND) != 0,
		.peer_servers = peer_told ? e->peer.flags >> TRAILER_SERVERS_SHIFT &
			TRAILER_SERVERS_MASK : 0,
		.offering = e->offer != REASON_NONE,
		.peer_view = view_of_peer(r, now),
		.reason = e->reason,
		.since_ns = e->since.ns,
		.lease_ns = e->claimed ? e->lease_deadline.ns : INT64_MAX,
		.adverts_sent = r->adverts_sent,
		.adverts_received = r->adverts_received,
		.peer = e->last_source,
	};

	memcpy(facts.name, r->conf.name, sizeof(facts.name));
	return channel_send(r->elector->pool_fd, IPC_ROUTER, &facts, sizeof(facts), -1) == 0;
}

void
report_router(struct router *r)
{
	r->offering = r->election.offer != REASON_NONE;
	r->told = r->elector->pool_fd != -1 && !r->leaving && tell_router(r, mono_now());
}

static struct ipc_path
path_facts(const struct elector *x, size_t i, mono now)
{
	const struct path *path = &x->paths[i];
	const struct pair_path *at = &x->pair.paths[i];
	struct ipc_path facts = {.link = path->is_link, .out = -1, .heard_ns = path->heard.ns,
		.carrier = path->port->link.up && path->port->link.carrier};
	int64_t patience_ns = 4 * (int64_t)x->config.interval_ms * NS_PER_MS;

	memcpy(facts.name, path->name, sizeof(facts.name));
	if (elector_is_keyed(x)) {
		facts.in = !mono_is_never(at->heard) && !at->quiet;
		facts.out = pair_path_heard_by_peer(&x->pair, now, (unsigned)i);
	} else {
		facts.in = !mono_is_never(path->heard) &&
			mono_diff_ns(now, path->heard) < patience_ns;
	}
	return facts;
}

void
report_peer(struct elector *x)
{
	mono now = mono_now();
	int64_t patience_ns = 4 * (int64_t)x->config.interval_ms * NS_PER_MS;
	struct ipc_peer_node facts = {.last_heard_ns = INT64_MAX, .keyed = elector_is_keyed(x)};

	if (x->pool_fd == -1 || x->config.node_count < 2)
		return;
	memcpy(facts.name, x->config.nodes[1 - x->child->node].name, sizeof(facts.name));
	if (x->peer_heard.ns != 0) {
		facts.last_heard_ns = x->peer_heard.ns;
		facts.heard = facts.keyed ? x->pair.alive
			: mono_diff_ns(now, x->peer_heard) < patience_ns;
	}
	facts.digest_differs = x->digest_told;
	for (size_t i = 0; i < x->path_count && i < IPC_PATHS; i++)
		facts.paths[facts.path_count++] = path_facts(x, i, now);
	channel_send(x->pool_fd, IPC_PEER_NODE, &facts, sizeof(facts), -1);
}

static void
tell_stats(struct elector *x)
{
	struct ipc_election_stats stats = {
		.lateness_max_ns = x->lateness_max_ns,
		.lateness_last_ns = x->lateness_last_ns,
		.log_dropped = x->child->log.dropped_total,
	};

	memcpy(stats.refused, x->refused, sizeof(stats.refused));
	atomic_store(&x->child->handover->lateness_max_ns, x->lateness_max_ns);
	x->lateness_last_ns = 0;
	channel_send(x->pool_fd, IPC_ELECTION_STATS, &stats, sizeof(stats), -1);
}

void
report_all(struct elector *x)
{
	mono now = mono_now();

	if (x->pool_fd == -1)
		return;
	/* Changes are told at once; of many routers the counters may be some seconds old. */
	for (size_t i = 0; i < x->router_count; i++) {
		log_behind(x->routers[i], el_is_behind(&x->routers[i]->election, now));
		if (!x->routers[i]->told || x->router_count < TURNS || i % TURNS == x->seconds % TURNS)
			report_router(x->routers[i]);
	}
	track_report(x);
	report_peer(x);
	tell_stats(x);
}

void
report_page(struct router *r)
{
	struct handover_router *page = r->page;

	if (!page || r->leaving)
		return;
	atomic_store(&page->since_ns, r->election.since.ns);
	atomic_store(&page->lease_ns, r->election.lease_deadline.ns);
	atomic_store(&page->active, r->election.role == EL_ACTIVE && r->election.claimed);
}

void
report_still_answered(struct router *r, enum reason why)
{
	struct log_line line;

	log_line_begin(&line, "conflict");
	log_line_reason(&line, why);
	log_line_text(&line, "router", r->conf.name);
	log_line_text(&line, "detail", reason_sentence(why));
	log_emit(&r->elector->child->log, LOG_LEVEL_WARNING, &line);
}

void
report_text(struct elector *x, enum log_level level, const char *event, enum reason why,
	const char *key, const char *value)
{
	struct log_line line;

	log_line_begin(&line, event);
	log_line_reason(&line, why);
	log_line_text(&line, key, value);
	log_emit(&x->child->log, level, &line);
}
