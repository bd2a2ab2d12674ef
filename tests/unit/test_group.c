/*
 * Virtual routers that move together: the rules (core/group.h), and what a member's election does
 * (core/election_grouped.c).
 */
#include "group_bench.h"
#include "core/trailer.h"

/* --- the rules --- */

/* The order of the member at `i`. */
static enum group_order
order_of(const struct group_member *m, size_t count, size_t i)
{
	struct group g = group_of(m, count);

	return group_judge(&g, &m[i]);
}

static struct group_member
member(enum el_role role)
{
	return (struct group_member){.role = role, .was_active = role == EL_ACTIVE,
		.fitness = EL_FIT, .priority = 100};
}

static void
test_members_take_together(void **state)
{
	struct group_member m[] = {member(EL_BACKUP), member(EL_BACKUP), member(EL_BACKUP)};

	(void)state;
	m[0].candidate = m[1].candidate = true;
	m[2].rival = EL_RIVAL_LESSER;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(order_of(m, 3, i), GROUP_STAY);
	m[2].rival = EL_RIVAL_NONE;
	m[2].candidate = true;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(order_of(m, 3, i), GROUP_TAKE);
	m[0] = member(EL_ACTIVE); /* one that has joined later */
	assert_int_equal(order_of(m, 3, 0), GROUP_STAY);
	assert_int_equal(order_of(m, 3, 1), GROUP_TAKE);
	m[0] = member(EL_FAULT);
	assert_int_equal(order_of(m, 3, 1), GROUP_STAY);
	assert_int_equal(order_of(m + 1, 1, 0), GROUP_TAKE);
}

static void
test_one_that_falls_takes_the_others_along(void **state)
{
	static const enum el_role fallen[] = {EL_BACKUP, EL_FAULT, EL_INIT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct group_member m[] = {member(fallen[i]), member(EL_ACTIVE), member(EL_BACKUP)};

		assert_int_equal(order_of(m, 3, 1), GROUP_STAY);
		m[0].was_active = true;
		assert_int_equal(order_of(m, 3, 1), GROUP_YIELD);
		m[0].candidate = m[2].candidate = true; /* nor does it rise again at that moment */
		assert_int_equal(order_of(m, 3, 0), GROUP_STAY);
		assert_int_equal(order_of(m, 3, 2), GROUP_STAY);
	}
}

static void
test_offers_go_together(void **state)
{
	struct group_member m[] = {member(EL_ACTIVE), member(EL_ACTIVE)};
	struct group g;

	(void)state;
	m[0].offer = REASON_SWITCHOVER;
	g = group_of(m, 2);
	assert_int_equal(g.offer, REASON_SWITCHOVER);
	assert_int_equal(group_judge(&g, &m[0]), GROUP_STAY);
	assert_int_equal(group_judge(&g, &m[1]), GROUP_OFFER);
	m[1].offer = REASON_SWITCHOVER;
	m[0] = member(EL_BACKUP); /* handed over; the other one is about to be */
	m[0].was_active = true;
	m[0].rival = EL_RIVAL_BETTER;
	assert_int_equal(order_of(m, 2, 1), GROUP_STAY);
	m[0].rival = EL_RIVAL_LESSER;
	assert_int_equal(order_of(m, 2, 0), GROUP_STAY);
	m[1].offer = REASON_NONE; /* it was not taken there: with the first one then */
	assert_int_equal(order_of(m, 2, 1), GROUP_YIELD);
}

static void
test_divided_goes_by_rank(void **state)
{
	struct group_member m[] = {member(EL_ACTIVE), member(EL_BACKUP)};

	(void)state;
	assert_int_equal(order_of(m, 2, 0), GROUP_STAY);
	m[1].rival = EL_RIVAL_LESSER;
	assert_int_equal(order_of(m, 2, 0), GROUP_STAY);
	assert_int_equal(order_of(m, 2, 1), GROUP_TAKE);
	m[1].rival = EL_RIVAL_BETTER;
	assert_int_equal(order_of(m, 2, 0), GROUP_YIELD);
	assert_int_equal(order_of(m, 2, 1), GROUP_STAY);
	m[0] = member(EL_BACKUP);
	m[1].rival = EL_RIVAL_LESSER; /* nothing of ours is active: no preemption by the back door */
	assert_int_equal(order_of(m, 2, 1), GROUP_STAY);
}

