/*
 * Messages of the kernel's connection sync (net/netfilter/ipvs/ip_vs_sync.c, version 1), as its master
 * daemon sends them: a header of 8 bytes and an entry for each connection. Encoded only: who takes
 * them is the kernel of the other node.
 */
#ifndef TANDEM_CORE_SYNC_MESSAGE_H
#define TANDEM_CORE_SYNC_MESSAGE_H

#include "base/addr.h"

/* States of TCP that are worth telling (include/net/ip_vs.h enum ip_vs_tcp_state). */
enum sync_state {
	SYNC_ESTABLISHED = 1,
	SYNC_SYN_RECV = 3,
	SYNC_FIN_WAIT = 4,
	SYNC_CLOSE_WAIT = 7,
};

/* A connection of TCP. All addresses are of one family. */
struct sync_connection {
	struct endpoint client, virtual, real;
	enum sync_state state;
	uint32_t left_s; /* until it is forgotten without another packet; not 0 */
};

/* Fits into a packet of any link, and into the buffer of the other node's daemon. */
enum { SYNC_MESSAGE_MAX = 1200 };

/*
 * As many of the connections as fit, in order, from the node with that sync id; *taken says how many.
 * Returns the length of the message, 0 for none.
 */
size_t sync_message_encode(uint8_t id, const struct sync_connection *list, size_t count,
	uint8_t out[SYNC_MESSAGE_MAX], size_t *taken);

#endif
