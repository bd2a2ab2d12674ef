/*
 * Probes of type exec, with real processes. The pool process is the other end of a channel. As root,
 * because programs are run by another user.
 */
#include "program_bench.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

enum { TARGETS = 128 };

struct bed {
	struct program_bench bench;
	struct conf_probe probes[2];
	struct ipc_probe_result got[TARGETS];
	unsigned heard;            /* targets that were told of */
	struct ipc_exec_stats stats;
	int lines;                 /* of the log */
};

static bool
hear(struct program_bench *bench, const struct channel_message *m)
{
	struct bed *b = (struct bed *)bench;
	const struct ipc_probe_result *r = channel_payload(m, sizeof(*r));
	const struct ipc_exec_stats *stats = channel_payload(m, sizeof(*stats));

	if (m->kind == IPC_EXEC_STATS && stats) {
		b->stats = *stats;
		return false;
	}
	assert_int_equal(m->kind, IPC_PROBE_RESULT);
	assert_non_null(r);
	assert_in_range(r->target, 0, TARGETS - 1);
	b->heard += b->got[r->target].probes == 0;
	b->got[r->target] = *r;
	return true;
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int relay[2];

	if (!b || !bench_up(&b->bench, PROCESS_POOL, hear) ||
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, relay) == -1)
		return -1;
	log_open(&b->bench.s.log, 3 << 3, LOG_LEVEL_INFO, "edge");
	b->bench.s.log.retry_at = MONO_NEVER; /* the machine's own log is spared */
	b->bench.s.log.relay_fd = relay[0];
	b->lines = relay[1];
	b->bench.s.config.probes = b->probes;
	b->bench.s.config.probe_count = 2;
	b->probes[1] = (struct conf_probe){.type = CONF_PROBE_EXEC, .rise = 1, .fall = 1,
		.interval_ms = 60000, .timeout_ms = 5000, .user = "nobody"};
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	struct bed *b = *state;
	int left;

	exec_close(&b->bench.s);
	left = bench_down(&b->bench);
	close(b->bench.s.log.relay_fd);
	close(b->lines);
	free(b);
	return left;
}

static void
command(struct bed *b, const char *line)
{
	struct conf_words *w = &b->probes[1].command;

	memset(w, 0, sizeof(*w));
	assert_true(conf_words_add(w, "/bin/sh") && conf_words_add(w, "-c") &&
		conf_words_add(w, line));
}

static void
ask(struct bed *b, uint32_t target, uint32_t generation)
{
	struct ipc_exec_set m = {.config = 3, .server = "web1", .virtual = "http",
		.set = {.target = target, .generation = generation, .urgent = true, .probe = 1},
		.elsewhere = b->probes[1].address}; /* as the pool knows it */

	assert_true(endpoint_parse("10.88.0.21:8080", &m.set.address));
	exec_set(&b->bench.s, &m);
}

static void
the_exit_status_is_the_verdict(void **state)
{
	struct bed *b = *state;

	command(b, "exit 0");
	ask(b, 1, 7);
	await(&b->bench, 1);
	assert_true(b->got[1].up && b->got[1].ok);
	assert_int_equal(b->got[1].generation, 7);
	assert_int_equal(b->got[1].reason, REASON_PROBE_OK);
	assert_true(b->got[1].answer_ns > 0 && b->got[1].connect_ns == -1);
	command(b, "echo; echo bad disk; echo more >&2; exit 3");
	ask(b, 1, 8);
	await(&b->bench, 2);
	assert_false(b->got[1].up);
	assert_int_equal(b->got[1].reason, REASON_EXEC_FAILED);
	assert_int_equal(b->got[1].detail, 3);
	assert_string_equal(b->got[1].evidence, "bad disk");
	command(b, "kill -9 $$");
	ask(b, 1, 9);
	await(&b->bench, 3);
	assert_int_equal(b->got[1].detail, 128 + 9);
	assert_string_equal(b->got[1].evidence, "signal 9");
}

static void
it_gets_its_environment_and_nothing_of_ours(void **state)
{
	struct bed *b = *state;

	setenv("NOTIFY_SOCKET", "/secret", 1);
	assert_true(conf_words_add(&b->probes[1].environment, "A=x y") &&
		conf_words_add(&b->probes[1].environment, "B="));
	command(b, "echo \"$TANDEM_VIRTUAL/$TANDEM_SERVER $TANDEM_ADDRESS:$TANDEM_PORT $TANDEM_NODE "
		"$A$B$NOTIFY_SOCKET $(id -un)$(id -Gn)\"; exit 1");
	ask(b, 0, 1);
	await(&b->bench, 1);
	assert_string_equal(b->got[0].evidence, "http/web1 10.88.0.21:8080 lb1 x y nobodynogroup");
	unsetenv("NOTIFY_SOCKET");
	strcpy(b->probes[1].user, "root");
	b->probes[1].port = 81;
	assert_true(ip_addr_parse("fd00::9", &b->probes[1].address));
	command(b, "echo $TANDEM_ADDRESS $TANDEM_PORT $(id -un); exit 1");
	ask(b, 0, 2);
	await(&b->bench, 2);
	assert_string_equal(b->got[0].evidence, "fd00::9 81 root");
}

