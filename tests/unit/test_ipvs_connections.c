/* Connections out of lines as ip_vs_conn has them: parsed, bounded, and quickly. */
#include "linux/ipvs_connections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char lines[] =
	"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	"TCP 0A4D0002 D431 0A4D0064 0050 0A580015 1F90 ESTABLISHED     899\n"
	"TCP 0A4D0003 D433 0A4D0064 0050 0A580015 1F90 FIN_WAIT        112 sip 1-2@3\n"
	"TCP 0A4D0003 0000 0A4D0064 0050 0A580015 1F90 ASSURED         358\n"
	"TCP 0A4D0000 0000 0A4D0064 0050 0A580015 1F90 NONE            358\n"
	"UDP 0A4D0005 D435 0A4D0064 0035 0A580015 0035 UDP             299\n"
	"IP 0A4D0005 0000 00000007 0000 0A580015 0000 NONE             299\n"
	"garbage\n"
	"\n"
	"TCP ZZ4D0003 D433 0A4D0064 0050 0A580015 1F90 FIN_WAIT        112\n"
	"TCP 0A4D0003 D433 0A4D0064 0050 0A580015 1F901 FIN_WAIT       112\n"
	"TCP 0A4D0003 D433 0A4D0064 0050 0A5800 1F90 FIN_WAIT          112\n"
	"TCP 0A4D0003 D433 0A4D0064 0050 0A580015 1F90\n"
	"TCP 0A4D0004 D434 0A4D0064 0050 0A580016 1F90 BRAND_NEW     12345678901234\n"
	"TCP [fd00:0077:0000:0000:0000:0000:0000:0002] D431 [fd00:0077:0000:0000:0000:0000:0000:0100] 0050 "
	"[fd00:0088:0000:0000:0000:0000:0000:0021] 1F90 ESTABLISHED     899\n"
	"TCP fd00:0077:0000:0000:0000:0000:0000:0003 D431 fd00:0077:0000:0000:0000:0000:0000:0100 0050 "
	"fd00:0088:0000:0000:0000:0000:0000:0021 1F90 CLOSE            9\n"
	"SCTP 0A4D0006 D436 0A4D0064 0050 fd00:0088:0000:0000:0000:0000:0000:0021 1F90 "
	"SHUTDOWN_RECEIVED      17\n";

struct seen {
	char text[4096];
	size_t length, count, most; /* most: take() says false at this one; 0: never */
};

static bool
take(void *context, const struct ipvs_connection *c)
{
	char client[ENDPOINT_TEXT], service[ENDPOINT_TEXT], server[ENDPOINT_TEXT];
	struct seen *s = context;

	s->count++;
	if (s->length < sizeof(s->text) - 256)
		s->length += (size_t)snprintf(s->text + s->length, sizeof(s->text) - s->length,
			"%u %s %s %s %s%s %u\n", c->way.protocol, endpoint_format(&c->client, client),
			endpoint_format(&c->way.service, service),
			endpoint_format(&c->way.server, server), ipvs_state_name(c->state),
			c->ending ? " ending" : "", c->expires_s);
	return s->count != s->most;
}

static int
file_of(const char *text, size_t size)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	rewind(f);
	return dup(fileno(f)); /* the stream is left to the end of the test */
}

static struct ipvs_reading
read_lines(const char *text, size_t size, size_t lines_max, mono deadline, struct seen *s)
{
	int fd = file_of(text, size);
	struct ipvs_reading r = ipvs_connections_read(fd, lines_max, deadline, take, s);

	close(fd);
	return r;
}

