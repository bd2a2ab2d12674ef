/* The digest of what both nodes must agree on. See config.h. FNV-1a over the rows. */
#include "conf/config.h"

static uint32_t
add(uint32_t hash, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash;
}

#define ADD_FIELD(field) hash = add(hash, &c->field, sizeof(c->field))
#define ADD_ROWS(rows, count) hash = add(hash, c->rows, c->count * sizeof(*c->rows))

uint32_t
config_digest(const struct config *c)
{
	uint32_t hash = 2166136261u;

	ADD_FIELD(cluster);
	ADD_FIELD(interval_ms);
	ADD_FIELD(version);
	ADD_FIELD(checksum);
	ADD_FIELD(authentication);
	ADD_ROWS(nodes, node_count);
	ADD_ROWS(routers, router_count);
	ADD_ROWS(addresses, address_count);
	ADD_FIELD(sync);
	ADD_ROWS(virtuals, virtual_count);
	ADD_ROWS(listens, listen_count);
	ADD_ROWS(reals, real_count);
	ADD_ROWS(hosts, host_count);
	ADD_ROWS(probes, probe_count);
	ADD_ROWS(links, link_count);
	ADD_ROWS(blocks, block_count);
	ADD_ROWS(tracks, track_count);
	return hash;
}
