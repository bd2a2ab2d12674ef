/*
 * The announcer's helper: a second thread for the requests of a large round, on another processor.
 *
 * It works a smaller part of every millisecond than the first, so that on two processors there is
 * time for the pool and the probers as well.
 */
#include "linux/announcer_internal.h"

#include <errno.h>
#include <sched.h>

static const int64_t help_ns = 750 * NS_PER_US; /* of a millisecond */

static void
help(struct announcer_helper *h, struct announcer_round *r)
{
	for (;;) {
		mono begun = mono_now();

		announcer_share_work(&h->arp, r, &r->helper, mono_add_ns(begun, help_ns));
		if (announcer_share_is_over(r, &r->helper))
			return;
		announcer_rest(begun);
	}
}

static void
work(void *helper)
{
	struct announcer_helper *h = helper;
	struct thread_order order;

	announcer_step_down();
	while (thread_channel_next(&h->channel, true, &order) == THREAD_ORDER) {
		help(h, order.item);
		thread_channel_give_back(&h->channel, order.item);
	}
}

/* Of very many processors the call does not tell: then there is more than one. */
static bool
is_alone(void)
{
	cpu_set_t ours;

	return sched_getaffinity(0, sizeof(ours), &ours) == 0 && CPU_COUNT(&ours) < 2;
}

int
announcer_helper_start(struct announcer_helper *h)
{
	int error;

	if (is_alone())
		return 0;
	error = arp_sender_open(&h->arp);
	if (error == 0)
		error = thread_channel_start(&h->channel, 1, work, h);
	h->started = error == 0;
	if (error != 0)
		arp_sender_close(&h->arp);
	return error;
}

void
announcer_helper_stop(struct announcer_helper *h)
{
	if (!h->started)
		return;
	thread_channel_stop(&h->channel);
	arp_sender_close(&h->arp);
	h->started = false;
}
