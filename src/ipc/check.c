/* One row a message, and one function for what is in it. See check.h. */
#include "ipc/check.h"

#include "core/election.h"

#include <string.h>

enum {
	SUPERVISOR = 1 << PROCESS_SUPERVISOR,
	ELECTION = 1 << PROCESS_ELECTION,
	POOL = 1 << PROCESS_POOL,
	RESOLVER = 1 << PROCESS_RESOLVER,
	PROBER = 1 << PROCESS_PROBER,
	CHILDREN = ELECTION | POOL | RESOLVER | PROBER,
	WEIGHT_MAX = 253, /* of an exit status */
};

/* Seven weeks, a hundred of which can be added up; what a boot can last; the year 9999. */
static const int64_t span_max_ns = INT64_C(1) << 52, moment_max_ns = INT64_C(1) << 61;
static const int64_t date_max_s = INT64_C(1) << 38;

/* --- parts ------------------------------------------------------------------------------------- */

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

#define ENDS(field) ends(field, sizeof(field))

/* To read any other byte as a bool is undefined. */
static bool
is_truth(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool
is_printable(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size && text[i] >= ' ' && text[i] <= '~')
		i++;
	return i < size && text[i] == '\0';
}

static bool
is_span(int64_t ns)
{
	return ns >= 0 && ns <= span_max_ns;
}

/* -1: it was not measured. */
static bool
is_measure(int64_t ns)
{
	return ns == -1 || is_span(ns);
}

static bool
is_moment(int64_t ns)
{
	return ns >= 0 && ns <= moment_max_ns;
}

/* INT64_MAX: never. */
static bool
is_moment_or_never(int64_t ns)
{
	return ns == INT64_MAX || is_moment(ns);
}

/* --- messages ---------------------------------------------------------------------------------- */

static bool
config_ok(const void *payload)
{
	const struct ipc_config *c = payload;

	return c->probers <= LIMIT_PROBERS;
}

static bool
peer_ok(const void *payload)
{
	const struct ipc_peer *p = payload;

	return p->role >= PROCESS_ELECTION && p->role <= PROCESS_PROBER && p->index < LIMIT_PROBERS;
}

static bool
hook_ok(const void *payload)
{
	const struct ipc_hook *h = payload;

	return ENDS(h->router) && h->hook < CONF_HOOKS && ENDS(h->role) && ENDS(h->reason);
}

static bool
result_ok(const void *payload)
{
	const struct ipc_result *r = payload;

	return is_truth(&r->ok) && ENDS(r->text);
}

static bool
event_ok(const void *payload)
{
	const struct ipc_event *e = payload;

	return is_moment(e->at_ns) && e->level >= LOG_LEVEL_ERROR && e->level <= LOG_LEVEL_DEBUG &&
		ENDS(e->text);
}

static bool
router_ok(const void *payload)
{
	const struct ipc_router *r = payload;

	return ENDS(r->name) && r->role <= EL_FAULT && r->reason < REASON_COUNT &&
		is_truth(&r->hold) && is_truth(&r->claimed) && is_truth(&r->fenced) &&
		is_truth(&r->peer_active) && is_truth(&r->behind) && is_truth(&r->peer_behind) &&
		is_truth(&r->offering) &&
		is_moment_or_never(r->behind_ns) && is_moment(r->since_ns) &&
		is_moment_or_never(r->lease_ns) && ip_addr_is_sound(&r->peer);
}

static bool
path_ok(const struct ipc_path *p)
{
	return ENDS(p->name) && is_truth(&p->link) && is_truth(&p->carrier) && is_truth(&p->in) &&
		p->out >= -1 && p->out <= 1 && is_moment_or_never(p->heard_ns);
}

static bool
peer_node_ok(const void *payload)
{
	const struct ipc_peer_node *p = payload;
	bool ok = ENDS(p->name) && is_truth(&p->keyed) && is_truth(&p->heard) &&
		is_truth(&p->digest_differs) && is_moment_or_never(p->last_heard_ns) &&
		p->path_count <= IPC_PATHS;

	for (uint32_t i = 0; ok && i < p->path_count; i++)
		ok = path_ok(&p->paths[i]);
	return ok;
}

static bool
election_stats_ok(const void *payload)
{
	const struct ipc_election_stats *s = payload;

	return is_moment(s->lateness_max_ns) && is_moment(s->lateness_last_ns);
}

static bool
name_ok(const void *payload)
{
	const struct ipc_name *n = payload;

	return ENDS(n->name);
}

static bool
switchover_ok(const void *payload)
{
	const struct ipc_switchover *s = payload;

	return ENDS(s->router);
}

static bool
neighbours_ok(const void *payload)
{
	const struct ipc_neighbours *n = payload;
	bool ok = ENDS(n->interface) && n->count <= IPC_NEIGHBOURS_MAX;

	for (uint32_t i = 0; ok && i < n->count; i++)
		ok = n->list[i].family != IP_NONE && ip_addr_is_sound(&n->list[i]);
	return ok;
}

static bool
view_ok(const void *payload)
{
	const struct ipc_view *v = payload;

	return ENDS(v->router);
}

