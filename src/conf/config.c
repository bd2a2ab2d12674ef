/* The tables: freeing and finding. See config.h. */
#include "conf/config.h"
#include "core/dns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void
map_free(struct conf_map *m)
{
	if (--m->users > 0)
		return;
	munmap(m->at, m->bytes);
	free(m);
}

static void
tables_free(struct config *c)
{
	free(c->nodes);
	free(c->routers);
	free(c->addresses);
	free(c->virtuals);
	free(c->listens);
	free(c->reals);
	free(c->hosts);
	free(c->probes);
	free(c->cas);
	free(c->ca_bytes);
	if (c->keys)
		explicit_bzero(c->keys, c->key_count * sizeof(*c->keys));
	free(c->keys);
	free(c->links);
	free(c->blocks);
	free(c->tracks);
}

void
config_free(struct config *c)
{
	if (c->map)
		map_free(c->map);
	else
		tables_free(c);
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

uint16_t
conf_query_type(uint8_t place)
{
	static const uint16_t numbers[] = {
		DNS_A, DNS_AAAA, DNS_NS, DNS_SOA, DNS_MX, DNS_TXT, DNS_PTR, DNS_CNAME};

	return numbers[place % (sizeof(numbers) / sizeof(numbers[0]))];
}

const struct conf_ca *
config_find_ca(const struct config *c, const char *path)
{
	for (uint32_t i = 0; i < c->ca_count; i++)
		if (strcmp(c->cas[i].path, path) == 0)
			return &c->cas[i];
	return NULL;
}

const char *
conf_word(const struct conf_words *words, unsigned i)
{
	const char *at = words->text;

	if (i >= words->count)
		return NULL;
	for (; i > 0; i--)
		at += strlen(at) + 1;
	return at;
}

bool
conf_words_add(struct conf_words *words, const char *text)
{
	const char *last = conf_word(words, words->count - 1u);
	size_t used = last ? (size_t)(last - words->text) + strlen(last) + 1 : 0;

	if (used + strlen(text) + 1 > sizeof(words->text))
		return false;
	memcpy(words->text + used, text, strlen(text) + 1);
	words->count++;
	return true;
}

/* The rows of members may have moved. */
static bool
same_group(const struct config *a, const struct conf_probe *x, const struct config *b,
	const struct conf_probe *y)
{
	if (x->type != y->type || x->member_count != y->member_count)
		return false;
	for (uint8_t i = 0; i < x->member_count; i++)
		if (!config_same_probe(a, x->members[i], b, y->members[i]))
			return false;
	return true;
}

const struct conf_host *
conf_host(const struct config *c, uint32_t number)
{
	return number != 0 ? &c->hosts[number - 1] : NULL;
}

bool
conf_host_same(const struct conf_host *a, const struct conf_host *b)
{
	return a->family == b->family && a->loopback == b->loopback && strcmp(a->name, b->name) == 0;
}

/* Rows of hosts may have moved as well. */
static bool
same_host(const struct config *a, uint32_t x, const struct config *b, uint32_t y)
{
	return x == 0 || y == 0 ? x == y : conf_host_same(conf_host(a, x), conf_host(b, y));
}

/* Equal rows mean equal bytes. */
static bool
same_bytes(const struct config *a, const struct conf_probe *x, const struct config *b,
	const struct conf_probe *y)
{
	struct conf_probe moved;

	if (x->address_host == 0 || y->address_host == 0)
		return memcmp(x, y, sizeof(*x)) == 0;
	memcpy(&moved, y, sizeof(moved));
	moved.address_host = x->address_host;
	moved.address = x->address;
	return same_host(a, x->address_host, b, y->address_host) &&
		memcmp(x, &moved, sizeof(moved)) == 0;
}

bool
config_same_probe(const struct config *a, uint32_t row_a, const struct config *b, uint32_t row_b)
{
	const struct conf_probe *x = &a->probes[row_a], *y = &b->probes[row_b];
	const struct conf_ca *ca_x, *ca_y;

	if (conf_probe_is_group(x))
		return same_group(a, x, b, y);
	if (!same_bytes(a, x, b, y))
		return false;
	ca_x = config_find_ca(a, x->ca_file);
	ca_y = config_find_ca(b, y->ca_file);
	if (!ca_x || !ca_y)
		return ca_x == ca_y;
	return ca_x->length == ca_y->length &&
		memcmp(a->ca_bytes + ca_x->first, b->ca_bytes + ca_y->first, ca_x->length) == 0;
}

const char *
conf_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case CONF_TCP: return "tcp";
	case CONF_UDP: return "udp";
	case CONF_SCTP: return "sctp";
	}
	return "invalid";
}

const char *
conf_forwarding_name(uint8_t forwarding)
{
	switch (forwarding) {
	case CONF_FORWARD_NAT: return "nat";
	case CONF_FORWARD_DR: return "dr";
	case CONF_FORWARD_TUNNEL: return "tunnel";
	}
	return "invalid";
}

const struct conf_host *
conf_real_host(const struct config *c, const struct conf_real *real)
{
	return conf_host(c, real->host);
}

uint16_t
conf_real_port(const struct config *c, const struct conf_virtual *v, const struct conf_real *real)
{
	const struct conf_listen *l = &c->listens[v->first_listen];

	if (real->address.port != 0)
		return real->address.port;
	return v->listen_count == 1 && l->port_low == l->port_high ? l->port_low : 0;
}

const char *
conf_track_kind_name(enum conf_track_kind kind)
{
	switch (kind) {
	case CONF_TRACK_GATEWAY: return "gateway";
	case CONF_TRACK_PROBE: return "probe";
	case CONF_TRACK_SCRIPT: return "script";
	}
	return "invalid";
}

uint32_t
config_find_track(const struct config *c, const char *router, enum conf_track_kind kind,
	const char *name)
{
	uint32_t r = config_find_router(c, router);

	for (uint32_t i = 0; r != CONF_NO_INDEX && i < c->routers[r].track_count; i++) {
		const struct conf_track *row = &c->tracks[c->routers[r].first_track + i];

		if (row->kind == kind && strcmp(row->name, name) == 0)
			return c->routers[r].first_track + i;
	}
	return CONF_NO_INDEX;
}

uint32_t
config_track_before(const struct config *now, const char *router, uint32_t row,
	const struct config *before)
{
	struct conf_track a, b;
	uint32_t was;

	memcpy(&a, &now->tracks[row], sizeof(a));
	was = config_find_track(before, router, (enum conf_track_kind)a.kind, a.name);
	if (was == CONF_NO_INDEX)
		return CONF_NO_INDEX;
	memcpy(&b, &before->tracks[was], sizeof(b));
	if (a.kind == CONF_TRACK_PROBE && memcmp(&now->probes[a.probe], &before->probes[b.probe],
		sizeof(struct conf_probe)) != 0)
		return CONF_NO_INDEX;
	if (!same_host(now, a.host, before, b.host))
		return CONF_NO_INDEX;
	if (a.host != 0)
		a.target.addr = b.target.addr;
	a.weight = b.weight; /* does not change what is asked, and rows move on reload */
	a.resolve_s = b.resolve_s;
	a.probe = b.probe;
	a.host = b.host;
	return memcmp(&a, &b, sizeof(a)) == 0 ? was : CONF_NO_INDEX;
}
