/*
 * A bed of two network namespaces without names: they vanish with the test, however it ends.
 * "here" is where the code under test runs, "there" is the other machine. v0 (here) and v1 (there)
 * are the ends of one cable.
 */
#ifndef TANDEM_TESTS_NETNS_BED_H
#define TANDEM_TESTS_NETNS_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

struct bed {
	int here, there; /* namespace descriptors */
	int v0, v1;      /* interface indices */
};

/* Group setup: a new bed as *state, the thread in "here", lo up, v0 10.9.0.1/24, v1 10.9.0.2/24. */
int bed_setup(void **state);
int bed_teardown(void **state);
/* This thread (and what it starts) goes over. */
void bed_enter(int ns);
/* A shell command in the current namespace; it must succeed. */
void bed_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
void bed_run_there(struct bed *bed, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What a command in the current namespace prints, its first line (at most 4095 bytes). */
const char *bed_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*
 * Waits until an interface of the current namespace is operational: after "up" the kernel drops
 * what is sent until its link watch has run.
 */
void bed_await_up(const char *name);
/*
 * An IPv6 address on an interface of the current namespace, to be reached at once: with "nodad" the
 * kernel joins its solicited-node group (RFC 4291 2.7.1) in a work queue, after the command returns,
 * and a question that comes before that is repeated a second later.
 */
void bed_add_ipv6(const char *name, const char *address);
void bed_add_ipv6_there(struct bed *bed, const char *name, const char *address);

#endif
