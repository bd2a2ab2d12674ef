/*
 * What a reload leaves wanted: over random pairs of configurations, going from one to the other comes
 * to the very rows that starting with the other comes to, and a change of one virtual server touches
 * no row of another. As a reload has it: packed, mapped, and with what operators have changed.
 */
#include "conf/pack.h"
#include "proc/pool_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { VIRTUALS = 10, A_VIRTUAL = 8, REALS = VIRTUALS * A_VIRTUAL, PROBES = 3, WORLDS = 1500,
	OPS = 512 };

struct world {
	struct config c;
	struct conf_router routers[1];
	struct conf_virtual virtuals[VIRTUALS];
	struct conf_listen listens[VIRTUALS];
	struct conf_real reals[REALS];
	struct conf_probe probes[PROBES];
};

static uint32_t seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void
set_address(struct ip_addr *a, uint8_t third, uint32_t host)
{
	memset(a, 0, sizeof(*a));
	a->family = IP_V4;
	a->bytes[0] = 10;
	a->bytes[2] = third;
	a->bytes[3] = (uint8_t)(host + 1);
}

static void
fill_real(struct conf_real *real, uint32_t number)
{
	snprintf(real->name, sizeof(real->name), "r%u", number);
	set_address(&real->address.addr, 1, number);
	real->address.port = (uint16_t)(number % 3 == 0 ? 0 : 8080);
	real->weight = draw(4);
	real->upper_threshold = draw(9) / 8;
	real->forwarding = (uint8_t)(draw(9) / 8);
	real->probe = draw(12) < 10 ? 1 : draw(PROBES); /* row 0: none */
}

static void
fill_virtual(struct world *w, struct conf_virtual *v, uint32_t number)
{
	struct conf_listen *l = &w->listens[v - w->virtuals];

	snprintf(v->name, sizeof(v->name), "s%u", number);
	memcpy(v->scheduler, draw(9) == 0 ? "rr" : "wlc", 3);
	v->protocol = CONF_TCP;
	v->first_listen = (uint32_t)(v - w->virtuals);
	v->listen_count = 1;
	set_address(&l->first, 2, number);
	l->last = l->first;
	l->port_low = l->port_high = (uint16_t)(80 + draw(9) / 8);
	v->when_none_healthy = (uint8_t)draw(2);
	v->slow_start_s = draw(4) == 0 ? 30 : 0;
	v->first_real = w->c.real_count;
	v->has_sorry = draw(3) == 0;
	if (v->has_sorry)
		set_address(&v->sorry.addr, 3, number);
	for (uint32_t i = 0; i < A_VIRTUAL; i++)
		if (draw(6) != 0)
			fill_real(&w->reals[w->c.real_count++], i);
	v->real_count = w->c.real_count - v->first_real;
}

static void
fill(struct world *w)
{
	memset(w, 0, sizeof(*w));
	memcpy(w->routers[0].name, "web", 4);
	w->routers[0].standby = CONF_STANDBY_HOT;
	w->probes[1].type = CONF_PROBE_TCP;
	w->probes[2].type = CONF_PROBE_ICMP;
	w->probes[2].port = (uint16_t)draw(2);
	w->c = (struct config){.routers = w->routers, .router_count = 1, .virtuals = w->virtuals,
		.listens = w->listens, .reals = w->reals, .probes = w->probes, .probe_count = PROBES};
	for (uint32_t i = 0, turn = draw(2) * (VIRTUALS - 1); i < VIRTUALS; i++)
		if (draw(7) != 0)
			fill_virtual(w, &w->virtuals[w->c.virtual_count++], turn > i ? turn - i : i - turn);
	w->c.listen_count = w->c.virtual_count;
}

