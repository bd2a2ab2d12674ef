/*
 * The election process: start, the event loop, what the supervisor and the pool say, stop.
 * See election_process.h.
 *
 * Everything that can fail or take long is done before the first advertisement is due; from then
 * on the loop only reads sockets, asks the core and writes sockets. When the supervisor goes away,
 * the addresses are given up in order: a node without a supervisor is not a healthy node.
 */
#include "proc/election_process.h"

#include "conf/pack.h"
#include "ipc/channel.h"
#include "linux/block_routes.h"
#include "linux/privileges.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/capability.h>
#include <unistd.h>

static const double alive_every_s = 0.1;
static const int64_t stop_patience_ns = 1 * NS_PER_S;
enum {
	REALTIME_PRIORITY = 50,
	STATE_EVERY_S = 60,
	MESSAGES_A_TURN = 64,
	MANY_ROUTERS = 32,
};

static _Noreturn void
finish(struct elector *x, int status)
{
	if (x->hands)
		hands_stop(x->hands);
	fencing_stop(x); /* after the addresses */
	if (x->orphaned)
		devices_remove(x);
	if (x->links)
		links_close(x->links);
	routers_free(x); /* before the announcer: it ends their rounds */
	announcer_stop(x->announcer);
	relay_stop(x->relay);
	close(x->block_fd);
	pair_close(x);
	ports_close(x);
	arp_sender_close(&x->arp);
	wire_close(&x->wire);
	ours_free(x);
	config_free(&x->config);
	free(x->tracked);
	gateways_free(x);
	ev_loop_destroy(x->loop);
	log_close(&x->child->log);
	free(x);
	exit(status);
}

static bool
all_quiet(const struct elector *x)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (!el_is_quiet(&x->routers[i]->election))
			return false;
	return true;
}

static void
begin_stop(struct elector *x)
{
	mono now = mono_now();

	if (x->stopping)
		return;
	x->stopping = true;
	x->stop_deadline = mono_add_ns(now, stop_patience_ns);
	for (size_t i = 0; i < x->router_count; i++) {
		struct el_acts acts = {.count = 0};

		el_stop(&x->routers[i]->election, now, &acts);
		router_perform(x->routers[i], now, &acts);
	}
	if (all_quiet(x))
		ev_break(x->loop, EVBREAK_ALL);
}

static void
take_config(struct elector *x, const struct channel_message *m)
{
	const struct ipc_config *message = channel_payload(m, sizeof(*message));
	struct config fresh = {0}, before = x->config;

	if (!message || m->fd == -1 || !config_unpack(m->fd, &fresh)) {
		report_text(x, LOG_LEVEL_ERROR, "config", REASON_SYSTEM, "detail",
			"packed configuration not readable");
		return;
	}
	x->generation = message->generation;
	x->child->log.level = (enum log_level)fresh.log_level;
	x->child->log.facility = fresh.facility;
	x->config = fresh;
	track_configure(x, &before);
	gateways_configure(x, &before);
	config_free(&before);
	if (!pair_set_up(x))
		child_give_up(x->child, "keys", ENOMEM);
	if (x->wire.fd[WIRE_ARP] > 0 && !ours_set_up(x)) /* at start the wire is opened after this */
		child_give_up(x->child, "addresses", ENOMEM);
	routers_configure(x, &x->config);
	devices_configure(x);
}

static void
on_wire_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	wire_look(w->data, mono_now());
}

/* Four looks an interval, and never more than 200 a second. */
static void
start_wire_timer(struct elector *x)
{
	double every_s = (double)x->config.interval_ms / 4e3;

	if (every_s < 5e-3)
		every_s = 5e-3;
	ev_timer_stop(x->loop, &x->wire_timer);
	ev_timer_init(&x->wire_timer, on_wire_timer, every_s, every_s);
	x->wire_timer.data = x;
	if (elector_is_keyed(x) && x->path_count > 1)
		ev_timer_start(x->loop, &x->wire_timer);
}

/*
 * With many routers packets come in bursts. To wake for each of them costs both nodes more than the
 * packets do; a fiftieth of an interval later there is a bunch. Timers are not delayed.
 */
static void
collect_bursts(struct elector *x)
{
	double wait_s = (double)x->config.interval_ms / 50e3;

	if (x->router_count < MANY_ROUTERS)
		wait_s = 0.;
	ev_set_io_collect_interval(x->loop, wait_s > 2e-3 ? 2e-3 : wait_s);
}

