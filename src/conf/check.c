/*
 * Relations between rows: names and addresses that are there twice, references to nothing, values
 * that do not go together. The error stands at the later of the two rows and names the earlier.
 *
 * A field that was wrong by itself is empty by now (a name "", an address without family) and is
 * left out here: one mistake, one message.
 */
#include "conf/reader.h"

#include <string.h>

const config_setting_t *
place(config_setting_t *row, const char *key)
{
	config_setting_t *member =
		config_setting_is_group(row) ? config_setting_get_member(row, key) : NULL;

	return member ? member : row;
}

static void
check_nodes(struct reader *r)
{
	const struct conf_node *a = &r->out->nodes[0];
	const struct conf_node *b = &r->out->nodes[1];

	if (r->out->node_count < 2)
		return;
	if (a->name[0] != '\0' && strcmp(a->name, b->name) == 0)
		reader_error(r, place(r->node_at[1], "name"),
			"nodes \"%s\": this name is there twice", b->name);
	if (a->address.family != IP_NONE && b->address.family != IP_NONE &&
		a->address.family != b->address.family)
		reader_error(r, place(r->node_at[1], "address"),
			"nodes \"%s\": its address and that of node \"%s\" are of different families",
			b->name, a->name);
	if (a->address.family != IP_NONE && ip_addr_equal(&a->address, &b->address))
		reader_error(r, place(r->node_at[1], "address"),
			"nodes \"%s\": its address is that of node \"%s\" as well", b->name,
			a->name);
}

static void
check_router_names(struct reader *r, struct seen *names)
{
	const struct config *c = r->out;

	for (uint32_t i = 0; i < c->router_count; i++)
		if (c->routers[i].name[0] != '\0' &&
			seen_add(names, c->routers[i].name, i) != UINT32_MAX)
			reader_error(r, place(r->router_at[i], "name"),
				"virtual_routers \"%s\": this name is there twice",
				c->routers[i].name);
}

static void
check_vrids(struct reader *r)
{
	const struct config *c = r->out;
	struct seen vrids;

	seen_open(&vrids, LIMIT_IFNAME + 1);
	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *row = &c->routers[i];
		char key[LIMIT_IFNAME + 1];
		uint32_t before;

		memcpy(key, row->interface, LIMIT_IFNAME);
		key[LIMIT_IFNAME] = (char)row->vrid;
		if (row->vrid == 0 || row->interface[0] == '\0')
			continue;
		before = seen_add(&vrids, key, i);
		if (before != UINT32_MAX)
			reader_error(r, place(r->router_at[i], "vrid"),
				"virtual_routers \"%s\": vrid %u on %s is that of \"%s\" as well",
				row->name, row->vrid, row->interface, c->routers[before].name);
	}
	seen_close(&vrids);
}

/* On a link plain advertisements of all interfaces meet, and nothing but the VRID tells them apart. */
static void
check_vrids_on_links(struct reader *r)
{
	const struct config *c = r->out;
	uint32_t first[256];

	if (c->link_count == 0 || c->key_file[0] != '\0')
		return;
	memset(first, 0xff, sizeof(first));
	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *row = &c->routers[i];

		if (first[row->vrid] == UINT32_MAX)
			first[row->vrid] = i;
		else if (row->vrid != 0 &&
			strcmp(c->routers[first[row->vrid]].interface, row->interface) != 0)
			reader_error(r, place(r->router_at[i], "vrid"),
				"virtual_routers \"%s\": vrid %u is that of \"%s\" as well; links without "
				"key_file need a vrid of its own for each", row->name, row->vrid,
				c->routers[first[row->vrid]].name);
	}
}

/* Every interface and every link is a path, and a keyed node tells how it hears each. */
static void
check_paths(struct reader *r)
{
	const struct config *c = r->out;
	struct seen interfaces;
	const config_setting_t *beyond = NULL;
	uint32_t count = c->link_count;

	if (c->key_file[0] == '\0')
		return;
	seen_open(&interfaces, LIMIT_IFNAME);
	for (uint32_t i = 0; i < c->router_count; i++)
		if (seen_add(&interfaces, c->routers[i].interface, i) == UINT32_MAX &&
			++count == LIMIT_PATHS + 1)
			beyond = r->router_at[i];
	seen_close(&interfaces);
	if (count > LIMIT_PATHS)
		reader_error(r, beyond, "the virtual routers' interfaces and the links are %u paths; %d is "
			"the limit with key_file", count, LIMIT_PATHS);
}