static bool
servers_ok(const void *payload)
{
	const struct ipc_servers *s = payload;

	return ENDS(s->router);
}

static bool
track_ok(const void *payload)
{
	const struct ipc_track *t = payload;

	return ENDS(t->router) && ENDS(t->name) && t->kind <= CONF_TRACK_SCRIPT && is_truth(&t->up) &&
		t->reason < REASON_COUNT && ENDS(t->detail);
}

static bool
track_state_ok(const void *payload)
{
	const struct ipc_track_state *s = payload;

	return track_ok(&s->track) && is_truth(&s->known) && is_moment_or_never(s->since_ns);
}

static bool
probe_table_ok(const void *payload)
{
	const struct ipc_probe_table *t = payload;

	return t->count <= LIMIT_PROBES;
}

static bool
probe_set_ok(const void *payload)
{
	const struct ipc_probe_set *s = payload;

	return s->seed <= PROBE_SEED_DOWN && is_truth(&s->urgent) && s->node < LIMIT_NODES &&
		ip_addr_is_sound(&s->address.addr) && s->probe < LIMIT_PROBES;
}

static bool
exec_set_ok(const void *payload)
{
	const struct ipc_exec_set *e = payload;

	return probe_set_ok(&e->set) && ip_addr_is_sound(&e->elsewhere) && ENDS(e->server) &&
		ENDS(e->virtual);
}

static bool
probe_result_ok(const void *payload)
{
	const struct ipc_probe_result *r = payload;

	return is_truth(&r->up) && is_truth(&r->ok) && r->reason < REASON_COUNT &&
		is_moment(r->at_ns) && is_measure(r->connect_ns) && is_measure(r->answer_ns) &&
		r->failures <= r->probes &&
		(r->expires_s == INT64_MAX ||
			(r->expires_s >= -date_max_s && r->expires_s <= date_max_s)) &&
		is_truth(&r->has_weight) && r->weight <= WEIGHT_MAX && agent_is_sound(&r->agent) &&
		is_printable(r->evidence, sizeof(r->evidence));
}

/* Of at least no results; their number tells the length. */
static bool
probe_results_ok(const struct channel_message *m)
{
	const struct ipc_probe_results *all = ipc_results(m->payload, m->size);
	bool ok = all != NULL;

	for (uint64_t i = 0; ok && i < all->count; i++)
		ok = probe_result_ok(&all->results[i]);
	return ok;
}

static bool
prober_stats_ok(const void *payload)
{
	const struct ipc_prober_stats *s = payload;

	return s->pid > 0 && is_moment(s->stall_ns) && is_moment(s->lateness_p99_ns) &&
		is_moment(s->lateness_max_ns);
}

/* Asked for by a prober, or one of them. */
static bool
sockets_ok(const void *payload)
{
	const struct ipc_sockets *s = payload;

	return s->mark != 0 && s->kind < IPC_SOCKET_KINDS && s->count <= IPC_SOCKETS_MAX &&
		(s->family == IP_V4 || s->family == IP_V6);
}

static bool
exec_stats_ok(const void *payload)
{
	const struct ipc_exec_stats *s = payload;

	return is_moment(s->lateness_p99_ns) && is_moment(s->lateness_max_ns);
}

static bool
resolve_ok(const void *payload)
{
	const struct ipc_resolve *r = payload;

	return ENDS(r->name) && (r->family == IP_V4 || r->family == IP_V6) &&
		is_truth(&r->loopback);
}

static bool
resolved_ok(const void *payload)
{
	const struct ipc_resolved *r = payload;

	return ENDS(r->name) && (r->family == IP_V4 || r->family == IP_V6) &&
		is_truth(&r->loopback) && ENDS(r->detail) &&
		ip_addr_is_sound(&r->address) && (r->count == 0 || r->address.family == r->family);
}

static bool
replace_ok(const void *payload)
{
	const struct ipc_replace *r = payload;

	return ((r->role == PROCESS_PROBER && r->index < LIMIT_PROBERS) ||
		(r->role == PROCESS_RESOLVER && r->index == 0)) && r->reason < REASON_COUNT;
}

static bool
apply_ok(const void *payload)
{
	const struct ipc_apply *a = payload;

	return ENDS(a->file);
}

/* --- who says what to whom --------------------------------------------------------------------- */

enum { NO_FD = false, FD = true };

