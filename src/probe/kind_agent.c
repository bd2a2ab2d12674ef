/*
 * The agent probe: a connection, perhaps a text, and one line that says how the server wants to be
 * used (core/agent.h). A line that does not end, in time or before the agent closes, says nothing.
 */
#include "probe/kind.h"

static enum reason
agent_judge(const struct probe_run *run)
{
	const struct answer *a = &run->tcp.answer;

	if (agent_line_length(a->bytes, a->length) < a->length)
		return REASON_PROBE_OK;
	return a->length == sizeof(a->bytes) ? REASON_ANSWER_WRONG : REASON_NONE;
}

void
agent_take(struct target *t, const struct probe_run *run)
{
	const struct answer *a = &run->tcp.answer;
	struct agent_state says = agent_parse(a->bytes, agent_line_length(a->bytes, a->length));

	agent_merge(&t->agent, &says);
}

static void
agent_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	struct answer line = run->tcp.answer;

	line.length = (uint16_t)agent_line_length(line.bytes, line.length);
	answer_show(&line, out);
}

const struct probe_kind kind_agent = {.start = tcp_start, .ready = tcp_ready,
	.silence = tcp_silence, .evidence = agent_show, .shows_good = true, .judge = agent_judge,
	.connects = true};
