/*
 * The pool process: IPVS, the health of real servers, and the control socket. It may wait for the
 * kernel; no heartbeat depends on it.
 *
 *   pool_main.c      start, event loop, messages of the supervisor and the election
 *   pool_health.c    targets, probers, verdicts
 *   pool_flap.c      ... of those who fall again and again
 *   pool_share.c     ... of those who have one probe together
 *   pool_overdue.c   ... of whom nothing is heard
 *   pool_health_log.c  ... told in the log
 *   pool_carry.c     what was what before a reload
 *   pool_track.c     tracked probes: verdicts for the election; what it makes of all it tracks
 *   pool_table.c     the wanted table, out of configuration, verdicts and roles
 *   pool_modes.c     serving, sorry, fail-open, refuse: with hysteresis, and told
 *   pool_weights.c   weights that change by themselves
 *   pool_targets.c   which target is what
 *   pool_groups.c    verdicts of several probes of a server together
 *   pool_agents.c    what the agents of real servers say, and what it means for them
 *   pool_black_hole.c  servers that take connections and answer none
 *   pool_correlated.c  most of a pool silent at once: held, while it is asked who is to blame
 *   pool_names.c     names instead of addresses: asked for, kept
 *   pool_named.c     ... what they change, and told in the log
 *   pool_formers.c   ... servers at addresses that they stood for before
 *   pool_plan.c      wanted against actual: the one path to the kernel's table
 *   pool_plan_log.c  what was done there, for the log
 *   pool_sync.c      connection sync daemons, and the gate
 *   pool_handover.c  ... and the connections that it does not tell of in time
 *   pool_sysctls.c   the sysctls of ip_vs
 *   pool_survival.c  what connections survive a takeover by; comparing servers with the peer
 *   pool_operate.c   servers drained, disabled, weighted, added and removed by operators
 *   pool_drains.c    ... what is told of drains
 *   pool_clients.c   ... and who has been connected for how long, looked at by a thread
 *   pool_overlay.c   ... kept apart from the configuration, in a file of the state directory
 *   pool_modules.c   modules of the kernel, loaded without waiting
 *   pool_refused.c   services that the kernel does not take, left out for a while
 *   pool_state.c     the files of the state directory, written without waiting for the disk
 *   pool_owned.c     which services are ours, remembered over a restart
 *   pool_preview.c   plan and apply: what a configuration would change, and doing just that
 *   pool_preview_json.c  ... told to the operator
 *   pool_control.c   commands of the control socket (src/control has the socket and the JSON)
 *   pool_status.c    everything known, as JSON
 *
 * Inside of src/proc only.
 */
#ifndef TANDEM_PROC_POOL_PROCESS_H
#define TANDEM_PROC_POOL_PROCESS_H

#include "conf/config.h"
#include "core/black_hole.h"
#include "core/correlated.h"
#include "core/drain.h"
#include "core/election.h"
#include "core/flap.h"
#include "core/health.h"
#include "core/latency.h"
#include "core/overdue.h"
#include "core/plan.h"
#include "core/pool.h"
#include "core/ramp.h"
#include "core/roster.h"
#include "core/shortage.h"
#include "ipc/messages.h"
#include "linux/ipvs.h"
#include "linux/path.h"
#include "proc/child.h"
#include "proc/incoming.h"
#include "proc/pool_overlay.h"

#include <ev.h>
#include <stdio.h>

struct pool;
struct control_stats;
struct json_t;

/*
 * Something that is probed: row i of config.reals, or, behind those, of config.tracks, or, behind
 * those, the sorry server of row i of config.virtuals, or, behind those, where the configuration
 * has any, the agent of row i of config.reals, and then the members of groups of probes.
 */
