/*
 * A message from one process to another, whatever its bytes are. Input: sender, receiver, whether a
 * descriptor came along, the kind, the payload. Promises: what passes can be used without a further look
 * (every text ends, every count fits, sums do not overflow, a bool is one), who reads what strangers
 * send can order the supervisor to do nothing, and a second look says the same.
 */
#include "fuzz.h"

#include "ipc/check.h"

#include <string.h>

enum { ROLES = PROCESS_PROBER + 1, HEAD = 4 };

#define ENDS(field) PROMISE(memchr(field, '\0', sizeof(field)) != NULL)

/* As sums and averages of the receivers; the sanitizer looks on. */
static int64_t
use_result(const struct ipc_probe_result *r)
{
	int64_t sum = r->connect_ns * 100 + r->answer_ns * 100;

	ENDS(r->evidence);
	PROMISE(r->reason < REASON_COUNT && reason_tag((enum reason)r->reason)[0] != '\0');
	PROMISE(r->failures <= r->probes);
	if (r->expires_s != INT64_MAX)
		sum += r->expires_s - INT64_C(1) * 86400;
	return sum + r->at_ns + (r->up ? 1 : 0) + (r->ok ? 1 : 0) + (r->has_weight ? r->weight : 0);
}

static void
use_prober(const struct channel_message *m)
{
	struct ipc_probe_results all;
	int64_t sum = 0;

	PROMISE(m->kind == IPC_PROBE_RESULTS || m->kind == IPC_PROBER_STATS ||
		m->kind == IPC_SOCKETS);
	if (m->kind != IPC_PROBE_RESULTS)
		return;
	PROMISE(m->size <= sizeof(all));
	memcpy(&all, m->payload, m->size);
	PROMISE(m->size == ipc_results_size(all.count));
	for (uint64_t i = 0; i < all.count; i++)
		sum ^= use_result(&all.results[i]);
	PROMISE(sum != INT64_MIN);
}

static void
use_resolved(const struct channel_message *m)
{
	struct ipc_resolved r;
	char text[ADDR_TEXT];

	PROMISE(m->kind == IPC_RESOLVED && m->size == sizeof(r));
	memcpy(&r, m->payload, sizeof(r));
	ENDS(r.name);
	ENDS(r.detail);
	PROMISE(r.count == 0 || ip_addr_format(&r.address, text)[0] != 'n');
}

static void
use_election(const struct channel_message *m)
{
	struct ipc_router r;
	struct ipc_peer_node p;
	unsigned up = 0;

	if (m->kind == IPC_ROUTER) {
		memcpy(&r, m->payload, sizeof(r));
		ENDS(r.name);
		up = (unsigned)(r.hold + r.claimed + r.fenced + r.peer_active + r.behind + r.peer_behind +
			r.offering);
		PROMISE(up <= 7);
	} else if (m->kind == IPC_PEER_NODE) {
		memcpy(&p, m->payload, sizeof(p));
		ENDS(p.name);
		PROMISE(p.path_count <= IPC_PATHS);
		for (uint32_t i = 0; i < p.path_count; i++) {
			ENDS(p.paths[i].name);
			up += (unsigned)(p.paths[i].in + p.paths[i].carrier + p.paths[i].link);
		}
		PROMISE(up <= 3 * IPC_PATHS);
	}
}

static void
use_pool(const struct channel_message *m)
{
	struct ipc_neighbours n;
	struct ipc_track t;
	struct ipc_name name;

	if (m->kind == IPC_NEIGHBOURS) {
		memcpy(&n, m->payload, sizeof(n));
		ENDS(n.interface);
		PROMISE(n.count <= IPC_NEIGHBOURS_MAX);
		for (uint32_t i = 0; i < n.count; i++)
			PROMISE(ip_addr_size(&n.list[i]) != 0);
	} else if (m->kind == IPC_TRACK) {
		memcpy(&t, m->payload, sizeof(t));
		ENDS(t.router);
		ENDS(t.name);
		ENDS(t.detail);
		PROMISE(t.reason < REASON_COUNT && t.kind <= CONF_TRACK_SCRIPT);
	} else if (m->kind == IPC_PREPARED) {
		memcpy(&name, m->payload, sizeof(name));
		ENDS(name.name);
	}
}

static void
use(enum process_role from, enum process_role to, const struct channel_message *m)
{
	if (from >= PROCESS_RESOLVER && to == PROCESS_SUPERVISOR)
		PROMISE(m->kind == IPC_READY && m->size == 0 && m->fd == -1);
	else if (from == PROCESS_PROBER)
		use_prober(m);
	else if (from == PROCESS_RESOLVER)
		use_resolved(m);
	else if (from == PROCESS_ELECTION && to == PROCESS_POOL)
		use_election(m);
	else if (from == PROCESS_POOL && to == PROCESS_ELECTION)
		use_pool(m);
	PROMISE(from != to && m->kind != CHANNEL_MALFORMED);
	PROMISE(from == PROCESS_SUPERVISOR || from == PROCESS_POOL || m->fd == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct channel_message m;
	enum process_role from, to;
	bool sound;

	if (size < HEAD || size - HEAD > sizeof(m.payload))
		return 0;
	from = (enum process_role)(data[0] % ROLES);
	to = (enum process_role)(data[1] % ROLES);
	m.fd = data[2] % 2 == 0 ? -1 : 0;
	m.kind = data[3];
	m.size = size - HEAD;
	memset(m.payload, 0xff, sizeof(m.payload)); /* what an earlier one left there */
	memcpy(m.payload, data + HEAD, m.size);
	sound = ipc_message_is_sound(from, to, &m);
	PROMISE(ipc_message_is_sound(from, to, &m) == sound);
	if (sound)
		use(from, to, &m);
	return 0;
}
