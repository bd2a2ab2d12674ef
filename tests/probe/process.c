/* How the prober process behaves towards its supervisor, its pool and its own machine. */
#include "tests.h"

#include "ipc/channel.h"
#include "proc/handover.h"
#include "servers.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
target_known(struct bench *b, void *of)
{
	return b->seen[*(uint32_t *)of].any;
}

static bool
target_down(struct bench *b, void *of)
{
	const struct seen *s = &b->seen[*(uint32_t *)of];

	return s->any && !s->last.up;
}

static bool
target_up(struct bench *b, void *of)
{
	const struct seen *s = &b->seen[*(uint32_t *)of];

	return s->any && s->last.up;
}

/* Nothing listens there. */
static void
refused_address(struct endpoint *at)
{
	static struct server s = {.listening = LISTEN_REFUSE};

	server_start(&s, IP_V4);
	server_stop(&s);
	*at = s.at;
}

void
test_first_result_decides(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	uint32_t bad = 1, good = 2, slow = 3;
	mono began;

	set.probe.rise = set.probe.fall = 10;
	set.urgent = true;
	set.probe.interval_ms = 60000; /* urgent: not at its phase in that minute */
	refused_address(&set.address);
	began = mono_now();
	bench_set(b, bad, &set);
	set.address.port = listen_on_any();
	bench_set(b, good, &set);
	check(bench_until(b, 2000, target_down, &bad), "a first refusal says down");
	check(bench_until(b, 2000, target_up, &good), "a first success says up");
	check(mono_diff_ns(mono_now(), began) < 500 * NS_PER_MS,
		"urgent: known after %.1f ms", (double)mono_diff_ns(mono_now(), began) / 1e6);
	check(b->seen[bad].last.reason == REASON_TCP_REFUSED && b->seen[bad].last.probes == 1 &&
		b->seen[bad].last.failures == 1, "reason and counts of the refusal");
	check(b->seen[good].last.connect_ns > 0 && b->seen[good].last.connect_ns < NS_PER_S,
		"time to connect: %.3f ms", (double)b->seen[good].last.connect_ns / 1e6);
	/* a seed is a verdict: one result does not overturn it */
	set.probe.interval_ms = 100;
	set.probe.rise = 3;
	set.seed = PROBE_SEED_DOWN;
	bench_set(b, slow, &set);
	check(bench_until(b, 2000, target_known, &slow) && !b->seen[slow].last.up &&
		b->seen[slow].last.ok, "seeded down, one success: still down");
	bench_until(b, 2000, target_up, &slow);
	check(b->seen[slow].last.up && b->seen[slow].last.probes == 3, "up after %llu successes",
		(unsigned long long)b->seen[slow].last.probes);
	check(bench_stop(b), "stopped");
}

/*
 * Of ten failures three refusals of weight 4 are enough, whatever the kind of probe; a wrong answer
 * is no refusal. All on the fast rhythm of an hourly probe.
 */
