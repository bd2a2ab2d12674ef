/*
 * The loop of the engine. See engine.h.
 *
 * Around every wait: before it, probes that are due have been started, reports handed over, and
 * the one timer set to the earliest deadline; after it, descriptors are served before deadlines
 * (the timer has the least priority), so that an answer which arrived in time counts.
 *
 * Stalls. A turn of the loop that took long, or a wait that ended long after it should have (the
 * process was stopped, the machine is starved), adds to a sum; a probe that ends compares the sum
 * with that of its start (core/lag.h).
 */
#include "core/cadence.h"
#include "probe/kind.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { STARTS_A_TURN = 128, EXPIRIES_A_TURN = 1024, STARTS_IN_A_ROW = 16 };

static const int64_t patience_ns = 10 * NS_PER_MS; /* a turn or wakeup this late is ordinary */
/* Thousands of targets are served some at a time: each waking costs as much as a probe. */
static const int64_t rest_ns = 8 * NS_PER_MS;
static const int64_t wake_at_least_ns = 250 * NS_PER_MS;
static const int64_t wake_running_ns = 25 * NS_PER_MS; /* somebody's answer is waited for */
static const int64_t put_off_ns = 5 * NS_PER_MS;

int64_t
run_age_ns(const struct probe_run *run)
{
	return mono_diff_ns(mono_now(), run->started);
}

int64_t
engine_held_up_ns(const struct engine *e, mono now)
{
	int64_t turn_ns = mono_diff_ns(now, e->awake);

	return e->stats.stall_ns + (turn_ns > patience_ns ? turn_ns : 0);
}

static struct target *
target_of_node(struct heap_node *node)
{
	return (struct target *)((char *)node - offsetof(struct target, deadline));
}

/*
 * A run for this target, or NULL when there is no place (or no memory, which is the same). One with a
 * socket for who connects and has no mark: after a crowd of probes there are more runs than sockets
 * are kept, and who takes the others first opens and closes a socket each time, for ever.
 */
static struct probe_run *
run_take(struct engine *e, const struct target *t)
{
	struct probe_run *run = t->definition->kind->connects && t->definition->probe.mark == 0
		? TAILQ_FIRST(&e->free_runs) : TAILQ_LAST(&e->free_runs, run_list);

	if (run != NULL) {
		TAILQ_REMOVE(&e->free_runs, run, free_link);
		return run;
	}
	if (e->run_count == e->options.max_running)
		return NULL;
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return NULL;
	run->engine = e;
	run->slot = e->run_count;
	run->io.data = run;
	run->fd = -1;
	e->runs[e->run_count++] = run;
	return run;
}

bool
target_start(struct engine *e, struct target *t)
{
	struct probe_run *run = run_take(e, t);

	if (run == NULL)
		return false;
	run->target = t;
	run->started = mono_now();
	run->held_up_ns = engine_held_up_ns(e, run->started);
	run->connect_ns = run->answer_ns = -1;
	run->expires_s = INT64_MAX;
	t->run = run;
	t->state = TARGET_RUNNING;
	e->stats.started++;
	e->stats.running++;
	idle_make_room(e);
	heap_put(&e->deadlines, &t->deadline,
		mono_add_ns(run->started, t->definition->probe.timeout_ms * NS_PER_MS));
	t->definition->kind->start(run);
	return true;
}

/* Until its socket has come. */
static void
put_off(struct engine *e, struct target *t, mono now)
{
	t->state = TARGET_WAITING;
	heap_put(&e->deadlines, &t->deadline, mono_add_ns(now, put_off_ns));
}

static void
target_due(struct engine *e, struct target *t, mono now)
{
	int64_t late = mono_diff_ns(now, t->start);

	if (!stock_ready(e, t, now)) {
		put_off(e, t, now);
		return;
	}
	if (t->voids == 0)
		lateness_add(&e->stats.lateness, late);
	if (ports_lack(e, t, now)) {
		ports_queue(e, t, now);
		return;
	}
	if (TAILQ_EMPTY(&e->queue) && target_start(e, t))
		return;
	heap_remove(&e->deadlines, &t->deadline);
	t->state = TARGET_QUEUED;
	TAILQ_INSERT_TAIL(&e->queue, t, queue_link);
	e->stats.queued++;
}

/* Those that waited for a place come first. */
static unsigned
start_queued(struct engine *e, unsigned budget)
{
	mono now = mono_now();
	struct target *t;

	while (budget > 0 && (t = TAILQ_FIRST(&e->queue)) != NULL) {
		if (stock_ready(e, t, now)) {
			if (!target_start(e, t))
				break;
			budget--;
		} else {
			put_off(e, t, now);
		}
		TAILQ_REMOVE(&e->queue, t, queue_link);
	}
	return budget;
}

/* Nobody answered; or nobody could, because the probe came from an address that is not here. */
static void
expire(struct probe_run *run)
{
	const struct target *t = run->target;

	if (source_is_gone(t))
		probe_finish(run, REASON_LOCAL_ERROR, EADDRNOTAVAIL);
	else
		probe_finish(run, t->definition->kind->silence(run), 0);
}

