/*
 * Monotonic time.
 *
 * One resolution (nanoseconds), one clock (CLOCK_BOOTTIME, so that a suspended machine sees the
 * time it slept), wrapped in a struct so that adding milliseconds to nanoseconds or comparing a
 * moment with a duration does not compile. Nothing is decided by the wall clock, which is only shown;
 * but for what outlasts a boot (core/lasting.h).
 *
 * Everything here but the two of clock.c is pure. Durations are plain int64_t with their unit in the name.
 */
#ifndef TANDEM_BASE_MONO_H
#define TANDEM_BASE_MONO_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* A moment. `ns` counts from boot; INT64_MAX means "never". */
typedef struct {
	int64_t ns;
} mono;

#define MONO_NEVER ((mono){INT64_MAX})

/* Now, from CLOCK_BOOTTIME. */
mono mono_now(void);
/* What this thread has used of a processor, in the kernel as well. These two ask the system (clock.c). */
int64_t cpu_spent_ns(void);

static inline bool
mono_is_never(mono t)
{
	return t.ns == INT64_MAX;
}

/* t + delta_ns; "never" stays "never". */
static inline mono
mono_add_ns(mono t, int64_t delta_ns)
{
	return mono_is_never(t) ? t : (mono){t.ns + delta_ns};
}

/* later - earlier, in ns (negative when the order is the other way round). */
static inline int64_t
mono_diff_ns(mono later, mono earlier)
{
	return later.ns - earlier.ns;
}

static inline bool
mono_before(mono a, mono b)
{
	return a.ns < b.ns;
}

/* Has the deadline been reached at `now`? A deadline of "never" has not. */
static inline bool
mono_due(mono deadline, mono now)
{
	return !mono_is_never(deadline) && deadline.ns <= now.ns;
}

static inline mono
mono_min(mono a, mono b)
{
	return a.ns < b.ns ? a : b;
}

#endif
