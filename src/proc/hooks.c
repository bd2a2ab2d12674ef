/*
 * on_active, on_backup, on_fault: the operator's programs.
 *
 * One runner: serial per router, and while one runs only the newest wish waits, so that a hook
 * never speaks of a state that is over while the next is already true. A hook that does not end
 * in time is killed with everything it started. Nothing here is near the election: the supervisor
 * forks them, and even a supervisor that hangs delays no advertisement.
 *
 * A hook gets: PROGRAM ROUTER ROLE REASON, and TANDEM_CLUSTER, TANDEM_NODE, TANDEM_ROUTER,
 * TANDEM_ROLE, TANDEM_REASON in its environment.
 */
#include "proc/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t timeout_ms = 30000;

static const char *const hook_names[CONF_HOOKS] = {"on_active", "on_backup", "on_fault"};

static void start_hook(struct hook_state *h);

static void
log_hook(const struct hook_state *h, enum log_level level, enum reason reason, const char *key,
	const char *detail)
{
	struct log_line line;

	log_line_begin(&line, "hook");
	log_line_text(&line, "router", h->router);
	log_line_text(&line, "hook", hook_names[h->running.hook]);
	log_line_reason(&line, reason);
	log_line_text(&line, key, detail);
	log_line_ms(&line, "total_ms", mono_diff_ns(mono_now(), h->program.started));
	log_emit(&h->supervisor->log, level, &line);
}

static const char *
program_of(struct supervisor *s, const struct ipc_hook *hook)
{
	uint32_t router = config_find_router(&s->config, hook->router);

	if (router == CONF_NO_INDEX || hook->hook >= CONF_HOOKS)
		return "";
	return s->config.routers[router].hook[hook->hook];
}

static void
start_waiting(struct hook_state *h)
{
	if (!h->has_next)
		return;
	h->has_next = false;
	h->running = h->next;
	start_hook(h);
}

static void
on_news(struct program *p, int status)
{
	struct hook_state *h = p->context;
	char result[PROGRAM_RESULT];

	if (p->pid != 0)
		return; /* late: the end comes */
	program_result(p, status, result);
	if (status == 0 && !p->late)
		log_hook(h, LOG_LEVEL_INFO, REASON_PROBE_OK, "status", result);
	else
		log_hook(h, LOG_LEVEL_WARNING, REASON_HOOK, "status", result);
	start_waiting(h);
}

static void
start_hook(struct hook_state *h)
{
	struct supervisor *s = h->supervisor;
	const struct ipc_hook *hook = &h->running;
	struct program_call call = {
		.path = program_of(s, hook),
		.arguments = {hook->router, hook->role, hook->reason},
		.variables = {{"TANDEM_CLUSTER", s->config.cluster},
			{"TANDEM_NODE", s->config.nodes[s->node].name},
			{"TANDEM_ROUTER", hook->router}, {"TANDEM_ROLE", hook->role},
			{"TANDEM_REASON", hook->reason}},
		.timeout_ms = timeout_ms,
	};
	int error;

	if (call.path[0] == '\0')
		return;
	error = program_start(&h->program, &call);
	if (error != 0)
		log_hook(h, LOG_LEVEL_ERROR, REASON_HOOK, "detail", strerror(error));
}

static void
init_state(struct hook_state *h, struct supervisor *s, const char *router)
{
	memset(h, 0, sizeof(*h));
	h->supervisor = s;
	snprintf(h->router, sizeof(h->router), "%s", router);
	program_init(&h->program, s->loop, on_news, h);
}

/* The state of a router's hooks; made at its first hook. Watchers inside: never moved in memory. */
static struct hook_state *
state_of(struct supervisor *s, const char *router)
{
	for (size_t i = 0; i < s->hook_count; i++)
		if (strcmp(s->hooks[i].router, router) == 0)
			return &s->hooks[i];
	if (!s->hooks)
		s->hooks = calloc(LIMIT_ROUTERS, sizeof(*s->hooks));
	if (!s->hooks || s->hook_count == LIMIT_ROUTERS)
		return NULL;
	init_state(&s->hooks[s->hook_count], s, router);
	return &s->hooks[s->hook_count++];
}

void
hooks_run(struct supervisor *s, const struct ipc_hook *hook)
{
	struct hook_state *h = program_of(s, hook)[0] != '\0' ? state_of(s, hook->router) : NULL;

	if (!h)
		return;
	if (h->program.pid != 0) {
		h->next = *hook;
		h->has_next = true;
		return;
	}
	h->running = *hook;
	start_hook(h);
}

void
hooks_close(struct supervisor *s)
{
	free(s->hooks);
	s->hooks = NULL;
	s->hook_count = 0;
}
