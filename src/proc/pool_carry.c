/*
 * Which row of the configuration before a reload a row of the present one was. Looked up for
 * thousands of rows, so nothing is searched from one end to the other: what is asked for mostly stands
 * behind what was found last, and where it does not, an index is sorted once.
 */
#include "proc/pool_process.h"

#include <stdlib.h>
#include <string.h>

static int
by_name(const void *a, const void *b, void *config)
{
	const struct config *c = config;
	const uint32_t *x = a, *y = b;

	return strcmp(c->virtuals[*x].name, c->virtuals[*y].name);
}

static int
compare_endpoints(const struct endpoint *a, const struct endpoint *b)
{
	int order = ip_addr_compare(&a->addr, &b->addr);

	return order != 0 ? order : (a->port > b->port) - (a->port < b->port);
}

static int
by_address(const void *a, const void *b, void *config)
{
	const struct config *c = config;
	const uint32_t *x = a, *y = b;
	int order = compare_endpoints(&c->reals[*x].address, &c->reals[*y].address);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* Rows first, first + 1, ... in that order. */
static void
sort_rows(uint32_t *rows, uint32_t first, uint32_t count, const struct config *c,
	int (*order)(const void *, const void *, void *))
{
	for (uint32_t i = 0; i < count; i++)
		rows[i] = first + i;
	qsort_r(rows, count, sizeof(*rows), order, (void *)(uintptr_t)c);
}

static uint32_t *
rows_new(uint32_t count)
{
	return reallocarray(NULL, (size_t)count + 1, sizeof(uint32_t));
}

static uint32_t
find_name(const struct config *c, const uint32_t *sorted, const char *name)
{
	uint32_t low = 0, high = c->virtual_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(c->virtuals[sorted[middle]].name, name);

		if (order == 0)
			return sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return CONF_NO_INDEX;
}

uint32_t *
carry_virtuals(const struct config *now, const struct config *before)
{
	uint32_t *was = rows_new(now->virtual_count), *sorted = rows_new(before->virtual_count);
	uint32_t next = 0;
	bool is_sorted = false;

	for (uint32_t i = 0; was && sorted && i < now->virtual_count; i++) {
		const char *name = now->virtuals[i].name;

		if (next < before->virtual_count && strcmp(before->virtuals[next].name, name) == 0) {
			was[i] = next++;
			continue;
		}
		if (!is_sorted)
			sort_rows(sorted, 0, before->virtual_count, before, by_name);
		is_sorted = true;
		was[i] = find_name(before, sorted, name);
		if (was[i] != CONF_NO_INDEX)
			next = was[i] + 1;
	}
	if (!sorted) {
		free(was);
		was = NULL;
	}
	free(sorted);
	return was;
}

/* Two rows of probes, as last compared. */
struct compared {
	uint32_t before, now;
	bool any, same;
};

/* Of targets. */
struct search {
	const struct config *now, *before;
	uint32_t *virtuals;          /* carry_virtuals() */
	uint32_t *reals;             /* carry_reals(); NULL: nobody wants to know */
	uint32_t *sorted;            /* rows of the real servers of one virtual server before */
	const struct conf_virtual *sorted_of;
	struct compared probes, agents;
};

/* Equal rows mean equal bytes; thousands of servers in turn have the same two. */
static bool
same_probe(const struct search *s, struct compared *last, uint32_t before, uint32_t now)
{
	if (!last->any || before != last->before || now != last->now)
		*last = (struct compared){.any = true, .before = before, .now = now,
			.same = config_same_probe(s->before, before, s->now, now)};
	return last->same;
}

/* The first row of that virtual server with that address. */
static uint32_t
find_address(struct search *s, const struct conf_virtual *v, const struct endpoint *address)
{
	uint32_t low = 0, high = v->real_count;

	if (s->sorted_of != v)
		sort_rows(s->sorted, v->first_real, v->real_count, s->before, by_address);
	s->sorted_of = v;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_endpoints(&s->before->reals[s->sorted[middle]].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == v->real_count ||
		!endpoint_equal(&s->before->reals[s->sorted[low]].address, address))
		return CONF_NO_INDEX;
	return s->sorted[low];
}

/* What asks that server, alone or in a group. */
static void
same_probes(const struct search *s, uint32_t real, uint32_t row, uint32_t *was)
{
	uint32_t members = s->now->probe_members < s->before->probe_members
		? s->now->probe_members : s->before->probe_members;

	was[real] = row;
	for (uint32_t i = 0; i < members; i++)
		was[member_target(s->now, real, i)] = member_target(s->before, row, i);
}

/* The servers of one virtual server: the same address, probed the same way at the same port. */
static void
search_reals(struct search *s, const struct conf_virtual *v, const struct conf_virtual *old,
	uint32_t *was)
{
	uint32_t next = old->first_real, end = old->first_real + old->real_count;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		const struct conf_real *real = &s->now->reals[i];
		uint32_t row = next;

		if (next >= end || !endpoint_equal(&s->before->reals[next].address, &real->address))
			row = find_address(s, old, &real->address);
		if (row == CONF_NO_INDEX)
			continue;
		next = row + 1;
		if (s->reals)
			s->reals[i] = row;
		/* Without a port of its own it is asked at the one that clients use. */
		if (real->address.port == 0 &&
			conf_real_port(s->before, old, &s->before->reals[row]) !=
				conf_real_port(s->now, v, real))
			continue;
		if (same_probe(s, &s->probes, s->before->reals[row].probe, real->probe))
			same_probes(s, i, row, was);
		if (s->now->has_agents && s->before->has_agents &&
			same_probe(s, &s->agents, s->before->reals[row].agent, real->agent))
			was[agent_target(s->now, i)] = agent_target(s->before, row);
	}
}

