/*
 * Attributes of the IPVS family. See ipvs_codec.h.
 *
 * Byte orders are mixed in this family: ports, IPv4 masks and addresses are in network order, all
 * else is the host's; an IPv6 "netmask" is a prefix length.
 */
#include "linux/ipvs_codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(VS_PERSISTENT == IP_VS_SVC_F_PERSISTENT, "as the kernel has it");
_Static_assert(VS_HASHED == IP_VS_SVC_F_HASHED, "as the kernel has it");
_Static_assert(VS_ONE_PACKET == IP_VS_SVC_F_ONEPACKET, "as the kernel has it");
_Static_assert(VS_NAT == IP_VS_CONN_F_MASQ && VS_DR == IP_VS_CONN_F_DROUTE &&
	VS_TUNNEL == IP_VS_CONN_F_TUNNEL, "as the kernel has it");
_Static_assert((int)VS_IPIP == IP_VS_CONN_F_TUNNEL_TYPE_IPIP &&
	(int)VS_GUE == IP_VS_CONN_F_TUNNEL_TYPE_GUE &&
	(int)VS_GRE == IP_VS_CONN_F_TUNNEL_TYPE_GRE, "as the kernel has it");
_Static_assert(VS_CHECKSUM == IP_VS_TUNNEL_ENCAP_FLAG_CSUM &&
	VS_REMOTE_CHECKSUM == IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM, "as the kernel has it");
_Static_assert(sizeof(((struct vs_service *)0)->engine) == IP_VS_PENAME_MAXLEN,
	"as the kernel has it");
_Static_assert(sizeof(((struct vs_service *)0)->scheduler) == IP_VS_SCHEDNAME_MAXLEN,
	"as the kernel has it");

static uint16_t
family_to_kernel(uint8_t family)
{
	return family == IP_V4 ? AF_INET : family == IP_V6 ? AF_INET6 : AF_UNSPEC;
}

static uint8_t
family_from_kernel(uint16_t family)
{
	return family == AF_INET ? IP_V4 : family == AF_INET6 ? IP_V6 : IP_NONE;
}

/* What the kernel calls the netmask. IP_NONE is the whole address. */
static uint32_t
netmask_to_kernel(const struct vs_service *s)
{
	uint32_t value = 0;

	if (s->key.listen.addr.family != IP_V6) {
		value = UINT32_MAX;
		if (s->netmask.family == IP_V4)
			memcpy(&value, s->netmask.bytes, sizeof(value));
		return value;
	}
	if (s->netmask.family != IP_V6)
		return 128;
	while (value < 128 && (s->netmask.bytes[value / 8] & (0x80 >> value % 8)) != 0)
		value++;
	return value;
}

static struct ip_addr
netmask_from_kernel(uint8_t family, uint32_t value)
{
	struct ip_addr mask = {.family = family};

	if (family == IP_V4)
		memcpy(mask.bytes, &value, sizeof(value));
	else
		for (uint32_t bit = 0; bit < value && bit < 128; bit++)
			mask.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return mask;
}

static int
put_key(struct nl_msg *msg, const struct vs_key *key)
{
	const struct ip_addr *a = &key->listen.addr;
	int bad = nla_put_u16(msg, IPVS_SVC_ATTR_AF, family_to_kernel(a->family));

	if (key->fwmark != 0)
		return bad | nla_put_u32(msg, IPVS_SVC_ATTR_FWMARK, key->fwmark);
	return bad | nla_put_u16(msg, IPVS_SVC_ATTR_PROTOCOL, key->protocol) |
		nla_put(msg, IPVS_SVC_ATTR_ADDR, (int)ip_addr_size(a), a->bytes) |
		nla_put_u16(msg, IPVS_SVC_ATTR_PORT, htons(key->listen.port));
}

