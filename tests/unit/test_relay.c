/* Which frames a relay passes on: for its addresses and blocks, whole enough, not the owner's. */
#include "linux/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { HEADER4 = 34, HEADER6 = 54 };

static const uint8_t owner[6] = {2, 0, 0, 0, 0, 2};

static struct relay_job *
job_for(enum ip_family family, const char *first, const char *second)
{
	struct relay_job *job = relay_job_new(2);

	assert_non_null(job);
	job->family = family;
	memcpy(job->owner, owner, sizeof(owner));
	assert_true(ip_prefix_parse(first, &job->prefixes[0]));
	assert_true(ip_prefix_parse(second, &job->prefixes[1]));
	job->count = 2;
	return job;
}

/* A frame of exactly so many bytes on the heap, of which only the two addresses are looked at. */
static bool
wants(const struct relay_job *job, const char *to, uint8_t from, size_t length)
{
	uint8_t *frame = calloc(1, length), *cut;
	struct ip_addr target;
	bool wanted;

	assert_non_null(frame);
	assert_true(ip_addr_parse(to, &target));
	cut = calloc(1, HEADER6);
	assert_non_null(cut);
	memcpy(cut + 6, owner, sizeof(owner));
	cut[11] = from;
	memcpy(cut + (job->family == IP_V6 ? 38 : 30), target.bytes, job->family == IP_V6 ? 16 : 4);
	memcpy(frame, cut, length < HEADER6 ? length : HEADER6);
	wanted = relay_wants(job, frame, length);
	free(cut);
	free(frame);
	return wanted;
}

static void
addresses_and_blocks(void **state)
{
	struct relay_job *job = job_for(IP_V4, "10.77.0.100/32", "10.78.0.0/20");

	(void)state;
	assert_true(wants(job, "10.77.0.100", 9, HEADER4));
	assert_false(wants(job, "10.77.0.101", 9, HEADER4));
	assert_true(wants(job, "10.78.15.255", 9, HEADER4));
	assert_false(wants(job, "10.78.16.0", 9, HEADER4));
	free(job);
	job = job_for(IP_V6, "fd00:77::100/128", "fd00:78::/64");
	assert_true(wants(job, "fd00:77::100", 9, HEADER6));
	assert_false(wants(job, "fd00:77::101", 9, HEADER6));
	assert_true(wants(job, "fd00:78::1", 9, HEADER6));
	free(job);
}

static void
nothing_that_the_owner_sent(void **state)
{
	struct relay_job *job = job_for(IP_V4, "10.77.0.100/32", "10.78.0.0/20");

	(void)state;
	assert_false(wants(job, "10.77.0.100", owner[5], HEADER4));
	free(job);
}

static void
nothing_cut_short(void **state)
{
	struct relay_job *four = job_for(IP_V4, "10.77.0.100/32", "10.78.0.0/20");
	struct relay_job *six = job_for(IP_V6, "fd00:77::100/128", "fd00:78::/64");

	(void)state;
	for (size_t length = 12; length < HEADER4; length++)
		assert_false(wants(four, "10.77.0.100", 9, length));
	for (size_t length = 12; length < HEADER6; length++)
		assert_false(wants(six, "fd00:77::100", 9, length));
	free(four);
	free(six);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_blocks),
		cmocka_unit_test(nothing_that_the_owner_sent),
		cmocka_unit_test(nothing_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