static void
config_done(struct elector *x)
{
	struct ipc_config done = {.generation = x->generation};
	mono now = mono_now();

	ports_watch(x);
	collect_bursts(x);
	pair_start_timer(x);
	wire_listen(x);
	start_wire_timer(x);
	gateways_start(x);
	groups_settle(x, now);
	for (size_t i = 0; i < x->router_count; i++) {
		if (x->routers[i]->conf.group[0] == '\0')
			router_check_fitness(x->routers[i], now);
		router_arm(x->routers[i]);
	}
	routers_sweep(x);
	channel_send(x->child->supervisor_fd, IPC_CONFIG_DONE, &done, sizeof(done), -1);
	report_all(x);
}

static void
reconfigure(struct elector *x, const struct channel_message *m)
{
	size_t ports_before = x->port_count;

	take_config(x, m);
	if (x->port_count != ports_before)
		links_repeat(x->links); /* the new ones have not been told of */
	fencing_follow(x, true);
	config_done(x);
}

static void
answer_switchover(struct elector *x, uint64_t id, bool ok, const char *text)
{
	struct ipc_result result = {.id = id, .ok = ok};

	strncpy(result.text, text, sizeof(result.text) - 1);
	channel_send(x->pool_fd, IPC_SWITCHOVER_RESULT, &result, sizeof(result), -1);
}

/* Answered once: when the last of the offers was taken or has ended. */
static void
answer_wish(struct elector *x)
{
	struct wish *w = &x->wish;

	if (w->id == 0 || w->waiting > 0)
		return;
	if (w->refusal == REASON_NONE)
		answer_switchover(x, w->id, w->done > 0, w->done > 0 ? "resigned"
			: "not active on this node; ask the active node");
	else
		answer_switchover(x, w->id, false, reason_sentence(w->refusal));
	w->id = 0;
}

void
wish_ended(struct router *r, bool ok, enum reason why)
{
	struct wish *w = &r->elector->wish;

	if (!r->wished)
		return;
	r->wished = false;
	w->waiting--;
	if (ok)
		w->done++;
	else
		w->refusal = why;
	answer_wish(r->elector);
}

static void
wish_for(struct router *r, mono now)
{
	struct wish *w = &r->elector->wish;
	struct el_acts acts = {.count = 0};
	bool was_active = r->election.role == EL_ACTIVE;
	enum reason why = REASON_PEER_ABSENT;

	if (group_peer_is_ready(r, now))
		why = el_switchover(&r->election, now, &acts);
	if (why == REASON_NONE && r->election.role == EL_ACTIVE) {
		r->wished = true; /* offered: EL_OFFER_ENDED will tell */
		w->waiting++;
	} else if (why == REASON_NONE) {
		w->done++;
	} else if (was_active) {
		w->refusal = why;
	}
	router_perform(r, now, &acts);
}

static void
switchover(struct elector *x, const struct ipc_switchover *wish)
{
	mono now = mono_now();
	const struct router *named = router_by_name(x, wish->router);

	if (wish->router[0] != '\0' && !named) {
		answer_switchover(x, wish->id, false, "no such virtual router");
		return;
	}
	if (x->wish.id != 0) {
		answer_switchover(x, wish->id, false, "another switchover is under way");
		return;
	}
	x->wish = (struct wish){.id = wish->id};
	groups_pause(x);
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];

		if (!r->leaving && (!named || r == named || group_has(named, r)))
			wish_for(r, now);
	}
	groups_settle(x, now);
	answer_wish(x);
}

static void
take_servers(struct elector *x, const struct ipc_servers *servers)
{
	struct router *r = router_by_name(x, servers->router);

	if (r)
		r->servers = servers->digest;
}

