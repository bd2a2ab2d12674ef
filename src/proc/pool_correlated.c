/*
 * Most of a pool falls silent at once (core/correlated.h): the verdicts are held, the servers keep
 * their weights, and it is asked whether it is them or this node. The other node is not asked but
 * heard: its messages carry the share of servers that it sees well. Our own says meanwhile that it
 * does not see those that are held, so that two nodes that lose the same servers soon know it.
 */
#include "proc/pool_process.h"

#include "core/view.h"

#include <stdlib.h>

static const double look_every_s = 0.05;

/* Nobody answered at all: not a refusal, and not a server that says something wrong. */
static bool
is_silence(enum reason reason, int64_t connect_ns)
{
	return connect_ns < 0 && (reason == REASON_TCP_TIMEOUT || reason == REASON_ICMP_TIMEOUT ||
		reason == REASON_DATA_PATH_SILENT ||
		reason == REASON_UNREACHABLE || reason == REASON_ANSWER_TIMEOUT ||
		reason == REASON_HTTP_TIMEOUT); /* on a connection of an earlier probe */
}

/* Did the target fall silent at about the same time as `other`? */
static bool
fell_with(const struct pool *p, uint32_t target, uint32_t other)
{
	const struct pool_target *t = &p->targets[target], *o = &p->targets[other];
	const struct conf_probe *probe = target_probe(&p->config, other);
	int64_t apart_ns;

	if (!probe || mono_is_never(t->silent_since) || mono_is_never(o->silent_since))
		return false;
	apart_ns = mono_diff_ns(t->silent_since, o->silent_since);
	return llabs(apart_ns) <= (int64_t)(probe->interval_ms + probe->timeout_ms) * NS_PER_MS;
}

/* It fell first, and nobody knew yet that it was not alone. */
static bool
has_just_fallen(const struct pool *p, uint32_t target, uint32_t other)
{
	const struct pool_target *t = &p->targets[target];

	return t->said == HEALTH_DOWN && fell_with(p, target, other) &&
		!mono_before(t->since, t->silent_since);
}

/* Most of them, and nobody of those has been asked about before? */
static bool
is_most(const struct pool *p, const struct conf_virtual *v, uint32_t target)
{
	uint32_t healthy = 0, silent = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		bool was_up = p->targets[i].said == HEALTH_UP || has_just_fallen(p, i, target);

		if (p->targets[i].believed && fell_with(p, i, target))
			return false;
		healthy += was_up;
		silent += was_up && fell_with(p, i, target);
	}
	return correlated_most(silent, healthy);
}

uint32_t
correlated_held(const struct pool *p, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	uint32_t held = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		held += p->targets[i].held;
	return held;
}

static enum correlated_peer
peer_says(const struct pool *p, uint32_t row)
{
	uint32_t router = p->config.virtuals[row].router;
	struct pool_views views = views_of(p, router);

	if (!p->routers[router].known)
		return CORRELATED_PEER_UNKNOWN;
	return correlated_peer_says(view_share_of(views.own),
		view_share_of(p->routers[router].facts.peer_view), correlated_held(p, row), views.total);
}

static enum correlated_path
path_says(const struct path *path)
{
	switch (path_look(path)) {
	case PATH_SILENT: return CORRELATED_PATH_ASKED;
	case PATH_ANSWERS: return CORRELATED_PATH_ANSWERS;
	case PATH_NO_CARRIER: return CORRELATED_PATH_GONE;
	}
	return CORRELATED_PATH_ASKED;
}

static void
log_hold(struct pool *p, uint32_t row, const char *from, const char *to, uint32_t held,
	enum correlated_peer peer, enum correlated_path path)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	struct log_line line;

	log_line_begin(&line, "pool");
	log_line_text(&line, "virtual", v->name);
	log_line_text(&line, "from", from);
	log_line_text(&line, "to", to);
	log_line_reason(&line, REASON_CORRELATED_HOLD);
	log_line_int(&line, "held", held);
	log_line_int(&line, "total", v->real_count);
	log_line_text(&line, "peer", correlated_peer_name(peer));
	log_line_text(&line, "path", correlated_path_name(path));
	log_line_ms(&line, "held_ms",
		mono_diff_ns(mono_now(), p->virtuals[row].correlated.since));
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

