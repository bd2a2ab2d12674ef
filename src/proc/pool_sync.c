/*
 * Connection sync between the two nodes (net/netfilter/ipvs/ip_vs_sync.c), for hot standby.
 *
 * Both daemons, master and backup, run on both nodes all the time with crossed ids: the node sends
 * with its own number and takes the other's. So nothing has to be started in a takeover, and a
 * node that lost the role goes on learning. What changes is the gate, backup_only: with 1 a standby
 * lets every packet pass by untouched (needed where it is itself a real server).
 *
 * The gate has one writer, the election's hands: they open it right before they set the addresses
 * and shut it after they removed them. What this process knows of the roles is always a little old,
 * and a gate that it shut behind a takeover would have the kernel reset connections until the
 * message of the takeover is read. So we look, and where the gate is not as the roles make it (at
 * start, or by somebody else's hand) we ask the election, which answers for the roles of that moment.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"

#include <errno.h>
#include <string.h>

enum { GATE_PATIENCE = 3 }; /* looks, a second apart */

static bool
has_hot_router(const struct pool *p)
{
	for (uint32_t i = 0; i < p->config.virtual_count; i++)
		if (p->config.routers[p->config.virtuals[i].router].standby == CONF_STANDBY_HOT)
			return true;
	return false;
}

/* Asked for several times and still not so: the kernel refuses it to the election. */
static void
ask_for_gate(struct pool *p, const char *value)
{
	struct pool_sysctl *s = &p->sysctls[SYSCTL_BACKUP_ONLY];

	if (strcmp(s->wanted, value) != 0)
		p->gate_asked = 0;
	if (sysctl_is(p, SYSCTL_BACKUP_ONLY, value)) {
		p->gate_asked = 0;
		return;
	}
	if (s->error != 0 || p->election_fd == -1)
		return;
	channel_send(p->election_fd, IPC_GATE, NULL, 0, -1);
	if (++p->gate_asked < GATE_PATIENCE)
		return;
	s->error = -EPERM;
	pool_complain(p, sysctl_name(SYSCTL_BACKUP_ONLY), s->error);
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
		ask_for_gate(p, "0");
	else if (all_known)
		ask_for_gate(p, "1");
}

void
sync_reconcile(struct pool *p)
{
	const struct conf_sync *sync = &p->config.sync;
	struct ipvs_sync wanted = {.master = false}, now;
	int error;

	if (!p->ipvs)
		return;
	sysctls_reconcile(p);
	if (!has_hot_router(p) || p->config.node_count < 2 || !p->config.sync.enabled) {
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
	memcpy(wanted.interface, sync->interface, sizeof(wanted.interface));
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
