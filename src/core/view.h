/*
 * Is it the server or is it me? In a hot standby both nodes probe the same servers. Where the other
 * node sees clearly more of them well, the fault is on this node's side: it is not fit to serve, and
 * hands over rather than to go on with the few. Pure.
 *
 * First count the pools that a node has lost: those in which it sees fewer than min_healthy servers,
 * and those of which most fell silent at once (correlated.h). A small pool that is dead here and alive
 * there is a reason to hand over, however many servers other pools of the router have. With as many
 * lost pools on both sides the share of all servers decides, by a third.
 */
#ifndef TANDEM_CORE_VIEW_H
#define TANDEM_CORE_VIEW_H

#include "base/mono.h"

#include <stdint.h>

enum {
	VIEW_UNKNOWN = UINT16_MAX, /* not told */
	VIEW_ALL = 1000,
	VIEW_CLEARLY = 334,        /* a third of the servers */
	VIEW_LOST_MOST = 63,       /* pools lost, as far as they are told */
};

struct view {
	uint16_t own, peer; /* view_tell() of each */
	int64_t patience_ns; /* a difference has to last so long */
	mono apart_since;   /* the peer has seen clearly more since then; MONO_NEVER */
	bool worse;
};

void view_init(struct view *v);
/*
 * Two nodes probe half an interval apart, and never notice at the same moment: a difference has to last
 * for longer than that. `interval_ms` is the longest of the probes.
 */
void view_set_interval(struct view *v, uint32_t interval_ms);
/* Take in what both see now; true when v->worse changed. It ends when there is no difference any more. */
bool view_update(struct view *v, mono now, uint16_t own, uint16_t peer);
/* When a difference has lasted long enough: call view_update() again. MONO_NEVER: nothing is due. */
mono view_deadline(const struct view *v);
/* `up` of `total` servers in per mille; no servers are VIEW_UNKNOWN. */
uint16_t view_share(uint32_t up, uint32_t total);

/*
 * Both in one number, which is the share where no pool is lost. VIEW_UNKNOWN when the share is. Who knows
 * nothing of lost pools takes a number beyond VIEW_ALL for one that was not told.
 */
uint16_t view_tell(uint16_t share, uint32_t lost);
uint16_t view_share_of(uint16_t told); /* VIEW_UNKNOWN: not told */
uint32_t view_lost_of(uint16_t told);  /* of what was told */

#endif
