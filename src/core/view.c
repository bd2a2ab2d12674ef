/* Both nodes' views of the servers. See view.h. */
#include "core/view.h"

enum { STEP = VIEW_ALL + 1, MOST = VIEW_LOST_MOST * STEP + VIEW_ALL, PATIENCE_PERCENT = 70 };

/* Longer than the probes of the two nodes are apart with the default interval and a fast last one. */
static const int64_t patience_least_ns = 700 * NS_PER_MS;

void
view_init(struct view *v)
{
	*v = (struct view){.own = VIEW_UNKNOWN, .peer = VIEW_UNKNOWN, .patience_ns = patience_least_ns,
		.apart_since = MONO_NEVER};
}

void
view_set_interval(struct view *v, uint32_t interval_ms)
{
	int64_t patience_ns = interval_ms * NS_PER_MS / 100 * PATIENCE_PERCENT;

	v->patience_ns = patience_ns > patience_least_ns ? patience_ns : patience_least_ns;
}

static bool
is_told(uint16_t view)
{
	return view <= MOST;
}

/* Does `other` see clearly more? */
static bool
sees_more(uint16_t view, uint16_t other)
{
	if (view_lost_of(view) != view_lost_of(other))
		return view_lost_of(view) > view_lost_of(other);
	return view_share_of(other) >= view_share_of(view) + VIEW_CLEARLY;
}

/* When `other` does not see clearly more. */
static bool
sees_as_much(uint16_t view, uint16_t other)
{
	return view_lost_of(view) < view_lost_of(other) ||
		view_share_of(view) >= view_share_of(other);
}

bool
view_update(struct view *v, mono now, uint16_t own, uint16_t peer)
{
	bool known = is_told(own) && is_told(peer);
	bool apart = known && sees_more(own, peer);
	bool before = v->worse;

	v->own = own;
	v->peer = peer;
	if (!apart)
		v->apart_since = MONO_NEVER;
	else if (mono_is_never(v->apart_since))
		v->apart_since = now;
	if (apart)
		v->worse = v->worse || mono_diff_ns(now, v->apart_since) >= v->patience_ns;
	else if (!known || sees_as_much(own, peer))
		v->worse = false;
	return v->worse != before;
}

mono
view_deadline(const struct view *v)
{
	return v->worse ? MONO_NEVER : mono_add_ns(v->apart_since, v->patience_ns);
}

uint16_t
view_share(uint32_t up, uint32_t total)
{
	uint16_t share = VIEW_UNKNOWN;

	if (total != 0)
		share = (uint16_t)((uint64_t)up * VIEW_ALL / total);
	return share;
}

uint16_t
view_tell(uint16_t share, uint32_t lost)
{
	if (share > VIEW_ALL)
		return VIEW_UNKNOWN;
	return (uint16_t)(share + (lost < VIEW_LOST_MOST ? lost : VIEW_LOST_MOST) * STEP);
}

uint16_t
view_share_of(uint16_t told)
{
	return is_told(told) ? told % STEP : VIEW_UNKNOWN;
}

uint32_t
view_lost_of(uint16_t told)
{
	return is_told(told) ? told / STEP : 0;
}
