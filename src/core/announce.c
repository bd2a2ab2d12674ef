/* The schedule of announcements. See announce.h. */
#include "core/announce.h"

#include <stddef.h>

static const int64_t series_ns[] = {
	0, 50 * NS_PER_MS, 250 * NS_PER_MS, 1100 * NS_PER_MS, 2500 * NS_PER_MS, 5000 * NS_PER_MS,
};
enum { SERIES = sizeof(series_ns) / sizeof(series_ns[0]) };
static const int64_t refresh_ns = 60 * NS_PER_S;

void
announce_start(struct announce *a, mono now)
{
	*a = (struct announce){.started = now, .deadline = now};
}

void
announce_stop(struct announce *a)
{
	a->deadline = MONO_NEVER;
}

bool
announce_tick(struct announce *a, mono now)
{
	bool first = a->sent == 0, refresh = a->sent == SERIES;

	if (!mono_due(a->deadline, now))
		return false;
	/* A late call stands for every announcement it missed: the point is the last word. */
	while (a->sent < SERIES && !mono_before(now, mono_add_ns(a->started, series_ns[a->sent])))
		a->sent++;
	a->deadline = a->sent < SERIES ? mono_add_ns(a->started, series_ns[a->sent])
				       : mono_add_ns(now, refresh_ns);
	if (refresh)
		a->copy = ANNOUNCE_REFRESH;
	else if (first)
		a->copy = ANNOUNCE_FIRST; /* however late: nobody has been told before */
	else
		a->copy = a->sent == SERIES ? ANNOUNCE_LAST : ANNOUNCE_BETWEEN;
	return true;
}
