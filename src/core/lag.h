/*
 * Results of probes that were read while the reader itself was held up: stopped, or without a
 * processor. They say as much of it as of the server. A silence may have been an answer that nobody
 * read, an answer in time may have been none, a refusal may be of a moment long past. So none of them
 * counts, whatever it says, and the server is asked again soon. Pure.
 *
 * Held up is who lost more than half of the probe's timeout during it: less leaves the answer to
 * judge by, and only how long it took is not known.
 *
 * A reader that is held up all the time has to come to a verdict, and the first one of all too: after
 * three void results in a row the next one counts.
 */
#ifndef TANDEM_CORE_LAG_H
#define TANDEM_CORE_LAG_H

#include "base/mono.h"

#include <stdbool.h>

enum { LAG_AGAIN_MIN_MS = 5, LAG_AGAIN_MAX_MS = 100 };

/* Is the result void? `held_up_ns`: lost since the probe began; `before`: void ones in a row. */
bool lag_voids(int64_t held_up_ns, int64_t timeout_ns, unsigned before);

/*
 * How long until the server is asked again: an eighth of its interval at most, and within these
 * bounds. Out of any number, because all that were under way are void together.
 */
int64_t lag_again_ns(int64_t step_ns, uint64_t random);

#endif
