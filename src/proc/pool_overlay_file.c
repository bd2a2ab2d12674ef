/*
 * The file of overrides: a JSON list, so that an operator can read it. Moments are there by the clock of
 * the boot (since_ns, until_ns; boot) and by that of the wall (since_s, until_s), with how long it
 * was to the end (left_s): core/lasting.h has which counts. Files of old have the wall clock's only.
 */
#include "proc/pool_overlay.h"

#include "conf/host.h"

#include <jansson.h>
#include <string.h>

enum { DRAIN_MAX_S = 366 * 24 * 3600 }; /* more than the configuration takes */

static bool
take_name(const json_t *value, char out[LIMIT_NAME])
{
	const char *text = json_string_value(value);

	if (!text || text[0] == '\0' || strlen(text) >= LIMIT_NAME)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static int64_t
number_of(const json_t *row, const char *key, int64_t absent)
{
	const json_t *value = json_object_get(row, key);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : absent;
}

static enum pool_admin
admin_of(const char *name)
{
	for (int i = POOL_ENABLED; name && i <= POOL_DISABLED; i++)
		if (strcmp(overlay_admin_name((enum pool_admin)i), name) == 0)
			return (enum pool_admin)i;
	return POOL_ENABLED;
}

/* When it began and ends, and whether that was written in this boot. */
static void
take_moments(struct overlay *o, const json_t *row, struct override *r, const struct lasting_clock *c)
{
	struct lasting since = {.boot_ns = number_of(row, "since_ns", 0),
		.wall_s = number_of(row, "since_s", 0)};
	struct lasting until = {.boot_ns = number_of(row, "until_ns", 0),
		.wall_s = number_of(row, "until_s", 0), .left_s = number_of(row, "left_s", -1)};
	const char *boot = json_string_value(json_object_get(row, "boot"));

	if (boot && strlen(boot) < BOOT_ID) {
		memcpy(since.boot, boot, strlen(boot) + 1);
		memcpy(until.boot, boot, strlen(boot) + 1);
	}
	if (until.left_s < 0 && since.wall_s > 0 && until.wall_s > since.wall_s)
		until.left_s = until.wall_s - since.wall_s; /* asked for no later than ... */
	r->since = lasting_begin(&since, c);
	r->until = until.wall_s != 0 ? lasting_end(&until, c) : MONO_NEVER;
	o->stale |= !lasting_is_of_this_boot(since.boot, c);
}

static bool
take_added(const json_t *row, struct override *o)
{
	const char *address = json_string_value(json_object_get(row, "address"));
	int64_t weight = number_of(row, "added_weight", 1);

	if (!address)
		return true;
	memset(&o->address, 0, sizeof(o->address));
	if ((!endpoint_parse(address, &o->address) && !ip_addr_parse(address, &o->address.addr) &&
			    !host_parse(address, o->host, &o->address.port)) ||
		weight < 0 || weight > UINT16_MAX)
		return false;
	o->added = true;
	o->added_weight = (uint32_t)weight;
	return true;
}

static bool
take_row(struct overlay *o, const json_t *row, const struct lasting_clock *c)
{
	char virtual[LIMIT_NAME], real[LIMIT_NAME];
	int64_t weight = number_of(row, "weight", -1);
	struct override *r;

	if (!take_name(json_object_get(row, "virtual"), virtual) ||
		!take_name(json_object_get(row, "server"), real) || weight < -1 ||
		weight > UINT16_MAX)
		return false;
	r = overlay_get(o, virtual, real);
	if (!r)
		return false;
	r->weight = (int32_t)weight;
	r->admin = admin_of(json_string_value(json_object_get(row, "state")));
	if (r->admin != POOL_ENABLED)
		take_moments(o, row, r, c);
	r->drain_s = number_of(row, "drain_s", 0);
	if (r->drain_s < 0 || r->drain_s > DRAIN_MAX_S)
		r->drain_s = DRAIN_MAX_S;
	r->removed = json_is_true(json_object_get(row, "removed"));
	return take_added(row, r);
}

bool
overlay_parse(struct overlay *o, const char *text, size_t length, const struct lasting_clock *c)
{
	json_t *list = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	bool sound = json_is_array(list);
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		sound = take_row(o, row, c) && sound;
	json_decref(list);
	overlay_tidy(o);
	o->stored = *c;
	return sound;
}

static void
put_number(json_t *o, const char *key, int64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

static void
put_state(json_t *o, const struct override *r, const struct lasting_clock *c)
{
	json_object_set_new(o, "state", json_string(overlay_admin_name(r->admin)));
	json_object_set_new(o, "boot", json_string(c->boot));
	put_number(o, "since_ns", r->since.ns);
	put_number(o, "since_s", lasting_wall_s(r->since, c));
	put_number(o, "drain_s", r->drain_s);
	if (mono_is_never(r->until))
		return;
	put_number(o, "until_ns", r->until.ns);
	put_number(o, "until_s", lasting_wall_s(r->until, c));
	put_number(o, "left_s", lasting_left_s(r->until, c->now));
}

static json_t *
row_json(const struct override *r, const struct lasting_clock *c)
{
	char text[ENDPOINT_TEXT], named[HOST_TEXT];
	json_t *o = json_pack("{s:s, s:s}", "virtual", r->virtual, "server", r->real);

	if (r->admin != POOL_ENABLED)
		put_state(o, r, c);
	if (r->weight >= 0)
		json_object_set_new(o, "weight", json_integer(r->weight));
	if (r->removed)
		json_object_set_new(o, "removed", json_true());
	if (r->added) {
		const char *address = r->host[0] != '\0'
			? host_format(r->host, r->address.port, named)
			: r->address.port != 0 ? endpoint_format(&r->address, text)
			: ip_addr_format(&r->address.addr, text);

		json_object_set_new(o, "address", json_string(address));
		json_object_set_new(o, "added_weight", json_integer(r->added_weight));
	}
	return o;
}

void
overlay_print(const struct overlay *o, FILE *f, const struct lasting_clock *c)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < o->count; i++)
		json_array_append_new(list, row_json(&o->rows[i], c));
	json_dumpf(list, f, JSON_INDENT(1));
	fputc('\n', f);
	json_decref(list);
}
