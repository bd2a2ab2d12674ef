/*
 * Tracked scripts: each is run every interval_ms, never twice at once, and judged by its exit status
 * after rise and fall; one that does not end in timeout_ms is killed and counts as failed. A fault
 * of this node (no process to be had) is told and never counted.
 *
 * A script gets: PROGRAM ROUTER NAME, and TANDEM_CLUSTER, TANDEM_NODE, TANDEM_ROUTER, TANDEM_TRACK
 * in its environment. Verdicts go to the election process, which never waits for any of this.
 */
#include "proc/supervisor.h"

#include "core/health.h"
#include "ipc/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At the start they follow each other: hundreds of processes at once would hold each other up. */
static const double stagger_s = 0.01;

/* Allocated one by one, because of the watchers inside. */
struct script {
	struct script *next;
	struct supervisor *supervisor;
	char router[LIMIT_NAME];
	struct conf_track row;
	bool wanted;               /* the configuration has it */
	bool told;                 /* the election process has the verdict */
	struct health health;
	char detail[IPC_TRACK_DETAIL]; /* of the last failure */
	struct program program;
	ev_timer interval;
};

static bool
tell(struct script *t)
{
	struct supervisor *s = t->supervisor;
	struct supervised *election = children_find(s, PROCESS_ELECTION, 0);
	enum health_verdict verdict = health_verdict(&t->health);
	struct ipc_track fact = {.generation = s->generation, .kind = CONF_TRACK_SCRIPT,
		.up = verdict == HEALTH_UP,
		.reason = verdict == HEALTH_UP ? REASON_PROBE_OK : REASON_SCRIPT_FAILED};

	if (verdict == HEALTH_UNKNOWN)
		return true; /* there is nothing to tell */
	memcpy(fact.router, t->router, sizeof(fact.router));
	memcpy(fact.name, t->row.name, sizeof(fact.name));
	if (verdict == HEALTH_DOWN)
		memcpy(fact.detail, t->detail, sizeof(fact.detail));
	return election->fd != -1 &&
		channel_send(election->fd, IPC_TRACK, &fact, sizeof(fact), -1) == 0;
}

void
scripts_tell(struct supervisor *s, bool all)
{
	for (struct script *t = s->scripts; t; t = t->next)
		if (all || !t->told)
			t->told = tell(t);
}

static void
take_result(struct script *t, bool ok, const char *detail)
{
	bool changed = health_result(&t->health, ok);

	if (!ok && strcmp(t->detail, detail) != 0) {
		snprintf(t->detail, sizeof(t->detail), "%s", detail);
		changed = changed || health_verdict(&t->health) == HEALTH_DOWN;
	}
	if (changed)
		t->told = tell(t);
}

static void
on_news(struct program *p, int status)
{
	struct script *t = p->context;
	char result[PROGRAM_RESULT];

	if (p->late && p->pid == 0)
		return; /* counted when its time was up */
	take_result(t, status == 0 && !p->late, program_result(p, status, result));
}

static void
log_not_run(struct script *t, int error)
{
	struct supervisor *s = t->supervisor;
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&s->script_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "process");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", "a tracked script could not be started; not judged");
	log_line_text(&line, "router", t->router);
	log_line_text(&line, "script", t->row.name);
	log_line_text(&line, "error", strerror(error));
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&s->log, LOG_LEVEL_ERROR, &line);
}

static void
on_interval(struct ev_loop *loop, ev_timer *w, int events)
{
	struct script *t = w->data;
	struct supervisor *s = t->supervisor;
	struct program_call call = {
		.path = t->row.script,
		.arguments = {t->router, t->row.name},
		.variables = {{"TANDEM_CLUSTER", s->config.cluster},
			{"TANDEM_NODE", s->config.nodes[s->node].name},
			{"TANDEM_ROUTER", t->router}, {"TANDEM_TRACK", t->row.name}},
		.timeout_ms = t->row.timeout_ms,
		.heard = true,
		.with_us = true,
	};
	char result[PROGRAM_RESULT];
	int error;

	(void)loop;
	(void)events;
	if (t->program.pid != 0 && !t->program.late)
		return;
	if (t->program.pid != 0) { /* killed, and not even that ends it: a dead disk, say */
		take_result(t, false, program_result(&t->program, 0, result));
		return;
	}
	error = program_start(&t->program, &call);
	if (error != 0)
		log_not_run(t, error);
}

static bool
asks_the_same(const struct conf_track *a, const struct conf_track *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->script, b->script) == 0 &&
		a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
		a->rise == b->rise && a->fall == b->fall;
}

static struct script *
find(struct supervisor *s, const char *router, const struct conf_track *row)
{
	for (struct script *t = s->scripts; t; t = t->next)
		if (strcmp(t->router, router) == 0 && asks_the_same(&t->row, row))
			return t;
	return NULL;
}

static struct script *
add(struct supervisor *s, const char *router, const struct conf_track *row, unsigned before_it)
{
	struct script *t = calloc(1, sizeof(*t));
	double interval_s = row->interval_ms / 1e3, phase_s = stagger_s * before_it;

	if (!t)
		return NULL;
	t->supervisor = s;
	snprintf(t->router, sizeof(t->router), "%s", router);
	t->row = *row;
	health_init(&t->health, row->rise, row->fall, HEALTH_UNKNOWN);
	program_init(&t->program, s->loop, on_news, t);
	ev_timer_init(&t->interval, on_interval, phase_s < interval_s ? phase_s : interval_s,
		interval_s);
	t->interval.data = t;
	ev_timer_start(s->loop, &t->interval);
	t->next = s->scripts;
	s->scripts = t;
	return t;
}

static void
free_unwanted(struct supervisor *s)
{
	for (struct script **at = &s->scripts; *at;) {
		struct script *t = *at;

		if (t->wanted) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		ev_timer_stop(s->loop, &t->interval);
		program_drop(&t->program);
		free(t);
	}
}

static void
want(struct supervisor *s, const struct conf_router *router, unsigned *added)
{
	for (uint32_t i = 0; i < router->track_count; i++) {
		const struct conf_track *row = &s->config.tracks[router->first_track + i];
		struct script *t;

		if (row->kind != CONF_TRACK_SCRIPT)
			continue;
		t = find(s, router->name, row);
		if (!t)
			t = add(s, router->name, row, (*added)++);
		if (t)
			t->wanted = true;
	}
}

void
scripts_configure(struct supervisor *s)
{
	unsigned added = 0;

	if (s->script_limit.burst == 0)
		s->script_limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 3};
	for (struct script *t = s->scripts; t; t = t->next)
		t->wanted = false;
	ev_now_update(s->loop);
	for (uint32_t i = 0; i < s->config.router_count; i++)
		want(s, &s->config.routers[i], &added);
	free_unwanted(s);
	scripts_tell(s, true);
}

void
scripts_close(struct supervisor *s)
{
	for (struct script *t = s->scripts; t; t = t->next)
		t->wanted = false;
	free_unwanted(s);
}
