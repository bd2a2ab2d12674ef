/* Ten steps, the first at once, the last at the end of the time. See ramp.h. */
#include "core/ramp.h"

enum { FIRST = 10, STEPS = 9 };

void
ramp_begin(struct ramp *r, mono now, uint32_t others)
{
	r->since = others == 0 ? MONO_NEVER : now;
}

void
ramp_end(struct ramp *r)
{
	r->since = MONO_NEVER;
}

uint32_t
ramp_percent(struct ramp *r, mono now, int64_t length_ns, uint32_t others)
{
	int64_t past_ns;

	if (mono_is_never(r->since))
		return RAMP_FULL;
	past_ns = mono_diff_ns(now, r->since);
	if (past_ns >= length_ns || others == 0) {
		ramp_end(r);
		return RAMP_FULL;
	}
	return past_ns <= 0 ? FIRST : FIRST + FIRST * (uint32_t)(past_ns * STEPS / length_ns);
}
