/*
 * Building one log line in logfmt: `event=role router=web from=backup to=active total_ms=1.204`.
 *
 * Pure: fills a fixed buffer, never allocates, never fails. A value that needs it is quoted;
 * control bytes become '?'; a line that does not fit is cut and says so by its `cut` flag.
 * Nothing a remote host says can add a line or a key.
 */
#ifndef TANDEM_BASE_LOGLINE_H
#define TANDEM_BASE_LOGLINE_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/mono.h"
#include "base/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers as syslog(3) has them. */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

struct log_line {
	char text[LIMIT_LOG_LINE]; /* NUL-terminated, no newline */
	size_t length;
	bool cut;
};

/* Start a line: `event=<event>`. */
void log_line_begin(struct log_line *line, const char *event);
/* ` key=value`, quoted when the value is empty or has a space, quote, '=' or control byte. */
void log_line_text(struct log_line *line, const char *key, const char *value);
/* Same for bytes that need not end in NUL. */
void log_line_bytes(struct log_line *line, const char *key, const void *bytes, size_t length);
void log_line_int(struct log_line *line, const char *key, int64_t value);
/* A duration: milliseconds with three decimals. */
void log_line_ms(struct log_line *line, const char *key, int64_t duration_ns);
void log_line_addr(struct log_line *line, const char *key, const struct ip_addr *addr);
void log_line_endpoint(struct log_line *line, const char *key, const struct endpoint *e);
void log_line_reason(struct log_line *line, enum reason reason); /* reason=<tag> */

/* "error", "warning", "notice", "info", "debug". */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *out);

/*
 * Rate limit for lines that the outside world can cause: `burst` lines at once, then one per
 * `every_ns`. Zero-initialise except burst and every_ns.
 */
struct log_limit {
	int64_t every_ns;
	uint32_t burst;
	uint32_t used;
	mono window;
	uint64_t suppressed; /* lines held back since the last that was let through */
};

/* May a line be written now? When true, *suppressed says how many were held back before it. */
bool log_limit_allow(struct log_limit *limit, mono now, uint64_t *suppressed);

#endif
