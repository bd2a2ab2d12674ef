/*
 * What is virtual: every address and block of the configuration, in order, so that to find out
 * about an address is a search and not a walk over thousands of them.
 */
#include "proc/election_process.h"

#include "linux/wire.h"

#include <stdlib.h>
#include <string.h>

/* Smaller blocks are announced by few frames: what others say of them is not to be missed. */
enum { QUIET_LENGTH = 24 };

static int
by_address(const void *a, const void *b)
{
	return ip_addr_compare(a, b);
}

/* Blocks do not overlap (conf/check_blocks.c): where they begin says all. */
static int
by_start(const void *a, const void *b)
{
	const struct ip_prefix *x = a, *y = b;

	return ip_addr_compare(&x->addr, &y->addr);
}

static void
quiet_wire(struct elector *x)
{
	struct ip_prefix *large = calloc(x->our_block_count + 1, sizeof(*large));
	size_t count = 0;

	for (size_t i = 0; large && i < x->our_block_count; i++)
		if (x->our_blocks[i].length < QUIET_LENGTH)
			large[count++] = x->our_blocks[i];
	if (large)
		wire_quiet(&x->wire, large, count);
	free(large);
}

bool
ours_set_up(struct elector *x)
{
	const struct config *c = &x->config;
	struct ip_addr *addresses = calloc(c->address_count + 1u, sizeof(*addresses));
	struct ip_prefix *blocks = calloc(c->block_count + 1u, sizeof(*blocks));

	if (!addresses || !blocks) {
		free(addresses);
		free(blocks);
		return false;
	}
	for (uint32_t i = 0; i < c->address_count; i++)
		addresses[i] = c->addresses[i].prefix.addr;
	for (uint32_t i = 0; i < c->block_count; i++)
		blocks[i] = c->blocks[i].prefix;
	qsort(addresses, c->address_count, sizeof(*addresses), by_address);
	qsort(blocks, c->block_count, sizeof(*blocks), by_start);
	ours_free(x);
	x->our_addresses = addresses;
	x->our_address_count = c->address_count;
	x->our_blocks = blocks;
	x->our_block_count = c->block_count;
	quiet_wire(x);
	return true;
}

bool
ours_has_address(const struct elector *x, const struct ip_addr *address)
{
	return x->our_address_count > 0 && bsearch(address, x->our_addresses,
		x->our_address_count, sizeof(*address), by_address) != NULL;
}

bool
ours_has(const struct elector *x, const struct ip_addr *address)
{
	size_t low = 0, high = x->our_block_count;

	if (ours_has_address(x, address))
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ip_addr_compare(&x->our_blocks[middle].addr, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && ip_prefix_contains(&x->our_blocks[low - 1], address);
}

void
ours_free(struct elector *x)
{
	free(x->our_addresses);
	free(x->our_blocks);
	x->our_addresses = NULL;
	x->our_blocks = NULL;
	x->our_address_count = x->our_block_count = 0;
}
