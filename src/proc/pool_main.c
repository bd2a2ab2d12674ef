/* The pool process: start, event loop, what the supervisor and the election say. See pool_process.h. */
#include "proc/pool_process.h"

#include "conf/pack.h"
#include "ipc/channel.h"
#include "linux/neighbours.h"
#include "linux/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double alive_every_s = 0.1;
static const double neighbours_every_s = 0.2; /* a new neighbour is soon one to be asked */
static const int64_t prepare_patience_ns = 3 * NS_PER_S;
enum { MESSAGES_A_TURN = 128, STATE_EVERY_S = 60, KEPT_BYTES = 32 << 20 };

static enum reason
reason_of_state(const struct pool *p, uint32_t row)
{
	if (!virtual_is_served(p, row))
		return REASON_NOT_ACTIVE;
	if (!p->ipvs)
		return REASON_NO_IP_VS;
	return p->virtuals[row].told == POOL_SERVING ? REASON_ENOUGH_HEALTHY : REASON_TOO_FEW_HEALTHY;
}

static void
log_state(struct pool *p)
{
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];
		struct log_line line;

		log_line_begin(&line, "state");
		log_line_text(&line, "virtual", v->name);
		log_line_text(&line, "router", p->config.routers[v->router].name);
		log_line_reason(&line, reason_of_state(p, i));
		log_line_int(&line, "healthy", virtual_healthy(p, i));
		log_line_int(&line, "total", v->real_count);
		log_line_text(&line, "mode", pool_mode_name(p->virtuals[i].told));
		log_line_text(&line, "served", virtual_is_served(p, i) ? "yes" : "no");
		log_line_text(&line, "programmed", p->programmed ? "yes" : "no");
		log_emit(&p->child->log, LOG_LEVEL_INFO, &line);
	}
}

static bool
forwards_ip4(void)
{
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
	char value = '1';

	if (fd == -1)
		return true;
	if (read(fd, &value, 1) != 1)
		value = '1';
	close(fd);
	return value != '0';
}

/* NAT needs a node that forwards; a warning, because the operator may set it a moment later. */
static void
check_forwarding(struct pool *p)
{
	struct log_line line;

	if (forwards_ip4())
		return;
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		if (p->config.virtuals[i].forwarding != CONF_FORWARD_NAT)
			continue;
		log_line_begin(&line, "config");
		log_line_reason(&line, REASON_SYSTEM);
		log_line_text(&line, "virtual", p->config.virtuals[i].name);
		log_line_text(&line, "detail",
			"NAT forwarding needs net.ipv4.ip_forward=1, which is 0 on this node; set it");
		log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
		return;
	}
}

struct pool_router *
routers_carried(const struct config *now, const struct config *before,
	const struct pool_router *old)
{
	struct pool_router *routers = calloc(now->router_count + 1, sizeof(*routers));

	for (uint32_t i = 0; routers && i < before->router_count; i++) {
		uint32_t row = config_find_router(now, before->routers[i].name);

		if (row != CONF_NO_INDEX)
			routers[row] = old[i];
	}
	return routers;
}

bool
pool_rebuild(struct pool *p, const struct config *before)
{
	names_note_taken(p, before);
	return targets_configure(p, before) != -1 && tracks_configure(p, before) &&
		modes_configure(p, before);
}

static void
take_config(struct pool *p, const struct channel_message *m)
{
	const struct ipc_config *message = channel_payload(m, sizeof(*message));
	struct config before = p->config, fresh = {0};
	struct pool_router *old = p->routers;
	bool first = p->generation == 0;
	mono begun = mono_now();
	struct ipc_config done;

	if (!message || m->fd == -1 || !config_unpack(m->fd, &fresh))
		return;
	p->told_at = begun;
	config_free(&p->base);
	p->base = fresh;
	if (!overlay_config(&p->overlay, &p->base, &p->config) || !names_configure(p, true))
		_exit(EXIT_REFUSED);
	names_fill(p, &p->config);
	p->generation = message->generation;
	p->child->log.level = (enum log_level)fresh.log_level;
	p->child->log.facility = fresh.facility;
	p->routers = routers_carried(&p->config, &before, old);
	if (!p->routers || !pool_rebuild(p, &before))
		_exit(EXIT_REFUSED);
	if (message->probers != 0 && message->probers < p->prober_count)
		targets_spread(p, message->probers); /* to more of them when they come */
	refused_forget(p); /* whoever changes the configuration may have installed what was missing */
	modules_ask_again(p);
	modules_want(p, &p->config);
	table_apply_now(p, first ? REASON_STARTED : REASON_RECONFIGURED);
	p->told_at = MONO_NEVER;
	free(old);
	config_free(&before);
	check_forwarding(p);
	names_ask(p);
	table_check_soon(p);
	sync_reconcile(p);
	control_configured(p);
	done = (struct ipc_config){.generation = p->generation};
	channel_send(p->child->supervisor_fd, IPC_CONFIG_DONE, &done, sizeof(done), -1);
	if (first)
		channel_send(p->child->supervisor_fd, IPC_READY, NULL, 0, -1);
}

