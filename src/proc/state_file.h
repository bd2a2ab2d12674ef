/*
 * A file of the state directory: small, written whole or not at all. The new text is written beside the
 * old one (NAME.new) and renamed over it, so that whoever reads finds one of the two. Links are
 * not followed: what has the name of ours and is no plain file is not read, and is replaced.
 *
 * These wait for the disk. pool_state.c has them do so in a thread.
 */
#ifndef TANDEM_PROC_STATE_FILE_H
#define TANDEM_PROC_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

enum { STATE_FILE_MAX = 16 << 20 };

/*
 * 0, or a negative errno: then the old text is there still, but for a directory that cannot be
 * synced, where it is the new one until power fails. `synced`: it is on the disk when this returns.
 * Otherwise the file may be empty after a power failure, which must then be as good as none.
 */
int state_file_write(const char *dir, const char *name, const char *text, size_t length,
	bool synced);
/* 0: *text is the whole file, with a NUL behind it, the caller's to free. Or a negative errno. */
int state_file_read(const char *dir, const char *name, char **text, size_t *length);

#endif