struct pool_target {
	enum health_verdict verdict; /* what counts: of the probe and, of a real server, its agent */
	enum health_verdict said;    /* of the probe alone: up as well while it is held back */
	bool weighs;                 /* of exec with exit_weight: its exit status told a weight */
	uint8_t told_weight;
	uint8_t member;              /* of a group of probes: which decided, from 1; 0: none yet */
	bool exec;                   /* the supervisor asks, not a prober */
	struct agent_state agent;    /* of an agent, or a probe of that type: all that it said */
	struct flap flap;
	enum reason reason;       /* of the last result, or why it is held back */
	int32_t detail;
	char evidence[64];
	mono since;               /* of the verdict */
	mono last_result;         /* MONO_NEVER: none yet */
	int64_t connect_ns, answer_ns;
	uint64_t probes, failures;
	int64_t expires_s;        /* wall clock, of the certificate; INT64_MAX: none seen */
	mono warned;              /* of its end, last; MONO_NEVER: not yet */
	uint32_t slot;            /* its number towards the probers, kept over a reload */
	uint32_t twin;            /* the next one that has the same; itself: it is alone */
	uint32_t generation;      /* of the probe that was set */
	bool probed;              /* a prober has it */
	bool untold;              /* must be (re)sent to its prober */
	mono told_at;             /* to its prober, last */
	bool overdue;             /* no result for too long, and said so */
	bool urgent;
	bool keep_out;            /* was down before it was asked anew, and is not known yet */
	mono silent_since;        /* no answer of any kind since then; MONO_NEVER */
	bool held;                /* ... and is still up, see pool_correlated.c */
	bool believed;            /* ... and was held: this silence is not held again */
	struct latency latency;   /* of its answers while it is up */
	struct latency_share share;
	struct ramp ramp;         /* it was down */
	struct black_hole hole;   /* of its counters in the kernel */
	uint32_t percent;         /* of its weight; changed in pool_weights.c only */
	struct drain drain;       /* of an operator */
	bool drain_told;          /* its end was logged */
};

/* How a virtual server serves: row i of config.virtuals. */
struct pool_virtual {
	struct shortage shortage;
	struct correlated correlated;
	struct path path;         /* who was asked; while something is held */
	struct pool_outcome outcome; /* as last wanted */
	enum pool_mode told;      /* in the log, and in the status */
	mono since;
};

struct pool_prober {
	struct pool *pool;
	uint32_t index;
	int fd;                   /* -1: none */
	struct overdue_pardon pardon; /* it was to be replaced */
	struct ipc_prober_stats stats; /* pid 0: none yet */
	struct log_limit socket_limit; /* how often it may ask for sockets */
	bool table_untold;        /* the ways to probe must be (re)sent, before any target */
	ev_io watcher;
};

/* Those of net.ipv4.vs that are set here; the first four go with the sync daemons. */
enum pool_sysctl_row {
	SYSCTL_SYNC_THRESHOLD,
	SYSCTL_SYNC_REFRESH_PERIOD,
	SYSCTL_SYNC_RETRIES,
	SYSCTL_BACKUP_ONLY,
	SYSCTL_SLOPPY_TCP,
	SYSCTL_SLOPPY_SCTP,
	SYSCTL_EXPIRE_NODEST_CONN,
	SYSCTL_EXPIRE_QUIESCENT_TEMPLATE,
	POOL_SYSCTLS,
};

enum { SYSCTL_VALUE = 32 };

struct pool_sysctl {
	char wanted[SYSCTL_VALUE]; /* "": left alone */
	char before[SYSCTL_VALUE]; /* `kept`, `told`: what was there */
	bool told;                 /* by the file of an earlier life */
	bool kept;
	int error;                 /* negative errno of the last try; 0: it is as wanted */
};

/* Latest facts of the election about one router: row i of config.routers. */
struct pool_router {
	bool known;
	struct ipc_router facts;
	bool preparing;           /* IPC_PREPARE came: program before the role is active */
	mono prepare_until;       /* no takeover by then: the claim was given up */
	mono hushed_until;        /* it was handed over to us */
	uint8_t servers_told;     /* what the election on that channel was told last */
	int servers_fd;           /* 0: none yet */
};

struct pool {
	struct child *child;
	struct ev_loop *loop;
	struct config base;            /* as configured */
	struct config config;          /* and with what operators changed */
	struct overlay overlay;
	uint64_t generation;
	mono started;
	struct pool_router *routers;   /* by row of config.routers */
	struct pool_target *targets;   /* by row of config.reals, of config.tracks, of config.virtuals */
	struct pool_virtual *virtuals; /* by row of config.virtuals */
	struct ipc_track_state *tracks; /* what the election last said, by row of config.tracks */
	uint32_t track_turn;           /* whose verdict is said again next */
	struct pool_prober probers[LIMIT_PROBERS];
	uint32_t probe_generation;
	uint32_t *slot_rows;           /* slot to row of targets; CONF_NO_INDEX: free */
	uint32_t slot_count;
	uint32_t *slot_unsent;         /* pool_clears.c: by slot, who must still hear that it is over */
	uint32_t slot_unsent_count;
	bool any_unsent;
	uint32_t prober_count;         /* targets are spread over so many */
	ev_timer flush_timer;          /* a prober's channel was full */

