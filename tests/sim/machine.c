/* One machine, all of its virtual routers. See machine.h. */
#include "machine.h"

#include "bundle.h"

/* The same machine's node in another lane. */
static struct node *
in_lane(const struct world *w, const struct node *n, unsigned lane)
{
	return &w->bundle->lanes[lane].nodes[n->id];
}

static bool
all_live(const struct world *w, const struct node *n, enum life life)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		if (in_lane(w, n, i)->life != life)
			return false;
	return true;
}

bool
machine_is_dead(const struct world *w, const struct node *n)
{
	return all_live(w, n, LIFE_DEAD);
}

bool
machine_is_stopping(const struct world *w, const struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		if (in_lane(w, n, i)->life != LIFE_DEAD && in_lane(w, n, i)->stopping)
			return true;
	return false;
}

/* election_group.c, group_may_resume(). */
static bool
may_resume(const struct world *w, const struct node *n, const struct handover *left)
{
	for (unsigned i = 0; i < w->bundle->count; i++) {
		const struct node *member = in_lane(w, n, i);
		enum reason why;

		if (!left[i].active || node_own_fitness(w, member, &why) == EL_UNFIT ||
			!el_may_resume(&member->e, node_now(w, n), left[i].last_advert,
				left[i].lease_deadline))
			return false;
	}
	return true;
}

/* election_routers.c, routers_start(). */
static void
boot_all(struct world *w, struct node *n, bool handover)
{
	struct bundle *b = w->bundle;
	struct handover left[SIM_LANES];
	bool resume;

	if (!machine_is_dead(w, n))
		return;
	for (unsigned i = 0; i < b->count; i++)
		left[i] = node_left(in_lane(w, n, i));
	bundle_begin(w, n);
	bundle_pause(w, n);
	for (unsigned i = 0; i < b->count; i++)
		node_begin(&b->lanes[i], in_lane(w, n, i));
	bundle_begun(w, n);
	resume = handover && may_resume(w, n, left);
	for (unsigned i = 0; i < b->count; i++)
		if (!resume || !node_resume(&b->lanes[i], in_lane(w, n, i), &left[i]))
			node_start(&b->lanes[i], in_lane(w, n, i));
	bundle_resume(w, n);
	node_after(&b->lanes[0], in_lane(w, n, 0), NS_PER_S, EVENT_SETTLE, 0, 0);
}

void
machine_boot(struct world *w, struct node *n, bool handover)
{
	if (bundle_is_grouped(w))
		boot_all(w, n, handover);
	else
		node_boot(w, n, handover);
}

void
machine_crash(struct world *w, struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		node_crash(&w->bundle->lanes[i], in_lane(w, n, i));
}

void
machine_power_off(struct world *w, struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		node_power_off(&w->bundle->lanes[i], in_lane(w, n, i));
}

/* One that is ending, and has ended for some of its routers already, stays what it is. */
void
machine_hang(struct world *w, struct node *n)
{
	if (!all_live(w, n, LIFE_RUNNING))
		return;
	for (unsigned i = 0; i < w->bundle->count; i++)
		node_hang(&w->bundle->lanes[i], in_lane(w, n, i));
}

void
machine_pause(struct world *w, struct node *n, bool seen)
{
	if (!all_live(w, n, LIFE_RUNNING))
		return;
	for (unsigned i = 0; i < w->bundle->count; i++)
		node_pause(&w->bundle->lanes[i], in_lane(w, n, i), seen);
}

/* The process goes on as a whole; then it finds what waits, router by router in any order. */
static void
wake_all(struct world *w, struct node *n)
{
	struct bundle *b = w->bundle;
	unsigned first = rng_below(&b->rng, b->count);
	bool woken[SIM_LANES];

	for (unsigned i = 0; i < b->count; i++)
		woken[i] = node_rise(&b->lanes[i], in_lane(w, n, i));
	/* those of its routers that had ended meanwhile have the machine's clock again */
	for (unsigned i = 0; i < b->count; i++)
		for (unsigned k = 0; k < b->count && woken[i]; k++)
			in_lane(w, n, k)->clock = in_lane(w, n, i)->clock;
	for (unsigned i = 0; i < b->count; i++)
		if (woken[(first + i) % b->count])
			node_serve(&b->lanes[(first + i) % b->count],
				in_lane(w, n, (first + i) % b->count));
	for (unsigned i = 0; i < b->count; i++)
		if (woken[i])
			checker_awake(&b->lanes[i], in_lane(w, n, i));
}

void
machine_wake(struct world *w, struct node *n)
{
	if (bundle_is_grouped(w))
		wake_all(w, n);
	else
		node_wake(w, n);
}

void
machine_stop(struct world *w, struct node *n)
{
	for (unsigned i = 0; i < w->bundle->count; i++)
		node_stop(&w->bundle->lanes[i], in_lane(w, n, i));
}

/* election_main.c, switchover(): the group of the one that was named. */
void
machine_switchover(struct world *w, struct node *n)
{
	bundle_pause(w, n);
	for (unsigned i = 0; i < w->bundle->count; i++)
		if (!bundle_is_grouped(w) || bundle_peer_is_ready(w, n))
			node_switchover(&w->bundle->lanes[i], in_lane(w, n, i));
	bundle_resume(w, n);
}
