/* The certificates that https probes trust: read with the configuration, carried with the probes. */
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
#include <unistd.h>

static const char pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBfjCCASOgAwIBAgIUV0nV+Zj+k9FntgReBjIlolU4KbAwCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJYXV0aG9yaXR5MB4XDTI2MTEyMTA5Mzk0OVoXDTM2MTExODA5\n"
	"Mzk0OVowFDESMBAGA1UEAwwJYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0D\n"
	"AQcDQgAEfIi8XQIC+Z7Q01YBXuigTxcREmgy0x2UYVC/hw/GLo8YeJBwVx0FR+R+\n"
	"b+ideTGVAfwkS+a/yXO53Rq9r3+QuqNTMFEwHQYDVR0OBBYEFEyv6GqqrKu94+6t\n"
	"uD0kJqhSsHuCMB8GA1UdIwQYMBaAFEyv6GqqrKu94+6tuD0kJqhSsHuCMA8GA1Ud\n"
	"EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAKcMPktjqg6U0tt66urFyKSh\n"
	"hp/JLWj5rN54RFkwd191AiEA1HM42eNzkpQ25PMS/+8VkETj5T1U2TKmtTapZwk/\n"
	"xMQ=\n"
	"-----END CERTIFICATE-----\n";

static const char shape[] =
	"nodes = ( { name = \"lb1\"; address = \"10.0.0.1\"; } );\n"
	"virtual_routers = ( { name = \"web\"; vrid = 1; interface = \"eth0\";\n"
	"  addresses = [ \"10.0.0.100/24\" ]; } );\n"
	"virtual_servers = ( { name = \"a\"; listen = \"10.0.0.100:443\";\n"
	"  probe = { type = \"https\"; ca_file = \"%s\"; };\n"
	"  real_servers = ( { name = \"r\"; address = \"10.0.1.1:443\"; },\n"
	"    { name = \"s\"; address = \"10.0.1.2:443\"; probe = { verify = false; }; },\n"
	"    { name = \"t\"; address = \"10.0.1.3:443\"; probe = { rise = 7; }; } ); } );\n";

struct files {
	char folder[64], ca[128], conf[128];
};

static void
put(const char *path, const char *bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(bytes, f);
	assert_int_equal(fclose(f), 0);
}

static int
make(void **state)
{
	struct files *f = calloc(1, sizeof(*f));
	char text[2048];

	strcpy(f->folder, "/tmp/tandem-ca-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->ca, sizeof(f->ca), "%s/ca.pem", f->folder);
	snprintf(f->conf, sizeof(f->conf), "%s/conf", f->folder);
	snprintf(text, sizeof(text), shape, f->ca);
	put(f->conf, text);
	*state = f;
	return 0;
}

static int
clear(void **state)
{
	struct files *f = *state;

	unlink(f->ca);
	unlink(f->conf);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void
read_good(const struct files *f, struct config *c)
{
	struct conf_errors errors;

	assert_true(config_read_path(f->conf, c, &errors));
}

/* One error, at the line of the probe, that says so. */
static void
refused(const struct files *f, const char *why)
{
	struct conf_errors errors;
	struct config c;

	assert_false(config_read_path(f->conf, &c, &errors));
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.list[0].line, 5);
	assert_non_null(strstr(errors.list[0].message, why));
	conf_errors_free(&errors);
}

static void
what_is_no_certificate_is_refused(void **state)
{
	const struct files *f = *state;
	char cut[sizeof(pem)];

	refused(f, "No such file or directory");
	put(f->ca, "");
	refused(f, "no file of certificates");
	put(f->ca, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	refused(f, "no file of certificates");
	memcpy(cut, pem, sizeof(cut));
	cut[sizeof(cut) / 2] = '\0';
	put(f->ca, cut);
	refused(f, "no file of certificates");
}

static void
too_long_a_file_is_refused(void **state)
{
	const struct files *f = *state;
	FILE *to = fopen(f->ca, "w");

	assert_non_null(to);
	fputs(pem, to);
	for (int i = 0; i < LIMIT_CA_FILE / 64 + 1; i++)
		fprintf(to, "%63d\n", i);
	fclose(to);
	refused(f, "File too large");
}

static void
travels_with_the_probes(void **state)
{
	const struct files *f = *state;
	struct conf_probe_map map;
	struct config c;
	const void *bytes;
	size_t length;
	int fd;

	put(f->ca, pem);
	read_good(f, &c);
	assert_int_equal(c.ca_count, 1);
	fd = config_pack_probes(&c);
	assert_int_not_equal(fd, -1);
	assert_false(config_map_probes(fd, c.probe_count + 1, &map));
	assert_true(config_map_probes(fd, c.probe_count, &map));
	assert_int_equal(config_map_find_ca(&map, "/none"), CONF_NO_INDEX);
	assert_int_equal(config_map_find_ca(&map, f->ca), 0);
	bytes = config_map_ca(&map, 0, &length);
	assert_int_equal(length, strlen(pem));
	assert_memory_equal(bytes, pem, length);
	assert_string_equal(map.probes[c.reals[1].probe].ca_file, "");
	assert_string_equal(map.probes[c.reals[2].probe].ca_file, f->ca);
	config_unmap_probes(&map);
	config_unmap_probes(&map);
	close(fd);
	config_free(&c);
}

/* A reload has to tell the probers of it, though no row changed. */
static void
a_changed_file_is_another_probe(void **state)
{
	const struct files *f = *state;
	char two[2 * sizeof(pem)];
	struct config a, b;

	put(f->ca, pem);
	read_good(f, &a);
	read_good(f, &b);
	assert_true(config_equal(&a, &b));
	assert_true(config_same_probe(&a, a.reals[0].probe, &b, b.reals[0].probe));
	assert_false(config_same_probe(&a, a.reals[0].probe, &b, b.reals[1].probe));
	config_free(&b);
	snprintf(two, sizeof(two), "%s%s", pem, pem);
	put(f->ca, two);
	read_good(f, &b);
	assert_false(config_equal(&a, &b));
	assert_false(config_same_probe(&a, a.reals[0].probe, &b, b.reals[0].probe));
	assert_true(config_same_probe(&a, a.reals[1].probe, &b, b.reals[1].probe));
	config_free(&a);
	config_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_no_certificate_is_refused, make, clear),
		cmocka_unit_test_setup_teardown(too_long_a_file_is_refused, make, clear),
		cmocka_unit_test_setup_teardown(travels_with_the_probes, make, clear),
		cmocka_unit_test_setup_teardown(a_changed_file_is_another_probe, make, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
