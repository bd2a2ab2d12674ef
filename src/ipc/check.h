/*
 * What processes may tell each other, looked at before it is used. Who reads what strangers send may
 * be taken over by them, and then its messages are theirs: so a message must be one that this sender has
 * for this receiver, as long as its kind is, with a descriptor if and only if that belongs to it,
 * and with every text ended, every number in its range and every enum one of its names.
 *
 * Not looked at: whether it is true, and what only the receiver knows (does that target exist?).
 * Pure; the descriptor is not touched.
 */
#ifndef TANDEM_IPC_CHECK_H
#define TANDEM_IPC_CHECK_H

#include "ipc/channel.h"
#include "ipc/messages.h"

bool ipc_message_is_sound(enum process_role from, enum process_role to,
	const struct channel_message *m);

/*
 * Is that, without a NUL, a line which this process has for the log? Of the prober and the resolver;
 * those of the others are not looked at.
 */
bool ipc_line_is_sound(enum process_role from, const char *text, size_t length);

#endif