/* Everything whose moment has come, within the budget of a turn. */
static void
serve_deadlines(struct engine *e)
{
	unsigned starts = start_queued(e, ports_serve(e, STARTS_A_TURN));
	unsigned expiries = EXPIRIES_A_TURN;
	mono now = mono_now();

	while (mono_due(heap_first(&e->deadlines), now) && starts > 0 && expiries > 0) {
		struct target *t = target_of_node(e->deadlines.entries[0].node);

		if (t->state == TARGET_RUNNING) {
			expire(t->run);
			expiries--;
		} else {
			target_due(e, t, now);
			if (--starts % STARTS_IN_A_ROW == 0)
				sockets_serve(e);
		}
	}
	sockets_serve(e); /* near ones have answered by now */
	e->rests_until = starts > 0 ? mono_add_ns(now, rest_ns) : now;
}

static bool
queue_may_move(const struct engine *e)
{
	return !TAILQ_EMPTY(&e->queue) &&
		(!TAILQ_EMPTY(&e->free_runs) || e->run_count < e->options.max_running);
}

/*
 * Sets the timer, unless it already wakes us early enough. It never sleeps long, so that a wait
 * which ended late is noticed whatever the deadlines are.
 */
static void
arm(struct engine *e, mono now)
{
	mono first = heap_first(&e->deadlines), by;

	if (!TAILQ_EMPTY(&e->ports.waiting))
		first = mono_min(first, e->ports.again);
	if (mono_before(first, e->rests_until))
		first = e->rests_until;
	if (queue_may_move(e))
		first = now;
	by = mono_min(first,
		mono_add_ns(now, e->stats.running > 0 ? wake_running_ns : wake_at_least_ns));
	if (mono_before(by, now))
		by = now;
	if (ev_is_active(&e->timer) && !mono_before(by, e->wake_by) &&
	    !mono_before(e->wake_by, now))
		return;
	e->wake_by = by;
	ev_timer_stop(e->loop, &e->timer);
	ev_now_update(e->loop);
	ev_timer_set(&e->timer, (double)mono_diff_ns(by, now) / 1e9, 0.);
	ev_timer_start(e->loop, &e->timer);
}

static void
note_stall(struct engine *e, int64_t took_ns)
{
	if (took_ns > patience_ns)
		e->stats.stall_ns += took_ns;
}

static void
on_before_wait(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct engine *e = w->data;
	mono now;

	(void)loop;
	(void)events;
	report_pending(e);
	now = mono_now();
	note_stall(e, mono_diff_ns(now, e->awake));
	arm(e, now);
}

static void
on_after_wait(struct ev_loop *loop, ev_check *w, int events)
{
	struct engine *e = w->data;

	(void)loop;
	(void)events;
	e->awake = mono_now();
	note_stall(e, mono_diff_ns(e->awake, e->wake_by));
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	serve_deadlines(w->data);
}

static void
hook(struct engine *e)
{
	ev_prepare_init(&e->before_wait, on_before_wait);
	ev_check_init(&e->after_wait, on_after_wait);
	ev_timer_init(&e->timer, on_timer, 0., 0.);
	ev_set_priority(&e->before_wait, EV_MINPRI);
	ev_set_priority(&e->after_wait, EV_MAXPRI);
	ev_set_priority(&e->timer, EV_MINPRI);
	e->before_wait.data = e->after_wait.data = e->timer.data = e;
	ev_prepare_start(e->loop, &e->before_wait);
	ev_check_start(e->loop, &e->after_wait);
}

struct engine *
engine_open(const struct engine_options *options)
{
	struct engine *e = calloc(1, sizeof(*e));
	int error;

	if (e == NULL)
		return NULL;
	e->options = *options;
	e->loop = options->loop;
	e->icmp4 = e->icmp6 = -1;
	e->awake = e->wake_by = mono_now();
	json_object_seed(0); /* reads a file, which is not possible any more when answers come */
	targets_init(e);
	TAILQ_INIT(&e->free_runs);
	LIST_INIT(&e->stocks);
	TAILQ_INIT(&e->queue);
	TAILQ_INIT(&e->ports.waiting);
	TAILQ_INIT(&e->reports[REPORT_SAME]);
	TAILQ_INIT(&e->reports[REPORT_NEWS]);
	TAILQ_INIT(&e->idle);
	e->runs = calloc(options->max_running, sizeof(*e->runs));
	if (e->runs == NULL || getrandom(&e->cookie, sizeof(e->cookie), 0) == -1 ||
	    getrandom(&e->dns_ids, sizeof(e->dns_ids), 0) == -1 ||
	    getrandom(&e->spreads, sizeof(e->spreads), 0) == -1 ||
	    sockets_open(e) == -1) {
		error = errno;
		free(e->runs);
		free(e);
		errno = error;
		return NULL;
	}
	if (icmp_open(e) == -1) {
		error = errno;
		sockets_close(e);
		free(e->runs);
		free(e);
		errno = error;
		return NULL;
	}
	path_init(e);
	path_open(e);
	hook(e);
	return e;
}

void
engine_close(struct engine *e)
{
	uint32_t i;

	engine_clear_all(e);
	icmp_close(e);
	path_close(e);
	sockets_close(e);
	ev_prepare_stop(e->loop, &e->before_wait);
	ev_check_stop(e->loop, &e->after_wait);
	ev_timer_stop(e->loop, &e->timer);
	for (i = 0; i < e->run_count; i++)
		free(e->runs[i]);
	free(e->runs);
	heap_free(&e->deadlines);
	free(e);
}

void
engine_resume(struct engine *e)
{
	e->blocked = false;
	report_pending(e);
}

const struct engine_stats *
engine_stats(const struct engine *e)
{
	return &e->stats;
}

void
engine_turn_lateness(struct engine *e)
{
	lateness_turn(&e->stats.lateness);
}
