/*
 * Who has connections to a real server (/proc/net/ip_vs_conn of this namespace, net/netfilter/ipvs/
 * ip_vs_conn.c). The kernel walks its whole table for it: only on an operator's question.
 */
#ifndef TANDEM_LINUX_IPVS_CONNECTIONS_H
#define TANDEM_LINUX_IPVS_CONNECTIONS_H

#include "base/addr.h"

#include <stdio.h>

struct ipvs_client {
	struct ip_addr address;
	uint32_t connections;
};

/*
 * The clients with the most connections to that server (port 0: on any port), most first; how many.
 * Bounded in lines read and in clients told apart: a huge table is read in part.
 */
size_t ipvs_clients_of(const struct endpoint *server, struct ipvs_client *out, size_t capacity);
/* The same out of an open file in the kernel's format. */
size_t ipvs_clients_read(FILE *f, const struct endpoint *server, struct ipvs_client *out,
	size_t capacity);

#endif
