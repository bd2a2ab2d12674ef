/*
 * Silence instead of "no such connection", for a moment: a table of nftables that lets no bare RST out
 * that this host's own TCP answers from one of some addresses. So a client whose connection the
 * other node is about to tell our kernel of asks again 0.2 s later, and is not turned away.
 *
 * Of local answers only (hook output), and of these only the answer to a segment of a connection: a
 * refused connection is told with RST and ACK, and what servers send passes IPVS elsewhere. The addresses
 * are elements that time out in the kernel, whatever becomes of us. Other tables are not touched.
 * Calls wait for the lock that all nftables users of the network namespace share.
 */
#ifndef TANDEM_LINUX_HUSH_H
#define TANDEM_LINUX_HUSH_H

#include "base/addr.h"

#include <stdint.h>

/* Name of the table: that of the fence (fence_table_name()) and "-hush". */
enum { HUSH_NAME = 32 };
char *hush_name(const char *run_dir, char out[HUSH_NAME]);

/* From these addresses, for so long, in place of those of an earlier call. 0 or negative errno. */
int hush_begin(const char *name, const struct ip_addr *addresses, size_t count, uint32_t ms);
/* The table goes. -ENOENT: there is none. */
int hush_end(const char *name);

#endif
