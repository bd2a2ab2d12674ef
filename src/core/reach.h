/*
 * Hosts that are asked again and again whether they are there (tracked gateways): when to ask, and
 * what silence means. How they are asked is the caller's business. Pure.
 *
 * A host is well with the first answer, but lost only after `fall` misses in a row, also before the
 * first verdict: the first question often goes before anybody's neighbour cache is warm, and a node
 * must not begin as one that has lost its gateway.
 *
 * Only an answer to an open question counts. Who was held up learns nothing from silence: the
 * caller hands over every answer that waits before it lets time pass, and a question whose end is
 * noticed REACH_PATIENCE_MS late has no result at all.
 */
#ifndef TANDEM_CORE_REACH_H
#define TANDEM_CORE_REACH_H

#include "base/mono.h"
#include "core/health.h"

enum {
	REACH_PATIENCE_MS = 10, /* a wakeup this late is ordinary; the probers have the same */
	REACH_ACTS = 64,        /* actions of one tick: bounds what is sent at once */
};

struct reach_params {
	int64_t interval_ns; /* from one question to the next, > 0 */
	int64_t timeout_ns;  /* 1..interval_ns; longer ones are cut to the interval */
	uint16_t rise, fall; /* 1..100 in a row */
};

struct reach_target {
	struct reach_params params;
	struct health health;
	enum health_verdict told;
	uint16_t missed;     /* in a row before the first verdict */
	mono due;            /* next question */
	mono expires;        /* end of the open question; MONO_NEVER: none is open */
};

/* The caller owns the targets; an index of them names one in actions. {NULL, 0} asks nobody. */
struct reach {
	struct reach_target *targets;
	uint32_t count;
	uint32_t turn;       /* who is looked at first: nobody waits for ever behind a full list */
};

enum reach_act_kind {
	REACH_ASK,           /* ask targets[target] now */
	REACH_TELL,          /* its verdict is another one than was told before */
};

struct reach_act {
	enum reach_act_kind kind;
	uint32_t target;
	enum health_verdict verdict; /* of REACH_TELL: HEALTH_UP or HEALTH_DOWN */
};

struct reach_acts {
	unsigned count;
	struct reach_act act[REACH_ACTS];
};

/*
 * First asked at `first`. `seed`: a verdict that is known already (it is told once more), or
 * HEALTH_UNKNOWN.
 */
void reach_target_init(struct reach_target *t, mono first, const struct reach_params *params,
	enum health_verdict seed);
/* The host answered. True when a question was open, which ends; call reach_tick() then. */
bool reach_answered(struct reach *r, uint32_t target);
/* The open question has no result: this node itself could not ask it. */
void reach_void(struct reach *r, uint32_t target);
/* Time passes: fills *out. What did not fit is due at once, as reach_deadline() says. */
void reach_tick(struct reach *r, mono now, struct reach_acts *out);
/* When to tick next; in the past: at once. MONO_NEVER: there is no target. */
mono reach_deadline(const struct reach *r);

#endif
