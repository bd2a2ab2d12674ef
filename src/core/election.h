/*
 * One virtual router's election: the state machine of RFC 9568 6.4, with leases.
 *
 * Events and `now` go in; the new state, the next deadline (el_deadline()) and a bounded list of
 * actions come out. No descriptor, no clock, no allocation. The daemon and the simulator both
 * drive exactly these functions.
 *
 * Rules for the caller:
 *  - hand over every packet already received before calling el_tick() (a late process must not
 *    call a peer silent whose packets wait in a queue);
 *  - perform the actions in order; report what happened to EL_CLAIM, EL_RENEW and EL_RELEASE by
 *    el_address_result() with the action's sequence number (unknown numbers are ignored);
 *  - call el_tick() at el_deadline(); it may be called at any time.
 *
 * Invariants: addresses are wanted exactly while role is EL_ACTIVE; a lease is never renewed at
 * or after its deadline; nothing is sent in EL_INIT and EL_FAULT but a resignation.
 */
#ifndef TANDEM_CORE_ELECTION_H
#define TANDEM_CORE_ELECTION_H

#include "base/addr.h"
#include "base/mono.h"
#include "base/reason.h"
#include "core/announce.h"

enum el_role { EL_INIT, EL_BACKUP, EL_ACTIVE, EL_FAULT };

enum {
	EL_PRIORITY_RESIGN = 0,
	EL_PRIORITY_OWNER = 255,
	EL_ACTS_MAX = 12,
};

/*
 * How fit a node is: a rank above priority. An impaired node (a tracked gateway, probe or script
 * lost) serves only where there is no better one, which only a keyed pair can know; among plain
 * VRRP routers impaired is unfit.
 */
enum el_fitness { EL_UNFIT, EL_IMPAIRED, EL_FIT };

struct el_params {
	uint8_t priority;         /* 1..255 of this node, after tracking */
	uint8_t version;          /* of VRRP: 2 has a skew of its own (RFC 3768 6.1); 0 is 3 */
	bool keyed;               /* one authenticated peer, which sends hello while it is backup */
	bool ask;                 /* keyed: ask the wire before claiming after silence */
	bool preempt;
	bool prepare;             /* ask for EL_PREPARE before EL_CLAIM (cold standby with a pool) */
	bool prepare_offered;     /* the same, for a tenth of the time, of a place that was offered only */
	bool grouped;             /* becomes active by el_take() only: core/group.h */
	int64_t interval_ns;      /* advertisement interval */
	int64_t preempt_delay_ns; /* wait before preempting an active of lower priority */
	int64_t catch_up_ns;      /* so long an active must have been heard before it is preempted */
	int64_t lease_ns;         /* how long the kernel keeps an address not renewed */
	struct ip_addr own;       /* source of our advertisements: the tie-break */
};

/*
 * A checked advertisement for this virtual router, from another node; or, in a keyed pair, any
 * message of the peer, a backup's hello included.
 */
struct el_advert {
	struct ip_addr source;    /* the tie-break: source address, keyed: the node's address */
	uint8_t priority;         /* 0: resigns */
	int64_t interval_ns;
	bool keyed;               /* what follows is known: believed by core/pair.h */
	enum el_role role;
	enum el_fitness fitness;
	uint16_t flags;           /* enum trailer_flags */
	int64_t lease_ns;         /* how long its kernel keeps an address; 0: not told */
	uint64_t life, counter;   /* boot id and counter of the sender */
};

struct vrrp_advert;
struct trailer;

/* What a message from `source` says to an election; `signed_by` is its trailer, or NULL. */
struct el_advert el_advert_of(const struct vrrp_advert *advert, const struct trailer *signed_by,
	const struct ip_addr *source);

