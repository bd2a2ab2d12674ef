/* The simulated wire. See network.h. */
#include "world.h"

#include <string.h>

static int64_t
delay(struct network *n)
{
	int64_t most = n->noisy && n->noise.delay_ns > 0 ? n->noise.delay_ns : NETWORK_DELAY_NS;

	return rng_between(&n->rng, 20 * NS_PER_US, most);
}

/* Flip one to three bits of the message; the IP header is the kernel's business. */
static void
corrupt(struct network *n, struct event *packet)
{
	unsigned flip = rng_below(&n->rng, 8u * (packet->length - 20u));

	packet->bytes[20 + flip / 8] ^= (uint8_t)(1u << flip % 8);
	packet->corrupt = true;
}

static void
spoil(struct network *n, struct event *packet)
{
	if (rng_chance(&n->rng, n->noise.garbage)) {
		packet->length = (uint8_t)rng_between(&n->rng, 0, SIM_PACKET);
		for (size_t i = 0; i < packet->length; i++)
			packet->bytes[i] = (uint8_t)rng_next(&n->rng);
		packet->corrupt = true;
	} else if (rng_chance(&n->rng, n->noise.corrupt)) {
		corrupt(n, packet);
	}
}

static void
deliver(struct world *w, unsigned from, unsigned to, const uint8_t *bytes, size_t length)
{
	struct network *n = &w->network;
	struct event packet = {.kind = EVENT_PACKET, .node = (uint8_t)to,
		.length = (uint8_t)length, .at = w->now + delay(n)};

	if (n->noisy && rng_chance(&n->rng, n->noise.loss))
		return;
	if (!n->noisy) { /* a quiet wire keeps the order */
		if (packet.at <= n->last[from][to])
			packet.at = n->last[from][to] + 1;
		n->last[from][to] = packet.at;
	}
	memcpy(packet.bytes, bytes, length);
	if (n->noisy)
		spoil(n, &packet);
	events_add(&w->events, packet);
	if (n->noisy && rng_chance(&n->rng, n->noise.doubled)) {
		packet.at = w->now + delay(n);
		events_add(&w->events, packet);
	}
}

void
network_send(struct world *w, unsigned from, const uint8_t *bytes, size_t length)
{
	struct network *n = &w->network;

	if (from < SIM_NODES && n->down[from])
		return;
	for (unsigned to = 0; to < w->count; to++) {
		if (from < SIM_NODES && (n->cut[from][to] || (to == from && !n->loop)))
			continue;
		deliver(w, from, to, bytes, length);
	}
}

void
network_set_noise(struct world *w, const struct noise *noise)
{
	int64_t last = w->now + (w->network.noisy ? w->network.noise.delay_ns : 0);

	if (w->network.dirty_until < last)
		w->network.dirty_until = last;
	w->network.noisy = noise != NULL;
	if (noise)
		w->network.noise = *noise;
}

void
network_heal(struct world *w)
{
	struct network *n = &w->network;

	network_set_noise(w, NULL);
	memset(n->cut, 0, sizeof(n->cut));
	memset(n->down, 0, sizeof(n->down));
	n->loop = false;
}

bool
network_pair_is_clean(const struct world *w, unsigned a, unsigned b)
{
	const struct network *n = &w->network;

	return !n->noisy && w->now >= n->dirty_until && !n->cut[a][b] && !n->cut[b][a] &&
		!n->down[a] && !n->down[b];
}
