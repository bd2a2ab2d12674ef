/*
 * The egress fence in nftables. See fence_table.h.
 *
 *   set speaking-N         the protocols that number N may speak, each for a time: all or none
 *   chain number-N         drops a frame whose protocol is not in speaking-N
 *   map hosts4, hosts6     address -> jump to number-N
 *   map blocks4, blocks6   the same for whole prefixes
 *   chain guarded          looks the address up that a frame speaks for: ARP (sender), IPv4 and IPv6
 *                          (source: also of a neighbour advertisement, net/ipv6/ndisc.c ndisc_send_na())
 *   chain out-N            one an interface, hook egress: jumps to guarded
 *
 * A number stands between address and time, so that renewing a whole virtual router, its blocks
 * included, is the same few elements, and the sets that are searched by interval never change. Less
 * would do for the kernel (a map from address to number, numbers in one set), but not for nft: it
 * aborts when it lists that, and an operator who saves and restores his rules must be able to read ours.
 */
#include "linux/fence_table.h"

#include "linux/nft_batch.h"
#include "linux/nft_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* numbers by which nft knows what to print (nftables include/datatype.h enum datatypes) */
	TYPE_IPADDR = 7,
	TYPE_IP6ADDR = 8,
	TYPE_ETHERTYPE = 10,
	ELEMENTS_A_MESSAGE = 256,
	NUMBERED = 24,
};
static const char guarded[] = "guarded";

struct fence_table {
	char name[FENCE_NAME];
	struct nft_batch *batch;
};

/* Name of what belongs to a number. */
static char *
numbered(const char *what, uint32_t number, char out[NUMBERED])
{
	snprintf(out, NUMBERED, "%s-%u", what, (unsigned)number);
	return out;
}

char *
fence_table_name(const char *run_dir, char out[FENCE_NAME])
{
	char *path = realpath(run_dir, NULL);
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *at = path ? path : run_dir; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	free(path);
	snprintf(out, FENCE_NAME, "tandem-%08x", hash);
	return out;
}

int
fence_table_open(const char *name, struct fence_table **out)
{
	struct fence_table *t = calloc(1, sizeof(*t));
	int error;

	if (!t)
		return -ENOMEM;
	snprintf(t->name, sizeof(t->name), "%s", name);
	error = nft_batch_open(NFPROTO_NETDEV, &t->batch);
	if (error != 0) {
		free(t);
		return error;
	}
	*out = t;
	return 0;
}

void
fence_table_close(struct fence_table *t)
{
	if (!t)
		return;
	nft_batch_close(t->batch);
	free(t);
}

/* --- table --- */

/* For `nft list ruleset`: whose it is. */
static void
put_comment(struct nftnl_table *table)
{
	struct nftnl_udata_buf *comment = nftnl_udata_buf_alloc(128);

	if (!comment)
		return;
	if (nftnl_udata_put_strz(comment, NFTNL_UDATA_TABLE_COMMENT,
		    "egress fence of tandemd, see tandem.conf(5)"))
		nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(comment),
			nftnl_udata_buf_len(comment));
	nftnl_udata_buf_free(comment);
}

static void
fill_table(struct nlmsghdr *message, void *context)
{
	const struct fence_table *t = context;
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table)
		return;
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, t->name);
	if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWTABLE)
		put_comment(table);
	nftnl_table_nlmsg_build_payload(message, table);
	nftnl_table_free(table);
}

static void
put_table(struct fence_table *t, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = nft_batch_message(t->batch, type, flags);

	if (!message)
		return;
	fill_table(message, t);
	nft_batch_end_message(t->batch, message);
}

/* --- sets --- */

struct map {
	const char *name;
	enum ip_family family;
	bool blocks;
};
static const struct map maps[] = {
	{"hosts4", IP_V4, false},
	{"hosts6", IP_V6, false},
	{"blocks4", IP_V4, true},
	{"blocks6", IP_V6, true},
};
enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static bool
belongs(const struct fence_guard *g, const struct map *map)
{
	unsigned bits = 8 * (unsigned)ip_addr_size(&g->prefix.addr);

	return g->prefix.addr.family == map->family && (g->prefix.length < bits) == map->blocks;
}

