/* The life of the supervisor: start, signals, messages of the children, stop. See supervisor.h. */
#include <config.h>

#include "proc/supervisor.h"

#include "ipc/channel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const double check_every_s = 0.25;
static const double election_stop_s = 3., rest_stop_s = 5.;

static void
tell_ready(struct supervisor *s, int status)
{
	unsigned char byte = (unsigned char)status;

	if (s->options.ready_fd == -1)
		return;
	if (write(s->options.ready_fd, &byte, 1) == -1)
		byte = 0; /* the one who waited is gone: nobody to tell */
	close(s->options.ready_fd);
	s->options.ready_fd = -1;
}

static void
announce_ready(struct supervisor *s)
{
	struct log_line line;

	if (s->announced_ready || !children_all_ready(s))
		return;
	s->announced_ready = true;
	log_line_begin(&line, "process");
	log_line_text(&line, "name", "supervisor");
	log_line_reason(&line, REASON_STARTED);
	log_line_text(&line, "detail", "ready");
	log_line_text(&line, "version", PACKAGE_VERSION);
	log_emit(&s->log, LOG_LEVEL_NOTICE, &line);
	sd_notifyf(0, "READY=1\nMAINPID=%d\nSTATUS=node %s", (int)getpid(),
		s->config.nodes[s->node].name);
	tell_ready(s, 0);
}

static void
take_message(struct supervised *c, const struct channel_message *m)
{
	struct supervisor *s = c->supervisor;
	const struct ipc_config *config;
	const struct ipc_hook *hook;
	const struct ipc_request *request;
	const struct ipc_apply *order;
	const struct ipc_replace *replace;
	const struct ipc_exec_set *exec;
	const struct ipc_probe_clear *clear;

	if (m->kind == IPC_READY) {
		c->ready = true;
		announce_ready(s);
	} else if (m->kind == IPC_CONFIG_DONE && (config = channel_payload(m, sizeof(*config)))) {
		c->config_done = config->generation;
	} else if (m->kind == IPC_HOOK && (hook = channel_payload(m, sizeof(*hook)))) {
		hooks_run(s, hook);
	} else if (m->kind == IPC_STATE_REQUEST && (request = channel_payload(m, sizeof(*request)))) {
		s->reload_waiting = *request;
		reload_now(s);
	} else if (m->kind == IPC_APPLY && (order = channel_payload(m, sizeof(*order)))) {
		reload_planned(s, order, m->fd);
	} else if (m->kind == IPC_REPLACE && (replace = channel_payload(m, sizeof(*replace)))) {
		children_replace(s, (enum process_role)replace->role, replace->index,
			(enum reason)replace->reason);
	} else if (m->kind == IPC_EXEC_SET && !s->stopping &&
		(exec = channel_payload(m, sizeof(*exec)))) {
		exec_set(s, exec);
	} else if (m->kind == IPC_EXEC_CLEAR && (clear = channel_payload(m, sizeof(*clear)))) {
		exec_clear(s, clear->target);
	}
	if (m->fd != -1)
		close(m->fd);
}

/* Those that strangers may have taken over are worth nothing any more; their successors are clean. */
static void
distrust(struct supervised *c)
{
	if (c->role == PROCESS_PROBER || c->role == PROCESS_RESOLVER)
		children_replace(c->supervisor, c->role, c->index, REASON_BAD_MESSAGE);
}

void
supervisor_child_message(struct supervised *c)
{
	struct channel_message m;

	for (int i = 0; i < 64; i++) {
		int got = incoming_receive(&c->supervisor->incoming, c->fd, c->role, &m);

		if (got == 0)
			return;
		if (got == INCOMING_REFUSED) {
			distrust(c);
			continue;
		}
		if (got == -1) { /* it closed its end: its exit will be told by SIGCHLD */
			ev_io_stop(c->supervisor->loop, &c->channel_watcher);
			return;
		}
		take_message(c, &m);
	}
}

/* The kernel's log has the number of a forbidden call (audit, type=1326). */
static enum reason
reason_of_end(bool asked, int status)
{
	if (asked)
		return REASON_STOPPED;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? REASON_FORBIDDEN_CALL : REASON_CRASHED;
}

static void
log_gone(struct supervised *c, int status)
{
	bool asked = c->supervisor->stopping || !c->wanted;
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", process_role_name(c->role));
	log_line_reason(&line, reason_of_end(asked, status));
	if (WIFSIGNALED(status))
		log_line_int(&line, "signal", WTERMSIG(status));
	else
		log_line_int(&line, "exit", WEXITSTATUS(status));
	log_emit(&c->supervisor->log,
		asked ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, &line);
}

static void
stop_rest(struct supervisor *s)
{
	for (size_t i = 0; i < CHILDREN; i++)
		child_stop(&s->children[i]);
	ev_timer_stop(s->loop, &s->stop_timer);
	ev_timer_set(&s->stop_timer, rest_stop_s, 0.);
	ev_timer_start(s->loop, &s->stop_timer);
}

/* In order: the election gives the addresses up first, then nobody needs the pool any more. */
static void
stop(struct supervisor *s, int exit_status)
{
	struct supervised *election = children_find(s, PROCESS_ELECTION, 0);

	if (s->stopping)
		return;
	s->stopping = true;
	scripts_close(s);
	exec_close(s);
	s->exit_status = exit_status;
	sd_notify(0, "STOPPING=1");
	tell_ready(s, exit_status);
	if (election->pid == 0) {
		stop_rest(s);
		return;
	}
	child_stop(election);
	ev_timer_set(&s->stop_timer, election_stop_s, 0.);
	ev_timer_start(s->loop, &s->stop_timer);
}

