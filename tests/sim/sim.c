/*
 * sim: the shipped election under a virtual clock, on a wire that fails in every way it can, for
 * as many seeds as there is time for. A seed is one world; the same seed is the same world.
 *
 *   sim [--start S] [--seeds N]   run N seeds from S (default 1, 1000)
 *   sim --seed S [--trace]        run one, and tell everything that happens
 *   sim --forever                 until one fails
 *
 * Half of the seeds are plain VRRP, half are keyed pairs; a fifth of the plain ones have nodes with
 * and of the keyed ones have a group of two or three virtual routers. --plain, --groups, --keyed (no
 * groups) and --keyed-groups make every seed a world of that kind.
 */
#include "bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FAILURES_MAX = 10 };

struct options {
	uint64_t start, count;
	bool trace, first;
	enum worlds only;
};

static int
usage(void)
{
	fputs("usage: sim [--start S] [--seeds N] [--first] | sim --seed S [--trace] | sim --forever\n"
		"       --plain, --groups, --keyed, --keyed-groups: every seed is a world of that kind\n",
		stderr);
	return 1;
}

static bool
read_number(const char *text, uint64_t *out)
{
	char *end;

	if (!text || *text == '\0')
		return false;
	*out = strtoull(text, &end, 10);
	return *end == '\0';
}

static bool
read_options(char **argv, struct options *o)
{
	for (argv++; *argv; argv++) {
		if (strcmp(*argv, "--trace") == 0 || strcmp(*argv, "-v") == 0) {
			o->trace = true;
		} else if (strcmp(*argv, "--first") == 0) {
			o->first = true; /* stop at the first failure */
		} else if (strcmp(*argv, "--keyed") == 0) {
			o->only = WORLDS_KEYED;
		} else if (strcmp(*argv, "--plain") == 0) {
			o->only = WORLDS_PLAIN;
		} else if (strcmp(*argv, "--groups") == 0) {
			o->only = WORLDS_GROUPS;
		} else if (strcmp(*argv, "--keyed-groups") == 0) {
			o->only = WORLDS_KEYED_GROUPS;
		} else if (strcmp(*argv, "--forever") == 0) {
			o->count = UINT64_MAX - o->start;
			o->first = true;
		} else if (strcmp(*argv, "--seeds") == 0 && argv[1]) {
			if (!read_number(*++argv, &o->count))
				return false;
		} else if (strcmp(*argv, "--start") == 0 && argv[1]) {
			if (!read_number(*++argv, &o->start))
				return false;
		} else if (strcmp(*argv, "--seed") == 0 && argv[1]) {
			if (!read_number(*++argv, &o->start))
				return false;
			o->count = 1;
		} else {
			return false;
		}
	}
	return true;
}

int
main(int argc, char **argv)
{
	static struct bundle b;
	struct options o = {.start = 1, .count = 1000};
	uint64_t failures = 0, ran = 0, takeovers = 0, steps = 0;
	clock_t began = clock();

	if (argc < 1 || !read_options(argv, &o))
		return usage();
	for (uint64_t i = 0; i < o.count; i++) {
		uint64_t seed = o.start + i;

		ran++;
		if (!bundle_run(&b, seed, o.only, o.trace)) {
			fprintf(stderr, "  again: tests/sim/sim --seed %" PRIu64 " --trace%s\n", seed,
				o.only == WORLDS_KEYED ? " --keyed" :
				o.only == WORLDS_PLAIN ? " --plain" :
				o.only == WORLDS_GROUPS ? " --groups" :
				o.only == WORLDS_KEYED_GROUPS ? " --keyed-groups" : "");
			failures++;
		}
		for (unsigned lane = 0; lane < b.count; lane++)
			takeovers += b.lanes[lane].checker.takeovers;
		steps += b.steps;
		if (failures == FAILURES_MAX || (failures > 0 && o.first))
			break;
	}
	for (unsigned lane = 0; lane < SIM_LANES; lane++)
		events_free(&b.lanes[lane].events);
	printf("sim: %" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " takeovers, %" PRIu64
		" steps, %" PRIu64 " failed, %.1f s\n", ran, o.start, takeovers, steps, failures,
		(double)(clock() - began) / CLOCKS_PER_SEC);
	return failures == 0 ? 0 : 1;
}
