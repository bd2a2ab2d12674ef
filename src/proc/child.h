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

/* As tandemd's own: the system refused something that it cannot do without. */
enum { EXIT_REFUSED = 2 };

struct child {
	enum process_role role;
	const char *name;           /* "election", in the log */
	uint32_t index;             /* which prober */
	int supervisor_fd;          /* channel; closed by the other side: stop at once */
	struct logger log;          /* relay already set */
	uint32_t node;              /* row of config.nodes that is this box */
	const char *run_dir;        /* "/run/tandem" */
	const char *state_dir;      /* "/var/lib/tandem" */
	const char *config_path;    /* absolute */
	struct handover *handover;  /* shared page */
};

/* A sign of life: the supervisor kills who gives none. */
void child_alive(const struct child *child);
/* The system refused `what`; `error` is an errno of either sign. Told, and the end. */
_Noreturn void child_give_up(struct child *child, const char *what, int error);

_Noreturn void election_main(struct child *child);
_Noreturn void pool_main(struct child *child);
_Noreturn void resolver_main(struct child *child);
_Noreturn void prober_main(struct child *child);

#endif
