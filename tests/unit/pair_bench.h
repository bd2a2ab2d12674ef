/* Two nodes and what they tell each other, over two paths; for the tests of core/pair.h. */
#ifndef TANDEM_TESTS_PAIR_BENCH_H
#define TANDEM_TESTS_PAIR_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/pair.h"

#include <string.h>

#define MS NS_PER_MS
enum { SERVICE, CROSS, PATHS };

static const uint32_t tags[PATHS] = {11, 22};

struct side {
	struct pair p;
	struct pair_news news;
};

/* Two nodes; time is shared. */
struct bench {
	struct side a, b;
	mono now;
};

static inline void
boot(struct side *s, uint64_t id, uint8_t last, mono now)
{
	struct ip_addr self = {IP_V4, {10, 77, 0, last}};

	pair_init(&s->p, id, &self, 100 * MS, now);
	pair_configure(&s->p, &self, 100 * MS, 5, tags, PATHS);
}

static inline void
boot_both(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->now = (mono){1000 * NS_PER_S};
	boot(&b->a, 100, 11, b->now);
	boot(&b->b, 200, 12, b->now);
}

static inline struct trailer
say(struct bench *b, struct side *from)
{
	struct trailer t = {.key_id = 1};

	pair_fill(&from->p, b->now, &t);
	return t;
}

static inline enum reason
hear(struct bench *b, struct side *to, unsigned path, const struct trailer *t)
{
	return pair_accept(&to->p, b->now, path, t, 100 * MS, &to->news);
}

static inline enum reason
tell(struct bench *b, struct side *from, struct side *to)
{
	struct trailer t = say(b, from);

	return hear(b, to, SERVICE, &t);
}

static inline void
wait_ms(struct bench *b, int64_t ms)
{
	b->now = mono_add_ns(b->now, ms * MS);
}

/* Both believe each other. */
static inline void
start(struct bench *b)
{
	boot_both(b);
	assert_int_equal(tell(b, &b->a, &b->b), REASON_NOT_BELIEVED);
	assert_true(b->b.news.answer);
	assert_int_equal(tell(b, &b->b, &b->a), REASON_NONE);
	assert_true(b->a.news.met);
	assert_true(b->a.news.answer);
	assert_int_equal(tell(b, &b->a, &b->b), REASON_NONE);
	assert_true(b->b.news.met);
	assert_true(b->a.p.alive && b->b.p.alive);
}

#endif
