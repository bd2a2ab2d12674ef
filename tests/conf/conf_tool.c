/*
 * The reader and the printer for the golden files: what `tandemd -t` does, without a daemon, and
 * what only tests want.
 *
 *   conf_tool check FILE      the errors, exit 1; nothing and exit 0 when there is none
 *   conf_tool dump FILE       the effective configuration
 *   conf_tool roundtrip FILE  printed and read back, packed and unpacked: the same tables?
 *   conf_tool keys            every key the reader knows and what the man page has to say of it
 *   conf_tool dumped FILE...  do these dumps have every key?
 *   conf_tool example GROUP TEXT   would the text do inside such a group?
 */
#include "dump_keys.h"

#include "conf/keys.h"
#include "conf/pack.h"
#include "conf/print.h"
#include "conf/reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
load(const char *path, struct config *c)
{
	struct conf_errors errors;

	if (config_read_without_keys(path, c, &errors))
		return true;
	conf_errors_print(&errors, stdout);
	conf_errors_free(&errors);
	return false;
}

static int
check(const char *path)
{
	struct config c;
	bool good = load(path, &c);

	config_free(&c);
	return good ? 0 : 1;
}

static int
dump(const char *path)
{
	struct config c;

	if (!load(path, &c))
		return 1;
	config_print(&c, stdout);
	config_free(&c);
	return 0;
}

static bool
reads_back(const struct config *c)
{
	char path[] = "/tmp/tandem-conf-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd == -1 ? NULL : fdopen(fd, "w");
	struct config again;
	bool same;

	if (!f)
		return false;
	config_print(c, f);
	same = fclose(f) == 0 && load(path, &again);
	unlink(path);
	if (!same)
		return false;
	same = config_equal(c, &again);
	config_free(&again);
	return same;
}

static bool
unpacks(const struct config *c)
{
	int fd = config_pack(c);
	struct config again;
	bool same;

	if (fd == -1 || !config_unpack(fd, &again))
		return false;
	close(fd);
	same = config_equal(c, &again);
	config_free(&again);
	return same;
}

static int
roundtrip(const char *path)
{
	struct config c;
	bool same;

	if (!load(path, &c))
		return 1;
	same = reads_back(&c);
	if (!same)
		printf("%s: printed, it does not read back to the same\n", path);
	if (!unpacks(&c)) {
		printf("%s: packed, it does not unpack to the same\n", path);
		same = false;
	}
	config_free(&c);
	return same ? 0 : 1;
}

static const struct key_group *const groups[] = {&keys_file, &keys_node, &keys_heartbeat,
	&keys_link, &keys_router, &keys_address, &keys_track, &keys_gateway, &keys_tracked_probe,
	&keys_script, &keys_virtual, &keys_real, &keys_probe, &keys_expect, &keys_json,
	&keys_agent, &keys_control, &keys_log, &keys_probing, &keys_tunnel, &keys_sync};

enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

static const char *
group_name(const struct key_group *group)
{
	return *group->name ? group->name : "The file";
}

/* How the man page calls what the key takes. */
static const char *
kind_phrase(enum key_kind kind)
{
	switch (kind) {
	case KEY_INT: return "Whole number";
	case KEY_BOOL: return "Boolean";
	case KEY_WORD: return "Word";
	case KEY_WORDS: return "List of words";
	case KEY_NAME: return "Name";
	case KEY_NODE: return "Name of a node";
	case KEY_USER_GROUP: return "System group";
	case KEY_USER: return "User";
	case KEY_ARGUMENTS: return "List of texts, or a text";
	case KEY_ASSIGNMENTS: return "List of NAME=VALUE texts";
	case KEY_INTERFACE: return "Interface";
	case KEY_INTERFACES: return "List of interfaces";
	case KEY_ADDRESS: return "Address";
	case KEY_PREFIX: return "Address/length";
	case KEY_LISTEN: return "Address:port, each perhaps a range, or a list of such";
	case KEY_SERVER:
	case KEY_TARGET: return "Address:port, or an address alone, or a name instead of the address";
	case KEY_PLACE: return "Address, or a name";
	case KEY_MULTICAST: return "Address of a multicast group";
	case KEY_NETWORKS: return "List of network/length texts";
	case KEY_MASK: return "Netmask";
	case KEY_PROGRAM: return "Program";
	case KEY_FILE: return "File";
	case KEY_URL_PATH: return "URL path";
	case KEY_HOST: return "Host name or address";
	case KEY_HOST_NAME: return "Host name";
	case KEY_STATUS: return "Status list";
	case KEY_HEADERS: return "List of header fields";
	case KEY_HEADER: return "Header field";
	case KEY_REGEX: return "Regular expression";
	case KEY_POINTER: return "JSON pointer (RFC 6901)";
	case KEY_TEXT: return "Printable text";
	case KEY_DOMAIN: return "Name of the DNS";
	case KEY_BYTES: return "Bytes";
	case KEY_ADDRESSES: return "List of address/length texts, or groups";
	case KEY_GATEWAYS: return "List of addresses, or groups";
	case KEY_PRIORITIES: return "Group of whole numbers by node";
	case KEY_GROUP: return "Group";
	case KEY_GROUPS: return "List of groups";
	case KEY_LATER: return "later";
	}
	return "";
}

