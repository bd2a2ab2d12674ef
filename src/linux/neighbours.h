/*
 * Who lives next door: the default gateway of an interface and the neighbours that the kernel has
 * talked to lately, by rtnetlink (RTM_GETROUTE for one destination, RTM_GETNEIGH dump of one
 * interface). Asks the kernel and waits for it: not for the election process.
 */
#ifndef TANDEM_LINUX_NEIGHBOURS_H
#define TANDEM_LINUX_NEIGHBOURS_H

#include "base/addr.h"

struct neighbours; /* a netlink socket */

/* NULL when the system refuses. */
struct neighbours *neighbours_open(void);
void neighbours_close(struct neighbours *n);
/*
 * Fills up to `capacity` addresses of the family for the interface: gateway first, then neighbours that
 * were reachable, the most recently confirmed first. Returns how many; 0 also when refused.
 */
size_t neighbours_list(struct neighbours *n, const char *interface, enum ip_family family,
	struct ip_addr *out, size_t capacity);

#endif
