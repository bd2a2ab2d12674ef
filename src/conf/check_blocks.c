/*
 * Blocks: a whole prefix becomes local with a router. So nothing in it may belong to anybody else:
 * not to another router, not to a node, not to a host that the node talks to.
 *
 * The rows are sorted by where they begin. Two prefixes overlap only when one is in the other, so
 * sorted neighbours show every overlap, and the last one that begins at or before an address is the
 * only one that can hold it.
 */
#include "conf/reader.h"

#include <stdlib.h>
#include <string.h>

static int
by_start(const void *a, const void *b, void *config)
{
	const struct config *c = config;
	const struct conf_block *x = &c->blocks[*(const uint32_t *)a];
	const struct conf_block *y = &c->blocks[*(const uint32_t *)b];
	int order = ip_addr_compare(&x->prefix.addr, &y->prefix.addr);

	if (order == 0)
		order = x->prefix.length - y->prefix.length;
	if (order == 0)
		order = *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
	return order;
}

static uint32_t
router_of_block(const struct config *c, uint32_t block)
{
	uint32_t router = 0;

	while (block - c->routers[router].first_block >= c->routers[router].block_count)
		router++;
	return router;
}

uint32_t
block_of(const struct reader *r, const struct ip_addr *address, uint32_t *router)
{
	const struct config *c = r->out;
	uint32_t low = 0, high = c->block_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ip_addr_compare(&c->blocks[r->block_order[middle]].prefix.addr, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 ||
		!ip_prefix_contains(&c->blocks[r->block_order[low - 1]].prefix, address))
		return CONF_NO_INDEX;
	*router = router_of_block(c, r->block_order[low - 1]);
	return r->block_order[low - 1];
}

static void
check_overlap(struct reader *r, uint32_t a, uint32_t b)
{
	const struct config *c = r->out;
	uint32_t earlier = a < b ? a : b, later = a < b ? b : a;
	char text[ADDR_TEXT], other[ADDR_TEXT];

	if (!ip_prefix_contains(&c->blocks[a].prefix, &c->blocks[b].prefix.addr))
		return;
	reader_error(r, r->block_at[later],
		"virtual_routers \"%s\": block %s overlaps block %s of \"%s\"; remove one of them",
		c->routers[router_of_block(c, later)].name,
		ip_prefix_format(&c->blocks[later].prefix, text),
		ip_prefix_format(&c->blocks[earlier].prefix, other),
		c->routers[router_of_block(c, earlier)].name);
}

/* The address whose lease carries the block. */
static bool
has_anchor(const struct config *c, const struct conf_router *router)
{
	for (uint32_t i = 0; i < router->address_count; i++) {
		const struct conf_address *a = &c->addresses[router->first_address + i];

		if (a->prefix.addr.family == IP_V4 && !ip_addr_is_link_local(&a->prefix.addr) &&
			strcmp(a->interface, router->interface) == 0)
			return true;
	}
	return false;
}

/* Addresses of the nodes themselves. */
static void
check_holds(struct reader *r, uint32_t block, const struct ip_addr *address, const char *kind,
	const char *name)
{
	const struct config *c = r->out;
	char text[ADDR_TEXT], of[ADDR_TEXT];

	if (ip_prefix_contains(&c->blocks[block].prefix, address))
		reader_error(r, r->block_at[block],
			"virtual_routers \"%s\": block %s holds %s of %s \"%s\", which has to stay "
			"where it is; take a prefix without it",
			c->routers[router_of_block(c, block)].name,
			ip_prefix_format(&c->blocks[block].prefix, text),
			ip_addr_format(address, of), kind, name);
}

/* A virtual MAC over IPv4 needs arp_ignore=1 on the interface, a block needs arp_ignore=0. */
static void
check_marked(struct reader *r, const struct conf_router *router)
{
	const struct config *c = r->out;

	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *other = &c->routers[i];

		if (!other->virtual_mac || strcmp(other->interface, router->interface) != 0 ||
			!has_anchor(c, other))
			continue;
		reader_error(r, r->block_at[router->first_block],
			"virtual_routers \"%s\": blocks on %s exclude virtual_mac of \"%s\" on the same "
			"interface: with the one Linux cannot answer ARP for the other; remove one of "
			"them", router->name, router->interface, other->name);
		return;
	}
}

static void
check_block(struct reader *r, uint32_t block)
{
	const struct config *c = r->out;
	const struct conf_router *router = &c->routers[router_of_block(c, block)];
	const struct ip_prefix *prefix = &c->blocks[block].prefix;
	char text[ADDR_TEXT];

	if (router->interface[0] != '\0' && !has_anchor(c, router))
		reader_error(r, r->block_at[block],
			"virtual_routers \"%s\": block %s needs an IPv4 address in addresses on %s, "
			"whose lease carries it", router->name, ip_prefix_format(prefix, text),
			router->interface);
	if (block == router->first_block)
		check_marked(r, router);
	for (uint32_t n = 0; n < c->node_count; n++) {
		check_holds(r, block, &c->nodes[n].address, "node", c->nodes[n].name);
		for (uint32_t i = 0; i < c->link_count; i++)
			check_holds(r, block, &c->links[i].address[n], "link", c->links[i].name);
	}
}

void
check_blocks(struct reader *r)
{
	const struct config *c = r->out;
	uint32_t outer = 0;

	r->block_order = conf_alloc(c->block_count, sizeof(*r->block_order));
	for (uint32_t i = 0; i < c->block_count; i++)
		r->block_order[i] = i;
	qsort_r(r->block_order, c->block_count, sizeof(*r->block_order), by_start, r->out);
	for (uint32_t i = 0; i < c->block_count; i++) {
		check_block(r, i);
		if (i == 0)
			continue;
		check_overlap(r, r->block_order[outer], r->block_order[i]);
		if (!ip_prefix_contains(&c->blocks[r->block_order[outer]].prefix,
			&c->blocks[r->block_order[i]].prefix.addr))
			outer = i;
	}
}

void
check_outside_blocks(struct reader *r, const struct ip_addr *address, uint32_t own,
	const config_setting_t *at, const char *what)
{
	const struct config *c = r->out;
	char text[ADDR_TEXT], of[ADDR_TEXT];
	uint32_t router;
	uint32_t block = block_of(r, address, &router);

	if (block != CONF_NO_INDEX && router != own)
		reader_error(r, at, "%s: %s is in block %s of virtual router \"%s\"", what,
			ip_addr_format(address, text),
			ip_prefix_format(&c->blocks[block].prefix, of), c->routers[router].name);
}
