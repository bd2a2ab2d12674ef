/* See marked_socket.h. */
#include "linux/marked_socket.h"

#include "base/addr.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

static int
open_kind(enum marked_kind kind, int domain)
{
	enum { FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC };

	if (kind == MARKED_ICMP)
		return socket(domain, SOCK_RAW | FLAGS,
			domain == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	return kind == MARKED_UDP ? socket(domain, SOCK_DGRAM | FLAGS, IPPROTO_UDP)
		: socket(domain, SOCK_STREAM | FLAGS, IPPROTO_TCP);
}

/* A raw socket would have a copy of everything of its protocol. */
static int
stop_ears(int fd)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = 1, .filter = nothing};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int
marked_socket(enum marked_kind kind, uint8_t family, uint32_t mark)
{
	int fd = open_kind(kind, family == IP_V6 ? AF_INET6 : AF_INET), error;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0 &&
		(kind != MARKED_ICMP || stop_ears(fd) == 0))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