static void
what_cannot_be_run_has_failed(void **state)
{
	struct bed *b = *state;

	strcpy(b->probes[1].user, "tandem-no-such-user");
	command(b, "exit 0");
	ask(b, 0, 1);
	await(&b->bench, 1);
	assert_false(b->got[0].up);
	assert_int_equal(b->got[0].detail, 126);
	assert_string_equal(b->got[0].evidence, "its user does not exist on this host");
}

/* keepalived's misc_dynamic. */
static void
exit_statuses_are_weights(void **state)
{
	static const struct {
		const char *line;
		bool dynamic, up, has_weight;
		int weight;
	} cases[] = {
		{"exit 2", true, true, true, 0},
		{"exit 3", true, true, true, 1},
		{"exit 255", true, true, true, 253},
		{"exit 0", true, true, false, 0},
		{"exit 1", true, false, false, 0},
		{"kill -9 $$", true, false, false, 0},
		{"exit 2", false, false, false, 0},
	};
	struct bed *b = *state;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		b->probes[1].exit_weight = cases[i].dynamic;
		command(b, cases[i].line);
		ask(b, 0, i + 1);
		await(&b->bench, i + 1);
		assert_int_equal(b->got[0].up, cases[i].up);
		assert_int_equal(b->got[0].has_weight, cases[i].has_weight);
		assert_int_equal(b->got[0].weight, cases[i].weight);
	}
}

static bool
sleeps(void)
{
	return system("pgrep -fx 'sleep 98765' >/dev/null") == 0;
}

static void
what_hangs_is_killed_with_all_it_started(void **state)
{
	struct bed *b = *state;

	b->probes[1].timeout_ms = 150;
	command(b, "sleep 98765 & sleep 98765");
	ask(b, 0, 1);
	await(&b->bench, 1);
	assert_int_equal(b->got[0].reason, REASON_EXEC_TIMEOUT);
	assert_false(b->got[0].up);
	await_end_of_all_but(&b->bench, 0);
	for (int i = 0; i < BENCH_TURNS && sleeps(); i++)
		run_for(&b->bench, BENCH_TURN_MS);
	assert_false(sleeps());
	assert_int_equal(b->bench.messages, 1); /* its end is not a second result */
}

static void
rise_and_fall_and_never_twice_at_once(void **state)
{
	struct bed *b = *state;

	b->probes[1].interval_ms = 30;
	b->probes[1].interval_fast_ms = 30;
	b->probes[1].timeout_ms = 30;
	b->probes[1].rise = b->probes[1].fall = 3;
	command(b, "exit 1");
	ask(b, 0, 1);
	await(&b->bench, 1);
	assert_false(b->got[0].up);
	assert_int_equal(b->got[0].probes, 1); /* the first result decides */
	b->probes[1].timeout_ms = 5000;
	command(b, "sleep 5");
	ask(b, 1, 2);
	exec_clear(&b->bench.s, 0);
	for (int i = 0; i < 20; i++) {
		run_for(&b->bench, 10);
		assert_in_range(children_running(), i > 8, 2);
	}
	await_end_of_all_but(&b->bench, 1);
	assert_int_equal(children_running(), 1);
	assert_int_equal(b->got[1].probes, 0);
}

/* A crowd waits for places; nobody is lost, and each one's time begins when it does. */
static void
so_many_run_at_once_and_no_more(void **state)
{
	struct bed *b = *state;
	unsigned most = 0;

	b->probes[1].timeout_ms = 1500; /* four rounds of them take longer */
	command(b, "exec sleep 0.5");
	for (uint32_t i = 0; i < TARGETS; i++)
		ask(b, i, i + 1);
	for (int i = 0; i < 1000 && b->heard < TARGETS; i++) {
		unsigned now = children_running();

		most = now > most ? now : most;
		assert_in_range(now, 0, 32);
		run_for(&b->bench, 10);
	}
	assert_int_equal(b->heard, TARGETS);
	assert_int_equal(most, 32);
	for (uint32_t i = 0; i < TARGETS; i++)
		assert_true(b->got[i].up);
	for (int i = 0; i < BENCH_TURNS && (b->stats.started < TARGETS || b->stats.running > 0); i++)
		run_for(&b->bench, BENCH_TURN_MS);
	assert_int_equal(b->stats.targets, TARGETS);
	assert_int_equal(b->stats.started, TARGETS);
	assert_int_equal(b->stats.waiting, 0);
	assert_in_range(b->stats.queued, 1, TARGETS - 32);
	assert_in_range(b->stats.lateness_max_ns, NS_PER_S, 60 * NS_PER_S); /* three lots before them */
	assert_int_equal(recv(b->lines, &(char){0}, 1, 0), -1); /* much less than their interval */
}

