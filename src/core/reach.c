/*
 * Who answers. See reach.h.
 *
 * Invariants: a target has at most one open question; a verdict changes by a result alone; two
 * questions to one host are never nearer than the interval, except after a moment that was missed.
 */
#include "core/reach.h"

#include "core/cadence.h"

void
reach_target_init(struct reach_target *t, mono first, const struct reach_params *params,
	enum health_verdict seed)
{
	*t = (struct reach_target){.params = *params, .told = HEALTH_UNKNOWN, .due = first,
		.expires = MONO_NEVER};
	if (t->params.timeout_ns > t->params.interval_ns)
		t->params.timeout_ns = t->params.interval_ns;
	health_init(&t->health, params->rise, params->fall, seed);
}

static void
take_result(struct reach_target *t, bool ok)
{
	t->expires = MONO_NEVER;
	if (!ok && !t->health.known && ++t->missed < t->params.fall)
		return;
	health_result(&t->health, ok);
}

bool
reach_answered(struct reach *r, uint32_t target)
{
	struct reach_target *t = &r->targets[target];

	if (mono_is_never(t->expires))
		return false;
	take_result(t, true);
	return true;
}

void
reach_void(struct reach *r, uint32_t target)
{
	r->targets[target].expires = MONO_NEVER;
}

static void
end_question(struct reach_target *t, mono now)
{
	if (mono_diff_ns(now, t->expires) > REACH_PATIENCE_MS * NS_PER_MS)
		t->expires = MONO_NEVER;
	else
		take_result(t, false);
}

/* Two actions at most. */
static void
tick_target(struct reach_target *t, uint32_t index, mono now, struct reach_acts *out)
{
	if (mono_due(t->expires, now))
		end_question(t, now);
	if (health_verdict(&t->health) != t->told) {
		t->told = health_verdict(&t->health);
		out->act[out->count++] = (struct reach_act){REACH_TELL, index, t->told};
	}
	if (mono_is_never(t->expires) && mono_due(t->due, now)) {
		t->due = cadence_next(t->due, now, t->params.interval_ns);
		t->expires = mono_add_ns(now, t->params.timeout_ns);
		out->act[out->count++] = (struct reach_act){REACH_ASK, index, HEALTH_UNKNOWN};
	}
}

void
reach_tick(struct reach *r, mono now, struct reach_acts *out)
{
	out->count = 0;
	for (uint32_t i = 0; i < r->count && out->count + 2 <= REACH_ACTS; i++) {
		if (r->turn >= r->count)
			r->turn = 0;
		tick_target(&r->targets[r->turn], r->turn, now, out);
		r->turn++;
	}
}

mono
reach_deadline(const struct reach *r)
{
	mono first = MONO_NEVER;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct reach_target *t = &r->targets[i];

		if (health_verdict(&t->health) != t->told)
			return (mono){0};
		first = mono_min(first, mono_is_never(t->expires) ? t->due : t->expires);
	}
	return first;
}