int
ipvs_put_service(struct nl_msg *msg, const struct vs_service *service, bool whole)
{
	struct ip_vs_flags flags = {.flags = service->flags & ~(uint32_t)VS_HASHED, .mask = ~0u};
	struct nlattr *nest;
	int bad;

	if (service->key.listen.addr.family == IP_NONE)
		return -EAFNOSUPPORT;
	if (strnlen(service->scheduler, sizeof(service->scheduler)) == sizeof(service->scheduler))
		return -EINVAL;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_SERVICE);
	if (!nest)
		return -ENOMEM;
	bad = put_key(msg, &service->key);
	if (whole) {
		bad |= nla_put_string(msg, IPVS_SVC_ATTR_SCHED_NAME, service->scheduler);
		bad |= nla_put(msg, IPVS_SVC_ATTR_FLAGS, sizeof(flags), &flags);
		bad |= nla_put_u32(msg, IPVS_SVC_ATTR_TIMEOUT, service->persistence_s);
		bad |= nla_put_u32(msg, IPVS_SVC_ATTR_NETMASK, netmask_to_kernel(service));
		if (service->engine[0] != '\0')
			bad |= nla_put_string(msg, IPVS_SVC_ATTR_PE_NAME, service->engine);
	}
	nla_nest_end(msg, nest);
	return bad ? -ENOMEM : 0;
}

int
ipvs_put_real(struct nl_msg *msg, const struct vs_real *real, bool whole)
{
	const struct ip_addr *a = &real->address.addr;
	struct nlattr *nest;
	int bad;

	if (a->family == IP_NONE)
		return -EAFNOSUPPORT;
	if (whole && real->forwarding == VS_OTHER)
		return -EINVAL;
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);
	if (!nest)
		return -ENOMEM;
	bad = nla_put_u16(msg, IPVS_DEST_ATTR_ADDR_FAMILY, family_to_kernel(a->family)) |
		nla_put(msg, IPVS_DEST_ATTR_ADDR, (int)ip_addr_size(a), a->bytes) |
		nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(real->address.port));
	if (whole) {
		bad |= nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, real->forwarding);
		bad |= nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, real->weight);
		bad |= nla_put_u32(msg, IPVS_DEST_ATTR_U_THRESH, real->upper_threshold);
		bad |= nla_put_u32(msg, IPVS_DEST_ATTR_L_THRESH, real->lower_threshold);
	}
	if (whole && real->forwarding == VS_TUNNEL) {
		bad |= nla_put_u8(msg, IPVS_DEST_ATTR_TUN_TYPE, real->tunnel);
		bad |= nla_put_u16(msg, IPVS_DEST_ATTR_TUN_PORT, htons(real->tunnel_port));
		bad |= nla_put_u16(msg, IPVS_DEST_ATTR_TUN_FLAGS, real->tunnel_checksum);
	}
	nla_nest_end(msg, nest);
	return bad ? -ENOMEM : 0;
}

/* What is left out has the kernel's default; the port is in the host's order here. */
static int
put_daemon_options(struct nl_msg *msg, const struct ipvs_daemon *daemon)
{
	const struct ip_addr *group = &daemon->group;
	int bad = 0;

	if (group->family != IP_NONE)
		bad |= nla_put(msg, group->family == IP_V4 ? IPVS_DAEMON_ATTR_MCAST_GROUP
			: IPVS_DAEMON_ATTR_MCAST_GROUP6, (int)ip_addr_size(group), group->bytes);
	if (daemon->port != 0)
		bad |= nla_put_u16(msg, IPVS_DAEMON_ATTR_MCAST_PORT, daemon->port);
	if (daemon->ttl != 0)
		bad |= nla_put_u8(msg, IPVS_DAEMON_ATTR_MCAST_TTL, daemon->ttl);
	if (daemon->maxlen != 0)
		bad |= nla_put_u16(msg, IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon->maxlen);
	return bad;
}

