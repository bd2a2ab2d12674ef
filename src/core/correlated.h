/*
 * Most of a pool falls silent at once: that is seldom the servers. Before they are taken out, the
 * other node and this node's own way to them are asked; meanwhile they keep serving. Pure.
 *
 *   the other node has lost them as well          they are down
 *   the other node sees them                      it is me: held as long as it says so, and the
 *                                                 comparison of views (view.h) hands over
 *   nobody to ask, but my own way answers         they are down
 *   nobody to ask, and nobody answers             it may be me: held, but not longer than the bound
 *
 * Who refuses a connection, or answers anything wrong, was reached: that is never held.
 */
#ifndef TANDEM_CORE_CORRELATED_H
#define TANDEM_CORE_CORRELATED_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

enum correlated_peer {
	CORRELATED_PEER_UNKNOWN, /* no other node, or it has not told lately, or of other servers */
	CORRELATED_PEER_SEES,
	CORRELATED_PEER_LOST,
};

enum correlated_path {
	CORRELATED_PATH_ASKED,   /* no answer yet */
	CORRELATED_PATH_ANSWERS, /* somebody beyond our interface does */
	CORRELATED_PATH_GONE,    /* no carrier */
};

enum correlated_verdict { CORRELATED_HOLD, CORRELATED_BELIEVE };

/* What is held of one pool. */
struct correlated {
	mono since; /* MONO_NEVER: nothing */
};

#define CORRELATED_NONE ((struct correlated){.since = MONO_NEVER})

/*
 * Is it most of the pool? `silent` of the `healthy` servers, those that fell in this interval among
 * both, fell silent within one interval: at least two of them and at least half.
 */
bool correlated_most(uint32_t silent, uint32_t healthy);

/*
 * What the other node's share of servers that it sees well (view.h) says of the `held` ones of
 * `total`, when ours without them is `own`: does it have more of them than not?
 */
enum correlated_peer correlated_peer_says(uint16_t own, uint16_t peer, uint32_t held,
	uint32_t total);

/* While something is held. */
enum correlated_verdict correlated_judge(const struct correlated *c, mono now, int64_t bound_ns,
	enum correlated_peer peer, enum correlated_path path);

const char *correlated_peer_name(enum correlated_peer peer); /* "unknown", "sees-them", "lost-them" */
const char *correlated_path_name(enum correlated_path path); /* "silent", "answers", "no-carrier" */

#endif
