/* Fork, exec, wait, kill. See program.h. */
#include "proc/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_RUN = 126, READS_A_TURN = 16, ARGUMENTS_MAX = LIMIT_WORDS / 2 };

/* Nobody but root and who runs it may be able to write it. Returns why not, or NULL. */
static const char *
untrusted(const char *path, uid_t runs)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0)
		return "not an executable file";
	if (st.st_uid == 0 || st.st_uid == runs)
		return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ? NULL
			: "must be writable by its owner alone";
	return runs == 0 ? "must belong to root and be writable by root alone"
		: "must belong to root, or to the user that runs it";
}

/* For good, with all its groups. Returns why not, or NULL. */
static const char *
become(const char *user)
{
	const struct passwd *p = getpwnam(user);

	if (!p)
		return "its user does not exist on this host";
	if (initgroups(user, p->pw_gid) == -1 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) == -1 ||
		setresuid(p->pw_uid, p->pw_uid, p->pw_uid) == -1)
		return "this process may not become its user";
	return NULL;
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
refuse_to_run(const char *why, int said)
{
	size_t length = strlen(why);

	_exit(write(said, why, length) == (ssize_t)length ? EXIT_NOT_RUN : EXIT_NOT_RUN + 1);
}

static void
set_environment(const struct program_call *call)
{
	if (call->environment) {
		clearenv();
		setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	}
	for (unsigned i = 0; call->environment && i < call->environment->count; i++)
		putenv((char *)(uintptr_t)conf_word(call->environment, i));
	for (int i = 0; i < PROGRAM_VARIABLES && call->variables[i].name; i++)
		setenv(call->variables[i].name, call->variables[i].value, 1);
}

/* In the child. `said` is the end of the pipe that the supervisor listens to, or -1. */
static _Noreturn void
execute(const struct program_call *call, int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *argv[ARGUMENTS_MAX + 1] = {call->path};
	const char *why;

	reset_signals();
	setsid();
	if (null == -1)
		_exit(EXIT_NOT_RUN);
	dup2(null, 0);
	dup2(call->all_heard && said != -1 ? said : null, 1);
	dup2(call->heard && said != -1 ? said : null, 2);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	set_environment(call);
	for (int i = 0; i < PROGRAM_ARGUMENTS && call->arguments[i]; i++)
		argv[i + 1] = call->arguments[i];
	for (unsigned i = 0; call->command && i < ARGUMENTS_MAX; i++)
		argv[i] = conf_word(call->command, i);
	why = call->user ? become(call->user) : NULL;
	if (call->with_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* becoming another would end that */
	if (!why)
		why = untrusted(argv[0], geteuid());
	if (why)
		refuse_to_run(why, said);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	refuse_to_run(strerror(errno), said);
}

static void
stop_listening(struct program *p)
{
	if (p->said_fd == -1)
		return;
	ev_io_stop(p->loop, &p->said_watcher);
	close(p->said_fd);
	p->said_fd = -1;
}

static void
keep_first_line(struct program *p, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && !p->said_all; i++) {
		if (bytes[i] == '\n' && p->said_length == 0)
			continue;
		p->said_all = bytes[i] == '\n' || p->said_length == sizeof(p->said) - 1;
		if (!p->said_all)
			p->said[p->said_length++] = bytes[i] == '\0' ? '?' : bytes[i];
	}
}

/* Everything is read, or a talkative program would wait for us. */
static void
listen_to(struct program *p)
{
	char bytes[512];
	ssize_t n = 1;

	for (int i = 0; i < READS_A_TURN && n > 0 && p->said_fd != -1; i++) {
		n = read(p->said_fd, bytes, sizeof(bytes));
		if (n > 0)
			keep_first_line(p, bytes, (size_t)n);
		else if (n == 0)
			stop_listening(p);
	}
}

static void
on_said(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	listen_to(w->data);
}

static void
on_exit_of(struct ev_loop *loop, ev_child *w, int events)
{
	struct program *p = w->data;

	(void)events;
	ev_child_stop(loop, w);
	ev_timer_stop(loop, &p->timeout);
	listen_to(p);
	stop_listening(p); /* what it left in the background may still hold the other end */
	p->pid = 0;
	p->news(p, w->rstatus);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *w, int events)
{
	struct program *p = w->data;

	(void)loop;
	(void)events;
	p->late = true;
	program_kill(p);
	p->news(p, 0);
}

void
program_init(struct program *p, struct ev_loop *loop,
	void (*news)(struct program *p, int status), void *context)
{
	*p = (struct program){.loop = loop, .said_fd = -1, .news = news, .context = context};
	ev_child_init(&p->exit_watcher, on_exit_of, 0, 0);
	ev_timer_init(&p->timeout, on_timeout, 0., 0.);
	ev_io_init(&p->said_watcher, on_said, -1, EV_READ);
	p->exit_watcher.data = p->timeout.data = p->said_watcher.data = p;
}

/* Without a descriptor to spare the program runs all the same, unheard. */
static void
open_said(struct program *p, int ends[2])
{
	if (pipe2(ends, O_CLOEXEC) == -1) {
		ends[0] = ends[1] = -1;
		return;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	p->said_fd = ends[0];
	ev_io_set(&p->said_watcher, ends[0], EV_READ);
	ev_io_start(p->loop, &p->said_watcher);
}

int
program_start(struct program *p, const struct program_call *call)
{
	int ends[2], error;

	p->started = mono_now();
	p->timeout_ms = call->timeout_ms;
	p->late = p->said_all = false;
	p->said_length = 0;
	memset(p->said, 0, sizeof(p->said));
	open_said(p, ends);
	p->pid = fork();
	error = errno;
	if (p->pid == 0)
		execute(call, ends[1]);
	if (ends[1] != -1)
		close(ends[1]);
	if (p->pid == -1) {
		p->pid = 0;
		stop_listening(p);
		return error;
	}
	ev_child_set(&p->exit_watcher, p->pid, 0);
	ev_child_start(p->loop, &p->exit_watcher);
	ev_now_update(p->loop);
	ev_timer_set(&p->timeout, (double)call->timeout_ms / 1e3, 0.);
	ev_timer_start(p->loop, &p->timeout);
	return 0;
}

void
program_kill(struct program *p)
{
	if (p->pid == 0)
		return;
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL); /* so soon that it has no group of its own yet */
}

void
program_drop(struct program *p)
{
	program_kill(p);
	ev_child_stop(p->loop, &p->exit_watcher);
	ev_timer_stop(p->loop, &p->timeout);
	stop_listening(p);
	p->pid = 0;
}

const char *
program_result(const struct program *p, int status, char out[PROGRAM_RESULT])
{
	const char *colon = p->said_length > 0 ? ": " : "";

	if (p->late)
		snprintf(out, PROGRAM_RESULT, "did not end in %lld ms; killed%s%s",
			(long long)p->timeout_ms, colon, p->said);
	else if (WIFSIGNALED(status))
		snprintf(out, PROGRAM_RESULT, "signal %d%s%s", WTERMSIG(status), colon, p->said);
	else
		snprintf(out, PROGRAM_RESULT, "exit %d%s%s", WEXITSTATUS(status), colon, p->said);
	return out;
}
