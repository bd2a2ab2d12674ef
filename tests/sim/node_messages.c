/*
 * Messages of a simulated node, in and out. A plain router's are built and read here in a few
 * lines. A keyed one's take every step that the daemon takes, in its order: election_send.c builds
 * once, signs, and sends over every path; election_receive.c finds the path, decodes, finds out
 * for whom it is, and has it judged by election_pair.c, before the election hears of it. Codec and
 * belief are the shipped ones. The MAC is one of 64 bits, which nobody in here can forge.
 */
#include "world.h"

#include "core/vrrp.h"

#include <string.h>

enum { VRID = 51, IP_HEADER = 20, KEY_ID = 1 };

static const struct ip_addr group = {IP_V4, {224, 0, 0, 18}};
static const char *const router_name = "web";
static const uint8_t virtual_addresses[4 * SIM_ADDRESSES] = {
	10, 77, 9, 100, 10, 77, 9, 101, 10, 77, 9, 102};

struct ip_addr
node_link_address(unsigned id, unsigned path)
{
	return (struct ip_addr){IP_V4, {10, 80, (uint8_t)path, (uint8_t)(1 + id)}};
}

static struct ip_addr
source_on(const struct node *n, unsigned path)
{
	return path == SERVICE ? n->params.own : node_link_address(n->id, path);
}

static struct ip_addr
destination_on(const struct node *n, unsigned path)
{
	return path == SERVICE ? group : node_link_address(1u - n->id, path);
}

static void
write_ip_header(uint8_t *packet, size_t length, const struct vrrp_envelope *envelope)
{
	memset(packet, 0, IP_HEADER);
	packet[0] = 0x45;
	packet[3] = (uint8_t)length;
	packet[8] = VRRP_TTL;
	packet[9] = VRRP_PROTOCOL;
	memcpy(packet + 12, envelope->source.bytes, 4);
	memcpy(packet + 16, envelope->destination.bytes, 4);
}

size_t
node_packet(const struct ip_addr *source, uint8_t priority, int64_t interval_ns,
	unsigned addresses, uint8_t out[SIM_PACKET])
{
	struct vrrp_envelope envelope = {.source = *source, .destination = group, .ttl = VRRP_TTL};
	struct vrrp_advert advert = {.vrid = VRID, .priority = priority,
		.interval_cs = (uint16_t)(interval_ns / (10 * NS_PER_MS)),
		.count = (uint8_t)addresses, .addresses = virtual_addresses};
	size_t length = vrrp_encode(&advert, &envelope, VRRP_SUM_PSEUDO_HEADER, out + IP_HEADER,
		SIM_PACKET - IP_HEADER);

	write_ip_header(out, IP_HEADER + length, &envelope);
	return IP_HEADER + length;
}

/* --- the MAC --- */

