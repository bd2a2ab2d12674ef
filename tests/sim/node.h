/*
 * One simulated machine: its clock, its kernel, its daemon. The daemon does what the election
 * process does around the core: packets are decoded and handed over before time is, actions go to
 * hands that work one job after the other, results come back. Everything that decides is the
 * shipped core.
 */
#ifndef TANDEM_SIM_NODE_H
#define TANDEM_SIM_NODE_H

#include "clock.h"
#include "events.h"
#include "kernel.h"

#include "core/election.h"

enum { SIM_INBOX = 64 };

enum life {
	LIFE_DEAD,    /* no process */
	LIFE_RUNNING,
	LIFE_HUNG,    /* the process stands still, its kernel does not */
	LIFE_PAUSED,  /* the machine stands still */
};

struct result {
	uint32_t sequence;
	mono sent;
	bool ok;
};

/* What a crashed process leaves to its successor. */
struct handover {
	bool active, claimed;
	mono since, last_advert, lease_deadline;
};

struct node {
	uint8_t id;
	struct el_params params;
	struct election e;
	struct sim_clock clock;
	struct kernel kernel;
	struct rng rng;

	enum life life;
	uint32_t incarnation;
	bool stopping;
	bool fit;               /* what the world wants the node to believe */
	unsigned addresses;     /* on the list */
	int64_t tick_at;        /* the armed tick; others are stale */
	int64_t lapse_at;       /* the armed look at the leases */
	mono paused_at;
	bool pause_is_seen;     /* the clock jumps over the pause */
	bool pool_answers;

	struct job jobs[SIM_JOBS]; /* the first is in hand */
	unsigned job_count;
	bool in_kernel;         /* the first has been handed to the kernel */
	mono job_sent;
	int64_t job_sent_kernel; /* the same, as the kernel counts */

	/* what waits for a process that stands still */
	struct event inbox[SIM_INBOX];
	unsigned inbox_count;
	struct result results[SIM_JOBS];
	unsigned result_count;
	unsigned notices;       /* removals not yet told */
	unsigned notices_due;   /* ... on their way */
	bool fitness_news;
};

struct world;

void node_create(struct world *w, unsigned id);
/* A new process; with `handover` it tries to go on where the last one stopped. */
void node_boot(struct world *w, struct node *n, bool handover);
void node_crash(struct world *w, struct node *n);
void node_hang(struct world *w, struct node *n);
void node_pause(struct world *w, struct node *n, bool seen);
/* End of a hang or a pause. */
void node_wake(struct world *w, struct node *n);
void node_set_fit(struct world *w, struct node *n, bool fit, int64_t after_ns);
void node_switchover(struct world *w, struct node *n);
void node_reconfigure(struct world *w, struct node *n, const struct el_params *params);
void node_new_addresses(struct world *w, struct node *n, unsigned count);
void node_lose_addresses(struct world *w, struct node *n, unsigned mask);
void node_stop(struct world *w, struct node *n);

/* An event of this node. */
void node_event(struct world *w, struct node *n, const struct event *event);

mono node_now(const struct world *w, const struct node *n);

/* A VRRP packet with its IP header; returns its length. */
size_t node_packet(const struct ip_addr *source, uint8_t priority, int64_t interval_ns,
	unsigned addresses, uint8_t out[SIM_PACKET]);

#endif
