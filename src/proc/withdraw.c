/*
 * Removing addresses in place of an election process that cannot do it itself. The lease would do
 * it within seconds; this is for those seconds.
 */
#include "proc/supervisor.h"

#include "linux/addresses.h"
#include "linux/fence_table.h"
#include "linux/macvlan.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static size_t
list_changes(const struct config *config, struct address_change *changes)
{
	const struct ip_addr any = {.family = IP_V4};
	size_t n = 0;

	for (uint32_t i = 0; i < config->block_count; i++) { /* first: a block stands on an address */
		const struct conf_block *b = &config->blocks[i];
		unsigned ifindex = if_nametoindex(b->interface);

		if (ifindex != 0)
			changes[n++] = (struct address_change){.prefix = b->prefix,
				.ifindex = (int)ifindex, .anchor = any};
	}
	for (uint32_t i = 0; i < config->address_count; i++) {
		const struct conf_address *a = &config->addresses[i];
		unsigned ifindex = if_nametoindex(a->interface);

		if (ifindex == 0)
			continue;
		changes[n++] = (struct address_change){.prefix = a->prefix, .ifindex = (int)ifindex};
	}
	return n;
}

static void
forget_active(struct handover *h)
{
	for (size_t i = 0; i < LIMIT_ROUTERS; i++)
		atomic_store(&h->routers[i].active, 0);
}

static bool
any_active(struct handover *h)
{
	for (size_t i = 0; i < LIMIT_ROUTERS; i++)
		if (atomic_load(&h->routers[i].active))
			return true;
	return false;
}

static void
log_removed(void *supervisor, const char *name)
{
	struct supervisor *s = supervisor;
	struct log_line line;

	log_line_begin(&line, "link");
	log_line_text(&line, "interface", name);
	log_line_text(&line, "state", "removed");
	log_line_reason(&line, REASON_STOPPED);
	log_emit(&s->log, LOG_LEVEL_INFO, &line);
}

void
withdraw_devices(struct supervisor *s)
{
	struct macvlan_socket *socket;
	bool wanted = false;

	for (uint32_t i = 0; i < s->config.router_count; i++)
		wanted = wanted || s->config.routers[i].virtual_mac;
	if (!wanted || macvlan_open(&socket) != 0)
		return;
	macvlan_purge(socket, NULL, 0, log_removed, s);
	macvlan_close(socket);
}

void
withdraw_addresses(struct supervisor *s, enum reason why)
{
	struct address_socket *socket;
	struct address_change *changes;
	struct log_line line;
	int failed;

	if (!any_active(s->handover))
		return;
	forget_active(s->handover);
	withdraw_devices(s); /* with everything that is on them */
	changes = calloc(s->config.address_count + s->config.block_count, sizeof(*changes));
	if (!changes || address_socket_open(&socket) != 0) {
		free(changes);
		return;
	}
	failed = addresses_apply(socket, ADDRESS_REMOVE, changes, list_changes(&s->config, changes));
	address_socket_close(socket);
	free(changes);
	log_line_begin(&line, "fence");
	log_line_reason(&line, why);
	log_line_text(&line, "detail", "the supervisor removed the addresses");
	log_line_int(&line, "failed", failed);
	log_emit(&s->log, LOG_LEVEL_WARNING, &line);
}

void
withdraw_fence(struct supervisor *s)
{
	struct fence_table *table;
	char name[FENCE_NAME];

	if (!atomic_load(&s->handover->fence) ||
		fence_table_open(fence_table_name(s->options.run_dir, name), &table) != 0)
		return;
	fence_table_remove(table); /* gone already: what was wanted */
	fence_table_close(table);
}