enum el_act_kind {
	EL_SEND_ADVERT, /* priority */
	EL_SEND_HELLO,  /* keyed, not active: state and readiness for the peer */
	EL_ASK,         /* ask the wire who has the addresses; answers go to el_answered() */
	EL_PREPARE,     /* have the pool ready, then call el_prepared() */
	EL_CLAIM,       /* add all addresses with a lease; sequence */
	EL_RENEW,       /* renew all leases; sequence */
	EL_RELEASE,     /* remove all addresses; sequence */
	EL_ANNOUNCE,    /* gratuitous ARP for all addresses */
	EL_ROLE,        /* tell: from -> to, reason */
	EL_RIVAL,       /* tell: another active was heard (conflict) */
	EL_RELAY,       /* pass frames that still come for the addresses on to the new owner */
	EL_STILL_ANSWERED, /* tell, by reason: the kernel of who is silent, or is not believed, answers for
	                    * the addresses; waiting */
	EL_OFFER_ENDED, /* tell: a switchover is done (ok) or did not happen */
	EL_CANDIDATE,   /* grouped: would be active now; waits for el_take() */
};

struct el_act {
	enum el_act_kind kind;
	uint8_t priority;  /* EL_SEND_ADVERT */
	uint32_t sequence; /* EL_CLAIM, EL_RENEW, EL_RELEASE */
	enum el_role from, to;
	/* EL_ROLE, EL_STILL_ANSWERED; EL_OFFER_ENDED: ok: why it was made, else: why it was not taken */
	enum reason reason;
	struct ip_addr rival; /* EL_RIVAL */
	uint8_t rival_priority;
	bool ok;            /* EL_OFFER_ENDED */
};

struct el_acts {
	struct el_act list[EL_ACTS_MAX];
	size_t count;
};

/* The moments of the last takeover, for the log and the recorder. */
struct el_phases {
	mono last_heard; /* last advertisement of the former active; never heard: MONO_NEVER */
	mono due;        /* when the timer was due (or the resignation's skew ended) */
	mono decided;
	mono claimed;    /* addresses confirmed by the kernel */
};

/* Does anybody else answer on the service interface? Asked when the peer went quiet there. */
enum el_contact { EL_CONTACT_UNKNOWN, EL_CONTACT_CONNECTED, EL_CONTACT_ISOLATED };

/* Who else is active, as far as a backup hears: nobody, one that ranks below us, or above. */
enum el_rival { EL_RIVAL_NONE, EL_RIVAL_LESSER, EL_RIVAL_BETTER };

/* What the peer of a keyed pair last said of itself, for this virtual router. */
struct el_peer {
	mono heard;              /* MONO_NEVER */
	int64_t interval_ns;
	int64_t lease_ns;        /* 0: not told */
	enum el_role role;
	enum el_fitness fitness;
	uint8_t priority;
	uint16_t flags;          /* enum trailer_flags */
	struct ip_addr address;
	uint64_t life, counter;  /* of the message: what is older is history */
};

struct election {
	struct el_params params;
	enum el_role role;
	enum reason reason;      /* of the last change of role */
	mono since;
	enum el_fitness fitness;
	enum reason unfit;       /* why not fit */
	bool hold;               /* gave up on the operator's wish: no preemption until a failure */
	enum reason candidate;   /* grouped backup: why it would be active now; REASON_NONE: it would not */
	bool candidate_offered;  /* the peer asks for it */
	mono candidate_due;      /* since when */

	int64_t active_interval_ns; /* learned from the active node (RFC: Active_Adver_Interval) */
	mono down_deadline;      /* backup: Active_Down_Timer */
	mono advert_deadline;    /* active: Adver_Timer */
	mono preempt_deadline;   /* backup: preemption allowed from here on */
	mono catch_up_deadline;  /* backup: knows what the active knows from here on; MONO_NEVER:
	                          * none was heard since this node takes part */
	mono last_heard;         /* last advertisement from another node */
	uint8_t last_priority;   /* its priority */
	struct ip_addr last_source;

