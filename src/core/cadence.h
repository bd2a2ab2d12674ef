/*
 * When to probe a target: a phase that spreads targets over the interval, differs between the two
 * nodes and is the same after every restart; then a fixed rhythm. Pure.
 */
#ifndef TANDEM_CORE_CADENCE_H
#define TANDEM_CORE_CADENCE_H

#include "base/addr.h"
#include "base/mono.h"

/* Where in the interval this target's probes start, 0 .. interval_ns-1. */
int64_t cadence_phase_ns(const struct endpoint *target, uint8_t node, int64_t interval_ns);

/* First probe at or after now on that phase (urgent: spread over min(interval, 50 ms) from now). */
mono cadence_first(mono now, int64_t phase_ns, int64_t interval_ns, bool urgent);

/*
 * Next one after a probe that was due at `due` and ended at `now`: due + interval, never in the
 * past, keeping the rhythm.
 */
mono cadence_next(mono due, mono now, int64_t interval_ns);

#endif
