/* The announcer thread: rounds in turns, with its helper. See announcer.h. */
#include "linux/announcer_internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	FORMS = 2,
	LARGE = 4096, /* addresses: with fewer left the helper would be of no use */
};
/* Of every turn the thread works this long at most: on one processor others have the rest. */
static const int64_t work_ns = 900 * NS_PER_US;

struct announcer {
	struct thread_channel channel;
	struct announcer_helper helper;

	/* the thread's */
	struct arp_sender arp;
	struct announcer_round *rounds; /* those under way */
	bool ending;
};

struct announcer_round *
announcer_round_new(size_t count)
{
	struct announcer_round *r = calloc(1, sizeof(*r) + count * sizeof(r->rows[0]));

	if (r)
		r->count = count;
	return r;
}

uint32_t
announcer_addresses(const struct ip_prefix *block)
{
	unsigned bits = 32u - block->length;

	return bits > ANNOUNCER_LONGEST ? 0 : 1u << bits;
}

void
announcer_cancel(struct announcer_round *round)
{
	atomic_store(&round->until_ns, 0);
}

/* --- the helper --- */

/* The first of the rounds that is worth it. */
static void
lend(struct announcer *a)
{
	for (struct announcer_round *r = a->rounds; r; r = r->next) {
		if (r->form != 0 || r->own.refused >= ANNOUNCER_REFUSALS ||
			r->total - atomic_load(&r->taken) < LARGE)
			continue;
		if (thread_channel_give(&a->helper.channel, r))
			r->lent = true;
		return; /* it has one */
	}
}

static void
took_back(struct announcer_round *r)
{
	r->lent = false;
	if (r->helper.refused >= ANNOUNCER_REFUSALS)
		r->own.refused = ANNOUNCER_REFUSALS;
}

static void
have_helped(struct announcer *a)
{
	struct announcer_round *r;

	if (!a->helper.started)
		return;
	while ((r = thread_channel_take(&a->helper.channel)) != NULL)
		took_back(r);
	lend(a);
}

/* --- rounds --- */

static bool
is_over(const struct announcer_round *r)
{
	return r->form == FORMS || r->own.refused >= ANNOUNCER_REFUSALS;
}

/* True: the next form may begin. */
static bool
end_form(struct announcer_round *r)
{
	if (is_over(r) || r->lent || !announcer_share_is_over(r, &r->own))
		return false;
	if (r->form == 0) {
		r->addresses = (uint32_t)r->total;
		r->requested = mono_before(r->own.latest, r->helper.latest) ? r->helper.latest
									    : r->own.latest;
	}
	r->form++;
	r->form_begun = mono_now();
	r->own.sent = 0;
	atomic_store(&r->taken, 0);
	return !is_over(r);
}

static void
work_on(struct announcer *a, struct announcer_round *r, mono stop)
{
	do
		announcer_share_work(&a->arp, r, &r->own, stop);
	while (end_form(r) && mono_before(mono_now(), stop));
}

static void
give_back(struct announcer *a, struct announcer_round *r)
{
	r->ended = mono_now();
	r->whole = r->form == FORMS;
	if (r->form == 0)
		r->addresses = (uint32_t)(r->own.sent + r->helper.sent);
	thread_channel_give_back(&a->channel, r);
}

/* Everybody has an equal part of the turn. */
static void
take_turn(struct announcer *a, mono begun)
{
	mono end = mono_add_ns(begun, work_ns);
	struct announcer_round **link = &a->rounds;
	int64_t count = 0, part_ns;

	have_helped(a);
	for (struct announcer_round *r = a->rounds; r; r = r->next)
		count++;
	part_ns = work_ns / count;
	while (*link) {
		struct announcer_round *r = *link;

		if (!is_over(r))
			work_on(a, r, mono_min(end, mono_add_ns(mono_now(), part_ns)));
		if (is_over(r))
			atomic_store(&r->stopped, true);
		if (!is_over(r) || r->lent) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		give_back(a, r);
	}
}

static void
take_up(struct announcer *a, struct announcer_round *r)
{
	struct announcer_round **end = &a->rounds;
	bool possible = r->count > 0;

	r->begun = r->form_begun = mono_now();
	for (size_t i = 0; i < r->count; i++) {
		r->rows[i].first = r->total;
		r->total += announcer_addresses(&r->rows[i].prefix);
		possible = possible && announcer_addresses(&r->rows[i].prefix) > 0;
	}
	if (!possible) {
		give_back(a, r);
		return;
	}
	while (*end)
		end = &(*end)->next;
	*end = r;
}

/* Waits for work while there is none. */
static void
receive(struct announcer *a)
{
	struct thread_order order;
	enum thread_next next;

	while ((next = thread_channel_next(&a->channel, !a->rounds, &order)) == THREAD_ORDER)
		take_up(a, order.item);
	a->ending = next == THREAD_END;
}

static void
give_all_back(struct announcer *a)
{
	struct announcer_round *r;

	for (r = a->rounds; r; r = r->next)
		atomic_store(&r->stopped, true);
	while (a->helper.started && (r = thread_channel_wait(&a->helper.channel)) != NULL)
		took_back(r);
	while ((r = a->rounds) != NULL) {
		a->rounds = r->next;
		give_back(a, r);
	}
}

static void
work(void *announcer)
{
	struct announcer *a = announcer;

	announcer_step_down();
	for (;;) {
		mono begun;

		receive(a);
		if (a->ending)
			break;
		begun = mono_now();
		take_turn(a, begun);
		announcer_rest(begun);
	}
	give_all_back(a);
}

/* --- the loop's side --- */

int
announcer_start(struct announcer **out)
{
	struct announcer *a = calloc(1, sizeof(*a));
	int error;

	if (!a)
		return -ENOMEM;
	error = arp_sender_open(&a->arp);
	if (error == 0)
		error = announcer_helper_start(&a->helper);
	if (error == 0)
		error = thread_channel_start(&a->channel, ANNOUNCER_QUEUE, work, a);
	if (error == 0) {
		*out = a;
		return 0;
	}
	announcer_helper_stop(&a->helper);
	arp_sender_close(&a->arp);
	free(a);
	return error;
}

int
announcer_fd(const struct announcer *a)
{
	return thread_channel_fd(&a->channel);
}

bool
announcer_submit(struct announcer *a, struct announcer_round *round)
{
	return thread_channel_give(&a->channel, round);
}

struct announcer_round *
announcer_next_done(struct announcer *a)
{
	return thread_channel_take(&a->channel);
}

void
announcer_stop(struct announcer *a)
{
	thread_channel_stop(&a->channel);
	announcer_helper_stop(&a->helper);
	arp_sender_close(&a->arp);
	free(a);
}
