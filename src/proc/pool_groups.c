/*
 * Groups of probes: each member is a target of its own, with its own rhythm, prober, rise and fall.
 * Here their verdicts become the one of the real server; which member decided is told with it.
 */
#include "proc/pool_process.h"

#include <string.h>

static const struct conf_probe *
group_of(const struct config *c, uint32_t row)
{
	const struct conf_probe *probe = &c->probes[c->reals[row].probe];

	return conf_probe_is_group(probe) ? probe : NULL;
}

uint32_t
group_members(const struct config *c, uint32_t row)
{
	const struct conf_probe *group = group_of(c, row);

	return group ? group->member_count : 0;
}

static enum health_verdict
combined(const struct pool *p, uint32_t row, const struct conf_probe *group)
{
	enum health_verdict said[LIMIT_MEMBERS];

	for (uint32_t i = 0; i < group->member_count; i++)
		said[i] = p->targets[member_target(&p->config, row, i)].said;
	return health_combine(group->type == CONF_PROBE_ALL ? HEALTH_ALL : HEALTH_ANY, said,
		group->member_count);
}

/* The member that makes it so: who was heard now, if it says the same, else the first that does. */
static uint32_t
decider(const struct pool *p, uint32_t row, uint32_t heard, enum health_verdict verdict)
{
	uint32_t count = group_members(&p->config, row);

	if (p->targets[member_target(&p->config, row, heard)].said == verdict)
		return heard;
	for (uint32_t i = 0; i < count; i++)
		if (p->targets[member_target(&p->config, row, i)].said == verdict)
			return i;
	return heard;
}

/* The facts of one member become those of the server. */
static void
take_facts(struct pool_target *owner, const struct pool_target *member, uint32_t which)
{
	owner->reason = member->reason;
	owner->detail = member->detail;
	owner->last_result = member->last_result;
	owner->connect_ns = member->connect_ns;
	owner->answer_ns = member->answer_ns;
	memcpy(owner->evidence, member->evidence, sizeof(owner->evidence));
	owner->member = (uint8_t)(member->reason == REASON_PROBE_OK ? 0 : which + 1);
}

static void
count_probes(struct pool *p, uint32_t row)
{
	struct pool_target *owner = &p->targets[row];

	owner->probes = owner->failures = 0;
	for (uint32_t i = 0; i < group_members(&p->config, row); i++) {
		owner->probes += p->targets[member_target(&p->config, row, i)].probes;
		owner->failures += p->targets[member_target(&p->config, row, i)].failures;
	}
}

/* The response time of a server is that of its first probe. */
static void
measure(struct pool_target *owner, struct pool_target *first)
{
	weights_measured(first);
	owner->latency = first->latency;
}

void
group_heard(struct pool *p, uint32_t target, const struct ipc_probe_result *r)
{
	const struct config *c = &p->config;
	uint32_t row = target_real(c, target), heard = target - member_target(c, row, 0), by;
	const struct conf_probe *group = group_of(c, row);
	struct pool_target *owner = &p->targets[row];
	enum health_verdict now = combined(p, row, group);
	struct ipc_probe_result result = *r;

	count_probes(p, row);
	if (heard == 0 && r->ok)
		measure(owner, &p->targets[target]);
	if (now == HEALTH_UNKNOWN)
		return;
	by = decider(p, row, heard, now);
	if (by == heard || now != owner->said)
		take_facts(owner, &p->targets[member_target(c, row, by)], by);
	result.up = result.ok = now == HEALTH_UP;
	result.connect_ns = owner->connect_ns;
	if (correlated_takes(p, row, &result))
		now = owner->said;
	if (now == HEALTH_DOWN && owner->said != HEALTH_DOWN)
		weights_forget(&p->targets[member_target(c, row, 0)]);
	target_take_verdict(p, row, now);
}