/* Some servers added, taken out, weighted and disabled by an operator. */
static void
override_some(struct overlay *o)
{
	char virtual[LIMIT_NAME], real[LIMIT_NAME];

	for (uint32_t i = draw(3) == 0 ? 6 : 0; i > 0; i--) {
		struct override *r;

		snprintf(virtual, sizeof(virtual), "s%u", draw(VIRTUALS));
		snprintf(real, sizeof(real), "r%u", draw(A_VIRTUAL + 3));
		r = overlay_get(o, virtual, real);
		assert_non_null(r);
		switch (draw(4)) {
		case 0: r->removed = true; break;
		case 1: r->weight = 7; break;
		case 2: r->admin = POOL_DISABLED; break;
		case 3:
			r->added = true;
			r->added_weight = 9;
			set_address(&r->address.addr, 4, i);
			r->address.port = 8080;
			break;
		}
	}
}

struct bed {
	struct pool pool;
	struct child child;
	struct pool_router routers[1];
};

static void
bed_up(struct bed *b, const struct overlay *o)
{
	memset(b, 0, sizeof(*b));
	b->pool.child = &b->child;
	log_open(&b->child.log, 0, LOG_LEVEL_ERROR, "test");
	b->child.log.relay_fd = -1;
	b->child.supervisor_fd = b->pool.election_fd = -1;
	b->pool.routers = b->routers;
	b->pool.overlay = *o;
	for (uint32_t i = 0; i < LIMIT_PROBERS; i++)
		b->pool.probers[i].fd = -1;
}

static void
bed_down(struct bed *b)
{
	config_free(&b->pool.base);
	config_free(&b->pool.config);
	free(b->pool.targets);
	free(b->pool.virtuals);
	free(b->pool.tracks);
	free(b->pool.slot_rows);
	free(b->pool.wanted.services);
	free(b->pool.wanted.reals);
}

/* As take_config() of pool_main.c. */
static void
configure(struct bed *b, const struct world *w)
{
	struct config before = b->pool.config;
	int fd = config_pack(&w->c);

	assert_int_not_equal(fd, -1);
	config_free(&b->pool.base);
	assert_true(config_unpack(fd, &b->pool.base));
	close(fd);
	assert_true(overlay_config(&b->pool.overlay, &b->pool.base, &b->pool.config));
	assert_true(pool_rebuild(&b->pool, &before));
	config_free(&before);
}

/* Whoever is asked the same way in the same place is always found to be the same. */
static enum health_verdict
truth(const struct config *c, uint32_t target)
{
	const struct conf_probe *probe = target_probe(c, target);
	const char *name = c->virtuals[target_virtual(c, target)].name;
	struct endpoint at;

	if (!probe)
		return HEALTH_UP;
	at = target_address(c, target);
	return (at.addr.bytes[3] * 7u + at.port + probe->type + (uint8_t)name[1]) % 3 == 0
		? HEALTH_DOWN : HEALTH_UP;
}

/* Those of which nothing is known yet; the others know already. */
static void
learn(struct pool *p)
{
	for (uint32_t i = 0; i < targets_count(&p->config); i++) {
		struct pool_target *t = &p->targets[i];

		if (t->said == HEALTH_UNKNOWN)
			t->verdict = t->said = truth(&p->config, i);
	}
	assert_true(table_build_wanted(p));
}

static void
assert_same_rows(const struct vs_table *a, const struct vs_service *s, const struct vs_table *b,
	const struct vs_service *t)
{
	assert_true(vs_key_equal(&s->key, &t->key));
	assert_string_equal(s->scheduler, t->scheduler);
	assert_int_equal(s->flags, t->flags);
	assert_int_equal(s->real_count, t->real_count);
	for (uint32_t i = 0; i < s->real_count; i++)
		assert_memory_equal(&a->reals[s->first_real + i], &b->reals[t->first_real + i],
			sizeof(struct vs_real));
}

static void
assert_same(const struct vs_table *a, const struct vs_table *b)
{
	assert_int_equal(a->service_count, b->service_count);
	assert_int_equal(a->real_count, b->real_count);
	for (size_t i = 0; i < a->service_count; i++)
		assert_same_rows(a, &a->services[i], b, &b->services[i]);
}

