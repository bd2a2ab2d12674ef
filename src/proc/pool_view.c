/* What this node sees of each hot router's servers, for the election and through it for the peer. */
#include "proc/pool_process.h"

#include "core/view.h"
#include "ipc/channel.h"

#include <string.h>

/*
 * Unprobed servers, and those of which nothing is known yet, are not down. What is held is: it goes
 * on serving, but is not seen. Who falls again and again and is held back is not: it is seen.
 */
static uint32_t
count_seen(const struct pool *p, const struct conf_virtual *v)
{
	uint32_t seen = 0;

	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		seen += p->targets[i].flap.held ||
			(p->targets[i].verdict != HEALTH_DOWN && !p->targets[i].held);
	return seen;
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

uint16_t
views_own(const struct pool *p, uint32_t router, uint32_t *total)
{
	uint32_t up = 0, lost = 0;

	*total = 0;
	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];
		uint32_t seen;

		if (v->router != router)
			continue;
		seen = count_seen(p, v);
		*total += v->real_count;
		up += seen;
		lost += is_lost(p, i, seen);
	}
	return view_tell(view_share(up, *total), lost);
}

void
views_tell(struct pool *p)
{
	uint32_t total;

	for (uint32_t i = 0; i < p->config.router_count && p->election_fd != -1; i++) {
		struct ipc_view view = {.told = VIEW_UNKNOWN};

		if (p->config.key_count == 0 || p->config.routers[i].standby != CONF_STANDBY_HOT)
			continue;
		view.told = views_own(p, i, &total);
		memcpy(view.router, p->config.routers[i].name, sizeof(view.router));
		channel_send(p->election_fd, IPC_VIEW, &view, sizeof(view), -1);
	}
}
