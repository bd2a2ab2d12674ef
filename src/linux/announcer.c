/* The announcer thread. See announcer.h. */
#include "linux/announcer.h"

#include "linux/arp.h"
#include "linux/thread_channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BATCH = 32,
	SENDER_AT = 28, TARGET_AT = 38,  /* IPv4 addresses in the frame */
	FORMS = 2,
	REFUSALS = 200,                  /* turns in a row in which the kernel took nothing */
};
/* Of every turn the thread works this long at most: on one processor others have the rest. */
static const int64_t turn_ns = 1 * NS_PER_MS, work_ns = 900 * NS_PER_US;
static const unsigned long slack_ns = 1; /* a rest is short, and is not to be made longer */

struct announcer {
	struct thread_channel channel;

	/* the thread's */
	struct arp_sender arp;
	struct announcer_round *rounds; /* those under way */
	bool ending;
};

struct batch {
	uint8_t frames[BATCH][ARP_FRAME];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	struct sockaddr_ll to;
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

/* --- frames --- */

static void
put_address(uint8_t *frame, uint32_t address)
{
	uint8_t bytes[4] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
		(uint8_t)(address >> 8), (uint8_t)address};

	memcpy(frame + SENDER_AT, bytes, sizeof(bytes));
	memcpy(frame + TARGET_AT, bytes, sizeof(bytes));
}

/* `count` addresses of the row from the round's offset on. */
static bool
fill(struct announcer *a, const struct announcer_round *r, struct batch *b, unsigned count)
{
	const struct announcer_row *row = &r->rows[r->row];
	const uint8_t *net = row->prefix.addr.bytes;
	uint32_t first = (uint32_t)net[0] << 24 | (uint32_t)net[1] << 16 | (uint32_t)net[2] << 8 | net[3];

	if (arp_build(&a->arp, row->mac, &row->prefix.addr, r->form == 1, b->frames[0]) < 0)
		return false;
	b->to = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = row->ifindex, .sll_halen = 6,
		.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			memcpy(b->frames[i], b->frames[0], ARP_FRAME);
		put_address(b->frames[i], first + r->offset + i);
		b->parts[i] = (struct iovec){.iov_base = b->frames[i], .iov_len = ARP_FRAME};
		b->messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &b->to,
			.msg_namelen = sizeof(b->to), .msg_iov = &b->parts[i], .msg_iovlen = 1}};
	}
	return true;
}

/* --- rounds --- */

static bool
is_over(const struct announcer_round *r)
{
	return r->form == FORMS || r->refused >= REFUSALS;
}

static void
advance(struct announcer_round *r, uint32_t sent, mono now)
{
	r->refused = 0;
	r->offset += sent;
	r->form_sent += sent;
	if (r->form == 0)
		r->addresses += sent;
	if (r->offset < announcer_addresses(&r->rows[r->row].prefix))
		return;
	r->offset = 0;
	if (++r->row < r->count)
		return;
	if (r->form == 0)
		r->requested = now;
	r->row = 0;
	r->form++;
	r->form_sent = 0;
	r->form_begun = now;
}

/* Frames that are due by the round's pace, one batch at most. */
static unsigned
due(const struct announcer_round *r, mono now)
{
	uint32_t left = announcer_addresses(&r->rows[r->row].prefix) - r->offset;
	int64_t by_now = BATCH;

	if (r->every_ns > 0)
		by_now = mono_diff_ns(now, r->form_begun) / r->every_ns + 1 - (int64_t)r->form_sent;
	if (by_now > BATCH)
		by_now = BATCH;
	if (by_now < 0)
		by_now = 0;
	return (uint32_t)by_now < left ? (unsigned)by_now : left;
}

/* True when there may be more to do in this turn. */
static bool
send_some(struct announcer *a, struct announcer_round *r, mono now)
{
	struct batch b;
	unsigned count = due(r, now);
	int sent;

	if (count == 0)
		return false;
	if (!fill(a, r, &b, count)) {
		r->refused = REFUSALS;
		return false;
	}
	if (mono_due((mono){atomic_load(&r->until_ns)}, mono_now())) {
		r->refused = REFUSALS;
		return false;
	}
	sent = sendmmsg(a->arp.fd, b.messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0) {
		/* The queue of the device is full, or the device is gone: the next turn may do. */
		r->refused++;
		return false;
	}
	advance(r, (uint32_t)sent, now);
	return !is_over(r);
}

static void
work_on(struct announcer *a, struct announcer_round *r, mono stop)
{
	mono now = mono_now();

	if (mono_is_never(r->begun))
		r->begun = r->form_begun = now;
	if (mono_due((mono){atomic_load(&r->until_ns)}, now))
		r->refused = REFUSALS;
	while (!is_over(r) && send_some(a, r, now)) {
		now = mono_now();
		if (mono_due(stop, now))
			return;
	}
}

static void
give_back(struct announcer *a, struct announcer_round *r)
{
	r->ended = mono_now();
	r->whole = r->form == FORMS;
	thread_channel_give_back(&a->channel, r);
}

/* Everybody has an equal part of the turn. */
static void
take_turn(struct announcer *a)
{
	struct announcer_round **link = &a->rounds;
	mono now = mono_now(), end = mono_add_ns(now, work_ns);
	int64_t count = 0, part_ns;

	for (struct announcer_round *r = a->rounds; r; r = r->next)
		count++;
	part_ns = work_ns / count;
	while (*link) {
		struct announcer_round *r = *link;

		work_on(a, r, mono_min(end, mono_add_ns(mono_now(), part_ns)));
		if (!is_over(r)) {
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

	r->begun = MONO_NEVER;
	for (size_t i = 0; i < r->count; i++)
		possible = possible && announcer_addresses(&r->rows[i].prefix) > 0;
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
rest(mono until)
{
	struct timespec at = {.tv_sec = until.ns / NS_PER_S, .tv_nsec = until.ns % NS_PER_S};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* Round robin as the loop, but one below it: the loop never waits for a turn of ours. */
static void
step_down(void)
{
	struct sched_param param;
	int policy = sched_getscheduler(0);

	if ((policy != SCHED_RR && policy != SCHED_FIFO) || sched_getparam(0, &param) == -1 ||
		param.sched_priority <= sched_get_priority_min(policy))
		return;
	param.sched_priority--;
	sched_setparam(0, &param);
}

static void
work(void *argument)
{
	struct announcer *a = argument;

	step_down();
	prctl(PR_SET_TIMERSLACK, slack_ns);
	for (;;) {
		mono begun;

		receive(a);
		if (a->ending)
			break;
		begun = mono_now();
		take_turn(a);
		rest(mono_add_ns(begun, turn_ns));
	}
	while (a->rounds) {
		struct announcer_round *r = a->rounds;

		a->rounds = r->next;
		give_back(a, r);
	}
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
		error = thread_channel_start(&a->channel, ANNOUNCER_QUEUE, work, a);
	if (error == 0) {
		*out = a;
		return 0;
	}
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
	arp_sender_close(&a->arp);
	free(a);
}
