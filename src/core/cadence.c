/*
 * The phase is a hash of the target, so that it needs no state to be the same after a restart, and
 * the second node stands half an interval away, so that a server which both probe is asked evenly.
 */
#include "core/cadence.h"

enum {
	CADENCE_URGENT_MS = 50, /* a takeover's first probes are spread over this much */
	CADENCE_FAST_MS = 250,
};

/* FNV-1a over the fields, then a mixer: neighbouring addresses must not be neighbouring phases. */
static uint64_t
cadence_hash(const struct endpoint *target)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < sizeof(target->addr.bytes); i++)
		h = (h ^ target->addr.bytes[i]) * UINT64_C(0x100000001b3);
	h = (h ^ (target->port & 0xff)) * UINT64_C(0x100000001b3);
	h = (h ^ (target->port >> 8)) * UINT64_C(0x100000001b3);
	h ^= h >> 32;
	h *= UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

int64_t
cadence_phase_ns(const struct endpoint *target, uint8_t node, int64_t interval_ns)
{
	uint64_t interval = (uint64_t)interval_ns;
	uint64_t own = cadence_hash(target) % interval;

	return (int64_t)((own + (node % 2u) * (interval / 2)) % interval);
}

mono
cadence_first(mono now, int64_t phase_ns, int64_t interval_ns, bool urgent)
{
	int64_t wait, spread = CADENCE_URGENT_MS * NS_PER_MS;

	if (urgent) {
		if (interval_ns < spread)
			spread = interval_ns;
		/* microseconds: nanoseconds squared of an hour do not fit 64 bits */
		wait = (phase_ns / NS_PER_US) * spread / (interval_ns / NS_PER_US);
		return mono_add_ns(now, wait < spread ? wait : spread);
	}
	wait = phase_ns - now.ns % interval_ns;
	return mono_add_ns(now, wait < 0 ? wait + interval_ns : wait);
}

mono
cadence_next(mono due, mono now, int64_t interval_ns)
{
	int64_t behind = mono_diff_ns(now, due);

	behind -= interval_ns / 16;
	if (behind <= interval_ns)
		return mono_add_ns(due, interval_ns);
	return mono_add_ns(due, (behind + interval_ns - 1) / interval_ns * interval_ns);
}

int64_t
cadence_spread_ns(int64_t step_ns, int64_t timeout_ns, uint8_t percent, uint64_t random)
{
	int64_t most = step_ns / 100 * percent, room = step_ns - timeout_ns;

	if (most > room)
		most = room;
	return most > 0 ? (int64_t)(random % ((uint64_t)most + 1)) : 0;
}

uint32_t
cadence_fast_ms(uint32_t interval_ms)
{
	return interval_ms < CADENCE_FAST_MS ? interval_ms : CADENCE_FAST_MS;
}

struct cadence_pace
cadence_pace(uint32_t interval_ms, uint32_t fast_ms, uint32_t down_ms)
{
	if (fast_ms == 0)
		fast_ms = cadence_fast_ms(interval_ms);
	if (down_ms == 0)
		down_ms = interval_ms;
	return (struct cadence_pace){.interval_ns = interval_ms * NS_PER_MS,
		.fast_ns = fast_ms * NS_PER_MS, .down_ns = down_ms * NS_PER_MS};
}

int64_t
cadence_step_ns(const struct cadence_pace *pace, const struct health *health)
{
	if (health_in_transition(health))
		return pace->fast_ns;
	return health_verdict(health) == HEALTH_DOWN ? pace->down_ns : pace->interval_ns;
}

mono
cadence_turn(mono due, mono now, const struct cadence_pace *pace, int64_t phase_ns,
	int64_t before_ns, int64_t step_ns)
{
	mono from = mono_add_ns(due, before_ns < step_ns ? before_ns : step_ns);
	mono next = mono_add_ns(due, step_ns);

	if (step_ns < pace->interval_ns)
		return mono_before(next, now) ? now : next;
	if (step_ns == before_ns || step_ns != pace->interval_ns)
		return cadence_next(due, now, step_ns);
	if (mono_before(from, now))
		from = now;
	return cadence_first(from, phase_ns, step_ns, false);
}
