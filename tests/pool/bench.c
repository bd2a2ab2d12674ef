/* The bench. See bench.h. */
#include "bench.h"

#include "conf/pack.h"
#include "conf/read.h"
#include "control/client.h"
#include "ipc/channel.h"
#include "proc/child.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 16384, TURN_MS = 20 };

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(1);
}

const char *
bench_shell(const char *command)
{
	static char text[TEXT];
	FILE *f = popen(command, "r");
	size_t n;

	if (!f)
		die(command);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	if (pclose(f) != 0) {
		fprintf(stderr, "failed: %s\n%s", command, text);
		exit(1);
	}
	return text;
}

const char *
bench_table(void)
{
	return bench_shell("ipvsadm -Sn | LC_ALL=C sort");
}

bool
bench_table_is(struct bench *b, const void *text)
{
	(void)b;
	return strcmp(bench_table(), text) == 0;
}

const char *
bench_sysctl(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "tr '\\t' ' ' < /proc/sys/net/ipv4/vs/%s | tr -d '\\n'",
		name);
	return bench_shell(command);
}

void
bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->supervisor = b->election = b->prober = b->relay = -1;
	if (unshare(CLONE_NEWNET) == -1)
		die("unshare");
	bench_shell("ip link set lo up && ip link add v0 type veth peer name v1 && "
		"ip link set v0 up && ip link set v1 up && ip addr add 10.77.0.11/24 dev v0 && "
		"echo 1 > /proc/sys/net/ipv4/ip_forward");
	snprintf(b->dir, sizeof(b->dir), "/tmp/tandem-pool-XXXXXX");
	if (!mkdtemp(b->dir))
		die("mkdtemp");
	b->handover = mmap(NULL, sizeof(*b->handover), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->handover == MAP_FAILED)
		die("mmap");
}

