/*
 * What the log says of results that do not count (core/lag.h), by whom they were read: the prober, and
 * the supervisor for programs. ipc/check_line.c knows the line, since a prober says it.
 */
#ifndef TANDEM_PROC_VOIDED_H
#define TANDEM_PROC_VOIDED_H

#include "base/log.h"

/* Begin with a limit and no more. */
struct voided_log {
	struct log_limit limit;
	uint64_t told;
};

/* `voided`: results so far, of a time in which `stalled_ns` were lost. Silent when there is no new one. */
void voided_tell(struct voided_log *v, struct logger *log, uint64_t voided, int64_t stalled_ns);

#endif
