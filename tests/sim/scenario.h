/*
 * What happens to the world: a few episodes of faults drawn from the seed, and after most of them
 * a time of peace at the end of which everything has to be in order again.
 */
#ifndef TANDEM_SIM_SCENARIO_H
#define TANDEM_SIM_SCENARIO_H

#include "random.h"

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
	bool over;
};

void scenario_start(struct world *w);
/* EVENT_FAULT and EVENT_STRANGER. */
void scenario_event(struct world *w, const struct event *event);

#endif
