/* What comes over a channel, and what is not believed. See incoming.h. */
#include "proc/incoming.h"

#include "ipc/check.h"

#include <unistd.h>

const char *
process_role_name(enum process_role role)
{
	switch (role) {
	case PROCESS_SUPERVISOR: return "supervisor";
	case PROCESS_ELECTION: return "election";
	case PROCESS_POOL: return "pool";
	case PROCESS_RESOLVER: return "resolver";
	case PROCESS_PROBER: return "prober";
	}
	return "invalid";
}

struct incoming
incoming_init(struct logger *log, enum process_role to)
{
	return (struct incoming){.log = log, .to = to,
		.limit = {.every_ns = 10 * NS_PER_S, .burst = 5}};
}

static void
refuse(struct incoming *in, enum process_role from, const struct channel_message *m)
{
	struct log_line line;
	uint64_t held_back;

	in->refused++;
	if (m->fd != -1)
		close(m->fd);
	if (!log_limit_allow(&in->limit, mono_now(), &held_back))
		return;
	log_line_begin(&line, "process");
	log_line_text(&line, "name", process_role_name(from));
	log_line_reason(&line, REASON_BAD_MESSAGE);
	log_line_text(&line, "to", process_role_name(in->to));
	log_line_int(&line, "kind", m->kind);
	log_line_int(&line, "bytes", (int64_t)m->size);
	log_line_int(&line, "refused", (int64_t)in->refused);
	log_line_int(&line, "suppressed", (int64_t)held_back);
	log_emit(in->log, LOG_LEVEL_ERROR, &line);
}

int
incoming_receive(struct incoming *in, int fd, enum process_role from, struct channel_message *m)
{
	int got = channel_receive(fd, m);

	if (got != 1 || ipc_message_is_sound(from, in->to, m))
		return got;
	refuse(in, from, m);
	return INCOMING_REFUSED;
}
