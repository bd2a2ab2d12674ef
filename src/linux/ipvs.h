/*
 * IPVS by generic netlink (libnl-genl). Translates, never decides.
 *
 * Kernel side: include/uapi/linux/ip_vs.h, net/netfilter/ipvs/ip_vs_ctl.c. Needs CAP_NET_ADMIN in
 * the initial user namespace. Calls wait for the kernel: only the pool process uses them.
 * All return 0 or a negative errno unless said otherwise.
 */
#ifndef TANDEM_LINUX_IPVS_H
#define TANDEM_LINUX_IPVS_H

#include "core/plan.h"

struct ipvs;

/* Opens the socket and resolves the family. Where ip_vs is not loaded the kernel tries, and waits for its
 * own modprobe (see modules.h). -ENOENT: this kernel has no ip_vs. */
int ipvs_open(struct ipvs **out);
void ipvs_close(struct ipvs *ipvs);

/*
 * Dumps every service and real server of this network namespace into *out, whose arrays are
 * (re)allocated as needed with realloc(); free with ipvs_table_free(). Retries an interrupted dump.
 */
int ipvs_dump(struct ipvs *ipvs, struct vs_table *out);
void ipvs_table_free(struct vs_table *t);

/*
 * Applies operations in order, many requests in flight, every ACK matched. errors[i] becomes 0 or
 * the errno of operation i. Returns the number that failed, or a negative errno when the socket
 * itself failed.
 */
int ipvs_apply(struct ipvs *ipvs, const struct plan_op *ops, size_t count, int *errors);

/* Connection sync (ip_vs_sync.c). Ids 1..255; both roles may run at once. Starting a daemon that
 * already runs as wanted is success; with other parameters it is restarted. */
struct ipvs_sync {
	bool master, backup;
	uint8_t master_id, backup_id;
	char interface[16];
	struct ip_addr group; /* IP_NONE, and 0 of the others: the kernel's default */
	uint16_t port;
	uint16_t maxlen;      /* of what the master sends; the backup takes what is usual, or more */
	uint8_t ttl;
};
/* Do they run as wanted? A parameter that is left to the kernel may have any value. */
bool ipvs_sync_matches(const struct ipvs_sync *is, const struct ipvs_sync *wanted);
int ipvs_sync_get(struct ipvs *ipvs, struct ipvs_sync *out);
int ipvs_sync_set(struct ipvs *ipvs, const struct ipvs_sync *wanted);

/* Writes /proc/sys/net/ipv4/vs/NAME of this namespace. -ENOENT when the kernel has no such knob. */
int ipvs_sysctl_write(const char *name, const char *value);
int ipvs_sysctl_read(const char *name, char *out, size_t capacity);

#endif
