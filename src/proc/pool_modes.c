/*
 * How each virtual server serves: by its healthy members, by the sorry server, by all of them
 * because none is healthy, or not at all. Kept over a reload that keeps its name, with the
 * hysteresis that belongs to it; every change is told.
 */
#include "proc/pool_process.h"

#include <stdlib.h>
#include <string.h>

/* Row i was row was[i] before. */
static struct pool_virtual *
move_modes(const struct config *now, const uint32_t *was, const struct pool_virtual *old)
{
	struct pool_virtual *rows = reallocarray(NULL, (size_t)now->virtual_count + 1, sizeof(*rows));

	for (uint32_t i = 0; rows && i < now->virtual_count; i++) {
		rows[i] = (struct pool_virtual){.shortage = SHORTAGE_NONE, .correlated = CORRELATED_NONE,
			.since = mono_now()};
		if (was[i] != CONF_NO_INDEX && old)
			rows[i] = old[was[i]];
	}
	return rows;
}

struct pool_virtual *
modes_carried(const struct config *now, const struct config *before, const struct pool_virtual *old)
{
	uint32_t *was = carry_virtuals(now, before);
	struct pool_virtual *rows = was ? move_modes(now, was, old) : NULL;

	free(was);
	return rows;
}

bool
modes_configure(struct pool *p, const struct config *before)
{
	uint32_t *was = carry_virtuals(&p->config, before);
	struct pool_virtual *old = p->virtuals;

	if (was && old && carry_moves_nothing(was, p->config.virtual_count, before->virtual_count)) {
		free(was);
		return true;
	}
	p->virtuals = was ? move_modes(&p->config, was, old) : NULL;
	free(was);
	free(old);
	return p->virtuals != NULL;
}

static bool
sorry_is_down(const struct pool *p, const struct conf_virtual *v)
{
	return p->targets[sorry_target(&p->config, (uint32_t)(v - p->config.virtuals))].verdict ==
		HEALTH_DOWN;
}

bool
modes_has_sorry(const struct pool *p, const struct conf_virtual *v)
{
	return v->has_sorry && v->sorry.addr.family != IP_NONE && !sorry_is_down(p, v);
}

static void
log_mode(struct pool *p, const struct conf_virtual *v, enum pool_mode from,
	const struct pool_outcome *o)
{
	bool serves = o->mode == POOL_SERVING;
	struct log_line line;

	log_line_begin(&line, "pool");
	log_line_text(&line, "virtual", v->name);
	log_line_text(&line, "from", pool_mode_name(from));
	log_line_text(&line, "to", pool_mode_name(o->mode));
	log_line_reason(&line, serves ? REASON_ENOUGH_HEALTHY : REASON_TOO_FEW_HEALTHY);
	log_line_int(&line, "healthy", o->up);
	log_line_int(&line, "usable", o->usable);
	log_line_int(&line, "needed", v->min_healthy);
	log_line_int(&line, "total", v->real_count);
	if (v->has_sorry)
		log_line_text(&line, "sorry_server", v->sorry.addr.family == IP_NONE ? "unresolved"
			: sorry_is_down(p, v) ? "down" : "not known to be down");
	log_emit(&p->child->log, serves ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, &line);
}

const struct pool_outcome *
modes_judge(struct pool *p, const struct conf_virtual *v, mono now, struct pool_service *s,
	const struct pool_member *members, uint32_t count)
{
	struct pool_virtual *state = &p->virtuals[v - p->config.virtuals];
	struct pool_outcome o = pool_judge(s, members, count);

	s->is_short = shortage_judge(&state->shortage, o.usable, o.possible, v->min_healthy, now);
	state->outcome = s->is_short ? pool_judge(s, members, count) : o;
	return &state->outcome;
}

void
modes_tell(struct pool *p)
{
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		struct pool_virtual *state = &p->virtuals[i];

		if (state->outcome.mode == state->told)
			continue;
		log_mode(p, &p->config.virtuals[i], state->told, &state->outcome);
		state->told = state->outcome.mode;
		state->since = mono_now();
	}
}

void
modes_second(struct pool *p)
{
	bool changed = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		changed |= virtual_is_served(p, i) &&
			shortage_expire(&p->virtuals[i].shortage, mono_now());
	if (changed)
		table_apply_now(p, REASON_ENOUGH_HEALTHY);
}
