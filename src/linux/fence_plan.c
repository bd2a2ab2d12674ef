/* What the table of the egress fence holds, as plain arrays. See fence_table.h. */
#include "linux/fence_table.h"

#include <stdlib.h>
#include <string.h>

static void *
room_for(size_t count, size_t size)
{
	return calloc(count ? count : 1, size);
}

struct fence_plan *
fence_plan_new(size_t interfaces, size_t guards, size_t open)
{
	struct fence_plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	plan->interfaces = room_for(interfaces, sizeof(plan->interfaces[0]));
	plan->ifindexes = room_for(interfaces, sizeof(plan->ifindexes[0]));
	plan->guards = room_for(guards, sizeof(plan->guards[0]));
	plan->open = room_for(open, sizeof(plan->open[0]));
	if (plan->interfaces && plan->ifindexes && plan->guards && plan->open)
		return plan;
	fence_plan_free(plan);
	return NULL;
}

void
fence_plan_free(struct fence_plan *plan)
{
	if (!plan)
		return;
	free(plan->interfaces);
	free(plan->ifindexes);
	free(plan->guards);
	free(plan->open);
	free(plan);
}

bool
fence_plan_equal(const struct fence_plan *a, const struct fence_plan *b)
{
	size_t interfaces = b ? b->interface_count : 0, guards = b ? b->guard_count : 0;

	if (!a)
		return interfaces + guards == 0;
	if (a->interface_count != interfaces || a->guard_count != guards)
		return false;
	return interfaces + guards == 0 ||
		(memcmp(a->interfaces, b->interfaces, interfaces * sizeof(a->interfaces[0])) == 0 &&
			memcmp(a->ifindexes, b->ifindexes, interfaces * sizeof(int)) == 0 &&
			memcmp(a->guards, b->guards, guards * sizeof(a->guards[0])) == 0);
}
