/*
 * What is known of interfaces and addresses. See links.c.
 *
 * One truth an interface: netlink says whether it exists, is up, its name, MAC and MTU. Carrier is
 * what ETHTOOL_GLINK last said of that very interface (by index), because a netlink event may have
 * been queued before a change that GLINK has already seen; only where GLINK has said nothing,
 * netlink's word counts. Down means no carrier, whoever says otherwise.
 */
#include "linux/links_internal.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct address_known {
	struct link_address address;
	uint32_t round;
};

static struct link_known *
find(struct link_table *t, int ifindex)
{
	for (size_t i = 0; i < t->known_count; i++)
		if (t->known[i].state.ifindex == ifindex)
			return &t->known[i];
	return NULL;
}

static bool
name_is_used(const struct link_table *t, const char *name)
{
	for (size_t i = 0; i < t->known_count; i++)
		if (strcmp(t->known[i].state.name, name) == 0)
			return true;
	return false;
}

static struct link_known *
add(struct link_table *t, int ifindex)
{
	if (t->known_count == t->known_capacity) {
		size_t capacity = t->known_capacity ? t->known_capacity * 2 : 32;
		struct link_known *grown = realloc(t->known, capacity * sizeof(*grown));

		if (!grown)
			return NULL;
		t->known = grown;
		t->known_capacity = capacity;
	}
	t->known[t->known_count] = (struct link_known){.state.ifindex = ifindex};
	return &t->known[t->known_count++];
}

static bool
carrier_of(const struct link_table *t, const struct link_known *k, const struct link_state *s)
{
	if (!s->up)
		return false;
	for (size_t i = 0; i < t->watched_count; i++)
		if (t->watched[i].ifindex == s->ifindex)
			return t->watched[i].carrier;
	return k->carrier_by_netlink;
}

/* Handlers get a copy: they may change the watch list under us. */
static void
tell(struct link_table *t, struct link_state state)
{
	t->handlers.link(t->handlers.context, &state);
}

/* Nobody has this name any more, so that whoever depends on it learns. */
static void
tell_gone(struct link_table *t, const char name[LIMIT_IFNAME])
{
	struct link_state gone = {.ifindex = 0};

	memcpy(gone.name, name, sizeof(gone.name));
	/* after lost events another may already have it */
	if (gone.name[0] != '\0' && !name_is_used(t, gone.name))
		tell(t, gone);
}

static void
forget(struct link_table *t, struct link_known *k)
{
	char name[LIMIT_IFNAME];

	memcpy(name, k->state.name, sizeof(name));
	*k = t->known[--t->known_count];
	tell_gone(t, name);
}

static bool
same_state(const struct link_state *a, const struct link_state *b)
{
	return a->ifindex == b->ifindex && a->up == b->up && a->carrier == b->carrier &&
		a->mtu == b->mtu && a->router6 == b->router6 &&
		memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && strcmp(a->name, b->name) == 0;
}

static void
update(struct link_table *t, struct link_known *k, struct link_state s)
{
	char name[LIMIT_IFNAME];

	memcpy(name, k->state.name, sizeof(name));
	s.carrier = carrier_of(t, k, &s);
	if (same_state(&k->state, &s))
		return;
	k->state = s;
	if (name[0] != '\0' && strcmp(name, s.name) != 0)
		tell_gone(t, name);
	tell(t, s);
}

/* False: not a whole description (some drivers send events about one attribute). */
static bool
read_link(const struct nlmsghdr *h, struct link_state *s, bool *carrier)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	bool has_carrier = false;
	struct nlattr *a;
	int left;

	*s = (struct link_state){.ifindex = info->ifi_index, .up = (info->ifi_flags & IFF_UP) != 0};
	nla_for_each_attr(a, nlmsg_attrdata(h, sizeof(*info)), nlmsg_attrlen(h, sizeof(*info)), left) {
		int type = nla_type(a), size = nla_len(a);

		if (type == IFLA_IFNAME)
			nla_strlcpy(s->name, a, sizeof(s->name));
		else if (type == IFLA_ADDRESS && size == sizeof(s->mac))
			nla_memcpy(s->mac, a, sizeof(s->mac));
		else if (type == IFLA_MTU && size == sizeof(s->mtu))
			s->mtu = nla_get_u32(a);
		else if (type == IFLA_CARRIER && size == 1) {
			*carrier = nla_get_u8(a) != 0;
			has_carrier = true;
		}
	}
	return has_carrier && s->name[0] != '\0';
}