	struct ipvs *ipvs;             /* NULL: not open (no need, or no ip_vs) */
	bool adopted;                  /* the first dump was looked at */
	bool actual_known;             /* `actual` is what the kernel has, as far as we know */
	bool programmed;               /* the last plan was applied without error */
	enum reason unfinished;        /* not `programmed`: why it was tried */
	bool settled;                  /* one was, since the start: what differs now was changed */
	bool replan_soon;
	enum reason replan_why;
	mono told_at;                  /* of a new configuration; MONO_NEVER: none is being taken */
	mono ipvs_retry_at;
	struct vs_table actual;        /* last dump, with what we changed since */
	mono dumped_at;
	struct vs_table wanted;
	struct vs_key *owned;          /* ours in the kernel, now or in an earlier life; sorted */
	size_t owned_count;
	struct vs_key *refused;        /* the kernel does not take these; sorted */
	size_t refused_count;
	mono refused_until;            /* then they are asked for again */
	int64_t refused_pause_ns;
	struct pool_modules *modules;  /* pool_modules.c; NULL: none was missing yet */
	struct ipvs_sync sync;         /* as last set */
	bool sync_set;
	bool sync_refused;
	struct pool_handover *handover; /* pool_handover.c: the peer is being told; NULL: it is not */
	mono hushed_until;             /* MONO_NEVER: there is no hush */
	struct pool_sysctl sysctls[POOL_SYSCTLS];
	uint32_t gate_asked;           /* looks in a row that found the gate otherwise */
	struct log_limit ipvs_limit, plan_limit;
	struct log_limit local_limit, overdue_limit; /* of the lines about local errors, no results */
	uint64_t no_results;           /* targets that had none for too long, each time */
	struct overdue_watch overdue_watch; /* the last look for those */
	uint64_t local_errors;         /* results that said so */

	struct pool_name *names;       /* pool_names.c: of config.hosts, sorted */
	uint32_t name_count;
	struct pool_former *formers;   /* addresses that names stood for */
	uint32_t former_count;
	int resolver_fd;               /* -1: none */
	ev_io resolver_watcher;
	struct overdue_pardon resolver_pardon; /* it was to be replaced */
	ev_timer names_timer;          /* answers have come */

	struct incoming incoming;      /* messages of the other processes */
	struct neighbours *neighbours; /* NULL: not open */
	int election_fd;               /* -1: none */
	bool peer_known;
	struct ipc_peer_node peer;
	struct ipc_election_stats stats;
	struct ipc_exec_stats exec_stats; /* of the programs that the supervisor runs for us */
	struct ipc_event events[LIMIT_EVENTS]; /* ring */
	size_t event_next, event_held;
	uint64_t event_total;          /* ever received: number of the next event */

	struct pool_state *state;      /* pool_state.c */
	struct pool_clients *clients;  /* pool_clients.c; NULL: nobody looked yet */
	struct log_limit state_limit;
	struct pool_control *control;  /* pool_control.c */
	struct preview *preview;       /* pool_preview.c: the last plan; NULL: none */
	ev_io supervisor_watcher, election_watcher;
	ev_timer second_timer, alive_timer, replan_timer, neighbours_timer;
	ev_timer correlated_timer;     /* while something is held */
	ev_timer drift_timer;          /* the next look at the kernel's table */
	uint64_t seconds;
};

/* pool_main.c */
/* Everything by rows, after a change of p->config from `before`. False: no memory. */
bool pool_rebuild(struct pool *p, const struct config *before);
/* What is known of the routers, by row of now->routers; owned by the caller. NULL: no memory. */
struct pool_router *routers_carried(const struct config *now, const struct config *before,
	const struct pool_router *old);

/* pool_carry.c */
/*
 * For each row of now->virtuals, and for each target of `now`, which one of `before` it was, or
 * CONF_NO_INDEX; owned by the caller. NULL: no memory. A target is the same when its server is asked the
 * same way at the same place.
 */
uint32_t *carry_virtuals(const struct config *now, const struct config *before);
uint32_t *carry_targets(const struct config *now, const struct config *before);
/* The row that each real server was, in whatever way it was asked. */
uint32_t *carry_reals(const struct config *now, const struct config *before);
/* Is every row where it was? */
bool carry_moves_nothing(const uint32_t *was, uint32_t count, uint32_t count_before);

/* pool_clears.c */
/* What has that slot is not probed any more, by that prober or as a program. */
void clears_prober(struct pool *p, uint32_t slot, uint32_t prober);
void clears_exec(struct pool *p, uint32_t slot);
/* What a full channel did not take; before any new target. False: there is no room yet. */
bool clears_flush(struct pool *p);
/* That prober is gone, and its successor knows of nothing. */
void clears_forget(struct pool *p, uint32_t prober);

