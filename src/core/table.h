/*
 * A table of virtual services and their real servers: the one type for what is wanted and what
 * the kernel has (linux/ip_vs.h). Pure values, storage is the caller's.
 */
#ifndef TANDEM_CORE_TABLE_H
#define TANDEM_CORE_TABLE_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vs_forwarding { VS_NAT = 0, VS_DR = 3, VS_OTHER = 255 }; /* IP_VS_CONN_F_* */

struct vs_key {
	struct endpoint listen;
	uint8_t protocol; /* IANA number */
	uint32_t fwmark;  /* != 0: a firewall-mark service of somebody else; listen is empty */
};

struct vs_service {
	struct vs_key key;
	char scheduler[16];
	uint32_t flags;          /* IP_VS_SVC_F_*, without the kernel's own HASHED */
	uint32_t persistence_s;
	struct ip_addr netmask;
	uint32_t first_real, real_count; /* rows of reals[] */
};

struct vs_real {
	struct endpoint address;
	uint8_t forwarding;      /* enum vs_forwarding */
	uint32_t weight;
	/* Read from the kernel; not compared. */
	uint32_t active_connections, inactive_connections;
	uint64_t connections, in_packets, out_packets, in_bytes, out_bytes;
};

struct vs_table {
	struct vs_service *services;
	size_t service_count, service_capacity;
	struct vs_real *reals;
	size_t real_count, real_capacity;
};

bool vs_key_equal(const struct vs_key *a, const struct vs_key *b);
/* Row of the service with that key, or NULL. */
const struct vs_service *vs_table_find(const struct vs_table *t, const struct vs_key *key);

#endif