static void
take_router(struct pool *p, const struct ipc_router *facts)
{
	uint32_t row = config_find_router(&p->config, facts->name);
	enum reason why = REASON_STARTED;
	struct pool_router *r;
	bool changed;

	if (row == CONF_NO_INDEX)
		return;
	r = &p->routers[row];
	if (facts->role == EL_ACTIVE)
		why = REASON_TAKEOVER;
	else if (r->known && r->facts.role == EL_ACTIVE)
		why = REASON_RELEASE;
	changed = !r->known || r->facts.role != facts->role;
	handover_follow(p, row, facts); /* clients are on their way */
	r->facts = *facts;
	r->known = true;
	if (!changed)
		return;
	r->preparing = false;
	sync_reconcile(p); /* the gate first */
	targets_refresh(p);
	table_apply_now(p, why);
}

/*
 * Cold standby: program everything now; the election waits for the answer to set the addresses. Hot
 * standby: what there is to do was done when the role was told, just before.
 */
static void
prepare(struct pool *p, const struct ipc_name *name)
{
	uint32_t row = config_find_router(&p->config, name->name);

	if (row != CONF_NO_INDEX && p->config.routers[row].standby == CONF_STANDBY_COLD) {
		p->routers[row].preparing = true;
		p->routers[row].prepare_until = mono_add_ns(mono_now(), prepare_patience_ns);
		sync_reconcile(p);
		table_apply_now(p, REASON_TAKEOVER);
		targets_refresh(p);
	}
	channel_send(p->election_fd, IPC_PREPARED, name, sizeof(*name), -1);
}

/* A claim that was given up before it came to the role changes no role: nobody tells of it. */
static void
undo_idle_preparations(struct pool *p)
{
	bool undone = false;

	for (uint32_t i = 0; i < p->config.router_count; i++) {
		struct pool_router *r = &p->routers[i];

		if (!r->preparing || !mono_due(r->prepare_until, mono_now()))
			continue;
		r->preparing = false;
		undone = undone || !r->known || r->facts.role != EL_ACTIVE;
	}
	if (!undone)
		return;
	targets_refresh(p);
	table_apply_now(p, REASON_RELEASE);
}

static void
take_election(struct pool *p, const struct channel_message *m)
{
	const struct ipc_router *router;
	const struct ipc_peer_node *peer;
	const struct ipc_election_stats *stats;
	const struct ipc_name *name;
	const struct ipc_result *result;
	const struct ipc_track_state *track;

	if (m->kind == IPC_ROUTER && (router = channel_payload(m, sizeof(*router)))) {
		take_router(p, router);
	} else if (m->kind == IPC_PEER_NODE && (peer = channel_payload(m, sizeof(*peer)))) {
		p->peer = *peer;
		p->peer_known = true;
	} else if (m->kind == IPC_ELECTION_STATS && (stats = channel_payload(m, sizeof(*stats)))) {
		p->stats = *stats;
	} else if (m->kind == IPC_TRACK_STATE && (track = channel_payload(m, sizeof(*track)))) {
		tracks_take_state(p, track);
	} else if (m->kind == IPC_PREPARE && (name = channel_payload(m, sizeof(*name)))) {
		prepare(p, name);
	} else if (m->kind == IPC_SWITCHOVER_RESULT && (result = channel_payload(m, sizeof(*result)))) {
		control_switchover_result(p, result);
	}
}

