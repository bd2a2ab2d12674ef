/*
 * The table of hush.h:
 *
 *   set hushed4, hushed6   addresses, each for a time
 *   chain output           hook output: drops TCP with RST and without ACK from one of them
 */
#include "linux/hush.h"

#include "linux/fence_table.h"
#include "linux/nft_batch.h"
#include "linux/nft_rule.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

enum {
	TCP = 6,
	FLAGS_AT = 13, /* in a segment, RFC 9293 3.1 */
	FLAG_RST = 0x04,
	FLAG_ACK = 0x10,
};
static const char output[] = "output";

struct side {
	const char *set;
	enum ip_family family;
	uint8_t protocol;   /* NFPROTO_* */
	uint32_t type;      /* by which nft knows what to print */
	uint32_t source_at; /* in the network header */
};
static const struct side sides[] = {
	{"hushed4", IP_V4, NFPROTO_IPV4, 7, 12},
	{"hushed6", IP_V6, NFPROTO_IPV6, 8, 8},
};
enum { SIDES = sizeof(sides) / sizeof(sides[0]) };

struct hush {
	const char *name;
	struct nft_batch *batch;
};

char *
hush_name(const char *run_dir, char out[HUSH_NAME])
{
	char fence[FENCE_NAME];

	snprintf(out, HUSH_NAME, "%s-hush", fence_table_name(run_dir, fence));
	return out;
}

static uint32_t
size_of(const struct side *side)
{
	return side->family == IP_V4 ? 4 : 16;
}

static void
put_table(const struct hush *h, uint16_t type, uint16_t flags)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nlmsghdr *message = nft_batch_message(h->batch, type, flags);

	if (!table)
		nft_batch_fail(h->batch);
	if (table && message) {
		nftnl_table_set_str(table, NFTNL_TABLE_NAME, h->name);
		nftnl_table_nlmsg_build_payload(message, table);
		nft_batch_end_message(h->batch, message);
	}
	if (table)
		nftnl_table_free(table);
}

static struct nftnl_set *
set_of(const struct hush *h, const struct side *side)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set) {
		nft_batch_fail(h->batch);
		return NULL;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, h->name);
	nftnl_set_set_str(set, NFTNL_SET_NAME, side->set);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	return set;
}

static void
put_set(const struct hush *h, const struct side *side)
{
	struct nftnl_set *set = set_of(h, side);
	struct nlmsghdr *message = nft_batch_message(h->batch, NFT_MSG_NEWSET, NLM_F_CREATE);

	if (set && message) {
		nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
		nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, side->type);
		nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, size_of(side));
		nftnl_set_set_u32(set, NFTNL_SET_ID, 1 + (uint32_t)(side - sides));
		nftnl_set_nlmsg_build_payload(message, set);
		nft_batch_end_message(h->batch, message);
	}
	if (set)
		nftnl_set_free(set);
}

static void
put_address(const struct hush *h, const struct side *side, const struct ip_addr *address, uint32_t ms)
{
	struct nftnl_set *set = set_of(h, side);
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	struct nlmsghdr *message = nft_batch_message(h->batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE);

	if (!element)
		nft_batch_fail(h->batch);
	if (set && element && message) {
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, address->bytes, size_of(side));
		nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, ms);
		nftnl_set_elem_add(set, element);
		element = NULL; /* the set's */
		nftnl_set_elems_nlmsg_build_payload(message, set);
		nft_batch_end_message(h->batch, message);
	}
	if (element)
		nftnl_set_elem_free(element);
	if (set)
		nftnl_set_free(set);
}

static void
put_chain(const struct hush *h)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *message = nft_batch_message(h->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (!chain)
		nft_batch_fail(h->batch);
	if (chain && message) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, h->name);
		nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, output);
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_LOCAL_OUT);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, 0);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
		nftnl_chain_nlmsg_build_payload(message, chain);
		nft_batch_end_message(h->batch, message);
	}
	if (chain)
		nftnl_chain_free(chain);
}

static void
put_expressions(const struct hush *h, const struct side *side, struct nftnl_rule *rule)
{
	static const uint8_t tcp = TCP, bare = FLAG_RST;

	nft_rule_load_meta(rule, h->batch, NFT_META_L4PROTO);
	nft_rule_compare(rule, h->batch, &tcp, sizeof(tcp));
	nft_rule_load(rule, h->batch, NFT_PAYLOAD_TRANSPORT_HEADER, FLAGS_AT, 1);
	nft_rule_mask(rule, h->batch, FLAG_RST | FLAG_ACK);
	nft_rule_compare(rule, h->batch, &bare, sizeof(bare));
	nft_rule_load_meta(rule, h->batch, NFT_META_NFPROTO);
	nft_rule_compare(rule, h->batch, &side->protocol, sizeof(side->protocol));
	nft_rule_load(rule, h->batch, NFT_PAYLOAD_NETWORK_HEADER, side->source_at, size_of(side));
	nft_rule_lookup(rule, h->batch, side->set, NFT_RULE_IN);
	nft_rule_verdict(rule, h->batch, NF_DROP, NULL);
}

static void
put_rule(const struct hush *h, const struct side *side)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct nlmsghdr *message;

	if (!rule) {
		nft_batch_fail(h->batch);
		return;
	}
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, h->name);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, output);
	put_expressions(h, side, rule);
	message = nft_batch_message(h->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	if (message) {
		nftnl_rule_nlmsg_build_payload(message, rule);
		nft_batch_end_message(h->batch, message);
	}
	nftnl_rule_free(rule);
}

static void
put_all(const struct hush *h, const struct ip_addr *addresses, size_t count, uint32_t ms)
{
	put_table(h, NFT_MSG_NEWTABLE, NLM_F_CREATE); /* so that there is one to remove */
	put_table(h, NFT_MSG_DELTABLE, 0);
	put_table(h, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	put_chain(h);
	for (size_t s = 0; s < SIDES; s++) {
		put_set(h, &sides[s]);
		for (size_t i = 0; i < count; i++)
			if (addresses[i].family == sides[s].family)
				put_address(h, &sides[s], &addresses[i], ms);
		put_rule(h, &sides[s]);
	}
}

int
hush_begin(const char *name, const struct ip_addr *addresses, size_t count, uint32_t ms)
{
	struct hush h = {.name = name};
	int error = nft_batch_open(NFPROTO_INET, &h.batch);

	if (error != 0)
		return error;
	nft_batch_begin(h.batch);
	put_all(&h, addresses, count, ms);
	error = nft_batch_run(h.batch);
	nft_batch_close(h.batch);
	return error;
}

int
hush_end(const char *name)
{
	struct hush h = {.name = name};
	int error = nft_batch_open(NFPROTO_INET, &h.batch);

	if (error != 0)
		return error;
	nft_batch_begin(h.batch);
	put_table(&h, NFT_MSG_DELTABLE, 0);
	error = nft_batch_run(h.batch);
	nft_batch_close(h.batch);
	return error;
}
