/*
 * Tracked scripts, with real processes: programs of the system stand for scripts, because those
 * belong to root whoever runs the test. The election process is the other end of a channel.
 */
#include "ipc/channel.h"
#include "proc/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct bed {
	struct supervisor s;
	struct conf_node node;
	struct conf_router router;
	struct conf_track track;
	int election;              /* its end of the channel */
	struct ipc_track got;      /* the last message */
	unsigned messages;
};

static void
script(struct bed *b, const char *path, uint32_t interval_ms, uint32_t timeout_ms)
{
	b->track = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = "TANDEM_TRACK",
		.interval_ms = interval_ms, .timeout_ms = timeout_ms, .rise = 2, .fall = 3};
	strcpy(b->track.script, path);
	scripts_configure(&b->s);
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int ends[2];

	if (!b || channel_pair(ends) == -1)
		return -1;
	b->s.loop = ev_default_loop(EVFLAG_AUTO);
	children_init(&b->s);
	children_find(&b->s, PROCESS_ELECTION, 0)->fd = ends[0];
	b->election = ends[1];
	b->s.generation = 3;
	strcpy(b->node.name, "lb1");
	strcpy(b->router.name, "TANDEM_ROUTER"); /* an argument, which printenv(1) looks for */
	b->router.track_count = 1;
	b->s.config = (struct config){.nodes = &b->node, .node_count = 1, .routers = &b->router,
		.router_count = 1, .tracks = &b->track, .track_count = 1};
	*state = b;
	return 0;
}

static void
listen_to(struct bed *b)
{
	const struct ipc_track *fact;
	struct channel_message m;

	while (channel_receive(b->election, &m) == 1) {
		assert_int_equal(m.kind, IPC_TRACK);
		fact = channel_payload(&m, sizeof(*fact));
		assert_non_null(fact);
		b->got = *fact;
		b->messages++;
	}
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void
run_for(struct bed *b, int ms)
{
	ev_timer t;

	ev_now_update(b->s.loop);
	ev_timer_init(&t, on_tick, ms / 1e3, 0.);
	ev_timer_start(b->s.loop, &t);
	ev_run(b->s.loop, 0);
	listen_to(b);
}

/* Until so many messages have come, 5 s at most. */
static void
await(struct bed *b, unsigned messages)
{
	for (int i = 0; i < 500 && b->messages < messages; i++)
		run_for(b, 10);
	assert_true(b->messages >= messages);
}

/* Ends what runs; that nothing is left is part of every test. */
static int
bed_down(void **state)
{
	struct bed *b = *state;
	int i;

	scripts_close(&b->s);
	for (i = 0; i < 500 && !(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD); i++)
		run_for(b, 10);
	close(children_find(&b->s, PROCESS_ELECTION, 0)->fd);
	close(b->election);
	free(b);
	return i < 500 ? 0 : -1;
}

static void
the_first_result_decides(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/false", 60000, 5000);
	await(b, 1);
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
	await(b, 1);
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
	run_for(b, 300);
	assert_int_equal(b->messages, 1);
	assert_true(b->got.up);
}

static void
what_hangs_is_killed_and_lost(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/yes", 60000, 80);
	await(b, 1);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "did not end in 80 ms; killed");
	run_for(b, 200);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* gone and reaped */
	assert_int_equal(errno, ECHILD);
	assert_int_equal(b->messages, 1); /* its end is not a second result */
}

static unsigned
children_running(void)
{
	char path[64], line[256] = "";
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		for (char *at = line; (at = strchr(at, ' ')) != NULL; at++)
			n++;
	if (f)
		fclose(f);
	return n;
}

static void
never_twice_at_once(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/yes", 20, 5000);
	for (int i = 0; i < 30; i++) {
		run_for(b, 10);
		assert_in_range(children_running(), i > 5, 1);
	}
	assert_int_equal(b->messages, 0);
}

static void
stderr_tells_why(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/cat", 60000, 5000); /* there is no file TANDEM_ROUTER */
	await(b, 1);
	assert_memory_equal(b->got.detail, "exit 1: ", 8);
	assert_non_null(strstr(b->got.detail, "TANDEM_ROUTER"));
	assert_null(strstr(b->got.detail, "TANDEM_TRACK")); /* that is the second line */
}

static void
what_cannot_be_run_is_lost(void **state)
{
	struct bed *b = *state;

	script(b, "/etc/passwd", 60000, 5000);
	await(b, 1);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "exit 126: not an executable file");
	script(b, "/nonexistent/check", 60000, 5000);
	await(b, 2);
	assert_false(b->got.up);
	assert_string_equal(b->got.detail, "exit 126: No such file or directory");
}

static void
a_reload_keeps_what_is_asked_as_before(void **state)
{
	struct bed *b = *state;

	script(b, "/usr/bin/false", 60000, 5000);
	await(b, 1);
	b->s.generation = 4;
	b->track.weight = -60;
	scripts_configure(&b->s);
	listen_to(b);
	assert_int_equal(b->messages, 2); /* told again at once, for the new generation */
	assert_int_equal(b->got.generation, 4);
	assert_false(b->got.up);
	run_for(b, 100);
	assert_int_equal(b->messages, 2); /* and it goes on in its own time */
	script(b, "/usr/bin/true", 60000, 5000);
	await(b, 3);
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
	scripts_configure(&b->s);
	await(b, 1);
	assert_true(b->got.up);
	unlink(path);
	await(b, 2);
	assert_false(b->got.up);
	assert_memory_equal(b->got.detail, "exit 2: ", 8);
	close(fd);
	fd = open(path, O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	await(b, 3);
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
	struct supervised *election = children_find(&b->s, PROCESS_ELECTION, 0);
	int fd = election->fd;

	election->fd = -1;
	script(b, "/usr/bin/false", 60000, 5000);
	run_for(b, 200);
	scripts_tell(&b->s, false);
	election->fd = fd;
	listen_to(b);
	assert_int_equal(b->messages, 0);
	scripts_tell(&b->s, false);
	listen_to(b);
	assert_int_equal(b->messages, 1);
	scripts_tell(&b->s, false);
	listen_to(b);
	assert_int_equal(b->messages, 1);
	scripts_tell(&b->s, true); /* a successor */
	listen_to(b);
	assert_int_equal(b->messages, 2);
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
