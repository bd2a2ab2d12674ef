/* What every child process does alike. See child.h. */
#include "proc/child.h"

#include <string.h>
#include <unistd.h>

void
child_alive(const struct child *child)
{
	atomic_store(&child->handover->alive_ns[handover_slot(child->role, child->index)],
		mono_now().ns);
}

_Noreturn void
child_give_up(struct child *child, const char *what, int error)
{
	struct log_line line;

	log_line_begin(&line, "process");
	log_line_text(&line, "name", child->name);
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", what);
	log_line_text(&line, "error", strerror(error < 0 ? -error : error));
	log_emit(&child->log, LOG_LEVEL_ERROR, &line);
	_exit(EXIT_REFUSED);
}
