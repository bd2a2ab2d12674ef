/*
 * What was what before a reload: against a search from one end to the other, over configurations in
 * which virtual servers and their servers come, go, change places and change how they are probed.
 */
#include "proc/pool_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VIRTUALS = 12, A_VIRTUAL = 9, REALS = VIRTUALS * A_VIRTUAL, WORLDS = 3000 };

struct world {
	struct config c;
	struct conf_virtual virtuals[VIRTUALS];
	struct conf_listen listens[VIRTUALS];
	struct conf_real reals[REALS];
	struct conf_probe probes[2];
};

static uint32_t seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void
shuffle(uint32_t *rows, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t other = draw(i), kept = rows[i - 1];

		rows[i - 1] = rows[other];
		rows[other] = kept;
	}
}

/* Some of 0..most-1, in order or not. */
static uint32_t
choose(uint32_t *rows, uint32_t most)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < most; i++)
		if (draw(8) != 0)
			rows[count++] = i;
	if (draw(3) == 0)
		shuffle(rows, count);
	return count;
}

static void
set_endpoint(struct endpoint *e, uint32_t host, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = IP_V4;
	e->addr.bytes[0] = 10;
	e->addr.bytes[3] = (uint8_t)(host + 1);
	e->port = port;
}

static void
fill_virtual(struct world *w, struct conf_virtual *v, uint32_t number)
{
	uint32_t rows[A_VIRTUAL];

	snprintf(v->name, sizeof(v->name), "s%u", number);
	v->first_listen = (uint32_t)(v - w->virtuals);
	v->listen_count = 1;
	w->listens[v->first_listen].port_low = w->listens[v->first_listen].port_high =
		(uint16_t)(80 + draw(20) / 19);
	v->first_real = w->c.real_count;
	v->real_count = choose(rows, A_VIRTUAL);
	v->has_sorry = number % 2 == 0;
	if (v->has_sorry)
		set_endpoint(&v->sorry, 200 + draw(10) / 9, 80);
	for (uint32_t i = 0; i < v->real_count; i++) {
		struct conf_real *real = &w->reals[w->c.real_count++];

		set_endpoint(&real->address, rows[i], (uint16_t)(rows[i] % 3 == 0 ? 0 : 8080));
		real->probe = draw(20) / 19;
		real->agent = draw(20) / 19;
		real->weight = draw(3);
	}
}

static void
fill(struct world *w)
{
	uint32_t rows[VIRTUALS];

	memset(w, 0, sizeof(*w));
	w->probes[0].type = CONF_PROBE_TCP;
	w->probes[1].type = CONF_PROBE_ICMP;
	w->c = (struct config){.virtuals = w->virtuals, .listens = w->listens, .reals = w->reals,
		.probes = w->probes, .probe_count = 2, .has_agents = draw(3) != 0,
		.virtual_count = choose(rows, VIRTUALS)};
	for (uint32_t i = 0; i < w->c.virtual_count; i++)
		fill_virtual(w, &w->virtuals[i], rows[i]);
}

static uint32_t
naive_virtual(const struct world *before, const char *name)
{
	for (uint32_t i = 0; i < before->c.virtual_count; i++)
		if (strcmp(before->virtuals[i].name, name) == 0)
			return i;
	return CONF_NO_INDEX;
}

static uint32_t
naive_real(const struct world *now, const struct conf_virtual *v, const struct conf_real *real,
	const struct world *before, const struct conf_virtual *old, bool agent)
{
	for (uint32_t i = old->first_real; i < old->first_real + old->real_count; i++) {
		const struct conf_real *was = &before->reals[i];

		if (endpoint_equal(&was->address, &real->address))
			return (agent ? was->agent == real->agent : was->probe == real->probe) &&
				conf_real_port(&before->c, old, was) ==
					conf_real_port(&now->c, v, real) ? i : CONF_NO_INDEX;
	}
	return CONF_NO_INDEX;
}

