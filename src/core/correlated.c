/* Is it them, or is it me? See correlated.h. */
#include "core/correlated.h"

#include "core/view.h"

enum { LEAST = 2 };

bool
correlated_most(uint32_t silent, uint32_t healthy)
{
	return silent >= LEAST && silent >= healthy - silent;
}

enum correlated_peer
correlated_peer_says(uint16_t own, uint16_t peer, uint32_t held, uint32_t total)
{
	if (own > VIEW_ALL || peer > VIEW_ALL || held == 0 || total == 0)
		return CORRELATED_PEER_UNKNOWN;
	return (uint64_t)peer * total * 2 > (uint64_t)own * total * 2 + (uint64_t)held * VIEW_ALL
		? CORRELATED_PEER_SEES : CORRELATED_PEER_LOST;
}

enum correlated_verdict
correlated_judge(const struct correlated *c, mono now, int64_t bound_ns, enum correlated_peer peer,
	enum correlated_path path)
{
	switch (peer) {
	case CORRELATED_PEER_SEES: return CORRELATED_HOLD;
	case CORRELATED_PEER_LOST: return CORRELATED_BELIEVE;
	case CORRELATED_PEER_UNKNOWN: break;
	}
	if (path == CORRELATED_PATH_ANSWERS)
		return CORRELATED_BELIEVE;
	return mono_due(mono_add_ns(c->since, bound_ns), now) ? CORRELATED_BELIEVE : CORRELATED_HOLD;
}

const char *
correlated_peer_name(enum correlated_peer peer)
{
	switch (peer) {
	case CORRELATED_PEER_UNKNOWN: return "unknown";
	case CORRELATED_PEER_SEES: return "sees-them";
	case CORRELATED_PEER_LOST: return "lost-them";
	}
	return "invalid";
}

const char *
correlated_path_name(enum correlated_path path)
{
	switch (path) {
	case CORRELATED_PATH_ASKED: return "silent";
	case CORRELATED_PATH_ANSWERS: return "answers";
	case CORRELATED_PATH_GONE: return "no-carrier";
	}
	return "invalid";
}
