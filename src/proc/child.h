/*
 * What a child process is born with, and its entry points. The supervisor's table (supervisor.c)
 * says which process runs which; children are forked, not executed, and keep only these
 * descriptors. They never return.
 */
#ifndef TANDEM_PROC_CHILD_H
#define TANDEM_PROC_CHILD_H

#include "base/log.h"
#include "conf/config.h"
#include "ipc/messages.h"
#include "proc/handover.h"

struct child {
	enum process_role role;
	uint32_t index;             /* which prober */
	int supervisor_fd;          /* channel; closed by the other side: stop at once */
	struct logger log;          /* relay already set */
	uint32_t node;              /* row of config.nodes that is this box */
	const char *run_dir;        /* "/run/tandem" */
	const char *state_dir;      /* "/var/lib/tandem" */
	const char *config_path;    /* absolute */
	struct handover *handover;  /* shared page */
};

_Noreturn void election_main(struct child *child);
_Noreturn void pool_main(struct child *child);
_Noreturn void resolver_main(struct child *child);
_Noreturn void prober_main(struct child *child);

#endif
