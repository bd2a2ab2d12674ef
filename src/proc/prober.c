/*
 * The prober process: probes servers for the pool. It is the only process that looks at what
 * servers send, so it can do next to nothing: no capability, nobody's user, and only the system
 * calls of prober_calls.c. What it needs privileges for (the raw ICMP sockets, the limit of
 * descriptors) it takes before.
 *
 * It holds no truth. Its targets come from the pool over a channel that the supervisor passes
 * (IPC_PEER); on a new channel the old targets are dropped, since a new pool sets its own.
 */
#include "base/mono.h"
#include "conf/pack.h"
#include "ipc/channel.h"
#include "linux/privileges.h"
#include "probe/engine.h"
#include "proc/child.h"
#include "proc/prober_calls.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	SPARE_DESCRIPTORS = 64,    /* for everything that is not a probe's connection */
	MAX_RUNNING = 8192,
	MAX_OPEN = 65536,          /* kept between probes as well */
	MESSAGES_A_TURN = 256,     /* a reload of thousands must not hold probes up */
	EXIT_SYSTEM = 2,
	STATS_EVERY = 10, LATENESS_EVERY = 100, /* of the ticks below */
};

static const double alive_every_s = 0.1;

struct prober {
	struct child *child;
	struct ev_loop *loop;
	struct engine *engine;
	int pool_fd;               /* -1: none */
	ev_io supervisor_io, pool_io;
	ev_timer alive_timer;
	struct conf_probe_map table; /* the pool's; empty: none yet */
	struct tls_trust *trusts[LIMIT_CAS]; /* of the table's rows of cas, made when first needed */
	struct log_limit void_limit;
	uint64_t voided_seen, alive_ticks;
	struct channel_message message;
};

static _Noreturn void
give_up(const struct prober *p, const char *what, int error)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", "prober");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", what);
	log_line_text(&line, "error", strerror(error));
	log_emit(&p->child->log, LOG_LEVEL_ERROR, &line);
	_exit(EXIT_SYSTEM);
}

static void
log_voided(struct prober *p)
{
	const struct engine_stats *stats = engine_stats(p->engine);
	struct log_line line;
	uint64_t held_back;

	if (stats->voided == p->voided_seen ||
	    !log_limit_allow(&p->void_limit, mono_now(), &held_back))
		return;
	log_line_begin(&line, "probe");
	log_line_reason(&line, REASON_WOKE_LATE);
	log_line_int(&line, "voided", (int64_t)(stats->voided - p->voided_seen));
	log_line_ms(&line, "stalled_ms", stats->stall_ns);
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
	p->voided_seen = stats->voided;
}

static void
drop_table(struct prober *p)
{
	for (uint32_t i = 0; i < LIMIT_CAS; i++) {
		tls_trust_close(p->trusts[i]);
		p->trusts[i] = NULL;
	}
	config_unmap_probes(&p->table);
}

static void
pool_gone(struct prober *p)
{
	if (p->pool_fd == -1)
		return;
	ev_io_stop(p->loop, &p->pool_io);
	close(p->pool_fd);
	p->pool_fd = -1;
	engine_clear_all(p->engine);
	drop_table(p);
}

