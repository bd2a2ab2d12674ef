/*
 * What a keyed node may be told, in any order: six bytes are one event. Signed messages of a
 * handful of lives with counters and echoes near to those that matter, time, reloads. Promises are
 * those of core/pair.h, kept here once more in a naive way: every counter heard on every path is
 * remembered, and every counter that was sent with its moment.
 */
#include "fuzz.h"

#include "core/pair.h"

#include <string.h>

enum { EVENT = 6, PATHS = 3, LIVES = 80, COUNTERS = 1024, OUR_BOOT = 7777 };

static const int64_t interval_ns = 100 * NS_PER_MS;

struct world {
	struct pair p;
	mono now;
	mono sent[COUNTERS];                    /* by our counter */
	bool heard[PATHS][COUNTERS];            /* of the believed life */
	uint64_t oldest;                        /* counter by which it was believed */
	mono newest_at[COUNTERS];               /* when that counter became the newest */
	unsigned meetings;
	unsigned followed[LIVES + 1];           /* by boot: number of the meeting that ended it */
	uint64_t followed_at[LIVES + 1];        /* and our counter then */
	mono answered;
};

/* Two moments is the longest that an echo may be old. */
static bool
is_fresh_echo(const struct world *w, const struct trailer *t)
{
	return t->echo_boot == OUR_BOOT && t->echo_counter > 0 && t->echo_counter < COUNTERS &&
		t->echo_counter <= w->p.counter &&
		mono_diff_ns(w->now, w->sent[t->echo_counter]) <= 2 * NS_PER_S;
}

/* Everything that the peer had said more than two moments ago. */
static bool
is_history(const struct world *w, uint64_t counter)
{
	return counter < w->oldest || (counter < w->p.peer_counter &&
		mono_diff_ns(w->now, w->newest_at[counter]) > 2 * NS_PER_S &&
		w->newest_at[counter].ns != 0);
}

static void
check_met(struct world *w, const struct pair *before, const struct trailer *t)
{
	PROMISE(t->boot != before->peer_boot && is_fresh_echo(w, t));
	w->meetings++;
	if (w->followed[t->boot] > 0 && w->meetings - w->followed[t->boot] <= PAIR_RETIRED)
		PROMISE(!before->alive && t->echo_counter > w->followed_at[t->boot]);
	w->followed[t->boot] = 0;
	if (before->peer_boot != 0) {
		w->followed[before->peer_boot] = w->meetings;
		w->followed_at[before->peer_boot] = before->counter;
	}
	memset(w->heard, 0, sizeof(w->heard));
	memset(w->newest_at, 0, sizeof(w->newest_at));
	w->oldest = t->counter;
}

static void
check_answer(struct world *w, const struct pair_news *news)
{
	if (!news->answer || news->met)
		return;
	PROMISE(w->answered.ns == 0 || mono_diff_ns(w->now, w->answered) >= interval_ns / 4);
	w->answered = w->now;
}

static void
check_refused(const struct pair *before, const struct pair *after, const struct pair_news *news)
{
	PROMISE(before->peer_boot == after->peer_boot && before->alive == after->alive);
	PROMISE(before->peer_counter == after->peer_counter);
	PROMISE(before->peer_heard.ns == after->peer_heard.ns);
	PROMISE(before->patience_ns == after->patience_ns);
	PROMISE(pair_deadline(before).ns == pair_deadline(after).ns);
	PROMISE(memcmp(before->paths, after->paths, sizeof(before->paths)) == 0);
	PROMISE(!news->met && !news->returned && !news->lost && !news->healed && !news->quieted);
}

static void
check_accepted(struct world *w, const struct pair *before, unsigned path,
	const struct trailer *t, const struct pair_news *news)
{
	if (news->met)
		check_met(w, before, t);
	PROMISE(!ip_addr_equal(&t->sender, &w->p.self));
	PROMISE(w->p.peer_boot == t->boot && t->boot != OUR_BOOT);
	PROMISE(!w->heard[path][t->counter]);
	PROMISE(!is_history(w, t->counter));
	w->heard[path][t->counter] = true;
	PROMISE(w->p.paths[path].heard.ns == w->now.ns && !w->p.paths[path].quiet);
	if (news->met || t->counter > before->peer_counter) {
		PROMISE(w->p.alive && w->p.peer_heard.ns == w->now.ns);
		w->newest_at[t->counter] = w->now;
	} else {
		PROMISE(w->p.alive == before->alive);
		PROMISE(w->p.peer_heard.ns == before->peer_heard.ns);
	}
}

