/*
 * Messages out. A message is built once, signed once in a keyed pair, and sent over every path:
 * on the router's interface and on every link. Only its checksum depends on the path. A raw socket
 * never waits; whether a message arrives nobody knows, so errors are not looked at: the peer tells
 * over which path it hears us.
 */
#include "proc/election_process.h"

#include <string.h>

static const struct ip_addr vrrp_group = {.family = IP_V4, .bytes = {224, 0, 0, 18}};

struct outgoing {
	uint8_t bytes[VRRP_MAX + TRAILER_MAX];
	size_t length;
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
		.flags = el_flags(e),
		.router_tag = r->tag,
	};

	t.neighbour_count = (uint8_t)wire_neighbours(r->port, t.neighbours, TRAILER_NEIGHBOURS);
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

static void
build(struct router *r, mono now, enum vrrp_type type, uint8_t priority, struct outgoing *m)
{
	const struct config *c = &r->elector->config;
	struct vrrp_envelope envelope = {.source = {.family = IP_V4}};
	uint8_t list[4 * LIMIT_ADVERT_ADDRESSES];
	struct vrrp_advert advert = {.version = c->version, .type = (uint8_t)type,
		.vrid = r->conf.vrid, .priority = priority,
		.interval_cs = (uint16_t)(c->interval_ms / 10), .addresses = list};

	for (uint32_t i = 0; i < r->conf.address_count && advert.count < LIMIT_ADVERT_ADDRESSES; i++)
		memcpy(list + 4 * advert.count++, r->addresses[i].prefix.addr.bytes, 4);
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

	if (!p->open)
		return;
	vrrp_seal(m->bytes, m->length, &envelope, c->checksum == CONF_CHECKSUM_RFC5798
		? VRRP_SUM_PSEUDO_HEADER : VRRP_SUM_MESSAGE);
	vrrp_socket_send(&p->socket, source, destination, m->bytes, m->length);
}

static void
send_over_links(struct router *r, struct outgoing *m)
{
	struct elector *x = r->elector;

	for (size_t i = 0; i < x->path_count; i++) {
		struct path *path = &x->paths[i];

		if (path->is_link && path->port && port_has(path->port, &path->local))
			send_to(path->port, m, &path->local, &path->remote);
	}
}

static void
send_over_service(struct router *r, struct outgoing *m)
{
	const struct config *c = &r->elector->config;
	struct ip_addr source = port_source(r->port);

	if (source.family == IP_NONE)
		return;
	if (!r->conf.unicast)
		send_to(r->port, m, &source, &vrrp_group);
	for (uint32_t i = 0; r->conf.unicast && i < c->node_count; i++)
		if (i != r->elector->child->node)
			send_to(r->port, m, &source, &c->nodes[i].address);
}

static void
send_message(struct router *r, mono now, enum vrrp_type type, uint8_t priority)
{
	struct outgoing m;

	build(r, now, type, priority, &m);
	if (m.length == 0)
		return;
	send_over_service(r, &m);
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

void
send_current(struct router *r, mono now)
{
	if (r->election.role == EL_ACTIVE)
		send_advert(r, now, r->election.params.priority);
	else
		send_hello(r, now);
}
