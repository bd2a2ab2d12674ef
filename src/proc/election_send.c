/*
 * Messages out. A message is built once, signed once in a keyed pair, and sent over every path:
 * on the router's interface and on every link. Only its checksum depends on the path. A raw socket
 * never waits; whether a message arrives nobody knows, so errors are not looked at: the peer tells
 * over which path it hears us.
 */
#include "proc/election_process.h"

#include <string.h>

static const struct ip_addr group_ip4 = {.family = IP_V4, .bytes = {224, 0, 0, 18}};
static const struct ip_addr group_ip6 = {.family = IP_V6, .bytes = {0xff, 2, [15] = 0x12}};

struct outgoing {
	uint8_t bytes[VRRP_MAX + TRAILER_MAX];
	size_t length;
	enum ip_family family;
};

static struct trailer
trailer_of(struct router *r, mono now)
{
	struct elector *x = r->elector;
	const struct election *e = &r->election;
	struct trailer t = {
		.key_id = auth_signing_id(x->ring),
		.role = (uint8_t)e->role,
		.priority = e->params.priority,
		.fitness = (uint8_t)e->fitness,
		.flags = (uint16_t)(el_flags(e) | (el_is_behind(e, now) ? TRAILER_BEHIND : 0u) |
			(unsigned)r->servers << TRAILER_SERVERS_SHIFT),
		.router_tag = r->tag,
		.lease_s = (uint16_t)r->conf.lease_s,
		.healthy = r->told_view,
	};

	t.neighbour_count = (uint8_t)wire_neighbours(r, t.neighbours);
	pair_fill(&x->pair, now, &t);
	return t;
}

/* The MAC covers the message with its checksum as zero, and the trailer before the MAC. */
static void
sign(struct router *r, mono now, struct outgoing *m)
{
	struct trailer t = trailer_of(r, now);
	size_t n = trailer_encode(&t, m->bytes + m->length, sizeof(m->bytes) - m->length);

	if (n == 0)
		return;
	m->length += n;
	memset(m->bytes + VRRP_CHECKSUM_AT, 0, 2);
	auth_sign(r->elector->ring, m->bytes, m->length - TRAILER_MAC,
		m->bytes + m->length - TRAILER_MAC);
}

/* Behind the `count` that are there, as many as there is room for: how many they are then. */
static size_t
list_some(const struct router *r, enum ip_family family, bool link_local, uint8_t *list, size_t count)
{
	size_t size = family == IP_V6 ? 16 : 4;
	size_t most = family == IP_V6 ? VRRP_IP6_ADDRESSES : LIMIT_ADVERT_ADDRESSES;

	for (uint32_t i = 0; i < r->conf.address_count && count < most; i++) {
		const struct ip_addr *a = &r->addresses[i].prefix.addr;

		if (a->family == family && (family == IP_V4 || ip_addr_is_link_local(a) == link_local))
			memcpy(list + size * count++, a->bytes, size);
	}
	return count;
}

/*
 * RFC 9568 5.2.9: over IPv6 the first address is the virtual router's link-local one. A router that speaks
 * IPv4 may have none, and a message over a link of the other family needs one.
 */
static uint8_t
list_addresses(const struct router *r, enum ip_family family, uint8_t *list)
{
	const uint8_t stand_in[16] = {0xfe, 0x80, [8] = 2, 0, 0x5e, 0xff, 0xfe, 0, 2, r->conf.vrid};
	size_t count = family == IP_V6 ? list_some(r, family, true, list, 0) : 0;

	if (family == IP_V6 && count == 0)
		memcpy(list + 16 * count++, stand_in, sizeof(stand_in));
	count = list_some(r, family, false, list, count);
	if (count == 0)
		memset(list + 4 * count++, 0, 4);
	return (uint8_t)count;
}

static void
build(struct router *r, mono now, enum vrrp_type type, uint8_t priority, enum ip_family family,
	struct outgoing *m)
{
	const struct config *c = &r->elector->config;
	struct vrrp_envelope envelope = {.source = {.family = (uint8_t)family},
		.destination = {.family = (uint8_t)family}};
	uint8_t list[16 * LIMIT_ADVERT_ADDRESSES];
	struct vrrp_advert advert = {.version = c->version, .type = (uint8_t)type,
		.vrid = r->conf.vrid, .priority = priority,
		.interval_cs = (uint16_t)(c->interval_ms / 10), .addresses = list};

	advert.count = list_addresses(r, family, list);
	m->family = family;
	m->length = vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, m->bytes, VRRP_MAX);
	if (m->length > 0 && elector_is_keyed(r->elector))
		sign(r, now, m);
}

