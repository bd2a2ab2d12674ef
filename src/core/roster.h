/*
 * Who has been connected for how long: looks some time apart, each of which tells who is there and
 * nothing of since when. Pure.
 *
 * A connection is as old as the first look that saw it, at least. It is remembered over two looks that
 * miss it, since a look at a table that changes meanwhile may; missed a third time it is gone. Where
 * the client has ended it and is back under the same port it is another one.
 *
 * Memory is bounded by the storage, which is the caller's. Connections that nobody asks about
 * (WAYS_ELSEWHERE) get half of it at most, so that they leave room for those that matter.
 */
#ifndef TANDEM_CORE_ROSTER_H
#define TANDEM_CORE_ROSTER_H

#include "base/mono.h"
#include "core/ways.h"

struct roster_row {
	struct endpoint client;
	uint64_t way;        /* way_number() */
	mono since;          /* first seen */
	uint32_t expires_s;  /* the kernel forgets it then, if nothing comes */
	uint16_t place;      /* ways_find() */
	uint8_t state;       /* the caller's word for it */
	bool ending;         /* closed, and remembered by the kernel for a while */
	uint8_t missed;      /* by so many looks in a row */
};

struct roster {
	struct roster_row *rows; /* sorted by client after roster_carry() */
	size_t count, elsewhere; /* rows, and those of them that nobody asks about */
	size_t most;             /* rows at most */
};

/* One client's connections to one place. */
struct roster_client {
	struct ip_addr address;
	uint32_t connections, open; /* open: not ending */
	mono since;                 /* of the oldest: of those that are open, if any is */
	uint8_t state;              /* of that one */
	uint32_t expires_s;
};

/* All of them: how many clients, connections, and connections that are open. */
struct roster_sum {
	uint32_t clients, connections, open;
};

/* May a connection of that place be put behind the last row? The storage may have to grow for it. */
bool roster_has_room(const struct roster *r, uint16_t place);
/* A look has seen it. There must be room. */
void roster_see(struct roster *r, const struct roster_row *row);
/*
 * The look is over: who was there before has been there since then. What it missed is kept while
 * there is room below `capacity` rows.
 */
void roster_carry(struct roster *r, const struct roster *before, size_t capacity);
/*
 * The clients of a place, the longest connected first, then those with more connections; who has only
 * connections that are ending comes after those. At most `capacity` of them; how many.
 */
size_t roster_clients(const struct roster *r, uint16_t place, struct roster_client *out,
	size_t capacity, struct roster_sum *sum);

#endif