static bool
is_used(const struct map *map, const struct fence_plan *plan)
{
	for (size_t i = 0; i < plan->guard_count; i++)
		if (belongs(&plan->guards[i], map))
			return true;
	return false;
}

static struct nftnl_set *
set_named(const struct fence_table *t, const char *name)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return NULL;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, t->name);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_NETDEV);
	return set;
}

static void
put_set(struct fence_table *t, struct nftnl_set *set, uint32_t id)
{
	struct nlmsghdr *message;

	if (!set)
		return;
	nftnl_set_set_u32(set, NFTNL_SET_ID, id);
	message = nft_batch_message(t->batch, NFT_MSG_NEWSET, NLM_F_CREATE);
	if (message) {
		nftnl_set_nlmsg_build_payload(message, set);
		nft_batch_end_message(t->batch, message);
	}
	nftnl_set_free(set);
}

static void
put_map(struct fence_table *t, const struct map *map, uint32_t id)
{
	struct nftnl_set *set = set_named(t, map->name);

	if (!set)
		return;
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS,
		NFT_SET_MAP | (map->blocks ? NFT_SET_INTERVAL : 0u));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, map->family == IP_V4 ? TYPE_IPADDR : TYPE_IP6ADDR);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, map->family == IP_V4 ? 4 : 16);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	put_set(t, set, id);
}

static void
put_speaking(struct fence_table *t, uint32_t number)
{
	char name[NUMBERED];
	struct nftnl_set *set = set_named(t, numbered("speaking", number, name));

	if (!set)
		return;
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_TIMEOUT);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, TYPE_ETHERTYPE);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, sizeof(uint16_t));
	put_set(t, set, MAPS + 1 + number);
}

/* --- elements --- */

/* Elements of one set, collected and put as few messages. */
struct elements {
	struct fence_table *t;
	const char *name;
	uint16_t type, flags;
	struct nftnl_set *set;
	unsigned count;
};

static void
put_elements(struct elements *e)
{
	struct nlmsghdr *message;

	if (e->count > 0) {
		message = nft_batch_message(e->t->batch, e->type, e->flags);
		if (message) {
			nftnl_set_elems_nlmsg_build_payload(message, e->set);
			nft_batch_end_message(e->t->batch, message);
		}
	}
	if (e->set)
		nftnl_set_free(e->set);
	e->set = NULL;
	e->count = 0;
}

static struct nftnl_set_elem *
add_element(struct elements *e, const void *key, uint32_t size)
{
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();

	if (e->count == ELEMENTS_A_MESSAGE)
		put_elements(e);
	if (!e->set)
		e->set = set_named(e->t, e->name);
	if (!element || !e->set) {
		nft_batch_fail(e->t->batch);
		nftnl_set_elem_free(element);
		return NULL;
	}
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, size);
	nftnl_set_elem_add(e->set, element);
	e->count++;
	return element;
}

