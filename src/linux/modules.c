/* Modules of the kernel. See modules.h. */
#include "linux/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

bool
module_is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return access(path, F_OK) == 0;
}

static int
start(const char *name, pid_t *pid)
{
	char *arguments[] = {"modprobe", "-q", (char *)(uintptr_t)name, NULL}, *environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	error = posix_spawn(pid, "/sbin/modprobe", &actions, NULL, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* False: it did not end in time. Where the kernel cannot tell (before 5.3) there is no limit. */
static bool
ends_in_time(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int ended;

	if (fd == -1)
		return true;
	do
		ended = poll(&end, 1, PATIENCE_MS);
	while (ended == -1 && errno == EINTR);
	close(fd);
	return ended != 0;
}

int
module_load(const char *name)
{
	bool late = false;
	int status = -1;
	pid_t pid;

	if (start(name, &pid) != 0)
		return MODULE_NO_MODPROBE;
	if (!ends_in_time(pid)) {
		late = true;
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (late)
		return MODULE_LATE;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : MODULE_FAILED;
}
