/*
 * For how long a loop was held up: stopped, or without a processor. A beat, which costs a wakeup each
 * 50 ms and beats only while somebody asks, is late by that much. What core/lag.h judges by.
 */
#ifndef TANDEM_PROC_HELD_UP_H
#define TANDEM_PROC_HELD_UP_H

#include "base/mono.h"

#include <ev.h>
#include <stdint.h>

/* Holds a watcher: never moved in memory while it beats. */
struct held_up {
	struct ev_loop *loop;
	ev_timer beat;
	mono due;
	int64_t lost_ns; /* summed */
	unsigned users;
};

void held_up_init(struct held_up *h, struct ev_loop *loop);
/* From now on, until as many ends as begins were said. */
void held_up_begin(struct held_up *h);
void held_up_end(struct held_up *h);
/*
 * All that was lost so far, up to now, also when the beat itself has not had its turn yet. The difference
 * of two of them counts, the first after held_up_begin() and the second before held_up_end(). Less
 * than 10 ms at a time is how loops are; up to a beat of each time is not seen.
 */
int64_t held_up_ns(const struct held_up *h, mono now);

#endif
