/*
 * The system calls that a prober may make; any other kills it (linux/privileges.h). One list, for
 * the prober that gives up the rest and for the test that watches one under strace: what it
 * calls is here, and what is here is called, or says why it may be one day.
 */
#ifndef TANDEM_PROC_PROBER_CALLS_H
#define TANDEM_PROC_PROBER_CALLS_H

#include <stdbool.h>
#include <stddef.h>

struct prober_call {
	const char *name;
	bool seldom; /* a prober can live without having made it once */
};

/* All of them; *count is how many. */
const struct prober_call *prober_calls(size_t *count);

/* Allows these and no other from here on, in every thread. 0 or a negative errno. */
int prober_calls_confine(void);

#endif
