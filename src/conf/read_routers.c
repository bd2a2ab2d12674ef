/* virtual_routers: their rows, their addresses, the interfaces they depend on. */
#include "conf/reader.h"

#include <string.h>

enum { PRIORITY_PLAIN = 100, PRIORITY_PREFERRED = 150, PRIORITY_OWNER = 255 };
enum { FENCE_INTERVALS = 3, FENCE_INTERVALS_LEAST = 2 };

static void
read_one_priority(const struct scope *s, config_setting_t *at, struct conf_router *row)
{
	static const struct key key = {
		.name = "priority", .kind = KEY_INT, .low = 1, .high = 255,
		.number = PRIORITY_PLAIN};
	const char *name = config_setting_name(at);
	uint32_t node = config_find_node(s->reader->out, name);

	if (node == CONF_NO_INDEX)
		scope_error(s, at, "priority names \"%.63s\", which is none of the nodes", name);
	else if (value_check(s, &key, at))
		row->priority[node] = (uint8_t)(config_setting_type(at) == CONFIG_TYPE_INT64
			? config_setting_get_int64(at) : config_setting_get_int(at));
}

static void
read_priorities(const struct scope *s, struct conf_router *row)
{
	config_setting_t *prefer = scope_member(s, "prefer");
	config_setting_t *priority = scope_member(s, "priority");
	const struct config *c = s->reader->out;

	for (uint32_t i = 0; i < c->node_count; i++)
		row->priority[i] = PRIORITY_PLAIN;
	if (prefer) {
		uint32_t node = config_find_node(c, config_setting_get_string(prefer));

		if (node == CONF_NO_INDEX)
			scope_error(s, prefer, "prefer names \"%.63s\", which is none of the nodes",
				config_setting_get_string(prefer));
		else
			row->priority[node] = PRIORITY_PREFERRED;
	}
	if (prefer && priority)
		scope_error(s, priority, "prefer and priority say the same; remove one of them");
	for (int i = 0; priority && i < config_setting_length(priority); i++)
		read_one_priority(s, config_setting_get_elem(priority, (unsigned)i), row);
	if (c->node_count == LIMIT_NODES && row->priority[0] == PRIORITY_OWNER &&
		row->priority[1] == PRIORITY_OWNER)
		scope_error(s, priority, "priority 255 is for the one node that owns the address; "
			"both have it");
}

void
add_interface(const struct scope *s, const config_setting_t *at, const char *name,
	char list[LIMIT_ROUTER_INTERFACES][LIMIT_IFNAME], uint32_t *count)
{
	if (name[0] == '\0')
		return;
	for (uint32_t i = 0; i < *count; i++)
		if (strcmp(list[i], name) == 0)
			return;
	if (*count == LIMIT_ROUTER_INTERFACES) {
		scope_error(s, at, "interface %s is one too many; a virtual router may depend "
			"on %d", name, LIMIT_ROUTER_INTERFACES);
		return;
	}
	copy_text(list[(*count)++], LIMIT_IFNAME, name);
}

static void
add_address(const struct scope *s, config_setting_t *at, const char *text, const char *interface,
	struct conf_router *row)
{
	struct reader *r = s->reader;
	struct conf_address *address = &r->out->addresses[r->out->address_count];

	if (text)
		ip_prefix_parse(text, &address->prefix);
	copy_text(address->interface, sizeof(address->interface), interface);
	r->address_at[r->out->address_count++] = at;
	row->address_count++;
	add_interface(s, at, interface, row->interfaces, &row->interface_count);
}

/*
 * RFC 9568 5.2.9: over IPv6 the first address advertised is the virtual router's link-local one. A
 * router without gets the one of its virtual MAC (fe80::200:5eff:fe00:2XX, RFC 9568 7.4).
 */
static void
add_link_local(const struct scope *s, config_setting_t *at, struct conf_router *row)
{
	const struct conf_address *list = &s->reader->out->addresses[row->first_address];
	struct ip_addr a = {.family = IP_V6,
		.bytes = {0xfe, 0x80, [8] = 2, 0, 0x5e, 0xff, 0xfe, 0, 2, row->vrid}};
	char text[ADDR_TEXT];

	for (uint32_t i = 0; i < row->address_count; i++)
		if (list[i].prefix.addr.family != IP_V6 ||
			ip_addr_is_link_local(&list[i].prefix.addr))
			return;
	if (row->address_count == 0 || row->interface[0] == '\0')
		return;
	ip_addr_format(&a, text);
	strcat(text, "/64");
	add_address(s, at, text, row->interface, row);
}

static void
read_addresses(const struct scope *s, struct conf_router *row)
{
	config_setting_t *list = scope_member(s, "addresses");
	uint32_t length = scope_length(s, "addresses");

	row->first_address = s->reader->out->address_count;
	if (list && length == 0)
		scope_error(s, list, "addresses is empty; a virtual router needs one at least");
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct scope group;
		const char *interface;

		if (setting_is_wrong(element))
			continue;
		if (!config_setting_is_group(element)) {
			add_address(s, element, config_setting_get_string(element), row->interface,
				row);
			continue;
		}
		scope_open(&group, s->reader, s, &keys_address, element, (int)i + 1);
		interface = scope_text(&group, "interface");
		add_address(s, element, scope_text(&group, "address"),
			interface ? interface : row->interface, row);
	}
	if (list)
		add_link_local(s, list, row);
}

