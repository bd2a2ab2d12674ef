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
 * The tables of such a descriptor in *out (free with config_free()): they are read where they lie and
 * cannot be written. The descriptor stays the caller's and may be closed. False when it is not a
 * packed configuration of this program.
 */
bool config_unpack(int fd, struct config *out);

/* The probes alone, for who must not see the rest. A sealed memfd, or -1 with errno. */
int config_pack_probes(const struct config *c);

/* What such a descriptor holds, read-only. */
struct conf_probe_map {
	void *map;
	size_t bytes;
	const struct conf_probe *probes;
	uint32_t probe_count, ca_count, ca_byte_count;
	const struct conf_ca *cas;
	const uint8_t *ca_bytes;
};

/* False when it does not hold `count` probes, *out is empty then. */
bool config_map_probes(int fd, uint32_t count, struct conf_probe_map *out);
/* An empty one may be unmapped. */
void config_unmap_probes(struct conf_probe_map *m);
/* The row of cas of that path, or CONF_NO_INDEX. */
uint32_t config_map_find_ca(const struct conf_probe_map *m, const char *path);
/* Its certificates (PEM, without a NUL), as long as the map is there; NULL when it is not sound. */
const void *config_map_ca(const struct conf_probe_map *m, uint32_t row, size_t *length);
/* Do its texts end, are its numbers of their kind? */
bool config_probe_is_sound(const struct conf_probe *p);

/* A copy with tables of its own (config_free()). False without memory; *out is then empty. */
bool config_copy(const struct config *from, struct config *out);

/* The same tables once more, without a copy where nobody can write to them (config_free() each). */
bool config_share(const struct config *from, struct config *out);

/* Equal tables? */
bool config_equal(const struct config *a, const struct config *b);
/* The same without a look at the keys, which not everybody may read. */
bool config_equal_without_keys(const struct config *a, const struct config *b);

#endif
