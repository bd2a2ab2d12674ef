/*
 * Devices with a virtual MAC. See macvlan.h.
 *
 * A device is ours when its alias says so. The alias is written when everything else about the
 * device is in place and before anything about the interface below is changed: a device with an
 * alias is complete, and what it says can be put back. One that we were about to make when we died
 * has no alias yet; it is known by its name, its MAC, what it stands on, and that it is down.
 */
#include "linux/macvlan.h"

#include "linux/knob.h"

#include <net/if.h> /* before what includes linux/if.h: the kernel headers know how to give way */

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvlan.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KNOBS = 2,
	ALIAS_SIZE = 64,
	STACK = 256 * 1024,
	GROUP = 0x54414e44, /* of devices, so that all of them can be removed at once */
};
static const char mark[] = "tandem";
static const char alias_format[] = "tandem arp_ignore=%d arp_announce=%d";

/* Of the interface below: at least so much. */
static const struct {
	const char *name;
	int least;
} below_knobs[KNOBS] = {{"arp_ignore", 1}, {"arp_announce", 2}};

/*
 * Of the device. rp_filter=2 (loose): answers leave through the interface below, and 2 wins over a
 * strict setting for all, which 0 would not (the larger one counts). An interface identifier must
 * not be made from a virtual MAC (RFC 9568 7.4): addr_gen_mode=1 is none.
 */
static const struct {
	const char *family, *name;
	int value;
	enum ip_family of; /* IP_NONE: of both */
} device_knobs[] = {
	{"ipv4", "arp_ignore", 1, IP_NONE},
	{"ipv4", "arp_announce", 2, IP_NONE},
	{"ipv4", "rp_filter", 2, IP_NONE},
	{"ipv4", "promote_secondaries", 1, IP_NONE},
	{"ipv6", "addr_gen_mode", 1, IP_NONE},
	{"ipv6", "disable_ipv6", 1, IP_V4},
	{"ipv6", "accept_ra", 0, IP_V6},
	{"ipv6", "autoconf", 0, IP_V6},
	{"ipv6", "accept_dad", 0, IP_V6},
	{"ipv6", "dad_transmits", 0, IP_V6},
};

/* An interface that we have changed, and how it was. */
struct below {
	int ifindex;
	int saved[KNOBS];
};

struct macvlan_socket {
	struct nl_sock *nl;
	int error; /* the kernel's, of the request under way */
	struct below *below;
	size_t below_count;
};

/* libnl's own codes tell less than the kernel's. */
static int
keep_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *socket)
{
	struct macvlan_socket *s = socket;

	(void)from;
	s->error = -e->error;
	return NL_STOP;
}

int
macvlan_open(struct macvlan_socket **out)
{
	struct macvlan_socket *s = calloc(1, sizeof(*s));

	if (!s || !(s->nl = nl_socket_alloc())) {
		macvlan_close(s);
		return -ENOMEM;
	}
	if (nl_connect(s->nl, NETLINK_ROUTE) < 0) {
		macvlan_close(s);
		return -ENOBUFS;
	}
	nl_socket_modify_err_cb(s->nl, NL_CB_CUSTOM, keep_error, s);
	*out = s;
	return 0;
}

void
macvlan_close(struct macvlan_socket *s)
{
	if (!s)
		return;
	nl_socket_free(s->nl);
	free(s->below);
	free(s);
}

/* What libnl said of a request, as an errno. */
static int
result(struct macvlan_socket *s, int code)
{
	int error = s->error;

	s->error = 0;
	if (code >= 0)
		return 0;
	return error != 0 ? error : code == -NLE_NOMEM ? ENOMEM : EIO;
}

static struct rtnl_link *
look(struct macvlan_socket *s, int ifindex, const char *name)
{
	struct rtnl_link *link = NULL;

	if (result(s, rtnl_link_get_kernel(s->nl, ifindex, name, &link)) == 0)
		return link;
	return NULL;
}

static bool
is_kind(struct rtnl_link *link, const char *kind)
{
	const char *type = rtnl_link_get_type(link);

	return type && strcmp(type, kind) == 0;
}

static bool
is_marked(struct rtnl_link *link)
{
	const char *alias = rtnl_link_get_ifalias(link);

	return alias && strncmp(alias, mark, sizeof(mark) - 1) == 0 && is_kind(link, "macvlan");
}

