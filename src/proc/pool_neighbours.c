/*
 * Gateway and neighbours of the service interfaces, for the election's question who is cut off. The
 * pool process asks the kernel, because the answer may wait for RTNL and the election must not.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"
#include "linux/neighbours.h"

#include <string.h>

static bool
told_before(const struct config *c, uint32_t router)
{
	for (uint32_t i = 0; i < router; i++)
		if (strcmp(c->routers[i].interface, c->routers[router].interface) == 0)
			return true;
	return false;
}

void
neighbours_tell(struct pool *p)
{
	const struct config *c = &p->config;

	if (c->key_count == 0 || p->election_fd == -1)
		return;
	if (!p->neighbours && !(p->neighbours = neighbours_open()))
		return;
	for (uint32_t i = 0; i < c->router_count; i++) {
		struct ipc_neighbours list = {.count = 0};

		if (told_before(c, i))
			continue;
		memcpy(list.interface, c->routers[i].interface, sizeof(list.interface));
		list.count = (uint32_t)neighbours_list(p->neighbours, list.interface, list.list,
			IPC_NEIGHBOURS_MAX);
		channel_send(p->election_fd, IPC_NEIGHBOURS, &list, sizeof(list), -1);
	}
}
