/* The client's side of the control socket. See client.h. */
#include "control/client.h"

#include "base/mono.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_AT_LEAST = 16384, LINE_LIMIT = 128 << 20, SEND_PATIENCE_S = 5 };

int
control_link_open(struct control_link *link, const char *dir)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {.tv_sec = SEND_PATIENCE_S};
	int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/tandem.sock", dir);

	*link = (struct control_link){.fd = -1};
	if (n >= (int)sizeof(to.sun_path))
		return -ENAMETOOLONG;
	link->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd == -1)
		return -errno;
	/* A daemon that hangs has a full backlog: connect() must not wait for ever either. */
	setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(link->fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		int error = -errno;

		control_link_close(link);
		return error;
	}
	return 0;
}

void
control_link_close(struct control_link *link)
{
	if (link->fd != -1)
		close(link->fd);
	free(link->buffer);
	*link = (struct control_link){.fd = -1};
}

/* The descriptor goes along with the first byte. */
static ssize_t
send_some(int to, const char *bytes, size_t length, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = ""};
	struct iovec from = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = length};
	struct msghdr m = {.msg_iov = &from, .msg_iovlen = 1};

	if (fd != -1) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(fd))};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL);
}

int
control_link_send_with(struct control_link *link, const json_t *request, int fd)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t length, at = 0;
	ssize_t n = 0;

	if (!text)
		return -EINVAL;
	length = strlen(text);
	text[length++] = '\n';
	while (at < length && n != -1) {
		n = send_some(link->fd, text + at, length - at, at == 0 ? fd : -1);
		if (n != -1)
			at += (size_t)n;
		else if (errno == EINTR)
			n = 0;
	}
	free(text);
	return n == -1 ? -errno : 0;
}

int
control_link_send(struct control_link *link, const json_t *request)
{
	return control_link_send_with(link, request, -1);
}

static int
make_room(struct control_link *link)
{
	size_t capacity = link->capacity * 2 > READ_AT_LEAST ? link->capacity * 2 : READ_AT_LEAST;
	char *grown;

	if (link->capacity - link->length >= READ_AT_LEAST / 2)
		return 0;
	if (capacity > LINE_LIMIT)
		return -EPROTO;
	grown = realloc(link->buffer, capacity);
	if (!grown)
		return -ENOMEM;
	link->buffer = grown;
	link->capacity = capacity;
	return 0;
}

static int
read_more(struct control_link *link, mono deadline)
{
	struct pollfd p = {.fd = link->fd, .events = POLLIN};
	int64_t left_ns = mono_is_never(deadline) ? -1 : mono_diff_ns(deadline, mono_now());
	int error = make_room(link), ready;
	ssize_t n;

	if (error != 0)
		return error;
	if (!mono_is_never(deadline) && left_ns <= 0)
		return -ETIMEDOUT;
	ready = poll(&p, 1, left_ns < 0 ? -1 : (int)(left_ns / NS_PER_MS) + 1);
	if (ready == -1)
		return errno == EINTR ? 0 : -errno;
	if (ready == 0)
		return -ETIMEDOUT;
	n = recv(link->fd, link->buffer + link->length, link->capacity - link->length, 0);
	if (n == 0)
		return -EPIPE;
	if (n == -1)
		return errno == EINTR ? 0 : -errno;
	link->length += (size_t)n;
	return 0;
}

int
control_link_receive(struct control_link *link, int timeout_ms, json_t **out)
{
	mono deadline = timeout_ms < 0 ? MONO_NEVER : mono_add_ns(mono_now(), timeout_ms * NS_PER_MS);
	size_t scanned = 0, line;
	char *end;

	while (!(end = link->length > scanned
			? memchr(link->buffer + scanned, '\n', link->length - scanned) : NULL)) {
		int error;

		scanned = link->length;
		error = read_more(link, deadline);
		if (error != 0)
			return error;
	}
	line = (size_t)(end - link->buffer);
	*out = json_loadb(link->buffer, line, 0, NULL);
	link->length -= line + 1;
	memmove(link->buffer, end + 1, link->length);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return -EPROTO;
}
