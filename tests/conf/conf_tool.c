/*
 * The reader and the printer for the golden files: what `tandemd -t` does, without a daemon, and
 * what only tests want.
 *
 *   conf_tool check FILE      the errors, exit 1; nothing and exit 0 when there is none
 *   conf_tool dump FILE       the effective configuration
 *   conf_tool roundtrip FILE  printed and read back, packed and unpacked: the same tables?
 *   conf_tool keys            every key the reader knows, as the man page has to have it
 */
#include "conf/keys.h"
#include "conf/pack.h"
#include "conf/print.h"
#include "conf/read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
load(const char *path, struct config *c)
{
	struct conf_errors errors;

	if (config_read_path(path, c, &errors))
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

static void
print_words(const char *label, const char *const *words)
{
	for (int i = 0; words && words[i]; i++)
		printf("%s%s", i ? "," : label, words[i]);
}

static void
print_keys(const struct key_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct key *k = &group->keys[i];

		printf("%s.%s", *group->name ? group->name : "file", k->name);
		if (k->kind == KEY_LATER)
			printf(" later");
		if (k->required)
			printf(" required");
		if (k->kind == KEY_INT)
			printf(" range=%d..%d", k->low, k->high);
		if (k->kind == KEY_INT && k->number >= k->low && !k->required)
			printf(" default=%d", k->number);
		if (k->kind == KEY_BOOL)
			printf(" default=%s", k->number ? "true" : "false");
		if (k->unit)
			printf(" unit=%s", k->unit);
		if (k->text && *k->text)
			printf(" default=%s", k->text);
		print_words(" words=", k->words);
		putchar('\n');
	}
}

static int
keys(void)
{
	static const struct key_group *const all[] = {&keys_file, &keys_node, &keys_heartbeat,
		&keys_router, &keys_address, &keys_track, &keys_virtual, &keys_real, &keys_probe,
		&keys_expect, &keys_control, &keys_log};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		print_keys(all[i]);
	return 0;
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
	fprintf(stderr, "usage: conf_tool check|dump|roundtrip FILE, conf_tool keys\n");
	return 2;
}
