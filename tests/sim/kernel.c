/* The simulated kernel. See kernel.h. */
#include "kernel.h"
#include "clock.h"

static const int64_t early_ns = 20 * NS_PER_MS, late_ns = 350 * NS_PER_MS;

static bool
put(struct kernel *k, int64_t now, const struct job *job)
{
	unsigned refused_from = job->count;

	if (k->mood == KERNEL_REFUSES && job->kind == JOB_CLAIM)
		refused_from = rng_below(&k->rng, job->count);
	if (k->mood == KERNEL_FAILS_RENEWAL && job->kind == JOB_RENEW)
		refused_from = 0;
	for (unsigned i = 0; i < refused_from; i++) {
		struct kernel_address *a = &k->addresses[i];

		a->present = true;
		a->ends = now + job->lease_ns / SIM_BILLION * SIM_BILLION;
		a->leaves = a->ends + rng_between(&k->rng, -early_ns, late_ns);
	}
	k->listed = job->count;
	if (job->kind == JOB_CLAIM)
		k->lapsed = false;
	return refused_from == job->count;
}

bool
kernel_do(struct kernel *k, int64_t now, const struct job *job)
{
	if (job->kind != JOB_RELEASE)
		return put(k, now, job);
	if (k->mood == KERNEL_FAILS_RELEASE)
		return false;
	kernel_remove(k, ~0u);
	k->lapsed = false;
	return true;
}

unsigned
kernel_lapse(struct kernel *k, int64_t now)
{
	unsigned gone = 0;

	for (size_t i = 0; i < SIM_ADDRESSES; i++)
		if (k->addresses[i].present && k->addresses[i].leaves <= now) {
			k->addresses[i].present = false;
			k->lapsed |= i < k->listed;
			gone++;
		}
	return gone;
}

int64_t
kernel_next_lapse(const struct kernel *k)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < SIM_ADDRESSES; i++)
		if (k->addresses[i].present && k->addresses[i].leaves < next)
			next = k->addresses[i].leaves;
	return next;
}

unsigned
kernel_remove(struct kernel *k, unsigned mask)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < SIM_ADDRESSES; i++)
		if (mask & 1u << i && k->addresses[i].present) {
			k->addresses[i].present = false;
			gone++;
		}
	return gone;
}

unsigned
kernel_held(const struct kernel *k)
{
	unsigned held = 0;

	for (size_t i = 0; i < SIM_ADDRESSES; i++)
		held += k->addresses[i].present;
	return held;
}

int64_t
kernel_latency_ns(struct kernel *k)
{
	if (k->mood == KERNEL_SLOW)
		return rng_between(&k->rng, 1 * NS_PER_MS, 4 * NS_PER_S);
	if (k->mood == KERNEL_SLUGGISH)
		return rng_between(&k->rng, 1 * NS_PER_MS, 150 * NS_PER_MS);
	return rng_between(&k->rng, 50 * NS_PER_US, 2 * NS_PER_MS);
}
