/*
 * Runs the tests of the prober process, each in a process and a network namespace of its own.
 * Needs root: the prober opens raw sockets. With names as arguments runs those alone.
 */
#include "tests.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"first-result-decides", test_first_result_decides},
	{"rhythm-between-verdicts", test_rhythm_between_verdicts},
	{"starts-are-spread", test_starts_are_spread},
	{"local-error-is-not-counted", test_local_error_is_not_counted},
	{"stopped-prober-blames-nobody", test_stopped_prober_blames_nobody},
	{"stopped-prober-measures-nothing", test_stopped_prober_measures_nothing},
	{"lagging-results-are-void", test_lagging_results_are_void},
	{"always-lagging-prober-has-a-verdict", test_always_lagging_prober_has_a_verdict},
	{"void-crowd-is-no-storm", test_void_crowd_is_no_storm},
	{"slow-pool-gets-the-last-word", test_slow_pool_gets_the_last_word},
	{"new-pool-starts-from-nothing", test_new_pool_starts_from_nothing},
	{"generation-and-clear", test_generation_and_clear},
	{"timeout-beyond-the-interval", test_timeout_beyond_the_interval},
	{"few-descriptors", test_few_descriptors},
	{"privileges-are-gone", test_privileges_are_gone},
	{"stops-when-told", test_stops_when_told},
	{"half-open-is-never-accepted", test_half_open_is_never_accepted},
	{"data-path", test_data_path},
	{"echoes-leave-sockets-alone", test_echoes_leave_sockets_alone},
	{"marked-sockets", test_marked_sockets},
	{"agent", test_agent},
	{"udp", test_udp},
	{"dns", test_dns},
	{"address-apart", test_address_apart},
	{"two-thousand-targets", test_two_thousand_targets},
	{"sockets-are-used-again-after-a-crowd", test_sockets_are_used_again_after_a_crowd},
	{"hostile", test_hostile},
	{"web", test_web},
	{"http-cases", test_http_cases},
	{"http-requests", test_http_requests},
	{"source", test_source},
	{"source-taken-away", test_source_taken_away},
	{"routes", test_routes},
	{"ports-are-waited-for", test_ports_are_waited_for},
	{"ports-that-others-have", test_ports_that_others_have},
	{"keep-alive", test_keep_alive},
	{"keep-alive-with-few-descriptors", test_keep_alive_with_few_descriptors},
	{"cut-at-each-byte", test_cut_at_each_byte},
	{"cut-inside-tls", test_cut_inside_tls},
	{"mutated-answers", test_mutated_answers},
	{"https", test_https},
	{"https-system-bundle", test_https_system_bundle},
};

struct bench_probe
probe_of_type(uint8_t type)
{
	struct bench_probe set;

	memset(&set, 0, sizeof(set));
	set.probe.type = type;
	set.probe.interval_ms = 100;
	set.probe.timeout_ms = 80;
	set.probe.rise = 2;
	set.probe.fall = 3;
	if (type == CONF_PROBE_HTTP || type == CONF_PROBE_HTTPS) {
		strcpy(set.probe.path, "/health");
		strcpy(set.probe.body, "pool-member-is-well");
		set.probe.status[0] = (struct conf_status_range){200, 200};
		set.probe.status_count = 1;
	}
	return set;
}

static void *
accept_and_close(void *argument)
{
	int fd = (int)(intptr_t)argument, got;

	while ((got = accept(fd, NULL, NULL)) != -1 || errno == ECONNABORTED)
		if (got != -1)
			close(got);
	return NULL;
}

uint16_t
listen_on_any(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t thread;

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, length) == -1 || listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&thread, NULL, accept_and_close, (void *)(intptr_t)fd) != 0) {
		perror("listener");
		exit(1);
	}
	return ntohs(at.sin_port);
}

long
resident_kib(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

void
write_sysctl(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF) {
		perror(path);
		exit(1);
	}
}

/* The neighbours of a link are looked for three times, 1 s each, unless it is told otherwise. */
static void
look_for_neighbours_quickly(void)
{
	write_sysctl("/proc/sys/net/ipv4/neigh/alone0/retrans_time_ms", "20");
	write_sysctl("/proc/sys/net/ipv6/neigh/alone0/retrans_time_ms", "20");
}

void
link_without_neighbours(const char *address4, const char *address6)
{
	char command[128];

	ip("link add alone0 type veth peer name alone1");
	ip("link set alone0 up");
	ip("link set alone1 up");
	look_for_neighbours_quickly();
	if (address4 != NULL) {
		snprintf(command, sizeof(command), "address add %s dev alone0", address4);
		ip(command);
	}
	if (address6 != NULL) {
		snprintf(command, sizeof(command), "address add %s dev alone0 nodad", address6);
		ip(command);
	}
}

/* Passed and failed checks of one test; a test that dies failed. */
static void
run_one(size_t i, int counts[2])
{
	int (*shared)[2] = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	printf("# %s\n", tests[i].name);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == -1) {
			perror("a network namespace of its own (run as root)");
			exit(1);
		}
		ip("link set lo up");
		tests[i].run();
		(*shared)[0] = check_passes();
		(*shared)[1] = check_failures();
		exit(check_failures() != 0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1)
		status = -1;
	if (status != 0 && (*shared)[1] == 0) {
		printf("FAIL - %s died (status %d)\n", tests[i].name, status);
		(*shared)[1] = 1;
	}
	counts[0] += (*shared)[0];
	counts[1] += (*shared)[1];
	munmap(shared, sizeof(*shared));
}

/* All without arguments; `--part K N`: each Nth from K on; else those that are named. */
static bool
is_wanted(size_t i, int argc, char **argv)
{
	bool wanted = argc == 1;
	unsigned long parts;
	int a;

	if (argc == 4 && strcmp(argv[1], "--part") == 0) {
		parts = strtoul(argv[3], NULL, 10);
		return parts > 0 && i % parts == strtoul(argv[2], NULL, 10);
	}
	for (a = 1; a < argc; a++)
		wanted = wanted || strcmp(argv[a], tests[i].name) == 0;
	return wanted;
}

int
main(int argc, char **argv)
{
	int counts[2] = {0, 0};
	size_t i;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (is_wanted(i, argc, argv))
			run_one(i, counts);
	printf("%d passed, %d failed\n", counts[0], counts[1]);
	return counts[1] != 0 || counts[0] == 0;
}