/* In whatever way it was asked. */
static uint32_t
naive_server(const struct conf_real *real, const struct world *before,
	const struct conf_virtual *old)
{
	for (uint32_t i = old->first_real; i < old->first_real + old->real_count; i++)
		if (endpoint_equal(&before->reals[i].address, &real->address))
			return i;
	return CONF_NO_INDEX;
}

static void
check_reals(const struct world *now, const struct world *before)
{
	uint32_t *reals = carry_reals(&now->c, &before->c);

	assert_non_null(reals);
	for (uint32_t k = 0; k < now->c.virtual_count; k++) {
		const struct conf_virtual *v = &now->virtuals[k];
		uint32_t was = naive_virtual(before, v->name);

		for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
			assert_int_equal(reals[i], was == CONF_NO_INDEX ? was
				: naive_server(&now->reals[i], before, &before->virtuals[was]));
	}
	free(reals);
}

static uint32_t
was_agent(const struct world *before, uint32_t real)
{
	return real == CONF_NO_INDEX ? real : agent_target(&before->c, real);
}

static void
check_virtual(const struct world *now, const struct world *before, uint32_t row,
	const uint32_t *virtuals, const uint32_t *targets)
{
	const struct conf_virtual *v = &now->virtuals[row], *old;
	uint32_t was = naive_virtual(before, v->name);

	assert_int_equal(virtuals[row], was);
	if (was == CONF_NO_INDEX) {
		for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
			assert_int_equal(targets[i], CONF_NO_INDEX);
		assert_int_equal(targets[sorry_target(&now->c, row)], CONF_NO_INDEX);
		return;
	}
	old = &before->virtuals[was];
	for (uint32_t i = v->first_real; i < v->first_real + v->real_count; i++)
		assert_int_equal(targets[i],
			naive_real(now, v, &now->reals[i], before, old, false));
	for (uint32_t i = v->first_real; now->c.has_agents && i < v->first_real + v->real_count; i++) {
		uint32_t real = naive_real(now, v, &now->reals[i], before, old, true);

		assert_int_equal(targets[agent_target(&now->c, i)],
			before->c.has_agents ? was_agent(before, real) : CONF_NO_INDEX);
	}
	assert_int_equal(targets[sorry_target(&now->c, row)],
		endpoint_equal(&old->sorry, &v->sorry) ? sorry_target(&before->c, was) : CONF_NO_INDEX);
}

static void
finds_what_a_search_finds(void **state)
{
	static struct world now, before;

	(void)state;
	for (seed = 1; seed < WORLDS;) {
		uint32_t *virtuals, *targets, begun = seed;

		fill(&before);
		fill(&now);
		virtuals = carry_virtuals(&now.c, &before.c);
		targets = carry_targets(&now.c, &before.c);
		assert_non_null(virtuals);
		assert_non_null(targets);
		for (uint32_t i = 0; i < now.c.virtual_count; i++)
			check_virtual(&now, &before, i, virtuals, targets);
		check_reals(&now, &before);
		free(virtuals);
		free(targets);
		seed = begun + 1;
	}
}

/* A changed weight moves no target; a server less does. */
static void
knows_when_nothing_moves(void **state)
{
	static struct world now, before;
	uint32_t *was, count;

	(void)state;
	seed = 7;
	fill(&before);
	seed = 7;
	fill(&now);
	now.reals[3].weight += 5;
	count = targets_count(&now.c);
	was = carry_targets(&now.c, &before.c);
	assert_true(carry_moves_nothing(was, count, count));
	assert_false(carry_moves_nothing(was, count, count + 1));
	free(was);
	now.reals[3].probe ^= 1;
	was = carry_targets(&now.c, &before.c);
	assert_false(carry_moves_nothing(was, count, count));
	free(was);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_search_finds),
		cmocka_unit_test(knows_when_nothing_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