static void
on_election(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool *p = w->data;
	struct channel_message m;

	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = incoming_receive(&p->incoming, p->election_fd, PROCESS_ELECTION, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED)
			continue;
		if (got == -1) {
			ev_io_stop(loop, w);
			close(p->election_fd);
			p->election_fd = -1;
			return;
		}
		take_election(p, &m);
	}
}

static void
take_peer(struct pool *p, const struct ipc_peer *peer, int fd)
{
	if (peer->role == PROCESS_PROBER && peer->index < LIMIT_PROBERS) {
		targets_prober_up(p, peer->index, fd);
		return;
	}
	if (peer->role == PROCESS_RESOLVER) {
		names_resolver_up(p, fd);
		return;
	}
	if (peer->role != PROCESS_ELECTION) {
		close(fd);
		return;
	}
	if (p->election_fd != -1) {
		ev_io_stop(p->loop, &p->election_watcher);
		close(p->election_fd);
	}
	p->election_fd = fd;
	ev_io_set(&p->election_watcher, fd, EV_READ);
	ev_io_start(p->loop, &p->election_watcher);
	tracks_tell_all(p);
	survival_tell(p);
}

static void
take_event(struct pool *p, const struct ipc_event *e)
{
	p->events[p->event_next] = *e;
	p->events[p->event_next].text[sizeof(e->text) - 1] = '\0';
	control_event(p, &p->events[p->event_next]);
	p->event_next = (p->event_next + 1) % LIMIT_EVENTS;
	p->event_total++;
	if (p->event_held < LIMIT_EVENTS)
		p->event_held++;
}

static _Noreturn void
leave(struct pool *p, bool clean)
{
	if (clean) {
		table_withdraw_all(p);
		sync_stop(p);
		sysctls_drop_all(p);
	}
	handover_close(p);
	state_close(p);
	clients_close(p);
	control_stop(p);
	preview_close(p);
	modules_close(p);
	names_close(p);
	table_close(p);
	neighbours_close(p->neighbours);
	config_free(&p->base);
	config_free(&p->config);
	free(p->overlay.rows);
	free(p->routers);
	free(p->targets);
	free(p->virtuals);
	free(p->tracks);
	free(p->slot_rows);
	free(p->slot_unsent);
	ev_loop_destroy(p->loop);
	log_close(&p->child->log);
	free(p);
	exit(0);
}

static void
take_supervisor(struct pool *p, struct channel_message *m)
{
	const struct ipc_peer *peer;
	const struct ipc_event *event;
	const struct ipc_result *result;
	const struct ipc_probe_result *found;
	const struct ipc_exec_stats *stats;

	if (m->kind == IPC_PEER && m->fd != -1 && (peer = channel_payload(m, sizeof(*peer)))) {
		take_peer(p, peer, m->fd);
		return;
	}
	if (m->kind == IPC_CONFIG)
		take_config(p, m);
	else if (m->kind == IPC_EVENT && (event = channel_payload(m, sizeof(*event))))
		take_event(p, event);
	else if (m->kind == IPC_RELOAD_RESULT && (result = channel_payload(m, sizeof(*result))))
		control_reload_result(p, result);
	else if (m->kind == IPC_PROBE_RESULT && (found = channel_payload(m, sizeof(*found))))
		targets_result(p, CONF_NO_INDEX, found);
	else if (m->kind == IPC_EXEC_STATS && (stats = channel_payload(m, sizeof(*stats))))
		p->exec_stats = *stats;
	else if (m->kind == IPC_DUMP_STATE)
		log_state(p);
	if (m->fd != -1)
		close(m->fd);
	if (m->kind == IPC_STOP)
		leave(p, true);
}

static void
on_supervisor(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool *p = w->data;
	struct channel_message m;

	(void)loop;
	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = incoming_receive(&p->incoming, p->child->supervisor_fd, PROCESS_SUPERVISOR, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED)
			continue;
		if (got == -1)
			leave(p, false); /* a new supervisor will adopt the table */
		take_supervisor(p, &m);
	}
}

static void
on_replan(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool *p = w->data;

	(void)loop;
	(void)events;
	p->replan_soon = false;
	table_apply_now(p, p->replan_why);
}

static void
on_drift(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	table_look(w->data);
	black_holes_look(w->data);
}

