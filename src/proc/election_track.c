/*
 * Tracked gateways, probes and scripts: one table of verdicts, whoever asks. The supervisor runs
 * the scripts, the pool process has the probers, and gateways are asked by this process itself; all
 * of them end in take_verdict(). What is lost makes the node impaired for the router or moves its
 * priority (core/fitness.h). A verdict stays until there is another one, also when the process that
 * asks has died, or this one: it is on the handover page, so that a successor does not begin as if
 * all were well.
 */
#include "proc/election_process.h"

#include "core/fitness.h"
#include "ipc/channel.h"

#include <stdlib.h>
#include <string.h>

static enum reason
reason_of_loss(enum conf_track_kind kind)
{
	switch (kind) {
	case CONF_TRACK_GATEWAY: return REASON_GATEWAY_LOST;
	case CONF_TRACK_PROBE: return REASON_PROBE_FAILED;
	case CONF_TRACK_SCRIPT: return REASON_SCRIPT_FAILED;
	}
	return REASON_SYSTEM;
}

static const char *
verdict_name(enum health_verdict verdict)
{
	switch (verdict) {
	case HEALTH_UNKNOWN: return "unknown";
	case HEALTH_UP: return "up";
	case HEALTH_DOWN: return "down";
	}
	return "invalid";
}

static void
configure_router(struct elector *x, struct tracked *fresh, const struct tracked *old,
	const struct config *before, const struct conf_router *router)
{
	for (uint32_t i = 0; i < router->track_count; i++) {
		uint32_t row = router->first_track + i;
		uint32_t was = old ? config_track_before(&x->config, router->name, row, before)
				   : CONF_NO_INDEX;

		fresh[row] = was == CONF_NO_INDEX ? (struct tracked){.since = mono_now()} : old[was];
		fresh[row].told = false;
	}
}

/* A predecessor's verdicts; the same configuration has the same rows. */
static void
adopt_page(struct elector *x)
{
	struct handover *page = x->child->handover;

	if (atomic_load(&page->track_generation) != x->generation)
		return;
	for (uint32_t i = 0; i < x->config.track_count; i++) {
		struct tracked *t = &x->tracked[i];

		t->verdict = (enum health_verdict)atomic_load(&page->track[i]);
		if (t->verdict == HEALTH_UP)
			t->reason = x->config.tracks[i].kind == CONF_TRACK_GATEWAY
				? REASON_GATEWAY_BACK : REASON_PROBE_OK;
		else if (t->verdict == HEALTH_DOWN)
			t->reason = reason_of_loss((enum conf_track_kind)x->config.tracks[i].kind);
	}
}

static void
fill_page(struct elector *x)
{
	struct handover *page = x->child->handover;

	atomic_store(&page->track_generation, 0);
	for (uint32_t i = 0; i < x->config.track_count; i++)
		atomic_store(&page->track[i], (uint32_t)x->tracked[i].verdict);
	atomic_store(&page->track_generation, x->generation);
}

void
track_configure(struct elector *x, const struct config *before)
{
	struct tracked *old = x->tracked;

	x->tracked = calloc(x->config.track_count + 1, sizeof(*x->tracked));
	if (!x->tracked)
		report_text(x, LOG_LEVEL_ERROR, "config", REASON_SYSTEM, "detail",
			"no memory for what is tracked");
	for (uint32_t i = 0; x->tracked && i < x->config.router_count; i++)
		configure_router(x, x->tracked, old, before, &x->config.routers[i]);
	if (x->tracked && !old)
		adopt_page(x);
	if (x->tracked)
		fill_page(x);
	free(old);
}

enum reason
track_judge(const struct router *r, int *priority_delta)
{
	const struct elector *x = r->elector;
	uint8_t configured = r->conf.priority[x->child->node];
	enum reason why = REASON_NONE;
	struct fitness f = {0};
	/* Rows of one that leaves are those of an earlier configuration. */
	uint32_t count = r->leaving || !x->tracked ? 0 : r->conf.track_count;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t row = r->conf.first_track + i;
		bool was_impaired = f.impaired;

		if (row >= x->config.track_count)
			break;
		fitness_add(&f, x->config.tracks[row].weight,
			x->tracked[row].verdict != HEALTH_DOWN);
		if (f.impaired && !was_impaired)
			why = reason_of_loss((enum conf_track_kind)x->config.tracks[row].kind);
	}
	*priority_delta = fitness_priority(&f, configured) - configured;
	return why;
}