static void
close_end(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
close_ends(struct bench *b)
{
	close_end(&b->supervisor);
	close_end(&b->election);
	close_end(&b->prober);
	close_end(&b->relay);
}

void
bench_close(struct bench *b)
{
	char command[128];

	if (b->pid != 0)
		bench_kill(b);
	close_ends(b);
	munmap(b->handover, sizeof(*b->handover));
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	bench_shell(command);
}

/* --- its configuration ----------------------------------------------------------------------- */

static void
path_of(const struct bench *b, char path[128])
{
	snprintf(path, 128, "%s/tandem.conf", b->dir);
}

static void
read_file(const char *path, struct config *config)
{
	struct conf_errors errors = {0};

	if (!config_read_path(path, config, &errors)) {
		conf_errors_print(&errors, stderr);
		exit(1);
	}
}

void
bench_install(struct bench *b, const char *config_text)
{
	char path[128];
	FILE *f;

	path_of(b, path);
	f = fopen(path, "w");
	if (!f || fputs(config_text, f) == EOF || fclose(f) == EOF)
		die(path);
}

static void
send_config(struct bench *b, const struct config *config)
{
	struct ipc_config message = {.generation = ++b->generation};
	int fd = config_pack(config);

	if (fd == -1)
		die("config_pack");
	channel_send(b->supervisor, IPC_CONFIG, &message, sizeof(message), fd);
	close(fd);
}

/* As reload.c: only what was planned. */
static void
do_apply(struct bench *b, const struct ipc_apply *order, int fd)
{
	struct ipc_result result = {.id = order->id, .text = "not what was planned"};
	struct config installed = {0}, planned;
	char path[128];

	b->apply = *order;
	path_of(b, path);
	read_file(path, &installed);
	result.ok = config_unpack(fd, &planned) && config_equal_without_keys(&installed, &planned);
	if (result.ok)
		send_config(b, &installed);
	config_free(&planned);
	config_free(&installed);
	channel_send(b->supervisor, IPC_RELOAD_RESULT, &result, sizeof(result), -1);
}

/* --- what comes --------------------------------------------------------------------------- */

static void
hear_supervisor(struct bench *b, const struct channel_message *m)
{
	const struct ipc_exec_set *exec;
	const struct ipc_probe_clear *clear;
	const struct ipc_config *config;
	const struct ipc_request *request;
	const struct ipc_apply *order;

	if (m->kind == IPC_READY)
		b->ready = true;
	else if (m->kind == IPC_CONFIG_DONE && (config = channel_payload(m, sizeof(*config))))
		b->done = config->generation;
	else if (m->kind == IPC_STATE_REQUEST && (request = channel_payload(m, sizeof(*request))))
		b->reload = *request;
	else if (m->kind == IPC_EXEC_SET && (exec = channel_payload(m, sizeof(*exec))) &&
		exec->set.target < BENCH_TARGETS)
		b->targets[exec->set.target] = (struct bench_target){.set = true,
			.asked = true, .exec = exec->config == b->generation, .what = exec->set};
	else if (m->kind == IPC_EXEC_CLEAR && (clear = channel_payload(m, sizeof(*clear))) &&
		clear->target < BENCH_TARGETS && b->targets[clear->target].asked)
		b->targets[clear->target].set = false;
	else if (m->kind == IPC_APPLY && (order = channel_payload(m, sizeof(*order))))
		do_apply(b, order, m->fd);
}

/* As the election does, which knows the roles of this moment. */
static void
set_gate(struct bench *b)
{
	char command[64];

	b->gate_asks++;
	if (!b->gate)
		return;
	snprintf(command, sizeof(command), "echo %s > /proc/sys/net/ipv4/vs/backup_only", b->gate);
	bench_shell(command);
}

static void
hear_election(struct bench *b, const struct channel_message *m)
{
	const struct ipc_name *name;
	const struct ipc_switchover *wish;

	if (m->kind == IPC_PREPARED && (name = channel_payload(m, sizeof(*name))))
		memcpy(b->prepared, name->name, sizeof(b->prepared));
	else if (m->kind == IPC_SWITCHOVER && (wish = channel_payload(m, sizeof(*wish))))
		b->wish = *wish;
	else if (m->kind == IPC_GATE)
		set_gate(b);
}

static void
hear_prober(struct bench *b, const struct channel_message *m)
{
	const struct ipc_probe_set *set;
	const struct ipc_probe_clear *clear;

	if (m->kind == IPC_PROBE_SET && (set = channel_payload(m, sizeof(*set))) &&
	    set->target < BENCH_TARGETS)
		b->targets[set->target] = (struct bench_target){.set = true, .what = *set};
	else if (m->kind == IPC_PROBE_CLEAR && (clear = channel_payload(m, sizeof(*clear))) &&
		 clear->target < BENCH_TARGETS && !b->targets[clear->target].asked)
		b->targets[clear->target].set = false;
}

static void
drain(struct bench *b, int *fd, void (*hear)(struct bench *, const struct channel_message *))
{
	static struct channel_message m;
	int got = 0;

	while (*fd != -1 && (got = channel_receive(*fd, &m)) == 1) {
		hear(b, &m);
		if (m.fd != -1)
			close(m.fd);
	}
	if (got == -1)
		close_end(fd);
}

static void
drain_log(struct bench *b)
{
	char packet[sizeof(struct log_relay_header) + LIMIT_LOG_LINE];
	ssize_t n;

	while (b->relay != -1 && (n = recv(b->relay, packet, sizeof(packet), MSG_DONTWAIT)) != -1) {
		size_t head = sizeof(struct log_relay_header);

		if (n <= (ssize_t)head)
			return;
		if (b->log_length + (size_t)n + 2 > sizeof(b->log))
			bench_forget(b);
		memcpy(b->log + b->log_length, packet + head, (size_t)n - head);
		b->log_length += (size_t)n - head;
		b->log[b->log_length++] = '\n';
		b->log[b->log_length] = '\0';
		if (getenv("TANDEM_VERBOSE"))
			printf("    | %.*s\n", (int)((size_t)n - head), packet + head);
	}
}

static void
reap(struct bench *b)
{
	if (b->pid != 0 && waitpid(b->pid, &b->status, WNOHANG) == b->pid)
		b->pid = 0;
}

static void
turn(struct bench *b, int ms)
{
	struct pollfd fds[] = {{.fd = b->supervisor, .events = POLLIN},
		{.fd = b->election, .events = POLLIN}, {.fd = b->prober, .events = POLLIN},
		{.fd = b->relay, .events = POLLIN}};

	poll(fds, sizeof(fds) / sizeof(fds[0]), ms);
	drain(b, &b->supervisor, hear_supervisor);
	drain(b, &b->election, hear_election);
	drain(b, &b->prober, hear_prober);
	drain_log(b);
	reap(b);
}

void
bench_run(struct bench *b, int ms)
{
	mono end = mono_add_ns(mono_now(), ms * NS_PER_MS);

	while (!mono_due(end, mono_now()))
		turn(b, TURN_MS);
}

bool
bench_until(struct bench *b, int ms, bool (*holds)(struct bench *, const void *), const void *of)
{
	mono end = mono_add_ns(mono_now(), ms * NS_PER_MS);

	for (;;) {
		turn(b, TURN_MS);
		if (holds(b, of))
			return true;
		if (mono_due(end, mono_now()))
			return false;
	}
}

void
bench_forget(struct bench *b)
{
	b->log_length = 0;
	b->log[0] = '\0';
}

bool
bench_logged(const struct bench *b, const char *text)
{
	return strstr(b->log, text) != NULL;
}

/* --- its life ----------------------------------------------------------------------------- */

static _Noreturn void
become_pool(struct bench *b, int supervisor, int relay)
{
	struct child child = {.role = PROCESS_POOL, .name = "pool", .supervisor_fd = supervisor,
		.run_dir = b->dir, .state_dir = b->dir, .handover = b->handover};

	signal(SIGPIPE, SIG_IGN);
	close_ends(b);
	log_open(&child.log, 3 << 3, LOG_LEVEL_INFO, "bench");
	child.log.relay_fd = relay;
	pool_main(&child);
}

static void
give_peer(struct bench *b, enum process_role role, int *ours)
{
	struct ipc_peer peer = {.role = role};
	int ends[2];

	if (channel_pair(ends) == -1)
		die("channel_pair");
	close_end(ours);
	*ours = ends[0];
	channel_send(b->supervisor, IPC_PEER, &peer, sizeof(peer), ends[1]);
	close(ends[1]);
}

static bool
is_ready(struct bench *b, const void *unused)
{
	(void)unused;
	return b->ready && b->done == b->generation;
}

bool
bench_configure(struct bench *b, const char *config_text)
{
	struct config config = {0};
	char path[128];

	bench_install(b, config_text);
	path_of(b, path);
	read_file(path, &config);
	send_config(b, &config);
	config_free(&config);
	return bench_until(b, SLOW_MS, is_ready, NULL);
}

bool
bench_start(struct bench *b, const char *config_text)
{
	int ends[2], relay[2];

	if (channel_pair(ends) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, relay) == -1)
		die("channel_pair");
	b->ready = false;
	memset(b->targets, 0, sizeof(b->targets));
	fflush(NULL);
	b->pid = fork();
	if (b->pid == -1)
		die("fork");
	if (b->pid == 0) {
		close(ends[0]);
		close(relay[0]);
		become_pool(b, ends[1], relay[1]);
	}
	close(ends[1]);
	close(relay[1]);
	b->supervisor = ends[0];
	b->relay = relay[0];
	give_peer(b, PROCESS_ELECTION, &b->election);
	give_peer(b, PROCESS_PROBER, &b->prober);
	return bench_configure(b, config_text);
}