/*
 * A status of thousands of servers as JSON takes megabytes for a moment, and the allocator would
 * keep them for ever. Seldom: what is done many times in a row goes on with the same pages.
 */
static void
give_memory_back(const struct pool *p)
{
	enum { EVERY_S = 10, WORTH_IT = 1 << 20 };

	if (p->seconds % EVERY_S == 0 && mallinfo2().fordblks > WORTH_IT)
		malloc_trim(0);
}

static void
on_second(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool *p = w->data;

	(void)loop;
	(void)events;
	if (p->generation == 0)
		return;
	undo_idle_preparations(p);
	if (!p->ipvs)
		table_apply_now(p, REASON_DRIFT); /* not there yet: try again */
	sync_reconcile(p);
	survival_tell(p);
	tracks_second(p);
	views_tell(p);
	targets_second(p);
	overdue_second(p);
	operate_second(p);
	clients_second(p);
	weights_second(p);
	modes_second(p);
	names_second(p);
	handover_second(p);
	modules_second(p);
	state_second(p);
	give_memory_back(p);
	if (++p->seconds % STATE_EVERY_S == 0)
		log_state(p);
}

static void
on_alive(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool *p = w->data;

	(void)loop;
	(void)events;
	child_alive(p->child);
}

static void
on_neighbours(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	neighbours_tell(w->data);
}

static void
start_timer(struct pool *p, ev_timer *w, void (*callback)(struct ev_loop *, ev_timer *, int),
	double every_s)
{
	ev_timer_init(w, callback, every_s, every_s);
	w->data = p;
	if (every_s > 0.)
		ev_timer_start(p->loop, w);
}

static void
watch_all(struct pool *p)
{
	ev_io_init(&p->supervisor_watcher, on_supervisor, p->child->supervisor_fd, EV_READ);
	p->supervisor_watcher.data = p;
	ev_io_start(p->loop, &p->supervisor_watcher);
	ev_io_init(&p->election_watcher, on_election, -1, EV_READ);
	p->election_watcher.data = p;
	start_timer(p, &p->alive_timer, on_alive, alive_every_s);
	start_timer(p, &p->second_timer, on_second, 1.);
	start_timer(p, &p->neighbours_timer, on_neighbours, neighbours_every_s);
	start_timer(p, &p->replan_timer, on_replan, 0.);
	start_timer(p, &p->drift_timer, on_drift, 0.);
	start_timer(p, &p->correlated_timer, correlated_timer, 0.);
	start_timer(p, &p->flush_timer, targets_flush_timer, 0.);
}

_Noreturn void
pool_main(struct child *child)
{
	/* NET_ADMIN: IPVS, its sysctls, marks of probes' sockets. NET_RAW: those of icmp. CHOWN: the
	 * control socket's group after a reload. SYS_MODULE: the kernel asks for a scheduler's
	 * module in our name. */
	static const int needed[] = {CAP_NET_ADMIN, CAP_NET_RAW, CAP_CHOWN, CAP_SYS_MODULE};
	struct pool *p = calloc(1, sizeof(*p));
	int error;

	if (!p)
		_exit(EXIT_REFUSED);
	/* Tables of megabytes are made anew with each reload: their pages are kept, not given back. */
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES);
	p->child = child;
	p->started = mono_now();
	p->told_at = MONO_NEVER;
	p->election_fd = -1;
	p->incoming = incoming_init(&child->log, PROCESS_POOL);
	p->ipvs_limit = (struct log_limit){.every_ns = 30 * NS_PER_S, .burst = 4};
	p->local_limit = p->overdue_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 5};
	p->plan_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 16};
	for (uint32_t i = 0; i < LIMIT_PROBERS; i++)
		p->probers[i].fd = -1;
	p->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!p->loop)
		_exit(EXIT_REFUSED);
	owned_load(p);
	names_open(p);
	operate_open(p);
	sysctls_load(p);
	handover_open(p);
	if ((error = privileges_keep(needed, sizeof(needed) / sizeof(needed[0]))) != 0)
		child_give_up(child, "capabilities", error);
	if ((error = state_open(p)) != 0) /* a thread, which has no more than that either */
		child_give_up(child, "state-thread", error);
	if ((error = control_start(p)) != 0)
		child_give_up(child, "control-socket", error);
	watch_all(p);
	ev_run(p->loop, 0);
	leave(p, false);
}
