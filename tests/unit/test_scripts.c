/*
 * Tracked scripts, with real processes: programs of the system stand for scripts, because those
 * belong to root whoever runs the test. The election process is the other end of a channel.
 */
#include "program_bench.h"

#include <fcntl.h>

struct bed {
	struct program_bench bench;
	struct conf_router router;
	struct conf_track track;
	struct ipc_track got;      /* the last message */
};

static void
script(struct bed *b, const char *path, uint32_t interval_ms, uint32_t timeout_ms)
{
	b->track = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = "TANDEM_TRACK",
		.interval_ms = interval_ms, .timeout_ms = timeout_ms, .rise = 2, .fall = 3};
	strcpy(b->track.script, path);
	scripts_configure(&b->bench.s);
}

static bool
hear(struct program_bench *bench, const struct channel_message *m)
{
	struct bed *b = (struct bed *)bench;
	const struct ipc_track *fact = channel_payload(m, sizeof(*fact));

	assert_int_equal(m->kind, IPC_TRACK);
	assert_non_null(fact);
	b->got = *fact;
	return true;
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));

	if (!b || !bench_up(&b->bench, PROCESS_ELECTION, hear))
		return -1;
	strcpy(b->router.name, "TANDEM_ROUTER"); /* an argument, which printenv(1) looks for */
	b->router.track_count = 1;
	b->bench.s.config.routers = &b->router;
	b->bench.s.config.router_count = 1;
	b->bench.s.config.tracks = &b->track;
	b->bench.s.config.track_count = 1;
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	struct bed *b = *state;
	int left;

	scripts_close(&b->bench.s);
	left = bench_down(&b->bench);
	free(b);
	return left;
}

static void
the_first_result_decides(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/false", 60000, 5000);
	await(&b->bench, 1);
	assert_int_equal(b->got.generation, 3);
	assert_string_equal(b->got.router, "TANDEM_ROUTER");
	assert_string_equal(b->got.name, "TANDEM_TRACK");
	assert_int_equal(b->got.kind, CONF_TRACK_SCRIPT);
	assert_false(b->got.up);
	assert_int_equal(b->got.reason, REASON_SCRIPT_FAILED);
	assert_string_equal(b->got.detail, "exit 1");
}

static void
it_gets_arguments_and_environment(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/printenv", 60000, 5000); /* fails unless it finds both variables */
	await(&b->bench, 1);
	assert_true(b->got.up);
	assert_int_equal(b->got.reason, REASON_PROBE_OK);
	assert_string_equal(b->got.detail, "");
	assert_null(getenv("TANDEM_ROUTER")); /* of the script alone */
}

static void
the_same_verdict_is_not_repeated(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/true", 10, 5000);
	run_for(&b->bench, 300);
	assert_int_equal(b->bench.messages, 1);
	assert_true(b->got.up);
}

static void
what_hangs_is_killed_and_lost(void **state)
{
	struct bed *b = *state;
	mono begun = mono_now();

	script(b, "/usr/bin/yes", 60000, 80);
	await(&b->bench, 1);
	assert_true(mono_diff_ns(mono_now(), begun) >= 80 * NS_PER_MS);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "did not end in 80 ms; killed");
	await_end_of_all_but(&b->bench, 0);
	assert_int_equal(b->bench.messages, 1); /* its end is not a second result */
}

static void
never_twice_at_once(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/yes", 20, 5000);
	for (int i = 0; i < 30; i++) {
		run_for(&b->bench, 10);
		assert_in_range(children_running(), i > 5, 1);
	}
	assert_int_equal(b->bench.messages, 0);
}

static void
stderr_tells_why(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/cat", 60000, 5000); /* there is no file TANDEM_ROUTER */
	await(&b->bench, 1);
	assert_memory_equal(b->got.detail, "exit 1: ", 8);
	assert_non_null(strstr(b->got.detail, "TANDEM_ROUTER"));
	assert_null(strstr(b->got.detail, "TANDEM_TRACK")); /* that is the second line */
}

static void
what_cannot_be_run_is_lost(void **state)
{
	struct bed *b = *state;

	script(b, "/etc/passwd", 60000, 5000);
	await(&b->bench, 1);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "exit 126: not an executable file");
	script(b, "/nonexistent/check", 60000, 5000);
	await(&b->bench, 2);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "exit 126: No such file or directory");
}

static void
a_reload_keeps_what_is_asked_as_before(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/false", 60000, 5000);
	await(&b->bench, 1);
	b->bench.s.generation = 4;
	b->track.weight = -60;
	scripts_configure(&b->bench.s);
	listen_to(&b->bench);
	assert_int_equal(b->bench.messages, 2); /* told again at once, for the new generation */
	assert_int_equal(b->got.generation, 4);
	assert_false(b->got.up);
	run_for(&b->bench, 100);
	assert_int_equal(b->bench.messages, 2); /* and it goes on in its own time */
	script(b, "/usr/bin/true", 60000, 5000);
	await(&b->bench, 3);
	assert_true(b->got.up); /* another question, whose first result decides */
}

/* Down after three failures in a row, up after two successes: `ls FILE` of a file that goes away. */
static void
changes_are_told(void **state)
{
	struct bed *b = *state;
	char path[] = "/tmp/tandem-script-XXXXXX";
	int fd = mkstemp(path);

	assert_int_not_equal(fd, -1);
	strcpy(b->router.name, path);
	b->track = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = "/tmp",
		.script = "/usr/bin/ls", .interval_ms = 20, .timeout_ms = 5000, .rise = 2, .fall = 3};
	scripts_configure(&b->bench.s);
	await(&b->bench, 1);
	assert_true(b->got.up);
	unlink(path);
	await(&b->bench, 2);
	assert_false(b->got.up);
	assert_memory_equal(b->got.detail, "exit 2: ", 8);
	close(fd);
	fd = open(path, O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	await(&b->bench, 3);
	assert_true(b->got.up);
	assert_string_equal(b->got.detail, "");
	close(fd);
	unlink(path);
}

/* An election process that is not there, or does not read, gets the verdict later. */
static void
what_was_not_taken_is_told_later(void **state)
{
	struct bed *b = *state;
	struct supervised *election = children_find(&b->bench.s, PROCESS_ELECTION, 0);
	int fd = election->fd;

	election->fd = -1;
	script(b, "/usr/bin/false", 60000, 5000);
	run_for(&b->bench, 200);
	scripts_tell(&b->bench.s, false);
	election->fd = fd;
	listen_to(&b->bench);
	assert_int_equal(b->bench.messages, 0);
	scripts_tell(&b->bench.s, false);
	listen_to(&b->bench);
	assert_int_equal(b->bench.messages, 1);
	scripts_tell(&b->bench.s, false);
	listen_to(&b->bench);
	assert_int_equal(b->bench.messages, 1);
	scripts_tell(&b->bench.s, true); /* a successor */
	listen_to(&b->bench);
	assert_int_equal(b->bench.messages, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_result_decides, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(it_gets_arguments_and_environment, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(the_same_verdict_is_not_repeated, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(what_hangs_is_killed_and_lost, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(never_twice_at_once, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(stderr_tells_why, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_run_is_lost, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_reload_keeps_what_is_asked_as_before, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(changes_are_told, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_was_not_taken_is_told_later, bed_up,
			bed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
