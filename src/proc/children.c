/*
 * The process table: who runs, with which channel to whom, and what happens when one dies.
 *
 * Children are forked and not executed: a successor is up within milliseconds, which is what lets
 * the election go on before the peer's patience is over. Each starts with the descriptors it needs
 * and nothing else. The first restart is immediate; one that dies young waits, twice as long each
 * time.
 */
#include "proc/supervisor.h"

#include "ipc/channel.h"
#include "proc/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const int64_t young_ns = 5 * NS_PER_S; /* dying before this age is a crash loop */
static const int64_t backoff_first_ns = 200 * NS_PER_MS;
static const int64_t backoff_max_ns = 10 * NS_PER_S;
static const int64_t check_slack_ns = 1 * NS_PER_S;

/* One row a kind of process. */
static const struct process_kind {
	enum process_role role;
	const char *title;
	void (*main)(struct child *child);
	int64_t hung_ns; /* without a sign of life for so long: killed and started again */
} kinds[] = {
	{PROCESS_ELECTION, "tandemd: election", election_main, 5 * NS_PER_S},
	{PROCESS_POOL, "tandemd: pool", pool_main, 30 * NS_PER_S},
	{PROCESS_RESOLVER, "tandemd: resolver", resolver_main, 10 * NS_PER_S},
	{PROCESS_PROBER, "tandemd: prober", prober_main, 10 * NS_PER_S},
};

/* Who talks to whom. */
static const struct {
	enum process_role a, b;
} wires[] = {
	{PROCESS_ELECTION, PROCESS_POOL},
	{PROCESS_POOL, PROCESS_RESOLVER},
	{PROCESS_POOL, PROCESS_PROBER},
};

static const struct process_kind *
kind_of(enum process_role role)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].role == role)
			return &kinds[i];
	abort();
}

struct supervised *
children_find(struct supervisor *s, enum process_role role, uint32_t index)
{
	return &s->children[role - PROCESS_ELECTION + index]; /* probers are the last role */
}

/*
 * Memory of argv and environ, for ps(1): "tandemd: election". The arguments follow argv[0] and the
 * environment follows them (fs/exec.c); the path alone may be too short for the title.
 */
static void
set_title(const char *title)
{
	extern char **environ;
	extern char *program_invocation_name;
	char *start = program_invocation_name, *end = start + strlen(start) + 1;

	if (environ && environ[0] > end)
		end = environ[0];
	for (char **e = environ; e && *e; e++)
		if (*e == end)
			end += strlen(*e) + 1;
	if (start + strlen(title) + 1 < end) {
		memset(start, 0, (size_t)(end - start));
		memcpy(start, title, strlen(title));
	}
	prctl(PR_SET_NAME, "tandemd");
}

/* Keep 0-2 and the two given; close all else that was inherited. */
static void
keep_only(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 3)
		close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
}

/* The supervisor alone is told to stop or reload; a signal to the group must not end us first. */
static void
child_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static const char *
own_copy(const char *text)
{
	const char *copy = strdup(text);

	return copy ? copy : "";
}

/* They may be taken over, and then their log lines are a stranger's. */
static bool
reads_strangers(const struct supervised *c)
{
	return c->role == PROCESS_PROBER || c->role == PROCESS_RESOLVER;
}

static _Noreturn void
become_child(struct supervisor *s, const struct supervised *c, int channel, int log_fd)
{
	const struct process_kind *kind = kind_of(c->role);
	struct child child = {
		.role = c->role,
		.name = process_role_name(kind->role),
		.index = c->index,
		.supervisor_fd = channel,
		.node = s->node,
		.run_dir = own_copy(s->options.run_dir), /* the title lands on argv */
		.state_dir = own_copy(s->options.state_dir),
		.config_path = own_copy(s->options.config_path),
		.handover = s->handover,
	};

	child_signals();
	log_open(&child.log, s->log.facility, s->log.level, s->log.cluster);
	child.log.relay_fd = log_fd;
	child.log.relay_only = reads_strangers(c);
	keep_only(channel, log_fd);
	set_title(kind->title);
	kind->main(&child);
	abort();
}

static void
on_channel(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	supervisor_child_message(w->data);
}

static void
close_channel(struct supervised *c)
{
	if (c->fd == -1)
		return;
	ev_io_stop(c->supervisor->loop, &c->channel_watcher);
	close(c->fd);
	c->fd = -1;
}

static void
log_start(struct supervised *c)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", process_role_name(c->role));
	log_line_int(&line, "pid", c->pid);
	log_line_int(&line, "restarts", c->restarts);
	log_line_reason(&line, REASON_STARTED);
	log_emit(&c->supervisor->log, LOG_LEVEL_INFO, &line);
}

static void
log_system(struct supervisor *s, const char *what, int error)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", what);
	log_line_text(&line, "error", strerror(error));
	log_emit(&s->log, LOG_LEVEL_ERROR, &line);
}