static void
take_link(struct link_table *t, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	struct link_known *k;
	struct link_state s;
	bool carrier = false;

	/* A bridge speaks of its ports in AF_BRIDGE: leaving it is RTM_DELLINK there. */
	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) || info->ifi_family != AF_UNSPEC)
		return;
	k = find(t, info->ifi_index);
	if (h->nlmsg_type == RTM_DELLINK) {
		if (k)
			forget(t, k);
		return;
	}
	if (!read_link(h, &s, &carrier))
		return;
	if (!k && !(k = add(t, s.ifindex)))
		return;
	k->round = t->round;
	k->carrier_by_netlink = carrier;
	s.router6 = k->state.router6;
	update(t, k, s);
}

/* Of a new interface it is told before the interface itself, which has no name here until then. */
static void
take_netconf(struct link_table *t, const struct nlmsghdr *h)
{
	struct nlattr *tb[NETCONFA_MAX + 1];
	struct link_known *k;
	struct link_state s;
	int ifindex;

	if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(struct netconfmsg), tb,
			NETCONFA_MAX, NULL) < 0 ||
		((const struct netconfmsg *)NLMSG_DATA(h))->ncm_family != AF_INET6 ||
		!tb[NETCONFA_IFINDEX] || !tb[NETCONFA_FORWARDING])
		return;
	ifindex = (int)nla_get_u32(tb[NETCONFA_IFINDEX]);
	if (ifindex <= 0) /* of all, of those to come */
		return;
	k = find(t, ifindex);
	if (!k && !(k = add(t, ifindex)))
		return;
	k->round = t->round;
	s = k->state;
	s.router6 = nla_get_u32(tb[NETCONFA_FORWARDING]) != 0;
	if (s.name[0] == '\0')
		k->state = s;
	else
		update(t, k, s);
}

static int
compare_addresses(const void *left, const void *right)
{
	const struct link_address *a = &((const struct address_known *)left)->address;
	const struct link_address *b = &((const struct address_known *)right)->address;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	if (a->prefix.length != b->prefix.length)
		return a->prefix.length < b->prefix.length ? -1 : 1;
	return ip_addr_compare(&a->prefix.addr, &b->prefix.addr);
}

static void
remember_address(struct link_table *t, const struct link_address *a)
{
	struct address_known key = {.address = *a}, **found = tfind(&key, &t->addresses,
		compare_addresses), *made;

	if (found) {
		(*found)->address = *a;
		(*found)->round = t->round;
		return;
	}
	made = malloc(sizeof(*made));
	if (!made)
		return;
	*made = (struct address_known){.address = *a, .round = t->round};
	if (!tsearch(made, &t->addresses, compare_addresses))
		free(made);
}

static void
forget_address(struct link_table *t, const struct link_address *a)
{
	struct address_known key = {.address = *a}, **found = tfind(&key, &t->addresses,
		compare_addresses), *old;

	if (!found)
		return;
	old = *found;
	tdelete(old, &t->addresses, compare_addresses);
	free(old);
}

static void
read_address(const struct nlmsghdr *h, struct link_address *a)
{
	const struct ifaddrmsg *head = NLMSG_DATA(h);
	uint32_t flags = head->ifa_flags;
	bool has_local = false;
	struct nlattr *at;
	int left;

	nla_for_each_attr(at, nlmsg_attrdata(h, sizeof(*head)), nlmsg_attrlen(h, sizeof(*head)), left) {
		int type = nla_type(at), size = nla_len(at);

		/* With a peer IFA_ADDRESS is the peer's; without one IPv6 has no IFA_LOCAL. */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !has_local))
			nla_memcpy(a->prefix.addr.bytes, at, (int)ip_addr_size(&a->prefix.addr));
		if (type == IFA_LOCAL)
			has_local = true;
		else if (type == IFA_FLAGS && size == sizeof(flags))
			flags = nla_get_u32(at);
		else if (type == IFA_CACHEINFO && size >= (int)sizeof(struct ifa_cacheinfo))
			a->valid_s = ((struct ifa_cacheinfo *)nla_data(at))->ifa_valid;
		else if (type == IFA_PROTO && size == 1)
			a->proto = nla_get_u8(at);
	}
	a->secondary = (flags & IFA_F_SECONDARY) != 0 && head->ifa_family == AF_INET;
	a->tentative = (flags & IFA_F_TENTATIVE) != 0;
}