/* pool_marks.c */
/* Sockets with a mark, as far as it may have them. */
void marks_give(struct pool_prober *prober, const struct ipc_sockets *wanted);

/* pool_health.c */
int targets_configure(struct pool *p, const struct config *before);
/* What the targets would be right after a reload to `now`; owned by the caller. NULL: no memory. */
struct pool_target *targets_foreseen(const struct pool *p, const struct config *now);
/* The target's own probe says so, for the first time or again. */
void target_take_verdict(struct pool *p, uint32_t target, enum health_verdict now);
void target_probe_now(struct pool *p, uint32_t target); /* what is probed */
void targets_refresh(struct pool *p);            /* set and clear after a change of roles */
void targets_flush_timer(struct ev_loop *loop, ev_timer *w, int events);
/* Over so many probers; each target has one. */
void targets_spread(struct pool *p, uint32_t probers);
void targets_prober_up(struct pool *p, uint32_t index, int fd);
bool virtual_is_served(const struct pool *p, uint32_t virtual_row); /* wanted in the kernel here */
/* "up", "down", "unknown" */
const char *health_name(enum health_verdict verdict);
/* Healthy real servers of a virtual server: unprobed ones count, those that are held do not. */
uint32_t virtual_healthy(const struct pool *p, uint32_t virtual_row);

uint32_t targets_count(const struct config *c);
/* What a target is. */
/* Not while its name stands for none. */
bool target_has_address(const struct config *c, uint32_t target);
bool target_is_real(const struct config *c, uint32_t target);
bool target_is_track(const struct config *c, uint32_t target);
bool target_is_member(const struct config *c, uint32_t target);
bool target_is_agent(const struct config *c, uint32_t target);
/* The row of the real server that it is or speaks of; no such row for others. */
uint32_t target_real(const struct config *c, uint32_t target);
const struct conf_track *target_track(const struct config *c, uint32_t target);
bool target_is_sorry(const struct config *c, uint32_t target);
/* Where to ask: what has no port of its own is asked at the one that clients use. */
struct endpoint target_address(const struct config *c, uint32_t target);
/* As it is configured; of agents and members that of their real server. */
const struct endpoint *target_place(const struct config *c, uint32_t target);
/* The name that it has instead of an address, or NULL. */
const struct conf_host *target_host(const struct config *c, uint32_t target);
/* Is a name in the way of asking it? */
bool target_is_unresolved(const struct config *c, uint32_t target);
/* The host that is asked: the probe's own address, or that of the target. */
struct ip_addr target_asked(const struct config *c, uint32_t target);
/* How it is asked; NULL: not at all. */
const struct conf_probe *target_way(const struct config *c, uint32_t target);
/* The same; NULL also while it is not known where. */
const struct conf_probe *target_probe(const struct config *c, uint32_t target);
/* Whose real or sorry server it is; CONF_NO_INDEX: a tracked probe's. */
uint32_t target_virtual(const struct config *c, uint32_t target);

void targets_second(struct pool *p);             /* those held back whose time is over */

/* pool_flap.c */
/* The prober says something else than before. */
void flaps_said(struct pool *p, uint32_t target, enum health_verdict said);
/* Is it up and held back all the same? Lets it in when that is over, or it is needed. */
bool flaps_hold(struct pool *p, uint32_t target);
enum health_verdict flaps_verdict(const struct pool_target *t); /* what its probe says, or down */
uint32_t flaps_count(const struct pool *p, uint32_t target); /* falls remembered */
int64_t flaps_left_ns(const struct pool *p, uint32_t target); /* -1: not held back */

/* pool_share.c */
/* Numbers for those without one, and who is whose twin. False: no memory. */
bool shares_number(struct pool *p,
	uint32_t (*take_slot)(struct pool *p, uint32_t target, uint32_t *next));
/* One that has the same probe and is probed; CONF_NO_INDEX: none. */
uint32_t shares_probed_twin(const struct pool *p, uint32_t target);

/* pool_overdue.c */
void overdue_second(struct pool *p);
/* The supervisor is asked for another one, unless that was done a moment ago. */
void process_replace(struct pool *p, const struct ipc_replace *which, struct overdue_pardon *pardon);
void prober_replace(struct pool *p, uint32_t index, enum reason why);

/* pool_health_log.c */
/* ` server=web1 virtual=http`, ` probe=nginx router=web`. */
void target_log_name(struct log_line *line, const struct config *c, uint32_t target);
void target_log_verdict(struct pool *p, uint32_t target, enum health_verdict before);
/* This node could not ask: nobody's fault but ours. At a limited rate. */
void target_log_local_error(struct pool *p, uint32_t target);
/* A prober says nothing about it. At a limited rate. */
void target_log_no_result(struct pool *p, uint32_t target, uint32_t prober, int64_t silent_ns);
void target_warn_of_expiry(struct pool *p, uint32_t target);

