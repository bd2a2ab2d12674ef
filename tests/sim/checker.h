/*
 * The invariants. The checker sees every call into the core from both sides, every answer of a
 * kernel and, after every event, the whole world. What it believes it keeps for itself (the
 * patience of a backup, the rhythm of an active), so that a mistake in the core is not believed.
 */
#ifndef TANDEM_SIM_CHECKER_H
#define TANDEM_SIM_CHECKER_H

#include "network.h"
#include "node.h"

enum { SIM_RHYTHM = 8, SIM_LIVES = 8, SIM_HEARD = 256 };

/* One node, as the checker sees it. Moments are the node's own. */
struct watch {
	bool wanted;          /* the last address action was to have them */
	bool release_failed;  /* what is left goes with its lease */
	bool claim_confirmed; /* since it became active */
	bool recreated;       /* a renewal brought back what had lapsed: must not be kept */
	mono released_at;
	enum reason reason;   /* of the last change of role */

	/* backup: RFC 9568 6.4.2 once more, as bounds */
	mono not_before, not_after;
	int64_t active_interval_ns;
	bool heard;
	bool hold;
	mono preempt_from;    /* a lower active is let alone until then */
	bool deposed;         /* by the packet at hand, which has had its effect */
	uint8_t heard_priority;

	/* active */
	mono last_sent;       /* advert other than priority 0 */
	int64_t sent_interval_ns;
	mono advert_by;
	mono rhythm[SIM_RHYTHM]; /* the last adverts */
	unsigned sent;
	mono announce_by;     /* a rival was heard, or a claim confirmed */
	mono claim_by;        /* active must ask for its addresses, or have them */

	bool may_resign;      /* a priority 0 is neither owed nor wrong */
	mono resign_by;       /* a priority 0 is owed */
	bool woke_too_late;   /* and must step down */
	bool must_listen;     /* woke too late to call the others silent */
	uint64_t ticks;       /* since... */
	mono ticks_since;

	/* a keyed node */
	int64_t booted_at, woke_at; /* true time */
	int64_t blind_until;  /* the same: it woke from a pause that its clock did not see */
	mono heard_at;        /* the peer's last word as active */
	uint64_t said;        /* messages */
	uint64_t life, newest; /* believed, and its newest message heard */
	int64_t told_lease_ns;
	uint64_t former[SIM_LIVES];
	unsigned formers;
	int64_t last_at;      /* its newest message was heard, true time */
	uint16_t last_flags;  /* and said that */
	bool offers;          /* its place to the peer, after the last call */
	int64_t role_at;      /* true time */
	mono mute_until;      /* woke too late: says nothing before it has listened */
	bool slept_active;
	struct {
		uint64_t counter;
		int64_t at;   /* true time */
	} heard_on[SIM_PATHS][SIM_HEARD]; /* of this life, by the counter's last byte */
};

struct checker {
	struct watch watch[SIM_NODES];
	struct {
		enum el_role role;
		mono now;
	} before;                        /* the call into the core */
	const struct el_advert *heard;   /* the packet it is about */
	const struct handover *handover; /* the successor's inheritance */
	int64_t both_active_since[SIM_NODES][SIM_NODES];
	int64_t both_hold_since[SIM_NODES][SIM_NODES];
	int64_t settled_at;              /* from here on there is exactly one; INT64_MAX: not yet */
	unsigned changes;                /* of role since then */
	uint64_t takeovers;

	/* a keyed pair (checker_keyed.c) */
	struct {
		uint64_t boot;
		mono heard, told;
		bool alive;
		enum el_role role;
		mono paths[SIM_PATHS];
	} judged;                        /* before the message at hand was judged */
	int64_t held_since[SIM_NODES];   /* and its kernel is awake; INT64_MAX: not so */
	bool must_hold;                  /* somebody, at any time */
	int64_t misled_since;            /* the LAN believes who does not hold; INT64_MAX: not so */
};

struct el_acts;
struct world;

void checker_start(struct world *w);
void checker_booted(struct world *w, struct node *n);
void checker_before(struct world *w, struct node *n);
void checker_after(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause);
void checker_job_done(struct world *w, struct node *n, const struct job *job, bool ok);
void checker_recreated(struct world *w, struct node *n);
/* The process goes on after a hang or a pause; ... and has handled what had waited. */
void checker_woke(struct world *w, struct node *n);
void checker_awake(struct world *w, struct node *n);
/* After every event. */
void checker_step(struct world *w);
/* The node leaves the place to one of a lower rank, and has no reason to. */
bool checker_should_have_preempted(const struct world *w, const struct node *n);
bool keyed_should_have_preempted(const struct world *w, const struct node *n);

/* --- checker_keyed.c --- */

void keyed_after(struct world *w, struct node *n, const struct el_acts *acts, enum cause cause);
/* The node sends a message: an advertisement, or hello. */
void keyed_said(struct world *w, struct node *n, bool advert, uint8_t priority);
/* Around the judgement of a packet; NULL: it has no trailer, or none that can be read. */
void keyed_before_judging(struct world *w, const struct node *n);
void keyed_judged(struct world *w, struct node *n, const struct packet *packet,
	const struct trailer *t, enum reason why);
/* A message was believed, and is an event for the election. */
void keyed_believed(struct world *w, struct node *n, const struct trailer *t);
void keyed_woke(struct world *w, struct node *n);
void keyed_step(struct world *w);

#endif