void
test_rhythm_between_verdicts(void)
{
	static const struct {
		const char *name;
		uint8_t type;
		const char *address; /* NULL: where nobody listens */
		enum reason reason;
		uint64_t failures;
	} cases[] = {
		{"tcp", CONF_PROBE_TCP, NULL, REASON_TCP_REFUSED, 3},
		{"http", CONF_PROBE_HTTP, NULL, REASON_TCP_REFUSED, 3},
		{"https", CONF_PROBE_HTTPS, NULL, REASON_TCP_REFUSED, 3},
		{"udp", CONF_PROBE_UDP, NULL, REASON_UDP_REFUSED, 3},
		{"tcp, unreachable", CONF_PROBE_TCP, "192.0.2.9", REASON_UNREACHABLE, 3},
		{"udp, unreachable", CONF_PROBE_UDP, "192.0.2.9", REASON_UNREACHABLE, 3},
		{"http, a wrong answer", CONF_PROBE_HTTP, "127.0.0.1", REASON_HTTP_STATUS, 10},
	};
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	static struct server s = {.bad = bad_500};
	struct bench *b = bench_start(0);
	struct bench_probe set;
	uint32_t i, slow = CASES;
	bool down;

	server_start(&s, IP_V4);
	server_set_bad(&s, true);
	link_without_neighbours("192.0.2.1/24", NULL);
	for (i = 0; i < CASES; i++) {
		set = probe_of_type(cases[i].type);
		set.urgent = true;
		set.seed = PROBE_SEED_UP;
		set.probe.interval_ms = 3600000;
		set.probe.interval_fast_ms = 50;
		set.probe.timeout_ms = 500; /* longer than a neighbour is looked for */
		set.probe.fall = 10;
		set.probe.refusal_weight = 4;
		refused_address(&set.address);
		if (cases[i].address != NULL) {
			set.address = s.at;
			ip_addr_parse(cases[i].address, &set.address.addr);
		}
		bench_set(b, i, &set);
	}
	for (i = 0; i < CASES; i++) {
		down = bench_until(b, 3000, target_down, &i);
		check(down && b->seen[i].last.reason == cases[i].reason &&
			b->seen[i].last.failures == cases[i].failures,
			"%s: down on the fast rhythm after %llu failures, %s", cases[i].name,
			(unsigned long long)b->seen[i].last.failures,
			reason_tag((enum reason)b->seen[i].last.reason));
	}
	/* down at once, then slower than the interval says */
	set = probe_of_type(CONF_PROBE_TCP);
	set.urgent = true;
	set.seed = PROBE_SEED_DOWN;
	refused_address(&set.address);
	set.probe.interval_ms = 50;
	set.probe.interval_down_ms = 60000;
	bench_set(b, slow, &set);
	check(bench_until(b, 2000, target_down, &slow), "still down");
	bench_run(b, 1200);
	check(b->seen[slow].reports == 1 && b->seen[slow].last.probes == 1,
		"while down: %llu probes", (unsigned long long)b->seen[slow].last.probes);
	check(bench_stop(b), "stopped");
	server_stop(&s);
}

enum { STARTS = 40 };

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* When connections come, counted from the first in steps of the interval; sorted. Their number. */
static size_t
take_starts(int fd, int64_t interval_ns, int64_t offsets[STARTS])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	mono first = MONO_NEVER;
	size_t n = 0;
	int got;

	while (n < STARTS && poll(&p, 1, 1000) == 1 && (got = accept(fd, NULL, NULL)) != -1) {
		if (n == 0)
			first = mono_now();
		offsets[n] = mono_diff_ns(mono_now(), first) + interval_ns / 2;
		offsets[n] = offsets[n] % interval_ns - interval_ns / 2;
		n++;
		close(got);
	}
	qsort(offsets, n, sizeof(*offsets), by_size);
	return n;
}

/* By the share that is asked for and no more, on a rhythm that stays; without one hardly at all. */
void
test_starts_are_spread(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	int64_t offsets[STARTS], wide;
	size_t n, i;

	if (bind(fd, (struct sockaddr *)&at, size) == -1 || listen(fd, 100) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) == -1)
		perror("listener");
	ip_addr_parse("127.0.0.1", &set.address.addr);
	set.address.port = ntohs(at.sin_port);
	set.probe.interval_ms = 100;
	set.probe.timeout_ms = 40;
	for (i = 0; i < 2; i++) {
		set.probe.spread_percent = i == 0 ? 0 : 50;
		bench_set(b, 1, &set);
		n = take_starts(fd, 100 * NS_PER_MS, offsets);
		wide = n == STARTS ? offsets[STARTS - 5] - offsets[4] : -1; /* but for outliers */
		check(i == 0 ? wide >= 0 && wide < 8 * NS_PER_MS
			: wide > 20 * NS_PER_MS && wide < 60 * NS_PER_MS,
			"%u %% of 100 ms: starts are up to %.1f ms apart", set.probe.spread_percent,
			(double)wide / 1e6);
	}
	check(bench_stop(b), "stopped");
	close(fd);
}

void
test_local_error_is_not_counted(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	uint32_t tcp = 1, icmp = 2, fresh = 3;

	set.address.port = 80;
	ip_addr_parse("192.0.2.1", &set.address.addr); /* no route in this namespace */
	set.seed = PROBE_SEED_UP;
	bench_set(b, tcp, &set);
	set.probe.type = CONF_PROBE_ICMP;
	bench_set(b, icmp, &set);
	set.seed = PROBE_SEED_UNKNOWN;
	bench_set(b, fresh, &set);
	bench_run(b, 1500);
	check(b->seen[tcp].last.reason == REASON_LOCAL_ERROR && b->seen[tcp].last.up &&
		!b->seen[tcp].last.ok, "tcp without a route: local-error, still up");
	check(b->seen[icmp].last.reason == REASON_LOCAL_ERROR && b->seen[icmp].last.up,
		"icmp without a route: local-error, still up");
	check(b->seen[tcp].last.probes >= 8 && b->seen[tcp].last.failures == 0,
		"%llu probes, none of them a failure",
		(unsigned long long)b->seen[tcp].last.probes);
	check(b->seen[fresh].any && b->seen[fresh].last.reason == REASON_LOCAL_ERROR,
		"reported before anything else is known");
	check(b->seen[tcp].reports <= 4, "not every one of them is reported (%llu were)",
		(unsigned long long)b->seen[tcp].reports);
	check(bench_stop(b), "stopped");
}

