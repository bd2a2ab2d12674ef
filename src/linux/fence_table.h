/*
 * The nftables table of the egress fence: what leaves an interface from a guarded address goes out
 * only while the address's number is in a set whose elements time out.
 *
 * One table of the netdev family a daemon, named after its run directory; other tables are not
 * touched. Hook egress: kernel 5.16 (net/netfilter/nft_chain_filter.c). It sees ARP, IP and what
 * packet sockets send (include/linux/netfilter_netdev.h nf_hook_egress()). Calls wait for the lock
 * that all nftables users of the network namespace share: not in the loop of the election process.
 */
#ifndef TANDEM_LINUX_FENCE_TABLE_H
#define TANDEM_LINUX_FENCE_TABLE_H

#include "base/addr.h"
#include "base/limits.h"

#include <stdint.h>

enum { FENCE_NAME = 24 };

/* A guarded prefix (of full length: one address) and the number that it shares with others. */
struct fence_guard {
	struct ip_prefix prefix; /* of a block: the network address */
	uint32_t number;         /* not 0 */
};

struct fence_item {
	uint32_t number;
	uint32_t ms;             /* how long it may speak from now on */
	int error;               /* out: 0 or errno; ENOENT: its time was over */
};

/* The whole table. Zero-filled before it is set: equal means equal bytes. */
struct fence_plan {
	char (*interfaces)[LIMIT_IFNAME];
	int *ifindexes;          /* an interface that came anew is another one */
	size_t interface_count;
	struct fence_guard *guards; /* by number; each prefix once; blocks do not overlap */
	size_t guard_count;
	struct fence_item *open; /* may speak at once */
	size_t open_count;
};

/* An empty plan with room, or NULL without memory. */
struct fence_plan *fence_plan_new(size_t interfaces, size_t guards, size_t open);
void fence_plan_free(struct fence_plan *plan);
/* The same interfaces and guards (what is open does not count)? NULL is an empty one. */
bool fence_plan_equal(const struct fence_plan *a, const struct fence_plan *b);

/* "tandem-" and eight hex digits of the run directory's path. Returns `out`. */
char *fence_table_name(const char *run_dir, char out[FENCE_NAME]);

struct fence_table;

/* 0 or negative errno (-EPROTONOSUPPORT: the kernel has no netfilter). */
int fence_table_open(const char *name, struct fence_table **out);
void fence_table_close(struct fence_table *t);

/*
 * Replaces the table in one step. 0 or negative errno: -EOPNOTSUPP: no nf_tables, or no egress hook
 * in this kernel; -EPERM; -ENOENT: an interface is gone (kernels from 6.16 on wait for it).
 */
int fence_table_build(struct fence_table *t, const struct fence_plan *plan);
/* Is there one of that name? Any error is "no". */
bool fence_table_exists(struct fence_table *t);
/* 0 or negative errno; -ENOENT: there was none. */
int fence_table_remove(struct fence_table *t);

/*
 * More time for all numbers, in one step. What has run out is not revived: the kernel refuses it
 * (-ENOENT), and then nothing of the list is done.
 */
int fence_table_keep(struct fence_table *t, const struct fence_item *items, size_t count);
/* The number may speak from now on, whether it might before or not. -ENOENT: the table is gone. */
int fence_table_add(struct fence_table *t, const struct fence_item *item);
/* Silence, at once. -ENOENT: it was silent. */
int fence_table_delete(struct fence_table *t, uint32_t number);

#endif
