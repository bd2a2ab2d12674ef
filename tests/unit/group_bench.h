/* What the tests of groups share. */
#ifndef TANDEM_TESTS_GROUP_BENCH_H
#define TANDEM_TESTS_GROUP_BENCH_H

#include "election_bench.h"
#include "core/group.h"

static inline struct group
group_of(const struct group_member *m, size_t count)
{
	struct group g;

	group_begin(&g);
	for (size_t i = 0; i < count; i++)
		group_add(&g, &m[i]);
	return g;
}

static inline struct el_params
grouped_params(uint8_t priority, bool keyed)
{
	struct el_params p = params_of(priority);

	p.grouped = true;
	p.keyed = keyed;
	return p;
}

#endif
