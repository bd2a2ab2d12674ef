/*
 * The thread that writes the files of the state directory, on a disk that hangs: fsync(2) is the
 * test's own, and comes back when the test says so. What must not wait is measured by what the disk
 * has done meanwhile, and not by a clock.
 */
#include "proc/pool_process.h"

#include "proc/state_file.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURNS = 1000, TURN_MS = 5, TEXT = 8192 };

static atomic_bool hangs;
static atomic_int synced_files, in_fsync, disk_error;

/* Called in the thread. */
int
fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	atomic_fetch_add(&in_fsync, 1);
	while (atomic_load(&hangs))
		usleep(1000);
	atomic_fetch_sub(&in_fsync, 1);
	synced_files += S_ISREG(st.st_mode);
	errno = atomic_load(&disk_error);
	return errno != 0 ? -1 : 0;
}

struct bed {
	struct pool pool;
	struct child child;
	char dir[64], log[TEXT];
	int relay;
};

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int relay[2];

	if (!b || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, relay) == -1)
		return -1;
	strcpy(b->dir, "/tmp/tandem-state-XXXXXX");
	if (!mkdtemp(b->dir))
		return -1;
	b->pool.child = &b->child;
	log_open(&b->child.log, 3 << 3, LOG_LEVEL_INFO, "bed");
	b->child.log.relay_fd = relay[0];
	b->relay = relay[1];
	b->child.state_dir = b->dir;
	b->pool.loop = ev_loop_new(EVFLAG_AUTO);
	atomic_store(&hangs, false);
	atomic_store(&synced_files, 0);
	atomic_store(&disk_error, 0);
	*state = b;
	return state_open(&b->pool);
}

static int
bed_down(void **state)
{
	struct bed *b = *state;
	char command[128];

	atomic_store(&hangs, false);
	state_close(&b->pool);
	ev_loop_destroy(b->pool.loop);
	log_close(&b->child.log);
	close(b->child.log.relay_fd);
	close(b->relay);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	free(b);
	return system(command);
}

static void
look_at_log(struct bed *b)
{
	char packet[sizeof(struct log_relay_header) + LIMIT_LOG_LINE];
	const size_t head = sizeof(struct log_relay_header);
	size_t length = strlen(b->log);
	ssize_t n;

	while ((n = recv(b->relay, packet, sizeof(packet), MSG_DONTWAIT)) > (ssize_t)head) {
		assert_true(length + (size_t)n - head + 2 < sizeof(b->log));
		memcpy(b->log + length, packet + head, (size_t)n - head);
		length += (size_t)n - head;
		strcpy(b->log + length++, "\n");
	}
}

static void
put(struct bed *b, enum pool_state_file file, const char *text)
{
	state_put(&b->pool, file, text, strlen(text));
}

static bool
holds(struct bed *b, enum pool_state_file file, const char *expected)
{
	char *text = NULL;
	size_t length;
	bool so = state_read(&b->pool, file, &text, &length) == 0 && strcmp(text, expected) == 0;

	free(text);
	return so;
}

static bool
is_pending(const struct bed *b, enum pool_state_file file)
{
	uint64_t number;

	return state_result(&b->pool, file, &number) == -EINPROGRESS;
}

/* Turns of the loop, until it is written or cannot be. */
static void
await(struct bed *b, enum pool_state_file file)
{
	for (int i = 0; i < TURNS && is_pending(b, file); i++) {
		poll(NULL, 0, TURN_MS);
		ev_run(b->pool.loop, EVRUN_NOWAIT);
	}
	assert_false(is_pending(b, file));
}

static void
await_the_hang(void)
{
	for (int i = 0; i < TURNS && atomic_load(&in_fsync) == 0; i++)
		poll(NULL, 0, TURN_MS);
	assert_int_equal(atomic_load(&in_fsync), 1);
}

static void
each_file_is_written(void **state)
{
	static const char *const names[] = {"services", "sysctls", "overrides", "names"};
	struct bed *b = *state;
	char *text;
	size_t length;

	for (int i = 0; i < STATE_FILES; i++) {
		put(b, (enum pool_state_file)i, names[i]);
		await(b, (enum pool_state_file)i);
		assert_true(holds(b, (enum pool_state_file)i, names[i]));
		assert_int_equal(state_file_read(b->dir, names[i], &text, &length), 0);
		assert_string_equal(text, names[i]);
		free(text);
	}
	assert_int_equal(atomic_load(&synced_files), 1); /* what operators asked for, and no more */
}

/* It is there when that returns, or the thread has had no turn for as long as is waited for it. */
static void
put_first(struct bed *b, enum pool_state_file file, const char *text)
{
	mono begun = mono_now();

	put(b, file, text);
	assert_true(holds(b, file, text) ||
		mono_diff_ns(mono_now(), begun) >= 100 * NS_PER_MS);
	await(b, file);
}

/* What is ours is remembered before it is programmed, the sysctls before they are changed. */
static void
what_comes_first_is_there_when_it_was_put(void **state)
{
	struct bed *b = *state;
	char text[16];

	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "%d", i);
		await(b, STATE_OVERRIDES);
		put(b, STATE_OVERRIDES, "in its way");
		put_first(b, STATE_SERVICES, text);
		put_first(b, STATE_SYSCTLS, text);
	}
}