/* The first address after the prefix; false: there is none. */
static bool
address_after(const struct ip_prefix *p, uint8_t out[16])
{
	unsigned last = p->length - 1u; /* bit */
	unsigned carry = 1u << (7 - last % 8);

	if (p->length == 0)
		return false;
	memcpy(out, p->addr.bytes, 16);
	for (int at = (int)(last / 8); at >= 0 && carry > 0; at--) {
		carry += out[at];
		out[at] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

/* An interval is two elements: its first address, and the first one after it. */
static void
add_guard(struct elements *e, const struct fence_guard *g, bool interval)
{
	uint32_t size = (uint32_t)ip_addr_size(&g->prefix.addr);
	struct nftnl_set_elem *element = add_element(e, g->prefix.addr.bytes, size);
	char chain[NUMBERED];
	uint8_t end[16];

	if (element) {
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_JUMP);
		nftnl_set_elem_set_str(element, NFTNL_SET_ELEM_CHAIN, numbered("number", g->number, chain));
	}
	if (!interval || !address_after(&g->prefix, end))
		return;
	element = add_element(e, end, size);
	if (element)
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
}

static void
put_guards(struct fence_table *t, const struct map *map, const struct fence_plan *plan)
{
	struct elements e = {.t = t, .name = map->name, .type = NFT_MSG_NEWSETELEM,
		.flags = NLM_F_CREATE};

	for (size_t i = 0; i < plan->guard_count; i++)
		if (belongs(&plan->guards[i], map))
			add_guard(&e, &plan->guards[i], map->blocks);
	put_elements(&e);
}

/* What number `item` may speak: everything that is looked at. */
static void
put_protocols(struct fence_table *t, uint16_t type, const struct fence_item *item)
{
	static const uint16_t protocols[] = {ETH_P_ARP, ETH_P_IP, ETH_P_IPV6};
	char name[NUMBERED];
	struct elements e = {.t = t, .name = numbered("speaking", item->number, name), .type = type,
		.flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		uint16_t wire = htons(protocols[i]);
		struct nftnl_set_elem *element = add_element(&e, &wire, sizeof(wire));

		if (element && type == NFT_MSG_NEWSETELEM)
			nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, item->ms);
	}
	put_elements(&e);
}

static void
put_items(struct fence_table *t, uint16_t type, const struct fence_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_protocols(t, type, &items[i]);
}

/* --- rules --- */

static struct nftnl_rule *
rule_in(struct fence_table *t, const char *chain)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule) {
		nft_batch_fail(t->batch);
		return NULL;
	}
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_NETDEV);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, t->name);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	return rule;
}

static void
put_rule(struct fence_table *t, struct nftnl_rule *rule)
{
	struct nlmsghdr *message =
		nft_batch_message(t->batch, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	if (message) {
		nftnl_rule_nlmsg_build_payload(message, rule);
		nft_batch_end_message(t->batch, message);
	}
	nftnl_rule_free(rule);
}

/* Where a frame of some kind has the address that it speaks for, counted from the network header. */
struct place {
	uint16_t protocol;
	enum ip_family family;
	uint32_t offset;
};
static const struct place places[] = {
	{ETH_P_ARP, IP_V4, 14}, /* RFC 826: sender protocol address */
	{ETH_P_IP, IP_V4, 12},  /* RFC 791 3.1 */
	{ETH_P_IPV6, IP_V6, 8}, /* RFC 8200 3 */
};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void
put_place(struct fence_table *t, const struct place *place, const struct map *map)
{
	struct nftnl_rule *rule = rule_in(t, guarded);
	uint16_t protocol = htons(place->protocol);

	if (!rule)
		return;
	nft_rule_load_meta(rule, t->batch, NFT_META_PROTOCOL);
	nft_rule_compare(rule, t->batch, &protocol, sizeof(protocol));
	nft_rule_load(rule, t->batch, NFT_PAYLOAD_NETWORK_HEADER, place->offset,
		place->family == IP_V4 ? 4 : 16);
	nft_rule_lookup(rule, t->batch, map->name, NFT_RULE_MAPPED);
	put_rule(t, rule);
}

/* --- chains --- */

/* `interface` NULL: one that is only jumped to. */
static void
put_chain(struct fence_table *t, const char *name, const char *interface)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	struct nlmsghdr *message = nft_batch_message(t->batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (!chain)
		nft_batch_fail(t->batch);
	if (chain && message) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, t->name);
		nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
		if (interface) {
			nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "filter");
			nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_NETDEV_EGRESS);
			nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, 0);
			nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
			nftnl_chain_set_str(chain, NFTNL_CHAIN_DEV, interface);
		}
		nftnl_chain_nlmsg_build_payload(message, chain);
		nft_batch_end_message(t->batch, message);
	}
	if (chain)
		nftnl_chain_free(chain);
}

static void
put_interface(struct fence_table *t, size_t index, const char *interface)
{
	char name[16];
	struct nftnl_rule *rule;

	snprintf(name, sizeof(name), "out-%u", (unsigned)index);
	put_chain(t, name, interface);
	rule = rule_in(t, name);
	if (!rule)
		return;
	nft_rule_verdict(rule, t->batch, NFT_JUMP, guarded);
	put_rule(t, rule);
}

