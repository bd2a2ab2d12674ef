/*
 * The fit of a drain. See drain.h. Logarithms in fixed point: the core has no use for libm. The
 * earlier sample is moved up so that the fit looks back 10 s at least and 20 s mostly.
 */
#include "core/drain.h"

enum { SHIFT = 16 };
static const int64_t look_back_ns = 10 * NS_PER_S;
static const int64_t look_back_least_ns = 500 * NS_PER_MS;
static const int64_t never_ns = 7 * 24 * INT64_C(3600) * NS_PER_S;

void
drain_begin(struct drain *d, mono now, uint32_t connections)
{
	*d = (struct drain){.since = now, .begun_with = connections, .now = connections,
		.mark = now, .next_mark = now, .at_mark = connections, .at_next_mark = connections,
		.sampled = now};
}

void
drain_sample(struct drain *d, mono now, uint32_t connections)
{
	d->now = connections;
	d->sampled = now;
	if (mono_diff_ns(now, d->next_mark) >= look_back_ns) {
		d->mark = d->next_mark;
		d->at_mark = d->at_next_mark;
		d->next_mark = now;
		d->at_next_mark = connections;
	}
	if (connections > d->at_mark) { /* grown: persistent clients come back */
		d->at_mark = d->at_next_mark = connections;
		d->mark = d->next_mark = now;
	}
}

/* Logarithm to the base 2, times 2^SHIFT, of a number from 1 on. */
static int64_t
log2_fixed(uint32_t number)
{
	uint64_t x = number;
	int64_t whole = 0, result;

	while (x >> whole > 1)
		whole++;
	result = whole << SHIFT;
	x = (x << 32) >> whole; /* 1.0 .. 2.0, 32 bits behind the point */
	for (int64_t bit = (int64_t)1 << (SHIFT - 1); bit != 0; bit >>= 1) {
		x = (x >> 16) * (x >> 16);
		if (x >> 33 != 0) {
			x >>= 1;
			result += bit;
		}
	}
	return result;
}

int64_t
drain_eta_ns(const struct drain *d)
{
	int64_t span_ns = mono_diff_ns(d->sampled, d->mark), fallen, left;

	if (d->now == 0)
		return 0;
	if (span_ns < look_back_least_ns || d->now >= d->at_mark)
		return -1;
	fallen = log2_fixed(d->at_mark) - log2_fixed(d->now);
	if (fallen <= 0)
		return -1;
	left = log2_fixed(d->now) + ((int64_t)1 << SHIFT); /* down to a half of one */
	if (span_ns / fallen > never_ns / left)
		return -1;
	return span_ns / fallen * left;
}

bool
drain_time_is_over(mono since, int64_t drain_s, mono now)
{
	return drain_s != 0 && mono_diff_ns(now, since) / NS_PER_S >= drain_s;
}
