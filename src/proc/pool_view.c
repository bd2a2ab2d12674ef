/* What this node sees of each hot router's servers, for the election and through it for the peer. */
#include "proc/pool_process.h"

#include "core/view.h"
#include "ipc/channel.h"

#include <string.h>

/*
 * Unprobed servers, and those of which nothing is known yet, are not down. What is held is: it goes
 * on serving, but is not seen. Who falls again and again and is held back is not: it is seen.
 */
uint16_t
views_share(const struct pool *p, uint32_t router, uint32_t *total)
{
	uint32_t up = 0;

	*total = 0;
	for (uint32_t v = 0; v < p->config.virtual_count; v++) {
		const struct conf_virtual *row = &p->config.virtuals[v];

		for (uint32_t i = row->first_real; row->router == router &&
			i < row->first_real + row->real_count; i++) {
			++*total;
			up += p->targets[i].flap.held ||
				(p->targets[i].verdict != HEALTH_DOWN && !p->targets[i].held);
		}
	}
	return view_share(up, *total);
}

void
views_tell(struct pool *p)
{
	uint32_t total;

	for (uint32_t i = 0; i < p->config.router_count && p->election_fd != -1; i++) {
		struct ipc_view view = {.share = VIEW_UNKNOWN};

		if (p->config.key_count == 0 || p->config.routers[i].standby != CONF_STANDBY_HOT)
			continue;
		view.share = views_share(p, i, &total);
		memcpy(view.router, p->config.routers[i].name, sizeof(view.router));
		channel_send(p->election_fd, IPC_VIEW, &view, sizeof(view), -1);
	}
}