/* Without a function: whatever its bytes are. Those of variable length are not here. */
static const struct rule {
	enum ipc_kind kind;
	uint32_t from, to;
	bool fd;
	size_t size;
	bool (*ok)(const void *payload);
} rules[] = {
	{IPC_CONFIG, SUPERVISOR, ELECTION | POOL, FD, sizeof(struct ipc_config), config_ok},
	{IPC_PEER, SUPERVISOR, CHILDREN, FD, sizeof(struct ipc_peer), peer_ok},
	{IPC_STOP, SUPERVISOR, CHILDREN, NO_FD, 0, NULL},
	{IPC_READY, CHILDREN, SUPERVISOR, NO_FD, 0, NULL},
	{IPC_CONFIG_DONE, ELECTION | POOL, SUPERVISOR, NO_FD, sizeof(struct ipc_config), config_ok},
	{IPC_HOOK, ELECTION, SUPERVISOR, NO_FD, sizeof(struct ipc_hook), hook_ok},
	{IPC_STATE_REQUEST, POOL, SUPERVISOR, NO_FD, sizeof(struct ipc_request), NULL},
	{IPC_RELOAD_RESULT, SUPERVISOR, POOL, NO_FD, sizeof(struct ipc_result), result_ok},
	{IPC_EVENT, SUPERVISOR, POOL, NO_FD, sizeof(struct ipc_event), event_ok},
	{IPC_ROUTER, ELECTION, POOL, NO_FD, sizeof(struct ipc_router), router_ok},
	{IPC_PEER_NODE, ELECTION, POOL, NO_FD, sizeof(struct ipc_peer_node), peer_node_ok},
	{IPC_ELECTION_STATS, ELECTION, POOL, NO_FD, sizeof(struct ipc_election_stats), election_stats_ok},
	{IPC_PREPARE, ELECTION, POOL, NO_FD, sizeof(struct ipc_name), name_ok},
	{IPC_SWITCHOVER_RESULT, ELECTION, POOL, NO_FD, sizeof(struct ipc_result), result_ok},
	{IPC_PREPARED, POOL, ELECTION, NO_FD, sizeof(struct ipc_name), name_ok},
	{IPC_SWITCHOVER, POOL, ELECTION, NO_FD, sizeof(struct ipc_switchover), switchover_ok},
	{IPC_NEIGHBOURS, POOL, ELECTION, NO_FD, sizeof(struct ipc_neighbours), neighbours_ok},
	{IPC_VIEW, POOL, ELECTION, NO_FD, sizeof(struct ipc_view), view_ok},
	{IPC_SERVERS, POOL, ELECTION, NO_FD, sizeof(struct ipc_servers), servers_ok},
	{IPC_GATE, POOL, ELECTION, NO_FD, 0, NULL},
	{IPC_DUMP_STATE, SUPERVISOR, ELECTION | POOL, NO_FD, 0, NULL},
	{IPC_DUMP_STATE, POOL, ELECTION, NO_FD, 0, NULL},
	{IPC_TRACK, SUPERVISOR | POOL, ELECTION, NO_FD, sizeof(struct ipc_track), track_ok},
	{IPC_TRACK_STATE, ELECTION, POOL, NO_FD, sizeof(struct ipc_track_state), track_state_ok},
	{IPC_PROBE_TABLE, POOL, PROBER, FD, sizeof(struct ipc_probe_table), probe_table_ok},
	{IPC_PROBE_SET, POOL, PROBER, NO_FD, sizeof(struct ipc_probe_set), probe_set_ok},
	{IPC_PROBE_CLEAR, POOL, PROBER, NO_FD, sizeof(struct ipc_probe_clear), NULL},
	{IPC_PROBER_STATS, PROBER, POOL, NO_FD, sizeof(struct ipc_prober_stats), prober_stats_ok},
	{IPC_SOCKETS, PROBER, POOL, NO_FD, sizeof(struct ipc_sockets), sockets_ok},
	{IPC_SOCKET, POOL, PROBER, FD, sizeof(struct ipc_sockets), sockets_ok},
	{IPC_RESOLVE, POOL, RESOLVER, NO_FD, sizeof(struct ipc_resolve), resolve_ok},
	{IPC_RESOLVED, RESOLVER, POOL, NO_FD, sizeof(struct ipc_resolved), resolved_ok},
	{IPC_PROBE_RESULT, SUPERVISOR, POOL, NO_FD, sizeof(struct ipc_probe_result), probe_result_ok},
	{IPC_EXEC_STATS, SUPERVISOR, POOL, NO_FD, sizeof(struct ipc_exec_stats), exec_stats_ok},
	{IPC_REPLACE, POOL, SUPERVISOR, NO_FD, sizeof(struct ipc_replace), replace_ok},
	{IPC_EXEC_SET, POOL, SUPERVISOR, NO_FD, sizeof(struct ipc_exec_set), exec_set_ok},
	{IPC_EXEC_CLEAR, POOL, SUPERVISOR, NO_FD, sizeof(struct ipc_probe_clear), NULL},
	{IPC_APPLY, POOL, SUPERVISOR, FD, sizeof(struct ipc_apply), apply_ok},
};

static const struct rule *
find(enum process_role from, enum process_role to, uint32_t kind)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].kind == kind && (rules[i].from & 1u << from) != 0 &&
			(rules[i].to & 1u << to) != 0)
			return &rules[i];
	return NULL;
}

bool
ipc_message_is_sound(enum process_role from, enum process_role to, const struct channel_message *m)
{
	const struct rule *rule = find(from, to, m->kind);

	if (m->kind == IPC_PROBE_RESULTS && from == PROCESS_PROBER && to == PROCESS_POOL)
		return m->fd == -1 && probe_results_ok(m);
	return rule != NULL && m->size == rule->size && (m->fd != -1) == rule->fd &&
		(rule->ok == NULL || rule->ok(m->payload));
}
