/*
 * A standby that was away does not know the connections that the active serves, and nobody tells
 * them all at once: each is told again some time later, if packets flow. So it first listens for
 * params.catch_up_ns before it preempts; a place that is free, or offered, it takes at once.
 *
 * It was away before its start and while it was cut off, and it knows what it served itself.
 */
#include "core/election_internal.h"

void
catch_up_heard(struct election *e, mono now)
{
	if (mono_is_never(e->catch_up_deadline))
		e->catch_up_deadline = mono_add_ns(now, e->params.catch_up_ns);
}

bool
el_is_behind(const struct election *e, mono now)
{
	return e->role == EL_BACKUP && e->params.catch_up_ns > 0 &&
		!mono_is_never(e->catch_up_deadline) && mono_before(now, e->catch_up_deadline);
}
