/*
 * The connections that IPVS balances (/proc/net/ip_vs_conn of this namespace, net/netfilter/ipvs/
 * ip_vs_conn.c). For a thread, and with a bound: many kernels walk their table from its beginning for
 * each page that is read, so that 35,000 lines take a second and a million never ends.
 *
 * The order is that of the kernel's hash. A reader that stops early has seen the same part of the
 * clients each time.
 */
#ifndef TANDEM_LINUX_IPVS_CONNECTIONS_H
#define TANDEM_LINUX_IPVS_CONNECTIONS_H

#include "base/mono.h"
#include "core/ways.h"

struct ipvs_connection {
	struct endpoint client;
	struct way way;
	uint8_t state;      /* for ipvs_state_name() */
	bool ending;        /* not established any more */
	uint32_t expires_s; /* left, if no packet comes */
};

/* The kernel's word, as ipvsadm -Lc shows it. */
const char *ipvs_state_name(uint8_t state);

/*
 * One line. False: the heading, something unknown, or a template of persistence, which is no connection
 * but the memory of a client's choice.
 */
bool ipvs_connection_parse(const char *line, struct ipvs_connection *out);

struct ipvs_reading {
	size_t lines;
	bool whole;         /* to the end */
	int error;          /* negative errno, or 0 */
};

/*
 * Each connection of an open file in the kernel's format, until take() says false, or after that many
 * lines, or at that moment.
 */
struct ipvs_reading ipvs_connections_read(int fd, size_t lines_max, mono deadline,
	bool (*take)(void *context, const struct ipvs_connection *c), void *context);
/* The same of the kernel's. */
struct ipvs_reading ipvs_connections_of_kernel(size_t lines_max, mono deadline,
	bool (*take)(void *context, const struct ipvs_connection *c), void *context);

#endif
