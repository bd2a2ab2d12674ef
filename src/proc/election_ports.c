/*
 * Interfaces as the election sees them: is there carrier, what is our own address, and the VRRP
 * sockets with what arrives on them. One socket pair an interface, whatever the number of routers.
 */
#include "proc/election_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct port *
port_find(const struct elector *x, const char *name)
{
	for (size_t i = 0; i < x->port_count; i++)
		if (strcmp(x->ports[i]->name, name) == 0)
			return x->ports[i];
	return NULL;
}

const struct port *
port_by_index(const struct elector *x, int ifindex)
{
	for (size_t i = 0; i < x->port_count; i++)
		if (x->ports[i]->link.ifindex == ifindex)
			return x->ports[i];
	return NULL;
}

struct port *
port_writable(struct elector *x, const struct port *p)
{
	for (size_t i = 0; i < x->port_count; i++)
		if (x->ports[i] == p)
			return x->ports[i];
	return NULL;
}

static void
on_packets(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	voice_drain(w->data);
}

struct port *
port_get(struct elector *x, const char *name)
{
	struct port *p = port_writable(x, port_find(x, name));

	if (p)
		return p;
	if (x->port_count == PORTS_MAX || !(p = calloc(1, sizeof(*p))))
		return NULL;
	p->elector = x;
	contact_init(&p->neighbourhood.contact);
	memcpy(p->name, name, strnlen(name, sizeof(p->name) - 1));
	memcpy(p->link.name, p->name, sizeof(p->name));
	for (size_t i = 0; i < 2; i++) {
		struct voice *v = &p->voices[i];

		v->port = p;
		ev_io_init(&v->watcher, on_packets, -1, EV_READ);
		ev_set_priority(&v->watcher, EV_MAXPRI); /* packets before timers */
		v->watcher.data = v;
	}
	x->ports[x->port_count++] = p;
	return p;
}

struct voice *
port_voice(struct port *p, enum ip_family family)
{
	return &p->voices[family == IP_V6];
}

static void
voice_close(struct voice *v)
{
	if (!v->open)
		return;
	ev_io_stop(v->port->elector->loop, &v->watcher);
	vrrp_socket_close(&v->socket);
	v->open = false;
}

/* Signed messages of a link and unicast of a router may have come through other routers. */
static bool
hears_from_afar(const struct port *p)
{
	const struct elector *x = p->elector;

	for (size_t i = 0; i < x->path_count; i++)
		if (x->paths[i].is_link && x->paths[i].port == p)
			return elector_is_keyed(x);
	for (size_t i = 0; i < x->router_count; i++)
		if (x->routers[i]->port == p && x->routers[i]->conf.unicast)
			return true;
	return false;
}

static void
voice_open(struct voice *v, enum ip_family family)
{
	struct port *p = v->port;
	int error;

	if (v->open)
		vrrp_socket_admit(&v->socket, hears_from_afar(p)); /* the configuration may be new */
	if (v->open || !v->wanted || p->link.ifindex == 0)
		return;
	error = vrrp_socket_open(&v->socket, p->name, p->link.ifindex, family);
	if (error != 0) {
		report_text(p->elector, LOG_LEVEL_ERROR, "link", REASON_SYSTEM, "detail",
			strerror(-error));
		return;
	}
	v->open = true;
	vrrp_socket_admit(&v->socket, hears_from_afar(p));
	ev_io_set(&v->watcher, v->socket.receive_fd, EV_READ);
	ev_io_start(p->elector->loop, &v->watcher);
}

static void
port_close(struct port *p)
{
	voice_close(&p->voices[0]);
	voice_close(&p->voices[1]);
}

static void
port_open(struct port *p)
{
	voice_open(port_voice(p, IP_V4), IP_V4);
	voice_open(port_voice(p, IP_V6), IP_V6);
}

static void
log_link(struct elector *x, const struct link_state *state)
{
	struct log_line line;

	log_line_begin(&line, "link");
	log_line_text(&line, "interface", state->name);
	log_line_text(&line, "state", state->ifindex == 0 ? "missing" : !state->up ? "down"
		: state->carrier ? "up" : "no-carrier");
	log_line_reason(&line, state->ifindex == 0 ? REASON_INTERFACE_MISSING
		: !state->up ? REASON_INTERFACE_DOWN
		: state->carrier ? REASON_FIT_AGAIN : REASON_CARRIER_LOST);
	log_emit(&x->child->log, x->starting ? LOG_LEVEL_INFO : LOG_LEVEL_NOTICE, &line);
}

void
ports_on_link(void *elector, const struct link_state *state)
{
	struct elector *x = elector;
	struct port *p = port_writable(x, port_find(x, state->name));
	bool moved, changed;

	if (!p)
		return;
	if (p->below) {
		p->link = *state;
		device_changed(p);
		return;
	}
	moved = p->link.ifindex != state->ifindex;
	changed = moved || p->link.up != state->up || p->link.carrier != state->carrier;
	if (moved) {
		port_close(p);
		p->address_count = 0;
	}
	p->link = *state;
	port_open(p);
	if (!changed)
		return;
	log_link(x, state);
	for (size_t i = 0; i < x->router_count && moved && !x->starting; i++)
		if (x->routers[i]->port == p) /* what was above it has gone with it */
			router_prepare_devices(x->routers[i]);
	if (moved && !x->starting)
		fencing_follow(x, false);
	pair_port_changed(x, p);
	routers_port_changed(x, p);
}

