/* Counts of how late things were. See lateness.h. */
#include "core/lateness.h"

#include <string.h>

/* 2^bits <= ns < 2^(bits+1) */
static int
bits_of(int64_t ns)
{
	int bits = 0;

	while (ns > 1) {
		ns >>= 1;
		bits++;
	}
	return bits;
}

static uint32_t
bucket_of(int64_t ns)
{
	int bits = bits_of(ns);

	if (bits < LATENESS_FIRST_BITS)
		return 0;
	if (bits >= LATENESS_LAST_BITS)
		return LATENESS_BUCKETS - 1;
	/* of the bits behind the first, three say which eighth it is */
	return 1 + (uint32_t)(bits - LATENESS_FIRST_BITS) * LATENESS_STEPS +
		((uint32_t)(ns >> (bits - 3)) & (LATENESS_STEPS - 1));
}

/* What no longer belongs to the bucket. */
static int64_t
bucket_end_ns(uint32_t bucket)
{
	uint32_t bits, step;

	if (bucket == 0)
		return INT64_C(1) << LATENESS_FIRST_BITS;
	bits = LATENESS_FIRST_BITS + (bucket - 1) / LATENESS_STEPS;
	step = (bucket - 1) % LATENESS_STEPS;
	return (INT64_C(1) << bits) / LATENESS_STEPS * (LATENESS_STEPS + step + 1);
}

void
lateness_add(struct lateness *l, int64_t late_ns)
{
	uint32_t *count;

	if (late_ns < 0)
		late_ns = 0;
	if (late_ns > l->max_ns)
		l->max_ns = late_ns;
	count = &l->counts[0][bucket_of(late_ns)];
	*count += *count < UINT32_MAX;
}

void
lateness_turn(struct lateness *l)
{
	memcpy(l->counts[1], l->counts[0], sizeof(l->counts[1]));
	memset(l->counts[0], 0, sizeof(l->counts[0]));
}

int64_t
lateness_permille_ns(const struct lateness *l, uint32_t permille)
{
	uint64_t all = 0, seen = 0;
	uint32_t i;

	for (i = 0; i < LATENESS_BUCKETS; i++)
		all += (uint64_t)l->counts[0][i] + l->counts[1][i];
	for (i = 0; i < LATENESS_BUCKETS && all > 0; i++) {
		seen += (uint64_t)l->counts[0][i] + l->counts[1][i];
		if (seen * 1000 >= all * permille)
			return bucket_end_ns(i) < l->max_ns ? bucket_end_ns(i) : l->max_ns;
	}
	return 0;
}
