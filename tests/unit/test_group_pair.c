/*
 * Two nodes with a group of two members each, on a virtual clock: what happens to one member moves
 * both, and whatever a random hand has done to them, they come together on one node and stay there.
 * Plain and keyed, preempting or not, with addresses that rank the nodes differently on each LAN.
 */
#include "group_bench.h"
#include "core/settle.h"

#include <stdlib.h>

enum { OUT, IN, MEMBERS };
enum { NODES = 2, FLIGHTS = 256 };

struct flight {
	mono due;
	unsigned to, member;
	struct el_advert advert;
};

struct pair_of_nodes {
	mono now;
	bool keyed;
	struct election e[NODES][MEMBERS];
	bool fit[NODES][MEMBERS];
	struct group_seat seats[NODES][MEMBERS];
	mono results[NODES][MEMBERS];
	bool cut[MEMBERS];             /* the LAN carries nothing */
	struct flight flights[FLIGHTS];
	unsigned first, last;
	uint64_t counter;
	uint32_t dice;
	struct group_turn turns[NODES];
	unsigned role_changes;
};

static unsigned
roll(struct pair_of_nodes *p, unsigned sides)
{
	p->dice = p->dice * 1664525u + 1013904223u;
	return (p->dice >> 8) % sides;
}

static void
transmit(struct pair_of_nodes *p, unsigned from, unsigned m, uint8_t priority)
{
	const struct election *e = &p->e[from][m];
	struct flight *f = &p->flights[p->last++ % FLIGHTS];

	assert_in_range(p->last - p->first, 1, FLIGHTS);
	*f = (struct flight){.due = mono_add_ns(p->now, MS / 10 + roll(p, 4) * MS / 10),
		.to = 1 - from, .member = m,
		.advert = {.source = e->params.own, .priority = priority, .interval_ns = 100 * MS}};
	if (!p->keyed) {
		f->to = p->cut[m] ? NODES : f->to;
		return;
	}
	f->advert.keyed = true; /* over the link, whatever the LAN does */
	f->advert.role = e->role;
	f->advert.fitness = e->fitness;
	f->advert.flags = el_flags(e);
	f->advert.life = 1 + from;
	f->advert.counter = ++p->counter;
}

static void follow(struct pair_of_nodes *p, unsigned n, unsigned m, const struct el_acts *acts);

static void
perform(struct pair_of_nodes *p, unsigned n, unsigned m, const struct el_acts *acts)
{
	for (size_t i = 0; i < acts->count; i++) {
		const struct el_act *a = &acts->list[i];

		p->role_changes += a->kind == EL_ROLE;
		if (a->kind == EL_SEND_ADVERT)
			transmit(p, n, m, a->priority);
		else if (a->kind == EL_SEND_HELLO)
			transmit(p, n, m, p->e[n][m].params.priority);
		else if (a->kind == EL_CLAIM || a->kind == EL_RENEW || a->kind == EL_RELEASE)
			p->results[n][m] = mono_add_ns(p->now, MS / 2);
	}
	follow(p, n, m, acts);
}

/* --- the hands of the group on one node --- */

struct keeper {
	struct pair_of_nodes *p;
	unsigned n;
};

static struct group_seat *
seat_at(void *whose, size_t i)
{
	const struct keeper *k = whose;

	return &k->p->seats[k->n][i];
}

static void
refresh_at(void *whose, size_t i)
{
	const struct keeper *k = whose;
	struct group_seat *s = &k->p->seats[k->n][i];
	bool fit = k->p->fit[k->n][i];

	s->election = &k->p->e[k->n][i];
	s->fitness = fit ? EL_FIT : EL_UNFIT;
	s->why = fit ? REASON_NONE : REASON_CARRIER_LOST;
	s->priority = s->election->params.priority;
}

static void
set_fitness_at(void *whose, size_t i, mono now, enum el_fitness fitness, enum reason why,
	uint8_t priority)
{
	const struct keeper *k = whose;
	struct election *e = &k->p->e[k->n][i];
	struct el_acts acts = {.count = 0};

	assert_int_equal(priority, e->params.priority);
	if (fitness != e->fitness || why != e->unfit)
		el_set_fitness(e, now, fitness, why, &acts);
	perform(k->p, k->n, (unsigned)i, &acts);
}

static void
perform_at(void *whose, size_t i, mono now, const struct el_acts *acts)
{
	const struct keeper *k = whose;

	(void)now;
	perform(k->p, k->n, (unsigned)i, acts);
}

static struct group_hands
hands_of(struct keeper *k)
{
	return (struct group_hands){.whose = k, .seats = MEMBERS, .seat = seat_at,
		.refresh = refresh_at, .set_fitness = set_fitness_at, .perform = perform_at};
}

