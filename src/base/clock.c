/* The one place that reads a clock. See mono.h. */
#include "base/mono.h"

#include <time.h>

mono
mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (mono){(int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec};
}

int64_t
cpu_spent_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}
