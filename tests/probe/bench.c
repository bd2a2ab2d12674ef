/* The bench. See bench.h. */
#include "bench.h"

#include "conf/pack.h"
#include "ipc/channel.h"
#include "linux/marked_socket.h"
#include "proc/child.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- the process -------------------------------------------------------------------------- */

static _Noreturn void
become_prober(int supervisor, struct handover *handover)
{
	struct child child = {.role = PROCESS_PROBER, .name = "prober", .index = 0,
		.supervisor_fd = supervisor, .run_dir = "/nonexistent", .state_dir = "/nonexistent",
		.handover = handover};

	signal(SIGPIPE, SIG_IGN);
	log_open(&child.log, 3 << 3, LOG_LEVEL_INFO, "bench");
	child.log.relay_fd = -1;
	child.log.relay_only = true; /* as the supervisor's children are; nobody listens */
	prober_main(&child);
}

static void
await_ready(const struct bench *b)
{
	static struct channel_message m;
	struct pollfd p = {.fd = b->supervisor, .events = POLLIN};

	if (poll(&p, 1, 5000) != 1 || channel_receive(b->supervisor, &m) != 1 ||
	    m.kind != IPC_READY) {
		fprintf(stderr, "the prober did not become ready (does it run as root?)\n");
		exit(1);
	}
}

void
bench_new_pool(struct bench *b, int pool_buffer, int *keep)
{
	struct ipc_peer peer = {.role = PROCESS_POOL};
	int ends[2];

	if (channel_pair(ends) == -1)
		die("channel_pair");
	if (pool_buffer > 0)
		setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &pool_buffer, sizeof(pool_buffer));
	if (channel_send(b->supervisor, IPC_PEER, &peer, sizeof(peer), ends[1]) == -1)
		die("IPC_PEER");
	close(ends[1]);
	if (keep != NULL)
		*keep = b->pool;
	else if (b->pool != -1)
		close(b->pool);
	b->pool = ends[0];
	memset(b->seen, 0, sizeof(b->seen));
	memset(&b->told, 0, sizeof(b->told));
}

struct bench *
bench_start(int pool_buffer)
{
	struct bench *b = calloc(1, sizeof(*b));
	int ends[2];

	if (b == NULL || channel_pair(ends) == -1)
		die("bench");
	b->pool = -1;
	b->handover = mmap(NULL, sizeof(*b->handover), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->handover == MAP_FAILED)
		die("mmap");
	fflush(stdout);
	b->pid = fork();
	if (b->pid == -1)
		die("fork");
	if (b->pid == 0) {
		close(ends[0]);
		become_prober(ends[1], b->handover);
	}
	close(ends[1]);
	b->supervisor = ends[0];
	await_ready(b);
	bench_new_pool(b, pool_buffer, NULL);
	return b;
}

void
bench_free(struct bench *b)
{
	close(b->supervisor);
	close(b->pool);
	munmap(b->handover, sizeof(*b->handover));
	free(b);
}

bool
bench_stop(struct bench *b)
{
	int status = -1, i;
	bool good = false;

	shutdown(b->supervisor, SHUT_RDWR);
	for (i = 0; i < 1000; i++) {
		if (waitpid(b->pid, &status, WNOHANG) == b->pid) {
			good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
			break;
		}
		usleep(1000);
	}
	if (i == 1000) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, &status, 0);
	}
	bench_free(b);
	return good;
}

/* --- messages ----------------------------------------------------------------------------- */

/* A table with this one way to probe. */
static void
send_table(struct bench *b, const struct bench_probe *set)
{
	struct conf_probe row = set->probe;
	struct conf_ca ca = {.length = set->ca != NULL ? (uint32_t)strlen(set->ca) : 0};
	struct config c = {.probes = &row, .probe_count = 1};
	struct ipc_probe_table table = {.count = 1};
	int memfd;

	if (set->ca != NULL) {
		memcpy(ca.path, row.ca_file, sizeof(ca.path));
		c.cas = &ca;
		c.ca_count = 1;
		c.ca_bytes = (struct conf_byte *)(uintptr_t)set->ca;
		c.ca_byte_count = ca.length;
	}
	memfd = config_pack_probes(&c);

	if (memfd == -1)
		die("config_pack_probes");
	while (channel_send(b->pool, IPC_PROBE_TABLE, &table, sizeof(table), memfd) == -1) {
		if (errno != EAGAIN)
			die("IPC_PROBE_TABLE");
		usleep(1000);
	}
	close(memfd);
}

void
bench_set(struct bench *b, uint32_t target, const struct bench_probe *set)
{
	struct ipc_probe_set message = {.target = target, .generation = ++b->generation,
		.seed = set->seed, .urgent = set->urgent, .node = set->node,
		.address = set->address};

	if (b->told_ca != set->ca || memcmp(&b->told, &set->probe, sizeof(b->told)) != 0)
		send_table(b, set);
	b->told = set->probe;
	b->told_ca = set->ca;
	while (channel_send(b->pool, IPC_PROBE_SET, &message, sizeof(message), -1) == -1) {
		if (errno != EAGAIN)
			die("IPC_PROBE_SET");
		usleep(1000);
	}
}

