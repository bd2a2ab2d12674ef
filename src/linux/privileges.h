/*
 * What a process gives up, and what it asks for before that: capabilities (libcap-ng), system
 * calls (libseccomp), scheduling and memory. All return 0 or a negative errno.
 *
 * Capabilities, user and scheduling belong to a thread and are inherited by those it makes: ask
 * for real time and give up privileges BEFORE the first thread is started.
 */
#ifndef TANDEM_LINUX_PRIVILEGES_H
#define TANDEM_LINUX_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* May this process do what tandem cannot do without? Prints what is missing to `to`. */
bool privileges_sufficient(FILE *to);

/* Keep these capabilities (CAP_* of linux/capability.h) and no other; no new ones by exec. */
int privileges_keep(const int *capabilities, size_t count);

/* Become user nobody without any capability or group. Descriptors opened before stay usable. */
int privileges_become_nobody(void);

/* What its arguments must be, or the call counts as any other. */
enum privileges_bound {
	BOUND_NONE,
	BOUND_NO_EXEC,  /* the third is a protection of memory, without PROT_EXEC */
	BOUND_INTERNET, /* the first is AF_INET or AF_INET6 */
};

struct privileges_call {
	const char *name;
	enum privileges_bound bound;
};

/*
 * From here on only these system calls, in every thread; any other kills the process. A name that
 * libseccomp does not know is -EINVAL. In a build with sanitizers, which make calls of their own,
 * it does nothing.
 */
int privileges_seccomp(const struct privileges_call *calls, size_t count);

/*
 * Round-robin real-time scheduling of this thread and those it makes, killed when one computes for
 * two seconds without waiting once (RLIMIT_RTTIME), and all memory locked. An error is worth a
 * warning and no more: what could be had is in force, and the process works without the rest, less
 * punctually. Memory is not locked where RLIMIT_MEMLOCK is limited and cannot be raised
 * (CAP_SYS_RESOURCE), nor in sanitizer builds.
 */
int realtime_enter(int priority);

#endif
