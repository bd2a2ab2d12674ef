/* track: what a virtual router needs besides its own interfaces, and what its loss does. */
#include "conf/reader.h"

#include <string.h>

static void
read_interfaces(const struct scope *s, struct conf_router *row)
{
	config_setting_t *list = scope_member(s, "interfaces");

	for (uint32_t i = 0; i < scope_length(s, "interfaces"); i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		const char *name = config_setting_get_string(element);

		if (setting_is_wrong(element))
			continue;
		add_interface(s, element, name, row->tracked, &row->tracked_count);
		add_interface(s, element, name, row->interfaces, &row->interface_count);
	}
}

/* The row is good until the next one is added. */
static struct conf_track *
add_track(struct reader *r, config_setting_t *at, struct conf_router *row,
	enum conf_track_kind kind)
{
	struct config *c = r->out;
	struct conf_track *track;

	c->tracks = conf_grow(c->tracks, c->track_count, &r->track_capacity, sizeof(*c->tracks));
	r->track_at = conf_grow(r->track_at, c->track_count, &r->track_at_capacity,
		sizeof(config_setting_t *));
	r->track_at[c->track_count] = at;
	track = &c->tracks[c->track_count++];
	memset(track, 0, sizeof(*track));
	track->kind = (uint8_t)kind;
	row->track_count++;
	return track;
}

static void
read_loss(const struct scope *s, struct conf_track *track)
{
	config_setting_t *weight = scope_member(s, "weight");

	if (!weight)
		return;
	track->weight = (int16_t)scope_int(s, "weight");
	if (track->weight == 0)
		scope_error(s, weight, "weight is 0, which changes nothing; without weight the loss "
			"makes the node unfit");
	if (scope_member(s, "fail"))
		scope_error(s, weight, "fail and weight exclude each other; remove one of them");
}

static void
read_asking(const struct scope *s, struct conf_track *track)
{
	track->interval_ms = scope_int(s, "interval_ms");
	track->timeout_ms = scope_int(s, "timeout_ms");
	track->rise = (uint8_t)scope_int(s, "rise");
	track->fall = (uint8_t)scope_int(s, "fall");
	read_times(s, &track->interval_ms, &track->timeout_ms);
	read_loss(s, track);
}

static void
read_gateway(const struct scope *track, config_setting_t *element, int index,
	struct conf_router *row)
{
	struct conf_track *t = add_track(track->reader, element, row, CONF_TRACK_GATEWAY);
	bool is_group = config_setting_is_group(element);
	const char *address;
	char text[ADDR_TEXT];
	struct scope s;

	/* a text is the address, and all else as it is in a group that does not say it */
	scope_open(&s, track->reader, track, &keys_gateway, is_group ? element : NULL, index);
	address = is_group ? scope_text(&s, "address") : config_setting_get_string(element);
	if (address && ip_addr_parse(address, &t->gateway))
		copy_text(t->name, sizeof(t->name), ip_addr_format(&t->gateway, text));
	read_asking(&s, t);
}

static void
read_tracked(const struct scope *track, config_setting_t *element, int index,
	struct conf_router *row)
{
	struct conf_track *t = add_track(track->reader, element, row, CONF_TRACK_PROBE);
	struct scope s;

	scope_open(&s, track->reader, track, &keys_tracked_probe, element, index);
	scope_copy(&s, "name", t->name, sizeof(t->name));
	read_tracked_probe(&s, t);
	read_loss(&s, t);
}

static void
read_script(const struct scope *track, config_setting_t *element, int index,
	struct conf_router *row)
{
	struct conf_track *t = add_track(track->reader, element, row, CONF_TRACK_SCRIPT);
	struct scope s;

	scope_open(&s, track->reader, track, &keys_script, element, index);
	scope_copy(&s, "name", t->name, sizeof(t->name));
	scope_copy(&s, "command", t->script, sizeof(t->script));
	read_asking(&s, t);
}

static void
read_list(const struct scope *s, const char *key, struct conf_router *row,
	void (*read_one)(const struct scope *, config_setting_t *, int, struct conf_router *))
{
	config_setting_t *list = scope_member(s, key);

	for (uint32_t i = 0; i < scope_length(s, key); i++) {
		config_setting_t *element = config_setting_get_elem(list, i);

		if (!setting_is_wrong(element))
			read_one(s, element, (int)i + 1, row);
	}
}

void
read_track(const struct scope *router, struct conf_router *row)
{
	struct scope s;

	scope_open_member(&s, router, "track");
	read_interfaces(&s, row);
	row->first_track = router->reader->out->track_count;
	read_list(&s, "gateways", row, read_gateway);
	read_list(&s, "probes", row, read_tracked);
	read_list(&s, "scripts", row, read_script);
}
