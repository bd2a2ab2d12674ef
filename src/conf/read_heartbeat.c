/* heartbeat: how the nodes talk, with which keys, over which links. */
#include "conf/reader.h"

#include <stdlib.h>
#include <string.h>

enum { V2_STEP_MS = 1000, V3_MOST_MS = 40950 };

static void
read_link(struct reader *r, const struct scope *heartbeat, config_setting_t *element, int index)
{
	struct config *c = r->out;
	struct conf_link *link = &c->links[c->link_count];
	struct scope s;

	scope_open(&s, r, heartbeat, &keys_link, element, index);
	scope_copy(&s, "name", link->name, sizeof(link->name));
	scope_copy(&s, "interface", link->interface, sizeof(link->interface));
	for (uint32_t n = 0; n < c->node_count; n++) {
		config_setting_t *member =
			c->nodes[n].name[0] != '\0' ? scope_member(&s, c->nodes[n].name) : NULL;

		if (member)
			ip_addr_parse(config_setting_get_string(member), &link->address[n]);
		else if (c->nodes[n].name[0] != '\0' &&
			!config_setting_get_member(element, c->nodes[n].name))
			scope_error(&s, element, "%s is missing: the address of that node on this "
				"link", c->nodes[n].name);
	}
	r->link_at[c->link_count++] = element;
}

static bool
same_link_address(const struct conf_link *a, const struct conf_link *b)
{
	for (unsigned i = 0; i < LIMIT_NODES; i++)
		for (unsigned k = 0; k < LIMIT_NODES; k++)
			if (a->address[i].family != IP_NONE &&
				ip_addr_equal(&a->address[i], &b->address[k]))
				return true;
	return false;
}

static void
check_link(struct reader *r, uint32_t row)
{
	const struct config *c = r->out;
	const struct conf_link *link = &c->links[row];
	const struct ip_addr *a = &link->address[0], *b = &link->address[1];

	if (a->family != IP_NONE && b->family != IP_NONE &&
		(a->family != b->family || ip_addr_equal(a, b)))
		reader_error(r, r->link_at[row], "links \"%s\": the nodes need two different "
			"addresses of one family", link->name);
	for (uint32_t i = 0; i < row; i++) {
		if (link->name[0] != '\0' && strcmp(link->name, c->links[i].name) == 0)
			reader_error(r, r->link_at[row], "links \"%s\": this name is there twice",
				link->name);
		if (same_link_address(link, &c->links[i]))
			reader_error(r, r->link_at[row], "links \"%s\": an address is that of "
				"link \"%s\" as well", link->name, c->links[i].name);
	}
}

static void
read_links(struct reader *r, const struct scope *heartbeat)
{
	config_setting_t *list = scope_member(heartbeat, "links");
	uint32_t length = scope_length(heartbeat, "links");
	struct config *c = r->out;

	if (length > LIMIT_LINKS) {
		scope_error(heartbeat, list, "links has %u entries; %d is the limit", length,
			LIMIT_LINKS);
		length = 0;
	}
	if (length > 0 && c->node_count < LIMIT_NODES)
		scope_error(heartbeat, list, "links need the other box in nodes, to know where to "
			"send");
	c->links = conf_alloc(length, sizeof(*c->links));
	r->link_at = conf_alloc(length, sizeof(config_setting_t *));
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);

		if (!setting_is_wrong(element))
			read_link(r, heartbeat, element, (int)i + 1);
	}
	for (uint32_t i = 0; i < c->link_count; i++)
		check_link(r, i);
}

static void
read_authentication(struct reader *r, const struct scope *s)
{
	config_setting_t *file = scope_member(s, "key_file");
	struct config *c = r->out;

	c->keys = conf_alloc(LIMIT_KEYS, sizeof(*c->keys));
	scope_copy(s, "key_file", c->key_file, sizeof(c->key_file));
	c->authentication = (uint8_t)scope_word(s, "authentication");
	if (!file && scope_member(s, "authentication"))
		scope_error(s, scope_member(s, "authentication"),
			"authentication needs key_file as well");
	if (!file)
		return;
	if (c->version == 2)
		scope_error(s, file, "key_file needs version 3");
	if (c->node_count < LIMIT_NODES)
		scope_error(s, file, "key_file needs the other box in nodes");
	if (!r->without_keys)
		read_key_file(r, file);
}

static void
read_interval(struct reader *r, const struct scope *s)
{
	struct config *c = r->out;
	config_setting_t *member =
		s->setting ? config_setting_get_member(s->setting, "interval_ms") : NULL;
	const config_setting_t *at = member ? member : scope_member(s, "version");

	c->interval_ms = scope_int(s, "interval_ms");
	if (member && setting_is_wrong(member))
		return;
	if (c->version == 2 && c->interval_ms % V2_STEP_MS != 0)
		scope_error(s, at, "interval_ms is %u; version 2 counts whole seconds, 1000 to 255000 "
			"milliseconds", c->interval_ms);
	if (c->version == 3 && c->interval_ms > V3_MOST_MS)
		scope_error(s, at, "interval_ms is %u; it must be 10 to %d with version 3",
			c->interval_ms, V3_MOST_MS);
}

void
read_heartbeat(struct reader *r, const struct scope *file)
{
	struct config *c = r->out;
	struct scope s;

	scope_open_member(&s, file, "heartbeat");
	c->version = (uint8_t)scope_int(&s, "version");
	read_interval(r, &s);
	c->checksum = (uint8_t)scope_word(&s, "checksum");
	read_authentication(r, &s);
	read_links(r, &s);
}
