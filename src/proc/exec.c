/*
 * Probes of type exec: the operator's programs, run for the pool process, which says what is to be
 * asked (IPC_EXEC_SET) and hears the verdicts as it hears those of a prober. It names a row of the
 * configuration that was checked here, so nothing is run that is not in the file.
 *
 * Each program runs on the rhythm of core/cadence.h, never twice at once. At most so many run
 * together: what is due beyond that waits in a queue, and its time counts from its own start. One
 * that does not end in time is killed with its process group and has failed. How late they start
 * for that is told once a second, and logged when it is more than an interval. What is heard of one
 * while the supervisor itself was held up is void (core/lag.h).
 *
 * It runs as `user`, with PATH, TANDEM_CLUSTER, TANDEM_NODE, TANDEM_VIRTUAL, TANDEM_SERVER,
 * TANDEM_ADDRESS, TANDEM_PORT and its own `environment`, and nothing else.
 */
#include "proc/supervisor.h"

#include "core/cadence.h"
#include "core/health.h"
#include "core/lag.h"
#include "core/lateness.h"
#include "ipc/channel.h"
#include "proc/held_up.h"
#include "proc/voided.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/wait.h>

enum { AT_ONCE = 32, BUCKETS = 1024, WEIGHT_FROM = 2, WINDOW_TICKS = 10 };

static const int64_t sign_of_life_ns = 900 * NS_PER_MS;
static const double tick_s = 1.;

/* A way to ask, shared by the servers that are asked so. */
struct exec_way {
	LIST_ENTRY(exec_way) link;
	uint32_t users;
	struct conf_probe probe;
	struct cadence_pace pace;
};

/* Allocated one by one, because of the watchers inside. */
struct exec_target {
	LIST_ENTRY(exec_target) link;
	TAILQ_ENTRY(exec_target) queue_link;
	struct exec_runner *runner;
	struct exec_way *way;
	char server[LIMIT_NAME], virtual[LIMIT_NAME];
	struct endpoint address;
	struct health health;
	mono due;                  /* of the latest start, on the rhythm */
	mono start_at;             /* the same with its random share */
	int64_t phase_ns, step_ns;
	bool queued, counted;      /* it waits for a place; it has one */
	int64_t held_up_ns;        /* of the supervisor, when the program began */
	unsigned voids;            /* results in a row */
	bool told;                 /* the pool process has the last result that it must hear */
	mono told_at;
	struct ipc_probe_result last, heard; /* by the pool process */
	struct program program;
	ev_timer start;
};

LIST_HEAD(exec_list, exec_target);

struct exec_runner {
	struct supervisor *supervisor;
	unsigned running;
	TAILQ_HEAD(, exec_target) queue;
	LIST_HEAD(, exec_way) ways;
	struct exec_list targets[BUCKETS];
	struct ipc_exec_stats stats; /* but for the lateness */
	struct lateness lateness;  /* of a start, with the wait for a place */
	struct held_up held_up;
	struct log_limit late_limit;
	struct voided_log voided;
	unsigned ticks;
	ev_timer tick;
};

static void start_queued(struct exec_runner *r);

/* --- telling the pool process ------------------------------------------------------------------ */

static void
tell(struct exec_target *t)
{
	struct supervised *pool = children_find(t->runner->supervisor, PROCESS_POOL, 0);

	t->told = pool->fd != -1 &&
		channel_send(pool->fd, IPC_PROBE_RESULT, &t->last, sizeof(t->last), -1) == 0;
	if (!t->told)
		return;
	t->heard = t->last;
	t->told_at = (mono){t->last.at_ns};
}

static bool
is_news(const struct exec_target *t)
{
	const struct ipc_probe_result *a = &t->last, *b = &t->heard;

	return b->probes == 0 || a->up != b->up || a->reason != b->reason ||
		a->has_weight != b->has_weight || a->weight != b->weight || !t->told ||
		a->at_ns - t->told_at.ns >= sign_of_life_ns;
}

/* --- how it goes ------------------------------------------------------------------------------- */

/* What does not get there now is told again in a second. */
static void
on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
	struct exec_runner *r = w->data;
	struct supervised *pool = children_find(r->supervisor, PROCESS_POOL, 0);

	(void)loop;
	(void)events;
	r->stats.running = r->running;
	r->stats.lateness_p99_ns = lateness_permille_ns(&r->lateness, 990);
	r->stats.lateness_max_ns = r->lateness.max_ns;
	if (pool->fd != -1)
		channel_send(pool->fd, IPC_EXEC_STATS, &r->stats, sizeof(r->stats), -1);
	if (++r->ticks % WINDOW_TICKS == 0)
		lateness_turn(&r->lateness);
	voided_tell(&r->voided, &r->supervisor->log, r->stats.voided, r->held_up.lost_ns);
}

