/*
 * Which target is what: real servers, what routers track, sorry servers, agents and members of groups
 * of probes in one row of numbers, in this order.
 */
#include "proc/pool_process.h"

uint32_t
targets_count(const struct config *c)
{
	return c->real_count + c->track_count + c->virtual_count +
		agent_rows(c) + c->real_count * c->probe_members;
}

bool
target_is_real(const struct config *c, uint32_t target)
{
	return target < c->real_count;
}

bool
target_is_sorry(const struct config *c, uint32_t target)
{
	return target >= sorry_target(c, 0) && target < agent_target(c, 0);
}

bool
target_is_agent(const struct config *c, uint32_t target)
{
	return target >= agent_target(c, 0) && target < agent_target(c, agent_rows(c));
}

bool
target_is_member(const struct config *c, uint32_t target)
{
	return target >= agent_target(c, agent_rows(c));
}

bool
target_is_track(const struct config *c, uint32_t target)
{
	return target >= c->real_count && target < sorry_target(c, 0);
}

/* The real server that it is or speaks of. */
uint32_t
target_real(const struct config *c, uint32_t target)
{
	if (target_is_real(c, target))
		return target;
	if (target_is_member(c, target))
		return (target - member_target(c, 0, 0)) / c->probe_members;
	return target_is_agent(c, target) ? target - agent_target(c, 0) : target;
}

const struct conf_track *
target_track(const struct config *c, uint32_t target)
{
	return &c->tracks[target - c->real_count];
}

static const struct conf_probe *
probe_of_sorry(const struct config *c, const struct conf_virtual *v)
{
	return v->has_sorry ? &c->probes[v->sorry_probe] : NULL;
}

const struct endpoint *
target_place(const struct config *c, uint32_t target)
{
	if (target_is_real(c, target)) /* most of them */
		return &c->reals[target].address;
	if (target_is_track(c, target))
		return &target_track(c, target)->target;
	if (target_is_sorry(c, target))
		return &c->virtuals[target - sorry_target(c, 0)].sorry;
	return &c->reals[target_real(c, target)].address;
}

const struct conf_host *
target_host(const struct config *c, uint32_t target)
{
	if (target_is_track(c, target))
		return conf_host(c, target_track(c, target)->host);
	if (target_is_sorry(c, target))
		return conf_host(c, c->virtuals[target - sorry_target(c, 0)].sorry_host);
	return target_is_real(c, target) ? conf_host(c, c->reals[target].host) : NULL;
}

bool
target_has_address(const struct config *c, uint32_t target)
{
	return target_place(c, target)->addr.family != IP_NONE;
}

bool
target_is_unresolved(const struct config *c, uint32_t target)
{
	const struct conf_probe *way = target_way(c, target);

	return (target_host(c, target) && !target_has_address(c, target)) ||
		(way && way->address_host != 0 && way->address.family == IP_NONE);
}

static const struct conf_probe *
member_probe(const struct config *c, uint32_t target)
{
	uint32_t row = target_real(c, target), i = target - member_target(c, row, 0);
	const struct conf_probe *group = &c->probes[c->reals[row].probe];

	return i < group_members(c, row) ? &c->probes[group->members[i]] : NULL;
}

const struct conf_probe *
target_way(const struct config *c, uint32_t target)
{
	const struct conf_probe *probe = NULL;

	if (target_is_real(c, target))
		probe = &c->probes[c->reals[target].probe];
	else if (target_is_member(c, target))
		probe = member_probe(c, target);
	else if (target_is_agent(c, target))
		probe = &c->probes[c->reals[target_real(c, target)].agent];
	else if (target_is_sorry(c, target))
		probe = probe_of_sorry(c, &c->virtuals[target - sorry_target(c, 0)]);
	else if (target_track(c, target)->kind == CONF_TRACK_PROBE)
		probe = &c->probes[target_track(c, target)->probe];
	return probe && probe->type != CONF_PROBE_NONE ? probe : NULL;
}

const struct conf_probe *
target_probe(const struct config *c, uint32_t target)
{
	const struct conf_probe *way = target_way(c, target);

	if (!way || !target_has_address(c, target))
		return NULL;
	return way->address_host == 0 || way->address.family != IP_NONE ? way : NULL;
}

/* The rows of virtual servers follow each other: the last one that begins at or before it. */
uint32_t
target_virtual(const struct config *c, uint32_t target)
{
	uint32_t low = 0, high = c->virtual_count, real = target_real(c, target);

	if (target_is_sorry(c, target))
		return target - sorry_target(c, 0);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (c->virtuals[middle].first_real <= real)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || real - c->virtuals[low - 1].first_real >= c->virtuals[low - 1].real_count)
		return CONF_NO_INDEX;
	return low - 1;
}

/* Where to ask: what has no port of its own is asked at the one that clients use. */
struct endpoint
target_address(const struct config *c, uint32_t target)
{
	const struct conf_virtual *v;
	struct conf_real sorry;

	if (target_is_track(c, target))
		return target_track(c, target)->target;
	v = &c->virtuals[target_virtual(c, target)];
	sorry = (struct conf_real){.address = v->sorry};
	if (!target_is_sorry(c, target))
		sorry = c->reals[target_real(c, target)];
	sorry.address.port = conf_real_port(c, v, &sorry);
	return sorry.address;
}

struct ip_addr
target_asked(const struct config *c, uint32_t target)
{
	const struct conf_probe *way = target_way(c, target);

	return way && way->address.family != IP_NONE ? way->address : target_place(c, target)->addr;
}