static void
arm(struct pool *p)
{
	if (ev_is_active(&p->correlated_timer))
		return;
	ev_timer_set(&p->correlated_timer, look_every_s, look_every_s);
	ev_timer_start(p->loop, &p->correlated_timer);
}

/* There is no slow start after it: the server was not down. */
static void
restore(struct pool *p, uint32_t target)
{
	struct pool_target *t = &p->targets[target];

	t->held = true;
	t->said = HEALTH_UP;
	t->verdict = agents_verdict(p, target);
	if (t->verdict != HEALTH_UP)
		return; /* its agent has it down */
	t->since = mono_now();
	target_log_verdict(p, target, HEALTH_DOWN);
}

/* With those that fell a moment ago: they get their weights back. */
static void
begin(struct pool *p, uint32_t row, uint32_t target)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	struct pool_virtual *state = &p->virtuals[row];

	state->correlated.since = mono_now();
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (has_just_fallen(p, i, target))
			restore(p, i);
	p->targets[target].held = true;
	path_ask(&p->config.reals[target].address.addr, &state->path);
	log_hold(p, row, "believed", "held", correlated_held(p, row), peer_says(p, row),
		path_says(&state->path));
	arm(p);
	views_tell(p);
	table_replan(p, REASON_HEALTH);
}

static void
note_silence(struct pool_target *t, const struct ipc_probe_result *r, bool silent)
{
	if (!silent) {
		t->silent_since = MONO_NEVER;
		t->believed = false;
	} else if (mono_is_never(t->silent_since)) {
		t->silent_since = (mono){r->at_ns};
	}
}

bool
correlated_takes(struct pool *p, uint32_t target, const struct ipc_probe_result *r)
{
	uint32_t row = target_virtual(&p->config, target);
	const struct conf_virtual *v = &p->config.virtuals[row];
	struct pool_target *t = &p->targets[target];
	bool silent = !r->ok && is_silence(t->reason, r->connect_ns);

	note_silence(t, r, silent);
	if (t->held) {
		if (silent || (r->ok && !r->up))
			return true; /* or on its way back */
		t->held = false;
		views_tell(p);
		return false;
	}
	if (!silent || r->up || t->said != HEALTH_UP || v->correlated_hold_ms == 0)
		return false;
	if (!mono_is_never(p->virtuals[row].correlated.since)) {
		t->held = true;
		views_tell(p);
		return true;
	}
	if (!is_most(p, v, target))
		return false;
	begin(p, row, target);
	return true;
}

/* They are down, and so is whoever is found to have fallen silent with them. */
static void
believe(struct pool *p, const struct conf_virtual *v)
{
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		struct pool_target *t = &p->targets[i];

		if (!t->held)
			continue;
		t->held = false;
		t->believed = true;
		target_take_verdict(p, i, HEALTH_DOWN);
	}
	views_tell(p);
}

/* True as long as anything is held. */
static bool
look(struct pool *p, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	struct pool_virtual *state = &p->virtuals[row];
	uint32_t held = correlated_held(p, row);
	enum correlated_path path = path_says(&state->path);
	enum correlated_peer peer = peer_says(p, row);

	if (held == 0) {
		log_hold(p, row, "held", "up", 0, peer, path);
		state->correlated = CORRELATED_NONE;
		return false;
	}
	if (v->correlated_hold_ms != 0 && correlated_judge(&state->correlated, mono_now(),
		(int64_t)v->correlated_hold_ms * NS_PER_MS, peer, path) == CORRELATED_HOLD)
		return true;
	log_hold(p, row, "held", "down", held, peer, path);
	state->correlated = CORRELATED_NONE;
	believe(p, v);
	return false;
}

void
correlated_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool *p = w->data;
	bool any = false;

	(void)events;
	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		any |= !mono_is_never(p->virtuals[i].correlated.since) && look(p, i);
	if (!any)
		ev_timer_stop(loop, w);
}