static void
forget_address(struct port *p, const struct ip_addr *addr)
{
	for (size_t i = 0; i < p->address_count; i++)
		if (ip_addr_equal(&p->addresses[i].addr, addr)) {
			memmove(&p->addresses[i], &p->addresses[i + 1],
				(p->address_count - i - 1) * sizeof(p->addresses[0]));
			p->address_count--;
			return;
		}
}

bool
port_has(const struct port *p, const struct ip_addr *addr)
{
	for (size_t i = 0; i < p->address_count; i++)
		if (ip_addr_equal(&p->addresses[i].addr, addr))
			return true;
	return false;
}

/* The host's own addresses: where our adverts come from. */
static void
own_address_changed(struct port *p, const struct link_address *a)
{
	bool had = port_has(p, &a->prefix.addr);

	if (a->removed == !had)
		return; /* a renewal, or of no interest */
	if (a->removed)
		forget_address(p, &a->prefix.addr);
	else if (p->address_count < PORT_ADDRESSES)
		p->addresses[p->address_count++] = a->prefix;
	routers_port_changed(p->elector, p);
}

/* A virtual address that is there before we ever claimed it: left by an earlier life. */
static void
note_leftover(struct elector *x, const struct port *p, const struct link_address *a)
{
	size_t size = (x->leftover_count + 1) * sizeof(x->leftovers[0]);
	struct conf_address *grown = realloc(x->leftovers, size), *row;

	if (!grown)
		return;
	x->leftovers = grown;
	row = &grown[x->leftover_count++];
	memset(row, 0, sizeof(*row));
	row->prefix = a->prefix;
	memcpy(row->interface, p->name, sizeof(row->interface));
}

static bool
is_held(const struct elector *x, const struct conf_address *row)
{
	for (size_t i = 0; i < x->router_count; i++) {
		const struct router *r = x->routers[i];

		if (router_has_address(r, &row->prefix, row->interface) &&
			(r->election.role == EL_ACTIVE ||
				r->election.params.priority == EL_PRIORITY_OWNER))
			return true;
	}
	return false;
}

void
ports_judge_leftovers(struct elector *x)
{
	for (size_t i = 0; i < x->leftover_count; i++) {
		const struct conf_address *row = &x->leftovers[i];
		bool held = is_held(x, row);
		char text[ADDR_TEXT];

		report_text(x, held ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "address", REASON_LEFTOVER,
			held ? "adopted" : "removed", ip_prefix_format(&row->prefix, text));
		if (!held)
			elector_remove(x, row, 1, NULL, 0);
	}
	free(x->leftovers);
	x->leftovers = NULL;
	x->leftover_count = 0;
}

/* Somebody took one of our addresses away. */
static void
virtual_removed(struct elector *x, const struct port *p, const struct link_address *a)
{
	mono now = mono_now();
	char text[ADDR_TEXT];

	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct el_acts acts = {.count = 0};

		if (r->election.role != EL_ACTIVE || !router_has_address(r, &a->prefix, p->name))
			continue;
		report_text(x, LOG_LEVEL_WARNING, "address", REASON_ADDRESS_REMOVED, "address",
			ip_prefix_format(&a->prefix, text));
		el_addresses_removed(&r->election, now, &acts);
		router_perform(r, now, &acts);
	}
}

void
ports_on_address(void *elector, const struct link_address *a)
{
	struct elector *x = elector;
	struct port *p = port_writable(x, port_by_index(x, a->ifindex));

	if (!p || a->ifindex == 0)
		return;
	if (a->proto != ADDRESS_PROTO && !ours_has_address(x, &a->prefix.addr)) {
		if (!a->tentative || a->removed)
			own_address_changed(p, a);
	} else if (x->starting) {
		note_leftover(x, p, a);
	} else if (a->removed && (!x->hands || a->port != hands_port(x->hands))) {
		virtual_removed(x, p, a);
	}
}

static bool
is_link_local(const struct ip_addr *a)
{
	return a->family == IP_V6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* RFC 9568 5.1.2.1: over IPv6 the source is link-local, over IPv4 the node's own address. */
struct ip_addr
port_source(const struct port *p, enum ip_family family)
{
	const struct elector *x = p->elector;
	const struct conf_node *self = &x->config.nodes[x->child->node];

	if (family == IP_V4 && self->address.family == IP_V4 && port_has(p, &self->address))
		return self->address;
	for (size_t i = 0; i < p->address_count; i++) {
		const struct ip_addr *own = &p->addresses[i].addr;

		if (own->family == family && (family == IP_V4 || is_link_local(own)))
			return *own;
	}
	return (struct ip_addr){.family = IP_NONE};
}

void
ports_watch(struct elector *x)
{
	char (*names)[LIMIT_IFNAME] = calloc(x->port_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names)
		return;
	for (size_t i = 0; i < x->port_count; i++) {
		if (!x->ports[i]->below) /* a device has the carrier of what is below */
			memcpy(names[count++], x->ports[i]->name, LIMIT_IFNAME);
		port_open(x->ports[i]);
	}
	links_watch(x->links, (const char (*)[LIMIT_IFNAME])names, count);
	free(names);
}

void
ports_close(struct elector *x)
{
	for (size_t i = 0; i < x->port_count; i++) {
		port_close(x->ports[i]);
		free(x->ports[i]);
	}
	x->port_count = 0;
}
