/* What the members of a group have to do. See group.h. */
#include "core/group.h"

#include <string.h>

void
group_begin(struct group *g)
{
	memset(g, 0, sizeof(*g));
	g->fitness = EL_FIT;
	g->priority = UINT8_MAX;
	g->offer = REASON_NONE;
}

void
group_add(struct group *g, const struct group_member *m)
{
	enum el_fitness fitness = m->broken ? EL_UNFIT : m->fitness;

	g->members++;
	if (m->role == EL_ACTIVE) {
		g->active++;
		if (m->offer != REASON_NONE)
			g->offer = m->offer;
	} else if (m->was_active) {
		g->fell = true;
	}
	if (m->role == EL_BACKUP) {
		g->candidates += m->candidate;
		g->hears_lesser |= m->rival == EL_RIVAL_LESSER;
		g->hears_better |= m->rival == EL_RIVAL_BETTER;
	}
	if (fitness < g->fitness)
		g->fitness = fitness;
	if (m->priority < g->priority)
		g->priority = m->priority;
}

static bool
must_yield(const struct group *g)
{
	return g->active > 0 && (g->fell || g->hears_better);
}

enum group_order
group_judge(const struct group *g, const struct group_member *m)
{
	bool divided = g->active > 0 && g->hears_lesser && g->offer == REASON_NONE;

	if (m->role == EL_ACTIVE) {
		if (m->offer != REASON_NONE)
			return GROUP_STAY;
		if (g->offer != REASON_NONE && !g->fell)
			return GROUP_OFFER;
		return must_yield(g) ? GROUP_YIELD : GROUP_STAY;
	}
	if (m->role != EL_BACKUP || must_yield(g))
		return GROUP_STAY;
	if (m->candidate && g->active + g->candidates == g->members)
		return GROUP_TAKE;
	return divided && m->rival == EL_RIVAL_LESSER ? GROUP_TAKE : GROUP_STAY;
}

enum el_fitness
group_fitness(const struct group *g, const struct group_member *m)
{
	return m->broken ? m->fitness : g->fitness;
}
