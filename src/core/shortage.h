/*
 * Too few healthy servers, with hysteresis: a pool at the edge of min_healthy must not turn clients
 * to the sorry server and back with every verdict. Pure.
 *
 * Fewer than needed: short, at once. Not short any more when there is one more than needed, or every
 * server that can be, at once; with just as many as needed when that has lasted five seconds. With
 * min_healthy = 1 the first healthy server ends it: one that answers is better than those that do not.
 */
#ifndef TANDEM_CORE_SHORTAGE_H
#define TANDEM_CORE_SHORTAGE_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

struct shortage {
	bool is;
	mono enough_since; /* MONO_NEVER: not just enough */
};

#define SHORTAGE_NONE ((struct shortage){.enough_since = MONO_NEVER})

/* `usable` of `possible` servers are healthy; `needed` is min_healthy. True: short. */
bool shortage_judge(struct shortage *s, uint32_t usable, uint32_t possible, uint32_t needed,
	mono now);
/* True when just enough have lasted: it ends. To be called every second. */
bool shortage_expire(struct shortage *s, mono now);

#endif