void
bench_clear(struct bench *b, uint32_t target)
{
	struct ipc_probe_clear clear = {.target = target};

	if (channel_send(b->pool, IPC_PROBE_CLEAR, &clear, sizeof(clear), -1) == -1)
		die("IPC_PROBE_CLEAR");
}

static void
take(struct bench *b, const struct ipc_probe_result *r)
{
	struct seen *s;

	if (r->target >= BENCH_TARGETS)
		return;
	s = &b->seen[r->target];
	if (r->up && (!s->any || !s->last.up))
		s->up_at = mono_now();
	if (!r->up && (!s->any || s->last.up)) {
		s->down_at = mono_now();
		s->failures_at_down = r->failures;
		s->reason_at_down = (enum reason)r->reason;
		s->detail_at_down = r->detail;
		memcpy(s->evidence_at_down, r->evidence, sizeof(s->evidence_at_down));
	}
	s->any = true;
	s->last = *r;
	s->reports++;
}

static void
give_sockets(struct bench *b, const struct ipc_sockets *wanted)
{
	static const enum marked_kind kinds[] = {[IPC_SOCKET_TCP] = MARKED_TCP,
		[IPC_SOCKET_UDP] = MARKED_UDP, [IPC_SOCKET_ICMP] = MARKED_ICMP};
	struct ipc_sockets one;
	uint16_t i;

	if (wanted == NULL)
		die("IPC_SOCKETS");
	b->asked++;
	one = *wanted;
	one.count = 1;
	for (i = 0; b->gives && i < wanted->count; i++) {
		int fd = marked_socket(kinds[wanted->kind], wanted->family, wanted->mark);

		if (fd == -1 || channel_send(b->pool, IPC_SOCKET, &one, sizeof(one), fd) == -1)
			die("IPC_SOCKET");
		close(fd);
		b->given++;
	}
}

static void
take_all(struct bench *b)
{
	static struct channel_message m;
	const struct ipc_probe_results *r;
	uint64_t i;
	int got;

	while ((got = channel_receive(b->pool, &m)) == 1) {
		if (m.kind == IPC_PROBER_STATS) { /* of the prober itself, each second */
			if (m.size == sizeof(b->stats))
				memcpy(&b->stats, m.payload, sizeof(b->stats));
			continue;
		}
		if (m.kind == IPC_SOCKETS) {
			give_sockets(b, channel_payload(&m, sizeof(struct ipc_sockets)));
			continue;
		}
		r = ipc_results(m.payload, m.size);
		if (m.kind != IPC_PROBE_RESULTS || r == NULL) {
			fprintf(stderr, "the prober sent a message of kind %u\n", m.kind);
			exit(1);
		}
		for (i = 0; i < r->count; i++)
			take(b, &r->results[i]);
	}
	if (got == -1) {
		fprintf(stderr, "the prober is gone\n");
		exit(1);
	}
}

bool
bench_until(struct bench *b, int ms, bool (*condition)(struct bench *b, void *of), void *of)
{
	mono end = mono_add_ns(mono_now(), ms * NS_PER_MS);
	struct pollfd p = {.fd = b->pool, .events = POLLIN};

	for (;;) {
		take_all(b);
		if (condition(b, of))
			return true;
		if (mono_due(end, mono_now()))
			return false;
		poll(&p, 1, 2);
	}
}

static bool
never(struct bench *b, void *of)
{
	(void)b;
	(void)of;
	return false;
}

void
bench_run(struct bench *b, int ms)
{
	bench_until(b, ms, never, NULL);
}

/* --- witness ------------------------------------------------------------------------------ */

struct witness {
	pthread_t thread;
	_Atomic int64_t worst_ns;
};

static void *
witness_run(void *argument)
{
	struct witness *w = argument;
	const struct timespec nap = {.tv_nsec = 5 * NS_PER_MS};

	for (;;) {
		mono before = mono_now();
		int64_t over;

		nanosleep(&nap, NULL);
		over = mono_diff_ns(mono_now(), before) - 5 * NS_PER_MS;
		if (over > atomic_load(&w->worst_ns))
			atomic_store(&w->worst_ns, over);
	}
	return NULL;
}

struct witness *
witness_start(void)
{
	struct witness *w = calloc(1, sizeof(*w));

	if (w == NULL || pthread_create(&w->thread, NULL, witness_run, w) != 0)
		die("witness");
	return w;
}

int64_t
witness_worst_ns(struct witness *w)
{
	return atomic_load(&w->worst_ns);
}

void
witness_reset(struct witness *w)
{
	atomic_store(&w->worst_ns, 0);
}

/* --- results ------------------------------------------------------------------------------ */

static int passes, failures; /* of this process: each test runs in its own */

bool
check(bool ok, const char *format, ...)
{
	va_list arguments;

	printf("%s - ", ok ? "ok" : "FAIL");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	if (ok)
		passes++;
	else
		failures++;
	return ok;
}

int
check_failures(void)
{
	return failures;
}

int
check_passes(void)
{
	return passes;
}

void
ip(const char *arguments)
{
	char command[256];

	snprintf(command, sizeof(command), "ip %s", arguments);
	if (system(command) != 0) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}
