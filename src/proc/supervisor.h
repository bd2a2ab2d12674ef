/*
 * The supervisor: the one process that reads the configuration, starts the others, wires them to
 * each other, starts them again when they die, and stops them in order. Inside of src/proc only.
 *
 *   supervisor.c   life: start, signals, stop
 *   children.c     the process table: spawn, wire, restart with back-off, hung processes
 *   reload.c       the configuration, its memfd and who must get it
 *   relay.c        log lines of all processes: ring, stderr, pool; what strangers may have said
 *   program.c      one program of the operator's: started, listened to, killed
 *   hooks.c        on_active, on_backup, on_fault
 *   scripts.c      tracked scripts
 *   exec.c         probes of type exec
 *   withdraw.c     addresses, when the election process cannot remove them itself
 */
#ifndef TANDEM_PROC_SUPERVISOR_H
#define TANDEM_PROC_SUPERVISOR_H

#include "base/log.h"
#include "conf/read.h"
#include "ipc/messages.h"
#include "proc/handover.h"
#include "proc/incoming.h"
#include "proc/program.h"

#include <ev.h>
#include <sys/types.h>

enum { EXIT_CONFIG = 1, EXIT_SYSTEM = 2 };
enum { CHILDREN = 3 + LIMIT_PROBERS };

struct supervisor;

struct supervised {
	struct supervisor *supervisor;
	enum process_role role;
	uint32_t index;
	bool wanted;           /* false: this prober slot is not used */
	pid_t pid;             /* 0: not running */
	int fd;                /* our end of its channel, -1 when not running */
	bool ready;
	bool condemned;        /* it was killed, because its successor does better */
	int said_fd;           /* its log lines alone, of who reads what strangers send; -1: none */
	struct log_limit said_limit;
	ev_io said_watcher;
	uint64_t config_done;  /* generation it has applied */
	mono started;
	int64_t backoff_ns;    /* before the next start */
	uint32_t restarts;
	ev_child exit_watcher;
	ev_io channel_watcher;
	ev_timer restart_timer;
};

struct relay {
	int write_end, read_end;
	bool to_stderr;
	ev_io watcher;
	struct ipc_event ring[LIMIT_EVENTS];
	size_t next, held;
};

struct hook_state {
	char router[LIMIT_NAME];
	struct ipc_hook running, next;
	bool has_next;
	struct program program;
	struct supervisor *supervisor;
};

struct supervisor_options {
	const char *config_path, *node_name, *run_dir, *state_dir;
	bool foreground;
	int ready_fd;          /* told the exit status when up, -1: nobody waits */
};

struct supervisor {
	struct supervisor_options options;
	struct ev_loop *loop;
	struct logger log;
	struct config config;
	uint64_t generation;
	int config_fd;         /* memfd of the current configuration */
	uint32_t node;
	int lock_fd;
	struct handover *handover;
	struct relay relay;
	struct incoming incoming; /* messages of the children */
	struct supervised children[CHILDREN];
	struct hook_state *hooks; /* array by router, grown on demand */
	size_t hook_count;
	struct script *scripts;   /* list */
	struct exec_runner *exec; /* NULL: nothing is asked so */
	struct log_limit script_limit;
	struct ipc_request reload_waiting; /* id 0: nobody asked over the control socket */
	bool announced_ready;
	bool stopping;
	int exit_status;
	mono last_check;
	ev_signal term, interrupt, hangup, usr1;
	ev_timer check_timer;
	ev_timer stop_timer;
};

/* Runs until stopped; returns the exit status of the program. Takes the tables of *config over. */
int supervisor_run(const struct supervisor_options *options, struct config *config, uint32_t node);

/* children.c */
void children_init(struct supervisor *s);
void children_start_all(struct supervisor *s);
void children_send_config(struct supervisor *s);
void children_check_hung(struct supervisor *s, mono now);
/* Kill it, and a successor starts. */
void children_replace(struct supervisor *s, enum process_role role, uint32_t index, enum reason why);
/* Ask it to stop (IPC_STOP); its exit is seen by children_exited(). */
void child_stop(struct supervised *c);
struct supervised *children_find(struct supervisor *s, enum process_role role, uint32_t index);
bool children_all_ready(const struct supervisor *s);
bool children_any_running(const struct supervisor *s);

/* supervisor.c, called back */
void supervisor_child_message(struct supervised *c);
void supervisor_child_gone(struct supervised *c, int status);

/* reload.c */
int reload_first(struct supervisor *s);
void reload_now(struct supervisor *s);
/* The same, but only when the file still is what was planned: the packed tables behind `fd`. */
void reload_planned(struct supervisor *s, const struct ipc_apply *order, int fd);

/* relay.c */
int relay_open(struct supervisor *s);
void relay_close(struct supervisor *s);
void relay_replay(struct supervisor *s, int pool_fd);
void relay_drain(struct supervisor *s);
/* Where a child's lines come out, and where it says them; -errno. */
int relay_pair(int ends[2]);
/* Hear that child alone at such a reading end, until it hangs up (which closes it). */
void relay_listen(struct supervised *c, int fd);
void relay_hang_up(struct supervised *c);

/* hooks.c */
void hooks_run(struct supervisor *s, const struct ipc_hook *hook);
void hooks_close(struct supervisor *s);

/* scripts.c */
/* Run what the configuration now tracks; what is asked as before goes on with what is known. */
void scripts_configure(struct supervisor *s);
/* The verdicts, all of them (a new election process) or those that it did not take yet. */
void scripts_tell(struct supervisor *s, bool all);
/* Nothing is asked any more; what runs is killed. */
void scripts_close(struct supervisor *s);

/* exec.c */
void exec_set(struct supervisor *s, const struct ipc_exec_set *set);
void exec_clear(struct supervisor *s, uint32_t target);
/* The pool process is gone, or we are to stop: nothing is asked, what runs is killed. */
void exec_close(struct supervisor *s);

/* withdraw.c: remove every address of the configured routers. */
void withdraw_addresses(struct supervisor *s, enum reason why);
/* Remove the devices with a virtual MAC, and put back what was set for them (linux/macvlan.h). */
void withdraw_devices(struct supervisor *s);
/* At the end, with no address left: the table of the egress fence, if it is still there. */
void withdraw_fence(struct supervisor *s);

#endif
