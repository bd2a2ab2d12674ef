/*
 * A file of the state directory: replaced whole or not at all, whatever is in the way. fsync(2) is
 * the test's own, which sees what had been done by then.
 */
#include "proc/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/tandem-state-XXXXXX";
static struct {
	int files, dirs;      /* synced */
	bool renamed_before;  /* the file was, or the directory was not, renamed by then */
	int error;            /* of the next one */
} synced;

static bool exists(const char *name);

int
fsync(int fd)
{
	struct stat st;

	fstat(fd, &st);
	if (S_ISDIR(st.st_mode))
		synced.dirs++;
	else
		synced.files++;
	synced.renamed_before |= S_ISDIR(st.st_mode) == exists("a.new");
	errno = synced.error;
	return synced.error != 0 ? -1 : 0;
}

static void
path_of(const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", dir, name);
}

static bool
exists(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	path_of(name, path);
	return lstat(path, &st) == 0;
}

static void
assert_holds(const char *name, const char *expected)
{
	char *text;
	size_t length;

	assert_int_equal(state_file_read(dir, name, &text, &length), 0);
	assert_int_equal(length, strlen(expected));
	assert_string_equal(text, expected);
	free(text);
}

static int
put(const char *name, const char *text)
{
	return state_file_write(dir, name, text, strlen(text), true);
}

static int
bed_up(void **state)
{
	(void)state;
	strcpy(strrchr(dir, '-'), "-XXXXXX");
	memset(&synced, 0, sizeof(synced));
	umask(022);
	return mkdtemp(dir) ? 0 : -1;
}

