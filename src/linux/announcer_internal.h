/*
 * What the announcer's threads have in common: a share of a round, the pace of their turns, and the
 * helper.
 *
 * A thread takes the next few addresses of a round, by its one atomic counter, and sends their
 * frames over a socket of its own. What the kernel does not take stays in its share until it does.
 */
#ifndef TANDEM_LINUX_ANNOUNCER_INTERNAL_H
#define TANDEM_LINUX_ANNOUNCER_INTERNAL_H

#include "linux/announcer.h"
#include "linux/arp.h"
#include "linux/thread_channel.h"

enum { ANNOUNCER_REFUSALS = 200 }; /* turns in a row: then the round is given up */

/* --- a thread's turns --- */

/* Round robin as the loop, but one below it: the loop never waits for a turn of ours. */
void announcer_step_down(void);
/* Until the next turn after one that began at `begun`. */
void announcer_rest(mono begun);

/* --- a share --- */

/* Sends what is due until `stop`; ends early when nothing is, or the kernel takes no more. */
void announcer_share_work(struct arp_sender *arp, struct announcer_round *r,
	struct announcer_share *s, mono stop);
/* It has failed, or of this form it has nothing left and there is nothing left to take. */
bool announcer_share_is_over(const struct announcer_round *r, const struct announcer_share *s);

/* --- the helper: gets rounds by its channel, and gives each back when its share is over --- */

struct announcer_helper {
	struct thread_channel channel;
	struct arp_sender arp;
	bool started;
};

/* Only where there is more than one processor. 0 or negative errno. */
int announcer_helper_start(struct announcer_helper *h);
/* It has no round any more. */
void announcer_helper_stop(struct announcer_helper *h);

#endif
