/*
 * The socket filter of a relay: frames to this host that are for one of the prefixes, and not from
 * the new owner. Inside of src/linux only.
 */
#ifndef TANDEM_LINUX_RELAY_FILTER_H
#define TANDEM_LINUX_RELAY_FILTER_H

#include "linux/relay.h"

/*
 * Attaches it. With more than RELAY_FILTERED prefixes all frames to this host get in, and
 * relay_wants() has to tell. 0 or negative errno.
 */
enum { RELAY_FILTERED = 256 };
int relay_filter_attach(int fd, const struct relay_job *job);

#endif
