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

enum vs_forwarding { VS_NAT = 0, VS_TUNNEL = 2, VS_DR = 3, VS_OTHER = 255 }; /* IP_VS_CONN_F_* */
enum vs_tunnel { VS_IPIP = 0, VS_GUE = 1, VS_GRE = 2 };   /* IP_VS_CONN_F_TUNNEL_TYPE_* */
enum vs_checksum { VS_NO_CHECKSUM = 0, VS_CHECKSUM = 1, VS_REMOTE_CHECKSUM = 2 }; /* .._ENCAP_FLAG_* */

enum {
	VS_PERSISTENT = 0x1, /* IP_VS_SVC_F_PERSISTENT */
	VS_HASHED = 0x2,     /* IP_VS_SVC_F_HASHED: the kernel's own, never compared */
	VS_ONE_PACKET = 0x4, /* IP_VS_SVC_F_ONEPACKET */
	VS_FALLBACK = 0x8,   /* IP_VS_SVC_F_SCHED_SH_FALLBACK, _MH_FALLBACK */
};

struct vs_key {
	struct endpoint listen;
	uint8_t protocol; /* IANA number */
	uint32_t fwmark;  /* != 0: a firewall-mark service; of listen only the family is meant */
};

struct vs_service {
	struct vs_key key;
	char scheduler[16];
	char engine[16];         /* of persistence: "sip"; "": by client address */
	uint32_t flags;          /* IP_VS_SVC_F_*, without the kernel's own HASHED */
	uint32_t persistence_s;
	struct ip_addr netmask;  /* of persistence; IP_NONE: the whole address */
	uint32_t first_real, real_count; /* rows of reals[] */
};

struct vs_real {
	struct endpoint address;
	uint8_t forwarding;      /* enum vs_forwarding */
	uint8_t tunnel;          /* enum vs_tunnel; of VS_TUNNEL only, as the next two */
	uint16_t tunnel_port;    /* host order; VS_GUE needs one */
	uint16_t tunnel_checksum; /* enum vs_checksum; VS_GUE and VS_GRE */
	uint32_t weight;
	uint32_t upper_threshold; /* connections from which on it gets no more; 0: any number */
	uint32_t lower_threshold; /* ... until it has fewer than this; 0: three quarters of it */
	/* Read from the kernel; not compared. */
	uint32_t active_connections, inactive_connections, persistent_connections;
	uint64_t connections, in_packets, out_packets, in_bytes, out_bytes;
};

struct vs_table {
	struct vs_service *services;
	size_t service_count, service_capacity;
	struct vs_real *reals;
	size_t real_count, real_capacity;
	bool sorted; /* set by vs_table_sort(), cleared by vs_table_add_*(): makes finding fast */
};

/* What the kernel takes for the same service: protocol, address and port; or mark and family. */
int vs_key_compare(const struct vs_key *a, const struct vs_key *b);
bool vs_key_equal(const struct vs_key *a, const struct vs_key *b);
void vs_keys_sort(struct vs_key *keys, size_t count);
/* Is the key in the list? Fast when the list is sorted. */
bool vs_keys_contain(const struct vs_key *keys, size_t count, bool sorted,
	const struct vs_key *key);

/* Forget every row, keep the storage. */
void vs_table_clear(struct vs_table *t);
/* Append a service without real servers; NULL when the table is full. */
struct vs_service *vs_table_add_service(struct vs_table *t, const struct vs_service *service);
/* Append a real server to the service added last; false when there is none or the table is full. */
bool vs_table_add_real(struct vs_table *t, const struct vs_real *real);
/* The same, all zero and to be filled in; NULL instead of false. */
struct vs_real *vs_table_new_real(struct vs_table *t);
/* Services by key, the real servers of each by endpoint. In place, without memory. */
void vs_table_sort(struct vs_table *t);

/* Row of the service with that key, or NULL. */
const struct vs_service *vs_table_find(const struct vs_table *t, const struct vs_key *key);
/* Row of that real server (the first, should it be there twice), or NULL. */
const struct vs_real *vs_table_find_real(const struct vs_table *t,
	const struct vs_service *service, const struct endpoint *address);

#endif
