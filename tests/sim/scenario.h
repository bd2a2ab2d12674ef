/*
 * What happens to the world: a few episodes of faults drawn from the seed, and after most of them
 * a time of peace at the end of which everything has to be in order again.
 */
#ifndef TANDEM_SIM_SCENARIO_H
#define TANDEM_SIM_SCENARIO_H

#include "random.h"

#include "core/election.h"

struct world;
struct event;

struct scenario {
	struct rng rng;
	unsigned episodes;        /* left */
	uint32_t epoch;           /* of peace: plans of an earlier one are void */
	int64_t interval_ns;      /* the longest of any node */
	int64_t trouble_ns;       /* how long kernel troubles of this episode may echo */
	int64_t stranger_every_ns; /* 0: there is none */
	uint8_t stranger_priority; /* 0..255 */
	uint8_t stranger_address;
	int64_t attack_every_ns;  /* 0: there is no attacker */
	bool spared;              /* the fault at hand is of another LAN, and of the links */
	bool over;
};

void scenario_start(struct world *w);
/* EVENT_FAULT, EVENT_STRANGER and EVENT_ATTACK. */
void scenario_event(struct world *w, const struct event *event);

/* --- between the files of a scenario --- */

enum fault {
	FAULT_CRASH, FAULT_HANG, FAULT_PAUSE, FAULT_CARRIER, FAULT_UNFIT, FAULT_CUT, FAULT_CUT_ONE_WAY,
	FAULT_NOISE, FAULT_REMOVAL, FAULT_KERNEL, FAULT_SWITCHOVER, FAULT_RECONFIGURE, FAULT_STOP,
	FAULT_STRANGER, FAULT_ADDRESSES, FAULT_LOOP, FAULT_POOL,
	FAULT_REFUSAL,
	FAULTS,
	/* of a keyed pair only */
	FAULT_POWER = FAULTS, FAULT_ISOLATE, FAULT_IMPAIR, FAULT_ATTACK,
	FAULT_SQUATTER,
	KEYED_FAULTS,
	FAULT_THERE_AND_BACK, /* one at a time only */
	/* ends of faults, and the frame of an episode */
	END_CRASH, END_HANG, END_CARRIER, END_UNFIT, END_CUT, END_NOISE, END_KERNEL,
	END_STRANGER, END_LOOP, END_POOL, END_REFUSAL, MORE_REMOVAL,
	END_PATH, END_ISOLATE, END_IMPAIR, END_ATTACK, END_SQUATTER, WITHDRAWAL,
	EPISODE, PEACE, POLITE, JUDGEMENT, THE_END,
	TIE, /* a reload makes a group of a node's routers */
};

struct node;

void scenario_plan(struct world *w, int64_t in_ns, int fault, unsigned node, int64_t argument);
/* Short and long alike: uniform in the exponent. */
int64_t scenario_some_time(struct rng *r, int64_t low, int64_t high);

/* scenario_keyed.c */
void keyed_scenario(struct world *w);
struct el_params keyed_draw_params(struct world *w, unsigned id);
/* False: as in a plain world. */
bool keyed_strike(struct world *w, enum fault fault, struct node *n, int64_t lasts);
void keyed_end_fault(struct world *w, enum fault end, struct node *n, int64_t argument);
void keyed_peace(struct world *w);
int64_t keyed_time_to_settle(const struct world *w);
/*
 * One thing happens to the active, with all of its routers; when the other one must have the
 * addresses, INT64_MAX: never.
 */
int64_t keyed_polite(struct world *w, struct node *victim, enum fault fault);
enum fault keyed_polite_fault(struct world *w);
void keyed_judge(struct world *w, struct node *victim, enum fault fault);

#endif
