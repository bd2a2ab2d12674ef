/*
 * Belief, replay and paths of a keyed pair. See pair.h.
 *
 * Three bounds keep captures worthless. A new life of the peer is believed only when it echoes a
 * counter that we sent a moment ago (the fresh floor). A life that was followed by another one is
 * believed again only if it answers anew and the other one is silent. And a message of the life we
 * believe must be new on its path and not older than what the peer said a moment ago on any path
 * (the peer floor), so that what was captured on one path is not news on another one.
 *
 * Both floors are two marks a moment apart: reading them costs no state, so that they hold after
 * any silence.
 */
#include "core/pair.h"

#include <string.h>

enum { WINDOW = 64, PATIENCE = 3 /* intervals */ };

static const int64_t moment_ns = 1 * NS_PER_S;
static const int64_t macs_ns = 10 * NS_PER_MS; /* so long a budget of MACs lasts */

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void
set_interval(struct pair *p, int64_t peer_interval_ns)
{
	p->patience_ns = PATIENCE * longer(p->interval_ns, peer_interval_ns);
}

static int64_t
long_interval_ns(const struct pair *p)
{
	return p->patience_ns / PATIENCE;
}

int64_t
pair_quiet_ns(const struct pair *p)
{
	return long_interval_ns(p) * 5 / 2;
}

void
pair_init(struct pair *p, uint64_t boot, const struct ip_addr *self, int64_t interval_ns, mono now)
{
	memset(p, 0, sizeof(*p));
	p->boot = boot;
	p->self = *self;
	p->interval_ns = interval_ns;
	p->peer_heard = MONO_NEVER;
	p->fresh_rotated = p->peer_rotated = now;
	p->answered = (mono){INT64_MIN / 2};
	set_interval(p, interval_ns);
	p->expected = mono_add_ns(now, 2 * p->patience_ns);
}

static struct pair_path
path_new(uint32_t tag)
{
	return (struct pair_path){.tag = tag, .carrier = true, .peer_age_ms = TRAILER_AGE_NEVER,
		.heard = MONO_NEVER, .peer_said = MONO_NEVER, .peer_deaf = MONO_NEVER};
}

void
pair_configure(struct pair *p, const struct ip_addr *self, int64_t interval_ns, uint32_t digest,
	const uint32_t *tags, unsigned count)
{
	struct pair_path kept[PAIR_PATHS];

	if (count > PAIR_PATHS)
		count = PAIR_PATHS;
	for (unsigned i = 0; i < count; i++) {
		int old = pair_path_find(p, tags[i]);

		kept[i] = old >= 0 ? p->paths[old] : path_new(tags[i]);
	}
	memcpy(p->paths, kept, count * sizeof(kept[0]));
	p->path_count = count;
	p->self = *self;
	p->digest_is_news |= p->digest != digest;
	p->digest = digest;
	p->interval_ns = interval_ns;
	set_interval(p, p->peer_interval_ns);
}

int
pair_path_find(const struct pair *p, uint32_t tag)
{
	for (unsigned i = 0; i < p->path_count; i++)
		if (p->paths[i].tag == tag)
			return (int)i;
	return -1;
}

void
pair_set_carrier(struct pair *p, unsigned path, bool carrier)
{
	p->paths[path].carrier = carrier;
}

/*
 * The counter that was the newest one to two periods ago: `floor` is the mark of a period before
 * the last rotation, `next` that of the rotation.
 */
static uint64_t
aged(int64_t age_ns, int64_t period_ns, uint64_t floor, uint64_t next, uint64_t newest)
{
	if (age_ns < period_ns)
		return floor;
	return age_ns < 2 * period_ns ? next : newest;
}

/* The moment of the next mark. Nothing was counted since: a late mark is as good as one in time. */
static mono
rotation(mono last, mono now, int64_t period_ns)
{
	mono due = mono_add_ns(last, period_ns);

	return mono_diff_ns(now, due) < period_ns ? due : now;
}

static int64_t
fresh_period_ns(const struct pair *p)
{
	return longer(moment_ns, 3 * p->interval_ns);
}

static uint64_t
fresh_floor(const struct pair *p, mono now)
{
	return aged(mono_diff_ns(now, p->fresh_rotated), fresh_period_ns(p), p->fresh_floor,
		p->fresh_next, p->counter);
}

