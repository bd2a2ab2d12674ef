/*
 * Devices with a virtual MAC: a macvlan for each family of a virtual router, above its interface.
 *
 * A device is made ahead and kept down: it hears and says nothing. With the addresses on it, one
 * "up" claims them all, and one "down" silences them all at once, ARP included. Its mode is bridge:
 * the interface below goes on hearing advertisements that carry our own virtual MAC (in private
 * mode the kernel hands those to the macvlan alone, drivers/net/macvlan.c macvlan_handle_frame()),
 * so that the sockets of the election are the same with and without a virtual MAC.
 *
 * What has to be set on the interface below (nothing is set for the whole host): arp_ignore=1, or it
 * would answer for the addresses with its own MAC as well, and arp_announce=2, or the node would ask
 * for its neighbours in the name of a virtual address. What was there before is written on the
 * device itself (its alias), which lives as long as the change does: whoever removes the last such
 * device puts it back, also after a crash of everything.
 *
 * Calls wait for the kernel (RTNL).
 */
#ifndef TANDEM_LINUX_MACVLAN_H
#define TANDEM_LINUX_MACVLAN_H

#include "base/addr.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>

enum { MACVLAN_METRIC = 65000 }; /* of its connected routes: those of the interface itself win */

struct virtual_device {
	char name[LIMIT_IFNAME];
	char parent[LIMIT_IFNAME]; /* the interface below */
	uint8_t mac[6];
	uint8_t family;            /* enum ip_family */
	int ifindex;               /* out: 0 when error is not 0 */
	bool up;                   /* out: it was found up */
	bool made;                 /* out: it was not there before */
	int error;                 /* out: 0 or errno; see macvlan_trouble() */
};

struct macvlan_socket;

/* 0 or negative errno. */
int macvlan_open(struct macvlan_socket **out);
void macvlan_close(struct macvlan_socket *s);

/*
 * Makes the device (down), or adopts the one that an earlier life has left, as it is. Settings of
 * the device and of the interface below are in place afterwards. d->error, which is returned too:
 *   ENODEV the interface below does not exist, EEXIST the name belongs to somebody else's device,
 *   ELOOP the interface below is itself a macvlan or ipvlan, EBUSY it is a port of a bridge or a
 *   bond, EINVAL it is no Ethernet, EOPNOTSUPP the kernel has no macvlan; others as they come.
 */
int macvlan_prepare(struct macvlan_socket *s, struct virtual_device *d);
/* A sentence on d->error, with what the operator can do. */
const char *macvlan_trouble(const struct virtual_device *d, char *text, size_t size);
/* 0 or errno. */
int macvlan_set_up(struct macvlan_socket *s, int ifindex, bool up);
/*
 * Removes every device that a tandem has made and that is not in the list (by name), with the
 * addresses on it, and puts back what was set on interfaces that have none left. `removed` is
 * called for each. Devices of others are left alone. 0 or negative errno.
 */
int macvlan_purge(struct macvlan_socket *s, const struct virtual_device *wanted, size_t count,
	void (*removed)(void *context, const char *name), void *context);

#endif
