/* The tables: freeing and finding. See config.h. */
#include "conf/config.h"

#include <stdlib.h>
#include <string.h>

void
config_free(struct config *c)
{
	free(c->nodes);
	free(c->routers);
	free(c->addresses);
	free(c->virtuals);
	free(c->reals);
	free(c->probes);
	if (c->keys)
		explicit_bzero(c->keys, c->key_count * sizeof(*c->keys));
	free(c->keys);
	free(c->links);
	free(c->blocks);
	free(c->tracks);
	memset(c, 0, sizeof(*c));
}

uint32_t
config_find_router(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->router_count; i++)
		if (strcmp(c->routers[i].name, name) == 0)
			return i;
	return CONF_NO_INDEX;
}

uint32_t
config_find_node(const struct config *c, const char *name)
{
	for (uint32_t i = 0; i < c->node_count; i++)
		if (strcmp(c->nodes[i].name, name) == 0)
			return i;
	return CONF_NO_INDEX;
}