/*
 * The process is held up for longer than a timeout: the probes in flight meet their deadlines
 * unserved. That is nobody's failure but ours. A server that really is silent is still found out.
 */
void
test_stopped_prober_blames_nobody(void)
{
	enum { GOOD = 20, SILENT = 20, HOLDS = 3 };
	static struct server servers[GOOD + 1];
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);
	uint64_t failures = 0;
	uint32_t i, silent = SILENT;

	set.probe.fall = 1;
	set.probe.interval_ms = 50;
	set.probe.timeout_ms = 200;
	for (i = 0; i <= GOOD; i++) {
		servers[i].bad = bad_silent;
		server_start(&servers[i], IP_V4);
		set.address = servers[i].at;
		bench_set(b, i, &set);
	}
	bench_run(b, 500);
	for (i = 0; i < HOLDS; i++) {
		kill(b->pid, SIGSTOP);
		usleep(700000);
		kill(b->pid, SIGCONT);
		bench_run(b, 300);
	}
	for (i = 0; i < GOOD; i++)
		failures += b->seen[i].last.failures;
	check(failures == 0, "held up three times for 700 ms: %llu failures of good servers",
		(unsigned long long)failures);
	server_set_bad(&servers[SILENT], true);
	check(bench_until(b, 3000, target_down, &silent) &&
		b->seen[SILENT].last.reason == REASON_HTTP_TIMEOUT,
		"a server that is silent goes down afterwards");
	check(bench_stop(b), "stopped");
	for (i = 0; i <= GOOD; i++)
		server_stop(&servers[i]);
}

/* An answer that came while the process was held up is good, but how long it took nobody knows. */
void
test_stopped_prober_measures_nothing(void)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\npool-member-is-well";
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one;
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char request[512];

	bind(fd, (struct sockaddr *)&at, size);
	listen(fd, 8);
	getsockname(fd, (struct sockaddr *)&at, &size);
	ip_addr_parse("127.0.0.1", &set.address.addr);
	set.address.port = ntohs(at.sin_port);
	set.urgent = true;
	set.probe.interval_ms = set.probe.interval_fast_ms = 60000;
	set.probe.timeout_ms = 5000;
	bench_set(b, 0, &set);
	check(poll(&p, 1, 3000) == 1, "the prober asks");
	one = accept(fd, NULL, NULL);
	check(read(one, request, sizeof(request)) > 0, "a whole request");
	kill(b->pid, SIGSTOP);
	check(write(one, answer, sizeof(answer) - 1) > 0, "is answered while the prober is held up");
	usleep(400000);
	kill(b->pid, SIGCONT);
	bench_run(b, 500);
	check(b->seen[0].any && b->seen[0].last.ok, "which is good (%s)",
		reason_tag((enum reason)b->seen[0].last.reason));
	check(b->seen[0].last.answer_ns == -1 && b->seen[0].last.connect_ns == -1,
		"and not measured (%lld ns)", (long long)b->seen[0].last.answer_ns);
	check(bench_stop(b), "stopped");
	close(one);
	close(fd);
}

void
test_slow_pool_gets_the_last_word(void)
{
	enum { TARGETS = 40 };
	static struct server s = {.bad = bad_500};
	struct bench *b = bench_start(2048); /* room for a few reports */
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);
	uint32_t i, right = 0;

	server_start(&s, IP_V4);
	set.address = s.at;
	set.probe.timeout_ms = 1000;
	set.probe.interval_ms = 300;
	for (i = 0; i < TARGETS; i++)
		bench_set(b, i, &set);
	bench_run(b, 1000);
	for (i = 0; i < TARGETS; i++)
		right += b->seen[i].last.up;
	check(right == TARGETS, "%u of %d targets up", right, TARGETS);
	server_set_bad(&s, true);
	usleep(2500000); /* the pool does not read */
	bench_run(b, 500);
	for (right = 0, i = 0; i < TARGETS; i++)
		right += !b->seen[i].last.up && b->seen[i].last.reason == REASON_HTTP_STATUS;
	check(right == TARGETS, "after silence of the pool %u of %d are known to be down", right,
		TARGETS);
	check(bench_stop(b), "stopped");
	server_stop(&s);
}

