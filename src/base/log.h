/*
 * Where log lines go, without ever waiting.
 *
 * A line goes to syslog's datagram socket (/dev/log, RFC 3164 framing) with MSG_DONTWAIT and, when
 * a relay is set, as one datagram to the supervisor, which keeps the ring that `tandemctl events`
 * reads and, in the foreground, writes stderr. What a sink does not take at once is lost and
 * counted; the count is logged as soon as the sink takes lines again.
 */
#ifndef TANDEM_BASE_LOG_H
#define TANDEM_BASE_LOG_H

#include "base/logline.h"

struct logger {
	int syslog_fd;           /* -1: not connected; retried at most once a second */
	int relay_fd;            /* -1: none. Not owned. */
	bool relay_only;         /* nothing to syslog: who reads the relay passes it on */
	int facility;            /* LOG_DAEMON ... as in <syslog.h>, already shifted */
	enum log_level level;    /* lines above this are not built */
	mono retry_at;
	uint64_t syslog_dropped; /* since the last report */
	uint64_t relay_dropped;
	uint64_t dropped_total;
	char ident[32];          /* "tandemd" */
	char cluster[LIMIT_NAME];
};

/* A relayed line, as the supervisor receives it: this header, then the text without NUL. */
struct log_relay_header {
	int64_t at_ns; /* mono_now() of the writer */
	uint32_t level;
};

/* Opens nothing yet; the first line connects. */
void log_open(struct logger *log, int facility, enum log_level level, const char *cluster);
/* Close the syslog socket (the relay is not ours). */
void log_close(struct logger *log);

static inline bool
log_wanted(const struct logger *log, enum log_level level)
{
	return level <= log->level;
}

/* Send one line. Never blocks, never fails: what cannot be delivered is counted. */
void log_emit(struct logger *log, enum log_level level, const struct log_line *line);
/* A line was given up before it came here; it is told with those that a sink did not take. */
void log_lost(struct logger *log);

/* "daemon", "local0", ... to the syslog facility number; false when unknown. */
bool log_facility_parse(const char *name, int *out);

#endif
