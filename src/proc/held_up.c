/* How long a loop was held up. See held_up.h. */
#include "proc/held_up.h"

static const int64_t beat_ns = 50 * NS_PER_MS, patience_ns = 10 * NS_PER_MS;

static int64_t
late_ns(const struct held_up *h, mono now)
{
	int64_t late = mono_diff_ns(now, h->due);

	return h->users > 0 && late > patience_ns ? late : 0;
}

static void
beat(struct held_up *h, mono now)
{
	h->due = mono_add_ns(now, beat_ns);
	ev_now_update(h->loop);
	ev_timer_set(&h->beat, (double)beat_ns / (double)NS_PER_S, 0.);
	ev_timer_start(h->loop, &h->beat);
}

static void
on_beat(struct ev_loop *loop, ev_timer *w, int events)
{
	struct held_up *h = w->data;
	mono now = mono_now();

	(void)loop;
	(void)events;
	h->lost_ns += late_ns(h, now);
	beat(h, now);
}

void
held_up_init(struct held_up *h, struct ev_loop *loop)
{
	*h = (struct held_up){.loop = loop};
	ev_timer_init(&h->beat, on_beat, 0., 0.);
	h->beat.data = h;
}

void
held_up_begin(struct held_up *h)
{
	if (h->users++ == 0)
		beat(h, mono_now());
}

void
held_up_end(struct held_up *h)
{
	if (--h->users > 0)
		return;
	ev_timer_stop(h->loop, &h->beat);
}

int64_t
held_up_ns(const struct held_up *h, mono now)
{
	return h->lost_ns + late_ns(h, now);
}
