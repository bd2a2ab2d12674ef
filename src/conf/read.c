/*
 * The file as a whole: text, libconfig, the small groups, then routers and pool. See read.h for
 * what is promised, text.h for what happens before libconfig, reader.h for how a group is read.
 */
#include "conf/reader.h"
#include "conf/text.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* A walk through libconfig's tree in the order of the text. */
struct tree_walk {
	const struct text *text;
	size_t at;
};

/*
 * Puts the line where a setting begins in place of the one that libconfig noted, which is that of
 * the token it had looked ahead to.
 */
static void
correct_lines(struct tree_walk *w, config_setting_t *setting)
{
	if (w->at < w->text->setting_count)
		setting->line = w->text->settings[w->at++];
	if (!config_setting_is_aggregate(setting))
		return;
	for (int i = 0; i < config_setting_length(setting); i++)
		correct_lines(w, config_setting_get_elem(setting, (unsigned)i));
}

static size_t
count_settings(config_setting_t *setting)
{
	size_t count = 1;

	if (config_setting_is_aggregate(setting))
		for (int i = 0; i < config_setting_length(setting); i++)
			count += count_settings(config_setting_get_elem(setting, (unsigned)i));
	return count;
}

static bool
parse(config_t *tree, const struct text *text, struct errors *errors)
{
	struct tree_walk walk = {.text = text};
	config_setting_t *root;

	if (!config_read_string(tree, text->bytes)) {
		const char *why = config_error_text(tree);

		errors_add(errors, (uint32_t)config_error_line(tree), "%s%s", why,
			strcmp(why, "syntax error") == 0 ? " here or just before" : "");
		return false;
	}
	root = config_root_setting(tree);
	root->line = 1;
	if (count_settings(root) - 1 == text->setting_count)
		for (int i = 0; i < config_setting_length(root); i++)
			correct_lines(&walk, config_setting_get_elem(root, (unsigned)i));
	return true;
}

static void
read_nodes(struct reader *r, const struct scope *file)
{
	config_setting_t *list = scope_member(file, "nodes");
	uint32_t length = scope_length(file, "nodes");
	struct config *c = r->out;

	c->nodes = conf_alloc(LIMIT_NODES, sizeof(*c->nodes));
	r->node_at = conf_alloc(LIMIT_NODES, sizeof(config_setting_t *));
	if (list && (length == 0 || length > LIMIT_NODES))
		scope_error(file, list, "nodes has %u entries; tandem runs on one or two boxes",
			length);
	for (uint32_t i = 0; i < length; i++) {
		config_setting_t *element = config_setting_get_elem(list, i);
		struct conf_node *node = &c->nodes[c->node_count];
		struct scope s;

		if (setting_is_wrong(element))
			continue;
		scope_open(&s, r, file, &keys_node, element, (int)i + 1);
		if (i >= LIMIT_NODES)
			continue;
		scope_copy(&s, "name", node->name, sizeof(node->name));
		if (scope_text(&s, "address"))
			ip_addr_parse(scope_text(&s, "address"), &node->address);
		r->node_at[c->node_count++] = element;
	}
}

static void
read_log(struct reader *r, const struct scope *file)
{
	struct config *c = r->out;
	enum log_level level = LOG_LEVEL_INFO;
	struct scope s;

	scope_open_member(&s, file, "log");
	scope_copy(&s, "facility", c->facility_name, sizeof(c->facility_name));
	log_facility_parse(c->facility_name, &c->facility);
	log_level_parse(scope_text(&s, "level"), &level);
	c->log_level = (uint8_t)level;
}

static void
read_tree(struct reader *r, config_t *tree)
{
	struct scope file;
	struct scope control, probing;

	scope_open(&file, r, NULL, &keys_file, config_root_setting(tree), 0);
	scope_copy(&file, "cluster", r->out->cluster, sizeof(r->out->cluster));
	read_nodes(r, &file);
	read_heartbeat(r, &file);
	read_routers(r, &file);
	read_pool(r, &file);
	read_sync(r, &file);
	scope_open_member(&control, &file, "control");
	scope_copy(&control, "group", r->out->control_group, sizeof(r->out->control_group));
	scope_open_member(&probing, &file, "probing");
	r->out->probers = (uint32_t)scope_int(&probing, "probers");
	read_log(r, &file);
	check_relations(r);
	resolve_sync(r->out);
}

static void
read_text(const struct text *text, bool without_keys, struct config *out, struct errors *errors)
{
	struct reader r = {.errors = errors, .out = out, .without_keys = without_keys};
	config_t tree;

	seen_open(&r.probes, sizeof(struct conf_probe));
	seen_open(&r.hosts, sizeof(struct conf_host));
	config_init(&tree);
	if (parse(&tree, text, errors))
		read_tree(&r, &tree);
	config_destroy(&tree);
	seen_close(&r.probes);
	seen_close(&r.hosts);
	free(r.node_at);
	free(r.router_at);
	free(r.address_at);
	free(r.virtual_at);
	free(r.real_at);
	free(r.link_at);
	free(r.track_at);
	free(r.block_at);
	free(r.block_order);
}

static bool
read_path(const char *path, bool without_keys, struct config *out, struct conf_errors *errors)
{
	struct errors found = {0};
	struct text text;

	memset(out, 0, sizeof(*out));
	if (text_load(&text, path, &found))
		read_text(&text, without_keys, out, &found);
	if (found.count != 0)
		config_free(out);
	errors_finish(&found, &text, errors);
	text_free(&text);
	return errors->count == 0;
}

bool
config_read_path(const char *path, struct config *out, struct conf_errors *errors)
{
	return read_path(path, false, out, errors);
}

bool
config_read_without_keys(const char *path, struct config *out, struct conf_errors *errors)
{
	return read_path(path, true, out, errors);
}
