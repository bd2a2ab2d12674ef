/* Rounds of questions, and what they make of a node. See contact.h. */
#include "core/contact.h"

enum { ROUNDS_UNANSWERED = 3 };

static const int64_t round_ns = 20 * NS_PER_MS;
static const int64_t slow_round_ns = 200 * NS_PER_MS;

void
contact_init(struct contact *c)
{
	*c = (struct contact){.state = EL_CONTACT_UNKNOWN, .next_round = MONO_NEVER};
}

int64_t
contact_doubt_ns(int64_t quiet_ns)
{
	return quiet_ns * 3 / 5;
}

static bool
round_is_due(struct contact *c, mono now, int64_t silence_ns, int64_t quiet_ns)
{
	if (!mono_is_never(c->next_round) && mono_before(now, c->next_round))
		return false;
	if (silence_ns >= quiet_ns && c->rounds >= ROUNDS_UNANSWERED)
		c->state = EL_CONTACT_ISOLATED;
	return true;
}

/* While it is quiet everywhere, the peer is dead as far as we know, and nobody is to be asked. */
bool
contact_look(struct contact *c, mono now, const struct contact_sight *sight)
{
	int64_t silence_ns, doubt_ns = contact_doubt_ns(sight->quiet_ns);

	if (mono_is_never(sight->heard) || !sight->peer_alive || !sight->carrier) {
		c->rounds = 0;
		c->state = EL_CONTACT_UNKNOWN;
		return false;
	}
	silence_ns = mono_diff_ns(now, sight->heard);
	if (silence_ns >= doubt_ns && mono_diff_ns(sight->peer_heard, sight->heard) > 0)
		return round_is_due(c, now, silence_ns, sight->quiet_ns);
	c->rounds = 0;
	c->next_round = MONO_NEVER;
	if (silence_ns < doubt_ns)
		c->state = EL_CONTACT_UNKNOWN;
	return false;
}

void
contact_asked(struct contact *c, mono now, bool anybody)
{
	if (!anybody) {
		c->state = EL_CONTACT_UNKNOWN;
		c->rounds = 0;
	} else if (c->rounds < UINT8_MAX) {
		c->rounds++;
	}
	c->next_round = mono_add_ns(now, c->state == EL_CONTACT_UNKNOWN ? round_ns : slow_round_ns);
}

void
contact_answered(struct contact *c)
{
	if (c->rounds == 0)
		return;
	c->rounds = 0;
	c->state = EL_CONTACT_CONNECTED;
}
