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
#include <sys/socket.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	RUNAWAY_US = 2000000, /* of processor time in one go, without waiting for anything */
};

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

/*
 * The bounding set can only shrink while CAP_SETPCAP is ours. In a container that never gave it
 * there is nothing to be done, nor lost: without new privileges exec() gains nothing either.
 */
static int
drop_bounding(void)
{
	if (prctl(PR_CAPBSET_DROP, CAP_SETPCAP, 0, 0, 0) == -1)
		return errno == EPERM ? 0 : -errno;
	return capng_apply(CAPNG_SELECT_BOUNDS) == 0 ? 0 : -EPERM;
}

/* The capabilities as libcap-ng has them laid out, and no way back. */
static int
settle(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return -errno;
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

int
privileges_keep(const int *capabilities, size_t count)
{
	int error;

	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < count; i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			    (unsigned)capabilities[i]) != 0)
			return -EINVAL;
	error = drop_bounding();
	return error == 0 ? settle() : error;
}

int
privileges_become_nobody(void)
{
	int error;

	if (setgroups(0, NULL) == -1 || setresgid(NOBODY, NOBODY, NOBODY) == -1)
		return -errno;
	capng_clear(CAPNG_SELECT_ALL);
	if ((error = drop_bounding()) < 0)
		return error;
	/* Leaving uid 0 drops the effective and permitted capabilities with it. */
	if (setresuid(NOBODY, NOBODY, NOBODY) == -1)
		return -errno;
	return settle();
}

/* Of an int the kernel looks at 32 bits; what the register has above them is nobody's. */
static int
allow_family(scmp_filter_ctx filter, int number, unsigned family)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
}

static int
allow_number(scmp_filter_ctx filter, int number, enum privileges_bound bound)
{
	int error = 0;

	switch (bound) {
	case BOUND_NONE:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	case BOUND_NO_EXEC:
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	case BOUND_INTERNET:
		error = allow_family(filter, number, AF_INET);
		return error != 0 ? error : allow_family(filter, number, AF_INET6);
	}
	return -EINVAL;
}

static int
allow(scmp_filter_ctx filter, const struct privileges_call *call)
{
	int number = seccomp_syscall_resolve_name(call->name);

	if (number == __NR_SCMP_ERROR)
		return -EINVAL; /* misspelt */
	/* A name that this architecture does not have (negative) cannot be called either. */
	return number < 0 ? 0 : allow_number(filter, number, call->bound);
}

int
privileges_seccomp(const struct privileges_call *calls, size_t count)
{
	scmp_filter_ctx filter;
	int error;

	if (TANDEM_SANITIZERS)
		return 0;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; i < count && error == 0; i++)
		error = allow(filter, &calls[i]);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

/*
 * With a limit in force, and CAP_IPC_LOCK given up as it will be, locked memory would turn against
 * us: beyond the limit no thread could be made, no memory had, no stack grown.
 */
static int
lock_memory(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY}, limit;

	if (TANDEM_SANITIZERS)
		return 0;
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == -1)
		return -errno;
	if (limit.rlim_cur != RLIM_INFINITY)
		return -EPERM;
	return mlockall(MCL_CURRENT | MCL_FUTURE) == -1 ? -errno : 0;
}

/*
 * SCHED_RESET_ON_FORK is not set: it would take real time from the threads made later (the hands,
 * the carrier poll) as well, and a process with real time makes no children.
 */
int
realtime_enter(int priority)
{
	struct sched_param param = {.sched_priority = priority};
	struct rlimit runaway = {RUNAWAY_US, RUNAWAY_US};
	int error = lock_memory();

	/* A loop gone wild with real-time priority could take the whole machine: it is killed. */
	if (setrlimit(RLIMIT_RTTIME, &runaway) == -1)
		error = -errno;
	if (sched_setscheduler(0, SCHED_RR, &param) == -1)
		error = -errno;
	return error;
}