static bool
has_mac(struct rtnl_link *link, const uint8_t mac[6])
{
	struct nl_addr *a = rtnl_link_get_addr(link);

	return a && nl_addr_get_len(a) == 6 && memcmp(nl_addr_get_binary_addr(a), mac, 6) == 0;
}

/* As macvlan_prepare() makes it. */
static bool
fits(struct rtnl_link *link, const struct virtual_device *d, int below)
{
	return is_kind(link, "macvlan") && rtnl_link_get_link(link) == below &&
		has_mac(link, d->mac) && rtnl_link_macvlan_get_mode(link) == MACVLAN_MODE_BRIDGE;
}

static bool
is_ours(struct rtnl_link *link, const struct virtual_device *d, int below)
{
	return is_marked(link) || (!rtnl_link_get_ifalias(link) && fits(link, d, below) &&
		(rtnl_link_get_flags(link) & IFF_UP) == 0);
}

static bool
read_alias(struct rtnl_link *link, int saved[KNOBS])
{
	const char *alias = rtnl_link_get_ifalias(link);

	return alias && sscanf(alias, alias_format, &saved[0], &saved[1]) == KNOBS;
}

/* Has another device on this interface written down how that was? */
static bool
ask_devices(struct macvlan_socket *s, struct below *b)
{
	struct nl_cache *all;
	bool found = false;

	if (result(s, rtnl_link_alloc_cache(s->nl, AF_UNSPEC, &all)) != 0)
		return false;
	for (struct nl_object *o = nl_cache_get_first(all); o && !found; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;

		found = is_marked(link) && rtnl_link_get_link(link) == b->ifindex &&
			read_alias(link, b->saved);
	}
	nl_cache_free(all);
	return found;
}

static const struct below *
find_below(const struct macvlan_socket *s, int ifindex)
{
	for (size_t i = 0; i < s->below_count; i++)
		if (s->below[i].ifindex == ifindex)
			return &s->below[i];
	return NULL;
}

