/* Expressions of rules. See nft_rule.h. */
#include "linux/nft_rule.h"

#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

static struct nftnl_expr *
add_expression(struct nftnl_rule *rule, struct nft_batch *batch, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(rule, e);
	else
		nft_batch_fail(batch);
	return e;
}

void
nft_rule_compare(struct nftnl_rule *rule, struct nft_batch *batch, const void *value, uint32_t size)
{
	struct nftnl_expr *e = add_expression(rule, batch, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, size);
}

void
nft_rule_load_meta(struct nftnl_rule *rule, struct nft_batch *batch, uint32_t key)
{
	struct nftnl_expr *e = add_expression(rule, batch, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

void
nft_rule_load(struct nftnl_rule *rule, struct nft_batch *batch, uint32_t base, uint32_t offset,
	uint32_t size)
{
	struct nftnl_expr *e = add_expression(rule, batch, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, size);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

void
nft_rule_mask(struct nftnl_rule *rule, struct nft_batch *batch, uint8_t mask)
{
	static const uint8_t nothing = 0;
	struct nftnl_expr *e = add_expression(rule, batch, "bitwise");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &nothing, sizeof(nothing));
}

void
nft_rule_lookup(struct nftnl_rule *rule, struct nft_batch *batch, const char *set,
	enum nft_rule_place place)
{
	struct nftnl_expr *e = add_expression(rule, batch, "lookup");

	if (!e)
		return;
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	if (place == NFT_RULE_MAPPED)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	else if (place == NFT_RULE_NOT_IN)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void
nft_rule_verdict(struct nftnl_rule *rule, struct nft_batch *batch, int verdict, const char *chain)
{
	struct nftnl_expr *e = add_expression(rule, batch, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
}
