/*
 * How long until a server that gets no new connections has none left. Pure.
 *
 * Connections mostly end at a rate that is a share of those left, so that what was seen is fitted by
 * n(t) = n0 * exp(-t / tau) between two samples some way apart. The guess is as good as that.
 */
#ifndef TANDEM_CORE_DRAIN_H
#define TANDEM_CORE_DRAIN_H

#include "base/mono.h"

struct drain {
	mono since;               /* MONO_NEVER: not draining */
	uint32_t begun_with, now; /* connections */
	mono mark, next_mark;     /* the earlier sample of the fit, and the one after it */
	uint32_t at_mark, at_next_mark;
	mono sampled;
};

void drain_begin(struct drain *d, mono now, uint32_t connections);
/* To be called again and again, every few hundred milliseconds at most. */
void drain_sample(struct drain *d, mono now, uint32_t connections);
/* Nanoseconds until less than one is left: 0 when none is, -1 when it cannot be said. */
int64_t drain_eta_ns(const struct drain *d);

/*
 * Has a drain that began then and lets connections go on for drain_s (0: for ever) had its time? It may
 * have begun before the machine did: core/lasting.h.
 */
bool drain_time_is_over(mono since, int64_t drain_s, mono now);

#endif
