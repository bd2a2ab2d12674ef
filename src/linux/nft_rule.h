/*
 * Expressions of an nftables rule, one behind the other: load something, compare it, judge. What
 * was loaded is in register 1. Without memory the batch fails. Inside of src/linux only.
 */
#ifndef TANDEM_LINUX_NFT_RULE_H
#define TANDEM_LINUX_NFT_RULE_H

#include "linux/nft_batch.h"

struct nftnl_rule;

enum nft_rule_place { NFT_RULE_IN, NFT_RULE_NOT_IN, NFT_RULE_MAPPED };

/* Only packets that have `value` there go on. */
void nft_rule_compare(struct nftnl_rule *rule, struct nft_batch *batch, const void *value,
	uint32_t size);
/* `key`: enum nft_meta_keys */
void nft_rule_load_meta(struct nftnl_rule *rule, struct nft_batch *batch, uint32_t key);
/* `base`: enum nft_payload_bases */
void nft_rule_load(struct nftnl_rule *rule, struct nft_batch *batch, uint32_t base, uint32_t offset,
	uint32_t size);
/* Of the byte that was loaded only these bits. */
void nft_rule_mask(struct nftnl_rule *rule, struct nft_batch *batch, uint8_t mask);
/* Goes on with what a set has, or does not have; or to the verdict that a map has for it. */
void nft_rule_lookup(struct nftnl_rule *rule, struct nft_batch *batch, const char *set,
	enum nft_rule_place place);
/* `chain`: of NFT_JUMP; else NULL */
void nft_rule_verdict(struct nftnl_rule *rule, struct nft_batch *batch, int verdict,
	const char *chain);

#endif
