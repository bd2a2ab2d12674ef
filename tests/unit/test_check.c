/*
 * What processes may tell each other: each message as it is sent passes, and does not from another
 * sender, to another receiver, shorter, longer, with a descriptor too many or too few, or with a value
 * out of its range in it.
 */
#include "ipc/check.h"

#include "core/election.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ROLES = PROCESS_PROBER + 1, A_DESCRIPTOR = 3 };

static struct channel_message
message(uint32_t kind, const void *payload, size_t size, int fd)
{
	struct channel_message m = {.kind = kind, .fd = fd, .size = size};

	memset(m.payload, 0xff, sizeof(m.payload)); /* what an earlier message left there */
	if (size > 0)
		memcpy(m.payload, payload, size);
	return m;
}

/* Only this sender and this receiver, and only as it is. */
static void
passes(enum process_role from, enum process_role to, struct channel_message m)
{
	assert_true(ipc_message_is_sound(from, to, &m));
	for (int a = 0; a < ROLES; a++)
		assert_true((enum process_role)a == to ||
			!ipc_message_is_sound(from, (enum process_role)a, &m));
	m.size++;
	assert_false(ipc_message_is_sound(from, to, &m));
	m.size--;
	if (m.size-- > 0)
		assert_false(ipc_message_is_sound(from, to, &m));
	m.size++;
	m.fd = m.fd == -1 ? A_DESCRIPTOR : -1;
	assert_false(ipc_message_is_sound(from, to, &m));
}

static bool
is_sound(enum process_role from, enum process_role to, uint32_t kind, const void *payload, size_t size)
{
	struct channel_message m = message(kind, payload, size, -1);

	return ipc_message_is_sound(from, to, &m);
}

static const struct ipc_probe_result good = {.up = true, .ok = true, .reason = REASON_PROBE_OK,
	.at_ns = 1000, .connect_ns = 5, .answer_ns = -1, .probes = 3, .failures = 3,
	.expires_s = INT64_MAX, .weight = 253, .agent = {.has_percent = 1, .percent = 75},
	.evidence = "up 75%"};

static bool
result_passes(struct ipc_probe_result r)
{
	struct ipc_probe_results all = {.count = 2, .results = {good, r}};
	bool passes = is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_PROBE_RESULTS, &all,
		ipc_results_size(2));

	assert_int_equal(is_sound(PROCESS_SUPERVISOR, PROCESS_POOL, IPC_PROBE_RESULT, &r, sizeof(r)),
		passes);
	return passes;
}

#define WITH(field, value) ({ struct ipc_probe_result x = good; x.field = (value); x; })

static struct ipc_probe_result
with_byte(size_t at, uint8_t byte)
{
	struct ipc_probe_result r = good;

	memcpy((uint8_t *)&r + at, &byte, 1);
	return r;
}

static void
results_of_a_prober(void **state)
{
	struct ipc_probe_result r = good;

	(void)state;
	assert_true(result_passes(good));
	assert_false(result_passes(with_byte(offsetof(struct ipc_probe_result, up), 2)));
	assert_false(result_passes(with_byte(offsetof(struct ipc_probe_result, ok), 0xff)));
	assert_false(result_passes(with_byte(offsetof(struct ipc_probe_result, has_weight), 2)));
	assert_false(result_passes(WITH(reason, REASON_COUNT)));
	assert_false(result_passes(WITH(at_ns, -1)));
	assert_false(result_passes(WITH(at_ns, INT64_MAX)));
	assert_false(result_passes(WITH(connect_ns, INT64_MIN)));
	assert_false(result_passes(WITH(connect_ns, INT64_MAX)));
	assert_false(result_passes(WITH(answer_ns, INT64_MAX / 2)));
	assert_false(result_passes(WITH(answer_ns, -2)));
	assert_false(result_passes(WITH(failures, 4)));
	assert_false(result_passes(WITH(expires_s, INT64_MIN)));
	assert_true(result_passes(WITH(expires_s, 253402300799)));
	assert_false(result_passes(WITH(weight, 254)));
	assert_false(result_passes(WITH(agent.admin, 4)));
	memset(r.evidence, 'x', sizeof(r.evidence));
	assert_false(result_passes(r));
	strcpy(r.evidence, "a\nevent=role");
	assert_false(result_passes(r));
}

static void
as_many_as_it_says(void **state)
{
	struct ipc_probe_results all = {.count = 1, .results = {good, good}};

	(void)state;
	passes(PROCESS_PROBER, PROCESS_POOL, message(IPC_PROBE_RESULTS, &all, ipc_results_size(1), -1));
	all.count = 2;
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_PROBE_RESULTS, &all,
		ipc_results_size(1)));
	all.count = UINT64_MAX / sizeof(good);
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_PROBE_RESULTS, &all, sizeof(all)));
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_PROBE_RESULTS, &all, 4));
	assert_false(is_sound(PROCESS_SUPERVISOR, PROCESS_POOL, IPC_PROBE_RESULTS, &all,
		ipc_results_size(1)));
}