int
ipvs_put_daemon(struct nl_msg *msg, const struct ipvs_daemon *daemon, bool whole)
{
	struct nlattr *nest = nla_nest_start(msg, IPVS_CMD_ATTR_DAEMON);
	int bad;

	if (!nest)
		return -ENOMEM;
	bad = nla_put_u32(msg, IPVS_DAEMON_ATTR_STATE, daemon->role);
	if (whole) {
		bad |= nla_put_string(msg, IPVS_DAEMON_ATTR_MCAST_IFN, daemon->interface);
		bad |= nla_put_u32(msg, IPVS_DAEMON_ATTR_SYNC_ID, daemon->id);
		bad |= put_daemon_options(msg, daemon);
	}
	nla_nest_end(msg, nest);
	return bad ? -ENOMEM : 0;
}

/* The kernel fills an address to 16 bytes whatever its family. */
static bool
get_address(struct nlattr *attr, uint8_t family, struct ip_addr *out)
{
	*out = (struct ip_addr){.family = family};
	if (family == IP_NONE || (size_t)nla_len(attr) < ip_addr_size(out))
		return false;
	memcpy(out->bytes, nla_data(attr), ip_addr_size(out));
	return true;
}

static void
get_text(struct nlattr *attr, char *out, size_t capacity)
{
	if (attr)
		nla_strlcpy(out, attr, capacity);
}

static bool
get_key(struct nlattr **a, struct vs_key *key)
{
	uint8_t family;

	if (!a[IPVS_SVC_ATTR_AF])
		return false;
	family = family_from_kernel(nla_get_u16(a[IPVS_SVC_ATTR_AF]));
	key->listen.addr.family = family;
	if (a[IPVS_SVC_ATTR_FWMARK]) {
		key->fwmark = nla_get_u32(a[IPVS_SVC_ATTR_FWMARK]);
		return family != IP_NONE;
	}
	if (!a[IPVS_SVC_ATTR_PROTOCOL] || !a[IPVS_SVC_ATTR_ADDR] || !a[IPVS_SVC_ATTR_PORT])
		return false;
	key->protocol = (uint8_t)nla_get_u16(a[IPVS_SVC_ATTR_PROTOCOL]);
	key->listen.port = ntohs(nla_get_u16(a[IPVS_SVC_ATTR_PORT]));
	return get_address(a[IPVS_SVC_ATTR_ADDR], family, &key->listen.addr);
}

bool
ipvs_get_service(struct nlattr *nested, struct vs_service *out)
{
	static const struct nla_policy policy[IPVS_SVC_ATTR_MAX + 1] = {
		[IPVS_SVC_ATTR_AF] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_PROTOCOL] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_PORT] = {.type = NLA_U16},
		[IPVS_SVC_ATTR_FWMARK] = {.type = NLA_U32},
		[IPVS_SVC_ATTR_FLAGS] = {.minlen = sizeof(struct ip_vs_flags)},
		[IPVS_SVC_ATTR_TIMEOUT] = {.type = NLA_U32},
		[IPVS_SVC_ATTR_NETMASK] = {.type = NLA_U32},
	};
	struct nlattr *a[IPVS_SVC_ATTR_MAX + 1];
	struct vs_service s = {0};
	struct ip_vs_flags flags;

	if (!nested || nla_parse_nested(a, IPVS_SVC_ATTR_MAX, nested, policy) < 0 ||
		!get_key(a, &s.key) || !a[IPVS_SVC_ATTR_FLAGS] || !a[IPVS_SVC_ATTR_TIMEOUT] ||
		!a[IPVS_SVC_ATTR_NETMASK])
		return false;
	get_text(a[IPVS_SVC_ATTR_SCHED_NAME], s.scheduler, sizeof(s.scheduler));
	get_text(a[IPVS_SVC_ATTR_PE_NAME], s.engine, sizeof(s.engine));
	memcpy(&flags, nla_data(a[IPVS_SVC_ATTR_FLAGS]), sizeof(flags));
	s.flags = flags.flags & ~(uint32_t)VS_HASHED;
	s.persistence_s = nla_get_u32(a[IPVS_SVC_ATTR_TIMEOUT]);
	s.netmask = netmask_from_kernel(s.key.listen.addr.family,
		nla_get_u32(a[IPVS_SVC_ATTR_NETMASK]));
	*out = s;
	return true;
}

