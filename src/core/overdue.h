/*
 * A probe that tells nothing, and how long whoever has to ask it is left alone. A probe has a deadline, so
 * a result comes in every period (interval and timeout). Two periods without one are a fault of ours and
 * told; twice as long, and the prober is taken for stuck and replaced. Pure.
 */
#ifndef TANDEM_CORE_OVERDUE_H
#define TANDEM_CORE_OVERDUE_H

#include "base/mono.h"

#include <stdbool.h>
#include <stdint.h>

/* How a target is probed now. */
struct overdue_rhythm {
	int64_t interval_ms, timeout_ms;
	uint32_t spread_percent; /* of the interval, by which a start may be put off */
};

enum overdue { OVERDUE_NOT, OVERDUE_LATE, OVERDUE_STUCK };

/* After so long without a word there has been no result for two periods. */
int64_t overdue_limit_ns(const struct overdue_rhythm *r);
/* What `silent_ns` without a word says of a target, or of its prober. */
enum overdue overdue_judge(const struct overdue_rhythm *r, int64_t silent_ns);

/*
 * Whoever looks at all that, every second. One who was held up has not read what has come meanwhile,
 * and has no opinion.
 */
struct overdue_watch {
	mono looked_at;
};

/* It looks now; true: its judgement counts. The first look is one after a long time. */
bool overdue_look(struct overdue_watch *w, mono now);

/* A prober that was to be replaced takes a moment to die: it is not asked for each second. */
struct overdue_pardon {
	mono until;
};

/* It is stuck: true when its replacement is to be asked for, which pardons it for a while. */
bool overdue_replace(struct overdue_pardon *p, mono now);

#endif
