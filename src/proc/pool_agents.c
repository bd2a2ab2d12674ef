/*
 * What the agents of real servers say (core/agent.h), and what it means for them. (The weight that a
 * program tells by its exit status as well: it takes the same way.)
 *
 * An agent is asked besides the probe, or is the probe. Either way a server that its agent takes out
 * is down whatever its probe says, one that it drains gets nobody new, and a percentage is one of
 * the configured weight. What an operator says of a server outranks its agent: a drain or disable,
 * and a weight. An agent that is not reached changes nothing, as in HAProxy: that the server cannot
 * be reached is the probe's to find.
 */
#include "proc/pool_process.h"

#include <string.h>

static bool
is_agent(const struct config *c, uint32_t probe)
{
	return c->probes[probe].type == CONF_PROBE_AGENT;
}

static const struct agent_state *
agent_in(const struct config *c, const struct pool_target *targets, uint32_t row)
{
	if (is_agent(c, c->reals[row].agent))
		return &targets[agent_target(c, row)].agent;
	return is_agent(c, c->reals[row].probe) ? &targets[row].agent : NULL;
}

const struct agent_state *
agent_of(const struct pool *p, uint32_t row)
{
	return agent_in(&p->config, p->targets, row);
}

enum agent_effect
agents_effect(const struct pool *p, uint32_t row)
{
	const struct agent_state *said = agent_of(p, row);

	return said ? agent_effect(said) : AGENT_NONE;
}

enum health_verdict
agents_verdict(const struct pool *p, uint32_t row)
{
	return agents_effect(p, row) == AGENT_OUT ? HEALTH_DOWN
		: flaps_verdict(&p->targets[row]);
}

void
agents_settle(const struct config *c, struct pool_target *targets)
{
	for (uint32_t i = 0; i < c->real_count; i++) {
		const struct agent_state *said = agent_in(c, targets, i);

		targets[i].verdict = said && agent_effect(said) == AGENT_OUT ? HEALTH_DOWN
			: flaps_verdict(&targets[i]);
	}
}

bool
agents_any(const struct config *c, const struct conf_virtual *v)
{
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		if (is_agent(c, c->reals[i].agent) || is_agent(c, c->reals[i].probe))
			return true;
	return false;
}

void
agents_member(const struct pool *p, uint32_t row, struct pool_member *m)
{
	const struct agent_state *said = agent_of(p, row);

	if (p->targets[row].weighs)
		m->weight = p->targets[row].told_weight;
	if (!said)
		return;
	m->is_part = said->has_percent;
	m->part = said->percent;
	if (agent_effect(said) == AGENT_DRAINED)
		m->admin = POOL_DRAINED;
}

static const char *
state_name(const struct agent_state *said, enum health_verdict verdict)
{
	return agent_effect(said) == AGENT_DRAINED ? "drained" : health_name(verdict);
}

static const struct conf_virtual *
virtual_with(const struct config *c, uint32_t row)
{
	const struct conf_virtual *v = c->virtuals;

	while (row - v->first_real >= v->real_count)
		v++;
	return v;
}

static void
log_said(struct pool *p, uint32_t row, const char *from, const char *to, enum reason why)
{
	const struct pool_target *t = is_agent(&p->config, p->config.reals[row].agent)
		? &p->targets[agent_target(&p->config, row)] : &p->targets[row];
	struct log_line line;

	log_line_begin(&line, "server");
	log_line_text(&line, "server", p->config.reals[row].name);
	log_line_text(&line, "virtual", virtual_with(&p->config, row)->name);
	log_line_text(&line, "from", from);
	log_line_text(&line, "to", to);
	log_line_reason(&line, why);
	log_line_bytes(&line, "said", t->evidence, strnlen(t->evidence, sizeof(t->evidence)));
	log_emit(&p->child->log, why == REASON_AGENT_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		&line);
}

void
agents_heard(struct pool *p, uint32_t row, const struct agent_state *before,
	enum health_verdict verdict_before)
{
	static const enum reason reasons[] = {[AGENT_NONE] = REASON_AGENT_UP,
		[AGENT_DRAINED] = REASON_AGENT_DRAIN, [AGENT_OUT] = REASON_AGENT_DOWN};
	const struct agent_state *now = agent_of(p, row);
	struct pool_target *t = &p->targets[row];

	t->verdict = agents_verdict(p, row);
	if (agent_effect(now) != agent_effect(before))
		log_said(p, row, state_name(before, verdict_before), state_name(now, t->verdict),
			reasons[agent_effect(now)]);
	if (t->verdict != verdict_before) {
		t->since = mono_now();
		weights_verdict(p, virtual_with(&p->config, row), row, verdict_before);
		views_tell(p);
	}
	if (t->verdict != verdict_before || agent_effect(now) != agent_effect(before))
		table_replan(p, REASON_HEALTH);
	else if (now->has_percent != before->has_percent || now->percent != before->percent)
		table_replan(p, REASON_AGENT_WEIGHT);
}
