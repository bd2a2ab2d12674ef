/*
 * Everything that tandem's processes tell each other. Full facts, not differences: a receiver that
 * missed one is right again after the next. Objects are named, not numbered: rows move on reload.
 */
#ifndef TANDEM_IPC_MESSAGES_H
#define TANDEM_IPC_MESSAGES_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/reason.h"
#include "conf/config.h"
#include "core/agent.h"

#include <stddef.h>

enum process_role {
	PROCESS_SUPERVISOR, PROCESS_ELECTION, PROCESS_POOL, PROCESS_RESOLVER, PROCESS_PROBER
};

enum ipc_kind {
	/* supervisor to every child */
	IPC_CONFIG = 1,      /* struct ipc_config + memfd of conf/pack.h */
	IPC_PEER,            /* struct ipc_peer + channel to another process */
	IPC_STOP,            /* no payload: clean stop */
	/* child to supervisor */
	IPC_READY,           /* no payload: configured and working */
	IPC_CONFIG_DONE,     /* struct ipc_config */
	IPC_HOOK,            /* struct ipc_hook: run it (from election) */
	IPC_STATE_REQUEST,   /* pool -> supervisor: struct ipc_request, reload */
	IPC_RELOAD_RESULT,   /* supervisor -> pool: struct ipc_result, of both */
	IPC_EVENT,           /* supervisor -> pool: struct ipc_event, a log line for the ring */
	/* election to pool */
	IPC_ROUTER,          /* struct ipc_router: on every change and once a second */
	IPC_PEER_NODE,       /* struct ipc_peer_node: same */
	IPC_ELECTION_STATS,  /* struct ipc_election_stats: once a second */
	IPC_PREPARE,         /* struct ipc_name: program this router's pool, answer IPC_PREPARED */
	IPC_SWITCHOVER_RESULT, /* struct ipc_result */
	/* pool to election */
	IPC_PREPARED,        /* struct ipc_name */
	IPC_SWITCHOVER,      /* struct ipc_switchover */
	IPC_NEIGHBOURS,      /* struct ipc_neighbours: five times a second, an interface each (keyed) */
	IPC_VIEW,            /* struct ipc_view: on change and once a second (keyed, hot) */
	IPC_SERVERS,         /* struct ipc_servers: when it has changed; all of them to a new election */
	IPC_GATE,            /* no payload: net.ipv4.vs.backup_only is not what the roles make it */
	IPC_DUMP_STATE,      /* no payload: log event=state for every router (SIGUSR1, each minute) */
	/* supervisor and pool to election: struct ipc_track, a verdict; all of them after a restart
	 * of the election and after a reload */
	IPC_TRACK,
	IPC_TRACK_STATE,     /* election to pool: struct ipc_track_state, on change; all to a new pool */
	/* pool to prober */
	IPC_PROBE_TABLE,     /* struct ipc_probe_table + memfd of config_pack_probes() */
	IPC_PROBE_SET,       /* struct ipc_probe_set */
	IPC_PROBE_CLEAR,     /* struct ipc_probe_clear */
	/* prober to pool */
	IPC_PROBE_RESULTS,   /* struct ipc_probe_results, as long as its count says */
	IPC_PROBER_STATS,    /* struct ipc_prober_stats, once a second */
	IPC_SOCKETS,         /* struct ipc_sockets: so many with that mark are wanted */
	/* pool to prober */
	IPC_SOCKET,          /* struct ipc_sockets, count 1 + the socket */
	IPC_RESOLVE,         /* pool to resolver: struct ipc_resolve */
	IPC_RESOLVED,        /* resolver to pool: struct ipc_resolved, of each question */
	/* supervisor to pool: of exec */
	IPC_PROBE_RESULT,    /* struct ipc_probe_result */
	IPC_EXEC_STATS,      /* struct ipc_exec_stats, once a second */
	/* pool to supervisor */
	IPC_REPLACE,         /* struct ipc_replace: kill it; its successor does better */
	IPC_EXEC_SET,        /* struct ipc_exec_set: a program is the probe */
	IPC_EXEC_CLEAR,      /* struct ipc_probe_clear */
	IPC_APPLY,           /* struct ipc_apply + memfd of conf/pack.h: reload, if the file is that */
};

struct ipc_config {
	uint64_t generation;
	uint32_t probers; /* so many there are, or will be in a moment */
};

struct ipc_peer {
	uint32_t role;  /* enum process_role of the other end */
	uint32_t index; /* which prober */
};

struct ipc_name {
	char name[LIMIT_NAME];
};

struct ipc_request {
	uint64_t id;
};