static void
test_fitness_and_priority_are_the_least(void **state)
{
	struct group_member m[] = {member(EL_BACKUP), member(EL_BACKUP), member(EL_BACKUP)};
	struct group g;

	(void)state;
	m[1].fitness = EL_IMPAIRED;
	m[2].priority = 70;
	g = group_of(m, 3);
	assert_int_equal(g.priority, 70);
	assert_int_equal(group_fitness(&g, &m[0]), EL_IMPAIRED);
	m[2] = member(EL_FAULT);
	m[2].broken = true;
	g = group_of(m, 3);
	assert_int_equal(group_fitness(&g, &m[0]), EL_UNFIT);
	assert_int_equal(group_fitness(&g, &m[1]), EL_UNFIT);
	assert_int_equal(group_fitness(&g, &m[2]), EL_FIT); /* it comes back by itself */
}

/* What an order does; true when it did anything. `refuse`: the peer takes no offer now. */
static bool
carry_out(struct group_member *m, enum group_order order, enum reason offer, bool refuse)
{
	switch (order) {
	case GROUP_TAKE:
		assert_int_equal(m->role, EL_BACKUP);
		*m = member(EL_ACTIVE);
		m->was_active = false;
		return true;
	case GROUP_YIELD:
		assert_int_equal(m->role, EL_ACTIVE);
		*m = member(EL_BACKUP);
		m->was_active = true;
		return true;
	case GROUP_OFFER:
		assert_int_equal(m->role, EL_ACTIVE);
		assert_int_equal(m->offer, REASON_NONE);
		assert_int_not_equal(offer, REASON_NONE);
		m->offer = refuse ? REASON_NONE : offer;
		return !refuse;
	case GROUP_STAY:
		break;
	}
	return false;
}

static unsigned
settle_group(struct group_member *m, size_t count, bool refuse)
{
	unsigned looks = 0;

	for (bool again = true; again; looks++) {
		struct group g = group_of(m, count);
		enum group_order orders[4];
		bool takes = false, yields = false;

		assert_in_range(looks, 0, 4);
		again = false;
		for (size_t i = 0; i < count; i++) {
			orders[i] = group_judge(&g, &m[i]);
			takes |= orders[i] == GROUP_TAKE;
			yields |= orders[i] == GROUP_YIELD;
		}
		assert_false(takes && yields);
		for (size_t i = 0; i < count; i++) {
			m[i].was_active = m[i].role == EL_ACTIVE;
			again |= carry_out(&m[i], orders[i], g.offer, refuse);
		}
	}
	return looks;
}

static struct group_member
member_number(unsigned n)
{
	struct group_member m = member((enum el_role)(n % 4));

	m.was_active = n / 4 % 2 != 0;
	m.candidate = m.role == EL_BACKUP && n / 8 % 2 != 0;
	m.rival = m.role == EL_BACKUP ? (enum el_rival)(n / 16 % 3) : EL_RIVAL_NONE;
	m.offer = m.role == EL_ACTIVE && n / 48 % 2 != 0 ? REASON_SWITCHOVER : REASON_NONE;
	return m;
}

/* From any state of three members: a few looks and it is quiet, and not divided where it can help it. */
static void
test_every_state_comes_to_rest(void **state)
{
	enum { STATES = 96 };

	(void)state;
	for (unsigned n = 0; n < STATES * STATES * STATES * 2; n++) {
		struct group_member m[] = {member_number(n % STATES),
			member_number(n / STATES % STATES), member_number(n / STATES / STATES % STATES)};
		struct group g;

		settle_group(m, 3, n / STATES / STATES / STATES != 0);
		g = group_of(m, 3);
		if (g.offer != REASON_NONE)
			continue;
		assert_false(g.fell);
		if (g.active > 0)
			assert_false(g.hears_lesser || g.hears_better);
	}
}

/* --- a member's election --- */

static void
take(struct bench *b)
{
	b->acts.count = 0;
	el_take(&b->e, b->now, REASON_GROUP, &b->acts);
}