/* group, key, then the phrases, with tabs between them. */
static void
print_key(const struct key_group *group, const struct key *k)
{
	printf("%s\t%s\t%s", group_name(group), k->name, kind_phrase(k->kind));
	if (k->required)
		printf("\trequired");
	if (k->kind == KEY_INT && k->low != k->high)
		printf("\t%d to %d", k->low, k->high);
	if (k->kind == KEY_INT && k->step > 1)
		printf("\ta multiple of %u", k->step);
	if (k->kind == KEY_INT && !k->required && k->number >= k->low)
		printf("\tdefault %d", k->number);
	else if (k->kind == KEY_BOOL)
		printf("\tdefault %s", k->number ? "true" : "false");
	else if (k->text && *k->text)
		printf("\tdefault \"%s\"", k->text);
	else if (!k->required && k->kind != KEY_GROUP)
		printf("\tdefault");
	if (k->unit)
		printf("\t%s", k->unit);
	for (int i = 0; k->words && k->words[i]; i++)
		printf("\t%s", k->words[i]);
	putchar('\n');
}

static int
keys(void)
{
	for (size_t i = 0; i < GROUPS; i++)
		for (size_t j = 0; j < groups[i]->count; j++)
			print_key(groups[i], &groups[i]->keys[j]);
	return 0;
}

/* Every member by itself; that others are missing does not count. */
static bool
members_are_sound(config_setting_t *root, const struct key_group *group)
{
	struct errors found = {0};
	struct reader r = {.errors = &found};
	struct scope s;
	bool sound = config_setting_length(root) > 0;

	scope_open(&s, &r, NULL, group, root, 0);
	for (size_t i = 0; i < found.count; i++)
		if (!strstr(found.rows[i].message, " is missing")) {
			puts(found.rows[i].message);
			sound = false;
		}
	free(found.rows);
	return sound;
}

static int
example(const char *name, const char *text)
{
	const struct key_group *group = NULL;
	config_t tree;
	bool sound = false;

	for (size_t i = 0; i < GROUPS; i++)
		if (strcmp(group_name(groups[i]), name) == 0)
			group = groups[i];
	config_init(&tree);
	if (!group || !config_read_string(&tree, text))
		printf("not an example of %s: %s\n", name, text);
	else
		sound = members_are_sound(config_root_setting(&tree), group);
	config_destroy(&tree);
	return sound ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "keys") == 0)
		return keys();
	if (argc == 3 && strcmp(argv[1], "check") == 0)
		return check(argv[2]);
	if (argc == 3 && strcmp(argv[1], "dump") == 0)
		return dump(argv[2]);
	if (argc == 3 && strcmp(argv[1], "roundtrip") == 0)
		return roundtrip(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "dumped") == 0)
		return dumps_have_all_keys(argv + 2, groups, GROUPS) ? 0 : 1;
	if (argc == 4 && strcmp(argv[1], "example") == 0)
		return example(argv[2], argv[3]);
	fprintf(stderr, "usage: conf_tool check|dump|roundtrip FILE | keys | "
		"dumped FILE... | example GROUP TEXT\n");
	return 2;
}
