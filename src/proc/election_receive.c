/*
 * Packets in. What arrives is opened, decoded and judged rung by rung; what is left is an event
 * for one router's election. A refused packet costs a counter and a rate-limited line, and changes
 * no timer.
 */
#include "proc/election_process.h"

#include <errno.h>
#include <string.h>

enum { PACKETS_A_TURN = 256 };

static const struct ip_addr group_ip4 = {.family = IP_V4, .bytes = {224, 0, 0, 18}};
static const struct ip_addr group_ip6 = {.family = IP_V6, .bytes = {0xff, 2, [15] = 0x12}};

/* A packet on its way to a router. */
struct arrival {
	struct port *port;
	mono now;
	struct vrrp_envelope envelope;
	const uint8_t *message;
	size_t length;
	struct vrrp_advert advert;
	struct trailer trailer;
	bool is_signed;
	int path;              /* -1: none of ours */
	struct router *router;
};

static bool
is_node(const struct elector *x, const struct ip_addr *addr)
{
	for (uint32_t i = 0; i < x->config.node_count; i++)
		if (ip_addr_equal(&x->config.nodes[i].address, addr))
			return true;
	return false;
}

static bool
came_by_link(const struct arrival *a)
{
	return a->path >= 0 && a->port->elector->paths[a->path].is_link;
}

/* What the message itself cannot tell: was it meant for us, from whom (V030, V073)? */
static enum reason
check_envelope(const struct arrival *a)
{
	const struct port *p = a->port;

	if (port_has(p, &a->envelope.source))
		return REASON_OWN_PACKET;
	if (came_by_link(a))
		return REASON_NONE;
	if (!a->router->conf.unicast)
		return ip_addr_equal(&a->envelope.destination, &group_ip4) ||
			ip_addr_equal(&a->envelope.destination, &group_ip6)
			? REASON_NONE : REASON_BAD_DESTINATION;
	if (!port_has(p, &a->envelope.destination))
		return REASON_BAD_DESTINATION;
	return is_node(p->elector, &a->envelope.source) ? REASON_NONE : REASON_BAD_SOURCE;
}

/* VRIDs of the two families have nothing to do with each other (RFC 9568 5.2.3). */
static struct router *
router_of_port(const struct arrival *a)
{
	struct router *r = a->port->by_vrid[a->message[1]];

	return r && r->family == a->envelope.source.family ? r : NULL;
}

/* On a link VRIDs of several interfaces meet: a signed message names the router. */
static struct router *
find_router(const struct arrival *a)
{
	const struct elector *x = a->port->elector;
	uint8_t vrid = a->message[1];

	if (!came_by_link(a))
		return router_of_port(a);
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];

		if (!r->leaving && r->conf.vrid == vrid &&
			(!a->is_signed || a->trailer.router_tag == r->tag))
			return r;
	}
	return NULL;
}

/*
 * Signed for another router of ours: somebody has carried it from that one's network to here. A
 * name that no router has is no such sign: the peer may have been reloaded with another one.
 */
static bool
is_for_another(const struct arrival *a)
{
	const struct elector *x = a->port->elector;

	if (!a->is_signed || a->trailer.router_tag == a->router->tag)
		return false;
	for (size_t i = 0; i < x->router_count; i++)
		if (x->routers[i]->tag == a->trailer.router_tag)
			return true;
	return false;
}

static enum reason
decode(struct arrival *a)
{
	const struct elector *x = a->port->elector;
	const struct router *by_vrid = a->length >= 2 ? a->port->by_vrid[a->message[1]] : NULL;
	/* a signed message may come through routers; nothing else may, unless it is unicast */
	bool any_ttl = came_by_link(a) ? elector_is_keyed(x) : by_vrid && by_vrid->conf.unicast;
	enum vrrp_checksum form;
	enum reason why = vrrp_decode(a->message, a->length, &a->envelope, x->config.version,
		any_ttl, &a->advert, &form);

	if (why != REASON_NONE)
		return why;
	a->is_signed = a->advert.trailer && elector_is_keyed(x);
	if (a->is_signed)
		why = trailer_decode(a->advert.trailer, a->advert.trailer_length, &a->trailer);
	if (why != REASON_NONE)
		return why;
	a->router = find_router(a);
	if (!a->router)
		return REASON_BAD_VRID;
	return is_for_another(a) ? REASON_BAD_ROUTER : REASON_NONE;
}

