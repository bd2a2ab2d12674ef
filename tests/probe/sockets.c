/* Which sockets a prober keeps. */
#include "tests.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct sockets {
	size_t count;
	unsigned long inode[256];
};

static struct sockets
sockets_of(pid_t pid)
{
	char path[300], link[64];
	struct sockets s = {0};
	unsigned long inode;
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, entry->d_name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) == 1 && s.count < 256)
			s.inode[s.count++] = inode;
	}
	if (d != NULL)
		closedir(d);
	return s;
}

/* How many of them are not there any more. */
static size_t
gone(const struct sockets *before, const struct sockets *now)
{
	size_t i, j, n = 0;

	for (i = 0; i < before->count; i++) {
		for (j = 0; j < now->count && now->inode[j] != before->inode[i]; j++)
			continue;
		n += j == now->count;
	}
	return n;
}

/* Echoes have no socket of their own, and none to give back: those of tcp probes are used again. */
void
test_echoes_leave_sockets_alone(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe tcp = probe_of_type(CONF_PROBE_TCP), echo = probe_of_type(CONF_PROBE_ICMP);
	struct sockets idle = sockets_of(b->pid), before, now;
	uint64_t echoes = 0;
	uint32_t i;

	tcp.address.port = listen_on_any();
	ip_addr_parse("127.0.0.1", &tcp.address.addr);
	bench_set(b, 0, &tcp);
	bench_run(b, 300);
	echo.probe.interval_ms = echo.probe.timeout_ms = 20;
	for (i = 1; i <= 60; i++) {
		ip_addr_parse("127.0.0.1", &echo.address.addr);
		echo.address.addr.bytes[3] = (uint8_t)i;
		bench_set(b, i, &echo);
	}
	bench_run(b, 2500);
	for (i = 1; i <= 60; i++)
		echoes += b->seen[i].last.probes;
	before = sockets_of(b->pid);
	bench_run(b, 1000);
	now = sockets_of(b->pid);
	check(echoes > 1100 && before.count > idle.count && gone(&before, &now) == 0,
		"after %llu echoes %zu sockets are kept, and %zu of them closed",
		(unsigned long long)echoes, before.count - idle.count, gone(&before, &now));
	check(bench_stop(b), "stopped");
}

/* Who gives none gets no verdict; who gives some is not asked for one a probe. */
void
test_marked_sockets(void)
{
	struct bench *b = bench_start(0);
	struct bench_probe set = probe_of_type(CONF_PROBE_TCP);
	const struct ipc_probe_result *r = &b->seen[0].last;
	uint64_t given;

	set.seed = PROBE_SEED_UP;
	set.urgent = true;
	set.probe.mark = 7;
	set.address.port = listen_on_any();
	ip_addr_parse("127.0.0.1", &set.address.addr);
	bench_set(b, 0, &set);
	bench_run(b, 900);
	check(b->asked >= 5 && b->asked <= 25, "asked for again and again, and not too often: %llu times",
		(unsigned long long)b->asked);
	check(r->reason == REASON_LOCAL_ERROR && r->detail == EAGAIN && r->up && r->failures == 0,
		"without a socket: %s, still up", reason_tag((enum reason)r->reason));
	b->gives = true;
	bench_run(b, 1500);
	check(r->reason == REASON_PROBE_OK && r->probes > 8, "with one: %s",
		reason_tag((enum reason)r->reason));
	given = b->given;
	bench_run(b, 2000);
	check(given == IPC_SOCKETS_MAX && b->given == given, "they are used again: %llu for %llu probes",
		(unsigned long long)b->given, (unsigned long long)r->probes);
	bench_clear(b, 0);
	check(bench_stop(b), "stopped");
}
