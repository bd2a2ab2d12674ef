/*
 * on_active, on_backup, on_fault: the operator's programs.
 *
 * One runner: serial per router, and while one runs only the newest wish waits, so that a hook
 * never speaks of a state that is over while the next is already true. A hook that does not end
 * in time is killed with everything it started. Nothing here is near the election: the supervisor
 * forks them, and even a supervisor that hangs delays no advertisement.
 *
 * A hook gets: PROGRAM ROUTER ROLE REASON, and TANDEM_CLUSTER, TANDEM_NODE, TANDEM_ROUTER,
 * TANDEM_ROLE, TANDEM_REASON in its environment.
 */
#include "proc/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const double timeout_s = 30.;

static const char *const hook_names[CONF_HOOKS] = {"on_active", "on_backup", "on_fault"};

static void start_hook(struct hook_state *h);

static void
log_hook(const struct hook_state *h, enum log_level level, enum reason reason, const char *key,
	const char *detail)
{
	struct log_line line;

	log_line_begin(&line, "hook");
	log_line_text(&line, "router", h->router);
	log_line_text(&line, "hook", hook_names[h->running.hook]);
	log_line_reason(&line, reason);
	log_line_text(&line, key, detail);
	log_line_ms(&line, "total_ms", mono_diff_ns(mono_now(), h->started));
	log_emit(&h->supervisor->log, level, &line);
}

static const char *
program_of(struct supervisor *s, const struct ipc_hook *hook)
{
	uint32_t router = config_find_router(&s->config, hook->router);

	if (router == CONF_NO_INDEX || hook->hook >= CONF_HOOKS)
		return "";
	return s->config.routers[router].hook[hook->hook];
}

/* Root runs it, so only root may be able to write it. Returns why not, or NULL. */
static const char *
untrusted(const char *program)
{
	struct stat st;

	if (stat(program, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0)
		return "not an executable file";
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "must belong to root and be writable by root alone";
	return NULL;
}

static _Noreturn void
exec_hook(const struct supervisor *s, const struct ipc_hook *hook, const char *program)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	setsid();
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	close_range(3, ~0U, 0);
	setenv("TANDEM_CLUSTER", s->config.cluster, 1);
	setenv("TANDEM_NODE", s->config.nodes[s->node].name, 1);
	setenv("TANDEM_ROUTER", hook->router, 1);
	setenv("TANDEM_ROLE", hook->role, 1);
	setenv("TANDEM_REASON", hook->reason, 1);
	execl(program, program, hook->router, hook->role, hook->reason, (char *)NULL);
	_exit(127);
}

static void
start_waiting(struct hook_state *h)
{
	if (!h->has_next)
		return;
	h->has_next = false;
	h->running = h->next;
	start_hook(h);
}

static void
on_hook_exit(struct ev_loop *loop, ev_child *w, int events)
{
	struct hook_state *h = w->data;
	char status[32];

	(void)events;
	ev_child_stop(loop, w);
	ev_timer_stop(loop, &h->timeout);
	h->pid = 0;
	if (WIFSIGNALED(w->rstatus))
		snprintf(status, sizeof(status), "signal %d", WTERMSIG(w->rstatus));
	else
		snprintf(status, sizeof(status), "exit %d", WEXITSTATUS(w->rstatus));
	if (w->rstatus == 0)
		log_hook(h, LOG_LEVEL_INFO, REASON_PROBE_OK, "status", status);
	else
		log_hook(h, LOG_LEVEL_WARNING, REASON_HOOK, "status", status);
	start_waiting(h);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *w, int events)
{
	struct hook_state *h = w->data;

	(void)loop;
	(void)events;
	log_hook(h, LOG_LEVEL_WARNING, REASON_HOOK, "detail", "did not end in 30 s; killed");
	kill(-h->pid, SIGKILL);
}

static void
start_hook(struct hook_state *h)
{
	struct supervisor *s = h->supervisor;
	const char *program = program_of(s, &h->running), *why;

	h->started = mono_now();
	if (program[0] == '\0')
		return;
	why = untrusted(program);
	if (why) {
		log_hook(h, LOG_LEVEL_ERROR, REASON_HOOK, "detail", why);
		return;
	}
	h->pid = fork();
	if (h->pid == 0)
		exec_hook(s, &h->running, program);
	if (h->pid == -1) {
		h->pid = 0;
		log_hook(h, LOG_LEVEL_ERROR, REASON_HOOK, "detail", strerror(errno));
		return;
	}
	ev_child_set(&h->exit_watcher, h->pid, 0);
	ev_child_start(s->loop, &h->exit_watcher);
	ev_timer_set(&h->timeout, timeout_s, 0.);
	ev_timer_start(s->loop, &h->timeout);
}

static void
init_state(struct hook_state *h, struct supervisor *s, const char *router)
{
	memset(h, 0, sizeof(*h));
	h->supervisor = s;
	snprintf(h->router, sizeof(h->router), "%s", router);
	ev_child_init(&h->exit_watcher, on_hook_exit, 0, 0);
	h->exit_watcher.data = h;
	ev_timer_init(&h->timeout, on_timeout, 0., 0.);
	h->timeout.data = h;
}

/* The state of a router's hooks; made at its first hook. Watchers inside: never moved in memory. */
static struct hook_state *
state_of(struct supervisor *s, const char *router)
{
	for (size_t i = 0; i < s->hook_count; i++)
		if (strcmp(s->hooks[i].router, router) == 0)
			return &s->hooks[i];
	if (!s->hooks)
		s->hooks = calloc(LIMIT_ROUTERS, sizeof(*s->hooks));
	if (!s->hooks || s->hook_count == LIMIT_ROUTERS)
		return NULL;
	init_state(&s->hooks[s->hook_count], s, router);
	return &s->hooks[s->hook_count++];
}

void
hooks_run(struct supervisor *s, const struct ipc_hook *hook)
{
	struct hook_state *h = program_of(s, hook)[0] != '\0' ? state_of(s, hook->router) : NULL;

	if (!h)
		return;
	if (h->pid != 0) {
		h->next = *hook;
		h->has_next = true;
		return;
	}
	h->running = *hook;
	start_hook(h);
}

void
hooks_close(struct supervisor *s)
{
	free(s->hooks);
	s->hooks = NULL;
	s->hook_count = 0;
}
