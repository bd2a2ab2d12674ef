/* What is given up is gone: every case in a child of its own, judged from outside by its end. */
#include <config.h>

#include "bed.h"

#include "linux/privileges.h"
#include "proc/prober_calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A line of /proc/thread-self/status, as a number of that base. */
static unsigned long long
status_line(const char *key, int base)
{
	FILE *f = fopen("/proc/thread-self/status", "r");
	unsigned long long value = ~0ULL;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			value = strtoull(line + strlen(key) + 1, NULL, base);
	if (f)
		fclose(f);
	return value;
}

/* Runs `body` in a child; its wait status. The body returns 0 or the number of the failed check. */
static int
in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define CHECK(condition) do { if (!(condition)) return __LINE__ % 251 + 1; } while (0)

static void
expect_success(int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("child: %s %d", WIFEXITED(status) ? "check at line (modulo 251) + 1 ="
			: "killed by", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int
keep_two(void)
{
	static const int kept[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	unsigned long long mask = 1ULL << CAP_NET_ADMIN | 1ULL << CAP_NET_RAW;

	CHECK(privileges_keep(kept, 2) == 0);
	CHECK(status_line("CapEff", 16) == mask);
	CHECK(status_line("CapPrm", 16) == mask);
	CHECK((status_line("CapBnd", 16) & ~mask) == 0);
	CHECK(status_line("CapAmb", 16) == 0);
	CHECK(status_line("CapInh", 16) == 0);
	CHECK(status_line("NoNewPrivs", 10) == 1);
	CHECK(getuid() == 0);
	CHECK(socket(AF_INET, SOCK_RAW, 112) != -1);            /* CAP_NET_RAW */
	CHECK(sethostname("x", 1) == -1 && errno == EPERM);     /* CAP_SYS_ADMIN */
	CHECK(setuid(1) == -1 && errno == EPERM);               /* CAP_SETUID */
	return 0;
}

static void
test_keep(void **state)
{
	(void)state;
	expect_success(in_child(keep_two));
}

static int
keep_nothing(void)
{
	CHECK(privileges_keep(NULL, 0) == 0);
	CHECK(status_line("CapEff", 16) == 0);
	CHECK(status_line("CapBnd", 16) == 0);
	CHECK(socket(AF_INET, SOCK_RAW, 112) == -1 && errno == EPERM);
	CHECK(!privileges_sufficient(fopen("/dev/null", "w")));
	return 0;
}

static void
test_keep_nothing(void **state)
{
	(void)state;
	expect_success(in_child(keep_nothing));
}

static int
nobody(void)
{
	int before = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	gid_t groups[64];

	CHECK(before != -1);
	CHECK(privileges_become_nobody() == 0);
	CHECK(getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
	CHECK(getgroups(64, groups) == 0);
	CHECK(status_line("CapEff", 16) == 0);
	CHECK(status_line("CapPrm", 16) == 0);
	CHECK(status_line("CapBnd", 16) == 0);
	CHECK(status_line("NoNewPrivs", 10) == 1);
	CHECK(setuid(0) == -1);
	CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) == -1 && errno == EPERM);
	CHECK(access("/etc/shadow", R_OK) == -1);
	CHECK(send(before, "", 0, 0) == -1 && errno == EDESTADDRREQ); /* still a socket of ours */
	return 0;
}

static void
test_become_nobody(void **state)
{
	(void)state;
	expect_success(in_child(nobody));
}

static int
sufficient(void)
{
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	static const int kept[] = {CAP_NET_RAW};
	bool before = privileges_sufficient(out), after;

	CHECK(before && ftell(out) == 0);
	CHECK(privileges_keep(kept, 1) == 0);
	after = privileges_sufficient(out);
	fclose(out);
	CHECK(!after);
	CHECK(strstr(text, "CAP_NET_ADMIN"));
	CHECK(!strstr(text, "CAP_NET_RAW"));
	CHECK(strchr(text, '\n') == text + strlen(text) - 1);
	return 0;
}

static void
test_what_is_missing_is_named(void **state)
{
	(void)state;
	expect_success(in_child(sufficient));
}

#define CALL(call) {.name = call}
static const struct privileges_call few[] = {CALL("write"), CALL("exit"), CALL("exit_group"),
	CALL("futex"), CALL("clock_nanosleep"), CALL("nanosleep"), CALL("madvise"), CALL("munmap"),
	CALL("rt_sigprocmask"), CALL("set_robust_list"), CALL("rseq")};

static int
allowed_call(void)
{
	CHECK(privileges_seccomp(few, sizeof(few) / sizeof(few[0])) == 0);
	CHECK(write(2, "", 0) == 0);
	return 0;
}

static int
forbidden_call(void)
{
	CHECK(privileges_seccomp(few, sizeof(few) / sizeof(few[0])) == 0);
	syscall(SYS_getppid);
	return 0;
}

static void *
call_later(void *argument)
{
	struct timespec t = {0, 50000000};

	(void)argument;
	nanosleep(&t, NULL);
	syscall(SYS_getppid);
	return NULL;
}

/* The filter is laid by one thread and holds for one that ran before. */
static int
forbidden_call_of_a_thread(void)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, call_later, NULL) == 0);
	CHECK(privileges_seccomp(few, sizeof(few) / sizeof(few[0])) == 0);
	pthread_join(thread, NULL);
	return 0;
}

