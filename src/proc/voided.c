/* The line about void results. See voided.h. */
#include "proc/voided.h"

void
voided_tell(struct voided_log *v, struct logger *log, uint64_t voided, int64_t stalled_ns)
{
	struct log_line line;
	uint64_t held_back;

	if (voided == v->told || !log_limit_allow(&v->limit, mono_now(), &held_back))
		return;
	log_line_begin(&line, "probe");
	log_line_reason(&line, REASON_WOKE_LATE);
	log_line_int(&line, "voided", (int64_t)(voided - v->told));
	log_line_ms(&line, "stalled_ms", stalled_ns);
	log_emit(log, LOG_LEVEL_WARNING, &line);
	v->told = voided;
}