static void
search_virtuals(struct search *s, uint32_t *was)
{
	for (uint32_t i = 0; i < s->now->virtual_count; i++) {
		const struct conf_virtual *v = &s->now->virtuals[i], *old;

		if (s->virtuals[i] == CONF_NO_INDEX)
			continue;
		old = &s->before->virtuals[s->virtuals[i]];
		search_reals(s, v, old, was);
		if (endpoint_equal(&old->sorry, &v->sorry) &&
			same_probe(s, &s->probes, old->sorry_probe, v->sorry_probe))
			was[sorry_target(s->now, i)] = sorry_target(s->before, s->virtuals[i]);
	}
}

static void
search_tracks(const struct search *s, uint32_t *was)
{
	for (uint32_t i = 0; i < s->now->track_count; i++) {
		const struct conf_router *router = tracks_router(s->now, i);
		uint32_t row = router ? config_track_before(s->now, router->name, i, s->before)
				      : CONF_NO_INDEX;

		if (row != CONF_NO_INDEX)
			was[s->now->real_count + i] = s->before->real_count + row;
	}
}

static uint32_t *
carry(const struct config *now, const struct config *before, uint32_t *reals)
{
	uint32_t count = targets_count(now), *was = rows_new(count);
	struct search s = {.now = now, .before = before, .reals = reals,
		.virtuals = carry_virtuals(now, before), .sorted = rows_new(before->real_count)};
	bool ready = was && s.virtuals && s.sorted;

	for (uint32_t i = 0; was && i < count; i++)
		was[i] = CONF_NO_INDEX;
	if (ready) {
		search_virtuals(&s, was);
		search_tracks(&s, was);
	}
	free(s.virtuals);
	free(s.sorted);
	if (!ready) {
		free(was);
		return NULL;
	}
	return was;
}

uint32_t *
carry_targets(const struct config *now, const struct config *before)
{
	return carry(now, before, NULL);
}

uint32_t *
carry_reals(const struct config *now, const struct config *before)
{
	uint32_t *reals = rows_new(now->real_count), *was;

	for (uint32_t i = 0; reals && i < now->real_count; i++)
		reals[i] = CONF_NO_INDEX;
	was = reals ? carry(now, before, reals) : NULL;
	if (!was) {
		free(reals);
		return NULL;
	}
	free(was);
	return reals;
}

bool
carry_moves_nothing(const uint32_t *was, uint32_t count, uint32_t count_before)
{
	if (count != count_before)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (was[i] != i)
			return false;
	return true;
}
