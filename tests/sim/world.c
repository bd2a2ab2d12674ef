/* One run: take the next event, let it happen, look at everything. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const uint64_t steps_max = 2000000;

static void
tell(FILE *to, const struct world *w, const struct node *n, const char *format, va_list ap)
{
	fprintf(to, "%12.6f ", (double)w->now / (double)NS_PER_S);
	if (n)
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

	if (w->failed)
		return;
	w->failed = true;
	fflush(stdout);
	fprintf(stderr, "FAILED seed %llu: ", (unsigned long long)w->seed);
	va_start(ap, format);
	tell(stderr, w, n, format, ap);
	va_end(ap);
}

static void
introduce(struct world *w)
{
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

bool
world_run(struct world *w, uint64_t seed, enum worlds only, bool trace)
{
	struct rng kind;
	struct events events = w->events;
	struct event event;

	memset(w, 0, sizeof(*w));
	w->events = events; /* its memory serves all runs */
	events_clear(&w->events);
	w->seed = seed;
	w->trace = trace;
	w->network.rng = rng_stream(seed, 2);
	w->network.count = 1;
	kind = rng_stream(seed, 3);
	w->keyed = only == WORLDS_KEYED || (only == WORLDS_ALL && rng_chance(&kind, 50));
	scenario_start(w);
	checker_start(w);
	introduce(w);
	while (!w->failed && !w->scenario.over && events_next(&w->events, &event)) {
		w->now = event.at;
		if (event.kind == EVENT_FAULT || event.kind == EVENT_STRANGER ||
			event.kind == EVENT_ATTACK)
			scenario_event(w, &event);
		else
			node_event(w, &w->nodes[event.node], &event);
		checker_step(w);
		if (++w->steps > steps_max)
			world_fail(w, NULL, "more than %llu steps", (unsigned long long)steps_max);
	}
	return !w->failed;
}
