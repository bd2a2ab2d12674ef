/* Write beside, sync, rename. See state_file.h. */
#include "proc/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_dir(const char *dir)
{
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return at == -1 ? -errno : at;
}

static int
write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == -1 ? -errno : -EIO;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* What a crash has left there, whatever it is, is not written into: it goes. */
static int
write_fresh(int at, const char *name, const char *text, size_t length, bool synced)
{
	int fd, error;

	if (unlinkat(at, name, 0) == -1 && errno != ENOENT)
		return -errno;
	fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd == -1)
		return -errno;
	error = write_all(fd, text, length);
	if (error == 0 && synced && fsync(fd) == -1)
		error = -errno;
	if (close(fd) == -1 && error == 0)
		error = -errno; /* some file systems have no room as late as that */
	return error;
}

int
state_file_write(const char *dir, const char *name, const char *text, size_t length, bool synced)
{
	char fresh[NAME_MAX + 1];
	int at, error;

	if (snprintf(fresh, sizeof(fresh), "%s.new", name) >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	if ((at = open_dir(dir)) < 0)
		return at;
	error = write_fresh(at, fresh, text, length, synced);
	if (error == 0 && renameat(at, fresh, at, name) == -1)
		error = -errno;
	if (error != 0)
		unlinkat(at, fresh, 0);
	else if (synced && fsync(at) == -1) /* of the name */
		error = -errno;
	close(at);
	return error;
}

static int
read_all(int fd, char **text, size_t *length)
{
	struct stat st;
	size_t have = 0;
	ssize_t n = 1;
	char *bytes;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > STATE_FILE_MAX)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (n != 0 && have < (size_t)st.st_size) {
		n = read(fd, bytes + have, (size_t)st.st_size - have);
		if (n == -1 && errno != EINTR) {
			int error = -errno;

			free(bytes);
			return error;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	bytes[have] = '\0';
	*text = bytes;
	*length = have;
	return 0;
}

int
state_file_read(const char *dir, const char *name, char **text, size_t *length)
{
	int at = open_dir(dir), fd, error;

	if (at < 0)
		return at;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	error = fd == -1 ? -errno : read_all(fd, text, length);
	if (fd != -1)
		close(fd);
	close(at);
	return error;
}