void
test_new_pool_starts_from_nothing(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	struct pollfd p = {.events = POLLIN};
	static struct channel_message m;
	uint32_t target = 7;
	int old, got;

	set.address.port = listen_on_any();
	ip_addr_parse("127.0.0.1", &set.address.addr);
	bench_set(b, target, &set);
	check(bench_until(b, 2000, target_up, &target), "the first pool has its target");
	bench_new_pool(b, 0, &old);
	p.fd = old;
	do
		got = poll(&p, 1, 2000) == 1 ? channel_receive(old, &m) : 0;
	while (got == 1);
	check(got == -1, "the old channel is closed");
	close(old);
	bench_run(b, 1500);
	check(!b->seen[target].any, "the second pool hears of no target that it did not set");
	bench_set(b, target, &set);
	check(bench_until(b, 2000, target_up, &target) && b->seen[target].last.probes == 1,
		"set again, it starts from nothing");
	close(b->pool); /* a pool that dies takes its targets along */
	usleep(200000);
	b->pool = -1;
	bench_new_pool(b, 0, NULL);
	bench_run(b, 500);
	check(!b->seen[target].any, "a pool died: its successor hears of nothing");
	check(bench_stop(b), "stopped");
}

void
test_generation_and_clear(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP), wrong;
	uint32_t target = 3, other = 4;
	uint64_t reports;

	refused_address(&set.address);
	set.probe.fall = 1;
	set.seed = PROBE_SEED_UP;
	bench_set(b, target, &set);
	check(bench_until(b, 2000, target_down, &target), "down under the first generation");
	set.address.port = listen_on_any();
	bench_set(b, target, &set);
	check(bench_until(b, 2000, target_up, &target) &&
		b->seen[target].last.generation == b->generation,
		"moved to a good port: up under generation %u", b->generation);
	bench_clear(b, target);
	bench_run(b, 200);
	reports = b->seen[target].reports;
	bench_run(b, 1500);
	check(b->seen[target].reports == reports, "cleared: no report any more");
	/* what makes no sense is refused, and harms nobody */
	wrong = set;
	wrong.probe.type = 77;
	bench_set(b, other, &wrong);
	wrong = set;
	wrong.probe.timeout_ms = 0;
	bench_set(b, other, &wrong);
	wrong = set;
	memset(wrong.probe.path, 'x', sizeof(wrong.probe.path));
	bench_set(b, other, &wrong);
	channel_send(b->pool, IPC_PROBE_SET, "short", 5, -1);
	channel_send(b->pool, 9999, NULL, 0, 0);
	bench_run(b, 500);
	check(!b->seen[other].any, "nonsense is not probed");
	bench_set(b, other, &set);
	check(bench_until(b, 2000, target_up, &other), "sense afterwards is");
	check(bench_stop(b), "stopped");
}

void
test_timeout_beyond_the_interval(void)
{
	enum { INTERVAL_MS = 100, TIMEOUT_MS = 350, FOR_MS = 2000 };
	static struct server s = {.bad = bad_silent};
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);
	uint64_t accepted;

	server_start(&s, IP_V4);
	server_set_bad(&s, true);
	set.address = s.at;
	set.probe.interval_ms = INTERVAL_MS;
	set.probe.timeout_ms = TIMEOUT_MS;
	bench_set(b, 0, &set);
	bench_run(b, FOR_MS);
	accepted = atomic_load(&s.accepted);
	/* each takes 350 ms and starts on the next multiple of 100: every 400 ms */
	check(accepted >= 3 && accepted <= FOR_MS / 400 + 1,
		"one probe at a time: %llu in %d ms", (unsigned long long)accepted, FOR_MS);
	check(b->seen[0].last.reason == REASON_HTTP_TIMEOUT && !b->seen[0].last.up,
		"and it is down");
	check(bench_stop(b), "stopped");
	server_stop(&s);
}

/* A prober that may have `count` descriptors. */
static struct bench *
start_with_descriptors(rlim_t count)
{
	struct rlimit before, few;
	struct bench *b;

	getrlimit(RLIMIT_NOFILE, &before);
	few = (struct rlimit){.rlim_cur = count, .rlim_max = count};
	if (setrlimit(RLIMIT_NOFILE, &few) == -1)
		perror("setrlimit");
	b = bench_start(0);
	setrlimit(RLIMIT_NOFILE, &before);
	return b;
}

