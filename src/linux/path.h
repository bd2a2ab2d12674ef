/*
 * Does anybody beyond our own interface answer, on the way to a server? The kernel's neighbours
 * there, the gateway first, are asked by the kernel itself (NUD_PROBE: a unicast ARP request or
 * neighbour solicitation each), and a moment later it tells who answered. For the pool process:
 * the kernel may make it wait.
 */
#ifndef TANDEM_LINUX_PATH_H
#define TANDEM_LINUX_PATH_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>

enum { PATH_WITNESSES = 16 };

enum path_state { PATH_SILENT, PATH_ANSWERS, PATH_NO_CARRIER };

/* A question; all zero: none. */
struct path {
	unsigned ifindex;
	uint8_t family;      /* enum ip_family */
	size_t count;
	struct ip_addr witnesses[PATH_WITNESSES];
};

/* Asks. False: there is no way, or nobody is known there. *p is then still good for path_look(). */
bool path_ask(const struct ip_addr *server, struct path *p);
enum path_state path_look(const struct path *p);

#endif
