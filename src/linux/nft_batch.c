/*
 * nftables transactions. See nft_batch.h.
 *
 * The kernel works a batch off inside of send(); every error, and the acknowledgement of the last
 * message, is in the receive queue when send() returns. So nothing here waits but send() itself,
 * for the lock that all nftables users of the network namespace share.
 */
#include "linux/nft_batch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 64 * 1024, ANSWERS = 256 * 1024 };

struct nft_batch {
	struct mnl_socket *socket;
	uint8_t family;
	uint8_t *at;
	size_t used, size;
	size_t last;       /* where the last message begins */
	uint32_t sequence;
	int error;
	uint8_t answer[ANSWER_MAX];
};

int
nft_batch_open(uint8_t family, struct nft_batch **out)
{
	struct nft_batch *b = calloc(1, sizeof(*b));
	int size = ANSWERS, fd, error;

	if (!b)
		return -ENOMEM;
	b->family = family;
	b->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!b->socket || mnl_socket_bind(b->socket, 0, MNL_SOCKET_AUTOPID) == -1) {
		error = -errno;
		nft_batch_close(b);
		return error;
	}
	fd = mnl_socket_get_fd(b->socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*out = b;
	return 0;
}

void
nft_batch_close(struct nft_batch *b)
{
	if (!b)
		return;
	if (b->socket)
		mnl_socket_close(b->socket);
	free(b->at);
	free(b);
}

/* Room for one more message and the end of the batch. */
static bool
make_room(struct nft_batch *b)
{
	size_t wanted = b->used + 2 * NFT_MESSAGE_MAX;
	uint8_t *more;

	if (b->error != 0)
		return false;
	if (wanted <= b->size)
		return true;
	more = realloc(b->at, 2 * wanted);
	if (!more) {
		b->error = -ENOMEM;
		return false;
	}
	b->at = more;
	b->size = 2 * wanted;
	return true;
}

void
nft_batch_begin(struct nft_batch *b)
{
	b->used = 0;
	b->error = 0;
	if (!make_room(b))
		return;
	b->used = nftnl_batch_begin((char *)b->at, ++b->sequence)->nlmsg_len;
}

struct nlmsghdr *
nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	if (!make_room(b))
		return NULL;
	b->last = b->used;
	return nftnl_nlmsg_build_hdr((char *)b->at + b->used, type, b->family, flags,
		++b->sequence);
}

void
nft_batch_end_message(struct nft_batch *b, const struct nlmsghdr *message)
{
	b->used += NLMSG_ALIGN((size_t)message->nlmsg_len);
}

void
nft_batch_fail(struct nft_batch *b)
{
	b->error = -ENOMEM;
}

/* A large table is one message to the kernel as a whole. */
static int
send_all(struct nft_batch *b)
{
	int fd = mnl_socket_get_fd(b->socket), size = (int)(2 * b->used);

	if (b->used > NFT_MESSAGE_MAX &&
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (mnl_socket_sendto(b->socket, b->at, b->used) == -1)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void
take_answer(const struct nlmsghdr *h, bool *answered, int *error)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

	*answered = true;
	if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) && *error == 0)
		*error = e->error;
}

static int
receive_verdict(struct nft_batch *b)
{
	bool answered = false;
	int error = 0;

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(b->socket), b->answer, sizeof(b->answer),
			MSG_DONTWAIT);
		int left = (int)n;

		if (n == -1 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0)
			break;
		for (const struct nlmsghdr *h = (const void *)b->answer; mnl_nlmsg_ok(h, left);
			h = mnl_nlmsg_next(h, &left))
			take_answer(h, &answered, &error);
	}
	return error == 0 && !answered ? -ENOBUFS : error;
}

int
nft_batch_run(struct nft_batch *b)
{
	int error = b->error;

	if (error != 0)
		return error;
	((struct nlmsghdr *)(void *)(b->at + b->last))->nlmsg_flags |= NLM_F_ACK;
	b->used += nftnl_batch_end((char *)b->at + b->used, ++b->sequence)->nlmsg_len;
	error = send_all(b);
	return error == 0 ? receive_verdict(b) : error;
}

int
nft_batch_ask(struct nft_batch *b, uint16_t type,
	void (*fill)(struct nlmsghdr *message, void *context), void *context)
{
	struct nlmsghdr *message;
	int error;

	b->used = 0;
	b->error = 0;
	message = nft_batch_message(b, type, NLM_F_ACK);
	if (!message)
		return b->error;
	fill(message, context);
	nft_batch_end_message(b, message);
	error = send_all(b);
	return error == 0 ? receive_verdict(b) : error;
}