static uint64_t
mixed(uint64_t h)
{
	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

void
node_mac(const struct world *w, uint64_t key, const uint8_t *message, size_t length,
	uint8_t mac[TRAILER_MAC])
{
	uint64_t h = mixed(w->seed ^ UINT64_C(0x746e646d6b657931) ^ key), word;

	for (size_t i = 0; i < length; i += sizeof(word)) {
		size_t rest = length - i < sizeof(word) ? length - i : sizeof(word);

		word = 0;
		memcpy(&word, message + i, rest);
		h = mixed(h ^ (word + i * UINT64_C(0x9e3779b97f4a7c15) + rest));
	}
	for (unsigned i = 0; i < TRAILER_MAC / sizeof(h); i++) {
		h = mixed(h + i);
		memcpy(mac + i * sizeof(h), &h, sizeof(h));
	}
}

static bool
mac_is_right(const struct world *w, const uint8_t *message, size_t length)
{
	uint8_t copy[SIM_PACKET], mac[TRAILER_MAC];

	if (length < VRRP_HEADER + TRAILER_MAC || length > sizeof(copy))
		return false;
	memcpy(copy, message, length);
	memset(copy + VRRP_CHECKSUM_AT, 0, 2);
	node_mac(w, 0, copy, length - TRAILER_MAC, mac);
	return memcmp(mac, message + length - TRAILER_MAC, TRAILER_MAC) == 0;
}

/* --- out --- */

static struct trailer
trailer_of(const struct world *w, struct node *n)
{
	struct trailer t = {.key_id = KEY_ID, .role = (uint8_t)n->e.role,
		.priority = n->e.params.priority, .fitness = (uint8_t)n->e.fitness,
		.flags = el_flags(&n->e), .router_tag = trailer_tag(router_name),
		.lease_s = (uint16_t)(n->params.lease_ns / NS_PER_S)};

	if (n->pairing.knows)
		t.neighbours[t.neighbour_count++] = (struct ip_addr){IP_V4, {10, 77, 0, 1}};
	pair_fill(&n->pairing.pair, node_now(w, n), &t);
	return t;
}

/* Built and signed once: length of the message at out + IP_HEADER. */
static size_t
build(struct world *w, struct node *n, enum vrrp_type type, uint8_t priority, uint8_t *out)
{
	struct vrrp_envelope envelope = {.source = {.family = IP_V4},
		.destination = {.family = IP_V4}};
	struct vrrp_advert advert = {.version = 3, .type = (uint8_t)type, .vrid = VRID,
		.priority = priority, .count = (uint8_t)n->addresses,
		.interval_cs = (uint16_t)(n->params.interval_ns / (10 * NS_PER_MS)),
		.addresses = virtual_addresses};
	uint8_t *message = out + IP_HEADER;
	size_t length = vrrp_encode(&advert, &envelope, VRRP_SUM_MESSAGE, message,
		SIM_PACKET - IP_HEADER);
	struct trailer t = trailer_of(w, n);

	length += trailer_encode(&t, message + length, SIM_PACKET - IP_HEADER - length);
	memset(message + VRRP_CHECKSUM_AT, 0, 2);
	node_mac(w, 0, message, length - TRAILER_MAC, message + length - TRAILER_MAC);
	return length;
}

static void
send_message(struct world *w, struct node *n, enum vrrp_type type, uint8_t priority)
{
	uint8_t packet[SIM_PACKET];
	size_t length = build(w, n, type, priority, packet);

	for (unsigned path = 0; path < w->network.count; path++) {
		struct vrrp_envelope envelope = {.source = source_on(n, path),
			.destination = destination_on(n, path)};

		vrrp_seal(packet + IP_HEADER, length, &envelope, VRRP_SUM_PSEUDO_HEADER);
		write_ip_header(packet, IP_HEADER + length, &envelope);
		network_send(w, path, n->id, packet, IP_HEADER + length);
	}
}

void
node_send_advert(struct world *w, struct node *n, uint8_t priority)
{
	if (w->keyed) {
		world_trace(w, n, "sends priority %u flags %x", priority, el_flags(&n->e));
		send_message(w, n, VRRP_ADVERT, priority);
		keyed_said(w, n, true, priority);
	} else {
		uint8_t bytes[SIM_PACKET];
		size_t length = node_packet(&n->params.own, priority, n->params.interval_ns,
			n->addresses, bytes);

		world_trace(w, n, "sends priority %u", priority);
		network_send(w, SERVICE, n->id, bytes, length);
	}
	if (priority != EL_PRIORITY_RESIGN)
		n->last_advert = node_now(w, n);
}

void
node_send_hello(struct world *w, struct node *n)
{
	world_trace(w, n, "sends hello flags %x", el_flags(&n->e));
	send_message(w, n, VRRP_HELLO, n->e.params.priority);
	keyed_said(w, n, false, n->e.params.priority);
}

/* --- the pair --- */

void
node_pair_configure(struct node *n, unsigned paths)
{
	static const char *const names[SIM_PATHS] = {"eth0", "cross", "mgmt", "serial"};
	struct pairing *p = &n->pairing;
	uint32_t tags[SIM_PATHS] = {0};

	for (unsigned i = 0; i < paths; i++)
		tags[i] = trailer_tag(names[i]);
	pair_configure(&p->pair, &n->params.own, n->params.interval_ns, p->digest, tags, paths);
	for (unsigned i = 0; i < paths; i++)
		pair_set_carrier(&p->pair, i, p->carrier[i]);
}

static void
arm_pair(struct world *w, struct node *n)
{
	struct pairing *p = &n->pairing;
	mono deadline = pair_deadline(&p->pair);

	/* never: look again in a while, a path may have begun to be heard */
	if (mono_is_never(deadline))
		deadline = mono_add_ns(node_now(w, n), n->params.interval_ns);
	p->pair_at = clock_when(&n->clock, deadline);
	if (p->pair_at < w->now)
		p->pair_at = w->now;
	p->pair_at += rng_between(&n->rng, 0, w->jitter_ns);
	events_add(&w->events, (struct event){.at = p->pair_at, .kind = EVENT_PAIR, .node = n->id,
		.incarnation = n->incarnation});
}

void
node_pair_start(struct world *w, struct node *n)
{
	struct pairing *p = &n->pairing;
	uint64_t boot = rng_next(&n->rng);

	contact_init(&p->contact);
	p->told_contact = p->contact.state;
	p->told = false;
	p->knows_peer = rng_chance(&n->rng, 50);
	for (unsigned i = 0; i < w->network.count; i++)
		p->carrier[i] = !w->network.wires[i].down[n->id];
	pair_init(&p->pair, boot == 0 ? 1 : boot, &n->params.own, n->params.interval_ns,
		node_now(w, n));
	node_pair_configure(n, w->network.count);
	arm_pair(w, n);
	node_arm_look(w, n);
}

/* election_pair.c, take_news(). */
static void
take_news(struct world *w, struct node *n, const struct pair_news *news)
{
	struct el_acts acts;
	mono now;

	if (news->met || news->returned || news->lost || news->healed || news->reached ||
		news->quieted)
		world_trace(w, n, "pair:%s%s%s healed %x reached %x quiet %x",
			news->met ? " met" : "", news->returned ? " returned" : "",
			news->lost ? " lost" : "", news->healed, news->reached, news->quieted);
	if (news->returned || news->healed)
		node_arm_look(w, n);
	if (((news->healed | news->reached) & 1u << SERVICE) == 0)
		return;
	now = node_enter(w, n, &acts);
	el_path_healed(&n->e, now);
	node_leave(w, n, &acts, CAUSE_HEALED);
}

void
node_pair_timer(struct world *w, struct node *n)
{
	struct pair_news news;

	pair_tick(&n->pairing.pair, node_now(w, n), &news);
	take_news(w, n, &news);
	if (n->life == LIFE_RUNNING)
		arm_pair(w, n);
}

/* --- in --- */

/* A packet on its way to the election. */
struct arrival {
	struct vrrp_envelope envelope;
	const uint8_t *message;
	size_t length;
	struct vrrp_advert advert;
	struct trailer trailer;
	bool is_link;
	unsigned path;
};

/* election_pair.c, path_of(): a frame on a link's interface may be no message of the link. */
static bool
find_path(const struct node *n, const struct packet *packet, struct arrival *a)
{
	struct ip_addr local = node_link_address(n->id, packet->path);
	struct ip_addr remote = node_link_address(1u - n->id, packet->path);

	a->path = packet->path;
	a->is_link = packet->path != SERVICE;
	return !a->is_link || (ip_addr_equal(&a->envelope.destination, &local) &&
		ip_addr_equal(&a->envelope.source, &remote));
}

/* election_receive.c, decode() and check_envelope(), with one virtual router. */
static enum reason
decode(const struct node *n, struct arrival *a)
{
	enum vrrp_checksum form;
	enum reason why = vrrp_decode(a->message, a->length, &a->envelope, 3, a->is_link,
		&a->advert, &form);

	if (why == REASON_NONE && a->advert.trailer)
		why = trailer_decode(a->advert.trailer, a->advert.trailer_length, &a->trailer);
	if (why != REASON_NONE)
		return why;
	if (a->advert.vrid != VRID ||
		(a->is_link && a->advert.trailer && a->trailer.router_tag != trailer_tag(router_name)))
		return REASON_BAD_VRID;
	if (ip_addr_equal(&a->envelope.source, &n->params.own))
		return REASON_OWN_PACKET;
	if (!a->is_link && !ip_addr_equal(&a->envelope.destination, &group))
		return REASON_BAD_DESTINATION;
	return REASON_NONE;
}

/* election_pair.c, answer(). */
static void
answer(struct world *w, struct node *n)
{
	struct el_acts acts;
	mono now = node_enter(w, n, &acts);

	el_speak(&n->e, now, &acts);
	node_leave(w, n, &acts, CAUSE_ANSWERS);
}

/* election_pair.c, pair_judge(). */
static enum reason
judge(struct world *w, struct node *n, const struct arrival *a)
{
	struct pair *p = &n->pairing.pair;
	struct pair_news news;
	enum reason why;

	if (!a->advert.trailer)
		return REASON_NO_TRAILER;
	if (a->trailer.key_id != KEY_ID)
		return REASON_BAD_KEY;
	why = pair_screen(p, a->path, &a->trailer);
	if (why != REASON_NONE)
		return why;
	if (!mac_is_right(w, a->message, a->length))
		return REASON_BAD_MAC;
	why = pair_accept(p, node_now(w, n), a->path, &a->trailer,
		a->advert.interval_cs * 10 * NS_PER_MS, &news);
	take_news(w, n, &news);
	if (news.answer)
		answer(w, n);
	return why;
}

/* election_receive.c, deliver(). */
static void
deliver(struct world *w, struct node *n, const struct arrival *a)
{
	struct el_advert heard = el_advert_of(&a->advert, a->advert.trailer ? &a->trailer : NULL,
		&a->envelope.source);
	struct el_acts acts;
	mono now;

	if (a->advert.trailer)
		world_trace(w, n, "hears on %u: %s priority %u flags %x", a->path,
			el_role_name(heard.role), heard.priority, heard.flags);
	else
		world_trace(w, n, "hears priority %u from .%u", heard.priority,
			heard.source.bytes[3]);
	if (a->advert.trailer && a->trailer.neighbour_count > 0)
		n->pairing.told = true;
	now = node_enter(w, n, &acts);
	w->checker.heard = &heard;
	el_recv(&n->e, now, &heard, &acts);
	node_leave(w, n, &acts, CAUSE_PACKET);
	w->checker.heard = NULL;
}

static void
hear_keyed(struct world *w, struct node *n, const struct packet *packet, struct arrival *a)
{
	enum reason why = find_path(n, packet, a) ? decode(n, a) : REASON_BAD_DESTINATION;

	keyed_before_judging(w, n);
	if (why == REASON_NONE) {
		why = judge(w, n, a);
		el_refused(&n->e, node_now(w, n), why, &a->advert);
	}
	if (why == REASON_NONE) {
		keyed_believed(w, n, &a->trailer);
		deliver(w, n, a);
	} else if (w->trace && (packet->corrupt || packet->replayed)) {
		world_trace(w, n, "refuses %s: %s", packet->corrupt ? "a forgery" : "a replay",
			reason_tag(why));
	}
	keyed_judged(w, n, packet, a->advert.trailer ? &a->trailer : NULL, why);
}

void
node_hear(struct world *w, struct node *n, const struct packet *packet)
{
	struct arrival a = {.is_link = false};
	enum vrrp_checksum form;

	if (n->life != LIFE_RUNNING ||
		vrrp_open_ip4(packet->bytes, packet->length, &a.envelope, &a.message, &a.length) !=
			REASON_NONE)
		return;
	if (w->keyed) {
		hear_keyed(w, n, packet, &a);
		return;
	}
	if (vrrp_decode(a.message, a.length, &a.envelope, 3, false, &a.advert, &form) !=
		REASON_NONE || a.advert.vrid != VRID)
		return;
	if (packet->corrupt)
		world_fail(w, n, "a corrupt packet was accepted");
	deliver(w, n, &a);
}
