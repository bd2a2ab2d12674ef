/*
 * Is it the server or is it me? In a hot standby both nodes probe the same servers. Where the other
 * node sees clearly more of them well, the fault is on this node's side: it is not fit to serve, and
 * hands over rather than to go on with the few. Pure.
 */
#ifndef TANDEM_CORE_VIEW_H
#define TANDEM_CORE_VIEW_H

#include "base/mono.h"

#include <stdint.h>

enum {
	VIEW_UNKNOWN = UINT16_MAX, /* not told */
	VIEW_ALL = 1000,
	VIEW_CLEARLY = 334,        /* a third of the servers */
};

struct view {
	uint16_t own, peer; /* per mille of the servers that are not down; VIEW_UNKNOWN */
	mono apart_since;   /* the peer has seen clearly more since then; MONO_NEVER */
	bool worse;
};

void view_init(struct view *v);
/*
 * Take in what both see now; true when v->worse changed. Two nodes never notice at the same moment,
 * so that the difference has to last for a moment; it ends when there is none any more.
 */
bool view_update(struct view *v, mono now, uint16_t own, uint16_t peer);
/* When a difference has lasted long enough: call view_update() again. MONO_NEVER: nothing is due. */
mono view_deadline(const struct view *v);
/* `up` of `total` servers in per mille; no servers are VIEW_UNKNOWN. */
uint16_t view_share(uint32_t up, uint32_t total);

#endif
