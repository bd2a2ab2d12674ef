/*
 * The end of a probe: what it says about the server, when the next one starts, and whether the
 * pool has to hear of it. A report that the pool does not take now stays with its target, which
 * always holds the latest full facts, so that nothing is lost and nothing piles up.
 */
#include "core/cadence.h"
#include "probe/kind.h"

#include <string.h>

/* A little less than a second, so that a probe a second is heard each second. */
static const int64_t sign_of_life_ns = 900 * NS_PER_MS;
static const int64_t same_waits_ns = 100 * NS_PER_MS;

/* Gives up what the run holds and frees its place; its target is left without one. */
static void
run_release(struct probe_run *run, bool well)
{
	struct engine *e = run->engine;

	if (run->target->definition->kind->release != NULL)
		run->target->definition->kind->release(run);
	ev_io_stop(e->loop, &run->io);
	if (!run->target->definition->kind->shares_socket)
		sockets_give_back(run, well);
	run->target->run = NULL;
	run->target = NULL;
	e->stats.running--;
	if (run->fd != -1)
		TAILQ_INSERT_HEAD(&e->free_runs, run, free_link);
	else
		TAILQ_INSERT_TAIL(&e->free_runs, run, free_link);
}

void
probe_drop(struct probe_run *run)
{
	run_release(run, false);
}

void
report_forget(struct engine *e, struct target *t)
{
	if (t->report == REPORT_NONE)
		return;
	TAILQ_REMOVE(&e->reports[t->report], t, report_link);
	e->same_count -= t->report == REPORT_SAME;
	t->report = REPORT_NONE;
}

static void
report_later(struct engine *e, struct target *t, enum target_report what)
{
	if (t->report >= what)
		return;
	report_forget(e, t);
	t->report = what;
	TAILQ_INSERT_TAIL(&e->reports[what], t, report_link);
	if (what == REPORT_SAME && e->same_count++ == 0)
		e->same_since = (mono){t->last.at_ns};
}

/* What was measured while this process was held up is the time that it was held up. */
static void
note_times(struct ipc_probe_result *r, const struct probe_run *run)
{
	bool lagged = run == NULL || (r->ok && run->lag_ns > 0);

	r->connect_ns = lagged ? -1 : run->connect_ns;
	r->answer_ns = lagged ? -1 : run->answer_ns;
}

static void
note_server(struct target *t, const struct probe_run *run)
{
	const struct probe_kind *kind = t->definition->kind;
	struct ipc_probe_result *r = &t->last;

	if (run->expires_s != INT64_MAX)
		r->expires_s = run->expires_s; /* the latest that was seen */
	if (r->ok && kind == &kind_agent)
		agent_take(t, run);
	if ((!r->ok || kind->shows_good) && kind->evidence != NULL)
		kind->evidence(run, r->evidence);
}

/* `run` is NULL when there was none. */
static void
note_result(struct target *t, const struct probe_run *run, enum reason reason, int32_t detail,
	mono now)
{
	struct ipc_probe_result *r = &t->last;

	r->target = t->id;
	r->generation = t->generation;
	r->ok = reason == REASON_PROBE_OK;
	r->reason = reason;
	r->detail = detail;
	r->at_ns = now.ns;
	note_times(r, run);
	r->probes++;
	r->failures += !r->ok && reason != REASON_LOCAL_ERROR;
	memset(r->evidence, 0, sizeof(r->evidence));
	if (run != NULL)
		note_server(t, run);
	r->agent = t->agent;
}

static void
schedule_next(struct engine *e, struct target *t)
{
	const struct cadence_pace *pace = &t->definition->pace;
	const struct conf_probe *probe = &t->definition->probe;
	int64_t before_ns = t->step_ns;

	t->step_ns = cadence_step_ns(pace, &t->health);
	t->due = cadence_turn(t->due, (mono){t->last.at_ns}, pace, t->phase_ns, before_ns, t->step_ns);
	t->state = TARGET_WAITING;
	t->start = mono_add_ns(t->due, cadence_spread_ns(t->step_ns, probe->timeout_ms * NS_PER_MS,
		probe->spread_percent, random_next(&e->spreads)));
	heap_put(&e->deadlines, &t->deadline, t->start);
}