static void
test_silence_makes_a_candidate(void **state)
{
	struct bench b;
	size_t seen[EL_CANDIDATE + 1] = {0};

	(void)state;
	start_backup(&b, grouped_params(100, false));
	hear(&b, LOWER_ADDRESS, 150);
	next(&b);
	assert_acts(&b, EL_CANDIDATE, -1);
	assert_int_equal(b.e.role, EL_BACKUP);
	assert_int_equal(b.e.candidate, REASON_PEER_SILENT);
	live(&b, 3600 * NS_PER_S, seen);
	assert_int_equal(seen[EL_CANDIDATE], 0);
	hear(&b, LOWER_ADDRESS, 150);
	assert_int_equal(b.e.candidate, REASON_NONE);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_BETTER);
	live(&b, NS_PER_S, seen);
	assert_int_equal(seen[EL_CANDIDATE], 1);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_NONE);
	take(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_PEER_SILENT);
	assert_int_equal(b.e.candidate, REASON_NONE);
	/* due when its own silence was over, decided when the group was */
	assert_int_equal(mono_diff_ns(b.now, b.e.phases.due), NS_PER_S - el_patience_ns(&b.e));
}

static void
test_preempting_candidate_hears_the_lesser_active(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(150, false));
	wait_ns(&b, 200 * MS);
	hear(&b, LOWER_ADDRESS, 100);
	next(&b);
	assert_acts(&b, EL_CANDIDATE, -1);
	wait_ns(&b, 50 * MS);
	hear(&b, LOWER_ADDRESS, 100);
	assert_int_equal(b.e.candidate, REASON_PREEMPTED_PEER);
	hear(&b, LOWER_ADDRESS, 200);
	assert_int_equal(b.e.candidate, REASON_NONE);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_BETTER);
}

static void
test_owner_waits_for_its_group(void **state)
{
	struct bench b;

	(void)state;
	start_with(&b, grouped_params(255, false));
	set_fit(&b, true, REASON_NONE);
	assert_acts(&b, EL_ROLE, EL_CANDIDATE, -1);
	assert_int_equal(b.e.role, EL_BACKUP);
	take(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_OWNER);
}

static void
hear_keyed(struct bench *b, enum el_role role, uint8_t priority, unsigned flags)
{
	static uint64_t counter;
	struct el_advert m = {.source = addr(LOWER_ADDRESS), .priority = priority,
		.interval_ns = 100 * MS, .keyed = true, .role = role, .fitness = EL_FIT,
		.flags = (uint16_t)flags, .life = 7, .counter = ++counter};

	b->acts.count = 0;
	el_recv(&b->e, b->now, &m, &b->acts);
}

static void
test_offer_makes_a_candidate_while_it_lasts(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(100, true));
	hear_keyed(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	assert_acts(&b, EL_CANDIDATE, -1);
	for (int i = 0; i < 20; i++) { /* the peer lives: its silence is no reason */
		wait_ns(&b, 50 * MS);
		tick(&b);
		assert_int_equal(count(&b, EL_CANDIDATE), 0);
		assert_int_equal(b.e.candidate, REASON_SWITCHOVER);
		hear_keyed(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
		assert_no_acts(&b);
	}
	hear_keyed(&b, EL_ACTIVE, 150, TRAILER_HOLDING);
	assert_int_equal(b.e.candidate, REASON_NONE);
	hear_keyed(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	take(&b);
	assert_role(&b, EL_BACKUP, EL_ACTIVE, REASON_SWITCHOVER);
	hear_keyed(&b, EL_ACTIVE, 150, TRAILER_HOLDING | TRAILER_OFFER);
	assert_int_equal(b.e.role, EL_ACTIVE); /* it will give up: no rival */
}

/* The peer of a pair that comes back lives: it has its time to offer, and then its place is claimed. */
static void
test_silent_peer_that_speaks_may_offer(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(150, true));
	tick(&b); /* its first hello */
	live(&b, NS_PER_S, NULL);
	assert_int_equal(b.e.candidate, REASON_PEER_SILENT);
	hear_keyed(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_int_equal(b.e.candidate, REASON_NONE);
	for (int i = 0; i < 6; i++) {
		live(&b, 100 * MS, NULL);
		hear_keyed(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	}
	assert_int_equal(b.e.candidate, REASON_PREEMPTED_PEER);
}

static void
test_yields_with_a_resignation(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(100, false));
	take(&b);
	settle(&b, true);
	b.acts.count = 0;
	el_yield(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_GROUP);
	settle(&b, true);
	assert_sent(&b, EL_PRIORITY_RESIGN);
}

/* The others know better by now, and one that waits in line would be called up by it. */
static void
test_sleeper_yields_in_silence(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(100, false));
	take(&b);
	settle(&b, true);
	wait_ns(&b, 400 * MS);
	b.acts.count = 0;
	el_yield(&b.e, b.now, REASON_GROUP, &b.acts);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_WOKE_LATE);
	settle(&b, true);
	assert_no_acts(&b);
}