static void
read_blocks(const struct scope *s, struct conf_router *row)
{
	config_setting_t *list = scope_member(s, "blocks");
	struct reader *r = s->reader;
	struct config *c = r->out;

	row->first_block = c->block_count;
	for (uint32_t i = 0; i < scope_length(s, "blocks"); i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct conf_block *block;

		if (setting_is_wrong(element))
			continue;
		c->blocks = conf_grow(c->blocks, c->block_count, &r->block_capacity, sizeof(*block));
		r->block_at = conf_grow(r->block_at, c->block_count, &r->block_at_capacity,
			sizeof(config_setting_t *));
		r->block_at[c->block_count] = element;
		block = &c->blocks[c->block_count++];
		memset(block, 0, sizeof(*block));
		ip_prefix_parse(config_setting_get_string(element), &block->prefix);
		memcpy(block->interface, row->interface, sizeof(block->interface));
		row->block_count++;
	}
}

/* It is renewed with every advertisement, and what an owner's heartbeats come from may not be fenced. */
static void
read_fence(const struct scope *s, struct conf_router *row)
{
	const config_setting_t *time = scope_member(s, "fence_ms");
	const config_setting_t *at = time ? time : scope_member(s, "fence");
	uint32_t interval_ms = s->reader->out->interval_ms;

	row->fence = (uint8_t)scope_word(s, "fence");
	if (row->fence != CONF_FENCE_EGRESS) {
		if (time)
			scope_error(s, time, "fence_ms is of fence = \"egress\"; without that, "
				"lease_s counts");
		return;
	}
	row->fence_ms = time ? scope_int(s, "fence_ms") : FENCE_INTERVALS * interval_ms;
	if (row->fence_ms < FENCE_INTERVALS_LEAST * interval_ms)
		scope_error(s, at, "fence_ms is %u; it must be two of the %u ms intervals at least, "
			"because every advertisement renews the fence", row->fence_ms, interval_ms);
	if (row->fence_ms > row->lease_s * 1000)
		scope_error(s, at, "fence_ms is %u, which is longer than lease_s = %u; the lease "
			"would end first", row->fence_ms, row->lease_s);
}

static void
read_router(const struct scope *s, struct conf_router *row)
{
	struct reader *r = s->reader;

	scope_copy(s, "name", row->name, sizeof(row->name));
	scope_copy(s, "interface", row->interface, sizeof(row->interface));
	row->vrid = (uint8_t)scope_int(s, "vrid");
	read_priorities(s, row);
	row->preempt = scope_bool(s, "preempt");
	row->preempt_delay_ms = scope_int(s, "preempt_delay_ms");
	row->standby = (uint8_t)scope_word(s, "standby");
	row->lease_s = scope_int(s, "lease_s");
	read_fence(s, row);
	row->unicast = scope_bool(s, "unicast");
	if (row->unicast && r->out->node_count < 2)
		scope_error(s, scope_member(s, "unicast"),
			"unicast needs the other box in nodes, to know where to send");
	add_interface(s, s->setting, row->interface, row->interfaces, &row->interface_count);
	read_addresses(s, row);
	read_blocks(s, row);
	row->virtual_mac = scope_bool(s, "virtual_mac");
	scope_copy(s, "group", row->group, sizeof(row->group));
	s->reader->name_family = row->address_count > 0
		? s->reader->out->addresses[row->first_address].prefix.addr.family : IP_NONE;
	read_track(s, row);
	scope_copy(s, "on_active", row->hook[CONF_HOOK_ACTIVE], LIMIT_PATH);
	scope_copy(s, "on_backup", row->hook[CONF_HOOK_BACKUP], LIMIT_PATH);
	scope_copy(s, "on_fault", row->hook[CONF_HOOK_FAULT], LIMIT_PATH);
}

/* Room for the addresses of all routers together. */
static void
reserve(struct reader *r, config_setting_t *list, uint32_t routers)
{
	size_t addresses = 0;

	for (uint32_t i = 0; i < routers; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		config_setting_t *inner = config_setting_is_group(element)
			? config_setting_get_member(element, "addresses") : NULL;

		if (inner && config_setting_is_aggregate(inner))
			addresses += (size_t)config_setting_length(inner);
	}
	addresses += routers; /* a link-local one each */
	r->out->routers = conf_alloc(routers, sizeof(*r->out->routers));
	r->router_at = conf_alloc(routers, sizeof(config_setting_t *));
	r->out->addresses = conf_alloc(addresses, sizeof(*r->out->addresses));
	r->address_at = conf_alloc(addresses, sizeof(config_setting_t *));
}

void
read_routers(struct reader *r, const struct scope *file)
{
	config_setting_t *list = scope_member(file, "virtual_routers");
	uint32_t length = scope_length(file, "virtual_routers");
	struct config *c = r->out;

	if (list && length == 0)
		scope_error(file, list, "virtual_routers is empty; there would be nothing to do");
	if (length > LIMIT_ROUTERS)
		scope_error(file, list, "virtual_routers has %u entries; %d is the limit", length,
			LIMIT_ROUTERS);
	reserve(r, list, length);
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct scope s;

		if (setting_is_wrong(element))
			continue;
		scope_open(&s, r, file, &keys_router, element, (int)i + 1);
		read_router(&s, &c->routers[c->router_count]);
		r->router_at[c->router_count++] = element;
	}
	if (c->track_count > LIMIT_TRACKS)
		scope_error(file, list, "there are %u tracked gateways, probes and scripts; %d is the "
			"limit", c->track_count, LIMIT_TRACKS);
	if (c->block_count > LIMIT_BLOCKS)
		scope_error(file, list, "there are %u blocks; %d is the limit", c->block_count,
			LIMIT_BLOCKS);
	if (c->address_count > LIMIT_ADDRESSES)
		scope_error(file, list, "there are %u addresses; %d is the limit", c->address_count,
			LIMIT_ADDRESSES);
}