/* Somebody said no, which a lost packet cannot do. */
static uint16_t
weight_of(const struct target *t, enum reason reason)
{
	uint8_t weight = t->definition->probe.refusal_weight;
	bool refused = reason == REASON_TCP_REFUSED || reason == REASON_UDP_REFUSED ||
		reason == REASON_DATA_PATH_REFUSED || reason == REASON_UNREACHABLE;

	return refused && weight > 0 ? weight : 1;
}

/* The result that was noted is taken in. */
static void
take_result(struct engine *e, struct target *t)
{
	enum reason reason = (enum reason)t->last.reason;
	bool changed = false;

	t->voids = 0;
	t->portless_since = MONO_NEVER;
	if (reason == REASON_LOCAL_ERROR)
		e->stats.local_errors++;
	else
		changed = health_weighed(&t->health, t->last.ok, weight_of(t, reason));
	t->last.up = health_verdict(&t->health) == HEALTH_UP;
	schedule_next(e, t);
	if (changed || !t->reported || reason != t->reported_reason ||
	    !agent_equal(&t->agent, &t->reported_agent))
		report_later(e, t, REPORT_NEWS);
	else if (t->last.at_ns - t->reported_at.ns >= sign_of_life_ns)
		report_later(e, t, REPORT_SAME);
}

static bool
is_void(const struct probe_run *run, enum reason reason)
{
	const struct target *t = run->target;

	return reason != REASON_LOCAL_ERROR &&
		lag_voids(run->lag_ns, t->definition->probe.timeout_ms * NS_PER_MS, t->voids);
}

/* Probe again soon, as if this one had not been. */
static void
probe_void(struct probe_run *run, bool well, mono now)
{
	struct engine *e = run->engine;
	struct target *t = run->target;

	e->stats.voided++;
	t->voids++;
	t->portless_since = MONO_NEVER;
	run_release(run, well);
	t->state = TARGET_WAITING;
	heap_put(&e->deadlines, &t->deadline,
		mono_add_ns(now, lag_again_ns(t->step_ns, random_next(&e->spreads))));
}

void
probe_finish(struct probe_run *run, enum reason reason, int32_t detail)
{
	struct engine *e = run->engine;
	struct target *t = run->target;
	mono now = mono_now();

	run->lag_ns = engine_held_up_ns(e, now) - run->held_up_ns;
	if (is_void(run, reason)) {
		probe_void(run, reason == REASON_PROBE_OK, now);
		return;
	}
	note_result(t, run, reason, detail, now);
	run_release(run, reason == REASON_PROBE_OK);
	take_result(e, t);
}

void
probe_impossible(struct engine *e, struct target *t, int error)
{
	note_result(t, NULL, REASON_LOCAL_ERROR, error, mono_now());
	take_result(e, t);
}

void
probe_put_off(struct probe_run *run)
{
	run->engine->stats.started--;
	run_release(run, true);
}

static void
note_reported(struct engine *e, struct target *t)
{
	report_forget(e, t);
	t->reported = true;
	t->reported_reason = (enum reason)t->last.reason;
	t->reported_agent = t->last.agent;
	t->reported_at = (mono){t->last.at_ns};
}

/* As many as go into a message; false when there is none, or it is not taken. */
static bool
report_batch(struct engine *e, struct target_queue *from)
{
	struct ipc_probe_results *batch = &e->batch;
	struct target *t;
	uint64_t i;

	batch->count = 0;
	TAILQ_FOREACH(t, from, report_link) {
		if (batch->count == IPC_RESULTS)
			break;
		batch->results[batch->count++] = t->last;
	}
	if (batch->count == 0)
		return false;
	e->blocked = !e->options.report(e->options.context, batch);
	if (e->blocked)
		return false;
	for (i = 0; i < batch->count; i++)
		note_reported(e, TAILQ_FIRST(from));
	return true;
}

/* To wake the receiver for each probe, or for each message, would cost both more than the probe does. */
static bool
same_is_due(const struct engine *e)
{
	return e->same_count > 0 && mono_diff_ns(mono_now(), e->same_since) >= same_waits_ns;
}

void
report_pending(struct engine *e)
{
	while (!e->blocked && report_batch(e, &e->reports[REPORT_NEWS]))
		continue;
	if (e->blocked || !same_is_due(e))
		return;
	while (!e->blocked && report_batch(e, &e->reports[REPORT_SAME]))
		continue;
}