struct ipc_apply {
	uint64_t id;
	char file[LIMIT_PATH]; /* that was planned, for the one who asks */
};

struct ipc_result {
	uint64_t id;
	bool ok;
	char text[1024]; /* why not; newline between several */
};

struct ipc_event {
	int64_t at_ns;
	uint32_t level;
	char text[LIMIT_LOG_LINE];
};

struct ipc_hook {
	char router[LIMIT_NAME];
	uint32_t hook;   /* enum conf_hook */
	char role[16], reason[32];
};

struct ipc_switchover {
	uint64_t id;
	char router[LIMIT_NAME]; /* "" = every router that is active here */
};

struct ipc_router {
	char name[LIMIT_NAME];
	uint8_t vrid;
	uint8_t priority;   /* effective, of this node */
	uint8_t role;       /* enum el_role */
	bool hold;          /* preemption held off by a switchover */
	bool claimed;       /* addresses are in the kernel */
	bool fenced;        /* the egress fence is in force, not the lease alone */
	bool peer_active;   /* another node is heard as active */
	uint8_t peer_priority;
	bool behind;        /* a standby that has not learnt the connections yet */
	bool peer_behind;   /* keyed: the other node says so of itself */
	uint8_t peer_servers; /* keyed: its ipc_servers.digest */
	bool offering;      /* keyed: the peer may take over, make before break */
	uint16_t peer_view;   /* keyed: what it told lately of the servers it sees well (core/view.h) */
	uint32_t reason;    /* enum reason */
	int64_t behind_ns;  /* mono of the moment until which it is; with `behind` */
	int64_t since_ns;   /* mono of the change */
	int64_t lease_ns;   /* mono of the lease's end, INT64_MAX when none */
	uint64_t adverts_sent, adverts_received;
	struct ip_addr peer;
};

enum { IPC_TRACK_DETAIL = 128 };

/* What became of something that a router tracks: row of config.tracks by its names. */
struct ipc_track {
	uint64_t generation; /* of the configuration it was asked for: another's is dropped */
	char router[LIMIT_NAME], name[LIMIT_NAME];
	uint8_t kind;        /* enum conf_track_kind */
	bool up;             /* after rise and fall */
	uint32_t reason;     /* enum reason of the last result */
	char detail[IPC_TRACK_DETAIL]; /* "exit 1: no route", "503", ""; printable or not */
};

/* What counts in the election now. */
struct ipc_track_state {
	struct ipc_track track;
	bool known;          /* false: no verdict yet, counts as well */
	int64_t since_ns;    /* mono of the verdict */
};

/* How many of a router's real servers this node sees well. */
struct ipc_view {
	char router[LIMIT_NAME];
	uint16_t own;        /* view_tell() of core/view.h: what is not known here counts as well */
	uint16_t told;       /* ... does not: for the peer */
};

/* From which real servers the router's services choose here: for the peer (core/survival.h). */
struct ipc_servers {
	char router[LIMIT_NAME];
	uint8_t digest;      /* 0: nothing to tell */
};

enum { IPC_NEIGHBOURS_MAX = 8 };

/* Who could answer a question on that interface: its gateway, then neighbours. */
struct ipc_neighbours {
	char interface[LIMIT_IFNAME];
	uint32_t count;
	struct ip_addr list[IPC_NEIGHBOURS_MAX];
};

enum { IPC_PATHS = LIMIT_PATHS };

/* One way to the other node. */
struct ipc_path {
	char name[LIMIT_NAME];   /* of the service interface or of the link */
	bool link;               /* of heartbeat.links */
	bool carrier;            /* of our interface */
	bool in;                 /* we hear the peer there */
	int8_t out;              /* the peer hears us there: 1, 0; -1: it does not tell */
	int64_t heard_ns;        /* mono; INT64_MAX: never */
};

struct ipc_peer_node {
	char name[LIMIT_NAME];
	bool keyed;            /* its backup says hello: silence means something */
	bool heard;            /* on any path, lately */
	bool digest_differs;   /* its configuration is not ours */
	int64_t last_heard_ns; /* mono; INT64_MAX: never */
	uint32_t path_count;
	struct ipc_path paths[IPC_PATHS];
};

struct ipc_election_stats {
	uint64_t refused[REASON_COUNT]; /* packets, by reason */
	int64_t lateness_max_ns;        /* of the loop since start */
	int64_t lateness_last_ns;       /* largest in the last second */
	uint64_t log_dropped;
};

struct ipc_resolve {
	char name[LIMIT_HOST];
	uint8_t family;      /* enum ip_family */
	bool loopback;       /* as conf_host */
};

