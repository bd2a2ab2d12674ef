/*
 * How late things were, as counts in buckets: eight for each doubling, from 16 us up to half a
 * minute, so that a percentile is right to an eighth whatever its size is. Bounded, and pure.
 *
 * Two windows follow each other: what is told is of the current one and the one before it, so that
 * it is neither of nothing nor of last week.
 */
#ifndef TANDEM_CORE_LATENESS_H
#define TANDEM_CORE_LATENESS_H

#include "base/mono.h"

enum {
	LATENESS_STEPS = 8,     /* buckets of a doubling */
	LATENESS_FIRST_BITS = 14, /* below 2^14 ns: the first bucket */
	LATENESS_LAST_BITS = 35,
	LATENESS_BUCKETS = 1 + (LATENESS_LAST_BITS - LATENESS_FIRST_BITS) * LATENESS_STEPS,
};

struct lateness {
	uint32_t counts[2][LATENESS_BUCKETS]; /* the current window, the one before */
	int64_t max_ns;                       /* ever */
};

/* All zero is empty. What is early is not late: 0. */
void lateness_add(struct lateness *l, int64_t late_ns);
/* A window ends. */
void lateness_turn(struct lateness *l);
/*
 * So many of a thousand were at most this late: the upper end of the bucket, but never above the
 * maximum. 0 when there was none.
 */
int64_t lateness_permille_ns(const struct lateness *l, uint32_t permille);

#endif