static void
on_pool(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;
	const struct ipc_switchover *wish;
	const struct ipc_name *name;
	const struct ipc_neighbours *neighbours;
	const struct ipc_track *track;
	const struct ipc_view *view;
	const struct ipc_servers *servers;
	struct channel_message m;
	struct router *r;

	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = incoming_receive(&x->incoming, x->pool_fd, PROCESS_POOL, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED)
			continue;
		if (got == -1) { /* it died; the supervisor brings the next one */
			ev_io_stop(loop, &x->pool_watcher);
			close(x->pool_fd);
			x->pool_fd = -1;
			return;
		}
		if (m.kind == IPC_SWITCHOVER && (wish = channel_payload(&m, sizeof(*wish)))) {
			switchover(x, wish);
		} else if (m.kind == IPC_PREPARED && (name = channel_payload(&m, sizeof(*name))) &&
			(r = router_by_name(x, name->name))) {
			struct el_acts acts = {.count = 0};

			el_prepared(&r->election, mono_now(), &acts);
			router_perform(r, mono_now(), &acts);
		} else if (m.kind == IPC_NEIGHBOURS &&
			(neighbours = channel_payload(&m, sizeof(*neighbours)))) {
			wire_know_neighbours(x, neighbours);
		} else if (m.kind == IPC_TRACK && (track = channel_payload(&m, sizeof(*track)))) {
			track_take(x, track);
		} else if (m.kind == IPC_VIEW && (view = channel_payload(&m, sizeof(*view)))) {
			view_take_own(x, view);
		} else if (m.kind == IPC_SERVERS && (servers = channel_payload(&m, sizeof(*servers)))) {
			take_servers(x, servers);
		} else if (m.kind == IPC_GATE) {
			elector_set_gate(x);
		} else if (m.kind == IPC_DUMP_STATE) {
			report_state(x);
		}
	}
}

static void
take_pool(struct elector *x, int fd)
{
	if (x->pool_fd != -1) {
		ev_io_stop(x->loop, &x->pool_watcher);
		close(x->pool_fd);
	}
	x->pool_fd = fd;
	ev_io_set(&x->pool_watcher, fd, EV_READ);
	ev_io_start(x->loop, &x->pool_watcher);
	track_untell(x);
	report_all(x);
}

static void
take_supervisor(struct elector *x, struct channel_message *m)
{
	const struct ipc_peer *peer;
	const struct ipc_track *track;

	if (m->kind == IPC_CONFIG) {
		reconfigure(x, m);
	} else if (m->kind == IPC_PEER && m->fd != -1 && (peer = channel_payload(m, sizeof(*peer))) &&
		peer->role == PROCESS_POOL) {
		take_pool(x, m->fd);
		return;
	} else if (m->kind == IPC_TRACK && (track = channel_payload(m, sizeof(*track)))) {
		track_take(x, track);
	} else if (m->kind == IPC_DUMP_STATE) {
		report_state(x);
	} else if (m->kind == IPC_STOP) {
		begin_stop(x);
	}
	if (m->fd != -1)
		close(m->fd);
}

static void
on_supervisor(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;
	struct channel_message m;

	(void)events;
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		int got = incoming_receive(&x->incoming, x->child->supervisor_fd, PROCESS_SUPERVISOR, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED)
			continue;
		if (got == -1) {
			ev_io_stop(loop, w);
			x->orphaned = true;
			begin_stop(x);
			return;
		}
		take_supervisor(x, &m);
	}
}

static void
on_links(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;

	(void)loop;
	(void)events;
	links_read_events(x->links);
}

static void
on_carrier(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;

	(void)loop;
	(void)events;
	links_read_carrier(x->links);
}

static void
on_hands(struct ev_loop *loop, ev_io *w, int events)
{
	struct elector *x = w->data;

	(void)events;
	elector_take_jobs(x);
	if (x->stopping && all_quiet(x))
		ev_break(loop, EVBREAK_ALL);
}

static void
on_announcer(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	rounds_take(w->data);
}

static void
on_block(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	blocks_drain(w->data);
}

static void
on_alive(struct ev_loop *loop, ev_timer *w, int events)
{
	struct elector *x = w->data;
	mono now = mono_now();

	(void)events;
	child_alive(x->child);
	report_peer(x);
	if (x->stopping && (all_quiet(x) || mono_due(x->stop_deadline, now)))
		ev_break(loop, EVBREAK_ALL);
}

static void
on_second(struct ev_loop *loop, ev_timer *w, int events)
{
	struct elector *x = w->data;

	(void)loop;
	(void)events;
	pair_second(x, mono_now());
	devices_second(x);
	view_second(x, mono_now());
	groups_settle(x, mono_now());
	report_all(x);
	if (++x->seconds % STATE_EVERY_S == 0)
		report_state(x);
}

static void
watch(struct elector *x, ev_io *w, void (*callback)(struct ev_loop *, ev_io *, int), int fd)
{
	ev_io_init(w, callback, fd, EV_READ);
	w->data = x;
	if (fd != -1)
		ev_io_start(x->loop, w);
}