void
supervisor_child_gone(struct supervised *c, int status)
{
	struct supervisor *s = c->supervisor;
	bool gave_up = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SYSTEM;

	relay_drain(s); /* its last words first */
	log_gone(c, status);
	if (c->role == PROCESS_POOL)
		exec_close(s); /* its successor says anew what is to be asked */
	if (s->stopping) {
		if (c->role == PROCESS_ELECTION) {
			withdraw_addresses(s, REASON_STOPPED);
			withdraw_devices(s);
			stop_rest(s);
		}
		if (!children_any_running(s))
			ev_break(s->loop, EVBREAK_ALL);
		return;
	}
	if (gave_up && !s->announced_ready) {
		stop(s, EXIT_SYSTEM); /* it said why */
		if (!children_any_running(s))
			ev_break(s->loop, EVBREAK_ALL);
		return;
	}
	/* The first successor is up before the peer loses patience and goes on. After a second
	 * death nothing is certain: the addresses go. */
	if (c->role == PROCESS_ELECTION && c->backoff_ns != 0)
		withdraw_addresses(s, REASON_CRASHED);
}

static void
on_stop_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct supervisor *s = w->data;

	(void)events;
	ev_timer_stop(loop, w);
	for (size_t i = 0; i < CHILDREN; i++) {
		struct supervised *c = &s->children[i];
		bool in_way = c->role == PROCESS_ELECTION ||
			children_find(s, PROCESS_ELECTION, 0)->pid == 0;

		if (c->pid != 0 && in_way)
			kill(c->pid, SIGKILL);
	}
}

static void
on_stop_signal(struct ev_loop *loop, ev_signal *w, int events)
{
	(void)loop;
	(void)events;
	stop(w->data, 0);
}

static void
on_hangup(struct ev_loop *loop, ev_signal *w, int events)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)events;
	if (!s->stopping)
		reload_now(s);
}

static void
on_usr1(struct ev_loop *loop, ev_signal *w, int events)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < CHILDREN; i++)
		if (s->children[i].fd != -1 && (s->children[i].role == PROCESS_ELECTION ||
				s->children[i].role == PROCESS_POOL))
			channel_send(s->children[i].fd, IPC_DUMP_STATE, NULL, 0, -1);
}

static void
on_check(struct ev_loop *loop, ev_timer *w, int events)
{
	struct supervisor *s = w->data;

	(void)loop;
	(void)events;
	children_check_hung(s, mono_now());
	scripts_tell(s, false);
	sd_notify(0, "WATCHDOG=1");
}

static void
watch_signal(struct supervisor *s, ev_signal *w, int sig,
	void (*callback)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(w, callback, sig);
	w->data = s;
	ev_signal_start(s->loop, w);
}

static int
prepare(struct supervisor *s)
{
	s->loop = ev_default_loop(EVBACKEND_EPOLL | EVFLAG_NOENV);
	s->handover = mmap(NULL, sizeof(*s->handover), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!s->loop || s->handover == MAP_FAILED)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	watch_signal(s, &s->term, SIGTERM, on_stop_signal);
	watch_signal(s, &s->interrupt, SIGINT, on_stop_signal);
	watch_signal(s, &s->hangup, SIGHUP, on_hangup);
	watch_signal(s, &s->usr1, SIGUSR1, on_usr1);
	ev_timer_init(&s->check_timer, on_check, check_every_s, check_every_s);
	s->check_timer.data = s;
	ev_timer_start(s->loop, &s->check_timer);
	ev_timer_init(&s->stop_timer, on_stop_timer, 0., 0.);
	s->stop_timer.data = s;
	s->last_check = mono_now();
	return relay_open(s);
}

static void
finish(struct supervisor *s)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", "supervisor");
	log_line_reason(&line, REASON_STOPPED);
	log_emit(&s->log, LOG_LEVEL_NOTICE, &line);
	withdraw_fence(s);
	relay_close(s);
	hooks_close(s);
	log_close(&s->log);
	config_free(&s->config);
	if (s->config_fd != -1)
		close(s->config_fd);
	munmap(s->handover, sizeof(*s->handover));
	ev_loop_destroy(s->loop);
}

int
supervisor_run(const struct supervisor_options *options, struct config *config, uint32_t node)
{
	struct supervisor *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return EXIT_SYSTEM;
	s->options = *options;
	s->config = *config;
	*config = (struct config){0}; /* it is ours now */
	s->node = node;
	s->config_fd = -1;
	log_open(&s->log, s->config.facility, (enum log_level)s->config.log_level,
		s->config.cluster);
	s->incoming = incoming_init(&s->log, PROCESS_SUPERVISOR);
	if (prepare(s) != 0 || reload_first(s) != 0) {
		fprintf(stderr, "tandemd: the system refused memory or descriptors: %s\n", strerror(errno));
		free(s);
		return EXIT_SYSTEM;
	}
	children_init(s);
	children_start_all(s);
	scripts_configure(s);
	ev_run(s->loop, 0);
	status = s->exit_status;
	finish(s);
	free(s);
	return status;
}
