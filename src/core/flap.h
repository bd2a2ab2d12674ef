/*
 * Flapping: a server that falls again and again must be well for longer, and each time for twice as
 * long, before it gets clients again. Pure.
 *
 * What is remembered leaks: each fall adds one, each window takes one away. So a restart or two cost
 * nothing, and a server that falls more often than once a window in the long run is found out at
 * any rhythm. From rule.falls on it is held back after a fall; that doubles up to a bound, and nothing
 * is remembered beyond the fall that reaches the bound, so that a server which is well again is
 * forgiven in as many windows. (Envoy's ejections count the same way; BGP's damping is steeper.)
 */
#ifndef TANDEM_CORE_FLAP_H
#define TANDEM_CORE_FLAP_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

struct flap_rule {
	uint32_t falls;       /* so many make it a flapper; 0: nobody ever is */
	int64_t window_ns;    /* in which one fall is forgotten */
	int64_t hold_ns;      /* how long it has to be well then; twice as long with each fall more */
	int64_t hold_max_ns;  /* but no longer than this; >= hold_ns */
};

/* All zero: nothing is known of it. */
struct flap {
	int64_t debt_ns;      /* falls remembered, a window each, as of `at` */
	mono at;
	bool held;
	mono until;           /* with `held` */
};

/* It was well and is not. */
void flap_fell(struct flap *f, const struct flap_rule *rule, mono now);
/* It is well again: for how long that has to last, 0 when it may come in at once. */
int64_t flap_rose(struct flap *f, const struct flap_rule *rule, mono now);
/* Is it well and kept out all the same? */
bool flap_holds(const struct flap *f, mono now);
/* It is needed: let in. */
void flap_let_in(struct flap *f);
/* How many falls are remembered. */
uint32_t flap_falls(const struct flap *f, const struct flap_rule *rule, mono now);

#endif