static void
rotate_fresh(struct pair *p, mono now)
{
	uint64_t floor = fresh_floor(p, now);

	if (mono_diff_ns(now, p->fresh_rotated) < fresh_period_ns(p))
		return;
	p->fresh_floor = floor;
	p->fresh_next = p->counter;
	p->fresh_rotated = rotation(p->fresh_rotated, now, fresh_period_ns(p));
}

static int64_t
peer_period_ns(const struct pair *p)
{
	return longer(moment_ns, 2 * long_interval_ns(p));
}

static uint64_t
peer_floor(const struct pair *p, mono now)
{
	return aged(mono_diff_ns(now, p->peer_rotated), peer_period_ns(p), p->peer_floor,
		p->peer_next, p->peer_counter);
}

static void
rotate_peer(struct pair *p, mono now)
{
	uint64_t floor = peer_floor(p, now);

	if (mono_diff_ns(now, p->peer_rotated) < peer_period_ns(p))
		return;
	p->peer_floor = floor;
	p->peer_next = p->peer_counter;
	p->peer_rotated = rotation(p->peer_rotated, now, peer_period_ns(p));
}

static void
fill_echo(struct pair *p, struct trailer *t)
{
	t->echo_boot = p->peer_boot;
	t->echo_counter = p->peer_counter;
	if (p->peer_boot != 0 && p->alive)
		return;
	for (unsigned i = 0; i < PAIR_CANDIDATES; i++) {
		unsigned turn = p->candidate_turn;

		p->candidate_turn = (turn + 1) % PAIR_CANDIDATES;
		p->candidate_round += p->candidate_turn == 0;
		if (p->candidates[turn] == 0)
			continue;
		t->echo_boot = p->candidates[turn];
		t->echo_counter = p->candidate_counters[turn];
		return;
	}
}

static uint16_t
age_of(const struct pair_path *path, mono now)
{
	int64_t age_ms;

	if (mono_is_never(path->heard))
		return TRAILER_AGE_NEVER;
	age_ms = mono_diff_ns(now, path->heard) / NS_PER_MS;
	if (age_ms < 0)
		return 0;
	return age_ms > TRAILER_AGE_MAX ? TRAILER_AGE_MAX : (uint16_t)age_ms;
}

void
pair_fill(struct pair *p, mono now, struct trailer *t)
{
	rotate_fresh(p, now);
	t->boot = p->boot;
	t->counter = ++p->counter;
	t->sender = p->self;
	t->digest = p->digest;
	fill_echo(p, t);
	t->path_count = (uint8_t)p->path_count;
	for (unsigned i = 0; i < p->path_count; i++)
		t->paths[i] = (struct trailer_path){.tag = p->paths[i].tag,
			.age_ms = age_of(&p->paths[i], now), .carrier = p->paths[i].carrier};
}

static int
find_boot(const uint64_t *boots, int count, uint64_t boot)
{
	for (int i = 0; i < count; i++)
		if (boots[i] == boot)
			return i;
	return -1;
}

/*
 * A life that another one followed. For good, unless it proves that it goes on, by an echo of what
 * we sent after that, while the other one is silent: a capture that we believed for a moment, or a
 * box that ran under the peer's name for a while, must not lock the peer out.
 */
static bool
is_over(const struct pair *p, const struct trailer *t)
{
	int i = find_boot(p->retired, PAIR_RETIRED, t->boot);

	return i >= 0 && (p->alive || t->echo_boot != p->boot ||
		t->echo_counter <= p->retired_at[i]);
}

static bool
is_known_candidate(const struct pair *p, const struct trailer *t)
{
	int i = find_boot(p->candidates, PAIR_CANDIDATES, t->boot);

	return i >= 0 && t->counter <= p->candidate_counters[i];
}

/* The sliding window of RFC 4303 3.4.3. */
static bool
is_new_on_path(const struct pair_path *path, uint64_t counter)
{
	uint64_t behind;

	if (counter > path->newest)
		return true;
	behind = path->newest - counter;
	return behind < WINDOW && (path->window >> behind & 1) == 0;
}

static void
mark_on_path(struct pair_path *path, uint64_t counter)
{
	uint64_t ahead;

	if (counter <= path->newest) {
		path->window |= UINT64_C(1) << (path->newest - counter);
		return;
	}
	ahead = counter - path->newest;
	path->window = ahead < WINDOW ? path->window << ahead | 1 : 1;
	path->newest = counter;
}

static bool
was_heard(const struct pair *p, unsigned path, const struct trailer *t, uint64_t floor)
{
	return t->boot == p->peer_boot &&
		(t->counter <= floor || !is_new_on_path(&p->paths[path], t->counter));
}