static void
log_verdict(struct elector *x, const struct ipc_track *fact, const struct tracked *t,
	enum health_verdict before)
{
	struct log_line line;

	log_line_begin(&line, "track");
	log_line_text(&line, "router", fact->router);
	log_line_text(&line, "name", fact->name);
	log_line_text(&line, "kind", conf_track_kind_name((enum conf_track_kind)fact->kind));
	log_line_text(&line, "from", verdict_name(before));
	log_line_text(&line, "to", verdict_name(t->verdict));
	log_line_reason(&line, t->reason);
	log_line_text(&line, "detail", t->detail);
	log_emit(&x->child->log,
		t->verdict == HEALTH_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, &line);
}

static void
tell(struct elector *x, const char *router, uint32_t row)
{
	struct tracked *t = &x->tracked[row];
	struct ipc_track_state state = {
		.known = t->verdict != HEALTH_UNKNOWN,
		.since_ns = t->since.ns,
		.track = {.generation = x->generation, .kind = x->config.tracks[row].kind,
			.up = t->verdict != HEALTH_DOWN, .reason = t->reason},
	};

	memcpy(state.track.router, router, strnlen(router, LIMIT_NAME - 1));
	memcpy(state.track.name, x->config.tracks[row].name, sizeof(state.track.name));
	memcpy(state.track.detail, t->detail, sizeof(state.track.detail));
	t->told = x->pool_fd != -1 &&
		channel_send(x->pool_fd, IPC_TRACK_STATE, &state, sizeof(state), -1) == 0;
}

/* `fact` is whole: kind, reason and the ends of its strings have been looked at. */
static void
take_verdict(struct elector *x, const struct ipc_track *fact)
{
	uint32_t row = config_find_track(&x->config, fact->router, (enum conf_track_kind)fact->kind,
		fact->name);
	enum health_verdict before, now = fact->up ? HEALTH_UP : HEALTH_DOWN;
	struct router *r;
	struct tracked *t;

	if (row == CONF_NO_INDEX || !x->tracked)
		return;
	t = &x->tracked[row];
	before = t->verdict;
	t->told = t->told && t->reason == fact->reason && strcmp(t->detail, fact->detail) == 0;
	t->reason = (enum reason)fact->reason;
	memcpy(t->detail, fact->detail, sizeof(t->detail));
	if (now == before)
		return;
	t->verdict = now;
	t->since = mono_now();
	atomic_store(&x->child->handover->track[row], (uint32_t)now);
	log_verdict(x, fact, t, before);
	tell(x, fact->router, row);
	r = router_by_name(x, fact->router);
	if (!r)
		return;
	router_check_fitness(r, t->since);
	report_router(r);
}

void
track_gateway(struct elector *x, const char *router, const char *name, bool up,
	const char *detail)
{
	struct ipc_track fact = {.kind = CONF_TRACK_GATEWAY, .up = up,
		.reason = up ? REASON_GATEWAY_BACK : REASON_GATEWAY_LOST};

	memcpy(fact.router, router, strnlen(router, sizeof(fact.router) - 1));
	memcpy(fact.name, name, strnlen(name, sizeof(fact.name) - 1));
	memcpy(fact.detail, detail, strnlen(detail, sizeof(fact.detail) - 1));
	take_verdict(x, &fact);
}

void
track_take(struct elector *x, const struct ipc_track *fact)
{
	struct ipc_track whole = *fact;

	if (whole.generation != x->generation || whole.kind > CONF_TRACK_SCRIPT ||
		whole.reason >= REASON_COUNT)
		return;
	whole.router[sizeof(whole.router) - 1] = '\0';
	whole.name[sizeof(whole.name) - 1] = '\0';
	whole.detail[sizeof(whole.detail) - 1] = '\0';
	take_verdict(x, &whole);
}

void
track_untell(struct elector *x)
{
	for (uint32_t i = 0; x->tracked && i < x->config.track_count; i++)
		x->tracked[i].told = false;
}

void
track_report(struct elector *x)
{
	for (uint32_t i = 0; x->tracked && i < x->config.router_count; i++) {
		const struct conf_router *router = &x->config.routers[i];

		for (uint32_t k = 0; k < router->track_count; k++)
			if (!x->tracked[router->first_track + k].told)
				tell(x, router->name, router->first_track + k);
	}
}
