/*
 * How the two nodes see the servers of a router (core/view.h): the pool process tells what this node
 * sees, the peer's messages what it sees. Where the peer sees clearly more, this node is impaired
 * for the router, and an active one hands over to it.
 */
#include "proc/election_process.h"

static const int64_t fresh_ns = 3 * NS_PER_S;

static void
log_view(const struct router *r)
{
	struct log_line line;

	log_line_begin(&line, "pool");
	log_line_text(&line, "router", r->conf.name);
	log_line_text(&line, "from", r->view.worse ? "as-good" : "worse");
	log_line_text(&line, "to", r->view.worse ? "worse" : "as-good");
	log_line_reason(&line, r->view.worse ? REASON_PEER_SEES_MORE : REASON_HEALTH);
	log_line_int(&line, "own_permille", view_share_of(r->view.own));
	log_line_int(&line, "peer_permille", view_share_of(r->view.peer));
	log_line_int(&line, "own_lost", view_lost_of(r->view.own));
	log_line_int(&line, "peer_lost", view_lost_of(r->view.peer));
	log_emit(&r->elector->child->log, r->view.worse ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, &line);
}

uint16_t
view_of_peer(const struct router *r, mono now)
{
	bool told = !mono_is_never(r->peer_view_at) &&
		mono_diff_ns(now, r->peer_view_at) < fresh_ns && !r->elector->digest_told;

	return told ? r->peer_view : VIEW_UNKNOWN;
}

static void
look(struct router *r, mono now)
{
	if (!view_update(&r->view, now, r->own_view, view_of_peer(r, now)))
		return;
	log_view(r);
	router_check_fitness(r, now);
}

void
view_init_router(struct router *r)
{
	view_init(&r->view);
	r->own_view = r->told_view = r->peer_view = VIEW_UNKNOWN;
	r->peer_view_at = MONO_NEVER;
}

/* The longest interval of the probes of its virtual servers. */
void
view_configure(struct router *r, const struct config *c)
{
	uint32_t row = config_find_router(c, r->conf.name), longest_ms = 0;

	for (uint32_t i = 0; i < c->virtual_count; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		for (uint32_t k = v->first_real; v->router == row &&
			k < v->first_real + v->real_count; k++)
			if (c->probes[c->reals[k].probe].interval_ms > longest_ms)
				longest_ms = c->probes[c->reals[k].probe].interval_ms;
	}
	view_set_interval(&r->view, longest_ms);
}

void
view_take_own(struct elector *x, const struct ipc_view *told)
{
	struct router *r = router_by_name(x, told->router);

	if (!r)
		return;
	r->told_view = told->told; /* with the next message */
	if (r->own_view == told->own)
		return;
	r->own_view = told->own;
	look(r, mono_now());
}

void
view_take_peer(struct router *r, mono now, uint16_t told)
{
	uint16_t before = view_of_peer(r, now);

	r->peer_view = told;
	r->peer_view_at = now;
	look(r, now);
	if (view_of_peer(r, now) != before) /* the pool process may be waiting for it */
		report_router(r);
}

void
view_second(struct elector *x, mono now)
{
	for (size_t i = 0; i < x->router_count; i++)
		look(x->routers[i], now);
}
