/*
 * The real prober process under test: forked, with a real channel to its supervisor and one to its
 * pool, both played by the test. What the test learns about targets comes in over the channel.
 */
#ifndef TANDEM_TESTS_PROBE_BENCH_H
#define TANDEM_TESTS_PROBE_BENCH_H

#include "base/mono.h"
#include "ipc/messages.h"

#include <stdatomic.h>
#include <sys/types.h>

enum { BENCH_TARGETS = 8192 };

/* The last report about a target, and when its verdict last became what it is. */
struct seen {
	bool any;
	struct ipc_probe_result last;
	mono up_at, down_at;        /* latest report of a change to up, to down */
	uint64_t failures_at_down;  /* in that report */
	enum reason reason_at_down;
	int32_t detail_at_down;
	char evidence_at_down[64];
	uint64_t reports;
};

/* What a pool says of a target, in one piece. */
struct bench_probe {
	uint8_t seed; /* enum probe_seed */
	bool urgent;
	uint8_t node;
	struct endpoint address;
	struct conf_probe probe;
	const char *ca; /* PEM, of probe.ca_file; NULL: none */
};

struct bench {
	pid_t pid;
	int supervisor; /* our end */
	int pool;       /* our end */
	struct handover *handover;
	struct conf_probe told; /* the table that the prober has */
	const char *told_ca;
	uint32_t generation;
	struct ipc_prober_stats stats; /* latest */
	bool gives;             /* sockets with a mark, when asked */
	uint64_t asked, given;
	struct seen seen[BENCH_TARGETS];
};

/* A prober that said it is ready. `pool_buffer`: bytes of its channel to the pool; 0: as built. */
struct bench *bench_start(int pool_buffer);
/* Give it a new channel to the pool; the old one is closed by us unless `keep`, which gets it. */
void bench_new_pool(struct bench *b, int pool_buffer, int *keep);
/* Closes the supervisor's channel, waits for the exit; true when it was exit(0) within 1 s. */
bool bench_stop(struct bench *b);
/* When the prober is gone already. */
void bench_free(struct bench *b);

/* Sends the set under a generation of its own. */
void bench_set(struct bench *b, uint32_t target, const struct bench_probe *set);
void bench_clear(struct bench *b, uint32_t target);

/* Takes reports for so long. */
void bench_run(struct bench *b, int ms);
/* Takes reports until the condition holds; false when it did not within `ms`. */
bool bench_until(struct bench *b, int ms, bool (*condition)(struct bench *b, void *of), void *of);

/* A witness: the worst that this machine did to a sleeping thread since it was started. */
struct witness;
struct witness *witness_start(void);
int64_t witness_worst_ns(struct witness *w);
void witness_reset(struct witness *w);

/* One line "ok - ..." or "FAIL - ..."; counts. */
bool check(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
int check_failures(void);
int check_passes(void);

/* Runs `ip ...` in the test's namespace; exits the test when it fails. */
void ip(const char *arguments);

#endif