/* A predecessor's verdict on a target that is probed and about which nothing is known yet. */
void targets_seed(struct pool *p, uint32_t target, enum health_verdict verdict);

/* pool_track.c */
/* False: no memory. */
bool tracks_configure(struct pool *p, const struct config *before);
/* The router that row of config.tracks belongs to. */
const struct conf_router *tracks_router(const struct config *c, uint32_t row);
void tracks_tell(struct pool *p, uint32_t row);  /* to the election, if there is a verdict */
void tracks_tell_all(struct pool *p);
void tracks_second(struct pool *p);              /* some of them again: full facts, in turns */
void tracks_take_state(struct pool *p, const struct ipc_track_state *state);

/* pool_plan_log.c */
/* Operations on the kernel's table and what became of them. */
struct plan_work {
	struct plan_op *ops;
	int *errors;                   /* of each operation: 0 or an errno */
	size_t count;
	int64_t apply_ns;              /* how long the kernel took for all of them */
	mono begun;                    /* when this process was told that something is to change */
	mono ended;                    /* when the kernel had answered the last one */
};
void plan_log(struct pool *p, enum reason why, const struct plan_work *work);
/* The system refused something; `error` is an errno of either sign. At a limited rate. */
void pool_complain(struct pool *p, const char *detail, int error);

/* pool_plan.c */
void table_replan(struct pool *p, enum reason why); /* at the end of this turn of the loop */
/* Dump, plan, apply; logs what was done. True when the kernel is as wanted. */
bool table_apply_now(struct pool *p, enum reason why);
/* A fresh dump: what others changed is put right, and then what has ended since (connections, time). */
void table_look(struct pool *p);
/* A dump at most 200 ms old, for status; false without ip_vs. */
bool table_refresh(struct pool *p);
void table_check_soon(struct pool *p);           /* look at the kernel's table in the next turn */
void table_withdraw_all(struct pool *p);         /* clean stop: remove what is ours */
void table_close(struct pool *p);

/* pool_table.c */
bool table_build_wanted(struct pool *p);         /* false: no memory */
/* How many services of the kernel a virtual server is, and the key of the i-th. */
uint32_t virtual_services(const struct config *c, const struct conf_virtual *v);
struct vs_key virtual_key(const struct config *c, const struct conf_virtual *v, uint32_t i);
/* The kernel's row for a real server of ours, counters summed over the services; false: in none. */
bool table_sum_real(const struct pool *p, uint32_t virtual_row, uint32_t real_row,
	struct vs_real *sum);
/* The same for an address; port 0: that of each service. */
bool table_sum_at(const struct pool *p, uint32_t virtual_row, const struct endpoint *at,
	struct vs_real *sum);
uint8_t table_forwarding(uint8_t forwarding);    /* enum conf_forwarding to enum vs_forwarding */

/* The target that is the sorry server of a virtual server. */
static inline uint32_t
sorry_target(const struct config *c, uint32_t virtual_row)
{
	return c->real_count + c->track_count + virtual_row;
}

/* The target that is the agent of a real server; where the configuration has agents. */
static inline uint32_t
agent_target(const struct config *c, uint32_t real_row)
{
	return sorry_target(c, c->virtual_count) + real_row;
}

static inline uint32_t
agent_rows(const struct config *c)
{
	return c->has_agents ? c->real_count : 0;
}

/* The target that is the i-th probe of a real server's group of probes. */
static inline uint32_t
member_target(const struct config *c, uint32_t real_row, uint32_t i)
{
	return agent_target(c, agent_rows(c)) + real_row * c->probe_members + i;
}

/* pool_groups.c: groups of probes */
/* How many probes the real server's group has; 0: it has none. */
uint32_t group_members(const struct config *c, uint32_t real_row);
/* A member was heard: does that change what the group says of the real server? */
void group_heard(struct pool *p, uint32_t target, const struct ipc_probe_result *result);

/* pool_agents.c */
/* All that its agent said; NULL: it has none. */
const struct agent_state *agent_of(const struct pool *p, uint32_t real_row);
/* What that means; AGENT_NONE without an agent. */
enum agent_effect agents_effect(const struct pool *p, uint32_t real_row);
/* What the probe and the agent together say of that real server. */
enum health_verdict agents_verdict(const struct pool *p, uint32_t real_row);
/* ... of all of them, anew. */
void agents_settle(const struct config *c, struct pool_target *targets);
/* Does any server of it have one? Then weights may be parts of what is configured. */
bool agents_any(const struct config *c, const struct conf_virtual *v);
/* Weight and drain of that real server, into the member. */
void agents_member(const struct pool *p, uint32_t real_row, struct pool_member *m);
/* The agent of that real server has said `line` in all until now; `before` was known. */
void agents_heard(struct pool *p, uint32_t real_row, const struct agent_state *before,
	enum health_verdict verdict_before);

