/* Moments that outlast a boot. See lasting.h. Numbers come from a file: none of them may overflow. */
#include "core/lasting.h"

#include <string.h>

static const int64_t longest_s = 366 * 24 * INT64_C(3600); /* no request may ask for more */
static const int64_t matters_s = 5;

static int64_t
within(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* from - to, of numbers that are no moments of ours when they are out of all proportion. */
static int64_t
difference(int64_t from, int64_t to)
{
	return within(from, -(INT64_MAX / 4), INT64_MAX / 4) - within(to, -(INT64_MAX / 4), INT64_MAX / 4);
}

bool
lasting_is_of_this_boot(const char boot[BOOT_ID], const struct lasting_clock *c)
{
	return boot[0] != '\0' && strcmp(boot, c->boot) == 0;
}

mono
lasting_begin(const struct lasting *l, const struct lasting_clock *c)
{
	/* The second that it began in may have been all but over. */
	int64_t ago_s = within(difference(c->wall_s, l->wall_s) - 1, 0, longest_s);
	int64_t ago_ns = lasting_is_of_this_boot(l->boot, c) ? difference(c->now.ns, l->boot_ns)
		: ago_s * NS_PER_S;

	return mono_add_ns(c->now, -within(ago_ns, 0, longest_s * NS_PER_S));
}

mono
lasting_end(const struct lasting *l, const struct lasting_clock *c)
{
	int64_t most_s = l->left_s < 0 ? longest_s : within(l->left_s, 0, longest_s);
	int64_t left_s = within(difference(l->wall_s, c->wall_s), 0, longest_s);
	int64_t left_ns = lasting_is_of_this_boot(l->boot, c) ? difference(l->boot_ns, c->now.ns)
		: left_s * NS_PER_S;

	return mono_add_ns(c->now, within(left_ns, 0, most_s * NS_PER_S));
}

int64_t
lasting_wall_s(mono at, const struct lasting_clock *c)
{
	int64_t ns = c->wall_ns + mono_diff_ns(at, c->now);
	int64_t s = ns / NS_PER_S;

	return c->wall_s + (ns % NS_PER_S < 0 ? s - 1 : s);
}

int64_t
lasting_left_s(mono end, mono now)
{
	int64_t left_ns = mono_diff_ns(end, now);

	return left_ns <= 0 ? 0 : (left_ns - 1) / NS_PER_S + 1;
}

bool
lasting_clock_was_set(const struct lasting_clock *before, const struct lasting_clock *c)
{
	int64_t by_s = c->wall_s - lasting_wall_s(c->now, before);

	return by_s > matters_s || by_s < -matters_s;
}