static void
settle_node(struct pair_of_nodes *p, unsigned n)
{
	struct keeper k = {p, n};
	struct group_hands hands = hands_of(&k);

	settle_group(&p->turns[n], &hands, p->now);
}

static void
follow(struct pair_of_nodes *p, unsigned n, unsigned m, const struct el_acts *acts)
{
	struct keeper k = {p, n};
	struct group_hands hands = hands_of(&k);

	if (settle_is_due(&hands, &p->seats[n][m], acts))
		settle_node(p, n);
}

/* Nobody holds one member while the other node is to hold another one, for ever. */
static bool
is_whole(const struct pair_of_nodes *p, unsigned *holder)
{
	unsigned active[NODES] = {0};

	for (unsigned n = 0; n < NODES; n++)
		for (unsigned m = 0; m < MEMBERS; m++)
			active[n] += p->e[n][m].role == EL_ACTIVE;
	*holder = active[0] == MEMBERS ? 0 : 1;
	return (active[0] == MEMBERS && active[1] == 0) || (active[1] == MEMBERS && active[0] == 0);
}

static void
receive_due(struct pair_of_nodes *p)
{
	for (; p->first != p->last && mono_due(p->flights[p->first % FLIGHTS].due, p->now); p->first++) {
		const struct flight *f = &p->flights[p->first % FLIGHTS];
		struct el_acts acts = {.count = 0};

		if (f->to == NODES)
			continue;
		el_recv(&p->e[f->to][f->member], p->now, &f->advert, &acts);
		perform(p, f->to, f->member, &acts);
	}
}

static void
tick_due(struct pair_of_nodes *p, unsigned n, unsigned m)
{
	struct election *e = &p->e[n][m];
	struct el_acts acts = {.count = 0};

	if (mono_due(p->results[n][m], p->now)) {
		p->results[n][m] = MONO_NEVER;
		el_address_result(e, p->now, e->pending, p->now, true, &acts);
		perform(p, n, m, &acts);
		acts.count = 0;
	}
	if (mono_due(el_deadline(e), p->now)) {
		el_tick(e, p->now, &acts);
		perform(p, n, m, &acts);
	}
}

/* When something is due next, in steps of 0.1 ms. */
static mono
next_due(const struct pair_of_nodes *p)
{
	mono next = mono_add_ns(p->now, NS_PER_S - p->now.ns % NS_PER_S);
	int64_t after_ns;

	if (p->first != p->last)
		next = mono_min(next, p->flights[p->first % FLIGHTS].due);
	for (unsigned i = 0; i < NODES * MEMBERS; i++) {
		next = mono_min(next, p->results[i / MEMBERS][i % MEMBERS]);
		next = mono_min(next, el_deadline(&p->e[i / MEMBERS][i % MEMBERS]));
	}
	after_ns = mono_diff_ns(next, p->now);
	return mono_add_ns(p->now, after_ns <= MS / 10 ? MS / 10 : after_ns - after_ns % (MS / 10));
}

static void
run_for(struct pair_of_nodes *p, int64_t ns)
{
	mono end = mono_add_ns(p->now, ns);

	for (; mono_before(p->now, end); p->now = mono_min(end, next_due(p))) {
		receive_due(p);
		for (unsigned i = 0; i < NODES * MEMBERS; i++)
			tick_due(p, i / MEMBERS, i % MEMBERS);
		if (p->now.ns % NS_PER_S == 0)
			for (unsigned n = 0; n < NODES; n++)
				settle_node(p, n);
	}
}

/* The addresses of the two LANs rank the nodes differently: a tie tells each node another thing. */
static void
build_pair(struct pair_of_nodes *p, uint32_t seed, bool keyed, uint8_t first, uint8_t second,
	bool preempt)
{
	memset(p, 0, sizeof(*p));
	p->now = (mono){1000 * NS_PER_S};
	p->dice = seed;
	p->keyed = keyed;
	for (unsigned n = 0; n < NODES; n++)
		for (unsigned m = 0; m < MEMBERS; m++) {
			struct el_params params = grouped_params(n == 0 ? first : second, keyed);

			params.preempt = preempt;
			params.own = addr((n == 0) == (m == 0) || (keyed && n == 0) ? LOWER_ADDRESS
				: HIGHER_ADDRESS);
			if (keyed && n == 1)
				params.own = addr(HIGHER_ADDRESS);
			el_init(&p->e[n][m], &params, p->now);
			p->fit[n][m] = true;
			p->seats[n][m].election = &p->e[n][m];
			p->results[n][m] = MONO_NEVER;
		}
	for (unsigned n = 0; n < NODES; n++)
		settle_node(p, n);
}

