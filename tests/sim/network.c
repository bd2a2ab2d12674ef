/* The simulated paths. See network.h. */
#include "world.h"

#include <string.h>

enum { IP_HEADER = 20 };

static int64_t
delay(struct network *n, const struct wire *wire)
{
	int64_t most = wire->noisy && wire->noise.delay_ns > 0 ? wire->noise.delay_ns
							       : NETWORK_DELAY_NS;

	return rng_between(&n->rng, 20 * NS_PER_US, most);
}

/* Flip one to three bits of the message; the IP header is the kernel's business. */
static void
corrupt(struct network *n, struct packet *packet)
{
	unsigned flip = rng_below(&n->rng, 8u * (packet->length - (unsigned)IP_HEADER));

	packet->bytes[IP_HEADER + flip / 8] ^= (uint8_t)(1u << flip % 8);
	packet->corrupt = true;
}

static void
spoil(struct network *n, const struct noise *noise, struct packet *packet)
{
	if (rng_chance(&n->rng, noise->garbage)) {
		packet->length = (uint8_t)rng_between(&n->rng, 0, SIM_PACKET);
		for (size_t i = 0; i < packet->length; i++)
			packet->bytes[i] = (uint8_t)rng_next(&n->rng);
		packet->corrupt = true;
	} else if (rng_chance(&n->rng, noise->corrupt)) {
		corrupt(n, packet);
	}
}

static void
arrive(struct world *w, unsigned to, int64_t at, const struct packet *packet)
{
	events_add(&w->events, (struct event){.kind = EVENT_PACKET, .node = (uint8_t)to, .at = at,
		.packet = packet_keep(&w->events, packet)});
}

static void
deliver(struct world *w, struct wire *wire, unsigned to, const struct packet *sent)
{
	struct network *n = &w->network;
	int64_t at = w->now + delay(n, wire), *last = &wire->last[sent->from][to];
	struct packet packet;

	if (!wire->noisy) { /* a quiet wire keeps the order */
		if (at <= *last)
			at = *last + 1;
		*last = at;
		arrive(w, to, at, sent);
		return;
	}
	if (rng_chance(&n->rng, wire->noise.loss))
		return;
	packet = *sent;
	spoil(n, &wire->noise, &packet);
	arrive(w, to, at, &packet);
	if (rng_chance(&n->rng, wire->noise.doubled))
		arrive(w, to, w->now + delay(n, wire), &packet);
}

bool
network_passes(const struct world *w, unsigned path, unsigned from, unsigned to)
{
	const struct wire *wire = &w->network.wires[path];

	return !wire->cut[from][to] && !wire->down[from] && !wire->down[to] &&
		!wire->isolated[from] && !wire->isolated[to];
}

void
network_send(struct world *w, unsigned path, unsigned from, const uint8_t *bytes, size_t length)
{
	struct wire *wire = &w->network.wires[path];
	struct packet packet = {.sent_at = w->now, .from = (uint8_t)from, .path = (uint8_t)path,
		.length = (uint8_t)length};

	if (from < SIM_NODES && wire->refuses[from])
		return;
	memcpy(packet.bytes, bytes, length);
	if (w->keyed && from < SIM_NODES)
		attack_capture(w, &packet);
	if (from < SIM_NODES && wire->down[from])
		return;
	for (unsigned to = 0; to < w->count; to++) {
		if (from == SIM_NODES ? wire->isolated[to] :
			to == from ? !wire->loop : !network_passes(w, path, from, to))
			continue;
		deliver(w, wire, to, &packet);
	}
}

void
network_inject(struct world *w, unsigned to, const struct packet *packet)
{
	arrive(w, to, w->now + rng_between(&w->network.rng, 20 * NS_PER_US, NETWORK_DELAY_NS),
		packet);
}

void
network_set_noise(struct world *w, unsigned path, const struct noise *noise)
{
	struct wire *wire = &w->network.wires[path];
	int64_t last = w->now + (wire->noisy ? wire->noise.delay_ns : 0);

	if (wire->dirty_until < last)
		wire->dirty_until = last;
	wire->noisy = noise != NULL;
	if (noise)
		wire->noise = *noise;
}

void
network_heal(struct world *w)
{
	w->network.squatter = false;
	for (unsigned path = 0; path < w->network.count; path++) {
		struct wire *wire = &w->network.wires[path];

		network_set_noise(w, path, NULL);
		memset(wire->cut, 0, sizeof(wire->cut));
		memset(wire->down, 0, sizeof(wire->down));
		memset(wire->isolated, 0, sizeof(wire->isolated));
		memset(wire->refuses, 0, sizeof(wire->refuses));
		wire->loop = false;
	}
}

bool
network_on_lan(const struct world *w, unsigned node)
{
	const struct wire *lan = &w->network.wires[SERVICE];

	return !lan->down[node] && !lan->isolated[node];
}

bool
network_refuses(const struct world *w, unsigned node)
{
	return w->network.wires[SERVICE].refuses[node];
}

bool
network_path_is_clean(const struct world *w, unsigned path, unsigned a, unsigned b)
{
	const struct wire *wire = &w->network.wires[path];

	return !wire->noisy && w->now >= wire->dirty_until && !wire->refuses[a] &&
		!wire->refuses[b] && network_passes(w, path, a, b) &&
		network_passes(w, path, b, a);
}

bool
network_pair_is_clean(const struct world *w, unsigned a, unsigned b)
{
	for (unsigned path = 0; path < w->network.count; path++)
		if (network_path_is_clean(w, path, a, b))
			return true;
	return false;
}

void
network_note(struct world *w)
{
	for (unsigned path = 0; path < w->network.count; path++) {
		int64_t *since = &w->network.wires[path].clean_since;

		if (!network_path_is_clean(w, path, 0, 1))
			*since = INT64_MAX;
		else if (*since == INT64_MAX)
			*since = w->now;
	}
}

int64_t
network_lan_clean_for_ns(const struct world *w)
{
	int64_t since = w->network.wires[SERVICE].clean_since;

	return since == INT64_MAX ? -1 : w->now - since;
}

int64_t
network_clean_for_ns(const struct world *w)
{
	int64_t longest = -1;

	for (unsigned path = 0; path < w->network.count; path++) {
		int64_t since = w->network.wires[path].clean_since;

		if (since != INT64_MAX && w->now - since > longest)
			longest = w->now - since;
	}
	return longest;
}

int64_t
network_frame_at(struct world *w, unsigned from, unsigned to)
{
	struct network *n = &w->network;
	const struct wire *lan = &n->wires[SERVICE];
	bool passes = to == SIM_NODES || from == SIM_NODES
		? network_on_lan(w, to == SIM_NODES ? from : to)
		: network_passes(w, SERVICE, from, to);

	if (!passes || (lan->noisy && rng_chance(&n->rng, lan->noise.loss)))
		return INT64_MAX;
	return w->now + delay(n, lan);
}

void
network_announce(struct world *w, unsigned from)
{
	const struct wire *lan = &w->network.wires[SERVICE];

	if (network_on_lan(w, from) && !lan->refuses[from] &&
		!(lan->noisy && rng_chance(&w->network.rng, lan->noise.loss)))
		w->network.believed = from;
}