static void
sockets_for_a_prober(void **state)
{
	struct ipc_sockets s = {.mark = 7, .kind = IPC_SOCKET_UDP, .family = IP_V6, .count = 1};

	(void)state;
	passes(PROCESS_PROBER, PROCESS_POOL, message(IPC_SOCKETS, &s, sizeof(s), -1));
	passes(PROCESS_POOL, PROCESS_PROBER, message(IPC_SOCKET, &s, sizeof(s), A_DESCRIPTOR));
	s.count = IPC_SOCKETS_MAX + 1;
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_SOCKETS, &s, sizeof(s)));
	s.count = 1;
	s.kind = IPC_SOCKET_KINDS;
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_SOCKETS, &s, sizeof(s)));
	s.kind = IPC_SOCKET_TCP;
	s.family = IP_NONE;
	assert_false(is_sound(PROCESS_PROBER, PROCESS_POOL, IPC_SOCKETS, &s, sizeof(s)));
}

/* Whoever has been taken over has nothing to say to the supervisor. */
static void
who_reads_what_strangers_send_orders_nothing(void **state)
{
	struct ipc_hook hook = {.router = "web"};
	struct ipc_request request = {.id = 1};
	struct ipc_replace replace = {.role = PROCESS_PROBER, .reason = REASON_NO_RESULT};
	struct ipc_exec_set exec = {.config = 1};
	struct ipc_apply apply = {.id = 1};
	struct channel_message with_fd = message(IPC_APPLY, &apply, sizeof(apply), A_DESCRIPTOR);

	(void)state;
	for (int role = PROCESS_RESOLVER; role <= PROCESS_PROBER; role++) {
		enum process_role from = (enum process_role)role;

		assert_true(is_sound(from, PROCESS_SUPERVISOR, IPC_READY, NULL, 0));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, IPC_HOOK, &hook, sizeof(hook)));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, IPC_STATE_REQUEST, &request,
			sizeof(request)));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, IPC_REPLACE, &replace,
			sizeof(replace)));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, IPC_EXEC_SET, &exec, sizeof(exec)));
		assert_false(ipc_message_is_sound(from, PROCESS_SUPERVISOR, &with_fd));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, CHANNEL_MALFORMED, NULL, 0));
		assert_false(is_sound(from, PROCESS_SUPERVISOR, UINT32_MAX, NULL, 0));
	}
	passes(PROCESS_ELECTION, PROCESS_SUPERVISOR, message(IPC_HOOK, &hook, sizeof(hook), -1));
	passes(PROCESS_POOL, PROCESS_SUPERVISOR, message(IPC_STATE_REQUEST, &request,
		sizeof(request), -1));
	passes(PROCESS_POOL, PROCESS_SUPERVISOR, message(IPC_REPLACE, &replace, sizeof(replace), -1));
	passes(PROCESS_POOL, PROCESS_SUPERVISOR, message(IPC_EXEC_SET, &exec, sizeof(exec), -1));
	passes(PROCESS_POOL, PROCESS_SUPERVISOR, with_fd);
	replace.role = PROCESS_ELECTION;
	assert_false(is_sound(PROCESS_POOL, PROCESS_SUPERVISOR, IPC_REPLACE, &replace,
		sizeof(replace)));
	replace = (struct ipc_replace){.role = PROCESS_PROBER, .index = LIMIT_PROBERS};
	assert_false(is_sound(PROCESS_POOL, PROCESS_SUPERVISOR, IPC_REPLACE, &replace,
		sizeof(replace)));
	memset(hook.reason, 'x', sizeof(hook.reason));
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_SUPERVISOR, IPC_HOOK, &hook, sizeof(hook)));
	hook = (struct ipc_hook){.hook = CONF_HOOKS};
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_SUPERVISOR, IPC_HOOK, &hook, sizeof(hook)));
}