/* The real server's own probe says something else than before. */
void target_take_verdict(struct pool *p, uint32_t target, enum health_verdict now);
/* A result that a prober, or of exec the supervisor, found. */
/* Of that prober; CONF_NO_INDEX: of a program that the supervisor ran. */
void targets_result(struct pool *p, uint32_t prober, const struct ipc_probe_result *result);

/* pool_modes.c */
/* How each serves, by row of now->virtuals; owned by the caller. NULL: no memory. */
struct pool_virtual *modes_carried(const struct config *now, const struct config *before,
	const struct pool_virtual *old);
bool modes_configure(struct pool *p, const struct config *before); /* false: no memory */
/* Is there a sorry server that can be used? */
bool modes_has_sorry(const struct pool *p, const struct conf_virtual *v);
/* Decides s->is_short, and how the virtual server serves. */
const struct pool_outcome *modes_judge(struct pool *p, const struct conf_virtual *v, mono now,
	struct pool_service *s, const struct pool_member *members, uint32_t count);
void modes_tell(struct pool *p);                 /* modes that are not what they were */
void modes_second(struct pool *p);               /* shortages that are over */

/* pool_weights.c */
/* Of the weights in the kernel. */
uint32_t weights_scale(const struct config *c, const struct conf_virtual *v);
void weights_verdict(struct pool *p, const struct conf_virtual *v, uint32_t row,
	enum health_verdict before);             /* the target has another one now */
void weights_forget(struct pool_target *t);      /* it is not probed any more */
/* A probe succeeded: how long it took. */
void weights_measured(struct pool_target *t);
void weights_second(struct pool *p);             /* the next step, where one is due */
void weights_refresh(struct pool *p, enum reason why); /* percents that are not what they were */

/* pool_black_hole.c: after each look at the kernel's table */
void black_holes_look(struct pool *p);

/* pool_correlated.c */
/* A result of a real server, which has it already. True: what it says does not count yet. */
bool correlated_takes(struct pool *p, uint32_t target, const struct ipc_probe_result *r);
uint32_t correlated_held(const struct pool *p, uint32_t virtual_row);
void correlated_timer(struct ev_loop *loop, ev_timer *w, int events);
/* pool_names.c */
/* What that name stands for; no family: nothing that is known, or NULL. */
struct ip_addr names_address(const struct pool *p, const struct conf_host *host);
/* Does it stand for what it did at the last names_note()? */
bool names_were_noted(const struct pool *p, const struct conf_host *host);
void names_note(struct pool *p);
void names_open(struct pool *p);
void names_close(struct pool *p);
/* Of p->config.hosts; all of them asked for anew, or the new ones. False: no memory. */
bool names_configure(struct pool *p, bool ask_all);
void names_ask(struct pool *p);                  /* what is due */
void names_resolver_up(struct pool *p, int fd);
void names_second(struct pool *p);

/* pool_named.c */
/* The addresses that are known, into all that a configuration has by name. */
void names_fill(const struct pool *p, struct config *c);
/* `event=server server=web1 virtual=http host=web1.example.net`; `of_way`: the host is the probe's. */
void named_begin_line(struct log_line *line, const struct config *c, uint32_t target, bool of_way);
void named_put_address(struct log_line *line, const char *key, const struct endpoint *e);
/* Rows are the same as in `before`, addresses are not: told, and the former ones on their way out. */
void names_note_changes(struct pool *p, const struct config *before);
/* Those who have that name; it could not be resolved. */
void names_log_failure(struct pool *p, const struct conf_host *host, const char *detail);

/* pool_taken.c */
/*
 * Which other server of that virtual server has this address, or the virtual server's name when it is
 * its own; NULL: nobody. Before a name come those that are configured by address and the names before it;
 * `row` behind all real servers is the sorry server's.
 */
const char *holder_of(const struct config *c, const struct conf_virtual *v, uint32_t row,
	const struct endpoint *at);
/* Is it without an address because what its name stands for is somebody else's? */
bool target_is_taken(const struct pool *p, uint32_t target);
/* After a change of p->config from `before`, or of the names: that is told of those of whom it is new. */
void names_note_taken(struct pool *p, const struct config *before);

