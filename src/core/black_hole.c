/* Connections that nobody answers. See black_hole.h. */
#include "core/black_hole.h"

/* The kernel adds its counters up every two seconds; an answer may be counted one time later. */
static const int64_t least_ns = 3 * NS_PER_S;
static const int64_t most_ns = 30 * NS_PER_S;

static void
begin(struct black_hole *b, mono now, const struct black_hole_counts *counts)
{
	b->since = now;
	b->from = *counts;
}

/* The server was taken out of the kernel and put in again: it counts anew. */
static bool
went_back(const struct black_hole_counts *from, const struct black_hole_counts *to)
{
	return to->connections < from->connections || to->in_packets < from->in_packets ||
		to->out_packets < from->out_packets;
}

bool
black_hole_take(struct black_hole *b, mono now, const struct black_hole_counts *counts)
{
	bool before = b->is;
	int64_t past_ns = mono_is_never(b->since) ? 0 : mono_diff_ns(now, b->since);

	if (mono_is_never(b->since) || went_back(&b->from, counts)) {
		begin(b, now, counts);
	} else if (counts->out_packets != b->from.out_packets) {
		b->is = false;
		begin(b, now, counts);
	} else if (past_ns >= least_ns &&
		counts->connections - b->from.connections >= BLACK_HOLE_ENOUGH &&
		counts->in_packets - b->from.in_packets >= BLACK_HOLE_ENOUGH) {
		b->is = true;
	} else if (past_ns > most_ns) {
		begin(b, now, counts);
	}
	return b->is != before;
}