static void
lines_are_parsed(void **state)
{
	static struct seen s;
	struct ipvs_reading r = read_lines(lines, sizeof(lines) - 1, 1000, MONO_NEVER, &s);

	(void)state;
	assert_string_equal(s.text,
		"6 10.77.0.2:54321 10.77.0.100:80 10.88.0.21:8080 ESTABLISHED 899\n"
		"6 10.77.0.3:54323 10.77.0.100:80 10.88.0.21:8080 FIN_WAIT ending 112\n"
		"17 10.77.0.5:54325 10.77.0.100:53 10.88.0.21:53 UDP 299\n"
		"6 10.77.0.4:54324 10.77.0.100:80 10.88.0.22:8080 unknown 1234567890\n"
		"6 [fd00:77::2]:54321 [fd00:77::100]:80 [fd00:88::21]:8080 ESTABLISHED 899\n"
		"6 [fd00:77::3]:54321 [fd00:77::100]:80 [fd00:88::21]:8080 CLOSE ending 9\n"
		"132 10.77.0.6:54326 10.77.0.100:80 [fd00:88::21]:8080 SHUTDOWN_RECEIVED ending 17\n");
	assert_true(r.whole);
	assert_int_equal(r.error, 0);
	assert_int_equal(r.lines, 17);
}

static void
bounds_are_told(void **state)
{
	struct seen s = {.most = 2};

	(void)state;
	assert_false(read_lines(lines, sizeof(lines) - 1, 1000, MONO_NEVER, &s).whole);
	assert_int_equal(s.count, 2);
	s = (struct seen){.count = 0};
	assert_false(read_lines(lines, sizeof(lines) - 1, 2, MONO_NEVER, &s).whole);
	assert_int_equal(s.count, 1);
	s = (struct seen){.count = 0};
	assert_false(read_lines(lines, sizeof(lines) - 1, 1000, (mono){0}, &s).whole);
	s = (struct seen){.count = 0};
	assert_true(read_lines("", 0, 1000, MONO_NEVER, &s).whole);
	assert_int_equal(ipvs_connections_read(-1, 9, MONO_NEVER, take, &s).error, -9); /* EBADF */
	assert_int_equal(s.count, 0);
}

/* A line that fits no buffer, and one that begins anywhere in it. */
static void
lines_of_any_length(void **state)
{
	static char text[300000];
	struct seen s = {.count = 0};
	size_t size = 150000;

	(void)state;
	memset(text, 'x', size);
	text[size++] = '\n';
	for (int i = 0; i < 1000; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "TCP 0A4D%04X D431 0A4D0064 "
			"0050 0A580015 1F90 ESTABLISHED     899 %.*s\n", (unsigned)i, i % 60,
			"------------------------------------------------------------");
	read_lines(text, size, 100000, MONO_NEVER, &s);
	assert_int_equal(s.count, 1000);
}

static bool
count(void *context, const struct ipvs_connection *c)
{
	uint64_t *sum = context;

	*sum += way_number(&c->way) & 1;
	return true;
}

/* As many lines as a busy balancer has: not what a reader waits for. */
static void
many_lines_take_no_time(void **state)
{
	enum { MANY = 200000 };
	char *text = malloc((size_t)MANY * 80);
	struct ipvs_reading r;
	uint64_t sum = 0;
	size_t size = 0;
	int64_t ns;
	int fd;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < MANY; i++)
		size += (size_t)sprintf(text + size, "TCP 0A4D%04X %04X 0A4D0064 0050 0A580015 1F90 "
			"ESTABLISHED     899\n", i & 0xffff, 1 + (i >> 16));
	fd = file_of(text, size);
	ns = cpu_spent_ns();
	r = ipvs_connections_read(fd, MANY, MONO_NEVER, count, &sum);
	ns = cpu_spent_ns() - ns;
	printf("%d lines in %lld ms\n", MANY, (long long)(ns / NS_PER_MS));
	assert_true(r.whole);
	assert_int_equal(r.lines, MANY);
	assert_true(ns < 2 * NS_PER_S);
	close(fd);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_parsed),
		cmocka_unit_test(bounds_are_told),
		cmocka_unit_test(lines_of_any_length),
		cmocka_unit_test(many_lines_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
