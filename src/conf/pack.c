/*
 * The tables in a sealed memfd. See pack.h.
 *
 * A header with the settings that are not rows and with every table's row size and count, then the
 * tables one after the other. The receiver trusts nothing: seals, sizes, counts, every reference
 * between rows and every string's end are looked at before the tables are used. It does not copy
 * them either: sealed they are its own as long as it maps them.
 */
#include "conf/pack.h"
#include "conf/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TABLES = 14, PACK_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
enum { TABLE_ALIGN = 8 }; /* of each table in the memfd */

/* In front of the probes alone, what they trust behind them. */
struct probes_header {
	uint32_t probe_count, ca_count, ca_byte_count;
};

static const char pack_magic[8] = "tandem1";

struct pack_header {
	char magic[8];
	uint64_t header_size;
	uint64_t row_size[TABLES];
	uint64_t count[TABLES];
	struct config head; /* its pointers are zero */
};

/* Where a table's pointer and count stand in struct config. */
struct table {
	size_t rows_at, count_at, row_size;
	uint32_t limit;
};

#define TABLE(rows, number, type, most) \
	{offsetof(struct config, rows), offsetof(struct config, number), sizeof(struct type), most}

static const struct table tables[TABLES] = {
	TABLE(nodes, node_count, conf_node, LIMIT_NODES),
	TABLE(routers, router_count, conf_router, LIMIT_ROUTERS),
	TABLE(addresses, address_count, conf_address, LIMIT_ADDRESSES),
	TABLE(virtuals, virtual_count, conf_virtual, LIMIT_VIRTUALS),
	TABLE(listens, listen_count, conf_listen, LIMIT_LISTENS),
	TABLE(reals, real_count, conf_real, LIMIT_REALS),
	TABLE(hosts, host_count, conf_host, LIMIT_HOSTS),
	TABLE(probes, probe_count, conf_probe, LIMIT_PROBES),
	TABLE(cas, ca_count, conf_ca, LIMIT_CAS),
	TABLE(ca_bytes, ca_byte_count, conf_byte, LIMIT_CA_BYTES),
	TABLE(keys, key_count, conf_key, LIMIT_KEYS),
	TABLE(links, link_count, conf_link, LIMIT_LINKS),
	TABLE(blocks, block_count, conf_block, LIMIT_BLOCKS),
	TABLE(tracks, track_count, conf_track, LIMIT_TRACKS),
};

static void *
table_rows(const struct config *c, int i)
{
	void *rows;

	memcpy(&rows, (const char *)c + tables[i].rows_at, sizeof(rows));
	return rows;
}

static void
table_set_rows(struct config *c, int i, void *rows)
{
	memcpy((char *)c + tables[i].rows_at, &rows, sizeof(rows));
}

static uint32_t
table_count(const struct config *c, int i)
{
	uint32_t count;

	memcpy(&count, (const char *)c + tables[i].count_at, sizeof(count));
	return count;
}

static size_t
table_bytes(const struct config *c, int i)
{
	return table_count(c, i) * tables[i].row_size;
}

/* With what lies behind it, so that the next one is aligned. */
static size_t
table_room(const struct config *c, int i)
{
	return (table_bytes(c, i) + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
}

/* The settings that are not rows, field by field: what lies between them is not data. */
static void
copy_head(struct config *to, const struct config *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->cluster, from->cluster, sizeof(to->cluster));
	to->interval_ms = from->interval_ms;
	to->version = from->version;
	to->checksum = from->checksum;
	to->authentication = from->authentication;
	memcpy(to->key_file, from->key_file, sizeof(to->key_file));
	memcpy(to->control_group, from->control_group, sizeof(to->control_group));
	to->facility = from->facility;
	memcpy(to->facility_name, from->facility_name, sizeof(to->facility_name));
	to->log_level = from->log_level;
	to->probers = from->probers;
	memcpy(&to->sync, &from->sync, sizeof(to->sync));
	memcpy(&to->has_agents, &from->has_agents, sizeof(to->has_agents)); /* any byte may be there */
	to->probe_members = from->probe_members;
	to->node_count = from->node_count;
	to->router_count = from->router_count;
	to->address_count = from->address_count;
	to->virtual_count = from->virtual_count;
	to->listen_count = from->listen_count;
	to->real_count = from->real_count;
	to->host_count = from->host_count;
	to->probe_count = from->probe_count;
	to->ca_count = from->ca_count;
	to->ca_byte_count = from->ca_byte_count;
	to->key_count = from->key_count;
	to->link_count = from->link_count;
	to->block_count = from->block_count;
	to->track_count = from->track_count;
}

