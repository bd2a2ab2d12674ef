/*
 * One probe for all who ask the same: targets with the same address and the same way to probe have
 * one number towards the probers, and so one probe, whose results all of them get. A server behind
 * several virtual servers is asked once an interval, and not once for each.
 *
 * Those with one number are a ring by `twin`. Who begins to be probed while another one is already
 * joins it, and has its verdict at once; the probe ends with the last.
 */
#include "proc/pool_process.h"

#include <stdlib.h>

/* May two be one? Where what is asked does not depend on more than the address. */
static bool
may_share(const struct conf_probe *probe)
{
	if (!probe)
		return false;
	switch ((enum conf_probe_type)probe->type) {
	case CONF_PROBE_ICMP:
	case CONF_PROBE_TCP:
	case CONF_PROBE_HTTP:
	case CONF_PROBE_HTTPS:
	case CONF_PROBE_UDP:
	case CONF_PROBE_DNS:
	case CONF_PROBE_AGENT:
		return true;
	case CONF_PROBE_ALL: /* their members may */
	case CONF_PROBE_ANY:
	case CONF_PROBE_EXEC: /* its program is told of server and virtual server */
	case CONF_PROBE_NONE:
		break;
	}
	return false;
}

/* 0: the question goes to no port, or to that of the probe. */
static uint16_t
port_of(const struct conf_probe *probe, const struct endpoint *to)
{
	return probe->type == CONF_PROBE_ICMP || probe->port != 0 ? 0 : to->port;
}

/* What a target is asked, in whole: equal probes are one row. */
struct question {
	const struct conf_probe *probe;
	const struct conf_host *host; /* of a tracked probe, whose address changes and which stays */
	struct endpoint to;
	uint32_t row;             /* the target that asks it */
};

static int
by_question(const void *a, const void *b)
{
	const struct question *x = a, *y = b;
	int order = (x->probe > y->probe) - (x->probe < y->probe);

	if (order == 0)
		order = (x->host > y->host) - (x->host < y->host);
	if (order == 0)
		order = ip_addr_compare(&x->to.addr, &y->to.addr);
	return order != 0 ? order : (x->to.port > y->to.port) - (x->to.port < y->to.port);
}

/* Will it be asked nothing else as long as it stays? A server at another address is another one. */
static bool
is_settled(const struct config *c, uint32_t target)
{
	return target_is_track(c, target) || target_has_address(c, target);
}

static struct question
question_of(const struct config *c, uint32_t target)
{
	struct question q = {.probe = target_way(c, target), .to = target_address(c, target),
		.row = target};

	if (target_is_track(c, target))
		q.host = target_host(c, target);

	q.to.port = port_of(q.probe, &q.to);
	return q;
}

/* One of them that has a number from before the reload; else the first. */
static uint32_t
leader_of(const struct pool *p, const struct question *same, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (p->targets[same[i].row].slot != CONF_NO_INDEX)
			return same[i].row;
	return same[0].row;
}

/* Those without a number get the leader's, and are its twins, as those that have it already. */
static void
join(struct pool *p, uint32_t leader, const struct question *same, size_t count)
{
	struct pool_target *first = &p->targets[leader];

	for (size_t i = 0; i < count; i++) {
		struct pool_target *t = &p->targets[same[i].row];

		if (t == first || (t->slot != CONF_NO_INDEX && t->slot != first->slot))
			continue;
		t->slot = first->slot;
		t->twin = first->twin;
		first->twin = same[i].row;
	}
}

bool
shares_number(struct pool *p, uint32_t (*take_slot)(struct pool *p, uint32_t target, uint32_t *next))
{
	uint32_t count = targets_count(&p->config), next = 0;
	struct question *all = reallocarray(NULL, (size_t)count + 1, sizeof(*all));
	size_t sharing = 0;

	for (uint32_t i = 0; all && i < count; i++) {
		p->targets[i].twin = i;
		if (is_settled(&p->config, i) && may_share(target_way(&p->config, i)))
			all[sharing++] = question_of(&p->config, i);
		else if (p->targets[i].slot == CONF_NO_INDEX)
			p->targets[i].slot = take_slot(p, i, &next);
	}
	if (!all)
		return false;
	qsort(all, sharing, sizeof(*all), by_question);
	for (size_t i = 0, end; i < sharing; i = end) {
		uint32_t leader;

		for (end = i + 1; end < sharing && by_question(&all[i], &all[end]) == 0; end++)
			continue;
		leader = leader_of(p, &all[i], end - i);
		if (p->targets[leader].slot == CONF_NO_INDEX)
			p->targets[leader].slot = take_slot(p, leader, &next);
		join(p, leader, &all[i], end - i);
	}
	free(all);
	return true;
}

uint32_t
shares_probed_twin(const struct pool *p, uint32_t target)
{
	for (uint32_t i = p->targets[target].twin; i != target; i = p->targets[i].twin)
		if (p->targets[i].probed)
			return i;
	return CONF_NO_INDEX;
}
