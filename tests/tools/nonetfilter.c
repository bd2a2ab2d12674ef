/*
 * nonetfilter COMMAND...: runs it as if on a kernel without netfilter: socket(AF_NETLINK, ...,
 * NETLINK_NETFILTER) fails with EPROTONOSUPPORT, for it and all that it starts.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (argc < 2 || !filter ||
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
			SCMP_A2(SCMP_CMP_EQ, NETLINK_NETFILTER)) != 0 ||
		seccomp_load(filter) != 0) {
		fprintf(stderr, "nonetfilter: no filter\n");
		return 125;
	}
	seccomp_release(filter);
	execvp(argv[1], argv + 1);
	fprintf(stderr, "nonetfilter: %s: %s\n", argv[1], strerror(errno));
	return 126;
}
