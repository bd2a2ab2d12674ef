/*
 * The run directory: one daemon at a time, by a lock that dies with its holder (never by a pid in a
 * file), and a pid file for people.
 */
#ifndef TANDEM_PROC_RUNDIR_H
#define TANDEM_PROC_RUNDIR_H

/*
 * Makes the directory when it is missing (0755) and takes its lock. Returns the descriptor that
 * holds the lock, or a negative errno; -EWOULDBLOCK: another tandemd has it.
 */
int rundir_lock(const char *dir);
/* Writes `pid` to DIR/tandemd.pid. 0 or negative errno. */
int rundir_write_pid(const char *dir, int pid);
void rundir_remove_pid(const char *dir);

#endif
