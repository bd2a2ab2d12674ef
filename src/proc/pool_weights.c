/*
 * Weights that change by themselves: slow start, response times, black holes. What is configured or
 * overridden is the base; the kernel gets a share of it, a hundredfold, so that a weight of 1 can be
 * ramped.
 */
#include "proc/pool_process.h"

#include <stdlib.h>

static const uint32_t weight_scale = 100;

uint32_t
weights_scale(const struct config *c, const struct conf_virtual *v)
{
	bool parts = v->slow_start_s != 0 || v->weighting == CONF_WEIGHTING_LATENCY ||
		v->black_hole || agents_any(c, v);

	return parts ? weight_scale : 1;
}

static int64_t
slow_start_ns(const struct conf_virtual *v)
{
	return v->slow_start_s * NS_PER_S;
}

/* Who else of the virtual server gets new connections? */
static uint32_t
others_serving(const struct pool *p, const struct conf_virtual *v, uint32_t row)
{
	uint32_t others = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		struct pool_member m = {.weight = p->config.reals[i].weight};

		operate_member(p, v, i, &m);
		others += i != row && m.admin == POOL_ENABLED && m.weight != 0 &&
			p->targets[i].verdict == HEALTH_UP;
	}
	return others;
}

static uint32_t
percent_of(struct pool *p, const struct conf_virtual *v, uint32_t row)
{
	struct ramp *r = &p->targets[row].ramp;

	uint32_t percent = mono_is_never(r->since) ? RAMP_FULL
		: ramp_percent(r, mono_now(), slow_start_ns(v), others_serving(p, v, row));

	percent = percent * p->targets[row].share.percent / LATENCY_FULL;
	if (v->black_hole && p->targets[row].hole.is)
		percent = percent * BLACK_HOLE_PERCENT / 100;
	return percent != 0 ? percent : 1;
}

void
weights_forget(struct pool_target *t)
{
	ramp_end(&t->ramp);
	t->latency = (struct latency){0};
	t->share = LATENCY_SHARE_FULL;
	t->hole = BLACK_HOLE_NONE;
	t->percent = RAMP_FULL;
}

void
weights_measured(struct pool_target *t)
{
	int64_t ns = t->answer_ns >= 0 ? t->answer_ns : t->connect_ns;

	if (ns >= 0)
		latency_result(&t->latency, ns);
}

void
weights_verdict(struct pool *p, const struct conf_virtual *v, uint32_t row,
	enum health_verdict before)
{
	struct ramp *r = &p->targets[row].ramp;

	if (p->targets[row].verdict != HEALTH_UP)
		weights_forget(&p->targets[row]);
	else if (before == HEALTH_DOWN && v->slow_start_s != 0)
		ramp_begin(r, mono_now(), others_serving(p, v, row));
	p->targets[row].percent = percent_of(p, v, row);
}

/* One step of every server of the virtual server. True when any changed. */
static bool
step_shares(struct pool *p, const struct conf_virtual *v)
{
	struct pool_target *t = &p->targets[v->first_real];
	int64_t *smooth_ns = calloc(v->real_count + 1, sizeof(*smooth_ns)), reference_ns;
	bool changed = false;

	for (uint32_t i = 0; smooth_ns && i < v->real_count; i++)
		smooth_ns[i] = latency_smooth_ns(&t[i].latency);
	reference_ns = smooth_ns ? latency_reference_ns(smooth_ns, v->real_count) : -1;
	free(smooth_ns);
	for (uint32_t i = 0; i < v->real_count; i++)
		changed |= latency_step(&t[i].share, latency_smooth_ns(&t[i].latency), reference_ns);
	return changed;
}

/* After a reload that turned it off. */
static bool
level_shares(struct pool *p, const struct conf_virtual *v)
{
	bool changed = false;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		changed |= p->targets[i].share.percent != LATENCY_FULL;
		p->targets[i].share = LATENCY_SHARE_FULL;
	}
	return changed;
}

static bool
refresh(struct pool *p, const struct conf_virtual *v)
{
	bool changed = false;

	for (uint32_t k = v->first_real; k < v->first_real + v->real_count; k++) {
		uint32_t percent = percent_of(p, v, k);

		changed |= percent != p->targets[k].percent;
		p->targets[k].percent = percent;
	}
	return changed;
}

void
weights_refresh(struct pool *p, enum reason why)
{
	bool changed = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		changed |= refresh(p, &p->config.virtuals[i]);
	if (changed)
		table_apply_now(p, why);
}

void
weights_second(struct pool *p)
{
	bool measured = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		measured |= v->weighting == CONF_WEIGHTING_LATENCY ? step_shares(p, v)
			: level_shares(p, v);
	}
	weights_refresh(p, measured ? REASON_LATENCY : REASON_SLOW_START);
}
