/* Sums and their bounds. See fitness.h. */
#include "core/fitness.h"

enum { PRIORITY_LOWEST = 1, PRIORITY_HIGHEST = 254, PRIORITY_OWNER = 255 };

void
fitness_add(struct fitness *f, int weight, bool well)
{
	if (weight == 0)
		f->impaired = f->impaired || !well;
	else if (well == (weight > 0))
		f->weight += weight;
}

uint8_t
fitness_priority(const struct fitness *f, uint8_t configured)
{
	int64_t priority = configured + f->weight;

	if (configured == PRIORITY_OWNER)
		return PRIORITY_OWNER;
	if (priority < PRIORITY_LOWEST)
		return PRIORITY_LOWEST;
	return priority > PRIORITY_HIGHEST ? PRIORITY_HIGHEST : (uint8_t)priority;
}