static int
misspelt(void)
{
	static const struct privileges_call names[] = {CALL("write"), CALL("exit_group"), CALL("wrtie")};

	CHECK(privileges_seccomp(names, 3) == (TANDEM_SANITIZERS ? 0 : -EINVAL));
	return 0;
}

static void
expect_kill(int status)
{
	if (TANDEM_SANITIZERS) /* no filter there: the call goes through */
		expect_success(status);
	else if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("not killed by SIGSYS: status %x", (unsigned)status);
}

static void
test_seccomp(void **state)
{
	(void)state;
	expect_success(in_child(allowed_call));
	expect_kill(in_child(forbidden_call));
	expect_kill(in_child(forbidden_call_of_a_thread));
	expect_success(in_child(misspelt));
}

/* --- the prober's --- */

static char page[4096] __attribute__((aligned(4096)));

static int
prober_lives(void)
{
	void *memory;

	CHECK(prober_calls_confine() == 0);
	memory = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(mprotect(memory, sizeof(page), PROT_READ) == 0);
	CHECK(socket(AF_INET, SOCK_STREAM, 0) != -1);
	CHECK(socket(AF_INET6, SOCK_DGRAM, 0) != -1);
	return 0;
}

static int
prober_maps_what_it_can_execute(void)
{
	CHECK(prober_calls_confine() == 0);
	mmap(NULL, sizeof(page), PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return 0;
}

static int
prober_makes_memory_executable(void)
{
	CHECK(prober_calls_confine() == 0);
	mprotect(page, sizeof(page), PROT_READ | PROT_WRITE | PROT_EXEC);
	return 0;
}

static int
prober_looks_for_syslog(void)
{
	CHECK(prober_calls_confine() == 0);
	socket(AF_UNIX, SOCK_DGRAM, 0);
	return 0;
}

static int
prober_asks_the_kernel(void)
{
	CHECK(prober_calls_confine() == 0);
	socket(AF_NETLINK, SOCK_RAW, 0);
	return 0;
}

static void
test_prober(void **state)
{
	(void)state;
	expect_success(in_child(prober_lives));
	expect_kill(in_child(prober_maps_what_it_can_execute));
	expect_kill(in_child(prober_makes_memory_executable));
	expect_kill(in_child(prober_looks_for_syslog));
	expect_kill(in_child(prober_asks_the_kernel));
}

static void *
policy_of_thread(void *argument)
{
	struct sched_param param;

	(void)argument;
	sched_getparam(0, &param);
	return (void *)(intptr_t)(sched_getscheduler(0) * 1000 + param.sched_priority);
}

/* Is there enough memory and can threads be made, with everything given up and memory locked? */
static int
live_on(void)
{
	static const int kept[] = {CAP_NET_ADMIN, CAP_NET_RAW};
	size_t size = 64 << 20;
	pthread_t thread;
	void *policy;
	char *memory;

	CHECK(privileges_keep(kept, 2) == 0);
	memory = malloc(size);
	CHECK(memory);
	memset(memory, 1, size);
	free(memory);
	CHECK(pthread_create(&thread, NULL, policy_of_thread, NULL) == 0);
	CHECK(pthread_join(thread, &policy) == 0);
	CHECK((intptr_t)policy == SCHED_RR * 1000 + 3); /* threads made later have it, too */
	return 0;
}

static int
realtime(void)
{
	int error = realtime_enter(3);
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(sched_getscheduler(0) == SCHED_RR);
	if (TANDEM_SANITIZERS) {
		CHECK(error == 0);
	} else if (limit.rlim_cur == RLIM_INFINITY) {
		CHECK(error == 0);
		CHECK(status_line("VmLck", 10) > 0);
	} else { /* a container that may not raise the limit */
		CHECK(error == -EPERM);
		CHECK(status_line("VmLck", 10) == 0);
	}
	return live_on();
}

static int
realtime_refused(void)
{
	CHECK(privileges_keep(NULL, 0) == 0);
	CHECK(realtime_enter(3) < 0);
	CHECK(sched_getscheduler(0) == SCHED_OTHER);
	return 0;
}

static int
runaway(void)
{
	time_t begun = time(NULL);

	realtime_enter(1);
	CHECK(sched_getscheduler(0) == SCHED_RR);
	while (time(NULL) < begun + 15)
		;
	return 0;
}

static void
test_realtime(void **state)
{
	int status;

	(void)state;
	expect_success(in_child(realtime));
	expect_success(in_child(realtime_refused));
	status = in_child(runaway);
	assert_true(WIFSIGNALED(status));
	assert_true(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_keep_nothing),
		cmocka_unit_test(test_become_nobody),
		cmocka_unit_test(test_what_is_missing_is_named),
		cmocka_unit_test(test_seccomp),
		cmocka_unit_test(test_prober),
		cmocka_unit_test(test_realtime),
	};

	return cmocka_run_group_tests(tests, bed_setup, bed_teardown);
}