enum reason
pair_screen(const struct pair *p, unsigned path, const struct trailer *t)
{
	if (t->boot == p->boot || ip_addr_equal(&t->sender, &p->self))
		return REASON_OWN_PACKET;
	if (is_over(p, t) || was_heard(p, path, t, p->peer_floor))
		return REASON_REPLAYED;
	if (t->boot != p->peer_boot && is_known_candidate(p, t))
		return REASON_NOT_BELIEVED;
	return REASON_NONE;
}

bool
pair_may_verify(struct pair *p, mono now, unsigned path, const struct trailer *t)
{
	struct pair_path *at = &p->paths[path];
	unsigned share = PAIR_MACS_A_SECOND / (unsigned)(NS_PER_S / macs_ns) / 2 / p->path_count;
	unsigned *used = &at->macs[t->echo_boot == p->boot];

	if (t->boot == p->peer_boot)
		return true;
	if (mono_diff_ns(now, at->macs_since) >= macs_ns) {
		at->macs_since = now;
		at->macs[0] = at->macs[1] = 0;
	}
	if (*used >= share)
		return false;
	++*used;
	return true;
}

static bool
may_answer(struct pair *p, mono now)
{
	if (mono_diff_ns(now, p->answered) < p->interval_ns / 4)
		return false;
	p->answered = now;
	return true;
}

/* Where a life stands among all lives is chance, another one in every round (MurmurHash3). */
static uint64_t
place_of(const struct pair *p, uint64_t boot)
{
	uint64_t h = boot ^ p->boot ^ p->candidate_round * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return h ^ h >> 33;
}

/*
 * The slot that a new candidate may have, or -1. When all are taken those stay whose place is
 * lowest: a sample over the lives and not over their messages, so that who replays a thousand
 * captures a second of a hundred lives does not crowd out the one that is live.
 */
static int
candidate_slot(const struct pair *p, uint64_t boot)
{
	int slot = find_boot(p->candidates, PAIR_CANDIDATES, 0);
	uint64_t last = place_of(p, boot);

	if (slot >= 0)
		return slot;
	for (int i = 0; i < PAIR_CANDIDATES; i++) {
		uint64_t place = place_of(p, p->candidates[i]);

		if (place <= last)
			continue;
		last = place;
		slot = i;
	}
	return slot;
}

/* Is it one now, to be echoed in its turn? */
static bool
remember_candidate(struct pair *p, const struct trailer *t)
{
	int slot = find_boot(p->candidates, PAIR_CANDIDATES, t->boot);

	if (slot < 0)
		slot = candidate_slot(p, t->boot);
	if (slot < 0)
		return false;
	p->candidates[slot] = t->boot;
	p->candidate_counters[slot] = t->counter;
	return true;
}

static void
retire(struct pair *p)
{
	if (p->peer_boot == 0)
		return;
	p->retired[p->retired_next] = p->peer_boot;
	p->retired_at[p->retired_next] = p->counter;
	p->retired_next = (p->retired_next + 1) % PAIR_RETIRED;
}

/* What it said before it proved itself is as good as said. */
static void
meet(struct pair *p, mono now, const struct trailer *t)
{
	int again = find_boot(p->retired, PAIR_RETIRED, t->boot);

	if (again >= 0)
		p->retired[again] = 0;
	retire(p);
	p->peer_boot = t->boot;
	p->peer_counter = p->peer_floor = p->peer_next = t->counter - 1;
	p->peer_rotated = now;
	p->digest_is_news = true;
	memset(p->candidates, 0, sizeof(p->candidates));
	for (unsigned i = 0; i < p->path_count; i++)
		p->paths[i].newest = p->paths[i].window = 0;
}

static bool
answers_challenge(const struct pair *p, mono now, const struct trailer *t)
{
	return t->echo_boot == p->boot && t->echo_counter > fresh_floor(p, now) &&
		t->echo_counter <= p->counter;
}

static void
hear_on_path(struct pair *p, mono now, unsigned path, uint64_t counter, struct pair_news *news)
{
	struct pair_path *at = &p->paths[path];

	mark_on_path(at, counter);
	if (at->quiet || mono_is_never(at->heard))
		news->healed |= 1u << path;
	at->quiet = false;
	at->heard = now;
}

/*
 * Does the peer hear us there again? Nobody else can tell that what we said was lost. One that has
 * just begun has heard nobody before, and that alone is no loss.
 */
