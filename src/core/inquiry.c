/* When to ask, and when to ask again. See inquiry.h. */
#include "core/inquiry.h"

struct inquiry
inquiry_new(mono now)
{
	return (struct inquiry){.next_at = now};
}

bool
inquiry_due(const struct inquiry *q, mono now)
{
	return q->open ? mono_due(mono_add_ns(q->asked_at, INQUIRY_PATIENCE_NS), now)
		       : mono_due(q->next_at, now);
}

void
inquiry_asked(struct inquiry *q, mono now)
{
	q->open = true;
	q->asked_at = now;
}

bool
inquiry_answered(struct inquiry *q, mono now, int64_t holds_ns)
{
	if (!q->open)
		return false;
	q->open = false;
	q->next_at = mono_add_ns(now, holds_ns);
	return true;
}

void
inquiry_lost(struct inquiry *q)
{
	q->open = false;
}

void
inquiry_renew(struct inquiry *q, mono now)
{
	q->next_at = now;
}

void
inquiry_shorten(struct inquiry *q, mono now, int64_t holds_ns)
{
	if (mono_before(mono_add_ns(now, holds_ns), q->next_at))
		q->next_at = now;
}
