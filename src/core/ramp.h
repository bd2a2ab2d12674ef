/*
 * Slow start: a server that has been down and comes up gets its weight in ten steps, because its
 * caches are empty and its code is cold. Pure.
 *
 * HAProxy's rule (server slowstart): linear, only after having been down, never at the start of the
 * daemon, where all servers are warm. A server that is the only one to serve is not spared: there
 * is nobody to take what it would not.
 */
#ifndef TANDEM_CORE_RAMP_H
#define TANDEM_CORE_RAMP_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

struct ramp {
	mono since; /* MONO_NEVER: at its full weight */
};

enum { RAMP_FULL = 100 }; /* percent */

/* The server was down and is up; `others` serve besides it. */
void ramp_begin(struct ramp *r, mono now, uint32_t others);
void ramp_end(struct ramp *r);

/*
 * How much of its weight it gets now, in percent: 10, 20, ... 100 while the time runs, 100 when it
 * is over or length_ns is 0. A ramp that is over, or whose server has become the only one, ends.
 */
uint32_t ramp_percent(struct ramp *r, mono now, int64_t length_ns, uint32_t others);

#endif
