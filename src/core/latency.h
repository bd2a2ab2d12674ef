/*
 * Weights out of response times. IPVS cannot see how fast a server answers; its probes can. Pure.
 *
 * Each server's times are smoothed: a median of three takes single outliers out (a lost SYN costs a
 * second), an exponential average of an eighth the rest. Of a pool, the lower quartile is the
 * reference, and a server's share of its weight is (reference + 10 ms) / (own + 10 ms), so that
 * differences of microseconds do not count, within 25 % and 100 %. It moves by at most 5 points a
 * step, and begins to only when it is off by more than 10: shares stay where they are under noise.
 */
#ifndef TANDEM_CORE_LATENCY_H
#define TANDEM_CORE_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was measured of one server. All zero: nothing. */
struct latency {
	int64_t last_ns[2];
	int64_t smooth_ns;
	uint32_t samples; /* stops at LATENCY_ENOUGH */
};

/* What one server gets. */
struct latency_share {
	uint32_t percent;
	bool moving;
};

enum { LATENCY_ENOUGH = 5, LATENCY_LEAST = 25, LATENCY_FULL = 100 };
#define LATENCY_SHARE_FULL ((struct latency_share){.percent = LATENCY_FULL})

void latency_result(struct latency *l, int64_t ns);
/* Nanoseconds; -1 before there are enough samples. */
int64_t latency_smooth_ns(const struct latency *l);

/* The lower quartile of what the servers have; changes their order. -1: of none. */
int64_t latency_reference_ns(int64_t *smooth_ns, size_t count);
/* One step, once a second. True when the percent changed. A time of -1 leaves it as it is. */
bool latency_step(struct latency_share *s, int64_t smooth_ns, int64_t reference_ns);

#endif
