/*
 * The clock of one simulated machine against the true time of the simulator (ns from 0).
 *
 * It runs fast or slow by some parts per million, and it stands still or jumps over a pause of
 * the machine. The kernel's leases are counted by timers that do not see a pause: `slept`.
 */
#ifndef TANDEM_SIM_CLOCK_H
#define TANDEM_SIM_CLOCK_H

#include "base/mono.h"

#define SIM_BILLION INT64_C(1000000000)

struct sim_clock {
	int64_t true_base, local_base;
	int64_t ppm;
	int64_t slept_ns;
};

static inline mono
clock_local(const struct sim_clock *c, int64_t now)
{
	int64_t passed = now - c->true_base;

	return (mono){c->local_base + passed + passed / 1000 * c->ppm / 1000};
}

/* What the timers of the kernel have counted. */
static inline int64_t
clock_kernel(const struct sim_clock *c, int64_t now)
{
	return clock_local(c, now).ns - c->slept_ns;
}

/* The first true moment at which the local clock shows `local` or later. */
static inline int64_t
clock_when(const struct sim_clock *c, mono local)
{
	int64_t ahead = local.ns - c->local_base;
	int64_t t = c->true_base + ahead * 1000000 / (1000000 + c->ppm);

	while (clock_local(c, t).ns < local.ns)
		t++;
	while (clock_local(c, t - 1).ns >= local.ns)
		t--;
	return t;
}

#endif
