/*
 * Names where addresses could stand: of real servers, sorry servers, and of what probes ask. Each
 * different question to the resolver is one row of hosts[].
 */
#include "conf/host.h"
#include "conf/reader.h"

#include <string.h>

/* The row of that key, with others of the same name or its own. */
static uint32_t
host_row(struct reader *r, const struct conf_host *key)
{
	struct config *c = r->out;
	uint32_t before = seen_add(&r->hosts, key, c->host_count);

	if (before == UINT32_MAX) {
		before = c->host_count++;
		c->hosts = conf_grow(c->hosts, before, &r->host_capacity, sizeof(*c->hosts));
		c->hosts[before] = *key;
		c->hosts[before].resolve_s = r->resolve_s;
	}
	if (r->resolve_s < c->hosts[before].resolve_s)
		c->hosts[before].resolve_s = r->resolve_s;
	return before;
}

uint32_t
read_name(struct reader *r, const char *text, uint8_t family, bool loopback, uint16_t *port)
{
	struct conf_host key;

	memset(&key, 0, sizeof(key));
	key.family = family != IP_NONE ? family : r->name_family;
	key.loopback = loopback;
	return host_parse(text, key.name, port) ? 1 + host_row(r, &key) : 0;
}
