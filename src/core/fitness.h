/*
 * What the things that a virtual router tracks (gateways, probes, scripts) add up to.
 *
 * An item of weight 0 is needed: lost, the node is impaired. Any other item only moves the
 * priority, a negative weight while it is lost and a positive one while it is well. Pure.
 */
#ifndef TANDEM_CORE_FITNESS_H
#define TANDEM_CORE_FITNESS_H

#include <stdbool.h>
#include <stdint.h>

struct fitness {
	int64_t weight; /* sum of what counts now */
	bool impaired;  /* something needed is lost */
};

/* One item. `well`: it is not known to be lost. */
void fitness_add(struct fitness *f, int weight, bool well);

/*
 * The priority to advertise: the configured one (1..255) and the sum, 1..254 (RFC 9568 5.2.4). The
 * owner of the address stays 255: nothing else may be said by it.
 */
uint8_t fitness_priority(const struct fitness *f, uint8_t configured);

#endif
