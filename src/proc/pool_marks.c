/*
 * Sockets with a mark for the probers, who may not make them. A prober is not believed: it gets
 * marks of the configuration's probes alone, some at a time, and so often that a few hundred probes a
 * second have theirs.
 */
#include "proc/pool_process.h"

#include "ipc/channel.h"
#include "linux/marked_socket.h"

#include <errno.h>
#include <unistd.h>

static bool
is_configured(const struct config *c, uint32_t mark)
{
	for (uint32_t i = 0; i < c->probe_count; i++)
		if (c->probes[i].mark == mark)
			return mark != 0;
	return false;
}

static bool
makes_sense(const struct ipc_sockets *wanted)
{
	return wanted && wanted->kind < IPC_SOCKET_KINDS && wanted->count <= IPC_SOCKETS_MAX &&
		(wanted->family == IP_V4 || wanted->family == IP_V6);
}

void
marks_give(struct pool_prober *prober, const struct ipc_sockets *wanted)
{
	static const enum marked_kind kinds[] = {[IPC_SOCKET_TCP] = MARKED_TCP,
		[IPC_SOCKET_UDP] = MARKED_UDP, [IPC_SOCKET_ICMP] = MARKED_ICMP};
	struct pool *p = prober->pool;
	struct ipc_sockets one;
	uint64_t held_back;

	if (!makes_sense(wanted) || !is_configured(&p->config, wanted->mark) ||
		!log_limit_allow(&prober->socket_limit, mono_now(), &held_back))
		return;
	one = *wanted;
	one.count = 1;
	for (uint16_t i = 0; i < wanted->count; i++) {
		int fd = marked_socket(kinds[wanted->kind], wanted->family, wanted->mark), sent;

		if (fd == -1) {
			pool_complain(p, "a socket with a mark, for a probe", errno);
			return;
		}
		sent = channel_send(prober->fd, IPC_SOCKET, &one, sizeof(one), fd);
		close(fd);
		if (sent == -1)
			return; /* it asks again */
	}
}
