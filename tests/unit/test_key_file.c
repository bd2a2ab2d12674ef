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

/* The message with which the key file is refused; "" when it is not. */
static const char *
refusal(const char *text, mode_t mode)
{
	static char message[512];
	struct conf_errors errors;
	struct config c;

	put(key_path, text, mode);
	message[0] = '\0';
	if (config_read_path(conf_path, &c, &errors)) {
		config_free(&c);
	} else {
		assert_int_equal(errors.list[0].line, 3);
		snprintf(message, sizeof(message), "%s", errors.list[0].message);
	}
	conf_errors_free(&errors);
	return message;
}

static void
test_keys_are_read(void **state)
{
	struct conf_errors errors;
	struct config c, copy;
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
	assert_true(fd != -1 && config_unpack(fd, &copy));
	close(fd);
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
	(void)state;
	assert_string_equal(refusal(HEX32 "\n", 0600), "");
	assert_string_equal(refusal(HEX32 "\n", 0400), "");
	assert_non_null(strstr(refusal(HEX32 "\n", 0640), "mode 640"));
	assert_non_null(strstr(refusal(HEX32 "\n", 0604), "mode 604"));
	unlink(key_path);
	assert_int_equal(mkdir(key_path, 0700), 0);
	{
		struct conf_errors errors;
		struct config c;

		assert_false(config_read_path(conf_path, &c, &errors));
		assert_non_null(strstr(errors.list[0].message, "not a file"));
		conf_errors_free(&errors);
		rmdir(key_path);
		assert_false(config_read_path(conf_path, &c, &errors));
		assert_non_null(strstr(errors.list[0].message, "No such file"));
		conf_errors_free(&errors);
		assert_true(config_read_without_keys(conf_path, &c, &errors));
		config_free(&c);
	}
}

static void
test_bad_keys_are_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(refusal("", 0600), "no key"));
	assert_non_null(strstr(refusal("# nothing\n", 0600), "no key"));
	assert_non_null(strstr(refusal("0011\n", 0600), "it has 4"));
	assert_non_null(strstr(refusal(HEX32 "0\n", 0600), "even"));
	assert_non_null(strstr(refusal(HEX32 HEX32 "00\n", 0600), "64 to 128"));
	assert_non_null(strstr(refusal(HEX32 "\nxx" HEX32 "\n", 0600), "line 2"));
	assert_non_null(strstr(refusal("0:" HEX32 "\n", 0600), "1 to 255"));
	assert_non_null(strstr(refusal("256:" HEX32 "\n", 0600), "1 to 255"));
	assert_non_null(strstr(refusal("x:" HEX32 "\n", 0600), "1 to 255"));
	assert_non_null(strstr(refusal("2:" HEX32 "\n" HEX32 "\n", 0600), "another key"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_read),
		cmocka_unit_test(test_what_is_no_secret_is_refused),
		cmocka_unit_test(test_bad_keys_are_refused),
	};

	return cmocka_run_group_tests_name("key file", tests, make_files, remove_files);
}
