/* Groups of settings. See reader.h. */
#include "conf/reader.h"

#include <stdarg.h>
#include <string.h>

/* libconfig gives every setting a pointer of ours; one that is set marks the setting as wrong. */
bool
setting_is_wrong(const config_setting_t *setting)
{
	return config_setting_get_hook(setting) != NULL;
}

void
setting_mark_wrong(config_setting_t *setting)
{
	config_setting_set_hook(setting, setting);
}

static uint32_t
line_of(const config_setting_t *at)
{
	return at ? (uint32_t)config_setting_source_line(at) : 0;
}

/* `virtual_servers "http": real_servers #3: ` from the outside in; returns the bytes used. */
static size_t
describe(const struct scope *s, char *to, size_t size)
{
	size_t n;

	if (!s || !s->up)
		return 0;
	n = describe(s->up, to, size);
	if (s->name)
		n += (size_t)snprintf(to + n, size - n, "%s \"%.63s\": ", s->keys->name, s->name);
	else if (s->index)
		n += (size_t)snprintf(to + n, size - n, "%s #%d: ", s->keys->name, s->index);
	else
		n += (size_t)snprintf(to + n, size - n, "%s: ", s->keys->name);
	return n;
}

void
scope_error(const struct scope *s, const config_setting_t *at, const char *format, ...)
{
	char where[512] = ""; /* three names at most */
	char what[320];
	va_list ap;

	describe(s, where, sizeof(where));
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	errors_add(s->reader->errors, line_of(at), "%s%s", where, what);
}

void
reader_error(struct reader *r, const config_setting_t *at, const char *format, ...)
{
	char what[sizeof(((struct conf_error *)0)->message)];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	errors_add(r->errors, line_of(at), "%s", what);
}

static void
report_unknown(const struct scope *s, const config_setting_t *member)
{
	const char *name = config_setting_name(member);
	const struct key *near = key_nearest(s->keys, name);

	if (near)
		scope_error(s, member, "unknown key \"%.63s\" (did you mean \"%s\"?)", name,
			near->name);
	else
		scope_error(s, member, "unknown key \"%.63s\"", name);
}

static void
check_member(const struct scope *s, config_setting_t *member)
{
	const char *name = config_setting_name(member);
	const struct key *key = key_find(s->keys, name);
	const struct key by_node = {.name = name, .kind = KEY_ADDRESS};
	bool sound = false;

	if (!key && s->keys->by_node && config_find_node(s->reader->out, name) != CONF_NO_INDEX)
		key = &by_node;
	if (!key)
		report_unknown(s, member);
	else if (key->kind == KEY_LATER)
		scope_error(s, member, "%s is not available in this version of tandem; remove it",
			key->name);
	else
		sound = value_check(s, key, member);
	if (!sound)
		setting_mark_wrong(member);
}

void
scope_open(struct scope *s, struct reader *r, const struct scope *up,
	const struct key_group *keys, config_setting_t *setting, int index)
{
	config_setting_t *name;

	*s = (struct scope){
		.reader = r, .up = up, .keys = keys, .setting = setting, .index = index};
	if (!setting)
		return;
	name = index ? config_setting_get_member(setting, "name") : NULL;
	if (name && config_setting_type(name) == CONFIG_TYPE_STRING)
		s->name = config_setting_get_string(name);
	for (int i = 0; i < config_setting_length(setting); i++)
		check_member(s, config_setting_get_elem(setting, (unsigned)i));
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].required &&
			!config_setting_get_member(setting, keys->keys[i].name))
			scope_error(s, setting, "%s is missing", keys->keys[i].name);
}

void
scope_open_member(struct scope *s, const struct scope *up, const char *key)
{
	const struct key *row = key_find(up->keys, key);

	scope_open(s, up->reader, up, row->group, scope_member(up, key), 0);
}

config_setting_t *
scope_member(const struct scope *s, const char *key)
{
	config_setting_t *member =
		s->setting ? config_setting_get_member(s->setting, key) : NULL;

	return member && !setting_is_wrong(member) ? member : NULL;
}

uint32_t
scope_length(const struct scope *s, const char *key)
{
	config_setting_t *member = scope_member(s, key);

	return member ? (uint32_t)config_setting_length(member) : 0;
}

uint32_t
scope_int(const struct scope *s, const char *key)
{
	config_setting_t *member = scope_member(s, key);

	if (!member)
		return (uint32_t)key_find(s->keys, key)->number;
	if (config_setting_type(member) == CONFIG_TYPE_INT64)
		return (uint32_t)config_setting_get_int64(member);
	return (uint32_t)config_setting_get_int(member);
}

bool
scope_bool(const struct scope *s, const char *key)
{
	config_setting_t *member = scope_member(s, key);

	return member ? config_setting_get_bool(member) : key_find(s->keys, key)->number;
}

const char *
scope_text(const struct scope *s, const char *key)
{
	config_setting_t *member = scope_member(s, key);

	return member ? config_setting_get_string(member) : key_find(s->keys, key)->text;
}

int
scope_word(const struct scope *s, const char *key)
{
	const char *text = scope_text(s, key);

	return text ? word_index(key_find(s->keys, key)->words, text) : -1;
}

void
copy_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1); /* was checked to fit */

	memcpy(to, from, n);
	memset(to + n, 0, size - n);
}

void
scope_copy(const struct scope *s, const char *key, char *to, size_t size)
{
	const char *text = scope_text(s, key);

	if (text)
		copy_text(to, size, text);
}
