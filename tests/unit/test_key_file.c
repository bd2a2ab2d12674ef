/* The heartbeat's key file, digest, links: what the golden files cannot show. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf/pack.h"
#include "conf/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char folder[] = "/tmp/tandem-key-XXXXXX";
static char key_path[64], conf_path[64];

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
make_files(void **state)
{
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	f = fopen(conf_path, "w");
	fprintf(f, "nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; },\n"
		"{ name = \"lb2\"; address = \"10.0.0.2\"; } );\n"
		"heartbeat = { key_file = \"%s\";\n"
		"links = ( { name = \"x\"; interface = \"eth1\";\n"
		"lb2 = \"10.1.0.2\"; lb1 = \"10.1.0.1\"; } ); };\n"
		"virtual_routers = ( { name = \"a\"; vrid = 1; interface = \"eth0\";\n"
		"addresses = [ \"10.0.0.100/24\" ]; } );\n", key_path);
	return fclose(f);
}

static int
remove_files(void **state)
{
	(void)state;
	unlink(key_path);
	unlink(conf_path);
	return rmdir(folder);
}

/* With what the key file that is there is refused, line by line; "" when it is not. */
static const char *
verdict(void)
{
	static char all[4096];
	struct conf_errors errors;
	struct config c;
	FILE *f = fmemopen(all, sizeof(all), "w");

	assert_non_null(f);
	if (config_read_path(conf_path, &c, &errors))
		config_free(&c);
	conf_errors_print(&errors, f);
	fputc('\0', f);
	assert_int_equal(fclose(f), 0);
	conf_errors_free(&errors);
	return all;
}

static const char *
refusal(const char *text, mode_t mode)
{
	put(key_path, text, mode);
	return verdict();
}

/* Is it refused at that line of the key file (0: at the configuration's) and nowhere else? */
static bool
only_at(const char *refused, unsigned line, const char *what)
{
	char where[128];

	snprintf(where, sizeof(where), "%s:%u: ", line ? key_path : conf_path, line ? line : 3);
	return strncmp(refused, where, strlen(where)) == 0 && strstr(refused, what) &&
		strchr(refused, '\n') == refused + strlen(refused) - 1;
}

static void
test_keys_are_read(void **state)
{
	struct conf_errors errors;
	struct config c, copy, unpacked;
	int fd;

	(void)state;
	put(key_path, "# first\n\n  9:" HEX32 "\n" HEX32 "ff  # second\n", 0600);
	assert_true(config_read_path(conf_path, &c, &errors));
	assert_int_equal(c.key_count, 2);
	assert_int_equal(c.keys[0].id, 9);
	assert_int_equal(c.keys[0].length, 32);
	assert_int_equal(c.keys[0].bytes[31], 0x1f);
	assert_int_equal(c.keys[1].id, 4); /* its line */
	assert_int_equal(c.keys[1].length, 33);
	assert_int_equal(c.links[0].address[0].bytes[3], 1);
	assert_int_equal(c.links[0].address[1].bytes[3], 2);
	fd = config_pack(&c);
	assert_true(fd != -1 && config_unpack(fd, &unpacked));
	close(fd);
	assert_true(config_copy(&unpacked, &copy)); /* to be written to */
	config_free(&unpacked);
	assert_true(config_equal(&c, &copy));
	assert_int_equal(config_digest(&c), config_digest(&copy));
	copy.keys[0].bytes[0] ^= 1; /* rotation is a change, but no difference of the nodes */
	assert_false(config_equal(&c, &copy));
	assert_int_equal(config_digest(&c), config_digest(&copy));
	copy.routers[0].priority[1] ^= 1;
	assert_true(config_digest(&c) != config_digest(&copy));
	config_free(&c);
	config_free(&copy);
}