static void
answers_of_the_resolver(void **state)
{
	struct ipc_resolved r = {.name = "web1.example.net", .family = IP_V4, .count = 1};

	(void)state;
	assert_true(ip_addr_parse("192.0.2.1", &r.address));
	passes(PROCESS_RESOLVER, PROCESS_POOL, message(IPC_RESOLVED, &r, sizeof(r), -1));
	r.family = IP_V6;
	assert_false(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
	r.count = 0;
	r.address = (struct ip_addr){.family = IP_NONE};
	assert_true(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
	r.family = r.address.family = 9;
	assert_false(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
	r.family = r.address.family = IP_V4;
	r.address.bytes[5] = 1; /* compared as bytes */
	assert_false(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
	r = (struct ipc_resolved){.family = IP_V4};
	memset(r.detail, 'x', sizeof(r.detail));
	assert_false(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
	memset(r.name, 'x', sizeof(r.name));
	r.detail[0] = '\0';
	assert_false(is_sound(PROCESS_RESOLVER, PROCESS_POOL, IPC_RESOLVED, &r, sizeof(r)));
}

static void
of_the_pool_to_the_election(void **state)
{
	struct ipc_neighbours n = {.interface = "eth0", .count = 1};
	struct ipc_switchover wish = {.id = 1};
	struct ipc_track track = {.router = "web", .name = "x", .reason = REASON_PROBE_OK};

	(void)state;
	assert_true(ip_addr_parse("10.0.0.1", &n.list[0]));
	passes(PROCESS_POOL, PROCESS_ELECTION, message(IPC_NEIGHBOURS, &n, sizeof(n), -1));
	n.count = IPC_NEIGHBOURS_MAX + 1;
	assert_false(is_sound(PROCESS_POOL, PROCESS_ELECTION, IPC_NEIGHBOURS, &n, sizeof(n)));
	n.count = 2; /* the second is none */
	assert_false(is_sound(PROCESS_POOL, PROCESS_ELECTION, IPC_NEIGHBOURS, &n, sizeof(n)));
	passes(PROCESS_POOL, PROCESS_ELECTION, message(IPC_SWITCHOVER, &wish, sizeof(wish), -1));
	memset(wish.router, 'x', sizeof(wish.router));
	assert_false(is_sound(PROCESS_POOL, PROCESS_ELECTION, IPC_SWITCHOVER, &wish, sizeof(wish)));
	assert_true(is_sound(PROCESS_POOL, PROCESS_ELECTION, IPC_TRACK, &track, sizeof(track)));
	track.kind = CONF_TRACK_SCRIPT + 1;
	assert_false(is_sound(PROCESS_POOL, PROCESS_ELECTION, IPC_TRACK, &track, sizeof(track)));
	assert_false(is_sound(PROCESS_PROBER, PROCESS_ELECTION, IPC_GATE, NULL, 0));
	passes(PROCESS_POOL, PROCESS_ELECTION, message(IPC_GATE, NULL, 0, -1));
}

static void
of_the_election_to_the_pool(void **state)
{
	struct ipc_router r = {.name = "web", .role = EL_ACTIVE, .lease_ns = INT64_MAX};
	struct ipc_peer_node peer = {.name = "lb2", .last_heard_ns = INT64_MAX, .path_count = 1,
		.paths = {{.name = "eth0", .out = -1, .heard_ns = INT64_MAX}}};

	(void)state;
	passes(PROCESS_ELECTION, PROCESS_POOL, message(IPC_ROUTER, &r, sizeof(r), -1));
	r.role = EL_FAULT + 1;
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_POOL, IPC_ROUTER, &r, sizeof(r)));
	r.role = EL_ACTIVE;
	memset(&r.offering, 2, sizeof(r.offering));
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_POOL, IPC_ROUTER, &r, sizeof(r)));
	passes(PROCESS_ELECTION, PROCESS_POOL, message(IPC_PEER_NODE, &peer, sizeof(peer), -1));
	peer.path_count = IPC_PATHS + 1;
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_POOL, IPC_PEER_NODE, &peer, sizeof(peer)));
	peer.path_count = 1;
	peer.paths[0].out = 2;
	assert_false(is_sound(PROCESS_ELECTION, PROCESS_POOL, IPC_PEER_NODE, &peer, sizeof(peer)));
}

static void
of_the_supervisor(void **state)
{
	struct ipc_peer peer = {.role = PROCESS_PROBER, .index = LIMIT_PROBERS - 1};
	struct ipc_config config = {.generation = 1, .probers = 1};
	struct channel_message m = message(IPC_PEER, &peer, sizeof(peer), A_DESCRIPTOR);

	(void)state;
	assert_true(ipc_message_is_sound(PROCESS_SUPERVISOR, PROCESS_POOL, &m));
	assert_false(ipc_message_is_sound(PROCESS_PROBER, PROCESS_POOL, &m));
	peer.index = LIMIT_PROBERS;
	m = message(IPC_PEER, &peer, sizeof(peer), A_DESCRIPTOR);
	assert_false(ipc_message_is_sound(PROCESS_SUPERVISOR, PROCESS_POOL, &m));
	m = message(IPC_CONFIG, &config, sizeof(config), A_DESCRIPTOR);
	assert_true(ipc_message_is_sound(PROCESS_SUPERVISOR, PROCESS_ELECTION, &m));
	m.fd = -1;
	assert_false(ipc_message_is_sound(PROCESS_SUPERVISOR, PROCESS_ELECTION, &m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_of_a_prober),
		cmocka_unit_test(as_many_as_it_says),
		cmocka_unit_test(sockets_for_a_prober),
		cmocka_unit_test(who_reads_what_strangers_send_orders_nothing),
		cmocka_unit_test(answers_of_the_resolver),
		cmocka_unit_test(of_the_pool_to_the_election),
		cmocka_unit_test(of_the_election_to_the_pool),
		cmocka_unit_test(of_the_supervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
