/* Channels between processes. See channel.h. */
#include "ipc/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Room for a burst: a reload sets every target of a prober in one go. The kernel accounts about
 * 2 KiB for a small message; what root may ask for is not bound by wmem_max.
 */
enum { BUFFER_BYTES = 4 << 20 };

union control_space {
	char bytes[CMSG_SPACE(4 * sizeof(int))]; /* more than one: to see and close them */
	struct cmsghdr aligned;
};

static void
widen_buffer(int fd)
{
	int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int
channel_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == -1)
		return -1;
	widen_buffer(ends[0]);
	widen_buffer(ends[1]);
	return 0;
}

static void
attach_fd(struct msghdr *msg, union control_space *space, int fd)
{
	struct cmsghdr *c;

	memset(space, 0, sizeof(*space));
	msg->msg_control = space->bytes;
	msg->msg_controllen = CMSG_SPACE(sizeof(int));
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int
channel_send(int fd, uint32_t kind, const void *payload, size_t size, int passed_fd)
{
	struct iovec iov[2] = {{&kind, sizeof(kind)}, {(void *)(uintptr_t)payload, size}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = size > 0 ? 2 : 1};
	union control_space space;
	ssize_t n;

	if (size > CHANNEL_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	if (passed_fd != -1)
		attach_fd(&msg, &space, passed_fd);
	do
		n = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != -1)
		return 0;
	if (errno == ENOBUFS || errno == ENOMEM || errno == EWOULDBLOCK)
		errno = EAGAIN;
	else if (errno == ECONNRESET || errno == ENOTCONN)
		errno = EPIPE;
	return -1;
}

/* Take the descriptor that came along; false (and all closed) when there is more than one. */
static bool
take_fd(struct msghdr *msg, int *out)
{
	int fds[4];
	size_t count = 0;

	*out = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		n = n < 4 - count ? n : 4 - count;
		memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
		count += n;
	}
	if (count == 1 && !(msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		*out = fds[0];
		return true;
	}
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	return count == 0;
}

static int
malformed(struct channel_message *out)
{
	if (out->fd != -1)
		close(out->fd);
	out->kind = CHANNEL_MALFORMED;
	out->fd = -1;
	out->size = 0;
	return 0;
}

/* One packet: 0, or -1 with errno (EPIPE: the end). */
static int
receive_one(int fd, struct channel_message *out)
{
	struct iovec iov[2] = {{&out->kind, sizeof(out->kind)},
		{out->payload, sizeof(out->payload)}};
	union control_space space;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = space.bytes,
		.msg_controllen = sizeof(space.bytes)};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n == -1)
		return -1;
	if (n == 0) {
		errno = EPIPE;
		return -1;
	}
	if (!take_fd(&msg, &out->fd))
		return malformed(out);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || (size_t)n < sizeof(out->kind))
		return malformed(out);
	out->size = (size_t)n - sizeof(out->kind);
	return 0;
}

int
channel_receive(int fd, struct channel_message *out)
{
	bool reset_seen = false;

	for (;;) {
		if (receive_one(fd, out) == 0)
			return 1;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOMEM)
			return 0;
		/*
		 * The other side died with unread messages of ours: reported once, before what it
		 * sent itself. Its last words are worth having.
		 */
		if (errno != ECONNRESET || reset_seen)
			return -1;
		reset_seen = true;
	}
}

const void *
channel_payload(const struct channel_message *m, size_t size)
{
	return m->size == size ? m->payload : NULL;
}
