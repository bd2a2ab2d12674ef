/*
 * The election's questions to the service interface.
 *
 *  - Does the silent peer's kernel still answer for our addresses? (EL_ASK)
 *  - The peer went quiet on this interface but not on another path: which of us is cut off
 *    (core/contact.h)? We ask the gateway, the neighbours that the kernel knows and those whose
 *    ARP we have heard.
 *  - Does anybody else speak for an address that we hold?
 *
 * By ARP, and where a virtual router has IPv6 addresses only, by neighbour discovery.
 */
#include "proc/election_process.h"

#include <stdio.h>
#include <string.h>

enum { FRAMES_A_TURN = 128, ASKED_ADDRESSES = 4 };

static const struct ip_addr nobody = {.family = IP_NONE};

/* --- listening --- */

static void
on_frames(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	wire_drain(w->data);
}

static bool
wants_ip6(const struct elector *x)
{
	for (size_t i = 0; i < x->router_count; i++)
		if (!x->routers[i]->leaving && x->routers[i]->family == IP_V6)
			return true;
	return false;
}

void
wire_listen(struct elector *x)
{
	int error;

	for (unsigned i = 0; i < WIRE_SOCKETS; i++)
		if (ev_is_active(&x->wire_watchers[i]))
			ev_io_stop(x->loop, &x->wire_watchers[i]);
	error = wire_hear_ip6(&x->wire, wants_ip6(x));
	if (error != 0)
		report_text(x, LOG_LEVEL_ERROR, "process", REASON_SYSTEM,
			"neighbour-advertisements", strerror(-error));
	for (unsigned i = 0; i < WIRE_SOCKETS; i++) {
		ev_io_init(&x->wire_watchers[i], on_frames, x->wire.fd[i], EV_READ);
		x->wire_watchers[i].data = x;
		if (x->wire.fd[i] != -1)
			ev_io_start(x->loop, &x->wire_watchers[i]);
	}
}

/* --- who has our addresses? --- */

void
wire_ask_for(struct router *r)
{
	uint32_t asked = 0;

	for (uint32_t i = 0; i < r->conf.address_count && asked < ASKED_ADDRESSES; i++) {
		const struct conf_address *a = &r->addresses[i];
		const struct port *p = port_find(r->elector, a->interface);

		if (p && p->below)
			p = p->below; /* the device of a backup is down */
		/* those of a mixed router come and go together: ARP will do */
		if (p && p->link.ifindex != 0 && a->prefix.addr.family == r->family &&
			wire_ask(&r->elector->wire, p->link.ifindex, p->link.mac, &nobody,
				&a->prefix.addr) == 0)
			asked++;
	}
}

/* On that wire, whether directly or above the interface. */
static bool
router_has(const struct router *r, const struct ip_addr *addr, const struct port *wire)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		const struct port *p;

		if (!ip_addr_equal(&r->addresses[i].prefix.addr, addr))
			continue;
		p = port_find(r->elector, r->addresses[i].interface);
		if (p == wire || (p && p->below == wire))
			return true;
	}
	for (uint32_t i = 0; i < r->conf.block_count; i++)
		if (ip_prefix_contains(&r->blocks[i].prefix, addr) &&
			port_find(r->elector, r->blocks[i].interface) == wire)
			return true;
	return false;
}

/* With a virtual MAC the peer speaks for the address with the very same one. */
static bool
is_shared_mac(const struct router *r, const uint8_t mac[6])
{
	for (size_t i = 0; i < r->device_count; i++)
		if (memcmp(r->devices[i].mac, mac, sizeof(r->devices[i].mac)) == 0)
			return true;
	return false;
}

static void
report_stranger(struct router *r, mono now, const struct wire_frame *f)
{
	struct log_line line;
	uint64_t suppressed;
	char mac[18];

	if (!log_limit_allow(&r->conflict_limit, now, &suppressed))
		return;
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", f->mac[0], f->mac[1],
		f->mac[2], f->mac[3], f->mac[4], f->mac[5]);
	log_line_begin(&line, "conflict");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, REASON_STRANGER);
	log_line_addr(&line, "address", &f->sender);
	log_line_text(&line, "mac", mac);
	log_line_text(&line, "interface", r->port->name);
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(&r->elector->child->log, LOG_LEVEL_WARNING, &line);
}

static bool
is_nobody(const uint8_t mac[6])
{
	static const uint8_t none[6] = {0};

	return memcmp(mac, none, sizeof(none)) == 0;
}

