/* The attacker. See attack.h. */
#include "world.h"

#include "core/vrrp.h"

#include <string.h>

enum { IP_HEADER = 20, KEEP_PERCENT = 10 };

void
attack_capture(struct world *w, const struct packet *packet)
{
	struct attacker *a = &w->attacker;

	if (!rng_chance(&a->rng, KEEP_PERCENT))
		return;
	if (a->count < SIM_CAPTURES)
		a->captures[a->count++] = *packet;
	else /* what is kept longest is worth most */
		a->captures[rng_below(&a->rng, SIM_CAPTURES)] = *packet;
}

static void
seal(struct packet *p)
{
	struct vrrp_envelope envelope = {.source = {.family = IP_V4}, .destination = {.family = IP_V4}};

	memcpy(envelope.source.bytes, p->bytes + 12, 4);
	memcpy(envelope.destination.bytes, p->bytes + 16, 4);
	vrrp_seal(p->bytes + IP_HEADER, p->length - IP_HEADER, &envelope, VRRP_SUM_PSEUDO_HEADER);
}

/* The envelope is nobody's secret. */
static void
carry_to(struct world *w, struct packet *p, unsigned path)
{
	static const uint8_t group[4] = {224, 0, 0, 18};
	struct ip_addr source = node_link_address(p->from, path);
	struct ip_addr destination = node_link_address(1u - p->from, path);

	p->path = (uint8_t)path;
	memcpy(p->bytes + 12, path == SERVICE ? w->nodes[p->from].params.own.bytes : source.bytes, 4);
	memcpy(p->bytes + 16, path == SERVICE ? group : destination.bytes, 4);
	seal(p);
}

static void
flip(struct attacker *a, struct packet *p)
{
	unsigned length = p->length - (unsigned)IP_HEADER, at;

	do {
		at = rng_below(&a->rng, length);
	} while (at == VRRP_CHECKSUM_AT || at == VRRP_CHECKSUM_AT + 1);
	p->bytes[IP_HEADER + at] ^= (uint8_t)(1u << rng_below(&a->rng, 8));
	p->corrupt = true;
	seal(p);
}

/* A message with what the attacker would like it to say, signed with a key of his own. */
static void
sign_anew(struct world *w, struct packet *p)
{
	struct attacker *a = &w->attacker;
	uint8_t *message = p->bytes + IP_HEADER, *trailer;
	size_t length = p->length - (size_t)IP_HEADER;

	trailer = message + VRRP_HEADER + 4 * message[3];
	if (rng_chance(&a->rng, 50))
		message[2] = (uint8_t)(rng_chance(&a->rng, 50) ? 0 : 255);
	if (rng_chance(&a->rng, 50))
		trailer[22] ^= 0x40; /* the counter: far ahead */
	if (rng_chance(&a->rng, 30))
		trailer[8] ^= 1; /* the boot id */
	memset(message + VRRP_CHECKSUM_AT, 0, 2);
	node_mac(w, 1 + rng_below(&a->rng, 2), message, length - TRAILER_MAC,
		message + length - TRAILER_MAC);
	p->corrupt = true;
	seal(p);
}

static void
speak_plainly(struct world *w, struct packet *p)
{
	struct attacker *a = &w->attacker;
	struct ip_addr source = w->nodes[p->from].params.own;
	static const uint8_t priorities[] = {0, 1, 254, 255};

	p->path = SERVICE;
	p->length = (uint8_t)node_packet(&source, priorities[rng_below(&a->rng, 4)],
		w->nodes[p->from].params.interval_ns, 1, p->bytes);
	p->corrupt = true;
}

void
attack_strikes(struct world *w)
{
	struct attacker *a = &w->attacker;
	struct packet p;
	unsigned to;

	if (w->scenario.attack_every_ns == 0)
		return;
	events_add(&w->events, (struct event){.at = w->now + w->scenario.attack_every_ns,
		.kind = EVENT_ATTACK});
	if (a->count == 0)
		return;
	p = a->captures[rng_below(&a->rng, a->count)];
	to = 1u - p.from;
	p.replayed = true;
	if (rng_chance(&a->rng, 40))
		carry_to(w, &p, rng_below(&a->rng, w->network.count));
	switch (rng_below(&a->rng, 8)) {
	case 0: flip(a, &p); break;
	case 1: sign_anew(w, &p); break;
	case 2: speak_plainly(w, &p); break;
	case 3: to = p.from; break;
	default: break;
	}
	network_inject(w, to, &p);
}
