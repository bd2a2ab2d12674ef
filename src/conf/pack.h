/*
 * A checked configuration as one block of bytes, for the trip from the supervisor to the other
 * processes: a sealed memfd that the receiver maps. Same program on both ends (the children are
 * forked), so rows travel as they are; sizes and counts are verified all the same.
 */
#ifndef TANDEM_CONF_PACK_H
#define TANDEM_CONF_PACK_H

#include "conf/config.h"

/* A sealed memfd holding the tables, or -1 with errno. The caller closes it. */
int config_pack(const struct config *c);

/*
 * Copies the tables out of such a descriptor into *out (free with config_free()). The descriptor
 * stays the caller's. False when it is not a packed configuration of this program.
 */
bool config_unpack(int fd, struct config *out);

/* The probes alone, for who must not see the rest. A sealed memfd, or -1 with errno. */
int config_pack_probes(const struct config *c);
/* Maps `count` such rows, read-only; NULL when it is not that many. Free with munmap(). */
const struct conf_probe *config_map_probes(int fd, uint32_t count, size_t *bytes);

/* A copy with tables of its own (config_free()). False without memory; *out is then empty. */
bool config_copy(const struct config *from, struct config *out);

/* Equal tables? */
bool config_equal(const struct config *a, const struct config *b);
/* The same without a look at the keys, which not everybody may read. */
bool config_equal_without_keys(const struct config *a, const struct config *b);

#endif
