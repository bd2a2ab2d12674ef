/*
 * What this node sees of each hot router's servers, for the election and through it for the peer.
 *
 * It is told to the peer as a reason to hand over to this node, and compared here as a reason to hand
 * over to the peer. So the two count differently what is not known here, because nothing was heard
 * yet, or because an operator disabled or removed it on this node alone: the one as well, the other not.
 */
#include "proc/pool_process.h"

#include "core/view.h"
#include "ipc/channel.h"

#include <string.h>

/* Of the servers of a pool. */
struct sight {
	uint32_t total;
	uint32_t maybe; /* not known to be down */
	uint32_t sure;  /* asked, and well */
	bool waiting;   /* some have not been heard from yet */
};

/* Those of the configuration that an operator removed here. */
static uint32_t
removed_here(const struct pool *p, uint32_t row)
{
	const struct conf_virtual *v = &p->base.virtuals[row];
	uint32_t count = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++) {
		const struct override *r = overlay_find(&p->overlay, v->name, p->base.reals[i].name);

		count += r && r->removed && !r->added;
	}
	return count;
}

/*
 * What is held (correlated.h) goes on serving, but is not seen. Who falls again and again and is held
 * back is not: it is seen.
 */
static bool
is_seen(const struct pool_target *t)
{
	return t->flap.held || (t->verdict != HEALTH_DOWN && !t->held);
}

static void
see_server(const struct pool *p, uint32_t row, uint32_t real, struct sight *s)
{
	const struct pool_target *t = &p->targets[real];
	bool asked = target_probe(&p->config, real);

	s->total++;
	if (p->overlay.count != 0 && operate_is_disabled(p, row, real)) {
		s->maybe++;
		return;
	}
	s->maybe += is_seen(t);
	s->sure += is_seen(t) && (!asked || (t->probed && t->verdict != HEALTH_UNKNOWN));
	s->waiting |= t->probed && t->verdict == HEALTH_UNKNOWN;
}

static struct sight
see_pool(const struct pool *p, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[row];
	struct sight s = {.total = 0};

	if (p->overlay.count != 0 && row < p->base.virtual_count)
		s.total = s.maybe = removed_here(p, row);
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		see_server(p, row, i, &s);
	return s;
}

/* Its clients are not served as they should be, or would not be if what is held were believed. */
static bool
is_lost(const struct pool *p, uint32_t row, uint32_t seen)
{
	const struct conf_virtual *v = &p->config.virtuals[row];

	if (v->real_count == 0)
		return false;
	return seen == 0 || seen < v->min_healthy || correlated_held(p, row) > 0;
}

struct pool_views
views_of(const struct pool *p, uint32_t router)
{
	uint32_t maybe = 0, sure = 0, maybe_lost = 0, sure_lost = 0;
	struct pool_views views = {.total = 0};
	bool waiting = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		struct sight s;

		if (p->config.virtuals[i].router != router)
			continue;
		s = see_pool(p, i);
		views.total += s.total;
		maybe += s.maybe;
		sure += s.sure;
		waiting |= s.waiting;
		sure_lost += is_lost(p, i, s.maybe);
		maybe_lost += is_lost(p, i, s.sure);
	}
	views.own = view_tell(view_share(maybe, views.total), sure_lost);
	/* Who has just started says nothing, rather than that all is lost. */
	views.told = waiting && sure == 0 ? VIEW_UNKNOWN
		: view_tell(view_share(sure, views.total), maybe_lost);
	return views;
}

void
views_tell(struct pool *p)
{
	for (uint32_t i = 0; i < p->config.router_count && p->election_fd != -1; i++) {
		struct ipc_view view = {.own = VIEW_UNKNOWN};
		struct pool_views views;

		if (p->config.key_count == 0 || p->config.routers[i].standby != CONF_STANDBY_HOT)
			continue;
		views = views_of(p, i);
		view.own = views.own;
		view.told = views.told;
		memcpy(view.router, p->config.routers[i].name, sizeof(view.router));
		channel_send(p->election_fd, IPC_VIEW, &view, sizeof(view), -1);
	}
}
