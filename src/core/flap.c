/* A leaky bucket of falls. See flap.h. */
#include "core/flap.h"

static int64_t
debt_now(const struct flap *f, mono now)
{
	int64_t left = f->debt_ns - mono_diff_ns(now, f->at);

	return left > 0 ? left : 0;
}

/* What is asked of it at so many falls. */
static int64_t
hold_of(const struct flap_rule *rule, uint32_t falls)
{
	int64_t hold = rule->hold_ns;

	if (rule->falls == 0 || falls < rule->falls)
		return 0;
	while (falls-- > rule->falls && hold < rule->hold_max_ns)
		hold *= 2;
	return hold < rule->hold_max_ns ? hold : rule->hold_max_ns;
}

void
flap_fell(struct flap *f, const struct flap_rule *rule, mono now)
{
	uint32_t most = rule->falls;

	f->held = false;
	if (rule->falls == 0)
		return;
	while (hold_of(rule, most) < rule->hold_max_ns)
		most++;
	f->debt_ns = debt_now(f, now) + rule->window_ns;
	if (f->debt_ns > most * rule->window_ns)
		f->debt_ns = most * rule->window_ns;
	f->at = now;
}

int64_t
flap_rose(struct flap *f, const struct flap_rule *rule, mono now)
{
	int64_t hold = hold_of(rule, flap_falls(f, rule, now));

	f->held = hold > 0;
	f->until = mono_add_ns(now, hold);
	return hold;
}

bool
flap_holds(const struct flap *f, mono now)
{
	return f->held && !mono_due(f->until, now);
}

void
flap_let_in(struct flap *f)
{
	f->held = false;
}

uint32_t
flap_falls(const struct flap *f, const struct flap_rule *rule, mono now)
{
	if (rule->falls == 0)
		return 0;
	return (uint32_t)((debt_now(f, now) + rule->window_ns - 1) / rule->window_ns);
}
