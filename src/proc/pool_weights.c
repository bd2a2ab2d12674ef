/*
 * Weights that change by themselves: slow start. What is configured or overridden is the base; the
 * kernel gets a share of it, a hundredfold, so that a weight of 1 can be ramped.
 */
#include "proc/pool_process.h"

static const uint32_t weight_scale = 100;

uint32_t
weights_scale(const struct conf_virtual *v)
{
	return v->slow_start_s != 0 ? weight_scale : 1;
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

	return mono_is_never(r->since) ? RAMP_FULL
		: ramp_percent(r, mono_now(), slow_start_ns(v), others_serving(p, v, row));
}

void
weights_verdict(struct pool *p, const struct conf_virtual *v, uint32_t row,
	enum health_verdict before)
{
	struct ramp *r = &p->targets[row].ramp;

	if (p->targets[row].verdict != HEALTH_UP)
		ramp_end(r);
	else if (before == HEALTH_DOWN && v->slow_start_s != 0)
		ramp_begin(r, mono_now(), others_serving(p, v, row));
	p->targets[row].percent = percent_of(p, v, row);
}

void
weights_second(struct pool *p)
{
	bool changed = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		for (uint32_t k = v->first_real; k < v->first_real + v->real_count; k++) {
			uint32_t percent = percent_of(p, v, k);

			changed |= percent != p->targets[k].percent;
			p->targets[k].percent = percent;
		}
	}
	if (changed)
		table_apply_now(p, REASON_SLOW_START);
}
