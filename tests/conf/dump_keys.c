/*
 * Does a dump have every key? `tandemd -t --dump` is to print the whole effective configuration, so
 * each key of the key table stands in each group that may have it, but for the rows of excuses[].
 * A key that is new in the table has none.
 */
#include "dump_keys.h"

#include "conf/reader.h"

#include <stdio.h>
#include <string.h>

enum { MOST_KEYS = 512 };

/* Where a key may be absent. */
struct excuse {
	const struct key_group *group;
	const char *key;
	const char *with; /* it is there when this key is, and may not be when this one is not ... */
	const char *word; /* ... or is not this word */
};

static const struct excuse excuses[] = {
	/* without a default: nothing is what is not there */
	{&keys_heartbeat, "key_file", NULL, NULL},
	{&keys_router, "group", NULL, NULL},
	{&keys_router, "on_active", NULL, NULL},
	{&keys_router, "on_backup", NULL, NULL},
	{&keys_router, "on_fault", NULL, NULL},
	{&keys_virtual, "listen", NULL, NULL},
	{&keys_virtual, "fwmark", NULL, NULL},
	{&keys_virtual, "persistence_engine", NULL, NULL},
	{&keys_virtual, "sorry_server", NULL, NULL},
	{&keys_virtual, "probe", NULL, NULL},
	{&keys_virtual, "agent", NULL, NULL},
	{&keys_json, "pointer", "value", NULL},
	{&keys_json, "value", "pointer", NULL},
	{&keys_sync, "interface", NULL, NULL}, /* without a hot router there is none */
	/* the real server's own, whichever that is */
	{&keys_probe, "port", NULL, NULL},
	{&keys_probe, "address", NULL, NULL},
	{&keys_agent, "address", NULL, NULL},
	/* as a whole the virtual server's, where it is printed */
	{&keys_real, "probe", NULL, NULL},
	{&keys_real, "agent", NULL, NULL},
	/* what has a meaning with something else only */
	{&keys_heartbeat, "authentication", "key_file", NULL},
	{&keys_router, "fence_ms", "fence", "egress"},
	{&keys_tunnel, "port", "type", "gue"},
	{&keys_probe, "ca_file", "verify", "true"},
	{&keys_tracked_probe, "resolve_s", NULL, NULL}, /* of names */
	/* one says what the other would */
	{&keys_router, "prefer", NULL, NULL},
	{&keys_gateway, "weight", NULL, NULL},
	{&keys_gateway, "fail", NULL, NULL},
	{&keys_script, "weight", NULL, NULL},
	{&keys_script, "fail", NULL, NULL},
	{&keys_tracked_probe, "weight", NULL, NULL},
	{&keys_tracked_probe, "fail", NULL, NULL},
};

/* Of a group of probes, which no member of it has. */
static const char *const of_the_whole[] = {"flap_falls", "flap_window_s", "flap_hold_s",
	"flap_hold_max_s"};

struct walk {
	const char *path;
	const struct key *seen[MOST_KEYS]; /* in any dump */
	size_t seen_count;
	bool complete;
};

static bool
says(const config_setting_t *group, const char *key, const char *word)
{
	const config_setting_t *member = config_setting_get_member(group, key);

	if (!member || !word)
		return member != NULL;
	if (config_setting_type(member) == CONFIG_TYPE_BOOL)
		return strcmp(word, config_setting_get_bool(member) ? "true" : "false") == 0;
	return strcmp(word, config_setting_get_string(member)) == 0;
}

/* A probe has the keys that its type has a use for. */
static bool
type_has(const config_setting_t *probe, const struct key_group *here, const char *key)
{
	int type = word_index(words_probe_type,
		config_setting_get_string(config_setting_get_member(probe, "type")));

	for (size_t i = 0; i < sizeof(of_the_whole) / sizeof(of_the_whole[0]); i++)
		if (here == &keys_member && strcmp(key, of_the_whole[i]) == 0)
			return false;
	return conf_probe_has((uint8_t)(CONF_PROBE_ICMP + type), key);
}

static bool
may_be_absent(const config_setting_t *at, const struct key_group *group,
	const struct key_group *here, const struct key *key)
{
	const config_setting_t *probe = group == &keys_expect ? config_setting_parent(at) : at;

	if (key->kind == KEY_LATER || (group == &keys_json && config_setting_length(at) == 0))
		return true;
	if ((group == &keys_probe || group == &keys_expect) && !type_has(probe, here, key->name))
		return true;
	for (size_t i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++)
		if (excuses[i].group == group && strcmp(excuses[i].key, key->name) == 0 &&
			(!excuses[i].with || !says(at, excuses[i].with, excuses[i].word)))
			return true;
	return false;
}

static void
note_seen(struct walk *w, const struct key *key)
{
	for (size_t i = 0; i < w->seen_count; i++)
		if (w->seen[i] == key)
			return;
	if (w->seen_count < MOST_KEYS)
		w->seen[w->seen_count++] = key;
}

static void look_at_group(struct walk *w, const config_setting_t *at,
	const struct key_group *here);

static void
look_at_key(struct walk *w, const config_setting_t *at, const struct key_group *group,
	const struct key_group *here, const struct key *key)
{
	const config_setting_t *member = config_setting_get_member(at, key->name);

	if (!member && !may_be_absent(at, group, here, key)) {
		printf("%s:%d: the dump has no %s in %s\n", w->path, config_setting_source_line(at),
			key->name, *here->name ? here->name : "the file");
		w->complete = false;
	}
	if (!member)
		return;
	note_seen(w, key);
	if (key->group && config_setting_is_group(member))
		look_at_group(w, member, key->group);
	else if (key->group)
		for (int i = 0; i < config_setting_length(member); i++)
			look_at_group(w, config_setting_get_elem(member, (unsigned)i), key->group);
}

static void
look_at_group(struct walk *w, const config_setting_t *at, const struct key_group *here)
{
	if (!config_setting_is_group(at)) {
		printf("%s:%d: a short form of %s\n", w->path, config_setting_source_line(at),
			here->name);
		w->complete = false;
		return;
	}
	for (const struct key_group *g = here; g; g = g->more)
		for (size_t i = 0; i < g->count; i++)
			if (g == here || key_find(here, g->keys[i].name) == &g->keys[i])
				look_at_key(w, at, g, here, &g->keys[i]);
}

/* Every key of the table but prefer, which is printed as priority, in one of the dumps at least. */
static void
all_were_seen(struct walk *w, const struct key_group *const *groups, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < groups[i]->count; j++) {
			const struct key *key = &groups[i]->keys[j];
			bool found = key->kind == KEY_LATER || strcmp(key->name, "prefer") == 0;

			for (size_t k = 0; k < w->seen_count && !found; k++)
				found = w->seen[k] == key;
			if (!found) {
				printf("no dump has %s in %s\n", key->name, groups[i]->name);
				w->complete = false;
			}
		}
}

bool
dumps_have_all_keys(char **paths, const struct key_group *const *groups, size_t count)
{
	struct walk w = {.complete = true};

	for (; *paths; paths++) {
		config_t tree;

		config_init(&tree);
		w.path = *paths;
		if (config_read_file(&tree, *paths)) {
			look_at_group(&w, config_root_setting(&tree), &keys_file);
		} else {
			printf("%s:%d: %s\n", *paths, config_error_line(&tree),
				config_error_text(&tree));
			w.complete = false;
		}
		config_destroy(&tree);
	}
	all_were_seen(&w, groups, count);
	return w.complete;
}
