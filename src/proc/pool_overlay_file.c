/* The file of overrides: a JSON list, so that an operator can read it. */
#include "proc/pool_overlay.h"

#include "conf/host.h"

#include <jansson.h>
#include <string.h>

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
take_row(struct overlay *o, const json_t *row)
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
	r->since_s = number_of(row, "since_s", 0);
	r->until_s = number_of(row, "until_s", 0);
	r->drain_s = number_of(row, "drain_s", 0);
	r->removed = json_is_true(json_object_get(row, "removed"));
	return take_added(row, r);
}

bool
overlay_parse(struct overlay *o, const char *text, size_t length)
{
	json_t *list = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	bool sound = json_is_array(list);
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		sound = take_row(o, row) && sound;
	json_decref(list);
	overlay_tidy(o);
	return sound;
}

static json_t *
row_json(const struct override *r)
{
	char text[ENDPOINT_TEXT], named[HOST_TEXT];
	json_t *o = json_pack("{s:s, s:s}", "virtual", r->virtual, "server", r->real);

	if (r->admin != POOL_ENABLED) {
		json_object_set_new(o, "state", json_string(overlay_admin_name(r->admin)));
		json_object_set_new(o, "since_s", json_integer(r->since_s));
		json_object_set_new(o, "drain_s", json_integer(r->drain_s));
	}
	if (r->until_s != 0)
		json_object_set_new(o, "until_s", json_integer(r->until_s));
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
overlay_print(const struct overlay *o, FILE *f)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < o->count; i++)
		json_array_append_new(list, row_json(&o->rows[i]));
	json_dumpf(list, f, JSON_INDENT(1));
	fputc('\n', f);
	json_decref(list);
}
