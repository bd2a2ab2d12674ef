/*
 * The kernel of one simulated machine, as far as addresses go: each has a lease in whole seconds,
 * counted by timers that stand still while the machine does, and goes by itself up to 0.35 s
 * after its end (or a hair before). Renewing an address that is gone creates it again: that is
 * what NLM_F_REPLACE does, and why the election watches its deadlines.
 */
#ifndef TANDEM_SIM_KERNEL_H
#define TANDEM_SIM_KERNEL_H

#include "random.h"

#include <stddef.h>

enum { SIM_ADDRESSES = 3, SIM_JOBS = 64 };

enum kernel_mood {
	KERNEL_WELL,
	KERNEL_REFUSES,      /* new addresses */
	KERNEL_FAILS_RENEWAL,
	KERNEL_FAILS_RELEASE,
	KERNEL_SLOW,         /* up to seconds */
	KERNEL_SLUGGISH,     /* up to 150 ms */
	KERNEL_MOODS,
};

enum job_kind { JOB_CLAIM, JOB_RENEW, JOB_RELEASE };

/* One request of the daemon's hands. */
struct job {
	enum job_kind kind;
	uint32_t sequence;
	int64_t lease_ns;
	unsigned count; /* addresses on the list when it was asked for */
};

struct kernel_address {
	bool present;
	int64_t ends;   /* lease, in kernel time */
	int64_t leaves; /* when the kernel gets around to it */
};

struct kernel {
	struct kernel_address addresses[SIM_ADDRESSES];
	enum kernel_mood mood;
	struct rng rng;
	unsigned listed; /* addresses of the last claim or renewal */
	bool lapsed;    /* one of them went by its lease since the last claim or release */
};

/* Do the job at kernel time `now`; everything done? */
bool kernel_do(struct kernel *k, int64_t now, const struct job *job);
/* Drop what has lapsed by `now`; how many? */
unsigned kernel_lapse(struct kernel *k, int64_t now);
/* When the next address lapses; INT64_MAX: none. */
int64_t kernel_next_lapse(const struct kernel *k);
/* Somebody else removes those of `mask` that are there; how many were? */
unsigned kernel_remove(struct kernel *k, unsigned mask);
unsigned kernel_held(const struct kernel *k);
/* How long the next request will take. */
int64_t kernel_latency_ns(struct kernel *k);

#endif
