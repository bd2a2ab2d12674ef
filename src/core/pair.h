/*
 * What this node knows of the other one in a keyed pair: which life of it is believed, what has
 * been said already (replay), and over which path each hears the other. Pure. docs/PROTOCOL.md
 * says the same for people, with the reasons.
 *
 * A message is believed when its MAC is right (the caller's work, between pair_screen() and
 * pair_accept()), its boot id is the believed one, or is new and echoes our own boot id with a
 * counter we sent a moment ago (challenge and response: a capture is worth nothing, after any
 * restart of either node), its counter was not heard before on that path, and is not older than
 * what was heard a moment ago on any path. A refused message changes nothing but a counter of the
 * caller's; it never shortens or resets a timer.
 *
 * A moment: one to two times max(1 s, 3 intervals) for our own counters, max(1 s, 2 intervals)
 * for the peer's. The peer is alive as of its newest message; a copy that comes later, over a
 * slower path, tells of the path only.
 *
 * One struct a process: the counter runs over the messages of all its virtual routers.
 */
#ifndef TANDEM_CORE_PAIR_H
#define TANDEM_CORE_PAIR_H

#include "base/mono.h"
#include "core/trailer.h"

enum { PAIR_PATHS = TRAILER_PATHS, PAIR_RETIRED = 8, PAIR_CANDIDATES = 64 };
enum { PAIR_MACS_A_SECOND = 20000 }; /* one to two hundredths of a processor */

struct pair_path {
	uint32_t tag;        /* trailer_tag() of the interface's or link's name; 0: unused */
	bool carrier;        /* told by the caller */
	mono heard;          /* last believed message; MONO_NEVER */
	uint64_t newest;     /* counter, of the believed boot; 0: none heard here yet */
	uint64_t window;     /* bit n: newest - n was heard */
	uint16_t peer_age_ms; /* as the peer says: how long ago it heard us there */
	bool peer_carrier;
	mono peer_said;      /* when it said so; MONO_NEVER */
	mono peer_deaf;      /* it does not hear us there since; MONO_NEVER: it does */
	bool quiet;          /* was heard, and is not any more */
	unsigned macs[2];    /* computed since macs_since, of unknown lives: without an echo, with one */
	mono macs_since;
};

struct pair {
	uint64_t boot, counter;       /* ours */
	struct ip_addr self;
	int64_t patience_ns;          /* three intervals, the longer of ours and the peer's */
	int64_t interval_ns;          /* ours */
	int64_t peer_interval_ns;     /* 0: not heard yet */
	uint32_t digest;              /* of our configuration */
	bool digest_is_news;          /* ours has changed since the peer's was told */

	uint64_t peer_boot;           /* believed; 0: none */
	uint64_t peer_counter;        /* newest */
	mono peer_heard;              /* on any path */
	struct ip_addr peer;
	uint32_t peer_digest;
	bool alive;                   /* heard within the patience */
	uint64_t retired[PAIR_RETIRED]; /* earlier lives of it; 0: unused */
	uint64_t retired_at[PAIR_RETIRED]; /* our counter when it was retired */
	unsigned retired_next;
	uint64_t candidates[PAIR_CANDIDATES]; /* valid MAC, not (yet) believed: echoed in turn */
	uint64_t candidate_counters[PAIR_CANDIDATES]; /* newest */
	unsigned candidate_turn;      /* the next one to be echoed */
	uint64_t candidate_round;     /* how often all had their turn: which ones are kept */
	uint64_t fresh_floor, fresh_next; /* an echo of ours older than that is no answer */
	mono fresh_rotated;
	uint64_t peer_floor, peer_next;   /* a message of the peer older than that is a capture */
	mono peer_rotated;
	mono answered;                /* last time news.answer was given */
	mono expected;                /* a peer never heard is told as lost then; MONO_NEVER: done */

	struct pair_path paths[PAIR_PATHS];
	unsigned path_count;
};

/* What a believed message, or time, has changed. */
struct pair_news {
	bool met;          /* a new life of the peer is believed */
	bool answer;       /* it waits for our echo: send it a message now */
	bool returned;     /* alive again (or for the first time) */
	bool lost;         /* not heard on any path for the patience */
	uint32_t healed;   /* bit per path: heard again */
	uint32_t reached;  /* bit per path: the peer, which did not hear us there, does again */
	uint32_t quieted;  /* bit per path: not heard for the patience, while it was before */
	bool digest_changed; /* the peer's digest, or ours, is another one than before: compare */
};

/* `boot` must be random and not 0. No paths yet. */
void pair_init(struct pair *p, uint64_t boot, const struct ip_addr *self, int64_t interval_ns,
	mono now);
/*
 * On reload: intervals, digest and paths may change; what is known of kept paths (by tag) stays.
 * More than PAIR_PATHS are left out.
 */
void pair_configure(struct pair *p, const struct ip_addr *self, int64_t interval_ns,
	uint32_t digest, const uint32_t *tags, unsigned count);
/* The link state of a path, for the peer and the status. */
void pair_set_carrier(struct pair *p, unsigned path, bool carrier);
/* Index of the path, or -1. */
int pair_path_find(const struct pair *p, uint32_t tag);
/*
 * Fill boot, counter (a fresh one), echo, sender, digest and paths for the next message. One
 * message goes over all paths: do not call it once a path.
 */
void pair_fill(struct pair *p, mono now, struct trailer *t);
/*
 * Refusals that cost nothing, before the MAC is computed; reads only. `path` < path_count.
 * REASON_OWN_PACKET, REASON_REPLAYED; REASON_NOT_BELIEVED for a candidate's message that was seen
 * already. REASON_NONE: go on.
 */
enum reason pair_screen(const struct pair *p, unsigned path, const struct trailer *t);
/*
 * A forger passes that with any boot id made up: may the MAC of this one be computed? Always for
 * the believed life; for the others PAIR_MACS_A_SECOND in all, each path its share, and of that one
 * half for those that echo our own life as the peer would. So a flood on one path, or from who does
 * not listen, uses up only its own part. Counts what it allows.
 */
bool pair_may_verify(struct pair *p, mono now, unsigned path, const struct trailer *t);
/*
 * The MAC was right. REASON_NONE: believed; REASON_NOT_BELIEVED: remembered as a candidate, to be
 * echoed; else as pair_screen(). Fills *news in any case. `interval_ns`: the sender's, > 0.
 */
enum reason pair_accept(struct pair *p, mono now, unsigned path, const struct trailer *t,
	int64_t interval_ns, struct pair_news *news);
/* Time passes: who has gone quiet? Call it at pair_deadline(). */
void pair_tick(struct pair *p, mono now, struct pair_news *news);
mono pair_deadline(const struct pair *p);
/* Nothing was heard on the path for so long that it counts as quiet: 2.5 intervals. */
int64_t pair_quiet_ns(const struct pair *p);
/* The peer hears us on that path, as it said within the patience. */
bool pair_path_heard_by_peer(const struct pair *p, mono now, unsigned path);

#endif
