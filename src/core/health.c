/*
 * Rise and fall. The counts are of results in a row: a success while up forgets the failures
 * before it, a failure while down forgets the successes.
 */
#include "core/health.h"

static uint16_t
health_top(const struct health *h)
{
	return (uint16_t)(h->rise + h->fall - 1);
}

void
health_init(struct health *h, uint16_t rise, uint16_t fall, enum health_verdict seed)
{
	*h = (struct health){.rise = rise, .fall = fall, .known = seed != HEALTH_UNKNOWN};
	h->level = seed == HEALTH_UP ? health_top(h) : 0;
}

bool
health_result(struct health *h, bool ok)
{
	return health_weighed(h, ok, 1);
}

bool
health_weighed(struct health *h, bool ok, uint16_t weight)
{
	enum health_verdict before = health_verdict(h);

	if (ok) {
		if (!h->known || h->level >= h->rise || h->level + 1 == h->rise)
			h->level = health_top(h);
		else
			h->level++;
	} else {
		if (!h->known || h->level < h->rise + weight)
			h->level = 0;
		else
			h->level = (uint16_t)(h->level - weight);
	}
	h->known = true;
	return health_verdict(h) != before;
}

enum health_verdict
health_verdict(const struct health *h)
{
	if (!h->known)
		return HEALTH_UNKNOWN;
	return h->level >= h->rise ? HEALTH_UP : HEALTH_DOWN;
}

bool
health_in_transition(const struct health *h)
{
	return h->known && h->level != 0 && h->level != health_top(h);
}

enum health_verdict
health_combine(enum health_group how, const enum health_verdict *members, unsigned count)
{
	enum health_verdict decides = how == HEALTH_ALL ? HEALTH_DOWN : HEALTH_UP;
	enum health_verdict verdict = how == HEALTH_ALL ? HEALTH_UP : HEALTH_DOWN;

	for (unsigned i = 0; i < count; i++) {
		if (members[i] == decides)
			return decides;
		if (members[i] == HEALTH_UNKNOWN)
			verdict = HEALTH_UNKNOWN;
	}
	return verdict;
}
