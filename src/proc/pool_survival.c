/*
 * What each virtual server's connections survive a takeover by, out of what is known here; and the
 * digest by which two keyed nodes find out whether they choose from the same real servers. It is of
 * those services that choose by hash, as they are in the kernel: configuration, verdicts and what
 * somebody changed by hand are all in it. Without a key the peer tells nothing.
 */
#include "proc/pool_process.h"

#include "core/survival.h"
#include "ipc/channel.h"

#include <string.h>

static uint32_t
add_service(const struct pool *p, const struct vs_service *s, uint32_t digest)
{
	digest = survival_digest_add(digest, &s->key.listen.addr, sizeof(s->key.listen.addr));
	digest = survival_digest_add(digest, &s->key.listen.port, sizeof(s->key.listen.port));
	digest = survival_digest_add(digest, &s->flags, sizeof(s->flags));
	for (uint32_t i = 0; i < s->real_count; i++) {
		const struct vs_real *r = &p->actual.reals[s->first_real + i];

		digest = survival_digest_add(digest, &r->address.addr, sizeof(r->address.addr));
		digest = survival_digest_add(digest, &r->address.port, sizeof(r->address.port));
		digest = survival_digest_add(digest, &r->weight, sizeof(r->weight));
	}
	return digest;
}

/* 0: there is nothing to compare, or it is not known. */
static uint8_t
servers_of(const struct pool *p, uint32_t router)
{
	uint32_t digest = survival_digest_begin();
	bool any = false;

	for (uint32_t i = 0; p->ipvs && p->actual_known && i < p->config.virtual_count; i++) {
		const struct conf_virtual *v = &p->config.virtuals[i];

		if (v->router != router || !survival_is_hash(v->scheduler, v->persistence_s))
			continue;
		for (uint32_t k = 0; k < virtual_services(&p->config, v); k++) {
			struct vs_key key = virtual_key(&p->config, v, k);
			const struct vs_service *s = vs_table_find(&p->actual, &key);

			if (!s)
				return 0;
			digest = add_service(p, s, digest);
			any = true;
		}
	}
	return any ? survival_digest_end(digest) : 0;
}

void
survival_tell(struct pool *p)
{
	for (uint32_t i = 0; p->election_fd != -1 && i < p->config.router_count; i++) {
		struct ipc_servers servers = {.digest = servers_of(p, i)};

		memcpy(servers.router, p->config.routers[i].name, sizeof(servers.router));
		if (p->routers[i].servers_told == servers.digest &&
			p->routers[i].servers_fd == p->election_fd)
			continue;
		if (channel_send(p->election_fd, IPC_SERVERS, &servers, sizeof(servers), -1) != 0)
			continue;
		p->routers[i].servers_told = servers.digest;
		p->routers[i].servers_fd = p->election_fd;
	}
}

static enum survival_servers
compare(const struct pool *p, const struct conf_virtual *v)
{
	const struct pool_router *r = &p->routers[v->router];
	uint8_t ours = servers_of(p, v->router);

	if (!p->peer_known || !p->peer.keyed || !p->peer.heard || !r->known)
		return SERVERS_UNTOLD;
	if (!survival_is_hash(v->scheduler, v->persistence_s)) /* nothing finer is told of those */
		return p->peer.digest_differs ? SERVERS_DIFFER : SERVERS_EQUAL;
	if (ours == 0 || r->facts.peer_servers == 0)
		return p->peer.digest_differs ? SERVERS_DIFFER : SERVERS_UNTOLD;
	return ours == r->facts.peer_servers ? SERVERS_EQUAL : SERVERS_DIFFER;
}

static bool
refused(const struct pool *p, int first, int last)
{
	for (int i = first; i <= last; i++)
		if (p->sysctls[i].error != 0)
			return true;
	return false;
}

static bool
sloppy_refused(const struct pool *p, const struct conf_virtual *v)
{
	bool tcp = v->fwmark != 0 || v->protocol == CONF_TCP;
	bool sctp = v->fwmark != 0 || v->protocol == CONF_SCTP;

	return (tcp && p->sysctls[SYSCTL_SLOPPY_TCP].error != 0) ||
		(sctp && p->sysctls[SYSCTL_SLOPPY_SCTP].error != 0);
}

struct survival
survival_of(const struct pool *p, uint32_t virtual_row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	const struct pool_router *r = &p->routers[v->router];
	struct survival_facts f = {
		.alone = p->config.node_count < 2,
		.peer_lost = p->peer_known && p->peer.keyed && !p->peer.heard,
		.cold = p->config.routers[v->router].standby == CONF_STANDBY_COLD,
		.balancing = p->ipvs != NULL,
		.one_packet = v->one_packet,
		.hashing = survival_is_hash(v->scheduler, v->persistence_s),
		.sloppy_refused = sloppy_refused(p, v),
		.sync_enabled = p->config.sync.enabled,
		.sync_running = p->sync_set && !p->sync_refused,
		.sysctl_refused = refused(p, SYSCTL_SYNC_THRESHOLD, SYSCTL_BACKUP_ONLY),
		.behind = r->known && (r->facts.behind || r->facts.peer_behind),
		.servers = compare(p, v),
	};

	return survival_judge(&f);
}