static void
send_to(struct port *p, struct outgoing *m, const struct ip_addr *source,
	const struct ip_addr *destination)
{
	const struct config *c = &p->elector->config;
	struct vrrp_envelope envelope = {.source = *source, .destination = *destination};
	struct voice *v = port_voice(p, m->family);

	if (!v->open || m->length == 0)
		return;
	vrrp_seal(m->bytes, m->length, &envelope, c->checksum == CONF_CHECKSUM_RFC5798
		? VRRP_SUM_PSEUDO_HEADER : VRRP_SUM_MESSAGE);
	report_send(p->elector, p->name, vrrp_socket_send(&v->socket, source, destination, m->bytes,
		m->length));
}

static bool
has_links(const struct elector *x, enum ip_family family)
{
	for (size_t i = 0; i < x->path_count; i++)
		if (x->paths[i].is_link && x->paths[i].local.family == family)
			return true;
	return false;
}

static void
send_over_links(struct router *r, struct outgoing *m)
{
	struct elector *x = r->elector;

	for (size_t i = 0; i < x->path_count; i++) {
		struct path *path = &x->paths[i];

		if (path->is_link && path->local.family == m->family &&
			port_has(path->port, &path->local))
			send_to(path->port, m, &path->local, &path->remote);
	}
}

/*
 * RFC 9568 7.3: an advertisement comes from the virtual MAC. Every such frame makes the switch send
 * the router's traffic here, so it must come from who serves. In a keyed pair messages of others
 * exist as well (hello, what is said while the addresses are still on their way or already handed
 * over): those come from the node's own MAC.
 */
static bool
speaks_as_router(const struct router *r, enum vrrp_type type)
{
	const struct election *e = &r->election;

	if (r->device_count == 0 || type != VRRP_ADVERT)
		return false;
	return !elector_is_keyed(r->elector) ||
		(e->role == EL_ACTIVE && e->claimed && mono_is_never(e->handed_deadline));
}

static void
send_as_router(struct router *r, struct outgoing *m, const struct ip_addr *source,
	const struct ip_addr *group)
{
	const struct config *c = &r->elector->config;
	struct vrrp_envelope envelope = {.source = *source, .destination = *group};
	uint8_t frame[VRRP_FRAME_HEADERS + sizeof(m->bytes)], mac[6];
	size_t length;

	vrrp_seal(m->bytes, m->length, &envelope, c->checksum == CONF_CHECKSUM_RFC5798
		? VRRP_SUM_PSEUDO_HEADER : VRRP_SUM_MESSAGE);
	virtual_mac(m->family, r->conf.vrid, mac);
	length = vrrp_frame(mac, &envelope, m->bytes, m->length, frame, sizeof(frame));
	if (length > 0)
		report_send(r->elector, r->port->name,
			arp_send_frame(&r->elector->arp, r->port->link.ifindex, frame, length));
}

static void
send_over_service(struct router *r, struct outgoing *m, enum vrrp_type type)
{
	const struct ip_addr *group = m->family == IP_V6 ? &group_ip6 : &group_ip4;
	const struct config *c = &r->elector->config;
	struct ip_addr source = router_source(r);

	if (source.family == IP_NONE)
		return;
	if (!r->conf.unicast && speaks_as_router(r, type))
		send_as_router(r, m, &source, group);
	else if (!r->conf.unicast)
		send_to(r->port, m, &source, group);
	for (uint32_t i = 0; r->conf.unicast && i < c->node_count; i++)
		if (i != r->elector->child->node)
			send_to(r->port, m, &source, &c->nodes[i].address);
}

static void
send_message(struct router *r, mono now, enum vrrp_type type, uint8_t priority)
{
	enum ip_family other = r->family == IP_V6 ? IP_V4 : IP_V6;
	struct outgoing m;

	build(r, now, type, priority, r->family, &m);
	send_over_service(r, &m, type);
	send_over_links(r, &m);
	if (!has_links(r->elector, other))
		return;
	build(r, now, type, priority, other, &m);
	send_over_links(r, &m);
}

void
send_advert(struct router *r, mono now, uint8_t priority)
{
	send_message(r, now, VRRP_ADVERT, priority);
	r->adverts_sent++;
	if (r->page && priority != EL_PRIORITY_RESIGN)
		atomic_store(&r->page->last_advert_ns, now.ns);
}

void
send_hello(struct router *r, mono now)
{
	send_message(r, now, VRRP_HELLO, r->election.params.priority);
}
