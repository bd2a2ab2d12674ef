/*
 * One transaction of nftables: messages collected, sent as a whole, done by the kernel completely or
 * not at all (nfnetlink batch, net/netfilter/nfnetlink.c nfnetlink_rcv_batch()).
 *
 * What a message holds is built by libnftnl; this is the envelope. Inside of src/linux only.
 */
#ifndef TANDEM_LINUX_NFT_BATCH_H
#define TANDEM_LINUX_NFT_BATCH_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

enum { NFT_MESSAGE_MAX = 64 * 1024 }; /* room that a message may take */

struct nft_batch;

/*
 * A netlink socket of its own, for messages of one family (NFPROTO_*). 0 or negative errno
 * (-EPROTONOSUPPORT: the kernel has no netfilter).
 */
int nft_batch_open(uint8_t family, struct nft_batch **out);
void nft_batch_close(struct nft_batch *b);

/* An empty transaction. */
void nft_batch_begin(struct nft_batch *b);
/*
 * A message in it: fill it up to NFT_MESSAGE_MAX with libnftnl, then
 * nft_batch_end_message(). NULL: no memory, and nft_batch_run() will say so.
 * `type`: NFT_MSG_*, `flags`: NLM_F_*.
 */
struct nlmsghdr *nft_batch_message(struct nft_batch *b, uint16_t type, uint16_t flags);
void nft_batch_end_message(struct nft_batch *b, const struct nlmsghdr *message);
/* Something for it could not be had (memory): it will not be sent. */
void nft_batch_fail(struct nft_batch *b);
/* Sends it and waits for the kernel's verdict. 0 or the first error as a negative errno. */
int nft_batch_run(struct nft_batch *b);
/* One message of its own, without a transaction (for questions). Same results. */
int nft_batch_ask(struct nft_batch *b, uint16_t type,
	void (*fill)(struct nlmsghdr *message, void *context), void *context);

#endif
