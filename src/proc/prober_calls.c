/* The list of prober_calls.h, with the reason of each one that no probe needs. */
#include "proc/prober_calls.h"

#include "linux/privileges.h"

#include <errno.h>
#include <string.h>

enum { OFTEN = false, SELDOM = true };

static const struct prober_call calls[] = {
	/* sockets of probes; channels to the pool and the supervisor; log lines */
	{"socket", OFTEN}, {"bind", OFTEN}, {"connect", OFTEN},
	{"setsockopt", OFTEN}, {"getsockopt", OFTEN},
	{"sendto", OFTEN}, {"recvfrom", OFTEN}, {"sendmsg", OFTEN}, {"recvmsg", OFTEN},
	{"close", OFTEN},
	/* the port of the data path, where nobody is answered: there is no accept(2) */
	{"listen", OFTEN}, {"getsockname", OFTEN}, {"shutdown", OFTEN},
	{"epoll_ctl", OFTEN}, {"epoll_wait", OFTEN},
	{"epoll_pwait", SELDOM}, /* what epoll_wait(3) is where there is no epoll_wait(2) */
	/* TLS reads and writes its socket so */
	{"read", OFTEN}, {"write", OFTEN},
	/* the table of probes: is it sealed, how long is it, and its memory */
	{"fcntl", OFTEN}, {"mmap", OFTEN}, {"munmap", OFTEN},
	{"fstat", SELDOM}, {"newfstatat", SELDOM}, /* one of them, as libc is */
	/* malloc(3): its heap, large blocks and those that grow; where it turns to when that is full */
	{"brk", OFTEN}, {"mremap", SELDOM}, {"mprotect", SELDOM}, {"madvise", SELDOM},
	{"sysinfo", SELDOM}, /* qsort(3), the first time: how much memory is there? */
	/* OpenSSL: keys; have I been forked? what is done once is done, wake who waits for it */
	{"getrandom", OFTEN}, {"getpid", OFTEN}, {"futex", SELDOM},
	{"exit_group", OFTEN},
	/* the time, where the kernel's clock source cannot be read without a call */
	{"clock_gettime", SELDOM}, {"gettimeofday", SELDOM}, {"time", SELDOM},
	/* abort(3), so that what ends it is told as what it is */
	{"rt_sigprocmask", SELDOM}, {"gettid", SELDOM}, {"tgkill", SELDOM},
};

/*
 * Nothing is loaded once the filter is there, and every socket of another family was made before; log
 * lines go to the supervisor.
 */
static const struct privileges_call bounds[] = {
	{"socket", BOUND_INTERNET}, {"mmap", BOUND_NO_EXEC}, {"mprotect", BOUND_NO_EXEC},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

const struct prober_call *
prober_calls(size_t *count)
{
	*count = CALLS;
	return calls;
}

static enum privileges_bound
bound_of(const char *name)
{
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (strcmp(bounds[i].name, name) == 0)
			return bounds[i].bound;
	return BOUND_NONE;
}

int
prober_calls_confine(void)
{
	struct privileges_call allowed[CALLS];
	int error;

	for (size_t i = 0; i < CALLS; i++)
		allowed[i] = (struct privileges_call){calls[i].name, bound_of(calls[i].name)};
	error = privileges_seccomp(allowed, CALLS);
	return error <= 0 ? error : -error;
}