/* pool_formers.c */
/* That virtual server had a server there until now. */
void formers_add(struct pool *p, const char *virtual, const struct endpoint *address,
	uint8_t forwarding);
void formers_drop(struct pool *p);               /* those that are done */
size_t formers_rows(const struct pool *p);       /* at most so many in the wanted table */
/*
 * Behind `count` members of that virtual server, those that its names stood for and that are in the
 * kernel still; how many there are then. There must be room for p->former_count more.
 */
uint32_t formers_members(const struct pool *p, const struct conf_virtual *v,
	struct pool_member *members, uint32_t count);

/* pool_operate.c */
struct control_client;
struct control_request;
/* drain, enable, disable, weight, add, remove: done, stored and answered. */
void operate(struct pool *p, struct control_client *client, const struct control_request *request);
/* What its agent and, above that, operators say of that real server, into the member. */
void operate_member(const struct pool *p, const struct conf_virtual *v, uint32_t row,
	struct pool_member *m);
/* Of a real server as the status and the log call it: "up", "down", "unknown", "drained", "disabled". */
const char *operate_health(const struct pool *p, uint32_t virtual_row, uint32_t row);
bool operate_is_disabled(const struct pool *p, uint32_t virtual_row, uint32_t row);
void operate_open(struct pool *p);               /* what an earlier life stored */
void operate_second(struct pool *p);             /* ends of drains and of overrides */

