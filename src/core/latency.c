/* Response times to shares of weights. See latency.h. */
#include "core/latency.h"

#include "base/mono.h"

static const int64_t slack_ns = 10 * NS_PER_MS;
enum { PART = 8, DEAD_BAND = 10, STEP = 5 };

static int64_t
median(int64_t a, int64_t b, int64_t c)
{
	int64_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

void
latency_result(struct latency *l, int64_t ns)
{
	int64_t taken = l->samples < 2 ? ns : median(ns, l->last_ns[0], l->last_ns[1]);

	l->last_ns[1] = l->last_ns[0];
	l->last_ns[0] = ns;
	if (l->samples <= 2) /* the first may be the outlier */
		l->smooth_ns = taken;
	else
		l->smooth_ns += (taken - l->smooth_ns) / PART;
	if (l->samples < LATENCY_ENOUGH)
		l->samples++;
}

int64_t
latency_smooth_ns(const struct latency *l)
{
	return l->samples < LATENCY_ENOUGH ? -1 : l->smooth_ns;
}

int64_t
latency_reference_ns(int64_t *smooth_ns, size_t count)
{
	size_t known = 0, place;

	for (size_t i = 0; i < count; i++)
		if (smooth_ns[i] >= 0)
			smooth_ns[known++] = smooth_ns[i];
	if (known == 0)
		return -1;
	place = (known - 1) / 4;
	for (size_t low = 0, high = known - 1; low < high;) { /* Hoare's selection */
		int64_t pivot = smooth_ns[low + (high - low) / 2];
		size_t i = low, j = high;

		for (;;) {
			for (; smooth_ns[i] < pivot; i++)
				;
			for (; smooth_ns[j] > pivot; j--)
				;
			if (i >= j)
				break;
			int64_t other = smooth_ns[i];

			smooth_ns[i++] = smooth_ns[j];
			smooth_ns[j--] = other;
		}
		if (place <= j)
			high = j == high ? high - 1 : j;
		else
			low = j + 1;
	}
	return smooth_ns[place];
}

bool
latency_step(struct latency_share *s, int64_t smooth_ns, int64_t reference_ns)
{
	int64_t aim, off;

	if (smooth_ns < 0 || reference_ns < 0)
		return false;
	aim = LATENCY_FULL * (reference_ns + slack_ns) / (smooth_ns + slack_ns);
	aim = aim < LATENCY_LEAST ? LATENCY_LEAST : aim > LATENCY_FULL ? LATENCY_FULL : aim;
	off = aim - (int64_t)s->percent;
	if (off > DEAD_BAND || off < -DEAD_BAND)
		s->moving = true;
	else if (off < STEP && off > -STEP)
		s->moving = false;
	if (!s->moving)
		return false;
	s->percent += off >= STEP ? (uint32_t)STEP : off <= -STEP ? (uint32_t)-STEP : (uint32_t)off;
	return off != 0;
}
