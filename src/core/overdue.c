/* Probes that tell nothing. See overdue.h. */
#include "core/overdue.h"

static const int64_t every_ns = NS_PER_S;        /* how often this is looked at */
static const int64_t sign_of_life_ns = NS_PER_S; /* a prober tells equal results so often */
static const int64_t slack_ns = 200 * NS_PER_MS;
static const int64_t least_patience_ns = 5 * NS_PER_S;

int64_t
overdue_limit_ns(const struct overdue_rhythm *r)
{
	int64_t period_ns = (r->interval_ms + r->timeout_ms) * NS_PER_MS;

	return period_ns + (period_ns > sign_of_life_ns ? period_ns : sign_of_life_ns) +
		r->interval_ms * NS_PER_MS / 100 * r->spread_percent + slack_ns;
}

enum overdue
overdue_judge(const struct overdue_rhythm *r, int64_t silent_ns)
{
	int64_t limit_ns = overdue_limit_ns(r), patience_ns = 2 * limit_ns;

	if (patience_ns < least_patience_ns)
		patience_ns = least_patience_ns;
	if (silent_ns > patience_ns)
		return OVERDUE_STUCK;
	return silent_ns > limit_ns ? OVERDUE_LATE : OVERDUE_NOT;
}

bool
overdue_look(struct overdue_watch *w, mono now)
{
	int64_t since_ns = mono_diff_ns(now, w->looked_at);

	w->looked_at = now;
	return since_ns <= every_ns + every_ns / 2;
}

bool
overdue_replace(struct overdue_pardon *p, mono now)
{
	if (mono_before(now, p->until))
		return false;
	p->until = mono_add_ns(now, least_patience_ns);
	return true;
}
