/*
 * Messages of another process, each looked at before anybody uses it (ipc/check.h). What is not
 * sound is dropped, counted and told in the log, at a limited rate.
 */
#ifndef TANDEM_PROC_INCOMING_H
#define TANDEM_PROC_INCOMING_H

#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/messages.h"

enum { INCOMING_REFUSED = 2 };

/* Of one receiver. */
struct incoming {
	struct logger *log;
	enum process_role to;
	struct log_limit limit;
	uint64_t refused;
};

struct incoming incoming_init(struct logger *log, enum process_role to);

/*
 * As channel_receive(), and INCOMING_REFUSED: there was one, and it is nobody's to use; the next
 * one may be good.
 */
int incoming_receive(struct incoming *in, int fd, enum process_role from,
	struct channel_message *m);

/* "prober" */
const char *process_role_name(enum process_role role);

#endif