static void
fill_header(struct pack_header *h, const struct config *c)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, pack_magic, sizeof(h->magic));
	h->header_size = sizeof(*h);
	for (int i = 0; i < TABLES; i++) {
		h->row_size[i] = tables[i].row_size;
		h->count[i] = table_count(c, i);
	}
	copy_head(&h->head, c);
}

static bool
write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t written = write(fd, at, n);

		if (written == -1 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		at += written;
		n -= (size_t)written;
	}
	return true;
}

static bool
write_tables(int fd, const struct config *c)
{
	static const char nothing[TABLE_ALIGN];
	struct pack_header h;

	_Static_assert(sizeof(h) % TABLE_ALIGN == 0, "the first table is aligned");
	fill_header(&h, c);
	if (!write_all(fd, &h, sizeof(h)))
		return false;
	for (int i = 0; i < TABLES; i++)
		if (!write_all(fd, table_rows(c, i), table_bytes(c, i)) ||
			!write_all(fd, nothing, table_room(c, i) - table_bytes(c, i)))
			return false;
	return fcntl(fd, F_ADD_SEALS, PACK_SEALS) == 0;
}

static bool
write_probes(int fd, const struct config *c)
{
	const struct probes_header h = {c->probe_count, c->ca_count, c->ca_byte_count};

	return write_all(fd, &h, sizeof(h)) &&
		write_all(fd, c->probes, c->probe_count * sizeof(*c->probes)) &&
		write_all(fd, c->cas, c->ca_count * sizeof(*c->cas)) &&
		write_all(fd, c->ca_bytes, c->ca_byte_count) &&
		fcntl(fd, F_ADD_SEALS, PACK_SEALS) == 0;
}

