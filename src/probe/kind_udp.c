/*
 * The udp probe: a datagram, and what comes back. Where an answer is expected, nothing else will
 * do. Where none is, silence is all that many services have to say to a stranger: the server is up
 * unless the network says, before the time is over, that nobody is there.
 */
#include "probe/kind.h"

static void
udp_start(struct probe_run *run)
{
	const struct conf_bytes *bytes = &run->target->definition->probe.send;

	run->udp.answer.length = 0;
	if (datagram_connect(run) == 0)
		datagram_send(run, bytes->bytes, bytes->length);
}

static void
udp_ready(struct probe_run *run, int events)
{
	const struct conf_bytes *wanted = &run->target->definition->probe.answer;
	bool done;
	ssize_t n = datagram_receive(run, &done);

	(void)events;
	if (n == -1)
		return;
	answer_add(&run->udp.answer, run->engine->read_buffer, (size_t)n);
	probe_finish(run, answer_holds(&run->udp.answer, wanted) ? REASON_PROBE_OK
		: REASON_ANSWER_WRONG, 0);
}

static enum reason
udp_silence(const struct probe_run *run)
{
	return run->target->definition->probe.answer.length == 0 ? REASON_PROBE_OK
		: REASON_ANSWER_TIMEOUT;
}

static void
udp_show(const struct probe_run *run, char out[HTTP_EVIDENCE])
{
	answer_show(&run->udp.answer, out);
}

const struct probe_kind kind_udp = {.start = udp_start, .ready = udp_ready,
	.silence = udp_silence, .evidence = udp_show};
