/* Hysteresis of min_healthy. See shortage.h. */
#include "core/shortage.h"

static const int64_t stable_ns = 5 * NS_PER_S;

bool
shortage_judge(struct shortage *s, uint32_t usable, uint32_t possible, uint32_t needed, mono now)
{
	bool just = usable == needed && usable < possible && needed > 1;

	if (usable < needed)
		s->is = true;
	else if (!just)
		s->is = false;
	if (!s->is || usable < needed)
		s->enough_since = MONO_NEVER;
	else if (mono_is_never(s->enough_since))
		s->enough_since = now;
	return s->is;
}

bool
shortage_expire(struct shortage *s, mono now)
{
	if (!mono_due(mono_add_ns(s->enough_since, stable_ns), now))
		return false;
	*s = SHORTAGE_NONE;
	return true;
}