/* A channel between two running processes; each gets its end from us. */
static void
connect_pair(struct supervised *a, struct supervised *b)
{
	int ends[2];
	struct ipc_peer to_a = {.role = b->role, .index = b->index};
	struct ipc_peer to_b = {.role = a->role, .index = a->index};

	if (channel_pair(ends) == -1) {
		log_system(a->supervisor, "socketpair", errno);
		return;
	}
	if (channel_send(a->fd, IPC_PEER, &to_a, sizeof(to_a), ends[0]) == -1 ||
		channel_send(b->fd, IPC_PEER, &to_b, sizeof(to_b), ends[1]) == -1)
		log_system(a->supervisor, "wiring", errno);
	close(ends[0]);
	close(ends[1]);
}

static bool
are_wired(enum process_role a, enum process_role b)
{
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if ((wires[i].a == a && wires[i].b == b) || (wires[i].a == b && wires[i].b == a))
			return true;
	return false;
}

static void
connect_to_others(struct supervised *c)
{
	struct supervisor *s = c->supervisor;

	for (size_t i = 0; i < CHILDREN; i++) {
		struct supervised *other = &s->children[i];

		if (other != c && other->fd != -1 && are_wired(c->role, other->role))
			connect_pair(c, other);
	}
}

/* One prober does 10,000 probes a second in a third of a core; more help where there are more. */
static uint32_t
wanted_probers(const struct supervisor *s)
{
	enum { TARGETS_A_PROBER = 8000 };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = 1 + s->config.real_count / TARGETS_A_PROBER;

	if (s->config.probers != 0)
		n = s->config.probers;
	else if (cores > 0 && n > (uint32_t)cores)
		n = (uint32_t)cores;
	return n < LIMIT_PROBERS ? n : LIMIT_PROBERS;
}

static void
send_config(struct supervised *c)
{
	struct ipc_config message = {.generation = c->supervisor->generation,
		.probers = wanted_probers(c->supervisor)};

	if (c->role == PROCESS_PROBER || c->role == PROCESS_RESOLVER)
		return; /* what they are to do comes from the pool */
	if (channel_send(c->fd, IPC_CONFIG, &message, sizeof(message), c->supervisor->config_fd) == -1)
		log_system(c->supervisor, "sending the configuration", errno);
}

static void start_child(struct supervised *c);

static void
on_restart_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)events;
	ev_timer_stop(loop, w);
	start_child(w->data);
}

static void
on_child_exit(struct ev_loop *loop, ev_child *w, int events)
{
	struct supervised *c = w->data;
	int status = w->rstatus;

	(void)events;
	ev_child_stop(loop, w);
	c->pid = 0;
	c->ready = false;
	close_channel(c);
	relay_hang_up(c);
	supervisor_child_gone(c, status);
	if (c->supervisor->stopping || !c->wanted)
		return;
	c->restarts++;
	if (mono_diff_ns(mono_now(), c->started) >= young_ns)
		c->backoff_ns = 0;
	if (c->backoff_ns == 0) {
		c->backoff_ns = backoff_first_ns;
		start_child(c);
		return;
	}
	ev_timer_set(&c->restart_timer, (double)c->backoff_ns / NS_PER_S, 0.);
	ev_timer_start(loop, &c->restart_timer);
	c->backoff_ns = c->backoff_ns * 2 < backoff_max_ns ? c->backoff_ns * 2 : backoff_max_ns;
}

static void
start_failed(struct supervised *c, const char *what, int error)
{
	log_system(c->supervisor, what, error);
	ev_timer_set(&c->restart_timer, 1., 0.);
	ev_timer_start(c->supervisor->loop, &c->restart_timer);
}

/* The end that it keeps of each: to us, and for its log lines. */
static int
fork_child(struct supervised *c, int channel, int log_fd)
{
	int error = 0;

	c->pid = fork();
	if (c->pid == 0)
		become_child(c->supervisor, c, channel, log_fd);
	if (c->pid == -1) {
		error = errno;
		c->pid = 0;
	}
	return error;
}

/* Sets c->pid and c->fd; what failed is told and tried again later. */
static bool
spawn(struct supervised *c)
{
	struct supervisor *s = c->supervisor;
	int channel[2], said[2] = {-1, s->relay.write_end}, error;

	if (channel_pair(channel) == -1) {
		start_failed(c, "socketpair", errno);
		return false;
	}
	error = reads_strangers(c) ? relay_pair(said) : 0;
	if (error == 0)
		error = fork_child(c, channel[1], said[1]);
	close(channel[1]);
	if (said[0] != -1)
		close(said[1]);
	if (error == 0) {
		c->fd = channel[0];
		if (said[0] != -1)
			relay_listen(c, said[0]);
		return true;
	}
	close(channel[0]);
	if (said[0] != -1)
		close(said[0]);
	start_failed(c, "fork", error < 0 ? -error : error);
	return false;
}