static int
bed_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void
content_is_replaced_whole(void **state)
{
	char path[PATH_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(put("a", "one\n"), 0);
	assert_holds("a", "one\n");
	path_of("a", path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(put("a", "a longer text\nof two lines\n"), 0);
	assert_holds("a", "a longer text\nof two lines\n");
	assert_int_equal(put("a", "x"), 0);
	assert_holds("a", "x");
	assert_int_equal(put("a", ""), 0);
	assert_holds("a", "");
	assert_false(exists("a.new"));
}

static void
the_text_is_synced_before_it_has_the_name_and_the_name_after(void **state)
{
	(void)state;
	assert_int_equal(put("a", "one"), 0);
	assert_int_equal(synced.files, 1);
	assert_int_equal(synced.dirs, 1);
	assert_false(synced.renamed_before);
	assert_int_equal(state_file_write(dir, "a", "two", 3, false), 0);
	assert_int_equal(synced.files + synced.dirs, 2); /* of what may be lost nothing is */
	assert_holds("a", "two");
}

static void
what_cannot_be_synced_is_not_stored(void **state)
{
	(void)state;
	assert_int_equal(put("a", "old"), 0);
	synced.error = ENOSPC;
	assert_int_equal(put("a", "new"), -ENOSPC);
	assert_holds("a", "old");
	assert_false(exists("a.new"));
	synced.error = 0;
	assert_int_equal(put("a", "new"), 0);
	assert_holds("a", "new");
}

/* Files of one page: as a disk that is full in the middle of a text, whoever runs this. */
static void
a_disk_that_is_full_leaves_the_old_text(void **state)
{
	static char text[3 * 4096];
	struct rlimit was, page = {4096, RLIM_INFINITY};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(put("a", "old"), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	page.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &page), 0);
	assert_int_equal(put("a", text), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_holds("a", "old");
	assert_false(exists("a.new"));
	assert_int_equal(put("a", text), 0);
	assert_holds("a", text);
}

/* The same on a file system of eight pages. */
static void
no_room(void **state)
{
	static char text[16 * 4096];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	if (geteuid() != 0 || mount("tmpfs", dir, "tmpfs", 0, "size=32k") == -1) {
		puts("skipped: only root can mount a file system");
		return;
	}
	assert_int_equal(put("a", "old"), 0);
	assert_int_equal(put("a", text), -ENOSPC);
	assert_holds("a", "old");
	assert_false(exists("a.new"));
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(put("a", "new"), -EROFS);
	assert_holds("a", "old");
	assert_int_equal(umount(dir), 0);
}

/* As nobody, since root may write everywhere. */
static void
a_directory_that_is_not_ours(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(put("a", "old"), 0);
	assert_int_equal(chmod(dir, 0555), 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1)
			_exit(2);
		_exit(put("a", "new") == -EACCES ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_holds("a", "old");
}

static void
what_cannot_be_named_is_refused(void **state)
{
	char name[NAME_MAX + 1];
	char *text;
	size_t length;

	(void)state;
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(put(name, "x"), -ENAMETOOLONG);
	name[NAME_MAX - 4] = '\0';
	assert_int_equal(put(name, "x"), 0);
	assert_int_equal(state_file_write("/nonexistent/dir", "a", "x", 1, true), -ENOENT);
	assert_int_equal(state_file_write("/etc/passwd", "a", "x", 1, true), -ENOTDIR);
	assert_int_equal(state_file_read(dir, "a", &text, &length), -ENOENT);
}

/* A process that died in the middle of writing, or somebody who wants us to write elsewhere. */
static void
what_lies_beside_it_is_overwritten(void **state)
{
	char fresh[PATH_MAX], other[PATH_MAX];
	int fd;

	(void)state;
	path_of("a.new", fresh);
	path_of("other", other);
	assert_int_equal(put("a", "old"), 0);
	assert_int_equal(put("other", "of somebody else"), 0);
	fd = open(fresh, O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
	assert_int_equal(write(fd, "half of a much longer text", 26), 26);
	close(fd);
	assert_int_equal(put("a", "new"), 0);
	assert_holds("a", "new");
	assert_int_equal(symlink(other, fresh), 0);
	assert_int_equal(put("a", "newer"), 0);
	assert_int_equal(link(other, fresh), 0);
	assert_int_equal(put("a", "newest"), 0);
	assert_int_equal(mkfifo(fresh, 0600), 0);
	assert_int_equal(put("a", "last"), 0);
	assert_holds("a", "last");
	assert_holds("other", "of somebody else");
	assert_false(exists("a.new"));
	assert_int_equal(mkdir(fresh, 0755), 0);
	assert_int_equal(put("a", "x"), -EISDIR);
	assert_holds("a", "last");
}

static void
links_are_not_followed(void **state)
{
	char path[PATH_MAX], other[PATH_MAX], *text;
	size_t length;

	(void)state;
	path_of("a", path);
	path_of("other", other);
	assert_int_equal(put("other", "of somebody else"), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(state_file_read(dir, "a", &text, &length), -ELOOP);
	assert_int_equal(put("a", "ours"), 0);
	assert_holds("a", "ours");
	assert_holds("other", "of somebody else");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* and nobody is waited for */
	assert_int_equal(state_file_read(dir, "a", &text, &length), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(state_file_read(dir, "a", &text, &length), -EINVAL);
}

static void
what_is_too_large_is_not_read(void **state)
{
	char path[PATH_MAX], *text;
	size_t length;

	(void)state;
	assert_int_equal(put("a", "x"), 0);
	path_of("a", path);
	assert_int_equal(truncate(path, STATE_FILE_MAX + 1), 0);
	assert_int_equal(state_file_read(dir, "a", &text, &length), -EFBIG);
	assert_int_equal(truncate(path, 4096), 0);
	assert_int_equal(state_file_read(dir, "a", &text, &length), 0);
	assert_int_equal(length, 4096);
	assert_true(text[0] == 'x' && text[1] == '\0' && text[4096] == '\0');
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(content_is_replaced_whole, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(
			the_text_is_synced_before_it_has_the_name_and_the_name_after, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_synced_is_not_stored, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_disk_that_is_full_leaves_the_old_text, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(no_room, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_directory_that_is_not_ours, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_named_is_refused, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_lies_beside_it_is_overwritten, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(links_are_not_followed, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_is_too_large_is_not_read, bed_up, bed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
