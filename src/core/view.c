/* Both nodes' views of the servers. See view.h. */
#include "core/view.h"

/* Longer than the probes of the two nodes are apart with the default interval and a fast last one. */
static const int64_t last_ns = 700 * NS_PER_MS;

void
view_init(struct view *v)
{
	*v = (struct view){.own = VIEW_UNKNOWN, .peer = VIEW_UNKNOWN, .apart_since = MONO_NEVER};
}

bool
view_update(struct view *v, mono now, uint16_t own, uint16_t peer)
{
	bool known = own <= VIEW_ALL && peer <= VIEW_ALL;
	bool apart = known && peer >= own + VIEW_CLEARLY;
	bool before = v->worse;

	v->own = own;
	v->peer = peer;
	if (!apart)
		v->apart_since = MONO_NEVER;
	else if (mono_is_never(v->apart_since))
		v->apart_since = now;
	if (apart)
		v->worse = v->worse || mono_diff_ns(now, v->apart_since) >= last_ns;
	else if (!known || own >= peer)
		v->worse = false;
	return v->worse != before;
}

mono
view_deadline(const struct view *v)
{
	return v->worse ? MONO_NEVER : mono_add_ns(v->apart_since, last_ns);
}

uint16_t
view_share(uint32_t up, uint32_t total)
{
	uint16_t share = VIEW_UNKNOWN;

	if (total != 0)
		share = (uint16_t)((uint64_t)up * VIEW_ALL / total);
	return share;
}