static bool
is_reached(struct pair_path *at, mono now, uint16_t age_ms, int64_t quiet_ns)
{
	int64_t age_ns = age_ms == TRAILER_AGE_NEVER ? 0 : age_ms * NS_PER_MS;
	mono deaf = at->peer_deaf;

	if (age_ms == TRAILER_AGE_NEVER || age_ns >= quiet_ns) {
		at->peer_deaf = mono_min(deaf, mono_add_ns(now, -age_ns));
		return false;
	}
	at->peer_deaf = MONO_NEVER;
	return !mono_is_never(deaf) && mono_diff_ns(now, deaf) >= quiet_ns;
}

static void
learn_paths(struct pair *p, mono now, const struct trailer *t, struct pair_news *news)
{
	for (unsigned i = 0; i < t->path_count; i++) {
		int path = pair_path_find(p, t->paths[i].tag);

		if (path < 0)
			continue;
		if (is_reached(&p->paths[path], now, t->paths[i].age_ms, pair_quiet_ns(p)))
			news->reached |= 1u << path;
		p->paths[path].peer_age_ms = t->paths[i].age_ms;
		p->paths[path].peer_carrier = t->paths[i].carrier;
		p->paths[path].peer_said = now;
	}
}

/* The newest message of the peer, whatever path it came over first. */
static void
learn(struct pair *p, mono now, const struct trailer *t, int64_t interval_ns,
	struct pair_news *news)
{
	news->digest_changed = p->digest_is_news || p->peer_digest != t->digest;
	p->digest_is_news = false;
	p->peer_digest = t->digest;
	p->peer_counter = t->counter;
	p->peer = t->sender;
	p->peer_interval_ns = interval_ns;
	set_interval(p, interval_ns);
	learn_paths(p, now, t, news);
	/* It heard what we do not know to have said: this machine was set back to a snapshot. */
	if (t->echo_boot == p->boot && t->echo_counter > p->counter)
		p->counter = t->echo_counter;
	if (t->echo_boot != p->boot || news->met)
		news->answer = may_answer(p, now) || news->met;
	news->returned = !p->alive;
	p->alive = true;
	p->peer_heard = now;
	p->expected = MONO_NEVER;
}

enum reason
pair_accept(struct pair *p, mono now, unsigned path, const struct trailer *t, int64_t interval_ns,
	struct pair_news *news)
{
	enum reason why = pair_screen(p, path, t);

	*news = (struct pair_news){0};
	if (why != REASON_NONE)
		return why;
	if (was_heard(p, path, t, peer_floor(p, now)))
		return REASON_REPLAYED;
	if (t->boot != p->peer_boot) {
		if (!answers_challenge(p, now, t)) {
			news->answer = remember_candidate(p, t) && may_answer(p, now);
			return REASON_NOT_BELIEVED;
		}
		meet(p, now, t);
		news->met = true;
	}
	rotate_peer(p, now);
	hear_on_path(p, now, path, t->counter, news);
	if (t->counter > p->peer_counter)
		learn(p, now, t, interval_ns, news);
	return REASON_NONE;
}

void
pair_tick(struct pair *p, mono now, struct pair_news *news)
{
	*news = (struct pair_news){0};
	if (mono_due(p->expected, now)) {
		p->expected = MONO_NEVER;
		news->lost = true;
	}
	if (p->alive && mono_diff_ns(now, p->peer_heard) >= p->patience_ns) {
		p->alive = false;
		news->lost = true;
	}
	for (unsigned i = 0; i < p->path_count; i++) {
		struct pair_path *path = &p->paths[i];

		if (path->quiet || mono_is_never(path->heard) ||
			mono_diff_ns(now, path->heard) < pair_quiet_ns(p))
			continue;
		path->quiet = true;
		news->quieted |= 1u << i;
	}
}

mono
pair_deadline(const struct pair *p)
{
	mono next = p->expected;

	if (p->alive)
		next = mono_min(next, mono_add_ns(p->peer_heard, p->patience_ns));
	for (unsigned i = 0; i < p->path_count; i++)
		if (!p->paths[i].quiet)
			next = mono_min(next, mono_add_ns(p->paths[i].heard, pair_quiet_ns(p)));
	return next;
}

bool
pair_path_heard_by_peer(const struct pair *p, mono now, unsigned path)
{
	const struct pair_path *at = &p->paths[path];

	return !mono_is_never(at->peer_said) && mono_diff_ns(now, at->peer_said) < p->patience_ns &&
		at->peer_age_ms != TRAILER_AGE_NEVER &&
		at->peer_age_ms * NS_PER_MS < p->patience_ns;
}