static void
message(struct world *w, const uint8_t *event)
{
	struct pair before = w->p;
	struct pair_news news;
	unsigned path = event[0] >> 4 & 3;
	uint64_t behind = event[4];
	struct trailer t = {.key_id = 1, .boot = 1 + event[1] % LIVES,
		.counter = 1u + event[2] + 256u * (event[3] & 1),
		.sender = {IP_V4, {10, 0, 0, event[5] == 0xff ? 1 : 2}},
		.digest = event[5] & 3, .path_count = 1,
		.paths = {{1 + event[5] % 5, event[4], true}}};
	enum reason screened, why;

	if (path >= w->p.path_count)
		return;
	if ((event[3] & 6) == 2 && behind < w->p.counter) {
		t.echo_boot = OUR_BOOT;
		t.echo_counter = w->p.counter - behind;
	} else if ((event[3] & 6) == 4) {
		t.echo_boot = behind + 1;
		t.echo_counter = behind;
	}
	screened = pair_screen(&w->p, path, &t);
	PROMISE(memcmp(&before, &w->p, sizeof(before)) == 0);
	why = pair_accept(&w->p, w->now, path, &t, interval_ns * (1 + (event[3] >> 3 & 3)), &news);
	PROMISE(screened == REASON_NONE || why == screened);
	PROMISE(why == REASON_NONE || why == REASON_REPLAYED || why == REASON_NOT_BELIEVED ||
		why == REASON_OWN_PACKET);
	check_answer(w, &news);
	if (why == REASON_NONE)
		check_accepted(w, &before, path, &t, &news);
	else
		check_refused(&before, &w->p, &news);
}

static void
send(struct world *w)
{
	struct trailer t = {0};

	if (w->p.counter + 1 >= COUNTERS)
		return;
	pair_fill(&w->p, w->now, &t);
	PROMISE(t.boot == OUR_BOOT && t.counter == w->p.counter);
	PROMISE(t.path_count == w->p.path_count);
	PROMISE(t.echo_boot != OUR_BOOT && (t.echo_boot == 0) == (t.echo_counter == 0));
	PROMISE(!w->p.alive || t.echo_boot == w->p.peer_boot);
	w->sent[t.counter] = w->now;
}

/* After a tick nothing is due: the caller would be called again and again. */
static void
tick(struct world *w)
{
	struct pair before = w->p;
	struct pair_news news;

	pair_tick(&w->p, w->now, &news);
	PROMISE(!mono_due(pair_deadline(&w->p), w->now));
	PROMISE(!news.met && !news.answer && !news.returned && !news.healed);
	PROMISE(!news.lost || before.alive || !mono_is_never(before.expected));
	PROMISE(before.peer_boot == w->p.peer_boot);
}

static void
configure(struct world *w, const uint8_t *event)
{
	static const struct ip_addr self = {IP_V4, {10, 0, 0, 1}};
	uint32_t tags[PATHS] = {1, 2, 3};
	unsigned count = 1 + event[1] % PATHS;

	/* what was heard on a path that is left out is forgotten with it */
	for (unsigned i = count; i < PATHS; i++)
		memset(w->heard[i], 0, sizeof(w->heard[i]));
	pair_configure(&w->p, &self, interval_ns, event[2] & 3, tags, count);
	PROMISE(w->p.path_count == count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	static const struct ip_addr self = {IP_V4, {10, 0, 0, 1}};
	static const uint8_t all[EVENT] = {0, PATHS - 1};

	memset(&w, 0, sizeof(w));
	w.now = (mono){NS_PER_S};
	pair_init(&w.p, OUR_BOOT, &self, interval_ns, w.now);
	configure(&w, all);
	for (; size >= EVENT; data += EVENT, size -= EVENT) {
		switch (data[0] & 7) {
		case 0:
			w.now = mono_add_ns(w.now, (data[1] + 1) * (data[2] & 1 ? 1 : 50) * NS_PER_MS);
			break;
		case 1:
			send(&w);
			break;
		case 2:
			tick(&w);
			break;
		case 3:
			configure(&w, data);
			break;
		default:
			message(&w, data);
		}
	}
	return 0;
}