static void
watch_all(struct elector *x)
{
	watch(x, &x->supervisor_watcher, on_supervisor, x->child->supervisor_fd);
	watch(x, &x->pool_watcher, on_pool, -1);
	watch(x, &x->links_watcher, on_links, links_event_fd(x->links));
	watch(x, &x->carrier_watcher, on_carrier, links_carrier_fd(x->links));
	watch(x, &x->hands_watcher, on_hands, hands_fd(x->hands));
	watch(x, &x->announcer_watcher, on_announcer, announcer_fd(x->announcer));
	watch(x, &x->block_watcher, on_block, x->block_fd);
	ev_timer_init(&x->alive_timer, on_alive, alive_every_s, alive_every_s);
	x->alive_timer.data = x;
	ev_timer_start(x->loop, &x->alive_timer);
	ev_timer_init(&x->second_timer, on_second, 1., 1.);
	x->second_timer.data = x;
	ev_timer_start(x->loop, &x->second_timer);
}

/* Nothing can be done before there is a configuration: wait for it here, once. */
static void
await_config(struct elector *x)
{
	struct pollfd p = {.fd = x->child->supervisor_fd, .events = POLLIN};
	struct channel_message m;

	while (x->generation == 0) {
		int got = incoming_receive(&x->incoming, x->child->supervisor_fd, PROCESS_SUPERVISOR, &m);

		if (got == -1)
			_exit(0);
		if (got == INCOMING_REFUSED)
			continue;
		if (got == 0) {
			poll(&p, 1, -1);
			continue;
		}
		if (m.kind == IPC_CONFIG)
			take_config(x, &m);
		if (m.fd != -1)
			close(m.fd);
	}
}

static void
open_all(struct elector *x)
{
	struct links_handlers handlers = {ports_on_link, ports_on_address, x};
	int error;

	x->starting = true;
	if ((error = arp_sender_open(&x->arp)) != 0)
		child_give_up(x->child, "packet-socket", error);
	if ((error = wire_open(&x->wire)) != 0)
		child_give_up(x->child, "packet-socket", error);
	if (!ours_set_up(x))
		child_give_up(x->child, "addresses", ENOMEM);
	if ((error = gateways_open(x)) != 0)
		child_give_up(x->child, "gateway-sockets", error);
	if ((error = hands_start(&x->hands)) != 0)
		child_give_up(x->child, "hands", error);
	if ((error = announcer_start(&x->announcer)) != 0)
		child_give_up(x->child, "announcer", error);
	if ((error = stragglers_start(x)) != 0)
		child_give_up(x->child, "relay", error);
	if ((x->block_fd = block_watch_open()) < 0)
		child_give_up(x->child, "netlink", x->block_fd);
	devices_start(x);
	if ((error = links_open(&handlers, &x->links)) != 0)
		child_give_up(x->child, "netlink", error);
	fencing_start(x);
	routers_start(x);
	ports_judge_leftovers(x);
	blocks_judge_leftovers(x);
	devices_rest(x);
}

static void
log_realtime(struct elector *x, int error)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", "election");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "realtime", strerror(error));
	log_emit(&x->child->log, LOG_LEVEL_WARNING, &line);
}

static void
become_realtime(struct elector *x)
{
	static const int needed[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	int error = realtime_enter(REALTIME_PRIORITY);

	if (error != 0)
		log_realtime(x, error < 0 ? -error : error);
	error = privileges_keep(needed, sizeof(needed) / sizeof(needed[0]));
	if (error != 0)
		child_give_up(x->child, "capabilities", error);
}

_Noreturn void
election_main(struct child *child)
{
	struct elector *x = calloc(1, sizeof(*x));

	if (!x)
		_exit(EXIT_REFUSED);
	x->child = child;
	x->pool_fd = -1;
	x->incoming = incoming_init(&child->log, PROCESS_ELECTION);
	x->packet_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 5};
	x->send_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 2};
	x->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!x->loop || !gateways_new(x))
		_exit(EXIT_REFUSED);
	await_config(x);
	become_realtime(x); /* first: scheduling and capabilities go over to the threads made next */
	open_all(x);
	watch_all(x);
	x->starting = false;
	config_done(x);
	channel_send(child->supervisor_fd, IPC_READY, NULL, 0, -1);
	ev_run(x->loop, 0);
	finish(x, 0);
}