/* Make before break is for who still has the addresses. */
static void
test_sleeper_offers_nothing(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(100, true));
	take(&b);
	settle(&b, true);
	wait_ns(&b, 400 * MS);
	b.acts.count = 0;
	el_offer(&b.e, b.now, REASON_SWITCHOVER, &b.acts);
	assert_role(&b, EL_ACTIVE, EL_BACKUP, REASON_WOKE_LATE);
}

static void
test_rank_of_a_rival(void **state)
{
	static const struct {
		const char *source;
		uint8_t priority;
		enum el_rival rival;
	} rows[] = {
		{LOWER_ADDRESS, 101, EL_RIVAL_BETTER}, {HIGHER_ADDRESS, 99, EL_RIVAL_LESSER},
		{LOWER_ADDRESS, 100, EL_RIVAL_LESSER}, {HIGHER_ADDRESS, 100, EL_RIVAL_BETTER},
		{HIGHER_ADDRESS, 0, EL_RIVAL_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;

		start_backup(&b, grouped_params(100, false));
		assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_NONE);
		hear(&b, rows[i].source, rows[i].priority);
		assert_int_equal(el_rival(&b.e, b.now), rows[i].rival);
		take(&b);
		assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_NONE);
	}
}

static void
test_rank_of_the_peer_of_a_pair(void **state)
{
	struct bench b;

	(void)state;
	start_backup(&b, grouped_params(100, true));
	hear_keyed(&b, EL_ACTIVE, 101, TRAILER_HOLDING);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_BETTER);
	hear_keyed(&b, EL_ACTIVE, 100, TRAILER_HOLDING);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_LESSER);
	hear_keyed(&b, EL_BACKUP, 101, TRAILER_READY);
	assert_int_equal(el_rival(&b.e, b.now), EL_RIVAL_NONE);
}

static void
test_group_dissolved_on_reload(void **state)
{
	struct bench b;
	struct el_params alone = params_of(100);

	(void)state;
	start_backup(&b, grouped_params(100, false));
	live(&b, NS_PER_S, NULL);
	assert_int_equal(b.e.role, EL_BACKUP);
	b.acts.count = 0;
	el_reconfigure(&b.e, b.now, &alone, &b.acts);
	assert_int_equal(b.e.candidate, REASON_NONE);
	live(&b, NS_PER_S, NULL);
	assert_int_equal(b.e.role, EL_ACTIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_take_together),
		cmocka_unit_test(test_one_that_falls_takes_the_others_along),
		cmocka_unit_test(test_offers_go_together),
		cmocka_unit_test(test_divided_goes_by_rank),
		cmocka_unit_test(test_fitness_and_priority_are_the_least),
		cmocka_unit_test(test_every_state_comes_to_rest),
		cmocka_unit_test(test_silence_makes_a_candidate),
		cmocka_unit_test(test_preempting_candidate_hears_the_lesser_active),
		cmocka_unit_test(test_owner_waits_for_its_group),
		cmocka_unit_test(test_offer_makes_a_candidate_while_it_lasts),
		cmocka_unit_test(test_silent_peer_that_speaks_may_offer),
		cmocka_unit_test(test_yields_with_a_resignation),
		cmocka_unit_test(test_sleeper_yields_in_silence),
		cmocka_unit_test(test_sleeper_offers_nothing),
		cmocka_unit_test(test_rank_of_a_rival),
		cmocka_unit_test(test_rank_of_the_peer_of_a_pair),
		cmocka_unit_test(test_group_dissolved_on_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
