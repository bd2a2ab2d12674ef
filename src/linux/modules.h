/*
 * Modules of the kernel, by modprobe. The kernel would ask for them itself, but does so with its lock on
 * the whole table of IPVS, and waits as long as modprobe likes.
 */
#ifndef TANDEM_LINUX_MODULES_H
#define TANDEM_LINUX_MODULES_H

#include <stdbool.h>

/* Is it loaded? A module that is built in and has no parameters does not show: false. */
bool module_is_there(const char *name);

/* What kept modprobe from ending well, when it was no exit status of its own. */
enum module_trouble { MODULE_FAILED = -1, MODULE_LATE = -2, MODULE_NO_MODPROBE = -3 };

/*
 * Runs modprobe and waits for it, at most a minute: for a thread. 0: the kernel has the module now, or
 * always had; else enum module_trouble.
 */
int module_load(const char *name);

#endif
