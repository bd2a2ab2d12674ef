/* A thread's share of a round, frame by frame. See announcer_internal.h. */
#include "linux/announcer_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH = 32,
	SENDER_AT = 28, TARGET_AT = 38, /* IPv4 addresses in the frame */
};
static const int64_t turn_ns = 1 * NS_PER_MS;
static const unsigned long slack_ns = 1; /* a rest is short, and is not to be made longer */

struct batch {
	uint8_t frames[BATCH][ARP_FRAME];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	struct sockaddr_ll to[BATCH];
};

/* --- turns --- */

void
announcer_step_down(void)
{
	struct sched_param param;
	int policy = sched_getscheduler(0);

	prctl(PR_SET_TIMERSLACK, slack_ns);
	if ((policy != SCHED_RR && policy != SCHED_FIFO) || sched_getparam(0, &param) == -1 ||
		param.sched_priority <= sched_get_priority_min(policy))
		return;
	param.sched_priority--;
	sched_setparam(0, &param);
}

void
announcer_rest(mono begun)
{
	mono until = mono_add_ns(begun, turn_ns);
	struct timespec at = {.tv_sec = until.ns / NS_PER_S, .tv_nsec = until.ns % NS_PER_S};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* --- frames --- */

static size_t
row_of(const struct announcer_round *r, uint64_t at)
{
	size_t low = 0, high = r->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (r->rows[middle].first <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
put_address(uint8_t *frame, const struct announcer_row *row, uint64_t at)
{
	const uint8_t *net = row->prefix.addr.bytes;
	uint32_t first = (uint32_t)net[0] << 24 | (uint32_t)net[1] << 16 | (uint32_t)net[2] << 8 | net[3];
	uint32_t address = htonl(first + (uint32_t)(at - row->first));

	memcpy(frame + SENDER_AT, &address, sizeof(address));
	memcpy(frame + TARGET_AT, &address, sizeof(address));
}

/* From one MAC address frames differ by their address alone. */
static bool
put_frame(struct arp_sender *arp, const struct announcer_round *r, const struct announcer_row *row,
	const uint8_t *before, uint8_t *frame)
{
	if (before && memcmp(before + ETH_ALEN, row->mac, ETH_ALEN) == 0) {
		memcpy(frame, before, ARP_FRAME);
		return true;
	}
	return arp_build(arp, row->mac, &row->prefix.addr, r->form == 1, frame) > 0;
}

/* What the share has taken and not sent. */
static bool
fill(struct arp_sender *arp, const struct announcer_round *r, const struct announcer_share *s,
	struct batch *b)
{
	const struct announcer_row *row = &r->rows[row_of(r, s->at)];

	for (unsigned i = 0; i < s->count; i++) {
		uint64_t at = s->at + i;

		if (at - row->first >= announcer_addresses(&row->prefix))
			row++;
		if (!put_frame(arp, r, row, i > 0 ? b->frames[i - 1] : NULL, b->frames[i]))
			return false;
		put_address(b->frames[i], row, at);
		b->to[i] = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
			.sll_ifindex = row->ifindex, .sll_halen = ETH_ALEN,
			.sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
		b->parts[i] = (struct iovec){.iov_base = b->frames[i], .iov_len = ARP_FRAME};
		b->messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &b->to[i],
			.msg_namelen = sizeof(b->to[i]), .msg_iov = &b->parts[i], .msg_iovlen = 1}};
	}
	return true;
}

/* --- the share --- */

/* Addresses that are due by the round's pace when `taken` are gone, one batch at most. */
static unsigned
due(const struct announcer_round *r, uint64_t taken, mono now)
{
	uint64_t left = r->total - taken;
	int64_t by_now = BATCH;

	if (r->every_ns > 0)
		by_now = mono_diff_ns(now, r->form_begun) / r->every_ns + 1 - (int64_t)taken;
	if (by_now > BATCH)
		by_now = BATCH;
	if (by_now < 0)
		by_now = 0;
	return (uint64_t)by_now < left ? (unsigned)by_now : (unsigned)left;
}

static void
take(struct announcer_round *r, struct announcer_share *s, mono now)
{
	uint64_t taken = atomic_load(&r->taken);

	do {
		s->at = taken;
		s->count = due(r, taken, now);
	} while (s->count > 0 &&
		!atomic_compare_exchange_weak(&r->taken, &taken, taken + s->count));
}

/* One batch. True when there may be more to do in this turn. */
static bool
send_some(struct arp_sender *arp, struct announcer_round *r, struct announcer_share *s)
{
	struct batch b;
	int sent;

	if (!fill(arp, r, s, &b) || mono_due((mono){atomic_load(&r->until_ns)}, mono_now())) {
		s->refused = ANNOUNCER_REFUSALS;
		return false;
	}
	sent = sendmmsg(arp->fd, b.messages, s->count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent <= 0) {
		/* The queue of the device is full, or the device is gone: the next turn may do. */
		s->refused++;
		return false;
	}
	s->refused = 0;
	s->at += (uint64_t)sent;
	s->count -= (unsigned)sent;
	s->sent += (uint64_t)sent;
	return true;
}

void
announcer_share_work(struct arp_sender *arp, struct announcer_round *r, struct announcer_share *s,
	mono stop)
{
	mono now = mono_now();

	if (mono_due((mono){atomic_load(&r->until_ns)}, now))
		s->refused = ANNOUNCER_REFUSALS;
	while (!mono_due(stop, now) && !announcer_share_is_over(r, s)) {
		if (s->count == 0)
			take(r, s, now);
		if (s->count == 0 || !send_some(arp, r, s))
			return;
		now = s->latest = mono_now();
	}
}

bool
announcer_share_is_over(const struct announcer_round *r, const struct announcer_share *s)
{
	return s->refused >= ANNOUNCER_REFUSALS || atomic_load(&r->stopped) ||
		(s->count == 0 && atomic_load(&r->taken) == r->total);
}