/* Somebody speaks for an address of this router. */
static void
address_spoken_for(struct router *r, struct port *p, mono now, const struct wire_frame *f)
{
	struct el_acts acts = {.count = 0};
	bool is_peer = memcmp(f->mac, p->peer_mac, sizeof(f->mac)) == 0 || is_shared_mac(r, f->mac);

	if ((r->election.role != EL_ACTIVE || r->election.offer != REASON_NONE) && !is_nobody(f->mac))
		memcpy(p->owner_mac, f->mac, sizeof(p->owner_mac));
	if (el_spoken_for(&r->election, now, f->reply, is_peer, &acts))
		report_stranger(r, now, f);
	router_perform(r, now, &acts);
}

/* --- who is there? --- */

static bool
is_ours(const struct elector *x, const struct ip_addr *addr)
{
	for (uint32_t i = 0; i < x->config.node_count; i++)
		if (ip_addr_equal(&x->config.nodes[i].address, addr))
			return true;
	return ours_has(x, addr);
}

static bool
is_peer_here(const struct port *p, const struct ip_addr *addr)
{
	return p->peer_ip6.family != IP_NONE && ip_addr_equal(&p->peer_ip6, addr);
}

/* The most recent first; what was there moves. */
static void
remember_neighbour(struct neighbourhood *n, const struct ip_addr *addr)
{
	size_t i = 0;

	while (i < n->heard_count && !ip_addr_equal(&n->heard[i], addr))
		i++;
	if (i == n->heard_count) {
		if (n->heard_count < NEIGHBOURS)
			n->heard_count++;
		i = n->heard_count - 1;
	}
	memmove(&n->heard[1], &n->heard[0], i * sizeof(n->heard[0]));
	n->heard[0] = *addr;
}

void
wire_know_neighbours(struct elector *x, const struct ipc_neighbours *list)
{
	for (size_t i = 0; i < x->port_count; i++) {
		struct port *p = x->ports[i];
		struct neighbourhood *n = &p->neighbourhood;

		if (strncmp(p->name, list->interface, sizeof(p->name)) != 0)
			continue;
		n->known_count = 0;
		for (uint32_t k = 0; k < list->count && k < NEIGHBOURS; k++)
			if (!is_ours(x, &list->list[k]) && !is_peer_here(p, &list->list[k]))
				n->known[n->known_count++] = list->list[k];
	}
}

static size_t
collect(const struct ip_addr *list, size_t length, enum ip_family family, struct ip_addr *out,
	size_t count, size_t capacity)
{
	for (size_t i = 0; i < length && count < capacity; i++)
		if (list[i].family == family)
			out[count++] = list[i];
	return count;
}

size_t
wire_neighbours(const struct router *r, struct ip_addr out[TRAILER_NEIGHBOURS])
{
	const struct neighbourhood *n = &r->port->neighbourhood;
	size_t capacity = r->family == IP_V6 ? 1 : TRAILER_NEIGHBOURS, count;

	count = collect(n->known, n->known_count, r->family, out, 0, capacity);
	count = collect(n->heard, n->heard_count, r->family, out, count, capacity);
	if (count > 0 || r->family == IP_V4)
		return count;
	count = collect(n->known, n->known_count, IP_V4, out, 0, TRAILER_NEIGHBOURS);
	return collect(n->heard, n->heard_count, IP_V4, out, count, TRAILER_NEIGHBOURS);
}

/* Its hardware address tells it from a stranger when it speaks for the addresses. */
void
wire_met_peer(struct router *r, const struct ip_addr *source)
{
	struct port *p = r->port;
	struct ip_addr own = port_source(p, IP_V6);

	if (source->family != IP_V6 || own.family != IP_V6 ||
		(ip_addr_equal(&p->peer_ip6, source) && !is_nobody(p->peer_mac)))
		return;
	p->peer_ip6 = *source;
	wire_ask(&r->elector->wire, p->link.ifindex, p->link.mac, &own, source);
}

void
wire_told_neighbours(struct router *r, const struct trailer *t)
{
	struct neighbourhood *n = &r->port->neighbourhood;

	if (t->neighbour_count == 0)
		return;
	n->told_count = 0;
	for (unsigned i = 0; i < t->neighbour_count; i++)
		if (!is_ours(r->elector, &t->neighbours[i]) &&
			!is_peer_here(r->port, &t->neighbours[i]))
			n->told[n->told_count++] = t->neighbours[i];
}

