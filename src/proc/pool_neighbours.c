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

/* Does a virtual router of that interface have IPv6 addresses only? */
static bool
speaks_ip6(const struct config *c, const char *interface)
{
	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *r = &c->routers[i];
		bool mixed = r->address_count == 0;

		for (uint32_t k = 0; k < r->address_count; k++)
			mixed |= c->addresses[r->first_address + k].prefix.addr.family == IP_V4;
		if (!mixed && strcmp(r->interface, interface) == 0)
			return true;
	}
	return false;
}

/* One half of the room for each family, where both are asked. */
static void
list_neighbours(struct pool *p, struct ipc_neighbours *out)
{
	bool ip6 = speaks_ip6(&p->config, out->interface);

	out->count = (uint32_t)neighbours_list(p->neighbours, out->interface, IP_V4, out->list,
		ip6 ? IPC_NEIGHBOURS_MAX / 2 : IPC_NEIGHBOURS_MAX);
	if (ip6)
		out->count += (uint32_t)neighbours_list(p->neighbours, out->interface, IP_V6,
			out->list + out->count, IPC_NEIGHBOURS_MAX - out->count);
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
		list_neighbours(p, &list);
		channel_send(p->election_fd, IPC_NEIGHBOURS, &list, sizeof(list), -1);
	}
}
