/* Which sockets a prober keeps. */
#include "tests.h"

#include <dirent.h>
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