static const struct below *
add_below(struct macvlan_socket *s, const struct below *b)
{
	struct below *grown = realloc(s->below, (s->below_count + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	s->below = grown;
	grown[s->below_count] = *b;
	return &grown[s->below_count++];
}

/* How the interface was before we touched it; NULL without memory. Valid until the next call. */
static const struct below *
know_below(struct macvlan_socket *s, int ifindex, const char *name)
{
	struct below fresh = {.ifindex = ifindex};
	const struct below *known = find_below(s, ifindex);

	if (known)
		return known;
	if (!ask_devices(s, &fresh))
		for (int k = 0; k < KNOBS; k++)
			fresh.saved[k] = knob_get("ipv4", name, below_knobs[k].name);
	return add_below(s, &fresh);
}

/* So that it is still known when somebody else removes the device. */
static void
remember_below(struct macvlan_socket *s, struct rtnl_link *device)
{
	struct below b = {.ifindex = rtnl_link_get_link(device)};

	if (!find_below(s, b.ifindex) && read_alias(device, b.saved))
		add_below(s, &b);
}

static void
forget_below(struct macvlan_socket *s, int ifindex)
{
	for (size_t i = 0; i < s->below_count; i++)
		if (s->below[i].ifindex == ifindex)
			s->below[i] = s->below[--s->below_count];
}

static void
set_below(const char *name)
{
	for (int k = 0; k < KNOBS; k++)
		if (knob_get("ipv4", name, below_knobs[k].name) < below_knobs[k].least)
			knob_set("ipv4", name, below_knobs[k].name, below_knobs[k].least);
}

/* What somebody else has set since stays. */
static void
put_back(struct macvlan_socket *s, int ifindex, const int saved[KNOBS])
{
	char name[IF_NAMESIZE];

	forget_below(s, ifindex);
	if (!if_indextoname((unsigned)ifindex, name))
		return;
	for (int k = 0; k < KNOBS; k++)
		if (saved[k] >= 0 && saved[k] < below_knobs[k].least &&
			knob_get("ipv4", name, below_knobs[k].name) == below_knobs[k].least)
			knob_set("ipv4", name, below_knobs[k].name, saved[k]);
}

/* Whether the host forwards what comes in is asked of the interface it comes in by. */
static void *
set_knobs(void *device)
{
	const struct virtual_device *d = device;
	int forwards;

	for (size_t i = 0; i < sizeof(device_knobs) / sizeof(device_knobs[0]); i++)
		if (device_knobs[i].of == IP_NONE || device_knobs[i].of == d->family)
			knob_set(device_knobs[i].family, d->name, device_knobs[i].name,
				device_knobs[i].value);
	forwards = knob_get(d->family == IP_V6 ? "ipv6" : "ipv4", d->parent, "forwarding");
	if (forwards >= 0)
		knob_set(d->family == IP_V6 ? "ipv6" : "ipv4", d->name, "forwarding", forwards);
	return NULL;
}

/*
 * Some of these settings take RTNL by trying again and again (restart_syscall() in the kernel). With
 * realtime priority that would keep its holder from ever letting go where there is one processor:
 * so it is done by a thread without.
 */
static int
set_device(struct virtual_device *d)
{
	struct sched_param ordinary = {.sched_priority = 0};
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &ordinary);
	error = pthread_create(&thread, &attr, set_knobs, d);
	pthread_attr_destroy(&attr);
	return error != 0 ? error : pthread_join(thread, NULL);
}

static int
write_alias(struct macvlan_socket *s, const struct virtual_device *d, int below)
{
	struct rtnl_link *old = rtnl_link_alloc(), *new = rtnl_link_alloc();
	const struct below *b = d->family == IP_V4 ? know_below(s, below, d->parent) : NULL;
	char alias[ALIAS_SIZE];
	int error = ENOMEM;

	snprintf(alias, sizeof(alias), "%s", mark);
	if (b)
		snprintf(alias, sizeof(alias), alias_format, b->saved[0], b->saved[1]);
	if (old && new && (b || d->family == IP_V6)) {
		rtnl_link_set_ifindex(old, d->ifindex);
		rtnl_link_set_ifindex(new, d->ifindex);
		rtnl_link_set_ifalias(new, alias);
		error = result(s, rtnl_link_change(s->nl, old, new, 0));
	}
	rtnl_link_put(old);
	rtnl_link_put(new);
	return error;
}

static int
check_below(struct macvlan_socket *s, int below)
{
	struct rtnl_link *link = look(s, below, NULL);
	int error = 0;

	if (!link)
		return ENODEV;
	/* The kernel would put it on what is below that: another interface than the one named. */
	if (is_kind(link, "macvlan") || is_kind(link, "macvtap") || is_kind(link, "ipvlan"))
		error = ELOOP;
	else if (rtnl_link_get_arptype(link) != ARPHRD_ETHER)
		error = EINVAL;
	rtnl_link_put(link);
	return error;
}

static int
make(struct macvlan_socket *s, const struct virtual_device *d, int below)
{
	struct rtnl_link *link;
	struct nl_addr *mac;
	int error = check_below(s, below);

	if (error != 0)
		return error;
	link = rtnl_link_macvlan_alloc();
	mac = nl_addr_build(AF_LLC, d->mac, sizeof(d->mac));
	error = ENOMEM;
	if (link && mac) {
		rtnl_link_set_link(link, below);
		rtnl_link_set_name(link, d->name);
		rtnl_link_set_addr(link, mac);
		rtnl_link_set_group(link, GROUP);
		rtnl_link_macvlan_set_mode(link, MACVLAN_MODE_BRIDGE);
		error = result(s, rtnl_link_add(s->nl, link, NLM_F_CREATE | NLM_F_EXCL));
	}
	nl_addr_put(mac);
	rtnl_link_put(link);
	return error;
}

static int
remove_link(struct macvlan_socket *s, struct rtnl_link *link)
{
	int error = result(s, rtnl_link_delete(s->nl, link));

	return error == ENODEV ? 0 : error;
}

/* A device of ours as it should be, or NULL and the reason why not. */
static struct rtnl_link *
find_or_make(struct macvlan_socket *s, struct virtual_device *d, int below)
{
	struct rtnl_link *link = look(s, 0, d->name);

	if (link && fits(link, d, below) && is_ours(link, d, below))
		return link;
	if (link && !is_ours(link, d, below))
		d->error = EEXIST;
	else if (link)
		d->error = remove_link(s, link);
	rtnl_link_put(link);
	if (d->error == 0)
		d->error = make(s, d, below);
	if (d->error != 0)
		return NULL;
	d->made = true;
	link = look(s, 0, d->name);
	if (!link)
		d->error = ENODEV;
	return link;
}

int
macvlan_prepare(struct macvlan_socket *s, struct virtual_device *d)
{
	int below = (int)if_nametoindex(d->parent);
	struct rtnl_link *link;

	d->ifindex = 0;
	d->up = d->made = false;
	d->error = below == 0 ? ENODEV : 0;
	if (below == 0 || !(link = find_or_make(s, d, below)))
		return d->error;
	d->ifindex = rtnl_link_get_ifindex(link);
	d->up = (rtnl_link_get_flags(link) & IFF_UP) != 0;
	if (is_marked(link)) {
		remember_below(s, link);
	} else {
		d->error = set_device(d);
		if (d->error == 0)
			d->error = write_alias(s, d, below);
	}
	rtnl_link_put(link);
	if (d->error != 0)
		d->ifindex = 0;
	else if (d->family == IP_V4)
		set_below(d->parent);
	return d->error;
}

const char *
macvlan_trouble(const struct virtual_device *d, char *text, size_t size)
{
	static const struct {
		int error;
		bool below; /* it is about the interface below */
		const char *what;
	} known[] = {
		{ENODEV, true, "does not exist"},
		{EEXIST, false, "is there already and not tandem's: remove or rename it"},
		{ELOOP, true, "is itself a macvlan or ipvlan: take the interface below it, or "
			"virtual_mac = false"},
		{EBUSY, true, "is a port of a bridge or bond: take that one as the interface, or "
			"virtual_mac = false"},
		{EINVAL, true, "is no Ethernet interface: virtual_mac = false"},
		{EOPNOTSUPP, false, "cannot be made, this kernel has no macvlan: modprobe macvlan, or "
			"virtual_mac = false"},
		{EADDRINUSE, false, "cannot be used, another device has its MAC address: remove that "
			"device"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == d->error) {
			snprintf(text, size, "%s %s", known[i].below ? d->parent : d->name,
				known[i].what);
			return text;
		}
	snprintf(text, size, "%s on %s: %s", d->name, d->parent, strerror(d->error));
	return text;
}

int
macvlan_set_up(struct macvlan_socket *s, int ifindex, bool up)
{
	struct ifinfomsg info = {.ifi_index = ifindex, .ifi_change = IFF_UP,
		.ifi_flags = up ? IFF_UP : 0};
	struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);

	if (!m)
		return ENOMEM;
	if (nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		return ENOMEM;
	}
	return result(s, nl_send_sync(s->nl, m)); /* frees m */
}

/* Each alone takes the kernel 20 ms, all together hardly more. */
static void
remove_group(struct macvlan_socket *s)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = nlmsg_alloc_simple(RTM_DELLINK, 0);

	if (m && nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO) == 0 &&
		nla_put_u32(m, IFLA_GROUP, GROUP) == 0) {
		result(s, nl_send_sync(s->nl, m)); /* frees m; who is still there is seen below */
		return;
	}
	nlmsg_free(m);
}