static void
test_what_is_no_secret_is_refused(void **state)
{
	struct conf_errors errors;
	struct config c;

	(void)state;
	assert_string_equal(refusal(HEX32 "\n", 0600), "");
	assert_string_equal(refusal(HEX32 "\n", 0400), "");
	assert_true(only_at(refusal(HEX32 "\n", 0640), 0, "mode 640"));
	assert_true(only_at(refusal(HEX32 "\n", 0604), 0, "mode 604"));
	assert_true(only_at(refusal(HEX32 "\n", 0610), 0, "mode 610"));
	unlink(key_path);
	assert_int_equal(mkdir(key_path, 0700), 0);
	assert_true(only_at(verdict(), 0, "not a file"));
	rmdir(key_path);
	assert_int_equal(mkfifo(key_path, 0600), 0);
	assert_true(only_at(verdict(), 0, "not a file")); /* and does not wait for a writer */
	unlink(key_path);
	assert_true(only_at(verdict(), 0, "No such file"));
	assert_true(config_read_without_keys(conf_path, &c, &errors));
	config_free(&c);
}

static void
test_bad_keys_are_refused(void **state)
{
	(void)state;
	assert_true(only_at(refusal("", 0600), 0, "no key"));
	assert_true(only_at(refusal("# nothing\n", 0600), 0, "no key"));
	assert_true(only_at(refusal("0011\n", 0600), 1, "it has 4"));
	assert_true(only_at(refusal(HEX32 "0\n", 0600), 1, "even"));
	assert_true(only_at(refusal(HEX32 HEX32 "00\n", 0600), 1, "64 to 128"));
	assert_string_equal(refusal(HEX32 HEX32 "\n", 0600), "");
	assert_true(only_at(refusal(HEX32 "\nxx" HEX32 "\n", 0600), 2, "hexadecimal"));
	assert_true(only_at(refusal(HEX32 "\n" HEX32 " " HEX32 "\n", 0600), 2, "hexadecimal"));
	assert_true(only_at(refusal("0:" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal("256:" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal("4294967297:" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal("x:" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal("+1:" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal(":" HEX32 "\n", 0600), 1, "1 to 255"));
	assert_true(only_at(refusal("2:" HEX32 "\n" HEX32 "\n", 0600), 2, "another key"));
	assert_string_equal(refusal("255:" HEX32, 0600), ""); /* no end of line is fine */
}

/* All of them, in the order of the lines, and nothing of a key in any. */
static void
test_every_bad_line_is_told(void **state)
{
	char wanted[256];
	const char *all;

	(void)state;
	all = refusal("1:" HEX32 "\nf00dbabe\n\n1:" HEX32 "\n9:" HEX32 "f00dbabeg\n", 0600);
	snprintf(wanted, sizeof(wanted), "%s:2: key file: ", key_path);
	assert_ptr_equal(strstr(all, wanted), all);
	snprintf(wanted, sizeof(wanted), "\n%s:4: key file: ", key_path);
	assert_non_null(strstr(all, wanted));
	snprintf(wanted, sizeof(wanted), "\n%s:5: key file: ", key_path);
	assert_non_null(strstr(all, wanted));
	assert_null(strstr(all, "f00d"));
	assert_null(strstr(all, "0001"));
}

static void
test_what_is_no_key_file_is_refused(void **state)
{
	static char text[20000];
	FILE *f;

	(void)state;
	memset(text, '#', sizeof(text) - 1);
	memcpy(text, HEX32 "\n", sizeof(HEX32 "\n") - 1);
	assert_true(only_at(refusal(text, 0600), 0, "longer than 16384 bytes"));
	text[16384] = '\0';
	assert_string_equal(refusal(text, 0600), "");
	f = fopen(key_path, "w");
	assert_int_equal(fwrite(HEX32 "\n\0" HEX32 "\n", 1, 131, f), 131);
	assert_int_equal(fclose(f), 0);
	assert_true(only_at(verdict(), 0, "NUL"));
	f = fopen(key_path, "w");
	for (int i = 1; i <= LIMIT_KEYS + 1; i++)
		fprintf(f, HEX32 "\n");
	assert_int_equal(fclose(f), 0);
	assert_true(only_at(verdict(), LIMIT_KEYS + 1, "one key too many"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_read),
		cmocka_unit_test(test_what_is_no_secret_is_refused),
		cmocka_unit_test(test_bad_keys_are_refused),
		cmocka_unit_test(test_every_bad_line_is_told),
		cmocka_unit_test(test_what_is_no_key_file_is_refused),
	};

	return cmocka_run_group_tests_name("key file", tests, make_files, remove_files);
}