static void
disturb(struct pair_of_nodes *p)
{
	unsigned n = roll(p, NODES), m = roll(p, MEMBERS);
	struct el_acts acts = {.count = 0};

	switch (roll(p, 5)) {
	case 0:
		p->cut[m] = !p->cut[m];
		break;
	case 1:
		p->fit[n][m] = !p->fit[n][m];
		settle_node(p, n);
		break;
	case 2: /* one only, as no daemon would: the hardest way to divide a group */
		el_yield(&p->e[n][m], p->now, REASON_LEASE_LAPSED, &acts);
		perform(p, n, m, &acts);
		break;
	case 3:
		el_take(&p->e[n][m], p->now, REASON_GROUP, &acts);
		perform(p, n, m, &acts);
		break;
	case 4:
		p->turns[n].settling = true;
		for (unsigned i = 0; i < MEMBERS; i++) {
			acts.count = 0;
			el_switchover(&p->e[n][i], p->now, &acts);
			perform(p, n, i, &acts);
		}
		p->turns[n].settling = false;
		settle_node(p, n);
		break;
	}
}

static void
check_pair(uint32_t seed, bool keyed, uint8_t first, uint8_t second, bool preempt)
{
	struct pair_of_nodes p;
	unsigned holder, changes;

	build_pair(&p, seed, keyed, first, second, preempt);
	for (unsigned i = 0; i < 6; i++) {
		run_for(&p, roll(&p, 1500) * MS);
		disturb(&p);
	}
	for (unsigned i = 0; i < NODES * MEMBERS; i++) {
		p.fit[i / MEMBERS][i % MEMBERS] = true;
		p.cut[i % MEMBERS] = false;
	}
	for (unsigned n = 0; n < NODES; n++)
		settle_node(&p, n);
	run_for(&p, 10 * NS_PER_S);
	changes = p.role_changes;
	if (!is_whole(&p, &holder))
		fail_msg("seed %u: divided: %s %s | %s %s", seed, el_role_name(p.e[0][0].role),
			el_role_name(p.e[0][1].role), el_role_name(p.e[1][0].role),
			el_role_name(p.e[1][1].role));
	run_for(&p, 3 * NS_PER_S);
	if (p.role_changes != changes)
		fail_msg("seed %u: it goes on changing roles", seed);
}

static void
test_two_nodes_come_together(void **state)
{
	const char *full = getenv("TANDEM_FULL");
	uint32_t seeds = full && strcmp(full, "1") == 0 ? 3000 : 100;

	(void)state;
	for (uint32_t seed = 1; seed <= seeds; seed++)
		for (unsigned form = 0; form < 8; form++)
			check_pair(seed, form & 1, form & 2 ? 150 : 100, 100, form & 4);
}

/* A LAN that falls silent between the nodes moves nothing, for as long as it lasts. */
static void
test_silent_lan_is_no_reason_to_move(void **state)
{
	(void)state;
	for (unsigned m = 0; m < MEMBERS; m++) {
		struct pair_of_nodes p;
		unsigned holder, changes;

		build_pair(&p, 7, false, 150, 100, true);
		run_for(&p, 2 * NS_PER_S);
		assert_true(is_whole(&p, &holder));
		assert_int_equal(holder, 0);
		changes = p.role_changes;
		p.cut[m] = true;
		run_for(&p, 30 * NS_PER_S);
		assert_int_equal(p.role_changes, changes);
	}
}

/* One member's fault: the other node has all, within the skew and one down interval. */
static void
test_fault_of_one_moves_all(void **state)
{
	(void)state;
	for (unsigned keyed = 0; keyed < 2; keyed++) {
		struct pair_of_nodes p;
		unsigned holder;

		build_pair(&p, 7, keyed, 150, 100, false);
		run_for(&p, 2 * NS_PER_S);
		assert_true(is_whole(&p, &holder) && holder == 0);
		p.fit[0][IN] = false;
		settle_node(&p, 0);
		assert_int_equal(p.e[0][OUT].role, EL_FAULT);
		assert_int_equal(p.e[0][OUT].reason, REASON_GROUP);
		run_for(&p, keyed ? 3 * MS : 500 * MS);
		assert_true(is_whole(&p, &holder) && holder == 1);
		p.fit[0][IN] = true;
		settle_node(&p, 0);
		assert_int_equal(p.e[0][OUT].role, EL_BACKUP);
		assert_int_equal(p.e[0][IN].role, EL_BACKUP);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_of_one_moves_all),
		cmocka_unit_test(test_silent_lan_is_no_reason_to_move),
		cmocka_unit_test(test_two_nodes_come_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