/* The answer to a drain of SERVER, when it is stored. */
void operate_answer_drain(struct pool *p, struct control_client *client, const char *server);
/* One more line of an answer. */
void answer_line(struct json_t *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* pool_drains.c */
struct clients_told; /* pool_clients.c */
/* How far the drain of that real server is, which has so many connections. */
void drains_answer(const struct pool *p, uint32_t virtual_row, uint32_t row, uint32_t connections,
	struct json_t *lines);
/* Keys about clients, into the object of a drain. `told` NULL: nothing is known. */
void drains_clients_json(const struct clients_told *told, mono now, struct json_t *drain);

/* pool_clients.c */
enum { CLIENTS_TOLD = 10 };
/* Whose connections a server that is being drained has, as a look found them. */
struct clients_told {
	mono looked, first;            /* that look, and the first one ever */
	struct roster_sum sum;
	struct roster_client clients[CLIENTS_TOLD];
	size_t count;
	bool partial;                  /* a bound was met: there may be more */
	int error;                     /* negative errno, or 0 */
};
/* NULL: no look since its drain began. */
const struct clients_told *clients_of(const struct pool *p, const char *virtual, const char *real);
/* Now; control_looked() tells the end of it by this number. 0: that cannot be. */
uint64_t clients_look(struct pool *p);
void clients_second(struct pool *p);             /* the next look, when it is due */
void clients_close(struct pool *p);

/* pool_modules.c */
/* All that this configuration needs and the kernel does not have is asked for. */
void modules_want(struct pool *p, const struct config *c);
/* False: what that needs is being loaded, or cannot be; asked for if it was not yet. */
bool modules_may_open(struct pool *p);
bool modules_may_use(struct pool *p, const struct vs_service *s);
void modules_ask_again(struct pool *p);          /* for what could not be loaded, when it is wanted */
void modules_second(struct pool *p);
void modules_close(struct pool *p);

/* pool_refused.c */
/* What the kernel refused for good, of the operations done, is left out for a while. */
void refused_note(struct pool *p, const struct plan_work *work);
void refused_leave_out(struct pool *p);          /* of `wanted`; `actual` must be known */
void refused_forget(struct pool *p);             /* ask again at once */

/* pool_state.c */
enum pool_state_file { STATE_SERVICES, STATE_SYSCTLS, STATE_OVERRIDES, STATE_NAMES, STATE_FILES };

/* A text that grows by fprintf(3). */
struct state_text {
	FILE *f;
	char *bytes;
	size_t length;
};

int state_open(struct pool *p);                  /* 0 or negative errno */
void state_close(struct pool *p);                /* what was put is written, if the disk answers */
/* Written soon, whole, and told when that cannot be. `text` NULL: there was no memory for it. */
void state_put(struct pool *p, enum pool_state_file file, const char *text, size_t length);
FILE *state_text(struct state_text *t);          /* NULL: no memory */
/* The same with what was printed there, which is freed. */
void state_put_text(struct pool *p, enum pool_state_file file, struct state_text *t);
/*
 * What became of the last text: 0, it is written; a negative errno, it cannot be; -EINPROGRESS: not
 * yet, and control_stored() will tell by that number.
 */
int state_result(const struct pool *p, enum pool_state_file file, uint64_t *number);
/* proc/state_file.h; also before state_open(). */
int state_read(const struct pool *p, enum pool_state_file file, char **text, size_t *length);
void state_second(struct pool *p);

/* pool_owned.c */
void owned_load(struct pool *p);
void owned_store(struct pool *p);
/* Remembered before it is programmed: a crash in between must not leave an orphan. */
void owned_add_wanted(struct pool *p);
void owned_remove(struct pool *p, const struct vs_key *key);

/* pool_neighbours.c */
void neighbours_tell(struct pool *p);

/* pool_view.c */
void views_tell(struct pool *p);
/* Of a router's real servers, view_tell() of core/view.h. */
struct pool_views {
	uint16_t own;   /* what is not known here counts as well */
	uint16_t told;  /* ... does not: for the peer */
	uint32_t total; /* how many there are */
};
struct pool_views views_of(const struct pool *p, uint32_t router);

/* pool_sync.c */
void sync_reconcile(struct pool *p);
void sync_stop(struct pool *p);

/* pool_handover.c */
void handover_open(struct pool *p);
/* The election tells these facts of that router; those of before are still in its row. */
void handover_follow(struct pool *p, uint32_t row, const struct ipc_router *facts);
/* The addresses of all routers that are hushed then, at most so many. Returns how many. */
size_t handover_hushed(const struct pool *p, mono now, struct ip_addr *out, size_t most);
void handover_second(struct pool *p);
void handover_close(struct pool *p);

/* pool_preview.c */
/* The packed configuration behind `fd` as a plan, answered and remembered; NULL: *refusal is set. */
struct json_t *preview_plan(struct pool *p, const char *file, int fd, const char **refusal);
/*
 * May the remembered plan be applied as it is? Then *order is for the supervisor, with the packed
 * configuration: its descriptor, owned by the caller. -1: `refusal` says why not.
 */
enum { PREVIEW_REFUSAL = 512 };
int preview_order(struct pool *p, struct ipc_apply *order, char refusal[PREVIEW_REFUSAL]);
/* A round of operations was applied. */
void preview_note(struct pool *p, enum reason why, const struct plan_work *work);
/* The supervisor has reloaded: what became of the plan. It is forgotten. */
struct json_t *preview_done(struct pool *p);
void preview_close(struct pool *p);

/* pool_sysctls.c */
const char *sysctl_name(enum pool_sysctl_row row);
/* Now, and it is looked at each time this is called; `value` < SYSCTL_VALUE bytes. */
void sysctl_want(struct pool *p, enum pool_sysctl_row row, const char *value);
/* The same for one that somebody else sets: is it so? False: it is not, or cannot be read (error). */
bool sysctl_is(struct pool *p, enum pool_sysctl_row row, const char *value);
/* What was there before is put back. */
void sysctl_drop(struct pool *p, enum pool_sysctl_row row);
void sysctls_load(struct pool *p);                /* what an earlier life remembered */
void sysctls_reconcile(struct pool *p);          /* those that the services need */
void sysctls_drop_all(struct pool *p);

/* pool_survival.c */
struct survival survival_of(const struct pool *p, uint32_t virtual_row); /* core/survival.h */
/* To the election, for the peer: from which servers each router's services choose. */
void survival_tell(struct pool *p);

/* pool_control.c: the control socket in child->run_dir. */
int control_start(struct pool *p);               /* 0 or negative errno */
void control_stop(struct pool *p);
void control_event(struct pool *p, const struct ipc_event *event); /* to `events -f` followers */
void control_switchover_result(struct pool *p, const struct ipc_result *result);
void control_reload_result(struct pool *p, const struct ipc_result *result);
/* What operators changed is in force: the client is answered when it is stored, in 5 s at last. */
void control_answer_stored(struct pool *p, struct control_client *client, struct json_t *answer);
/* Overrides up to that text are stored, or cannot be: a negative errno. */
void control_stored(struct pool *p, uint64_t number, int error);
/* The answer to a drain, after that look, in 3 s at last. False: too many are waiting. */
bool control_answer_looked(struct pool *p, struct control_client *client, const char *server,
	uint64_t look);
void control_looked(struct pool *p, uint64_t number); /* that look is done */
void control_configured(struct pool *p);         /* control.group may have changed */
struct control_stats control_stats(const struct pool *p); /* control/server.h */

/* pool_status.c: `.result` of the status command. The caller owns the reference. */
struct json_t *status_json(struct pool *p);
/* A name or path as a JSON string, whatever its encoding. */
struct json_t *text_json(const char *text);

#endif
