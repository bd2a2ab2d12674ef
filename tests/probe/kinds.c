/* What single kinds of probe promise beyond a verdict. */
#include "tests.h"

#include "servers.h"

#include <string.h>

/* So many probes as it was told to do last. */
struct progress {
	uint32_t target;
	uint64_t probes;
};

static bool
has_probes(struct bench *b, void *of)
{
	const struct progress *p = of;

	const struct ipc_probe_result *last = &b->seen[p->target].last;

	return last->generation == b->generation && last->probes >= p->probes;
}

/* The application does not hear of half-open probes, and hears of whole ones. */
void
test_half_open_is_never_accepted(void)
{
	static const uint8_t families[] = {IP_V4, IP_V6};
	static struct server servers[2];
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	struct progress enough = {.probes = 10};
	uint32_t i;
	bool done;

	set.probe.interval_ms = 50;
	set.probe.timeout_ms = 40;
	for (i = 0; i < 2; i++) {
		server_start(&servers[i], families[i]);
		set.address = servers[i].at;
		set.probe.half_open = true;
		enough.target = i;
		bench_set(b, i, &set);
		done = bench_until(b, 4000, has_probes, &enough);
		check(done && b->seen[i].last.up && b->seen[i].last.failures == 0 &&
			atomic_load(&servers[i].accepted) == 0,
			"IPv%d half-open: up, %llu good probes, %llu accepted", i == 0 ? 4 : 6,
			(unsigned long long)b->seen[i].last.probes,
			(unsigned long long)atomic_load(&servers[i].accepted));
		set.probe.half_open = false;
		bench_set(b, i, &set);
		done = bench_until(b, 4000, has_probes, &enough);
		check(done && atomic_load(&servers[i].accepted) + 2 >= enough.probes,
			"IPv%d whole: %llu accepted", i == 0 ? 4 : 6,
			(unsigned long long)atomic_load(&servers[i].accepted));
	}
	check(bench_stop(b), "stopped");
	for (i = 0; i < 2; i++)
		server_stop(&servers[i]);
}

/* The probe goes to its own address; the server's has nobody, and is not asked. */
void
test_address_apart(void)
{
	static struct server server;
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	struct progress enough = {.target = 1, .probes = 5};
	bool done;

	server_start(&server, IP_V6);
	set.address.port = server.at.port;
	ip_addr_parse("127.0.0.1", &set.address.addr);
	set.probe.address = server.at.addr;
	bench_set(b, 1, &set);
	done = bench_until(b, 4000, has_probes, &enough);
	check(done && b->seen[1].last.up && b->seen[1].last.failures == 0,
		"asked at another address: up, %llu accepted there",
		(unsigned long long)atomic_load(&server.accepted));
	memset(&set.probe.address, 0, sizeof(set.probe.address));
	bench_set(b, 1, &set);
	done = bench_until(b, 4000, has_probes, &enough);
	check(done && !b->seen[1].last.up && b->seen[1].last.reason == REASON_TCP_REFUSED,
		"asked at its own: refused");
	check(bench_stop(b), "stopped");
	server_stop(&server);
}