/* Routers of one group move together, so neither node may be preferred for one of them only. */
static void
check_groups(struct reader *r)
{
	const struct config *c = r->out;
	struct seen groups;

	seen_open(&groups, LIMIT_NAME);
	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *row = &c->routers[i];
		uint32_t before = row->group[0] != '\0'
			? seen_add(&groups, row->group, i) : UINT32_MAX;
		const struct conf_router *first = &c->routers[before == UINT32_MAX ? i : before];

		for (uint32_t n = 0; n < c->node_count; n++)
			if (row->priority[n] != first->priority[n])
				reader_error(r, place(r->router_at[i], "group"),
					"virtual_routers \"%s\": node \"%s\" has priority %u here and %u "
					"in \"%s\" of the same group \"%s\"; they must be equal",
					row->name, c->nodes[n].name, row->priority[n],
					first->priority[n], first->name, row->group);
		if (row->preempt != first->preempt || row->preempt_delay_ms != first->preempt_delay_ms)
			reader_error(r, place(r->router_at[i], "group"),
				"virtual_routers \"%s\": preempt or preempt_delay_ms differs from that "
				"of \"%s\" in the same group \"%s\"; they must be equal", row->name,
				first->name, row->group);
	}
	seen_close(&groups);
}

uint32_t
router_of_address(const struct config *c, uint32_t address)
{
	uint32_t low = 0;
	uint32_t high = c->router_count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (c->routers[middle].first_address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first router on that interface, or NULL. */
static const struct conf_router *
router_on(const struct config *c, const char *interface)
{
	for (uint32_t i = 0; i < c->router_count; i++)
		if (interface[0] != '\0' && strcmp(c->routers[i].interface, interface) == 0)
			return &c->routers[i];
	return NULL;
}

/*
 * A node's address may be its address on a link as well, but only on an interface without a
 * virtual router: there it would be the service path again and no further one.
 */
static void
check_link_address(struct reader *r, const struct conf_link *link, const config_setting_t *at,
	uint32_t node)
{
	const struct config *c = r->out;
	const struct conf_router *there = router_on(c, link->interface);
	char text[ADDR_TEXT];

	for (uint32_t n = 0; n < c->node_count; n++) {
		if (!ip_addr_equal(&link->address[node], &c->nodes[n].address))
			continue;
		if (n != node)
			reader_error(r, at, "links \"%s\": %s = %s is the address of node \"%s\"",
				link->name, c->nodes[node].name,
				ip_addr_format(&link->address[node], text), c->nodes[n].name);
		else if (there)
			reader_error(r, at, "links \"%s\": with %s on %s it is the path of virtual "
				"router \"%s\" itself; take another interface or other addresses",
				link->name, ip_addr_format(&link->address[node], text),
				link->interface, there->name);
	}
}

static void
check_link(struct reader *r, uint32_t row, const struct seen *addresses)
{
	const struct config *c = r->out;
	const struct conf_link *link = &c->links[row];
	char text[ADDR_TEXT];

	if (router_on(c, link->name))
		reader_error(r, place(r->link_at[row], "name"), "links \"%s\": a virtual router has an "
			"interface of this name; paths are told apart by their names", link->name);
	for (uint32_t n = 0; n < c->node_count; n++) {
		const config_setting_t *at = place(r->link_at[row], c->nodes[n].name);
		uint32_t virtual = seen_find(addresses, &link->address[n]);

		if (link->address[n].family == IP_NONE)
			continue;
		check_link_address(r, link, at, n);
		if (virtual != UINT32_MAX)
			reader_error(r, at, "links \"%s\": %s = %s is a virtual address of \"%s\"",
				link->name, c->nodes[n].name,
				ip_addr_format(&link->address[n], text),
				c->routers[router_of_address(c, virtual)].name);
	}
}

/*
 * The owner of RFC 9568, whose own address is the virtual one, is none here: the node that has taken the
 * address over drops what comes from it (a martian to Linux), and so never hears the owner come back.
 */
static void
check_nodes_own(struct reader *r, const struct conf_router *router, uint32_t row)
{
	const struct config *c = r->out;
	char text[ADDR_TEXT];

	for (uint32_t n = 0; n < c->node_count; n++)
		if (ip_addr_equal(&c->nodes[n].address, &c->addresses[row].prefix.addr))
			reader_error(r, place(r->address_at[row], "address"),
				"virtual_routers \"%s\": %s is the own address of node \"%s\", "
				"which its heartbeats come from; take another one", router->name,
				ip_addr_format(&c->nodes[n].address, text), c->nodes[n].name);
}

static void
check_addresses(struct reader *r, struct seen *addresses)
{
	const struct config *c = r->out;
	char text[ADDR_TEXT], what[LIMIT_NAME + 32];

	for (uint32_t i = 0; i < c->address_count; i++) {
		uint32_t own = router_of_address(c, i);
		const struct conf_router *router = &c->routers[own];
		const struct ip_addr *address = &c->addresses[i].prefix.addr;
		uint32_t before;

		if (address->family == IP_NONE)
			continue;
		before = seen_add(addresses, address, i);
		if (before != UINT32_MAX)
			reader_error(r, place(r->address_at[i], "address"),
				"virtual_routers \"%s\": address %s is that of \"%s\" as well",
				router->name, ip_addr_format(address, text),
				c->routers[router_of_address(c, before)].name);
		check_nodes_own(r, router, i);
		snprintf(what, sizeof(what), "virtual_routers \"%s\"", router->name);
		check_outside_blocks(r, address, own, place(r->address_at[i], "address"), what);
	}
}

/* The bytes that make two tracked things of one kind in a router the same. */
struct track_key {
	char name[LIMIT_NAME];
	uint8_t router[4];
	uint8_t kind;
};

static void
check_gateway(struct reader *r, const struct conf_router *router, uint32_t row,
	const struct seen *addresses)
{
	const struct config *c = r->out;
	const struct conf_track *t = &c->tracks[row];
	const config_setting_t *at = place(r->track_at[row], "address");
	uint32_t virtual = seen_find(addresses, &t->gateway);
	char what[LIMIT_NAME + 48];

	snprintf(what, sizeof(what), "virtual_routers \"%s\": gateway", router->name);
	check_outside_blocks(r, &t->gateway, CONF_NO_INDEX, at, what);
	if (t->gateway.family == IP_V4 && t->gateway.bytes[0] == 127)
		reader_error(r, at, "virtual_routers \"%s\": gateway %s is a loopback address; "
			"name one outside the pair, or track a local service by probes",
			router->name, t->name);
	if (virtual != UINT32_MAX)
		reader_error(r, at, "virtual_routers \"%s\": gateway %s is an address of "
			"\"%s\"; name one outside the pair", router->name, t->name,
			c->routers[router_of_address(c, virtual)].name);
	for (uint32_t n = 0; n < c->node_count; n++)
		if (ip_addr_equal(&c->nodes[n].address, &t->gateway))
			reader_error(r, at, "virtual_routers \"%s\": gateway %s is node \"%s\"; "
				"name one outside the pair", router->name, t->name,
				c->nodes[n].name);
}

static void
check_track(struct reader *r, uint32_t router, struct seen *names, const struct seen *addresses)
{
	const struct config *c = r->out;
	const struct conf_router *row = &c->routers[router];

	for (uint32_t i = row->first_track; i < row->first_track + row->track_count; i++) {
		const struct conf_track *t = &c->tracks[i];
		bool is_gateway = t->kind == CONF_TRACK_GATEWAY;
		struct track_key key = {.kind = t->kind, .router = {(uint8_t)(router >> 8),
			(uint8_t)router}};

		if (t->name[0] == '\0')
			continue;
		memcpy(key.name, t->name, sizeof(key.name));
		if (seen_add(names, &key, i) != UINT32_MAX)
			reader_error(r, place(r->track_at[i], is_gateway ? "address" : "name"),
				"virtual_routers \"%s\": %s \"%s\" is tracked twice", row->name,
				conf_track_kind_name((enum conf_track_kind)t->kind), t->name);
		if (is_gateway)
			check_gateway(r, row, i, addresses);
	}
}

static void
check_tracks(struct reader *r, const struct seen *addresses)
{
	struct seen names;

	seen_open(&names, sizeof(struct track_key));
	for (uint32_t i = 0; i < r->out->router_count; i++)
		check_track(r, i, &names, addresses);
	seen_close(&names);
}

/* The family that a router's advertisements have: IPv4 if it has any such address. */
static enum ip_family
advert_family(const struct config *c, const struct conf_router *row)
{
	for (uint32_t i = 0; i < row->address_count; i++)
		if (c->addresses[row->first_address + i].prefix.addr.family == IP_V4)
			return IP_V4;
	return row->address_count > 0
		? (enum ip_family)c->addresses[row->first_address].prefix.addr.family : IP_NONE;
}

static void
check_families(struct reader *r)
{
	const struct config *c = r->out;

	for (uint32_t i = 0; i < c->router_count; i++) {
		const struct conf_router *row = &c->routers[i];
		enum ip_family family = advert_family(c, row);

		if (family == IP_V6 && c->version == 2)
			reader_error(r, r->router_at[i], "virtual_routers \"%s\": version 2 of VRRP "
				"has no IPv6; use version 3", row->name);
		if (family != IP_NONE && row->unicast && c->node_count == LIMIT_NODES &&
			c->nodes[0].address.family != IP_NONE &&
			c->nodes[0].address.family != family)
			reader_error(r, place(r->router_at[i], "unicast"),
				"virtual_routers \"%s\": unicast needs nodes with IPv%d addresses",
				row->name, family);
	}
}

void
check_relations(struct reader *r)
{
	struct seen router_names, addresses;

	seen_open(&router_names, LIMIT_NAME);
	seen_open(&addresses, sizeof(struct ip_addr));
	check_nodes(r);
	check_router_names(r, &router_names);
	check_vrids(r);
	check_vrids_on_links(r);
	check_paths(r);
	check_groups(r);
	check_blocks(r);
	check_addresses(r, &addresses);
	check_families(r);
	for (uint32_t i = 0; i < r->out->link_count; i++)
		check_link(r, i, &addresses);
	check_tracks(r, &addresses);
	check_pools(r, &router_names, &addresses);
	seen_close(&router_names);
	seen_close(&addresses);
}