static void
start_child(struct supervised *c)
{
	struct supervisor *s = c->supervisor;

	c->started = mono_now();
	c->condemned = false;
	atomic_store(&s->handover->alive_ns[handover_slot(c->role, c->index)], c->started.ns);
	if (!spawn(c))
		return;
	ev_child_set(&c->exit_watcher, c->pid, 0);
	ev_child_start(s->loop, &c->exit_watcher);
	ev_io_set(&c->channel_watcher, c->fd, EV_READ);
	ev_io_start(s->loop, &c->channel_watcher);
	send_config(c);
	connect_to_others(c);
	if (c->role == PROCESS_ELECTION)
		scripts_tell(s, true);
	if (c->role == PROCESS_POOL)
		relay_replay(s, c->fd);
	log_start(c);
}

static void
init_child(struct supervisor *s, enum process_role role, uint32_t index, bool wanted)
{
	struct supervised *c = children_find(s, role, index);

	*c = (struct supervised){
		.supervisor = s, .role = role, .index = index, .wanted = wanted, .fd = -1,
		.said_fd = -1};
	ev_child_init(&c->exit_watcher, on_child_exit, 0, 0);
	c->exit_watcher.data = c;
	ev_io_init(&c->channel_watcher, on_channel, 0, EV_READ);
	c->channel_watcher.data = c;
	ev_timer_init(&c->restart_timer, on_restart_timer, 0., 0.);
	c->restart_timer.data = c;
}

void
children_init(struct supervisor *s)
{
	uint32_t probers = wanted_probers(s);

	init_child(s, PROCESS_ELECTION, 0, true);
	init_child(s, PROCESS_POOL, 0, true);
	init_child(s, PROCESS_RESOLVER, 0, true);
	for (uint32_t i = 0; i < LIMIT_PROBERS; i++)
		init_child(s, PROCESS_PROBER, i, i < probers);
}

void
children_start_all(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (s->children[i].wanted)
			start_child(&s->children[i]);
}

/* More or fewer probers; what those had to do that stop now has been given to the others. */
static void
resize(struct supervisor *s)
{
	uint32_t wanted = wanted_probers(s);

	for (uint32_t i = 0; i < LIMIT_PROBERS; i++) {
		struct supervised *c = children_find(s, PROCESS_PROBER, i);

		if (c->wanted == (i < wanted))
			continue;
		c->wanted = i < wanted;
		if (!c->wanted)
			child_stop(c);
		else if (c->pid == 0)
			start_child(c);
	}
}

void
children_send_config(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (s->children[i].fd != -1)
			send_config(&s->children[i]);
	resize(s);
}

static void
kill_stuck(struct supervised *c, enum reason why, int64_t silent_ns)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", process_role_name(c->role));
	log_line_int(&line, "pid", c->pid);
	log_line_reason(&line, why);
	log_line_ms(&line, "silent_ms", silent_ns);
	log_emit(&c->supervisor->log, LOG_LEVEL_ERROR, &line);
	kill(c->pid, SIGKILL);
}

static int64_t
silence_ns(const struct supervised *c, mono now)
{
	return now.ns - atomic_load(
		&c->supervisor->handover->alive_ns[handover_slot(c->role, c->index)]);
}

void
children_replace(struct supervisor *s, enum process_role role, uint32_t index, enum reason why)
{
	struct supervised *c = children_find(s, role, index);

	if (c->pid == 0 || c->condemned)
		return;
	c->condemned = true;
	kill_stuck(c, why, silence_ns(c, mono_now()));
}

/* A process that makes no progress is as bad as a dead one, and killing it repairs it. */
void
children_check_hung(struct supervisor *s, mono now)
{
	bool late = mono_diff_ns(now, s->last_check) > check_slack_ns;

	s->last_check = now;
	if (late)
		return; /* we were held up ourselves: their silence proves nothing */
	for (size_t i = 0; i < CHILDREN; i++) {
		struct supervised *c = &s->children[i];

		if (c->pid != 0 && silence_ns(c, now) >= kind_of(c->role)->hung_ns)
			kill_stuck(c, REASON_HUNG, silence_ns(c, now));
	}
}

void
child_stop(struct supervised *c)
{
	ev_timer_stop(c->supervisor->loop, &c->restart_timer);
	if (c->pid != 0 && channel_send(c->fd, IPC_STOP, NULL, 0, -1) == -1)
		kill(c->pid, SIGKILL);
}

bool
children_all_ready(const struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (s->children[i].wanted && !s->children[i].ready)
			return false;
	return true;
}

bool
children_any_running(const struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN; i++)
		if (s->children[i].pid != 0)
			return true;
	return false;
}
