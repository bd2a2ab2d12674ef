/*
 * What the measuring tools share: a monotonic clock in milliseconds, an RT priority so that a busy
 * machine is seen as little as possible, and an orderly stop by SIGTERM or SIGINT.
 */
#ifndef TANDEM_TESTS_TOOL_H
#define TANDEM_TESTS_TOOL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline int64_t
tool_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline double
tool_ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static inline struct timespec
tool_timespec(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* The lowest real-time priority; refused in small containers, and then measured without. */
static inline void
tool_realtime(void)
{
	struct sched_param p = {.sched_priority = 1};

	(void)sched_setscheduler(0, SCHED_FIFO, &p);
}

static inline void
tool_on_stop(void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler};

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static inline _Noreturn void
tool_die(const char *what)
{
	perror(what);
	exit(2);
}

#endif