/*
 * Ten probes may be in flight, and sixty are due at about the same time; forty of them hold their
 * place until the deadline. The rest wait their turn; nobody's lack of descriptors is a failure.
 */
void
test_few_descriptors(void)
{
	enum { SILENT = 40, GOOD = 20, SPARE = 64, PLACES = 10 };
	static struct server silent = {.bad = bad_silent}, good;
	struct bench *b = start_with_descriptors(SPARE + PLACES);
	struct bench_probe set = probe_of_type(CONF_PROBE_HTTP);
	uint32_t i, down = 0, up = 0, failures = 0;

	server_start(&silent, IP_V4);
	server_start(&good, IP_V4);
	server_set_bad(&silent, true);
	set.probe.interval_ms = 1000;
	set.probe.timeout_ms = 200;
	set.urgent = true;
	for (i = 0; i < SILENT + GOOD; i++) {
		set.address = i < SILENT ? silent.at : good.at;
		bench_set(b, i, &set);
	}
	bench_run(b, 3000);
	for (i = 0; i < SILENT; i++)
		down += b->seen[i].any && b->seen[i].last.reason == REASON_HTTP_TIMEOUT;
	for (; i < SILENT + GOOD; i++) {
		up += b->seen[i].last.up;
		failures += (uint32_t)b->seen[i].last.failures;
	}
	check(down == SILENT, "%u of %d silent servers down by timeout", down, SILENT);
	check(up == GOOD && failures == 0, "%u of %d good servers up, %u failures", up, GOOD,
		failures);
	check(bench_stop(b), "stopped");
	server_stop(&silent);
	server_stop(&good);
}

/* The value of a line of /proc/PID/status. */
static void
status_line(pid_t pid, const char *key, char *out, size_t size)
{
	char path[64], line[256];
	size_t length = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	out[0] = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, length) == 0 && line[length] == ':') {
			snprintf(out, size, "%s", line + length + 2);
			out[strcspn(out, "\n")] = '\0';
		}
	if (f != NULL)
		fclose(f);
}

void
test_privileges_are_gone(void)
{
	static const struct {
		const char *key, *value;
	} expected[] = {
		{"Uid", "65534\t65534\t65534\t65534"},
		{"Gid", "65534\t65534\t65534\t65534"},
		{"Groups", " "},
		{"CapInh", "0000000000000000"},
		{"CapPrm", "0000000000000000"},
		{"CapEff", "0000000000000000"},
		{"CapBnd", "0000000000000000"},
		{"CapAmb", "0000000000000000"},
		{"NoNewPrivs", "1"},
		{"Seccomp", "2"},
	};
	struct bench *b = bench_start(0);
	char value[128];
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		status_line(b->pid, expected[i].key, value, sizeof(value));
		if (TANDEM_SANITIZERS && strcmp(expected[i].key, "Seccomp") == 0)
			continue; /* privileges.h: sanitizers make calls of their own */
		check(strncmp(value, expected[i].value, strlen(expected[i].value)) == 0 ||
			(i == 2 && value[0] == '\0'), "%s: %s", expected[i].key, value);
	}
	check(bench_stop(b), "stopped");
}

void
test_stops_when_told(void)
{
	struct bench *b = bench_start(0);
	int64_t alive, later;
	int status = -1, i;

	for (i = 0, alive = 0; i < 100 && alive == 0; i++) {
		usleep(5000);
		alive = atomic_load(&b->handover->alive_ns[handover_slot(PROCESS_PROBER, 0)]);
	}
	usleep(400000);
	later = atomic_load(&b->handover->alive_ns[handover_slot(PROCESS_PROBER, 0)]);
	check(alive > 0 && later > alive, "signs of life: %.0f ms apart",
		(double)(later - alive) / 1e6);
	channel_send(b->supervisor, IPC_STOP, NULL, 0, -1);
	for (i = 0; i < 1000 && waitpid(b->pid, &status, WNOHANG) == 0; i++)
		usleep(1000);
	check(i < 1000 && WIFEXITED(status) && WEXITSTATUS(status) == 0,
		"IPC_STOP: exit 0 after %d ms", i);
	bench_free(b);
	b = bench_start(0);
	check(bench_stop(b), "the supervisor's channel closed: exit 0");
}