static void
comes_to_what_a_start_comes_to(void **state)
{
	static struct world first, second;
	static struct bed carried, fresh;

	(void)state;
	for (uint32_t world = 1; world <= WORLDS; world++) {
		struct overlay o = {.count = 0};

		seed = world;
		fill(&first);
		fill(&second);
		override_some(&o);
		bed_up(&carried, &o);
		configure(&carried, &first);
		learn(&carried.pool);
		configure(&carried, &second);
		learn(&carried.pool);
		bed_up(&fresh, &o);
		configure(&fresh, &second);
		learn(&fresh.pool);
		assert_same(&carried.pool.wanted, &fresh.pool.wanted);
		bed_down(&carried);
		bed_down(&fresh);
		free(o.rows);
	}
}

/* In that one virtual server: another weight, a server less, or asked in another way. */
static void
change_one(struct world *w, uint32_t row)
{
	struct conf_virtual *v = &w->virtuals[row];
	struct conf_real *real = &w->reals[v->first_real + draw(v->real_count)];

	switch (draw(3)) {
	case 0: real->weight += 5; break;
	case 1: real->probe = (real->probe + 1) % PROBES; break;
	case 2:
		memmove(real, real + 1, (size_t)(&w->reals[REALS - 1] - real) * sizeof(*real));
		v->real_count--;
		w->c.real_count--;
		for (uint32_t i = row + 1; i < w->c.virtual_count; i++)
			w->virtuals[i].first_real--;
		break;
	}
}

/* What was wanted until now, kept. */
static struct vs_table
copy_of(const struct vs_table *t)
{
	struct vs_table copy = *t;

	copy.services = calloc(t->service_count + 1, sizeof(*copy.services));
	copy.reals = calloc(t->real_count + 1, sizeof(*copy.reals));
	assert_true(copy.services && copy.reals);
	memcpy(copy.services, t->services, t->service_count * sizeof(*copy.services));
	memcpy(copy.reals, t->reals, t->real_count * sizeof(*copy.reals));
	return copy;
}

static void
check_others(const struct vs_table *before, const struct vs_table *now, const struct vs_key *changed)
{
	static struct plan_op ops[OPS];
	bool whole;
	size_t count = plan_diff(now, before, NULL, 0, ops, OPS, &whole);

	assert_true(whole);
	for (size_t i = 0; i < count; i++)
		assert_true(vs_key_equal(&ops[i].service.key, changed));
	assert_int_equal(before->service_count, now->service_count);
	for (size_t i = 0; i < now->service_count; i++)
		if (!vs_key_equal(&now->services[i].key, changed))
			assert_same_rows(before, &before->services[i], now, &now->services[i]);
}

static void
touches_no_other(void **state)
{
	static struct world w;
	static struct bed carried, fresh;

	(void)state;
	for (uint32_t world = 1; world <= WORLDS; world++) {
		struct overlay none = {.count = 0};
		struct vs_table before;
		struct vs_key changed;
		uint32_t row;

		seed = world;
		do
			fill(&w);
		while (w.c.virtual_count == 0 ||
			w.virtuals[row = draw(w.c.virtual_count)].real_count == 0);
		bed_up(&carried, &none);
		configure(&carried, &w);
		learn(&carried.pool);
		before = copy_of(&carried.pool.wanted);
		changed = virtual_key(&w.c, &w.virtuals[row], 0);
		change_one(&w, row);
		configure(&carried, &w);
		learn(&carried.pool);
		check_others(&before, &carried.pool.wanted, &changed);
		bed_up(&fresh, &none);
		configure(&fresh, &w);
		learn(&fresh.pool);
		assert_same(&carried.pool.wanted, &fresh.pool.wanted);
		bed_down(&carried);
		bed_down(&fresh);
		free(before.services);
		free(before.reals);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_to_what_a_start_comes_to),
		cmocka_unit_test(touches_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