struct ipc_resolved {
	char name[LIMIT_HOST];
	uint8_t family;
	bool loopback;
	uint32_t count;      /* addresses; 0: none, `detail` says why */
	struct ip_addr address; /* the lowest */
	char detail[96];
};

/* What is known about a target's health when a prober gets it. */
enum probe_seed { PROBE_SEED_UNKNOWN, PROBE_SEED_UP, PROBE_SEED_DOWN };

/* The ways to probe; what was set already is not touched by a new table. */
struct ipc_probe_table {
	uint32_t count;
};

struct ipc_probe_set {
	uint32_t target;     /* chosen by the pool */
	uint32_t generation; /* answers carry it: stale ones are dropped */
	uint8_t seed;        /* enum probe_seed */
	bool urgent;         /* probe now instead of at the target's phase (takeover) */
	uint8_t node;        /* index of this node: the two nodes probe at different phases */
	struct endpoint address;
	uint32_t probe;      /* row of the table that was sent last */
};

/* Only what the configuration of that generation has is run: the row is one of its probes. */
struct ipc_exec_set {
	uint64_t config;
	struct ipc_probe_set set;
	struct ip_addr elsewhere; /* asked about instead; no family: the server's own address */
	char server[LIMIT_NAME], virtual[LIMIT_NAME];
};

struct ipc_probe_clear {
	uint32_t target;
};

/* A prober, or the resolver. */
struct ipc_replace {
	uint32_t role;       /* enum process_role */
	uint32_t index;      /* which prober */
	uint32_t reason;     /* enum reason */
};

/* The first result, every change of verdict or reason, and a sign of life once a second. */
struct ipc_probe_result {
	uint32_t target;
	uint32_t generation;
	bool up;             /* verdict after rise/fall */
	bool ok;             /* this one probe */
	uint32_t reason;     /* enum reason of this probe */
	int32_t detail;      /* HTTP status, errno, or 0 */
	int64_t at_ns;       /* mono of the result */
	int64_t connect_ns;  /* time to connect or echo; -1: did not */
	int64_t answer_ns;   /* time to the first byte of the answer; -1: did not */
	uint64_t probes, failures; /* of this target since it was set */
	/* wall clock, seconds: the end of the server's certificate; INT64_MAX: none was seen */
	int64_t expires_s;
	bool has_weight;     /* of exec with exit_weight: its last good result told one */
	uint8_t weight;      /* 0..253 */
	struct agent_state agent; /* of an agent: all that it said since the target was set */
	char evidence[64];   /* first bytes of an unexpected answer, or an agent's line; printable */
};

enum ipc_socket_kind { IPC_SOCKET_TCP, IPC_SOCKET_UDP, IPC_SOCKET_ICMP, IPC_SOCKET_KINDS };
enum { IPC_SOCKETS_MAX = 16 }; /* asked for at once */

struct ipc_sockets {
	uint32_t mark;       /* SO_MARK; of a probe of the configuration */
	uint8_t kind;        /* enum ipc_socket_kind */
	uint8_t family;      /* enum ip_family */
	uint16_t count;
};

struct ipc_prober_stats {
	int32_t pid;
	uint32_t targets, running;
	uint64_t started, voided, local_errors, queued, sockets;
	int64_t stall_ns, lateness_p99_ns, lateness_max_ns; /* engine_stats of probe/engine.h */
};

struct ipc_exec_stats {
	uint32_t targets, running, waiting;
	uint64_t started, queued, local_errors; /* queued: of those started, had to wait for a place */
	uint64_t voided; /* results, see core/lag.h */
	int64_t lateness_p99_ns, lateness_max_ns;
};

enum { IPC_RESULTS = 26 }; /* in a message */

struct ipc_probe_results {
	uint64_t count;
	struct ipc_probe_result results[IPC_RESULTS];
};

_Static_assert(sizeof(struct ipc_probe_results) <= 4096, "more than a message (ipc/channel.h)");

static inline size_t
ipc_results_size(uint64_t count)
{
	return offsetof(struct ipc_probe_results, results) +
		(count < IPC_RESULTS ? count : IPC_RESULTS) * sizeof(struct ipc_probe_result);
}

/* A payload as results; NULL when it is not as long as it says. */
static inline const struct ipc_probe_results *
ipc_results(const void *payload, size_t size)
{
	const struct ipc_probe_results *results = payload;

	return size >= ipc_results_size(0) && results->count <= IPC_RESULTS &&
		size == ipc_results_size(results->count) ? results : NULL;
}

#endif