/* When they are more than an interval late, that is said, and not for each of them. */
static void
who_waits_for_a_place_for_long_is_logged(void **state)
{
	struct bed *b = *state;
	char line[1024] = "";

	b->probes[1].interval_ms = b->probes[1].interval_fast_ms = 300;
	b->probes[1].timeout_ms = 2000;
	command(b, "exec sleep 0.5");
	for (uint32_t i = 0; i < TARGETS; i++)
		ask(b, i, i + 1);
	for (int i = 0; i < BENCH_TURNS && b->heard < TARGETS; i++)
		run_for(&b->bench, BENCH_TURN_MS);
	assert_true(recv(b->lines, line, sizeof(line) - 1, 0) > 0);
	assert_non_null(strstr(line + sizeof(struct log_relay_header),
		"event=probe server=web1 virtual=http reason=no-place late_ms="));
	assert_non_null(strstr(line + sizeof(struct log_relay_header), " running=31 waiting="));
	assert_int_equal(recv(b->lines, line, sizeof(line), 0), -1);
}

/* As soon as it runs the supervisor is held up for longer than half of the timeout, until it has ended. */
static void
hold_up(struct bed *b)
{
	struct timespec left = {.tv_nsec = 700 * NS_PER_MS};

	for (int i = 0; i < BENCH_TURNS && children_running() == 0 && b->bench.messages == 0; i++)
		run_for(&b->bench, BENCH_TURN_MS);
	while (nanosleep(&left, &left) == -1)
		assert_int_equal(errno, EINTR); /* it has ended */
}

static void
what_is_heard_while_held_up_is_void_and_asked_again(void **state)
{
	struct bed *b = *state;
	char ran[] = "/tmp/tandem-exec.XXXXXX", line[160];
	int fd = mkstemp(ran);

	assert_true(fd != -1 && fchmod(fd, 0666) == 0);
	b->probes[1].timeout_ms = 800;
	snprintf(line, sizeof(line),
		"echo x >> %s; [ $(wc -l < %s) -gt 1 ] || { sleep .35; exit 3; }", ran, ran);
	command(b, line);
	ask(b, 1, 1);
	hold_up(b);
	await(&b->bench, 1); /* and not in a minute, which is its interval */
	unlink(ran);
	close(fd);
	assert_true(b->got[1].up && b->got[1].probes == 1);
	run_for(&b->bench, 1100);
	assert_int_equal(b->stats.voided, 1);
	assert_int_equal(b->stats.started, 2);
}

static void
held_up_all_the_time_is_no_excuse(void **state)
{
	struct bed *b = *state;

	b->probes[1].timeout_ms = 800;
	command(b, "sleep .35; exit 3");
	ask(b, 1, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(b->bench.messages, 0);
		hold_up(b);
		run_for(&b->bench, 1);
	}
	await(&b->bench, 1);
	assert_false(b->got[1].up);
	run_for(&b->bench, 1100);
	assert_int_equal(b->stats.voided, 3);
}

static void
only_what_the_configuration_has_is_run(void **state)
{
	struct bed *b = *state;
	struct ipc_exec_set m = {.config = 2, .set = {.target = 1, .generation = 1, .urgent = true,
		.probe = 1, .address.addr.family = IP_V4}};

	command(b, "exit 0");
	exec_set(&b->bench.s, &m); /* of an older configuration */
	m.config = 3;
	m.set.probe = 0; /* no program */
	exec_set(&b->bench.s, &m);
	m.set.probe = 2; /* no row */
	exec_set(&b->bench.s, &m);
	run_for(&b->bench, 200);
	assert_int_equal(b->bench.messages, 0);
	ask(b, 1, 1);
	await(&b->bench, 1);
	ask(b, 1, 1); /* said again after a reload: it goes on in its own time */
	b->bench.s.generation = 4;
	run_for(&b->bench, 200);
	assert_int_equal(b->bench.messages, 1);
	exec_clear(&b->bench.s, 1);
	exec_clear(&b->bench.s, 1);
}

static int
as_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		return 0;
	puts("skipped: programs of another user can be run by root only");
	exit(77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_exit_status_is_the_verdict, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(it_gets_its_environment_and_nothing_of_ours, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_run_has_failed, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(exit_statuses_are_weights, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_hangs_is_killed_with_all_it_started, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(rise_and_fall_and_never_twice_at_once, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(so_many_run_at_once_and_no_more, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(who_waits_for_a_place_for_long_is_logged, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(what_is_heard_while_held_up_is_void_and_asked_again,
			bed_up, bed_down),
		cmocka_unit_test_setup_teardown(held_up_all_the_time_is_no_excuse, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(only_what_the_configuration_has_is_run, bed_up,
			bed_down),
	};

	return cmocka_run_group_tests(tests, as_root, NULL);
}
