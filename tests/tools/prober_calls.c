/*
 * prober_calls: the system calls that the filter of this build's prober allows, one a line,
 * `NAME` or `NAME seldom`. Nothing in a build with sanitizers: there is no filter in it.
 */
#include <config.h>

#include "proc/prober_calls.h"

#include <seccomp.h>
#include <stdio.h>

int
main(void)
{
	size_t count;
	const struct prober_call *calls = prober_calls(&count);

	/* A number below zero: this machine has no such call. */
	for (size_t i = 0; !TANDEM_SANITIZERS && i < count; i++)
		if (seccomp_syscall_resolve_name(calls[i].name) >= 0)
			printf("%s%s\n", calls[i].name, calls[i].seldom ? " seldom" : "");
	return 0;
}
