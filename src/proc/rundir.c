/* The run directory and its lock. See rundir.h. */
#include "proc/rundir.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int
rundir_lock(const char *dir)
{
	char path[LIMIT_PATH];
	int fd, error;

	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		return -errno;
	if (snprintf(path, sizeof(path), "%s/tandemd.lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

int
rundir_write_pid(const char *dir, int pid)
{
	char path[LIMIT_PATH], text[16];
	int fd, length, error = 0;

	snprintf(path, sizeof(path), "%s/tandemd.pid", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd == -1)
		return -errno;
	length = snprintf(text, sizeof(text), "%d\n", pid);
	if (write(fd, text, (size_t)length) != length)
		error = -EIO;
	close(fd);
	return error;
}

void
rundir_remove_pid(const char *dir)
{
	char path[LIMIT_PATH];

	snprintf(path, sizeof(path), "%s/tandemd.pid", dir);
	unlink(path);
}