static size_t
ask_each(struct elector *x, const struct port *p, const struct ip_addr *list, size_t count)
{
	size_t asked = 0;

	for (size_t i = 0; i < count; i++) {
		struct ip_addr own = port_source(p, (enum ip_family)list[i].family);

		if (own.family != IP_NONE)
			asked += wire_ask(&x->wire, p->link.ifindex, p->link.mac, &own, &list[i]) == 0;
	}
	return asked;
}

/* Everybody who may answer; false when there is nobody. */
static bool
ask_neighbours(struct elector *x, struct port *p)
{
	const struct neighbourhood *n = &p->neighbourhood;

	return ask_each(x, p, n->known, n->known_count) + ask_each(x, p, n->heard, n->heard_count) +
		ask_each(x, p, n->told, n->told_count) > 0;
}

/* The elections hear it when it is news. */
static void
tell_contact(struct elector *x, struct port *p, mono now)
{
	struct neighbourhood *n = &p->neighbourhood;
	enum el_contact contact = n->contact.state;

	if (n->contact_told == contact)
		return;
	n->contact_told = contact;
	if (contact != EL_CONTACT_UNKNOWN)
		report_text(x, LOG_LEVEL_WARNING, "link", contact == EL_CONTACT_ISOLATED
			? REASON_ISOLATED : REASON_PATH_QUIET, "interface", p->name);
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct el_acts acts = {.count = 0};

		if (r->port != p)
			continue;
		el_set_contact(&r->election, now, contact, &acts);
		router_perform(r, now, &acts);
	}
}

static void
look_at_path(struct elector *x, mono now, size_t i)
{
	struct port *p = x->paths[i].port;
	struct contact *contact = &p->neighbourhood.contact;
	struct contact_sight sight = {.heard = x->pair.paths[i].heard,
		.peer_heard = x->pair.peer_heard, .quiet_ns = pair_quiet_ns(&x->pair),
		.peer_alive = x->pair.alive, .carrier = p->link.carrier};
	bool ask = contact_look(contact, now, &sight);

	tell_contact(x, p, now);
	if (!ask)
		return;
	contact_asked(contact, now, ask_neighbours(x, p));
	tell_contact(x, p, now);
}

void
wire_look(struct elector *x, mono now)
{
	if (!elector_is_keyed(x) || x->path_count < 2)
		return;
	for (size_t i = 0; i < x->path_count; i++)
		if (!x->paths[i].is_link)
			look_at_path(x, now, i);
}

/* --- frames --- */

static void
neighbour_speaks(struct elector *x, struct port *p, mono now, const struct wire_frame *f)
{
	struct neighbourhood *n = &p->neighbourhood;

	if (ip_addr_equal(&f->sender, &x->config.nodes[1 - x->child->node].address) ||
		is_peer_here(p, &f->sender)) {
		if (!is_nobody(f->mac))
			memcpy(p->peer_mac, f->mac, sizeof(p->peer_mac));
		return;
	}
	if (is_ours(x, &f->sender) || f->sender.bytes[0] == 0)
		return;
	remember_neighbour(n, &f->sender);
	if (f->reply && port_has(p, &f->target)) {
		contact_answered(&n->contact);
		tell_contact(x, p, now);
	}
}

static void
take_frame(struct elector *x, mono now, const struct wire_frame *f)
{
	struct port *p = port_writable(x, port_by_index(x, f->ifindex));

	/* What a device hears the interface below has heard as well. */
	if (!p || p->below || f->ifindex == 0 ||
		memcmp(f->mac, p->link.mac, sizeof(f->mac)) == 0)
		return;
	for (size_t i = 0; i < x->router_count && ours_has(x, &f->sender); i++) {
		struct router *r = x->routers[i];

		if (router_has(r, &f->sender, p))
			address_spoken_for(r, p, now, f);
	}
	if (x->config.node_count == LIMIT_NODES)
		neighbour_speaks(x, p, now, f);
}

/*
 * An active advertises before it announces. What was advertised before a frame came is therefore judged
 * before the frame: a node that has to give way is not to defend its addresses first, neighbours
 * would believe it last.
 */
static void
drain_socket(struct elector *x, unsigned which)
{
	struct wire_frame frames[FRAMES_A_TURN];
	size_t count = 0;
	mono now;

	while (count < FRAMES_A_TURN && wire_read(&x->wire, which, &frames[count]))
		count++;
	if (count > 0)
		ports_drain(x);
	now = mono_now();
	for (size_t i = 0; i < count; i++)
		take_frame(x, now, &frames[i]);
}

void
wire_drain(struct elector *x)
{
	for (unsigned which = 0; which < WIRE_SOCKETS; which++)
		drain_socket(x, which);
}