/* A counter of 32 or 64 bits, by the length it has. */
static uint64_t
get_counter(struct nlattr *attr)
{
	uint64_t wide = 0;
	uint32_t narrow;

	if (attr && nla_len(attr) >= (int)sizeof(wide)) {
		memcpy(&wide, nla_data(attr), sizeof(wide));
	} else if (attr && nla_len(attr) >= (int)sizeof(narrow)) {
		memcpy(&narrow, nla_data(attr), sizeof(narrow));
		wide = narrow;
	}
	return wide;
}

static void
get_stats(struct nlattr *nested, struct vs_real *real)
{
	struct nlattr *a[IPVS_STATS_ATTR_MAX + 1];

	if (!nested || nla_parse_nested(a, IPVS_STATS_ATTR_MAX, nested, NULL) < 0)
		return;
	real->connections = get_counter(a[IPVS_STATS_ATTR_CONNS]);
	real->in_packets = get_counter(a[IPVS_STATS_ATTR_INPKTS]);
	real->out_packets = get_counter(a[IPVS_STATS_ATTR_OUTPKTS]);
	real->in_bytes = get_counter(a[IPVS_STATS_ATTR_INBYTES]);
	real->out_bytes = get_counter(a[IPVS_STATS_ATTR_OUTBYTES]);
}

static uint8_t
forwarding_from_kernel(uint32_t method)
{
	method &= IP_VS_CONN_F_FWD_MASK;
	return method == VS_NAT || method == VS_DR || method == VS_TUNNEL ? (uint8_t)method : VS_OTHER;
}

static uint32_t
get_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static void
get_tunnel(struct nlattr **a, struct vs_real *real)
{
	if (a[IPVS_DEST_ATTR_TUN_TYPE])
		real->tunnel = nla_get_u8(a[IPVS_DEST_ATTR_TUN_TYPE]);
	if (a[IPVS_DEST_ATTR_TUN_PORT])
		real->tunnel_port = ntohs(nla_get_u16(a[IPVS_DEST_ATTR_TUN_PORT]));
	if (a[IPVS_DEST_ATTR_TUN_FLAGS])
		real->tunnel_checksum = nla_get_u16(a[IPVS_DEST_ATTR_TUN_FLAGS]);
}

bool
ipvs_get_real(struct nlattr *nested, const struct vs_service *service, struct vs_real *out)
{
	static const struct nla_policy policy[IPVS_DEST_ATTR_MAX + 1] = {
		[IPVS_DEST_ATTR_ADDR_FAMILY] = {.type = NLA_U16},
		[IPVS_DEST_ATTR_PORT] = {.type = NLA_U16},
		[IPVS_DEST_ATTR_FWD_METHOD] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_WEIGHT] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_ACTIVE_CONNS] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_INACT_CONNS] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_PERSIST_CONNS] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_U_THRESH] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_L_THRESH] = {.type = NLA_U32},
		[IPVS_DEST_ATTR_TUN_TYPE] = {.type = NLA_U8},
		[IPVS_DEST_ATTR_TUN_PORT] = {.type = NLA_U16},
		[IPVS_DEST_ATTR_TUN_FLAGS] = {.type = NLA_U16},
	};
	struct nlattr *a[IPVS_DEST_ATTR_MAX + 1];
	uint8_t family = service->key.listen.addr.family;
	struct vs_real r = {0};

	if (!nested || nla_parse_nested(a, IPVS_DEST_ATTR_MAX, nested, policy) < 0 ||
		!a[IPVS_DEST_ATTR_ADDR] || !a[IPVS_DEST_ATTR_PORT] ||
		!a[IPVS_DEST_ATTR_FWD_METHOD] || !a[IPVS_DEST_ATTR_WEIGHT])
		return false;
	if (a[IPVS_DEST_ATTR_ADDR_FAMILY] && nla_get_u16(a[IPVS_DEST_ATTR_ADDR_FAMILY]) != 0)
		family = family_from_kernel(nla_get_u16(a[IPVS_DEST_ATTR_ADDR_FAMILY]));
	if (!get_address(a[IPVS_DEST_ATTR_ADDR], family, &r.address.addr))
		return false;
	r.address.port = ntohs(nla_get_u16(a[IPVS_DEST_ATTR_PORT]));
	r.forwarding = forwarding_from_kernel(nla_get_u32(a[IPVS_DEST_ATTR_FWD_METHOD]));
	r.weight = nla_get_u32(a[IPVS_DEST_ATTR_WEIGHT]);
	r.upper_threshold = get_u32(a[IPVS_DEST_ATTR_U_THRESH]);
	r.lower_threshold = get_u32(a[IPVS_DEST_ATTR_L_THRESH]);
	r.active_connections = get_u32(a[IPVS_DEST_ATTR_ACTIVE_CONNS]);
	r.inactive_connections = get_u32(a[IPVS_DEST_ATTR_INACT_CONNS]);
	r.persistent_connections = get_u32(a[IPVS_DEST_ATTR_PERSIST_CONNS]);
	if (r.forwarding == VS_TUNNEL)
		get_tunnel(a, &r);
	get_stats(a[IPVS_DEST_ATTR_STATS64] ? a[IPVS_DEST_ATTR_STATS64] : a[IPVS_DEST_ATTR_STATS],
		&r);
	*out = r;
	return true;
}