static bool
is_first_of_number(const struct fence_plan *plan, size_t i)
{
	return i == 0 || plan->guards[i].number != plan->guards[i - 1].number;
}

static void
put_number(struct fence_table *t, uint32_t number)
{
	char chain[NUMBERED], set[NUMBERED];
	struct nftnl_rule *rule;

	put_speaking(t, number);
	put_chain(t, numbered("number", number, chain), NULL);
	rule = rule_in(t, chain);
	if (!rule)
		return;
	nft_rule_load_meta(rule, t->batch, NFT_META_PROTOCOL);
	nft_rule_lookup(rule, t->batch, numbered("speaking", number, set), NFT_RULE_NOT_IN);
	nft_rule_verdict(rule, t->batch, NF_DROP, NULL);
	put_rule(t, rule);
}

/* --- the whole --- */

static void
put_maps(struct fence_table *t, const struct fence_plan *plan)
{
	for (size_t i = 0; i < MAPS; i++) {
		if (!is_used(&maps[i], plan))
			continue;
		put_map(t, &maps[i], (uint32_t)i + 1);
		put_guards(t, &maps[i], plan);
	}
}

static void
put_guarded(struct fence_table *t, const struct fence_plan *plan)
{
	put_chain(t, guarded, NULL);
	for (size_t i = 0; i < MAPS; i++)
		for (size_t k = 0; k < PLACES && is_used(&maps[i], plan); k++)
			if (places[k].family == maps[i].family)
				put_place(t, &places[k], &maps[i]);
}

int
fence_table_build(struct fence_table *t, const struct fence_plan *plan)
{
	nft_batch_begin(t->batch);
	put_table(t, NFT_MSG_NEWTABLE, NLM_F_CREATE); /* so that there is one to remove */
	put_table(t, NFT_MSG_DELTABLE, 0);
	put_table(t, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (size_t i = 0; i < plan->guard_count; i++)
		if (is_first_of_number(plan, i))
			put_number(t, plan->guards[i].number);
	put_items(t, NFT_MSG_NEWSETELEM, plan->open, plan->open_count);
	put_maps(t, plan);
	put_guarded(t, plan);
	for (size_t i = 0; i < plan->interface_count; i++)
		put_interface(t, i, plan->interfaces[i]);
	return nft_batch_run(t->batch);
}

bool
fence_table_exists(struct fence_table *t)
{
	return nft_batch_ask(t->batch, NFT_MSG_GETTABLE, fill_table, t) == 0;
}

int
fence_table_remove(struct fence_table *t)
{
	nft_batch_begin(t->batch);
	put_table(t, NFT_MSG_DELTABLE, 0);
	return nft_batch_run(t->batch);
}

int
fence_table_keep(struct fence_table *t, const struct fence_item *items, size_t count)
{
	/* To give an element more time it is removed and put back: both, or neither. */
	nft_batch_begin(t->batch);
	put_items(t, NFT_MSG_DELSETELEM, items, count);
	put_items(t, NFT_MSG_NEWSETELEM, items, count);
	return nft_batch_run(t->batch);
}

int
fence_table_add(struct fence_table *t, const struct fence_item *item)
{
	/* Whether it is there or not: a transaction that fails costs an RCU grace period, some 10 ms. */
	nft_batch_begin(t->batch);
	put_items(t, NFT_MSG_NEWSETELEM, item, 1);
	put_items(t, NFT_MSG_DELSETELEM, item, 1);
	put_items(t, NFT_MSG_NEWSETELEM, item, 1);
	return nft_batch_run(t->batch);
}

int
fence_table_delete(struct fence_table *t, uint32_t number)
{
	struct fence_item item = {.number = number};

	nft_batch_begin(t->batch);
	put_items(t, NFT_MSG_DELSETELEM, &item, 1);
	return nft_batch_run(t->batch);
}