bool
bench_ended(struct bench *b, const void *unused)
{
	(void)unused;
	return b->pid == 0;
}

void
bench_kill(struct bench *b)
{
	kill(b->pid, SIGKILL);
	bench_until(b, SLOW_MS, bench_ended, NULL);
	close_ends(b);
}

static bool
ended_cleanly(struct bench *b)
{
	bool ended = bench_until(b, SLOW_MS, bench_ended, NULL);

	drain_log(b);
	close_ends(b);
	return ended && WIFEXITED(b->status) && WEXITSTATUS(b->status) == 0;
}

bool
bench_stop(struct bench *b)
{
	channel_send(b->supervisor, IPC_STOP, NULL, 0, -1);
	return ended_cleanly(b);
}

bool
bench_abandon(struct bench *b)
{
	close_end(&b->supervisor);
	return ended_cleanly(b);
}

/* --- its world ---------------------------------------------------------------------------- */

void
bench_role(struct bench *b, const char *router, enum el_role role)
{
	struct ipc_router facts = {.vrid = 51, .priority = 150, .role = (uint8_t)role,
		.reason = REASON_PEER_SILENT, .since_ns = mono_now().ns, .lease_ns = INT64_MAX,
		.claimed = role == EL_ACTIVE};

	snprintf(facts.name, sizeof(facts.name), "%s", router);
	if (strcmp(router, "web") == 0)
		b->gate = role == EL_ACTIVE ? "0" : "1";
	channel_send(b->election, IPC_ROUTER, &facts, sizeof(facts), -1);
}

void
bench_prepare(struct bench *b, const char *router)
{
	struct ipc_name name = {.name = ""};

	b->prepared[0] = '\0';
	snprintf(name.name, sizeof(name.name), "%s", router);
	channel_send(b->election, IPC_PREPARE, &name, sizeof(name), -1);
}

static bool
is_at(const struct bench_target *t, const char *address)
{
	char text[ENDPOINT_TEXT];

	return t->set && strcmp(endpoint_format(&t->what.address, text), address) == 0;
}

size_t
bench_targets(const struct bench *b, const char *address)
{
	size_t n = 0;

	for (size_t i = 0; i < BENCH_TARGETS; i++)
		n += is_at(&b->targets[i], address);
	return n;
}

