/*
 * When to probe a target: a phase that spreads targets over the interval, differs between the two
 * nodes and is the same after every restart; then a fixed rhythm. Pure.
 */
#ifndef TANDEM_CORE_CADENCE_H
#define TANDEM_CORE_CADENCE_H

#include "base/addr.h"
#include "base/mono.h"
#include "core/health.h"

/* How often a target is probed, by what is known of it. */
struct cadence_pace {
	int64_t interval_ns;
	int64_t fast_ns; /* between two verdicts; <= interval_ns */
	int64_t down_ns; /* while it is down; >= interval_ns */
};

/* Where in the interval this target's probes start, 0 .. interval_ns-1. */
int64_t cadence_phase_ns(const struct endpoint *target, uint8_t node, int64_t interval_ns);

/* First probe at or after now on that phase (urgent: spread over min(interval, 50 ms) from now). */
mono cadence_first(mono now, int64_t phase_ns, int64_t interval_ns, bool urgent);

/*
 * Next one after a probe that was due at `due` and ended at `now`: due + interval, keeping the
 * rhythm. Never in the past by more than a sixteenth of the interval: who was awake a little late
 * for a timeout that is as long as the interval must not leave out every second probe.
 */
mono cadence_next(mono due, mono now, int64_t interval_ns);

/* What comes between two verdicts unless something else is said: the interval, 250 ms at most. */
uint32_t cadence_fast_ms(uint32_t interval_ms);

/* In milliseconds; fast 0: cadence_fast_ms(); down 0: the interval. */
struct cadence_pace cadence_pace(uint32_t interval_ms, uint32_t fast_ms, uint32_t down_ms);

/*
 * By how much a start is put off, 0 to `percent` of the step, out of any number: whatever in a
 * server has the rhythm of its probes would else be met each time, or never. Never so late that the
 * probe's timeout would meet the next start; so nothing where the timeout is as long as the step.
 */
int64_t cadence_spread_ns(int64_t step_ns, int64_t timeout_ns, uint8_t percent, uint64_t random);

/* The distance of the next start from the one before. */
int64_t cadence_step_ns(const struct cadence_pace *pace, const struct health *health);

/*
 * Next one, `step_ns` after `due`, where the step before was `before_ns`. Between two verdicts what
 * should have begun meanwhile (the timeout is longer than the step, the start was put off) begins at
 * once: there is no rhythm to be kept, and a verdict is waited for. Who comes back to the
 * ordinary interval comes back to its phase as well: the wait is then up to fast or down longer.
 */
mono cadence_turn(mono due, mono now, const struct cadence_pace *pace, int64_t phase_ns,
	int64_t before_ns, int64_t step_ns);

#endif
