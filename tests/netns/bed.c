/* See bed.h. */
#include "bed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
new_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) == -1) {
		perror("unshare (these tests need root)");
		exit(1);
	}
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	return fd;
}

void
bed_enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static void
run_list(const char *format, va_list ap)
{
	char command[1024];

	vsnprintf(command, sizeof(command), format, ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

void
bed_run(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	run_list(format, ap);
	va_end(ap);
}

void
bed_run_there(struct bed *bed, const char *format, ...)
{
	va_list ap;

	bed_enter(bed->there);
	va_start(ap, format);
	run_list(format, ap);
	va_end(ap);
	bed_enter(bed->here);
}

const char *
bed_ask(const char *format, ...)
{
	static char line[4096];
	char command[1024];
	va_list ap;
	FILE *f;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	f = popen(command, "r");
	assert_non_null(f);
	line[0] = '\0';
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	pclose(f);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

void
bed_await_up(const char *name)
{
	for (int i = 0; i < 500; i++) {
		if (strcmp(bed_ask("ip link show dev %s | grep -c 'state UP'", name), "1") == 0)
			return;
		usleep(5000);
	}
	fail_msg("%s does not come up", name);
}

static void
await_group(const char *name, const struct in6_addr *a)
{
	const uint8_t *end = a->s6_addr + 13;

	for (int i = 0; i < 500; i++) {
		const char *joined = bed_ask("grep -cE ' %s +ff020{19}1ff%02x%02x%02x ' /proc/net/igmp6",
			name, end[0], end[1], end[2]);

		if (strcmp(joined, "1") == 0)
			return;
		usleep(5000);
	}
	fail_msg("%s does not join the solicited-node group", name);
}

void
bed_add_ipv6(const char *name, const char *address)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, address, &a), 1);
	bed_run("ip addr add %s/64 dev %s nodad", address, name);
	await_group(name, &a);
}

void
bed_add_ipv6_there(struct bed *bed, const char *name, const char *address)
{
	bed_enter(bed->there);
	bed_add_ipv6(name, address);
	bed_enter(bed->here);
}

int
bed_setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	bed->there = new_namespace();
	bed->here = new_namespace();
	/* Quiet ends: no IPv6 link-local chatter, and no address that a test did not ask for. */
	bed_run("ip link set lo up");
	bed_run("ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 "
		"address 02:00:00:00:00:02 netns /proc/%d/fd/%d", (int)getpid(), bed->there);
	bed_run("ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up");
	bed_run_there(bed, "ip link set lo up && ip addr add 10.9.0.2/24 dev v1 && ip link set v1 up");
	bed->v0 = (int)if_nametoindex("v0");
	bed_await_up("v0");
	bed_enter(bed->there);
	bed_await_up("v1");
	bed->v1 = (int)if_nametoindex("v1");
	bed_enter(bed->here);
	assert_true(bed->v0 > 0 && bed->v1 > 0);
	*state = bed;
	return 0;
}

int
bed_teardown(void **state)
{
	struct bed *bed = *state;

	close(bed->here);
	close(bed->there);
	free(bed);
	return 0;
}