bool
ipvs_get_daemon(struct nlattr *nested, struct ipvs_daemon *out)
{
	static const struct nla_policy policy[IPVS_DAEMON_ATTR_MAX + 1] = {
		[IPVS_DAEMON_ATTR_STATE] = {.type = NLA_U32},
		[IPVS_DAEMON_ATTR_SYNC_ID] = {.type = NLA_U32},
		[IPVS_DAEMON_ATTR_MCAST_GROUP] = {.type = NLA_U32},
		[IPVS_DAEMON_ATTR_MCAST_PORT] = {.type = NLA_U16},
		[IPVS_DAEMON_ATTR_MCAST_TTL] = {.type = NLA_U8},
		[IPVS_DAEMON_ATTR_SYNC_MAXLEN] = {.type = NLA_U16},
	};
	struct nlattr *a[IPVS_DAEMON_ATTR_MAX + 1];
	struct ipvs_daemon d = {0};

	if (!nested || nla_parse_nested(a, IPVS_DAEMON_ATTR_MAX, nested, policy) < 0 ||
		!a[IPVS_DAEMON_ATTR_STATE] || !a[IPVS_DAEMON_ATTR_SYNC_ID])
		return false;
	d.role = nla_get_u32(a[IPVS_DAEMON_ATTR_STATE]);
	d.id = (uint8_t)nla_get_u32(a[IPVS_DAEMON_ATTR_SYNC_ID]);
	get_text(a[IPVS_DAEMON_ATTR_MCAST_IFN], d.interface, sizeof(d.interface));
	if (a[IPVS_DAEMON_ATTR_MCAST_GROUP])
		get_address(a[IPVS_DAEMON_ATTR_MCAST_GROUP], IP_V4, &d.group);
	else if (a[IPVS_DAEMON_ATTR_MCAST_GROUP6])
		get_address(a[IPVS_DAEMON_ATTR_MCAST_GROUP6], IP_V6, &d.group);
	if (a[IPVS_DAEMON_ATTR_MCAST_PORT])
		d.port = nla_get_u16(a[IPVS_DAEMON_ATTR_MCAST_PORT]);
	if (a[IPVS_DAEMON_ATTR_MCAST_TTL])
		d.ttl = nla_get_u8(a[IPVS_DAEMON_ATTR_MCAST_TTL]);
	if (a[IPVS_DAEMON_ATTR_SYNC_MAXLEN])
		d.maxlen = nla_get_u16(a[IPVS_DAEMON_ATTR_SYNC_MAXLEN]);
	*out = d;
	return true;
}