/* More than an interval: the verdict is slower than what is configured, which the operator has to know. */
static void
note_start(struct exec_target *t)
{
	struct exec_runner *r = t->runner;
	mono now = mono_now();
	int64_t late = mono_diff_ns(now, t->start_at);
	struct log_line line;
	uint64_t held_back;

	r->stats.started++;
	lateness_add(&r->lateness, late);
	if (late <= t->step_ns || !log_limit_allow(&r->late_limit, now, &held_back))
		return;
	log_line_begin(&line, "probe");
	log_line_text(&line, "server", t->server);
	log_line_text(&line, "virtual", t->virtual);
	log_line_reason(&line, REASON_NO_PLACE);
	log_line_ms(&line, "late_ms", late);
	log_line_int(&line, "running", r->running);
	log_line_int(&line, "waiting", r->stats.waiting);
	log_emit(&r->supervisor->log, LOG_LEVEL_WARNING, &line);
}

/* --- one run ----------------------------------------------------------------------------------- */

static uint64_t
any_number(void)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = 0;
	return random;
}

static void
start_in(struct exec_target *t, mono now, int64_t from_now_ns)
{
	struct ev_loop *loop = t->runner->supervisor->loop;

	t->start_at = mono_add_ns(now, from_now_ns);
	ev_timer_stop(loop, &t->start);
	ev_now_update(loop);
	ev_timer_set(&t->start, (double)from_now_ns / (double)NS_PER_S, 0.);
	ev_timer_start(loop, &t->start);
}

static void
schedule(struct exec_target *t)
{
	const struct exec_way *way = t->way;
	int64_t before_ns = t->step_ns;
	mono now = mono_now();

	t->step_ns = cadence_step_ns(&way->pace, &t->health);
	t->due = cadence_turn(t->due, now, &way->pace, t->phase_ns, before_ns, t->step_ns);
	start_in(t, now, mono_diff_ns(t->due, now) + cadence_spread_ns(t->step_ns,
		way->probe.timeout_ms * NS_PER_MS, way->probe.spread_percent, any_number()));
}

/* What it said, printable; else how it ended where the exit status does not tell. */
static void
show(const struct exec_target *t, int status, char out[sizeof(t->last.evidence)])
{
	size_t n = 0;

	memset(out, 0, sizeof(t->last.evidence));
	for (; n < t->program.said_length && n < sizeof(t->last.evidence) - 1; n++)
		out[n] = t->program.said[n] >= ' ' && t->program.said[n] < 0x7f
			? t->program.said[n] : '.';
	if (n == 0 && WIFSIGNALED(status))
		snprintf(out, sizeof(t->last.evidence), "signal %d", WTERMSIG(status));
}

static void
take_result(struct exec_target *t, enum reason reason, int32_t detail, int status)
{
	struct ipc_probe_result *r = &t->last;

	t->voids = 0;
	r->ok = reason == REASON_PROBE_OK;
	r->reason = reason;
	r->detail = detail;
	r->at_ns = mono_now().ns;
	r->answer_ns = reason == REASON_LOCAL_ERROR ? -1
		: mono_diff_ns((mono){r->at_ns}, t->program.started);
	r->probes++;
	r->failures += !r->ok && reason != REASON_LOCAL_ERROR;
	show(t, status, r->evidence);
	if (r->ok)
		memset(r->evidence, 0, sizeof(r->evidence));
	if (reason != REASON_LOCAL_ERROR)
		health_result(&t->health, r->ok);
	r->up = health_verdict(&t->health) == HEALTH_UP;
	if (is_news(t))
		tell(t);
	schedule(t);
}

/* keepalived's misc_dynamic: 0 is the weight as configured, 2 and more are weights from 0 on. */
static void
judge(struct exec_target *t, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	bool dynamic = t->way->probe.exit_weight && WIFEXITED(status) && code >= WEIGHT_FROM;

	if (code == 0 || dynamic) {
		t->last.has_weight = dynamic;
		t->last.weight = (uint8_t)(dynamic ? code - WEIGHT_FROM : 0);
		take_result(t, REASON_PROBE_OK, 0, status);
	} else {
		take_result(t, REASON_EXEC_FAILED, code, status);
	}
}

