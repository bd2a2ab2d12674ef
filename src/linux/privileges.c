/* Privileges given up and asked for. See privileges.h. */
#include <config.h>

#include "linux/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534 };

bool
privileges_sufficient(FILE *to)
{
	static const struct {
		unsigned capability;
		const char *name, *use;
	} needed[] = {
		{CAP_NET_ADMIN, "CAP_NET_ADMIN", "addresses and IPVS"},
		{CAP_NET_RAW, "CAP_NET_RAW", "VRRP, ARP and ICMP"},
	};
	bool all = true;

	capng_get_caps_process();
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
			continue;
		fprintf(to, "tandemd: %s is missing (needed for %s); run as root\n", needed[i].name,
			needed[i].use);
		all = false;
	}
	return all;
}

static int
apply(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	/* The bounding set can only shrink while CAP_SETPCAP is still ours. */
	if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
		return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

int
privileges_keep(const int *capabilities, size_t count)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < count; i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			    (unsigned)capabilities[i]) != 0)
			return -EINVAL;
	return apply();
}

int
privileges_become_nobody(void)
{
	if (setgroups(0, NULL) == -1 || setresgid(NOBODY, NOBODY, NOBODY) == -1)
		return -errno;
	capng_clear(CAPNG_SELECT_ALL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	capng_apply(CAPNG_SELECT_BOUNDS);
	/* Leaving uid 0 drops the capabilities with it. */
	if (setresuid(NOBODY, NOBODY, NOBODY) == -1)
		return -errno;
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

int
privileges_seccomp(const char *const *syscalls, size_t count)
{
	scmp_filter_ctx filter;
	int error = 0;

	if (TANDEM_SANITIZERS)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	for (size_t i = 0; i < count && error == 0; i++) {
		int number = seccomp_syscall_resolve_name(syscalls[i]);

		/* A name that this architecture does not have cannot be called either. */
		if (number != __NR_SCMP_ERROR && number >= 0)
			error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

int
realtime_enter(int priority)
{
	struct sched_param param = {.sched_priority = priority};
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int error = 0;

	if (!TANDEM_SANITIZERS) {
		setrlimit(RLIMIT_MEMLOCK, &unlimited);
		if (mlockall(MCL_CURRENT | MCL_FUTURE) == -1)
			error = -errno;
	}
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == -1)
		error = -errno;
	return error;
}
