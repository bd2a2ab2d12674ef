/* One world: what is told of it, how it begins, what happens in it. See world.h. */
#include "bundle.h"

#include <stdarg.h>
#include <stdio.h>

static void
tell(FILE *to, const struct world *w, const struct node *n, const char *format, va_list ap)
{
	fprintf(to, "%12.6f ", (double)w->now / (double)NS_PER_S);
	if (n && bundle_is_grouped(w))
		fprintf(to, "node %u.%u %-6s ", n->id, w->lane, el_role_name(n->e.role));
	else if (n)
		fprintf(to, "node %u %-6s ", n->id, el_role_name(n->e.role));
	else
		fprintf(to, "%14s", "");
	vfprintf(to, format, ap);
	fputc('\n', to);
}

void
world_trace(struct world *w, const struct node *n, const char *format, ...)
{
	va_list ap;

	if (!w->trace)
		return;
	va_start(ap, format);
	tell(stdout, w, n, format, ap);
	va_end(ap);
}

void
world_fail(struct world *w, const struct node *n, const char *format, ...)
{
	va_list ap;

	if (w->bundle->failed)
		return;
	w->bundle->failed = true;
	fflush(stdout);
	fprintf(stderr, "FAILED seed %llu: ", (unsigned long long)w->bundle->seed);
	va_start(ap, format);
	tell(stderr, w, n, format, ap);
	va_end(ap);
}

void
world_introduce(struct world *w)
{
	if (bundle_is_grouped(w))
		world_trace(w, NULL, "router %u of a group, on interface %u", w->lane,
			w->bundle->interfaces[w->lane]);
	world_trace(w, NULL, "%s, paths %u, jitter %lld us", w->keyed ? "a keyed pair" : "plain",
		w->network.count, (long long)(w->jitter_ns / NS_PER_US));
	for (unsigned i = 0; i < w->count; i++) {
		const struct node *n = &w->nodes[i];

		world_trace(w, n, "priority %u preempt %d delay %lld ms prepare %d interval %lld ms "
			"lease %lld s addresses %u clock %+lld ppm", n->params.priority,
			n->params.preempt, (long long)(n->params.preempt_delay_ns / NS_PER_MS),
			n->params.prepare, (long long)(n->params.interval_ns / NS_PER_MS),
			(long long)(n->params.lease_ns / NS_PER_S), n->addresses,
			(long long)n->clock.ppm);
	}
}

void
world_start(struct world *w, uint64_t seed, bool keyed, bool trace)
{
	struct world fresh = {.bundle = w->bundle, .lane = w->lane, .events = w->events,
		.seed = seed, .trace = trace, .keyed = keyed};

	*w = fresh; /* the memory of the events serves all runs */
	events_clear(&w->events);
	w->network.rng = rng_stream(seed, 2);
	w->network.count = 1;
	scenario_start(w);
	checker_start(w);
}

void
world_step(struct world *w, const struct event *event)
{
	if (event->kind == EVENT_FAULT || event->kind == EVENT_STRANGER || event->kind == EVENT_ATTACK)
		scenario_event(w, event);
	else
		node_event(w, &w->nodes[event->node], event);
}
