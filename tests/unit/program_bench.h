/*
 * A bench for the programs that the supervisor runs: its loop, with real processes, and one of its
 * children played by the test at the other end of the channel.
 *
 * Waiting is counted in turns of the loop and not by the clock: a machine that gives this process no
 * turn has given the programs none either, and what waits 500 turns of 10 ms for nothing has failed.
 */
#ifndef TANDEM_TESTS_PROGRAM_BENCH_H
#define TANDEM_TESTS_PROGRAM_BENCH_H

#include "ipc/channel.h"
#include "proc/supervisor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BENCH_TURNS = 500, BENCH_TURN_MS = 10 };

/* The first member of a test's own bed. */
struct program_bench {
	struct supervisor s;
	struct conf_node node;
	int other;                /* our end of the child's channel */
	enum process_role role;   /* of that child */
	/* False: it is not one of those that are counted. */
	bool (*hear)(struct program_bench *b, const struct channel_message *m);
	unsigned messages;
};

static inline bool
bench_up(struct program_bench *b, enum process_role role,
	bool (*hear)(struct program_bench *b, const struct channel_message *m))
{
	int ends[2];

	if (channel_pair(ends) == -1)
		return false;
	b->s.loop = ev_default_loop(EVFLAG_AUTO);
	children_init(&b->s);
	children_find(&b->s, role, 0)->fd = ends[0];
	b->other = ends[1];
	b->role = role;
	b->hear = hear;
	b->s.generation = 3;
	strcpy(b->node.name, "lb1");
	strcpy(b->s.config.cluster, "edge");
	b->s.config.nodes = &b->node;
	b->s.config.node_count = 1;
	return true;
}

static inline void
listen_to(struct program_bench *b)
{
	struct channel_message m;

	while (channel_receive(b->other, &m) == 1)
		b->messages += b->hear(b, &m);
}

static inline void
bench_on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static inline void
run_for(struct program_bench *b, int ms)
{
	ev_timer t;

	ev_now_update(b->s.loop);
	ev_timer_init(&t, bench_on_tick, ms / 1e3, 0.);
	ev_timer_start(b->s.loop, &t);
	ev_run(b->s.loop, 0);
	listen_to(b);
}

/* Until so many messages have come. */
static inline void
await(struct program_bench *b, unsigned messages)
{
	for (int i = 0; i < BENCH_TURNS && b->messages < messages; i++)
		run_for(b, BENCH_TURN_MS);
	assert_true(b->messages >= messages);
}

/* Our processes, with those that have ended and are not reaped yet. */
static inline unsigned
children_running(void)
{
	char path[64], line[4096] = "";
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		for (char *at = line; (at = strchr(at, ' ')) != NULL; at++)
			n++;
	if (f)
		fclose(f);
	return n;
}

/* Until no more than so many are left: what ended was reaped by the loop, and what it said is heard. */
static inline void
await_end_of_all_but(struct program_bench *b, unsigned left)
{
	for (int i = 0; i < BENCH_TURNS && children_running() > left; i++)
		run_for(b, BENCH_TURN_MS);
	assert_in_range(children_running(), 0, left);
}

/* That nothing is left of what was run is part of every test. 0, or -1: something is. */
static inline int
bench_down(struct program_bench *b)
{
	for (int i = 0; i < BENCH_TURNS && children_running() > 0; i++)
		run_for(b, BENCH_TURN_MS);
	close(children_find(&b->s, b->role, 0)->fd);
	close(b->other);
	return children_running() == 0 ? 0 : -1;
}

#endif
