/*
 * A sealed file of tables, as it comes from another process or over the control socket: the first
 * byte says whether it is taken for a whole configuration or for probes, the rest is the file.
 * Promises: what is taken can be printed, compared, copied and walked through, and comes out of a file
 * of its own the same.
 */
#include "fuzz.h"

#include "conf/listen.h"
#include "conf/pack.h"
#include "conf/print.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
sealed(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	PROMISE(fd != -1);
	PROMISE(write(fd, data, size) == (ssize_t)size);
	PROMISE(fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	return fd;
}

static void
print(const struct config *c)
{
	static FILE *nowhere;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	PROMISE(nowhere != NULL);
	config_print(c, nowhere);
}

static void
walk(const struct config *c)
{
	for (uint32_t i = 0; i < c->virtual_count; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		for (uint32_t k = 0; k < v->real_count; k++)
			(void)conf_real_port(c, v, &c->reals[v->first_real + k]);
		for (uint32_t k = 0; k < v->listen_count; k++) {
			const struct conf_listen *l = &c->listens[v->first_listen + k];
			uint32_t pairs = listen_count(l);
			struct endpoint last = listen_at(l, pairs - 1);

			PROMISE(pairs > 0 && last.port == l->port_high);
			PROMISE(ip_addr_equal(&last.addr, &l->last));
		}
	}
	for (uint32_t i = 0; i < c->router_count; i++)
		for (uint32_t k = 0; k < c->routers[i].track_count; k++) {
			const struct conf_track *t = &c->tracks[c->routers[i].first_track + k];

			(void)config_find_track(c, c->routers[i].name, (enum conf_track_kind)t->kind,
				t->name);
		}
}

static void
whole(int fd)
{
	struct config c, again;
	int packed;

	if (!config_unpack(fd, &c)) {
		PROMISE(c.reals == NULL && c.real_count == 0);
		return;
	}
	print(&c);
	walk(&c);
	PROMISE(config_copy(&c, &again) && config_equal(&c, &again));
	PROMISE(config_digest(&c) == config_digest(&again));
	config_free(&again);
	packed = config_pack(&c);
	PROMISE(packed != -1 && config_unpack(packed, &again) && config_equal(&c, &again));
	config_free(&again);
	config_free(&c);
	close(packed);
}

static void
probes(int fd, uint32_t count)
{
	struct conf_probe_map map;

	if (!config_map_probes(fd, count, &map)) {
		PROMISE(map.map == NULL && map.probe_count == 0);
		return;
	}
	for (uint32_t i = 0; i < map.probe_count; i++) {
		const struct conf_probe *p = &map.probes[i];
		uint32_t row;
		const void *pem;
		size_t length = 0;

		if (!config_probe_is_sound(p))
			continue;
		for (unsigned k = 0; k < p->command.count; k++)
			PROMISE(conf_word(&p->command, k) != NULL);
		row = config_map_find_ca(&map, p->ca_file);
		pem = row == CONF_NO_INDEX ? NULL : config_map_ca(&map, row, &length);
		for (size_t k = 0; pem && k < length; k++)
			PROMISE(((const uint8_t *)pem)[k] <= UINT8_MAX);
	}
	config_unmap_probes(&map);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t count = 0;
	int fd;

	if (size < 1)
		return 0;
	fd = sealed(data + 1, size - 1);
	if (data[0] % 2 == 0) {
		whole(fd);
	} else {
		if (size >= 1 + sizeof(count))
			memcpy(&count, data + 1, sizeof(count)); /* what the message says, too */
		probes(fd, count);
	}
	close(fd);
	return 0;
}
