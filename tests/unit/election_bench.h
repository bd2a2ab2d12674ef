/*
 * A bench for one election: a virtual clock, the actions of the last call, and the moves a test
 * is made of. The node under test is 10.77.0.12 with priority 100 at an interval of 100 ms.
 */
#ifndef TANDEM_TESTS_ELECTION_BENCH_H
#define TANDEM_TESTS_ELECTION_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/election.h"

#include <string.h>

#define MS NS_PER_MS
#define LOWER_ADDRESS "10.77.0.11"
#define OWN_ADDRESS "10.77.0.12"
#define HIGHER_ADDRESS "10.77.0.13"

struct bench {
	struct election e;
	mono now;
	struct el_acts acts; /* of the last call */
};

static inline struct ip_addr
addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static inline struct el_params
params_of(uint8_t priority)
{
	return (struct el_params){.priority = priority, .preempt = true,
		.interval_ns = 100 * MS, .lease_ns = 3 * NS_PER_S, .own = addr(OWN_ADDRESS)};
}

static inline const struct el_act *
find(const struct bench *b, enum el_act_kind kind)
{
	for (size_t i = 0; i < b->acts.count; i++)
		if (b->acts.list[i].kind == kind)
			return &b->acts.list[i];
	return NULL;
}

static inline size_t
count(const struct bench *b, enum el_act_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < b->acts.count; i++)
		n += b->acts.list[i].kind == kind;
	return n;
}

/* The last call did exactly these things, in this order; end with -1. */
static inline void
assert_acts(const struct bench *b, int first, ...)
{
	va_list ap;
	size_t i = 0;

	va_start(ap, first);
	for (int kind = first; kind != -1; kind = va_arg(ap, int), i++) {
		assert_true(i < b->acts.count);
		assert_int_equal(b->acts.list[i].kind, kind);
	}
	va_end(ap);
	assert_int_equal(b->acts.count, i);
}

#define assert_no_acts(b) assert_int_equal((b)->acts.count, 0)
#define assert_mono(a, ns_wanted) assert_int_equal((a).ns, (ns_wanted))

static inline void
assert_sent(const struct bench *b, uint8_t priority)
{
	assert_int_equal(count(b, EL_SEND_ADVERT), 1);
	assert_int_equal(find(b, EL_SEND_ADVERT)->priority, priority);
}

static inline void
assert_role(const struct bench *b, enum el_role from, enum el_role to, enum reason reason)
{
	const struct el_act *a = find(b, EL_ROLE);

	assert_non_null(a);
	assert_int_equal(a->from, from);
	assert_int_equal(a->to, to);
	assert_string_equal(reason_tag(a->reason), reason_tag(reason));
	assert_int_equal(b->e.role, to);
	assert_int_equal(b->e.reason, reason);
	assert_mono(b->e.since, b->now.ns);
}

static inline void
start_with(struct bench *b, struct el_params params)
{
	memset(b, 0, sizeof(*b));
	b->now = (mono){1000 * NS_PER_S};
	el_init(&b->e, &params, b->now);
}

static inline void
wait_ns(struct bench *b, int64_t ns)
{
	b->now = mono_add_ns(b->now, ns);
}

static inline void
tick(struct bench *b)
{
	b->acts.count = 0;
	el_tick(&b->e, b->now, &b->acts);
	if (b->e.role != EL_ACTIVE || b->e.announce.deadline.ns > b->now.ns)
		assert_true(b->now.ns < el_deadline(&b->e).ns);
}

static inline void
set_fit(struct bench *b, bool fit, enum reason why)
{
	b->acts.count = 0;
	el_set_fitness(&b->e, b->now, fit ? EL_FIT : EL_UNFIT, why, &b->acts);
}

static inline void
hear_every(struct bench *b, const char *source, uint8_t priority, int64_t interval_ns)
{
	struct el_advert advert = {.source = addr(source), .priority = priority,
		.interval_ns = interval_ns};

	b->acts.count = 0;
	el_recv(&b->e, b->now, &advert, &b->acts);
}

static inline void
hear(struct bench *b, const char *source, uint8_t priority)
{
	hear_every(b, source, priority, 100 * MS);
}

/* The kernel's answer to the pending action, asked for at `sent`. */
static inline void
settle_sent(struct bench *b, mono sent, bool ok)
{
	b->acts.count = 0;
	el_address_result(&b->e, b->now, b->e.pending, sent, ok, &b->acts);
}

static inline void
settle(struct bench *b, bool ok)
{
	settle_sent(b, b->now, ok);
}

/* Let time pass to the next deadline, and tick there. */
static inline void
next(struct bench *b)
{
	mono due = el_deadline(&b->e);

	assert_false(mono_is_never(due));
	assert_true(due.ns > b->now.ns);
	b->now = due;
	tick(b);
}

/*
 * Live through `ns` the way the daemon does: tick at every deadline, let the kernel say yes.
 * Counts what happened on the way into *seen (indexed by enum el_act_kind) when given.
 */
static inline void
live(struct bench *b, int64_t ns, size_t *seen)
{
	mono end = mono_add_ns(b->now, ns);

	while (!mono_before(end, el_deadline(&b->e))) {
		next(b);
		for (size_t i = 0; seen && i < b->acts.count; i++)
			seen[b->acts.list[i].kind]++;
		if (b->e.pending == 0)
			continue;
		settle(b, true);
		for (size_t i = 0; seen && i < b->acts.count; i++)
			seen[b->acts.list[i].kind]++;
	}
	b->now = end;
}

static inline void
start_backup(struct bench *b, struct el_params params)
{
	start_with(b, params);
	set_fit(b, true, REASON_NONE);
	assert_int_equal(b->e.role, EL_BACKUP);
}

/* Active by silence (or at once: an owner), addresses confirmed, the announcement series over. */
static inline void
start_active(struct bench *b, struct el_params params)
{
	start_with(b, params);
	set_fit(b, true, REASON_NONE);
	if (params.keyed)
		tick(b); /* its first hello */
	if (b->e.pending != 0)
		settle(b, true);
	live(b, 10 * NS_PER_S, NULL);
	assert_int_equal(b->e.role, EL_ACTIVE);
	assert_true(b->e.claimed);
}

#endif
