/*
 * The announcer: a thread that says by gratuitous ARP of every address of a block that it is here.
 * 65,536 addresses are too many for the election loop, which has an advertisement to send
 * meanwhile; so the thread runs below the loop's priority and rests a part of every millisecond.
 *
 * A round goes over all its addresses twice: first the request form, which most neighbours honour,
 * then the reply form (see arp.h). Several rounds share the thread in turns. Where there is more than
 * one processor, a second thread helps with the requests of a large round.
 *
 * Who has given up an address must not announce it any more, not even after its process was
 * stopped in the middle of a round: every round has a moment from which on nothing of it is sent,
 * looked at before every batch of frames.
 */
#ifndef TANDEM_LINUX_ANNOUNCER_H
#define TANDEM_LINUX_ANNOUNCER_H

#include "base/addr.h"
#include "base/mono.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	ANNOUNCER_LONGEST = 16, /* bits: of a larger block (/15 and shorter) no address is announced */
	ANNOUNCER_QUEUE = 4096, /* rounds submitted and not collected */
};

struct announcer_row {
	struct ip_prefix prefix; /* IPv4, of announcer_addresses() > 0 */
	int ifindex;
	uint8_t mac[6];

	uint64_t first;           /* the threads': which of the round's addresses its first one is */
};

/* What one thread has of a form of a round. */
struct announcer_share {
	uint64_t at;              /* the next address that it has taken */
	unsigned count;           /* so many of them are not sent yet */
	uint64_t sent;
	mono latest;              /* it sent something */
	int refused;              /* turns in a row in which the kernel took nothing */
};

struct announcer_round {
	uint32_t router;          /* of the caller */
	bool tell;                /* of the caller */
	int64_t every_ns;         /* one address each so many ns, in each form; 0: as fast as may be */
	_Atomic int64_t until_ns; /* mono; the caller may move it while the round is under way */

	/* out, when it has come back */
	bool whole;               /* every frame was taken by the kernel */
	uint32_t addresses;       /* announced by the request form */
	mono begun, requested, ended; /* first frame, last request, last frame */

	/* the threads' */
	struct announcer_round *next;
	uint64_t total;           /* addresses of the rows */
	uint8_t form;
	mono form_begun;
	_Atomic uint64_t taken;   /* so many of this form are some thread's */
	_Atomic bool stopped;     /* the helper is to let go */
	bool lent;                /* the helper has it as well */
	struct announcer_share own, helper;

	size_t count;
	struct announcer_row rows[]; /* count of them */
};

struct announcer;

/* With room for `count` rows (zeroed), from malloc(); NULL without memory. */
struct announcer_round *announcer_round_new(size_t count);
/* How many addresses of a block are announced: all, or none of one that is too large. */
uint32_t announcer_addresses(const struct ip_prefix *block);

/* Starts the threads, one priority below the caller's. 0 or negative errno. Needs CAP_NET_RAW. */
int announcer_start(struct announcer **out);
/* Readable when a round is over; for the event loop. */
int announcer_fd(const struct announcer *a);
/* Never blocks. False (the round stays the caller's) when ANNOUNCER_QUEUE are under way. */
bool announcer_submit(struct announcer *a, struct announcer_round *round);
/* Nothing of it is sent from now on (what is in the kernel's hands is). It still comes back. */
void announcer_cancel(struct announcer_round *round);
/* The next round that is over, or NULL. The caller frees it with free(). */
struct announcer_round *announcer_next_done(struct announcer *a);
/* Ends rounds under way and the threads, and frees everything. */
void announcer_stop(struct announcer *a);

#endif
