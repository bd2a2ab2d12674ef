/* Void results. See lag.h. */
#include "core/lag.h"

enum { VOIDS_IN_A_ROW = 3 };

bool
lag_voids(int64_t held_up_ns, int64_t timeout_ns, unsigned before)
{
	return held_up_ns > timeout_ns / 2 && before < VOIDS_IN_A_ROW;
}

int64_t
lag_again_ns(int64_t step_ns, uint64_t random)
{
	int64_t least = LAG_AGAIN_MIN_MS * NS_PER_MS, most = step_ns / 8;

	if (most > LAG_AGAIN_MAX_MS * NS_PER_MS)
		most = LAG_AGAIN_MAX_MS * NS_PER_MS;
	if (most < least)
		return least;
	return least + (int64_t)(random % (uint64_t)(most - least + 1));
}