static void
take_address(struct link_table *t, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *head = NLMSG_DATA(h);
	struct link_address a = {.valid_s = UINT32_MAX, .removed = h->nlmsg_type == RTM_DELADDR};

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
		(head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return;
	a.ifindex = (int)head->ifa_index;
	a.prefix.addr.family = head->ifa_family == AF_INET ? IP_V4 : IP_V6;
	a.prefix.length = head->ifa_prefixlen;
	/* In a listing the port is the asker's own. */
	a.port = h->nlmsg_flags & NLM_F_MULTI ? 0 : h->nlmsg_pid;
	read_address(h, &a);
	if (a.removed)
		forget_address(t, &a);
	else
		remember_address(t, &a);
	t->handlers.address(t->handlers.context, &a);
}

void
link_table_take(struct link_table *t, const uint8_t *bytes, size_t length)
{
	int left = (int)length;

	for (struct nlmsghdr *h = (void *)(uintptr_t)bytes; nlmsg_ok(h, left);
		h = nlmsg_next(h, &left)) {
		if (h->nlmsg_type == RTM_NEWLINK || h->nlmsg_type == RTM_DELLINK)
			take_link(t, h);
		else if (h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR)
			take_address(t, h);
		else if (h->nlmsg_type == RTM_NEWNETCONF)
			take_netconf(t, h);
	}
}

static void
refresh_carrier(struct link_table *t, int ifindex)
{
	struct link_known *k = find(t, ifindex);

	if (ifindex != 0 && k)
		update(t, k, k->state);
}

void
link_table_take_carrier(struct link_table *t, const struct link_watched *said)
{
	for (size_t i = 0; i < t->watched_count; i++) {
		int before = t->watched[i].ifindex;

		if (strcmp(t->watched[i].name, said->name) != 0)
			continue;
		t->watched[i] = *said;
		if (before != said->ifindex)
			refresh_carrier(t, before);
		refresh_carrier(t, said->ifindex);
		return;
	}
}

int
link_table_watch(struct link_table *t, const char (*names)[LIMIT_IFNAME], size_t count)
{
	struct link_watched *rows = calloc(count + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		memcpy(rows[i].name, names[i], strnlen(names[i], LIMIT_IFNAME - 1));
		for (size_t old = 0; old < t->watched_count; old++)
			if (strcmp(t->watched[old].name, rows[i].name) == 0)
				rows[i] = t->watched[old];
	}
	free(t->watched);
	t->watched = rows;
	t->watched_count = count;
	return 0;
}

void
link_table_begin(struct link_table *t)
{
	t->round++;
}

/* twalk_r() must not see the tree change: it only collects. */
struct stale {
	uint32_t round;
	size_t count, capacity;
	struct link_address *list;
};

static void
collect_stale(const void *node, VISIT order, void *context)
{
	const struct address_known *k = *(const struct address_known *const *)node;
	struct stale *s = context;

	if ((order != postorder && order != leaf) || k->round == s->round)
		return;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 64;
		struct link_address *grown = realloc(s->list, capacity * sizeof(*grown));

		if (!grown)
			return;
		s->list = grown;
		s->capacity = capacity;
	}
	s->list[s->count++] = k->address;
}

void
link_table_sweep(struct link_table *t)
{
	struct stale stale = {.round = t->round};

	twalk_r(t->addresses, collect_stale, &stale);
	for (size_t i = 0; i < stale.count; i++) {
		stale.list[i].removed = true;
		stale.list[i].port = 0;
		forget_address(t, &stale.list[i]);
		t->handlers.address(t->handlers.context, &stale.list[i]);
	}
	free(stale.list);
	for (size_t i = t->known_count; i-- > 0;)
		if (i < t->known_count && t->known[i].round != t->round)
			forget(t, &t->known[i]);
}

static void
repeat_address(const void *node, VISIT order, void *context)
{
	const struct address_known *k = *(const struct address_known *const *)node;
	const struct link_table *t = context;
	struct link_address a = k->address;

	a.port = 0;
	if (order == postorder || order == leaf)
		t->handlers.address(t->handlers.context, &a);
}

void
link_table_repeat(struct link_table *t)
{
	for (size_t i = 0; i < t->known_count; i++)
		if (t->known[i].state.name[0] != '\0')
			tell(t, t->known[i].state);
	twalk_r(t->addresses, repeat_address, t);
}

void
link_table_free(struct link_table *t)
{
	tdestroy(t->addresses, free);
	free(t->known);
	free(t->watched);
}
