/*
 * A channel between two processes: a SOCK_SEQPACKET socket pair, one message a packet, optionally
 * with one descriptor. Never blocks: what the other side does not take is refused, and the sender
 * decides what that means. Every message starts with its kind; its payload is one plain struct
 * of ipc/messages.h whose size must match exactly (ipc/check.h).
 */
#ifndef TANDEM_IPC_CHANNEL_H
#define TANDEM_IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHANNEL_PAYLOAD_MAX = 4096,
	CHANNEL_MALFORMED = 0, /* no kind of ipc/messages.h */
};

struct channel_message {
	uint32_t kind; /* enum ipc_kind */
	int fd;        /* a descriptor that came along (the receiver owns it), or -1 */
	size_t size;   /* of the payload */
	union {
		uint8_t payload[CHANNEL_PAYLOAD_MAX];
		uint64_t aligned;
		void *pointer_aligned;
	};
};

/* Two ends, close-on-exec, non-blocking, with buffers for a burst. 0 or -1 with errno. */
int channel_pair(int ends[2]);

/*
 * 0, or -1 with errno: EAGAIN when the other side is slow (nothing was sent), EPIPE when it is
 * gone. `passed_fd` goes along unless -1, and stays the caller's.
 */
int channel_send(int fd, uint32_t kind, const void *payload, size_t size, int passed_fd);

/*
 * 1: *out is a message. 0: none now. -1: the other side is gone. One that is too short, too long or
 * has several descriptors is CHANNEL_MALFORMED and empty: it counts as one of a turn.
 */
int channel_receive(int fd, struct channel_message *out);

/* Payload as the struct of that size, or NULL when the size is another. */
const void *channel_payload(const struct channel_message *m, size_t size);

#endif