/* Is it what this node listens to? */
static enum reason
authenticate(struct arrival *a)
{
	struct elector *x = a->port->elector;

	if (a->is_signed)
		return pair_judge(x, a->now, a->path, a->message, a->length, &a->trailer,
			a->advert.interval_cs * 10 * NS_PER_MS);
	if (elector_is_keyed(x) && x->config.authentication == CONF_AUTH_REQUIRE)
		return REASON_NO_TRAILER;
	if (a->advert.type == VRRP_HELLO)
		return REASON_BAD_TYPE; /* of a pair that has a key while we have none */
	/* RFC 3768 7.1: in version 2 the intervals must be equal */
	if (x->config.version == 2 && a->advert.interval_cs * 10u != x->config.interval_ms)
		return REASON_BAD_INTERVAL;
	return REASON_NONE;
}

static struct el_advert
event_of(const struct arrival *a)
{
	const struct elector *x = a->port->elector;

	return el_advert_of(&a->advert, a->is_signed ? &a->trailer : NULL, came_by_link(a)
		? &x->config.nodes[1 - x->child->node].address : &a->envelope.source);
}

static void
deliver(const struct arrival *a)
{
	struct router *r = a->router;
	struct elector *x = r->elector;
	struct el_acts acts = {.count = 0};
	struct el_advert event = event_of(a);

	r->adverts_received++;
	x->peer_heard = a->now;
	if (a->path >= 0)
		x->paths[a->path].heard = a->now;
	if (event.interval_ns != r->election.params.interval_ns)
		report_interval(r, a->now, &event);
	if (a->is_signed)
		wire_told_neighbours(r, &a->trailer);
	if (x->config.node_count == LIMIT_NODES && !came_by_link(a))
		wire_met_peer(r, &a->envelope.source);
	el_recv(&r->election, a->now, &event, &acts);
	router_perform(r, a->now, &acts);
	if (a->is_signed)
		view_take_peer(r, a->now, a->trailer.healthy);
}

static void
take_packet(struct arrival *a)
{
	struct elector *x = a->port->elector;
	enum reason why;

	a->path = path_of(x, a->port, &a->envelope);
	why = decode(a);
	if (why == REASON_NONE)
		why = check_envelope(a);
	if (why == REASON_NONE) {
		why = authenticate(a);
		el_refused(&a->router->election, a->now, why, &a->advert);
	}
	if (why == REASON_NONE)
		deliver(a);
	else
		report_refused(x, a->now, why, &a->envelope.source, a->port->name);
}

void
voice_drain(struct voice *v)
{
	uint8_t packet[VRRP_MAX + TRAILER_MAX + 64];
	mono now = mono_now();

	for (int i = 0; i < PACKETS_A_TURN && v->open; i++) {
		struct arrival a = {.port = v->port, .now = now, .path = -1};
		ssize_t n = vrrp_socket_receive(&v->socket, packet, sizeof(packet), &a.envelope,
			&a.message);

		if (n == -EPROTO) {
			report_refused(v->port->elector, now, REASON_BAD_LENGTH,
				&a.envelope.source, v->port->name);
			continue;
		}
		if (n < 0)
			return;
		a.length = (size_t)n;
		take_packet(&a);
	}
}

void
ports_drain(struct elector *x)
{
	for (size_t i = 0; i < x->port_count; i++) {
		voice_drain(&x->ports[i]->voices[0]);
		voice_drain(&x->ports[i]->voices[1]);
	}
}
