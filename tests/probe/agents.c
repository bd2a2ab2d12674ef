/* Agents: what they say is told at once, adds up, and is forgotten with the probe. */
#include "tests.h"

#include "servers.h"

#include <string.h>

/* What is waited for of target 1. */
struct wish {
	struct agent_state is;
	enum reason reason;
	const char *shown;
};

static bool
is_told(struct bench *b, void *of)
{
	const struct wish *w = of;
	const struct ipc_probe_result *last = &b->seen[1].last;

	return last->generation == b->generation && agent_equal(&last->agent, &w->is) &&
		last->reason == (uint32_t)w->reason && strcmp(last->evidence, w->shown) == 0;
}

static void
expect(struct bench *b, struct server *s, const char *line, struct wish wish)
{
	bool told;

	atomic_store(&s->line, line);
	told = bench_until(b, 3000, is_told, &wish);
	check(told, "says `%.30s`: %s, health %u, admin %u, %u %%",
		line, reason_tag((enum reason)b->seen[1].last.reason), b->seen[1].last.agent.health,
		b->seen[1].last.agent.admin, b->seen[1].last.agent.percent);
}

static char too_long[2048];

void
test_agent(void)
{
	static struct server s = {.bad = bad_agent};
	struct agent_state all = {.health = AGENT_UP};
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_AGENT);

	memset(too_long, 'x', sizeof(too_long) - 1);
	atomic_store(&s.line, "up\n");
	server_start(&s, IP_V4);
	server_set_bad(&s, true);
	set.address = s.at;
	bench_set(b, 1, &set);
	expect(b, &s, "up\n", (struct wish){all, REASON_PROBE_OK, "up"});
	all.has_percent = 1;
	all.percent = 75;
	expect(b, &s, "75%\r\nmore", (struct wish){all, REASON_PROBE_OK, "75%"});
	all.admin = AGENT_DRAIN;
	all.notes = AGENT_NOTE_MAXCONN;
	expect(b, &s, "drain,maxconn:3\n", (struct wish){all, REASON_PROBE_OK, "drain,maxconn:3"});
	expect(b, &s, "down", (struct wish){all, REASON_ANSWER_TIMEOUT, "down"});
	expect(b, &s, too_long, (struct wish){all, REASON_ANSWER_WRONG,
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"});
	all.health = AGENT_DOWN;
	all.notes = 0;
	expect(b, &s, "stopped #by hand\n", (struct wish){all, REASON_PROBE_OK, "stopped #by hand"});
	server_set_bad(&s, false);
	s.bad = NULL;
	s.listening = LISTEN_REFUSE;
	server_set_bad(&s, true);
	expect(b, &s, "", (struct wish){all, REASON_TCP_REFUSED, ""});
	memset(&all, 0, sizeof(all));
	bench_set(b, 1, &set);
	expect(b, &s, "", (struct wish){all, REASON_TCP_REFUSED, ""});
	check(bench_stop(b), "stopped");
	server_stop(&s);
}
