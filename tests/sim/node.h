/*
 * One simulated machine: its clock, its kernel, its daemon. The daemon does what the election
 * process does around the core: packets are decoded and handed over before time is, actions go to
 * hands that work one job after the other, results come back. Everything that decides is the
 * shipped core.
 *
 *   node.c           the machine, the process, calls into the core, actions
 *   node_loop.c      the process's event loop: in which order it serves what waits
 *   node_messages.c  messages in and out (election_receive.c, election_send.c, election_pair.c)
 *   node_wire.c      questions to the service interface (election_wire.c)
 */
#ifndef TANDEM_SIM_NODE_H
#define TANDEM_SIM_NODE_H

#include "clock.h"
#include "kernel.h"
#include "network.h"

#include "core/contact.h"
#include "core/election.h"
#include "core/pair.h"

enum { SIM_INBOX = 64, SIM_FRAMES = 3 };

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

/* ARP frames as far as they matter. */
enum frame {
	FRAME_HELD,       /* the other node's kernel answers for an address */
	FRAME_NEIGHBOUR,  /* a host on the LAN answers us */
	FRAME_ANNOUNCED,  /* the other node announces an address */
};

/* What the process of a keyed node has besides its election. */
struct pairing {
	struct pair pair;
	uint32_t digest;         /* of its configuration */
	bool carrier[SIM_PATHS]; /* as the process believes */
	bool knows;              /* its kernel knows a neighbour on the service LAN */
	bool told;               /* the peer knows one */
	bool knows_peer;         /* by its hardware address */
	struct contact contact;
	enum el_contact told_contact; /* to the election */
	int64_t pair_at, look_at; /* the armed timers; others are stale */
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
	bool impaired;          /* the same */
	bool off;               /* the machine has no power */
	struct pairing pairing;
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
	mono last_advert;       /* sent, but for a resignation */

	/* what waits for a process that stands still */
	uint32_t inbox[SIM_INBOX]; /* slots */
	unsigned inbox_count;
	unsigned frames[SIM_FRAMES]; /* by enum frame */
	bool news[SIM_PATHS];   /* carrier has changed */
	bool pair_due, look_due; /* timers */
	struct result results[SIM_JOBS];
	unsigned result_count;
	unsigned notices;       /* removals not yet told */
	unsigned notices_due;   /* ... on their way */
	bool fitness_news;
};

struct world;

/* Why the core was called. */
enum cause {
	CAUSE_FITNESS, CAUSE_PACKET, CAUSE_TICK, CAUSE_PREPARED, CAUSE_RESULT, CAUSE_REMOVED,
	CAUSE_ADDRESSES, CAUSE_SWITCHOVER, CAUSE_STOP, CAUSE_RECONFIGURE, CAUSE_RESUME,
	CAUSE_ANSWERED, CAUSE_CONTACT, CAUSE_HEALED, CAUSE_ANSWERS, CAUSE_GROUP,
};

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

/* --- in parts, for a machine with several routers (machine.c) --- */

struct handover node_left(const struct node *n);
/* The process begins: it goes on, or starts its election. */
void node_begin(struct world *w, struct node *n);
bool node_resume(struct world *w, struct node *n, const struct handover *left);
void node_start(struct world *w, struct node *n);
/* The process goes on, if it stood still; ... and serves what waits. */
bool node_rise(struct world *w, struct node *n);
void node_serve(struct world *w, struct node *n);
/* What this router is of itself, as its process knows. */
enum el_fitness node_own_fitness(const struct world *w, const struct node *n, enum reason *why);
/* What the group is, and what it has ordered. */
void node_set_fitness(struct world *w, struct node *n, enum el_fitness fitness, enum reason why,
	uint8_t priority);
void node_ordered(struct world *w, struct node *n, const struct el_acts *acts);

/* An event of this node. */
void node_event(struct world *w, struct node *n, const struct event *event);

mono node_now(const struct world *w, const struct node *n);

/* The machine loses power: its kernel forgets everything; node_boot() switches it on. */
void node_power_off(struct world *w, struct node *n);
void node_set_impaired(struct world *w, struct node *n, bool impaired);
/* The carrier of a path has changed; the process learns it a moment later. */
void node_cable(struct world *w, struct node *n, unsigned path, int64_t after_ns);

/* --- between the files of a node --- */

/* Around every call into the core: the checker sees it before and after, then actions are done. */
mono node_enter(struct world *w, struct node *n, struct el_acts *acts);
void node_leave(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause);
/* An event of this life of the node. */
void node_after(struct world *w, const struct node *n, int64_t ns, enum event_kind kind, int64_t a,
	int64_t b);
void node_tell_time(struct world *w, struct node *n);
void node_tell_result(struct world *w, struct node *n, const struct result *r);
void node_tell_removal(struct world *w, struct node *n);
void node_tell_fitness(struct world *w, struct node *n);
void node_resume_machine(struct world *w, struct node *n);
void node_start_job(struct world *w, struct node *n);
/* The kernel has done the job in hand; ... looks at its leases. */
void node_hands(struct world *w, struct node *n);
void node_lapse(struct world *w, struct node *n, const struct event *event);

/* node_messages.c */
struct ip_addr node_link_address(unsigned id, unsigned path);
void node_send_advert(struct world *w, struct node *n, uint8_t priority);
void node_send_hello(struct world *w, struct node *n);
void node_hear(struct world *w, struct node *n, const struct packet *packet);
void node_pair_start(struct world *w, struct node *n);
void node_pair_configure(struct node *n, unsigned paths);
void node_pair_timer(struct world *w, struct node *n);
/* A VRRP packet of a plain router with its IP header; returns its length. */
size_t node_packet(const struct ip_addr *source, uint8_t priority, int64_t interval_ns,
	unsigned addresses, uint8_t out[SIM_PACKET]);
/* The MAC of this world: 64 bits, mixed. `key` 0 is the pair's. */
void node_mac(const struct world *w, uint64_t key, const uint8_t *message, size_t length,
	uint8_t mac[TRAILER_MAC]);

/* node_wire.c */
/* Gratuitous ARP for the addresses, which the other node hears, too. */
void node_announce(struct world *w, struct node *n);
void node_ask_wire(struct world *w, struct node *n);
void node_ask_arrived(struct world *w, struct node *asked, unsigned asker);
void node_take_frame(struct world *w, struct node *n, enum frame frame);
void node_look(struct world *w, struct node *n);
/* Look next when there may be something to see. */
void node_arm_look(struct world *w, struct node *n);

#endif