static int
pack(const struct config *c, bool (*write_rows)(int fd, const struct config *c))
{
	int fd = memfd_create("tandem-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd == -1)
		return -1;
	if (write_rows(fd, c))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int
config_pack(const struct config *c)
{
	return pack(c, write_tables);
}

int
config_pack_probes(const struct config *c)
{
	return pack(c, write_probes);
}

/* Nobody can change it any more: what is looked at stays so. */
static bool
is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals != -1 && (seals & PACK_SEALS) == PACK_SEALS;
}

/* May be mapped; the rows themselves have to be looked at by who uses them. */
static bool
probes_fit(const struct conf_probe_map *m, const struct probes_header *h, uint32_t count)
{
	if (h->probe_count != count || count == 0 || count > LIMIT_PROBES ||
		h->ca_count > LIMIT_CAS || h->ca_byte_count > LIMIT_CA_BYTES)
		return false;
	return m->bytes == sizeof(*h) + count * sizeof(*m->probes) +
		h->ca_count * sizeof(*m->cas) + h->ca_byte_count;
}

bool
config_map_probes(int fd, uint32_t count, struct conf_probe_map *out)
{
	const struct probes_header *h;
	struct stat st;
	void *map;

	memset(out, 0, sizeof(*out));
	if (!is_sealed(fd) || fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(*h))
		return false;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	out->map = map;
	out->bytes = (size_t)st.st_size;
	h = map;
	if (!probes_fit(out, h, count)) {
		config_unmap_probes(out);
		return false;
	}
	out->probes = (const struct conf_probe *)(h + 1);
	out->probe_count = count;
	out->cas = (const struct conf_ca *)(out->probes + count);
	out->ca_count = h->ca_count;
	out->ca_bytes = (const uint8_t *)(out->cas + h->ca_count);
	out->ca_byte_count = h->ca_byte_count;
	return true;
}

void
config_unmap_probes(struct conf_probe_map *m)
{
	if (m->map)
		munmap(m->map, m->bytes);
	memset(m, 0, sizeof(*m));
}

uint32_t
config_map_find_ca(const struct conf_probe_map *m, const char *path)
{
	for (uint32_t i = 0; i < m->ca_count; i++)
		if (strncmp(m->cas[i].path, path, sizeof(m->cas[i].path)) == 0)
			return i;
	return CONF_NO_INDEX;
}

const void *
config_map_ca(const struct conf_probe_map *m, uint32_t row, size_t *length)
{
	const struct conf_ca *ca = &m->cas[row];

	if (!config_range_fits(ca->first, ca->length, m->ca_byte_count))
		return NULL;
	*length = ca->length;
	return m->ca_bytes + ca->first;
}

static bool
header_is_ours(const struct pack_header *h, uint64_t file_size)
{
	uint64_t size = sizeof(*h);

	if (memcmp(h->magic, pack_magic, sizeof(h->magic)) != 0 || h->header_size != sizeof(*h))
		return false;
	for (int i = 0; i < TABLES; i++) {
		if (h->row_size[i] != tables[i].row_size || h->count[i] > tables[i].limit ||
			h->count[i] != table_count(&h->head, i) || table_rows(&h->head, i))
			return false;
		size += table_room(&h->head, i);
	}
	return size == file_size;
}

/* The tables where they lie. */
static void
point_at_tables(const char *map, struct config *out)
{
	const struct pack_header *h = (const struct pack_header *)(const void *)map;
	const char *at = map + sizeof(*h);

	copy_head(out, &h->head);
	for (int i = 0; i < TABLES; i++) {
		table_set_rows(out, i, (void *)(uintptr_t)at);
		at += table_room(out, i);
	}
}

/* NULL: it cannot be mapped, or there is no memory. */
static struct conf_map *
map_file(int fd, size_t bytes)
{
	struct conf_map *m = malloc(sizeof(*m));
	void *at = MAP_FAILED;

	if (m)
		at = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED) {
		free(m);
		return NULL;
	}
	*m = (struct conf_map){.at = at, .bytes = bytes, .users = 1};
	return m;
}

bool
config_unpack(int fd, struct config *out)
{
	struct conf_map *map;
	struct stat st;
	bool whole;

	memset(out, 0, sizeof(*out));
	if (!is_sealed(fd) || fstat(fd, &st) == -1 ||
		st.st_size < (off_t)sizeof(struct pack_header))
		return false;
	map = map_file(fd, (size_t)st.st_size);
	if (!map)
		return false;
	whole = header_is_ours(map->at, map->bytes);
	if (whole)
		point_at_tables(map->at, out);
	out->map = map;
	whole = whole && config_rows_are_sound(out);
	if (!whole)
		config_free(out);
	return whole;
}

bool
config_share(const struct config *from, struct config *out)
{
	if (!from->map)
		return config_copy(from, out);
	*out = *from;
	out->map->users++;
	return true;
}

bool
config_equal(const struct config *a, const struct config *b)
{
	struct config x, y;

	copy_head(&x, a);
	copy_head(&y, b);
	if (memcmp(&x, &y, sizeof(x)) != 0)
		return false;
	for (int i = 0; i < TABLES; i++)
		if (table_bytes(a, i) != 0 &&
			memcmp(table_rows(a, i), table_rows(b, i), table_bytes(a, i)) != 0)
			return false;
	return true;
}

bool
config_copy(const struct config *from, struct config *out)
{
	copy_head(out, from);
	for (int i = 0; i < TABLES; i++) {
		size_t bytes = table_bytes(from, i);
		void *rows = malloc(bytes ? bytes : 1);

		if (!rows) {
			config_free(out);
			return false;
		}
		if (bytes > 0)
			memcpy(rows, table_rows(from, i), bytes);
		table_set_rows(out, i, rows);
	}
	return true;
}

bool
config_equal_without_keys(const struct config *a, const struct config *b)
{
	struct config x = *a, y = *b; /* of the rows nothing is copied */

	x.keys = y.keys = NULL;
	x.key_count = y.key_count = 0;
	return config_equal(&x, &y);
}
