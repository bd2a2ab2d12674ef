/* A bench for one node of a keyed pair: election_bench.h, and what its peer says. */
#ifndef TANDEM_TESTS_KEYED_BENCH_H
#define TANDEM_TESTS_KEYED_BENCH_H

#include "election_bench.h"
#include "core/trailer.h"

static uint64_t counter;

static inline struct el_params
keyed_params(uint8_t priority)
{
	struct el_params p = params_of(priority);

	p.keyed = p.ask = true;
	p.preempt = false;
	return p;
}

static inline struct el_advert
message(enum el_role role, uint8_t priority, unsigned flags)
{
	return (struct el_advert){.source = addr(LOWER_ADDRESS), .priority = priority,
		.interval_ns = 100 * MS, .keyed = true, .role = role, .fitness = EL_FIT,
		.flags = (uint16_t)flags, .life = 7, .counter = ++counter};
}

static inline void
hear_message(struct bench *b, struct el_advert m)
{
	b->acts.count = 0;
	el_recv(&b->e, b->now, &m, &b->acts);
}

static inline void
hear_as(struct bench *b, enum el_role role, uint8_t priority, unsigned flags)
{
	hear_message(b, message(role, priority, flags));
}

/* Backup of an active peer of that priority, everything said. */
static inline void
start_standby(struct bench *b, uint8_t own, uint8_t peer)
{
	start_backup(b, keyed_params(own));
	tick(b);
	hear_as(b, EL_ACTIVE, peer, TRAILER_HOLDING);
	live(b, 50 * MS, NULL);
	assert_int_equal(b->e.role, EL_BACKUP);
}

/* Active, the standby is there and ready. */
static inline void
start_served(struct bench *b, uint8_t own, uint8_t peer)
{
	start_active(b, keyed_params(own));
	hear_as(b, EL_BACKUP, peer, TRAILER_READY);
	assert_int_equal(b->e.role, EL_ACTIVE);
	assert_true(el_peer_is_ready(&b->e, b->now));
}

static inline enum reason
switchover(struct bench *b)
{
	b->acts.count = 0;
	return el_switchover(&b->e, b->now, &b->acts);
}

#endif