static bool
is_wanted(const struct virtual_device *wanted, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(wanted[i].name, name) == 0)
			return true;
	return false;
}

/* Does a device that stays need the interface as it is? */
static bool
is_needed(struct nl_cache *all, int below, const struct virtual_device *wanted, size_t count)
{
	int saved[KNOBS];

	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;

		if (is_marked(link) && rtnl_link_get_link(link) == below &&
			read_alias(link, saved) && is_wanted(wanted, count, rtnl_link_get_name(link)))
			return true;
	}
	return false;
}

int
macvlan_purge(struct macvlan_socket *s, const struct virtual_device *wanted, size_t count,
	void (*removed)(void *context, const char *name), void *context)
{
	struct nl_cache *all;
	int error = result(s, rtnl_link_alloc_cache(s->nl, AF_UNSPEC, &all)), failed = 0;

	if (error != 0)
		return -error;
	if (count == 0)
		remove_group(s);
	for (struct nl_object *o = nl_cache_get_first(all); o; o = nl_cache_get_next(o)) {
		struct rtnl_link *link = (struct rtnl_link *)o;
		int below = rtnl_link_get_link(link), saved[KNOBS];

		if (!is_marked(link) || is_wanted(wanted, count, rtnl_link_get_name(link)))
			continue;
		error = remove_link(s, link);
		if (error != 0) {
			failed = error;
			continue;
		}
		removed(context, rtnl_link_get_name(link));
		if (read_alias(link, saved) && !is_needed(all, below, wanted, count))
			put_back(s, below, saved);
	}
	nl_cache_free(all);
	return -failed;
}