static void
a_disk_that_hangs_holds_nobody_up(void **state)
{
	struct bed *b = *state;

	atomic_store(&hangs, true);
	put(b, STATE_OVERRIDES, "one");
	await_the_hang();
	put(b, STATE_OVERRIDES, "two");
	put(b, STATE_NAMES, "n");
	put(b, STATE_SERVICES, "s");
	put(b, STATE_SYSCTLS, "y");
	put(b, STATE_OVERRIDES, "three");
	assert_int_equal(atomic_load(&in_fsync), 1); /* it hangs, and we are here */
	for (int i = 0; i < STATE_FILES; i++)
		assert_true(is_pending(b, (enum pool_state_file)i));
	atomic_store(&hangs, false);
	for (int i = 0; i < STATE_FILES; i++)
		await(b, (enum pool_state_file)i);
	assert_true(holds(b, STATE_OVERRIDES, "three") && holds(b, STATE_NAMES, "n") &&
		holds(b, STATE_SERVICES, "s") && holds(b, STATE_SYSCTLS, "y"));
	assert_int_equal(atomic_load(&synced_files), 2); /* the second was never written */
}

/* A tenth of a second is waited for the first of them, and nothing for those after it. */
static void
behind_a_disk_that_hangs_nothing_is_waited_for(void **state)
{
	struct bed *b = *state;
	char text[16];
	mono begun;

	atomic_store(&hangs, true);
	put(b, STATE_OVERRIDES, "one");
	await_the_hang();
	put(b, STATE_SERVICES, "s");
	begun = mono_now();
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		put(b, STATE_SERVICES, text);
	}
	assert_true(mono_diff_ns(mono_now(), begun) < 5 * NS_PER_S); /* of ten, if each waited */
	atomic_store(&hangs, false);
	await(b, STATE_SERVICES);
	assert_true(holds(b, STATE_SERVICES, "99"));
	put_first(b, STATE_SERVICES, "waited for again");
}

static void
a_disk_that_hangs_is_told_once(void **state)
{
	struct bed *b = *state;

	atomic_store(&hangs, true);
	put(b, STATE_OVERRIDES, "one");
	await_the_hang();
	state_second(&b->pool);
	look_at_log(b);
	assert_string_equal(b->log, "");
	for (int i = 0; i < TURNS && b->log[0] == '\0'; i++) {
		poll(NULL, 0, TURN_MS);
		state_second(&b->pool);
		look_at_log(b);
	}
	assert_non_null(strstr(b->log, "event=pool reason=system"));
	assert_non_null(strstr(b->log, "does not answer"));
	assert_non_null(strstr(b->log, b->dir));
	b->log[0] = '\0';
	state_second(&b->pool);
	look_at_log(b);
	assert_string_equal(b->log, "");
}

static void
what_cannot_be_written_is_told_with_its_cause(void **state)
{
	struct bed *b = *state;
	uint64_t number;

	put(b, STATE_OVERRIDES, "old");
	await(b, STATE_OVERRIDES);
	assert_int_equal(state_result(&b->pool, STATE_OVERRIDES, &number), 0);
	atomic_store(&disk_error, ENOSPC);
	put(b, STATE_OVERRIDES, "new");
	await(b, STATE_OVERRIDES);
	assert_int_equal(state_result(&b->pool, STATE_OVERRIDES, &number), -ENOSPC);
	assert_int_equal(number, 2);
	look_at_log(b);
	assert_non_null(strstr(b->log, "cannot store the overrides of servers: a restart forgets them"));
	assert_non_null(strstr(b->log, "file=overrides error=\"No space left on device\""));
	assert_true(holds(b, STATE_OVERRIDES, "old"));
	atomic_store(&disk_error, 0);
	put(b, STATE_OVERRIDES, "newer");
	await(b, STATE_OVERRIDES);
	assert_int_equal(state_result(&b->pool, STATE_OVERRIDES, &number), 0);
}

/* Nor is a text for which there was no memory taken for one that is stored. */
static void
what_was_never_a_text_is_not_stored(void **state)
{
	struct bed *b = *state;
	uint64_t number;

	put(b, STATE_OVERRIDES, "old");
	await(b, STATE_OVERRIDES);
	state_put(&b->pool, STATE_OVERRIDES, NULL, 0);
	assert_int_equal(state_result(&b->pool, STATE_OVERRIDES, &number), -ENOMEM);
	look_at_log(b);
	assert_non_null(strstr(b->log, "file=overrides error=\"Cannot allocate memory\""));
	assert_true(holds(b, STATE_OVERRIDES, "old"));
}

static void
what_was_put_is_written_at_the_end(void **state)
{
	struct bed *b = *state;

	put(b, STATE_OVERRIDES, "one");
	put(b, STATE_OVERRIDES, "two");
	put(b, STATE_NAMES, "n");
	state_close(&b->pool);
	assert_null(b->pool.state);
	assert_true(holds(b, STATE_OVERRIDES, "two") && holds(b, STATE_NAMES, "n"));
}

/* A disk that never answers must not keep a process that was told to stop. */
static void
the_end_waits_for_a_second_only(void **state)
{
	struct bed *b = *state;

	atomic_store(&hangs, true);
	put(b, STATE_OVERRIDES, "one");
	await_the_hang();
	state_close(&b->pool);
	assert_int_equal(atomic_load(&in_fsync), 1);
	assert_non_null(b->pool.state); /* the thread has it still */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_file_is_written, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_comes_first_is_there_when_it_was_put, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(a_disk_that_hangs_holds_nobody_up, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(behind_a_disk_that_hangs_nothing_is_waited_for, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(a_disk_that_hangs_is_told_once, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_told_with_its_cause, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(what_was_never_a_text_is_not_stored, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_was_put_is_written_at_the_end, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(the_end_waits_for_a_second_only, bed_up, bed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
