/*
 * Connection sync between the two nodes (net/netfilter/ipvs/ip_vs_sync.c), for hot standby.
 *
 * Both daemons, master and backup, run on both nodes all the time with crossed ids: the node sends
 * with its own number and takes the other's. So nothing has to be started in a takeover, and a
 * node that lost the role goes on learning. What changes is the gate, backup_only: with 1 a standby
 * lets every packet pass by untouched (needed where it is itself a real server).
 *
 * The gate has two writers. The election's hands open it right before they set the addresses and
 * shut it after they removed them; that order cannot depend on this process. We only repair: open
 * whenever a router is active here, shut only when the kernel says open although all are known not
 * to be active, which happens once at start. Should a takeover cross that one write, the message
 * that tells of it is already on its way and the next reconcile opens again.
 */
#include "proc/pool_process.h"

#include <string.h>

/* Row of the first hot router that has virtual servers. */
static uint32_t
hot_router(const struct pool *p)
{
	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		if (p->config.routers[p->config.virtuals[i].router].standby == CONF_STANDBY_HOT)
			return p->config.virtuals[i].router;
	return CONF_NO_INDEX;
}

static void
reconcile_gate(struct pool *p)
{
	bool all_known = true, any_active = false;

	for (uint32_t i = 0; i < p->config.virtual_count; i++) {
		const struct pool_router *r = &p->routers[p->config.virtuals[i].router];

		all_known = all_known && r->known;
		any_active = any_active || r->preparing || (r->known && r->facts.role == EL_ACTIVE);
	}
	if (any_active)
		sysctl_want(p, SYSCTL_BACKUP_ONLY, "0");
	else if (all_known)
		sysctl_want(p, SYSCTL_BACKUP_ONLY, "1");
}

void
sync_reconcile(struct pool *p)
{
	uint32_t router = hot_router(p);
	const struct conf_sync *sync = &p->config.sync;
	struct ipvs_sync wanted = {.master = false}, now;
	int error;

	if (!p->ipvs)
		return;
	sysctls_reconcile(p);
	if (router == CONF_NO_INDEX || p->config.node_count < 2 || !p->config.sync.enabled) {
		sync_stop(p);
		return;
	}
	wanted.master = wanted.backup = true;
	wanted.master_id = (uint8_t)(sync->id + p->child->node);
	wanted.backup_id = (uint8_t)(sync->id + 1 - p->child->node);
	wanted.group = sync->group;
	wanted.port = sync->port;
	wanted.ttl = sync->ttl;
	wanted.maxlen = sync->maxlen;
	memcpy(wanted.interface, sync->interface[0] != '\0' ? sync->interface
		: p->config.routers[router].interface, sizeof(wanted.interface));
	/* The first packet of an established connection is told, and every state after it ... */
	sysctl_want(p, SYSCTL_SYNC_THRESHOLD, "0 1");
	/* ... and again when its timer moved by ten seconds, so that idle ones stay alive there. */
	sysctl_want(p, SYSCTL_SYNC_REFRESH_PERIOD, "10");
	sysctl_want(p, SYSCTL_SYNC_RETRIES, "2");
	reconcile_gate(p);
	/* Those that run already are an earlier life's: ours, and ours to stop. */
	if (ipvs_sync_get(p->ipvs, &now) != 0 || !ipvs_sync_matches(&now, &wanted)) {
		error = ipvs_sync_set(p->ipvs, &wanted);
		if (error != 0) {
			pool_complain(p, "connection sync daemons", error);
			p->sync_refused = true;
			return;
		}
	}
	p->sync = wanted;
	p->sync_set = true;
	p->sync_refused = false;
}

void
sync_stop(struct pool *p)
{
	struct ipvs_sync none = {.master = false};

	if (!p->ipvs)
		return;
	if (p->sync_set)
		ipvs_sync_set(p->ipvs, &none);
	for (int i = SYSCTL_SYNC_THRESHOLD; i <= SYSCTL_BACKUP_ONLY; i++)
		sysctl_drop(p, (enum pool_sysctl_row)i);
	p->sync_set = p->sync_refused = false;
}
