/*
 * Tracked probes on the side of the pool process: their verdicts go to the election, which alone
 * judges what they mean for the router, and which tells back what counts, of scripts and gateways
 * too, for the status.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_A_SECOND = 64 };

const struct conf_router *
tracks_router(const struct config *c, uint32_t row)
{
	for (uint32_t i = 0; i < c->router_count; i++)
		if (row - c->routers[i].first_track < c->routers[i].track_count)
			return &c->routers[i];
	return NULL;
}

bool
tracks_configure(struct pool *p, const struct config *before)
{
	struct ipc_track_state *old = p->tracks;

	p->tracks = calloc(p->config.track_count + 1, sizeof(*p->tracks));
	if (!p->tracks)
		return false;
	for (uint32_t i = 0; old && i < p->config.track_count; i++) {
		const struct conf_router *router = tracks_router(&p->config, i);
		uint32_t was = router ? config_track_before(&p->config, router->name, i, before)
				      : CONF_NO_INDEX;

		if (was != CONF_NO_INDEX)
			p->tracks[i] = old[was];
	}
	free(old);
	tracks_tell_all(p);
	return true;
}

/* "503", "111", "200: <html>Sorry". */
static void
describe(const struct pool_target *t, char out[IPC_TRACK_DETAIL])
{
	bool says = t->evidence[0] != '\0';

	if (t->detail != 0)
		snprintf(out, IPC_TRACK_DETAIL, "%d%s%s", (int)t->detail, says ? ": " : "",
			t->evidence);
	else
		snprintf(out, IPC_TRACK_DETAIL, "%s", t->evidence);
}

void
tracks_tell(struct pool *p, uint32_t row)
{
	const struct pool_target *t = &p->targets[p->config.real_count + row];
	const struct conf_router *router = tracks_router(&p->config, row);
	struct ipc_track fact = {.generation = p->generation, .kind = CONF_TRACK_PROBE,
		.up = t->verdict == HEALTH_UP, .reason = t->reason};

	if (p->config.tracks[row].kind != CONF_TRACK_PROBE || t->verdict == HEALTH_UNKNOWN ||
		mono_is_never(t->last_result) || !router || p->election_fd == -1)
		return;
	memcpy(fact.router, router->name, sizeof(fact.router));
	memcpy(fact.name, p->config.tracks[row].name, sizeof(fact.name));
	describe(t, fact.detail);
	/* Refused by a full channel: it is said again. */
	channel_send(p->election_fd, IPC_TRACK, &fact, sizeof(fact), -1);
}

void
tracks_tell_all(struct pool *p)
{
	for (uint32_t i = 0; i < p->config.track_count; i++)
		tracks_tell(p, i);
}

void
tracks_second(struct pool *p)
{
	uint32_t count = p->config.track_count;

	for (uint32_t i = 0; i < AGAIN_A_SECOND && i < count; i++)
		tracks_tell(p, (p->track_turn + i) % count);
	p->track_turn = count > 0 ? (p->track_turn + AGAIN_A_SECOND) % count : 0;
}

void
tracks_take_state(struct pool *p, const struct ipc_track_state *state)
{
	struct ipc_track_state whole = *state;
	uint32_t row;

	whole.track.router[sizeof(whole.track.router) - 1] = '\0';
	whole.track.name[sizeof(whole.track.name) - 1] = '\0';
	whole.track.detail[sizeof(whole.track.detail) - 1] = '\0';
	row = config_find_track(&p->config, whole.track.router,
		(enum conf_track_kind)whole.track.kind, whole.track.name);
	if (row == CONF_NO_INDEX || whole.track.generation != p->generation)
		return; /* of another configuration; told again with this one */
	p->tracks[row] = whole;
	/* This process has died and come back: it goes on with what its predecessor knew. */
	if (whole.known)
		targets_seed(p, p->config.real_count + row,
			whole.track.up ? HEALTH_UP : HEALTH_DOWN);
}