static double
cpu_seconds(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system_time = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		"%lu %lu", &user, &system_time) != 2)
		user = system_time = 0;
	if (f != NULL)
		fclose(f);
	return (double)(user + system_time) / (double)sysconf(_SC_CLK_TCK);
}

/* 2,000 servers each second on one prober: every one is probed each second, none is blamed. */
void
test_two_thousand_targets(void)
{
	enum { TARGETS = 2000, SECONDS = 4 };
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	uint64_t probes = 0, failures = 0, least = UINT64_MAX;
	double cpu;
	uint32_t i;

	set.address.port = listen_on_any();
	set.probe.interval_ms = 1000;
	set.probe.timeout_ms = 900;
	for (i = 0; i < TARGETS; i++) {
		set.address.addr = (struct ip_addr){.family = IP_V4,
			.bytes = {127, 1, (uint8_t)(i >> 8), (uint8_t)i}};
		bench_set(b, i, &set);
	}
	bench_run(b, 1200);
	cpu = cpu_seconds(b->pid);
	bench_run(b, SECONDS * 1000);
	cpu = cpu_seconds(b->pid) - cpu;
	for (i = 0; i < TARGETS; i++) {
		const struct seen *s = &b->seen[i];

		probes += s->last.probes;
		failures += s->last.failures;
		least = s->last.probes < least ? s->last.probes : least;
	}
	check(failures == 0, "%llu probes of %d targets, %llu failures",
		(unsigned long long)probes, TARGETS, (unsigned long long)failures);
	check(least >= SECONDS, "every target was probed at least %llu times in %d s",
		(unsigned long long)least, SECONDS + 1);
	printf("# %.1f us of processor time a probe, %ld KiB resident\n",
		cpu * 1e6 / (TARGETS * SECONDS), resident_kib(b->pid));
	check(bench_stop(b), "stopped");
}

static atomic_bool crowd_served;

/* Says a byte to each, but to nobody before it is told to. */
static void *
serve_crowd(void *argument)
{
	int fd = (int)(intptr_t)argument, got;

	while (!atomic_load(&crowd_served))
		usleep(1000);
	while ((got = accept(fd, NULL, NULL)) != -1 || errno == ECONNABORTED)
		if (got != -1) {
			(void)!send(got, "x", 1, MSG_NOSIGNAL);
			close(got);
		}
	return NULL;
}

static uint16_t
crowd_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pthread_t thread;

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, length) == -1 || listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) == -1 ||
	    pthread_create(&thread, NULL, serve_crowd, (void *)(intptr_t)fd) != 0) {
		perror("crowd");
		exit(1);
	}
	return ntohs(at.sin_port);
}

enum { CROWD = 1500 };

static bool
all_running(struct bench *b, void *of)
{
	(void)of;
	return b->stats.running == CROWD;
}

static bool
all_heard(struct bench *b, void *of)
{
	uint32_t i;

	(void)of;
	for (i = 0; i < CROWD && b->seen[i].any; i++)
		continue;
	return i == CROWD && b->stats.running < CROWD / 10;
}

static bool
half_begun_since(struct bench *b, void *of)
{
	const struct ipc_prober_stats *then = of;

	return b->stats.started - then->started > CROWD / 2;
}

/* More probes at once than sockets are kept: those that come after them have sockets all the same. */
void
test_sockets_are_used_again_after_a_crowd(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	struct ipc_prober_stats then;
	uint32_t i;

	set.address.port = crowd_port();
	set.urgent = true;
	set.probe.interval_ms = 6000;
	set.probe.timeout_ms = 5900;
	set.probe.answer = (struct conf_bytes){.length = 1, .bytes = "x"};
	for (i = 0; i < CROWD; i++) {
		set.address.addr = (struct ip_addr){.family = IP_V4,
			.bytes = {127, 1, (uint8_t)(i >> 8), (uint8_t)i}};
		bench_set(b, i, &set);
	}
	check(bench_until(b, 5000, all_running, NULL), "%u probes wait for an answer at once", CROWD);
	atomic_store(&crowd_served, true);
	check(bench_until(b, 5000, all_heard, NULL), "all are answered");
	then = b->stats;
	check(bench_until(b, 10000, half_begun_since, &then), "they are asked again");
	check(b->stats.sockets - then.sockets < CROWD / 20,
		"%llu probes after that, %llu new sockets",
		(unsigned long long)(b->stats.started - then.started),
		(unsigned long long)(b->stats.sockets - then.sockets));
	check(bench_stop(b), "stopped");
}