static void
pool_wait(struct prober *p, int events)
{
	if (p->pool_fd == -1 || (p->pool_io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(p->loop, &p->pool_io);
	ev_io_set(&p->pool_io, p->pool_fd, events);
	ev_io_start(p->loop, &p->pool_io);
}

/* For the engine: false when the pool is slow; the engine keeps the result. */
static bool
report(void *context, const struct ipc_probe_results *results)
{
	struct prober *p = context;

	if (p->pool_fd == -1)
		return false;
	if (channel_send(p->pool_fd, IPC_PROBE_RESULTS, results, ipc_results_size(results->count), -1) ==
		-1) {
		/* a pool that is gone is seen by reading; its successor asks anew */
		pool_wait(p, EV_READ | EV_WRITE);
		return false;
	}
	return true;
}

/* Targets that are set already have copies of what they need. */
static void
take_table(struct prober *p, const struct ipc_probe_table *table, int fd)
{
	drop_table(p);
	if (table == NULL || fd == -1)
		return;
	config_map_probes(fd, table->count, &p->table);
}

/* What the probe trusts: certificates are decoded once for all that share them. */
static struct tls_trust *
trust_of(struct prober *p, const struct conf_probe *probe)
{
	uint32_t row = config_map_find_ca(&p->table, probe->ca_file);
	const void *pem;
	size_t length;

	if (probe->type != CONF_PROBE_HTTPS || row == CONF_NO_INDEX)
		return NULL;
	pem = config_map_ca(&p->table, row, &length);
	if (p->trusts[row] == NULL && pem != NULL)
		p->trusts[row] = tls_trust_open(pem, length);
	return p->trusts[row];
}

static void
take_set(struct prober *p, const struct ipc_probe_set *set)
{
	const struct conf_probe *probe;
	struct log_line line;
	int error;

	if (set == NULL)
		return;
	probe = set->probe < p->table.probe_count ? &p->table.probes[set->probe] : NULL;
	error = probe != NULL ? engine_set(p->engine, set, probe, trust_of(p, probe)) : -EINVAL;
	if (error == 0)
		return;
	log_line_begin(&line, "probe");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_int(&line, "target", set->target);
	log_line_text(&line, "error", strerror(-error));
	log_emit(&p->child->log, LOG_LEVEL_ERROR, &line);
}

static void
take_pool_message(struct prober *p)
{
	const struct channel_message *m = &p->message;
	const struct ipc_probe_clear *clear;

	if (m->kind == IPC_PROBE_TABLE) {
		take_table(p, channel_payload(m, sizeof(struct ipc_probe_table)), m->fd);
	} else if (m->kind == IPC_PROBE_SET) {
		take_set(p, channel_payload(m, sizeof(struct ipc_probe_set)));
	} else if (m->kind == IPC_PROBE_CLEAR) {
		clear = channel_payload(m, sizeof(*clear));
		if (clear != NULL)
			engine_clear(p->engine, clear->target);
	}
	if (m->fd != -1)
		close(m->fd);
}

static void
on_pool(struct ev_loop *loop, ev_io *w, int events)
{
	struct prober *p = w->data;
	int i, got = 0;

	(void)loop;
	for (i = 0; (events & EV_READ) != 0 && i < MESSAGES_A_TURN; i++) {
		got = channel_receive(p->pool_fd, &p->message);
		if (got != 1)
			break;
		take_pool_message(p);
	}
	if (got == -1) {
		pool_gone(p);
		return;
	}
	if ((events & EV_WRITE) != 0) {
		pool_wait(p, EV_READ);
		engine_resume(p->engine);
	}
}

static void
pool_come(struct prober *p, int fd)
{
	pool_gone(p);
	p->pool_fd = fd;
	ev_io_init(&p->pool_io, on_pool, fd, EV_READ);
	p->pool_io.data = p;
	ev_io_start(p->loop, &p->pool_io);
	engine_resume(p->engine);
}

static void
take_supervisor_message(struct prober *p)
{
	const struct channel_message *m = &p->message;
	const struct ipc_peer *peer = channel_payload(m, sizeof(*peer));

	if (m->kind == IPC_STOP)
		_exit(0);
	if (m->kind == IPC_PEER && peer != NULL && peer->role == PROCESS_POOL && m->fd != -1)
		pool_come(p, m->fd);
	else if (m->fd != -1)
		close(m->fd);
}

static void
on_supervisor(struct ev_loop *loop, ev_io *w, int events)
{
	struct prober *p = w->data;
	int got;

	(void)loop;
	(void)events;
	while ((got = channel_receive(p->child->supervisor_fd, &p->message)) == 1)
		take_supervisor_message(p);
	if (got == -1)
		_exit(0);
}

/* What does not get there now is told again in a second. */
static void
tell_stats(struct prober *p)
{
	const struct engine_stats *s = engine_stats(p->engine);
	struct ipc_prober_stats stats = {
		.pid = getpid(),
		.targets = s->targets,
		.running = s->running,
		.started = s->started,
		.voided = s->voided,
		.local_errors = s->local_errors,
		.queued = s->queued,
		.stall_ns = s->stall_ns,
		.lateness_p99_ns = lateness_permille_ns(&s->lateness, 990),
		.lateness_max_ns = s->lateness.max_ns,
	};

	if (p->pool_fd != -1)
		channel_send(p->pool_fd, IPC_PROBER_STATS, &stats, sizeof(stats), -1);
}

static void
on_alive(struct ev_loop *loop, ev_timer *w, int events)
{
	struct prober *p = w->data;

	(void)loop;
	(void)events;
	atomic_store(&p->child->handover->alive_ns[handover_slot(PROCESS_PROBER, p->child->index)],
		mono_now().ns);
	log_voided(p);
	p->alive_ticks++;
	if (p->alive_ticks % STATS_EVERY == 0)
		tell_stats(p);
	if (p->alive_ticks % LATENESS_EVERY == 0)
		engine_turn_lateness(p->engine);
}

/* As many descriptors as we may have; how many of them connections may take. */
static uint32_t
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur <= SPARE_DESCRIPTORS)
		return 1;
	if (limit.rlim_cur - SPARE_DESCRIPTORS > MAX_OPEN)
		return MAX_OPEN;
	return (uint32_t)(limit.rlim_cur - SPARE_DESCRIPTORS);
}

static void
open_all(struct prober *p)
{
	struct engine_options options = {.max_open = raise_descriptors(), .report = report,
		.context = p};

	p->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (p->loop == NULL)
		give_up(p, "event-loop", errno);
	options.loop = p->loop;
	options.max_running = options.max_open < MAX_RUNNING ? options.max_open : MAX_RUNNING;
	p->engine = engine_open(&options);
	if (p->engine == NULL)
		give_up(p, "icmp-socket", errno);
	ev_io_init(&p->supervisor_io, on_supervisor, p->child->supervisor_fd, EV_READ);
	ev_timer_init(&p->alive_timer, on_alive, 0., alive_every_s);
	p->supervisor_io.data = p->alive_timer.data = p;
	ev_io_start(p->loop, &p->supervisor_io);
	ev_timer_start(p->loop, &p->alive_timer);
}

static void
lock_up(const struct prober *p)
{
	int error;

	tzset(); /* reads a file, which is not possible any more at the first log line */
	error = privileges_become_nobody();
	if (error != 0)
		give_up(p, "become-nobody", -error);
	error = prober_calls_confine();
	if (error != 0)
		give_up(p, "seccomp", -error);
}

_Noreturn void
prober_main(struct child *child)
{
	struct prober *p = calloc(1, sizeof(*p));

	if (p == NULL)
		_exit(EXIT_SYSTEM);
	p->child = child;
	p->pool_fd = -1;
	p->void_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 5};
	open_all(p);
	lock_up(p);
	if (channel_send(child->supervisor_fd, IPC_READY, NULL, 0, -1) == -1)
		_exit(EXIT_SYSTEM);
	ev_run(p->loop, 0);
	_exit(0);
}
