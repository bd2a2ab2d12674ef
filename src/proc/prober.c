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
#include "linux/privileges.h"
#include "probe/engine.h"
#include "proc/prober_calls.h"
#include "proc/servant.h"
#include "proc/voided.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	SPARE_DESCRIPTORS = 64,    /* for everything that is not a probe's connection */
	MAX_RUNNING = 8192,
	MAX_OPEN = 65536,          /* kept between probes as well */
	STATS_EVERY = 10, LATENESS_EVERY = 100, /* ticks */
};

struct prober {
	struct servant servant;
	struct engine *engine;
	struct conf_probe_map table; /* the pool's; empty: none yet */
	struct tls_trust *trusts[LIMIT_CAS]; /* of the table's rows of cas, made when first needed */
	struct voided_log voided;
	uint64_t ticks;
};

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
gone(void *context)
{
	struct prober *p = context;

	engine_clear_all(p->engine);
	drop_table(p);
}

static void
ready(void *context)
{
	struct prober *p = context;

	engine_resume(p->engine);
}

/* For the engine: false when the pool is slow; the engine keeps the result. */
static bool
report(void *context, const struct ipc_probe_results *results)
{
	struct prober *p = context;

	return servant_tell(&p->servant, IPC_PROBE_RESULTS, results,
		ipc_results_size(results->count));
}

static bool
ask(void *context, const struct ipc_sockets *what)
{
	struct prober *p = context;

	return servant_tell(&p->servant, IPC_SOCKETS, what, sizeof(*what));
}

/* One that the engine keeps is not closed with its message. */
static void
take_socket(struct prober *p, const struct channel_message *m)
{
	const struct ipc_sockets *what = channel_payload(m, sizeof(*what));

	if (what == NULL || m->fd == -1)
		return;
	if (engine_take_socket(p->engine, what, m->fd))
		p->servant.message.fd = -1;
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
	log_emit(&p->servant.child->log, LOG_LEVEL_ERROR, &line);
}

static void
take(void *context, const struct channel_message *m)
{
	struct prober *p = context;
	const struct ipc_probe_clear *clear;

	if (m->kind == IPC_PROBE_TABLE) {
		take_table(p, channel_payload(m, sizeof(struct ipc_probe_table)), m->fd);
	} else if (m->kind == IPC_PROBE_SET) {
		take_set(p, channel_payload(m, sizeof(struct ipc_probe_set)));
	} else if (m->kind == IPC_SOCKET) {
		take_socket(p, m);
	} else if (m->kind == IPC_PROBE_CLEAR) {
		clear = channel_payload(m, sizeof(*clear));
		if (clear != NULL)
			engine_clear(p->engine, clear->target);
	}
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
		.sockets = s->sockets,
		.stall_ns = s->stall_ns,
		.lateness_p99_ns = lateness_permille_ns(&s->lateness, 990),
		.lateness_max_ns = s->lateness.max_ns,
	};

	servant_tell(&p->servant, IPC_PROBER_STATS, &stats, sizeof(stats));
}

static void
tick(void *context)
{
	struct prober *p = context;

	voided_tell(&p->voided, &p->servant.child->log, engine_stats(p->engine)->voided,
		engine_stats(p->engine)->stall_ns);
	p->ticks++;
	if (p->ticks % STATS_EVERY == 0)
		tell_stats(p);
	if (p->ticks % LATENESS_EVERY == 0)
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
open_engine(struct prober *p)
{
	struct engine_options options = {.loop = p->servant.loop, .max_open = raise_descriptors(),
		.report = report, .ask = ask, .context = p};

	options.max_running = options.max_open < MAX_RUNNING ? options.max_open : MAX_RUNNING;
	p->engine = engine_open(&options);
	if (p->engine == NULL)
		child_give_up(p->servant.child, "icmp-socket", errno);
}

static void
lock_up(const struct prober *p)
{
	int error;

	tzset(); /* reads a file, which gmtime(3) of a certificate's dates could not do any more */
	error = privileges_become_nobody();
	if (error != 0)
		child_give_up(p->servant.child, "become-nobody", error);
	error = prober_calls_confine();
	if (error != 0)
		child_give_up(p->servant.child, "seccomp", error);
}

_Noreturn void
prober_main(struct child *child)
{
	static const struct servant_work work = {.take = take, .ready = ready, .gone = gone,
		.tick = tick};
	struct prober *p = calloc(1, sizeof(*p));

	if (p == NULL)
		_exit(EXIT_REFUSED);
	p->voided.limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 5};
	servant_open(&p->servant, child, &work, p);
	open_engine(p);
	lock_up(p);
	servant_run(&p->servant);
}