	uint32_t sequence;       /* of the last address action */
	uint32_t pending;        /* the one whose result is awaited; 0: none */
	int64_t asked_lease_ns;  /* with it */
	bool claimed;            /* addresses are in the kernel as far as we know */
	mono lease_deadline;     /* the kernel may have removed them from here on */
	mono renew_deadline;
	mono prepare_deadline;
	mono resign_deadline;    /* send priority 0 when released, at this moment at the latest */
	mono retry_deadline;     /* fault of our own making (address refused): try again then */
	bool reclaim;            /* addresses changed while an action was pending: claim again */
	uint8_t removals;        /* times somebody removed the addresses, in a window */
	mono removal_window;
	mono rival_answered;     /* rate limits of immediate answers to a rival */
	mono rival_announced;
	bool answer_owed;        /* an answer was put off; the next advert is it */
	mono reannounce_deadline; /* an announcement was put off */
	struct announce announce;
	struct el_phases phases;

	/* a keyed pair (election_keyed.c) */
	struct el_peer peer;
	mono hello_deadline;     /* not active: the next hello */
	mono listen_until;       /* held up a moment ago: nothing is claimed at once */
	mono ask_deadline;       /* backup: the next question to the wire */
	uint8_t asks;            /* unanswered in a row */
	mono ask_until;          /* answered or not, claim then: no lease lasts longer */
	enum reason told_answered; /* REASON_NONE: not */
	mono disbelieved;        /* somebody spoke in the active's place, and was not believed */
	bool wants;              /* backup: would preempt the active */
	mono want_until;         /* it may offer so long; then it is claimed from */
	enum el_contact contact; /* on the service interface, since the peer went quiet there */
	enum reason offer;       /* active: why it asks the peer to take over; REASON_NONE: it does not */
	mono offer_deadline;     /* until when */
	mono offer_repeat;
	mono handed_deadline;    /* the peer holds the addresses: give them up then */
	mono hushed_until;       /* with an offer: nothing is announced before */
	mono offer_again;        /* an offer was not taken: the next one not before */
	mono taking_until;       /* active: took an offer; the peer is no rival meanwhile */
};

/* Role EL_INIT, not fit (REASON_STARTED). */
void el_init(struct election *e, const struct el_params *params, mono now);

/*
 * Fitness: may this node be active at all? From unfit to fit the election starts as RFC 9568
 * 6.4.1 (owner: active at once; others: backup, listening). From fit to unfit: an active resigns,
 * and the role is EL_FAULT.
 */
void el_set_fitness(struct election *e, mono now, enum el_fitness fitness, enum reason why,
	struct el_acts *out);
void el_recv(struct election *e, mono now, const struct el_advert *advert, struct el_acts *out);
void el_tick(struct election *e, mono now, struct el_acts *out);
/* The pool is ready (EL_PREPARE). */
void el_prepared(struct election *e, mono now, struct el_acts *out);
/* `sent`: just before the kernel was asked; `ok`: everything was done. */
void el_address_result(struct election *e, mono now, uint32_t sequence, mono sent, bool ok,
	struct el_acts *out);
/* Somebody else removed an address of ours. */
void el_addresses_removed(struct election *e, mono now, struct el_acts *out);
/* The list of addresses changed on reload: an active claims (adds what is new, renews the rest). */
void el_addresses_changed(struct election *e, mono now, struct el_acts *out);
/* EL_ASK was answered: somebody else's kernel still has one of the addresses. */
void el_answered(struct election *e, mono now, struct el_acts *out);
/*
 * Keyed pair: a message for this router was refused, `why`. It moves no role and no timer. But an
 * active with another key, or none, is alive: while its kernel answers for the addresses as well, no
 * lease will end that, and it is configured otherwise rather than dead.
 */
void el_refused(struct election *e, mono now, enum reason why, const struct vrrp_advert *advert);
/*
 * Somebody else was heard to speak for one of the addresses; `reply`: as its holder. A backup
 * that has asked takes that for an answer. True: a stranger does, and it is to be told; our own
 * word follows. It follows that of the peer, too, when the peer offered the place we took.
 */
