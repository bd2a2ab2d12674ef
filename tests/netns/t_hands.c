/* The hands thread: order, results, the gate, a full queue, and an end with work in hand. */
#include "bed.h"

#include "linux/hands.h"
#include "linux/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static struct hands_job *
job_with(const char *text, int ifindex, enum address_verb verb, uint32_t sequence)
{
	struct hands_job *job = hands_job_new(text ? 1 : 0);

	assert_non_null(job);
	job->verb = verb;
	job->sequence = sequence;
	if (text) {
		assert_true(ip_prefix_parse(text, &job->changes[0].prefix));
		job->changes[0].ifindex = ifindex;
		job->changes[0].lease_s = 30;
	}
	return job;
}

static struct hands_job *
await(struct hands *h)
{
	struct pollfd p = {.fd = hands_fd(h), .events = POLLIN};
	struct hands_job *job;

	assert_int_equal(poll(&p, 1, 5000), 1);
	job = hands_next_done(h);
	assert_non_null(job);
	return job;
}

/* Set and removed in turn a hundred times: any other order would leave the address there. */
static void
test_order(void **state)
{
	enum { ROUNDS = 200 };
	struct bed *bed = *state;
	struct hands *h;
	mono before = mono_now();

	assert_int_equal(hands_start(&h), 0);
	assert_int_not_equal(hands_port(h), 0);
	for (uint32_t i = 0; i < ROUNDS; i++)
		assert_true(hands_submit(h, job_with("10.9.0.100/24", bed->v0,
			i % 2 == 0 ? ADDRESS_SET : ADDRESS_REMOVE, i)));
	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct hands_job *job = await(h);

		assert_int_equal(job->sequence, i);
		assert_int_equal(job->failed, 0);
		assert_int_equal(job->changes[0].error, 0);
		assert_false(mono_before(job->sent, before));
		assert_false(mono_before(job->done, job->sent));
		before = job->sent;
		free(job);
	}
	assert_null(hands_next_done(h));
	assert_string_equal(bed_ask("ip -o addr show dev v0 | grep -c 10.9.0.100"), "0");
	hands_stop(h);
}

static void
test_failure_is_told(void **state)
{
	struct hands_job *job;
	struct hands *h;

	(void)state;
	assert_int_equal(hands_start(&h), 0);
	assert_true(hands_submit(h, job_with("10.9.0.100/24", 99999, ADDRESS_SET, 1)));
	job = await(h);
	assert_int_equal(job->failed, 1);
	assert_int_equal(job->changes[0].error, ENODEV);
	free(job);
	hands_stop(h);
}

/* Nothing collected: the queue ends somewhere, at once, and the job stays the caller's. */
static void
test_full_queue(void **state)
{
	struct hands_job *one_more = job_with(NULL, 0, ADDRESS_SET, 0);
	struct hands *h;

	(void)state;
	assert_int_equal(hands_start(&h), 0);
	for (uint32_t i = 0; i < WORKER_QUEUE; i++)
		assert_true(hands_submit(h, job_with(NULL, 0, ADDRESS_SET, i)));
	assert_false(hands_submit(h, one_more));
	free(await(h));
	assert_true(hands_submit(h, one_more));
	hands_stop(h); /* with everything uncollected */
}

static void
test_stop_finishes_what_is_in_hand(void **state)
{
	struct bed *bed = *state;
	struct hands *h;

	assert_int_equal(hands_start(&h), 0);
	for (int i = 1; i <= 100; i++) {
		char text[ADDR_TEXT];

		snprintf(text, sizeof(text), "10.6.0.%d/32", i);
		assert_true(hands_submit(h, job_with(text, bed->v0, ADDRESS_SET, 0)));
	}
	hands_stop(h);
	assert_string_equal(bed_ask("ip -o addr show dev v0 | grep -c 10.6.0."), "100");
	bed_run("ip addr flush to 10.6.0.0/16 dev v0");
}

static void
test_secondaries_are_kept(void **state)
{
	struct bed *bed = *state;
	struct hands *h;

	bed_run("echo 0 > /proc/sys/net/ipv4/conf/v0/promote_secondaries");
	assert_int_equal(hands_start(&h), 0);
	assert_true(hands_submit(h, job_with("10.5.0.1/24", bed->v0, ADDRESS_SET, 1)));
	assert_true(hands_submit(h, job_with("10.5.0.2/24", bed->v0, ADDRESS_SET, 2)));
	assert_true(hands_submit(h, job_with("10.5.0.1/24", bed->v0, ADDRESS_REMOVE, 3)));
	hands_stop(h);
	assert_string_equal(bed_ask("ip -o addr show dev v0 | grep -c 10.5.0.2"), "1");
	bed_run("ip addr del 10.5.0.2/24 dev v0");
}

static void
expect_gate(struct hands *h, enum hands_gate gate, const char *wanted)
{
	struct hands_job *job = job_with(NULL, 0, ADDRESS_SET, 0);

	job->gate = gate;
	assert_true(hands_submit(h, job));
	free(await(h));
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/vs/backup_only"), wanted);
}

/*
 * Where this kernel has no ip_vs its knob is played by a plain file, mounted where the knob would
 * be, in a mount namespace of our own. A job with a gate and no knob at all must work as well.
 */
static void
test_gate(void **state)
{
	static const char knob[] = "/proc/sys/net/ipv4/vs/backup_only";
	struct hands_job *job = job_with(NULL, 0, ADDRESS_SET, 0);
	struct hands *h;

	(void)state;
	assert_int_equal(hands_start(&h), 0);
	job->gate = HANDS_GATE_OPEN;
	assert_true(hands_submit(h, job));
	job = await(h);
	assert_int_equal(job->failed, 0);
	free(job);
	hands_stop(h);

	if (access(knob, F_OK) == -1) {
		assert_int_equal(unshare(CLONE_NEWNS), 0);
		assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
		assert_int_equal(mount("knobs", "/proc/sys/net/ipv4", "tmpfs", 0, NULL), 0);
		bed_run("mkdir /proc/sys/net/ipv4/vs && echo 7 > %s", knob);
	} else {
		bed_run("echo 1 > %s", knob);
	}
	assert_int_equal(hands_start(&h), 0);
	expect_gate(h, HANDS_GATE_OPEN, "0");
	expect_gate(h, HANDS_GATE_KEEP, "0");
	expect_gate(h, HANDS_GATE_SHUT, "1");
	expect_gate(h, HANDS_GATE_KEEP, "1");
	job = job_with(NULL, 0, ADDRESS_REMOVE, 0);
	job->task = HANDS_GATE_ALONE;
	job->gate = HANDS_GATE_OPEN;
	assert_true(hands_submit(h, job));
	job = await(h);
	assert_int_equal(job->failed, 0);
	free(job);
	assert_string_equal(bed_ask("cat /proc/sys/net/ipv4/vs/backup_only"), "0");
	hands_stop(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_failure_is_told),
		cmocka_unit_test(test_full_queue),
		cmocka_unit_test(test_stop_finishes_what_is_in_hand),
		cmocka_unit_test(test_secondaries_are_kept),
		cmocka_unit_test(test_gate), /* last: it changes the mounts */
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
