/*
 * The real pool process under test, on a real IPVS: forked, with channels to a supervisor, an
 * election and a prober that the test plays. The kernel's table is read by ipvsadm, not by us.
 */
#ifndef TANDEM_TESTS_POOL_BENCH_H
#define TANDEM_TESTS_POOL_BENCH_H

#include "core/election.h"
#include "ipc/messages.h"

#include <jansson.h>
#include <sys/types.h>

enum { BENCH_TARGETS = 64, BENCH_TEXT = 1 << 18, SLOW_MS = 8000 };

struct bench_target {
	bool set;
	bool asked;               /* the supervisor was, not a prober */
	bool exec;                /* ... with this configuration */
	struct ipc_probe_set what;
};

struct bench {
	pid_t pid;                /* 0: not running */
	int status;               /* of the last one that ended */
	int supervisor, election, prober, relay; /* our ends; -1: closed */
	struct handover *handover;
	char dir[64];             /* run and state directory */
	uint64_t generation, done; /* sent, reported by IPC_CONFIG_DONE */
	bool ready;
	struct bench_target targets[BENCH_TARGETS];
	char log[BENCH_TEXT];     /* lines since bench_forget() */
	size_t log_length;
	char prepared[LIMIT_NAME]; /* last IPC_PREPARED */
	struct ipc_switchover wish; /* last IPC_SWITCHOVER */
	const char *gate;         /* what the bench sets the gate to when asked; NULL: nothing */
	unsigned gate_asks;       /* IPC_GATE, how many */
	struct ipc_request reload;  /* last IPC_STATE_REQUEST */
	struct ipc_apply apply;     /* last IPC_APPLY; answered by the bench as a supervisor would */
};

/* A namespace of our own with an interface v0, and a directory. Exits when that cannot be. */
void bench_open(struct bench *b);
void bench_close(struct bench *b);

/* Forks the pool, configures and wires it; true when it is ready. */
bool bench_start(struct bench *b, const char *config_text);
bool bench_configure(struct bench *b, const char *config_text);
/* The text becomes the daemon's file; nobody is told. */
void bench_install(struct bench *b, const char *config_text);
/* Take what comes for so long. */
void bench_run(struct bench *b, int ms);
/* Take what comes until the condition holds; false when it did not within `ms`. */
bool bench_until(struct bench *b, int ms, bool (*holds)(struct bench *b, const void *of),
	const void *of);
bool bench_ended(struct bench *b, const void *unused);
void bench_kill(struct bench *b);
/* IPC_STOP; true when it ended by exit(0). */
bool bench_stop(struct bench *b);
/* The supervisor's end closes; true when it ended. */
bool bench_abandon(struct bench *b);

void bench_role(struct bench *b, const char *router, enum el_role role);
void bench_prepare(struct bench *b, const char *router);
/* The prober's word about every target of that address. */
void bench_report(struct bench *b, const char *address, bool up, enum reason reason, int detail);
/* The same, a success that took so long. */
void bench_report_after(struct bench *b, const char *address, int64_t answer_ns);
/* The same of agents, which were reached and have said that line in all until now. */
void bench_agent(struct bench *b, const char *address, const char *line);
/* Of those whose program ended so, with exit_weight. */
void bench_exit(struct bench *b, const char *address, int status);
size_t bench_targets(const struct bench *b, const char *address);

void bench_forget(struct bench *b); /* what was logged so far */
bool bench_logged(const struct bench *b, const char *text);

/* `ipvsadm -Sn`, sorted, as text. */
const char *bench_table(void);
bool bench_table_is(struct bench *b, const void *text);
/* Standard output of a shell command; exits the test when the command fails. */
const char *bench_shell(const char *command);
/* One line of /proc/sys/net/ipv4/vs/NAME. */
const char *bench_sysctl(const char *name);

/* One request over the control socket; the whole answer, or NULL. */
json_t *bench_ask(struct bench *b, const char *request);
/* The plan command with that configuration, as tandemctl sends it. */
json_t *bench_plan(struct bench *b, const char *config_text);

/* One line "ok - ..." or "FAIL - ..."; counts. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
int check_failures(void);
int check_passes(void);

#endif
