/* Seeded randomness of the simulator: xorshift64*, the same on every machine and for ever. */
#ifndef TANDEM_SIM_RANDOM_H
#define TANDEM_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* Streams of one seed are independent: a change to one part of a scenario leaves the others. */
static inline struct rng
rng_stream(uint64_t seed, uint64_t stream)
{
	uint64_t z = seed * UINT64_C(0x9e3779b97f4a7c15) + stream * UINT64_C(0xbf58476d1ce4e5b9) + 1;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (struct rng){z == 0 ? 1 : z};
}

static inline uint64_t
rng_next(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* low..high, both included. */
static inline int64_t
rng_between(struct rng *r, int64_t low, int64_t high)
{
	return low + (int64_t)(rng_next(r) % (uint64_t)(high - low + 1));
}

static inline unsigned
rng_below(struct rng *r, unsigned n)
{
	return (unsigned)(rng_next(r) % n);
}

static inline bool
rng_chance(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

#endif
