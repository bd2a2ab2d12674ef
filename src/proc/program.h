/*
 * The operator's programs (hooks, tracked scripts), as the supervisor runs them: in a session of
 * their own, with nothing of ours but a few variables, and killed with everything they started
 * when they do not end in time. Whether root may trust the file is looked at after the fork: a
 * file on a dead file server must not hold the supervisor up.
 */
#ifndef TANDEM_PROC_PROGRAM_H
#define TANDEM_PROC_PROGRAM_H

#include "base/mono.h"
#include "conf/config.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PROGRAM_ARGUMENTS = 3, PROGRAM_VARIABLES = 6, PROGRAM_SAID = 80, PROGRAM_RESULT = 128 };

struct program_variable {
	const char *name, *value;
};

struct program_call {
	const struct conf_words *command; /* NULL: path and arguments */
	const char *path;
	const char *arguments[PROGRAM_ARGUMENTS];         /* NULL: no more */
	struct program_variable variables[PROGRAM_VARIABLES]; /* name NULL: no more */
	const struct conf_words *environment; /* and these, NAME=VALUE, and nothing of ours; NULL: none */
	const char *user;        /* who runs it; NULL: as we are */
	int64_t timeout_ms;
	bool heard;              /* stderr is ours, to its end; else it goes nowhere */
	bool all_heard;          /* stdout as well */
	bool with_us;            /* killed when the supervisor dies */
};

/* Holds watchers: never moved in memory while it runs. */
struct program {
	struct ev_loop *loop;
	pid_t pid;               /* 0: does not run */
	mono started;
	int64_t timeout_ms;
	bool late;               /* did not end in time; killed, but perhaps not gone yet */
	char said[PROGRAM_SAID]; /* the first line of its stderr, or why it could not be run */
	size_t said_length;
	bool said_all;
	int said_fd;             /* -1: not listening */
	ev_child exit_watcher;
	ev_timer timeout;
	ev_io said_watcher;
	/*
	 * It has ended with that wait status (then `pid` is 0 and it may be started again) or, with
	 * `late` set and `pid` not 0, has been killed: its end follows by another call.
	 */
	void (*news)(struct program *p, int status);
	void *context;
};

void program_init(struct program *p, struct ev_loop *loop,
	void (*news)(struct program *p, int status), void *context);
/* 0, or an errno: the system has no process for us now. Only when it does not run. */
int program_start(struct program *p, const struct program_call *call);
/* With everything it started. Its end is told. */
void program_kill(struct program *p);
/* Forget it: no news any more. What runs is killed. */
void program_drop(struct program *p);
/* "exit 1: no such disk", "signal 11", "did not end in 500 ms; killed". Returns `out`. */
const char *program_result(const struct program *p, int status, char out[PROGRAM_RESULT]);

#endif
