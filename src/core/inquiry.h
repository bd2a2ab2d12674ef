/*
 * When something is asked whose answer holds for a while, such as the address of a name: when it is first
 * wanted, each time that the answer has grown old, and again when no answer came, which must be
 * later than anybody may still be working on it. Pure.
 */
#ifndef TANDEM_CORE_INQUIRY_H
#define TANDEM_CORE_INQUIRY_H

#include "base/mono.h"

#include <stdbool.h>

struct inquiry {
	bool open;    /* asked, and not answered yet */
	mono asked_at;
	mono next_at; /* not `open`: ask then */
};

/* The system's resolver gives up long before: what has not come by then does not come. */
#define INQUIRY_PATIENCE_NS (90 * NS_PER_S)

/* Nothing was asked: due at once. */
struct inquiry inquiry_new(mono now);
/* Is it to be asked now? The question may fail to leave: only inquiry_asked() changes anything. */
bool inquiry_due(const struct inquiry *q, mono now);
void inquiry_asked(struct inquiry *q, mono now);
/*
 * Any answer, which holds for that time. False: nobody waits for one (it was asked for something
 * that the configuration has no more, or answered twice), and it is not to be believed.
 */
bool inquiry_answered(struct inquiry *q, mono now, int64_t holds_ns);
/* Whoever was asked is gone, and the question with it: due as if it had not been asked. */
void inquiry_lost(struct inquiry *q);
/* What is known is not good enough any more: due at once, but for a question that is open. */
void inquiry_renew(struct inquiry *q, mono now);
/* Answers hold for that time from now on: due at once where the last one was to hold for longer. */
void inquiry_shorten(struct inquiry *q, mono now, int64_t holds_ns);

#endif