static void
report(struct bench *b, const char *address, bool up, enum reason reason, int detail,
	int64_t answer_ns)
{
	for (size_t i = 0; i < BENCH_TARGETS; i++) {
		const struct bench_target *t = &b->targets[i];
		struct ipc_probe_results r = {.count = 1, .results[0] = {.target = t->what.target,
			.generation = t->what.generation, .up = up, .ok = up, .reason = reason,
			.detail = detail, .at_ns = mono_now().ns, .connect_ns = 1500000,
			.answer_ns = answer_ns, .probes = 4, .failures = up ? 0 : 4}};

		if (is_at(t, address))
			channel_send(b->prober, IPC_PROBE_RESULTS, &r, ipc_results_size(1), -1);
	}
}

void
bench_report(struct bench *b, const char *address, bool up, enum reason reason, int detail)
{
	report(b, address, up, reason, detail, up ? 2500000 : -1);
}

void
bench_report_after(struct bench *b, const char *address, int64_t answer_ns)
{
	report(b, address, true, REASON_PROBE_OK, 0, answer_ns);
}

void
bench_exit(struct bench *b, const char *address, int status)
{
	for (size_t i = 0; i < BENCH_TARGETS; i++) {
		const struct bench_target *t = &b->targets[i];
		bool up = status != 1;
		struct ipc_probe_result r = {.target = t->what.target,
			.generation = t->what.generation, .up = up, .ok = up,
			.reason = up ? REASON_PROBE_OK : REASON_EXEC_FAILED, .detail = up ? 0 : status,
			.at_ns = mono_now().ns, .connect_ns = -1, .answer_ns = 2500000, .probes = 4,
			.expires_s = INT64_MAX, .has_weight = status >= 2,
			.weight = (uint8_t)(status >= 2 ? status - 2 : 0)};

		if (is_at(t, address) && t->exec)
			channel_send(b->supervisor, IPC_PROBE_RESULT, &r, sizeof(r), -1);
	}
}

void
bench_agent(struct bench *b, const char *address, const char *line)
{
	for (size_t i = 0; i < BENCH_TARGETS; i++) {
		const struct bench_target *t = &b->targets[i];
		struct ipc_probe_results r = {.count = 1, .results[0] = {.target = t->what.target,
			.generation = t->what.generation, .up = true, .ok = true,
			.reason = REASON_PROBE_OK, .at_ns = mono_now().ns, .connect_ns = 1500000,
			.answer_ns = 2500000, .probes = 4, .expires_s = INT64_MAX,
			.agent = agent_parse((const uint8_t *)line, strlen(line))}};

		snprintf(r.results[0].evidence, sizeof(r.results[0].evidence), "%s", line);
		if (is_at(t, address))
			channel_send(b->prober, IPC_PROBE_RESULTS, &r, ipc_results_size(1), -1);
	}
}

struct answer {
	struct control_link link;
	json_t *answer;
};

static bool
answered(struct bench *b, const void *of)
{
	struct answer *a = *(struct answer *const *)of;

	(void)b;
	return control_link_receive(&a->link, 1, &a->answer) != -ETIMEDOUT;
}

static json_t *
ask_with(struct bench *b, const char *request, int fd)
{
	json_t *object = json_loads(request, 0, NULL);
	struct answer a = {.answer = NULL}, *at = &a;

	if (control_link_open(&a.link, b->dir) == 0 &&
	    control_link_send_with(&a.link, object, fd) == 0)
		bench_until(b, SLOW_MS, answered, &at);
	control_link_close(&a.link);
	json_decref(object);
	return a.answer;
}

json_t *
bench_ask(struct bench *b, const char *request)
{
	return ask_with(b, request, -1);
}

json_t *
bench_plan(struct bench *b, const char *config_text)
{
	struct config config = {0};
	char path[128];
	json_t *answer;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%s/planned.conf", b->dir);
	f = fopen(path, "w");
	if (!f || fputs(config_text, f) == EOF || fclose(f) == EOF)
		die(path);
	read_file(path, &config);
	fd = config_pack(&config);
	config_free(&config);
	if (fd == -1)
		die("config_pack");
	answer = ask_with(b, "{\"command\":\"plan\",\"file\":\"/planned.conf\"}", fd);
	close(fd);
	return answer;
}

/* --- counting ----------------------------------------------------------------------------- */

static struct {
	int passes, failures;
} counts;

bool
check(bool ok, const char *format, ...)
{
	va_list ap;

	fputs(ok ? "ok - " : "FAIL - ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	counts.passes += ok;
	counts.failures += !ok;
	return ok;
}

int
check_failures(void)
{
	return counts.failures;
}

int
check_passes(void)
{
	return counts.passes;
}