bool el_spoken_for(struct election *e, mono now, bool reply, bool by_peer, struct el_acts *out);
/*
 * The peer waits for a word of ours: what this node has to say in its role. A node that was held up
 * says nothing (an active steps down) before it has listened.
 */
void el_speak(struct election *e, mono now, struct el_acts *out);
/*
 * A path or an interface healed, in either direction: neighbours may have heard somebody else, or
 * not us. Announced as soon as the
 * peer says that it is not active, or an interval later, by whoever is active then: a rival has been
 * heard by that time, and the word of the one that gives way would be the last. No-op when not
 * active.
 */
void el_path_healed(struct election *e, mono now);
/*
 * election_grouped.c: what core/group.h orders. el_take(): become active now, whatever is heard; a
 * candidate's own reason goes before `why`. No-op unless able and backup. el_yield(): give up being
 * active now, resigning. No-op unless active. el_offer(): make before break, as in el_switchover();
 * no-op unless the peer could take over and has not just refused.
 */
void el_take(struct election *e, mono now, enum reason why, struct el_acts *out);
void el_yield(struct election *e, mono now, enum reason why, struct el_acts *out);
void el_offer(struct election *e, mono now, enum reason why, struct el_acts *out);
enum el_rival el_rival(const struct election *e, mono now);
/* In fault although fit: an address was refused, or nobody answers it. It will try again. */
bool el_is_broken(const struct election *e);
/* Keyed pair: what the caller found out about the service interface. */
void el_set_contact(struct election *e, mono now, enum el_contact contact, struct el_acts *out);
/* enum trailer_flags for the message to be sent now. */
uint16_t el_flags(const struct election *e);
/* Backup: has not heard the active for params.catch_up_ns since it takes part. */
bool el_is_behind(const struct election *e, mono now);
/* Why a router is active: because the peer, which is alive and serves meanwhile, offered its place? */
bool el_was_offered(enum reason why);
/* Has the peer of a keyed pair spoken of this router lately; and could it take over? */
bool el_peer_is_fresh(const struct election *e, mono now);
bool el_peer_is_ready(const struct election *e, mono now);
/* How long this backup waits for an active that fell silent, in ns (Active_Down_Interval). */
int64_t el_patience_ns(const struct election *e);
/*
 * Planned switchover. Among plain VRRP routers an active resigns and holds. In a keyed pair it
 * offers (make before break): it stays active until the peer says that it holds the addresses,
 * and EL_OFFER_ENDED tells how that went. REASON_NONE, or why not.
 */
enum reason el_switchover(struct election *e, mono now, struct el_acts *out);
/* Shutdown (V014, V046): role EL_INIT. Done when el_is_quiet(). */
void el_stop(struct election *e, mono now, struct el_acts *out);
/* No address action and no resignation is outstanding. */
bool el_is_quiet(const struct election *e);
/* New parameters on reload: no running timer is extended, no role changes. */
void el_reconfigure(struct election *e, mono now, const struct el_params *params,
	struct el_acts *out);
/*
 * In place of the first el_set_fitness(true): go on as active where a crashed predecessor of this
 * very node stopped. False (and nothing done) when the peer's patience or the lease may be over;
 * el_may_resume() says so before.
 */
bool el_may_resume(const struct election *e, mono now, mono last_advert, mono lease_deadline);
bool el_resume(struct election *e, mono now, mono since, mono last_advert, mono lease_deadline,
	struct el_acts *out);

/* When el_tick() wants to be called; MONO_NEVER when nothing is due. */
mono el_deadline(const struct election *e);

/* Skew_Time and Active_Down_Interval of RFC 9568 6.1, in ns: multiplied before divided. */
int64_t el_skew_ns(uint8_t priority, int64_t interval_ns);
int64_t el_down_ns(uint8_t priority, int64_t interval_ns);

const char *el_role_name(enum el_role role); /* "init", "backup", "active", "fault" */

#endif
