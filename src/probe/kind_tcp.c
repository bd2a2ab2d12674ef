/* The tcp probe: the server, or with half_open its kernel alone, takes a connection. */
#include "probe/kind.h"

static void
tcp_start(struct probe_run *run)
{
	if (stream_connect(run) == 1)
		probe_finish(run, REASON_PROBE_OK, 0);
}

static void
tcp_ready(struct probe_run *run, int events)
{
	int error = stream_connected(run);

	(void)events;
	if (error == 0)
		probe_finish(run, REASON_PROBE_OK, 0);
	else
		probe_finish(run, stream_reason(error, false), error);
}

static enum reason
tcp_silence(const struct probe_run *run)
{
	(void)run;
	return REASON_TCP_TIMEOUT;
}

const struct probe_kind kind_tcp = {
	.start = tcp_start, .ready = tcp_ready, .silence = tcp_silence};