static void
take_place(struct exec_target *t)
{
	struct exec_runner *r = t->runner;

	t->counted = true;
	r->running++;
	held_up_begin(&r->held_up);
	t->held_up_ns = held_up_ns(&r->held_up, t->program.started);
}

static void
give_place_back(struct exec_target *t)
{
	if (!t->counted)
		return;
	t->counted = false;
	t->runner->running--;
	held_up_end(&t->runner->held_up);
}

static bool
is_void(const struct exec_target *t)
{
	return t->counted && lag_voids(held_up_ns(&t->runner->held_up, mono_now()) - t->held_up_ns,
		t->way->probe.timeout_ms * NS_PER_MS, t->voids);
}

/* Run soon, as if it had not been; when it is killed and not gone yet, at its next turn. */
static void
take_void(struct exec_target *t)
{
	t->runner->stats.voided++;
	t->voids++;
	if (t->program.pid != 0)
		schedule(t);
	else
		start_in(t, mono_now(), lag_again_ns(t->step_ns, any_number()));
}

static void
on_news(struct program *p, int status)
{
	struct exec_target *t = p->context;
	bool judged = p->late && p->pid == 0; /* when its time was up */
	bool nothing = !judged && is_void(t);

	give_place_back(t);
	if (nothing)
		take_void(t);
	else if (p->late && !judged)
		take_result(t, REASON_EXEC_TIMEOUT, 0, 0);
	else if (!judged)
		judge(t, status);
	start_queued(t->runner);
}

static void
run(struct exec_target *t)
{
	const struct conf_probe *probe = &t->way->probe;
	struct supervisor *s = t->runner->supervisor;
	char address[ADDR_TEXT], port[8] = "";
	struct program_call call = {
		.command = &probe->command,
		.environment = &probe->environment,
		.variables = {{"TANDEM_CLUSTER", s->config.cluster},
			{"TANDEM_NODE", s->config.nodes[s->node].name},
			{"TANDEM_VIRTUAL", t->virtual}, {"TANDEM_SERVER", t->server},
			{"TANDEM_ADDRESS", ip_addr_format(&t->address.addr, address)},
			{"TANDEM_PORT", port}},
		.user = probe->user,
		.timeout_ms = probe->timeout_ms,
		.heard = true,
		.all_heard = true,
		.with_us = true,
	};
	int error;

	if (t->address.port != 0)
		snprintf(port, sizeof(port), "%u", t->address.port);
	note_start(t);
	error = program_start(&t->program, &call);
	if (error != 0) {
		t->runner->stats.local_errors++;
		take_result(t, REASON_LOCAL_ERROR, error, 0);
		return;
	}
	take_place(t);
}

static void
leave_queue(struct exec_target *t)
{
	TAILQ_REMOVE(&t->runner->queue, t, queue_link);
	t->runner->stats.waiting--;
	t->queued = false;
}

static void
start_queued(struct exec_runner *r)
{
	struct exec_target *t;

	while (r->running < AT_ONCE && (t = TAILQ_FIRST(&r->queue)) != NULL) {
		leave_queue(t);
		run(t);
	}
}

static void
on_start(struct ev_loop *loop, ev_timer *w, int events)
{
	struct exec_target *t = w->data;

	(void)loop;
	(void)events;
	if (t->program.pid != 0) { /* killed, and not even that ends it: a dead disk, say */
		take_result(t, REASON_EXEC_TIMEOUT, 0, 0);
		return;
	}
	TAILQ_INSERT_TAIL(&t->runner->queue, t, queue_link);
	t->runner->stats.waiting++;
	t->queued = true;
	t->runner->stats.queued += t->runner->running >= AT_ONCE;
	start_queued(t->runner);
}

/* --- what is asked ----------------------------------------------------------------------------- */

static struct exec_way *
way_take(struct exec_runner *r, const struct conf_probe *probe)
{
	struct exec_way *way;

	LIST_FOREACH(way, &r->ways, link)
		if (memcmp(&way->probe, probe, sizeof(*probe)) == 0)
			break;
	if (!way && (way = calloc(1, sizeof(*way)))) {
		way->probe = *probe;
		way->pace = cadence_pace(probe->interval_ms, probe->interval_fast_ms,
			probe->interval_down_ms);
		LIST_INSERT_HEAD(&r->ways, way, link);
	}
	if (way)
		way->users++;
	return way;
}

static void
way_give_back(struct exec_way *way)
{
	if (--way->users > 0)
		return;
	LIST_REMOVE(way, link);
	free(way);
}

static struct exec_runner *
runner_of(struct supervisor *s)
{
	struct exec_runner *r = s->exec;

	if (r || !(r = calloc(1, sizeof(*r))))
		return r;
	r->supervisor = s;
	TAILQ_INIT(&r->queue);
	r->late_limit = r->voided.limit = (struct log_limit){.every_ns = 60 * NS_PER_S, .burst = 1};
	held_up_init(&r->held_up, s->loop);
	ev_timer_init(&r->tick, on_tick, tick_s, tick_s);
	r->tick.data = r;
	ev_timer_start(s->loop, &r->tick);
	s->exec = r;
	return r;
}

static struct exec_target *
find(struct exec_runner *r, uint32_t target)
{
	struct exec_target *t;

	LIST_FOREACH(t, &r->targets[target % BUCKETS], link)
		if (t->last.target == target)
			return t;
	return NULL;
}

static void
drop(struct exec_target *t)
{
	struct exec_runner *r = t->runner;

	if (t->queued)
		leave_queue(t);
	give_place_back(t);
	r->stats.targets--;
	ev_timer_stop(r->supervisor->loop, &t->start);
	program_drop(&t->program);
	LIST_REMOVE(t, link);
	way_give_back(t->way);
	free(t);
}

static void
begin(struct exec_target *t, const struct ipc_exec_set *m)
{
	static const enum health_verdict seeds[] = {[PROBE_SEED_UNKNOWN] = HEALTH_UNKNOWN,
		[PROBE_SEED_UP] = HEALTH_UP, [PROBE_SEED_DOWN] = HEALTH_DOWN};
	const struct exec_way *way = t->way;
	struct supervisor *s = t->runner->supervisor;
	mono now = mono_now();

	t->last = (struct ipc_probe_result){.target = m->set.target,
		.generation = m->set.generation, .connect_ns = -1, .expires_s = INT64_MAX};
	snprintf(t->server, sizeof(t->server), "%.*s", LIMIT_NAME - 1, m->server);
	snprintf(t->virtual, sizeof(t->virtual), "%.*s", LIMIT_NAME - 1, m->virtual);
	t->address = m->set.address;
	if (way->probe.port != 0)
		t->address.port = way->probe.port;
	health_init(&t->health, way->probe.rise, way->probe.fall, seeds[m->set.seed]);
	t->step_ns = way->pace.interval_ns;
	t->phase_ns = cadence_phase_ns(&t->address, m->set.node, t->step_ns);
	if (m->elsewhere.family != IP_NONE)
		t->address.addr = m->elsewhere;
	t->due = t->start_at = cadence_first(now, t->phase_ns, t->step_ns, m->set.urgent);
	program_init(&t->program, s->loop, on_news, t);
	ev_now_update(s->loop);
	ev_timer_init(&t->start, on_start, (double)mono_diff_ns(t->due, now) / (double)NS_PER_S, 0.);
	t->start.data = t;
	ev_timer_start(s->loop, &t->start);
}

void
exec_set(struct supervisor *s, const struct ipc_exec_set *m)
{
	struct exec_runner *r = runner_of(s);
	const struct conf_probe *probe = m->config == s->generation &&
		m->set.probe < s->config.probe_count ? &s->config.probes[m->set.probe] : NULL;
	struct exec_target *t = r ? find(r, m->set.target) : NULL;

	if (!r || !probe || probe->type != CONF_PROBE_EXEC || m->set.seed > PROBE_SEED_DOWN)
		return; /* of another configuration: the pool process says it again with this one */
	if (t && t->last.generation == m->set.generation)
		return; /* said twice */
	if (t)
		drop(t);
	t = calloc(1, sizeof(*t));
	if (!t)
		return;
	t->runner = r;
	t->way = way_take(r, probe);
	if (!t->way) {
		free(t);
		return;
	}
	begin(t, m);
	r->stats.targets++;
	LIST_INSERT_HEAD(&r->targets[m->set.target % BUCKETS], t, link);
}

void
exec_clear(struct supervisor *s, uint32_t target)
{
	struct exec_target *t = s->exec ? find(s->exec, target) : NULL;

	if (t)
		drop(t);
	if (s->exec)
		start_queued(s->exec);
}

void
exec_close(struct supervisor *s)
{
	struct exec_target *t;

	if (!s->exec)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((t = LIST_FIRST(&s->exec->targets[i])))
			drop(t);
	ev_timer_stop(s->loop, &s->exec->tick);
	free(s->exec);
	s->exec = NULL;
}
