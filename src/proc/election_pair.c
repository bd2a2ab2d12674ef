/*
 * The keyed pair: its keys, the paths between the nodes, and what is told about them. What is
 * believed and what is a replay decides core/pair.h; this file carries messages to it and its news
 * to the log and to the elections.
 */
#include "proc/election_process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const double timer_pad_s = 20e-6;

bool
elector_is_keyed(const struct elector *x)
{
	return x->ring != NULL;
}

/* --- setting up --- */

static struct auth_ring *
make_ring(const struct config *c)
{
	struct auth_ring *ring = auth_ring_new();

	for (uint32_t i = 0; ring && i < c->key_count; i++) {
		const struct conf_key *key = &c->keys[i];

		if (auth_ring_add(ring, key->id, key->bytes, key->length, c->cluster))
			continue;
		auth_ring_free(ring);
		return NULL;
	}
	return ring;
}

static struct path *
add_path(struct elector *x, const char *name, const char *interface)
{
	struct path *path = &x->paths[x->path_count];
	struct port *port = port_get(x, interface);

	if (x->path_count == PAIR_PATHS || !port)
		return NULL;
	memset(path, 0, sizeof(*path));
	strncpy(path->name, name, sizeof(path->name) - 1);
	path->port = port;
	path->heard = MONO_NEVER;
	x->path_count++;
	return path;
}

static bool
has_service_path(const struct elector *x, const char *interface)
{
	for (size_t i = 0; i < x->path_count; i++)
		if (!x->paths[i].is_link && strcmp(x->paths[i].name, interface) == 0)
			return true;
	return false;
}

static void
make_paths(struct elector *x)
{
	const struct config *c = &x->config;
	unsigned self = x->child->node;

	x->path_count = 0;
	for (uint32_t i = 0; i < c->router_count; i++)
		if (!has_service_path(x, c->routers[i].interface) &&
			x->path_count + c->link_count < PAIR_PATHS)
			add_path(x, c->routers[i].interface, c->routers[i].interface);
	for (uint32_t i = 0; i < c->link_count && c->node_count == LIMIT_NODES; i++) {
		struct path *path = add_path(x, c->links[i].name, c->links[i].interface);

		if (!path)
			continue;
		path->is_link = true;
		path->local = c->links[i].address[self];
		path->remote = c->links[i].address[1 - self];
		port_voice(path->port, path->local.family)->wanted = true;
	}
}

static void
configure_pair(struct elector *x)
{
	const struct config *c = &x->config;
	const struct ip_addr *self = &c->nodes[x->child->node].address;
	int64_t interval_ns = c->interval_ms * NS_PER_MS;
	uint32_t tags[PAIR_PATHS];

	if (x->pair.boot == 0) {
		uint64_t boot = 0;

		while (boot == 0)
			if (getrandom(&boot, sizeof(boot), 0) != sizeof(boot))
				boot = 0;
		pair_init(&x->pair, boot, self, interval_ns, mono_now());
	}
	for (size_t i = 0; i < x->path_count; i++)
		tags[i] = trailer_tag(x->paths[i].name);
	pair_configure(&x->pair, self, interval_ns, config_digest(c), tags,
		(unsigned)x->path_count);
	for (size_t i = 0; i < x->path_count; i++)
		pair_set_carrier(&x->pair, (unsigned)i, x->paths[i].port->link.carrier);
}

bool
pair_set_up(struct elector *x)
{
	struct auth_ring *ring = NULL;

	if (x->config.key_count > 0 && !(ring = make_ring(&x->config)))
		return false;
	auth_ring_free(x->ring);
	x->ring = ring;
	make_paths(x);
	configure_pair(x);
	return true;
}

void
pair_port_changed(struct elector *x, const struct port *p)
{
	for (size_t i = 0; i < x->path_count; i++)
		if (x->paths[i].port == p)
			pair_set_carrier(&x->pair, (unsigned)i, p->link.up && p->link.carrier);
}

void
pair_close(struct elector *x)
{
	ev_timer_stop(x->loop, &x->pair_timer);
	auth_ring_free(x->ring);
	x->ring = NULL;
}

/* --- what is told --- */

static const char *
peer_name(const struct elector *x)
{
	return x->config.nodes[1 - x->child->node].name;
}

static void
tell_peer(struct elector *x, enum log_level level, const char *state, enum reason why)
{
	struct log_line line;

	log_line_begin(&line, "peer");
	log_line_text(&line, "peer", peer_name(x));
	log_line_text(&line, "state", state);
	log_line_reason(&line, why);
	log_line_text(&line, "detail", reason_sentence(why));
	log_emit(&x->child->log, level, &line);
}

static void
tell_path(struct elector *x, enum log_level level, const struct path *path, const char *state,
	enum reason why)
{
	struct log_line line;

	log_line_begin(&line, "link");
	log_line_text(&line, "path", path->name);
	log_line_text(&line, "state", state);
	log_line_reason(&line, why);
	log_line_text(&line, "peer", peer_name(x));
	log_emit(&x->child->log, level, &line);
}

/* The same file on both nodes? A difference is no reason to do anything but to say so. */
static void
tell_digest(struct elector *x)
{
	bool differs = x->pair.peer_digest != x->pair.digest;
	struct log_line line;

	if (differs == x->digest_told)
		return;
	x->digest_told = differs;
	log_line_begin(&line, "config");
	log_line_reason(&line, differs ? REASON_DIGEST_DIFFERS : REASON_DIGEST_EQUAL);
	log_line_text(&line, "peer", peer_name(x));
	log_emit(&x->child->log, differs ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, &line);
}

/* Neighbours on that interface may have heard somebody else meanwhile, or not us. */
static void
path_healed_on(struct elector *x, mono now, const struct port *p)
{
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];

		if (r->port != p)
			continue;
		el_path_healed(&r->election, now);
		router_arm(r);
	}
}

static void
take_news(struct elector *x, mono now, const struct pair_news *news)
{
	if (news->returned)
		tell_peer(x, LOG_LEVEL_NOTICE, "up", REASON_PEER_RETURNED);
	if (news->lost)
		tell_peer(x, LOG_LEVEL_WARNING, "lost", REASON_PEER_LOST);
	for (size_t i = 0; i < x->path_count; i++) {
		struct path *path = &x->paths[i];

		if (news->healed & 1u << i)
			tell_path(x, LOG_LEVEL_NOTICE, path, "up", REASON_PATH_HEALED);
		if (((news->healed | news->reached) & 1u << i) && !path->is_link)
			path_healed_on(x, now, path->port);
		if (news->quieted & 1u << i)
			tell_path(x, LOG_LEVEL_WARNING, path, "quiet", REASON_PATH_QUIET);
	}
	if (news->digest_changed)
		tell_digest(x);
}

/* --- judging --- */

int
path_of(const struct elector *x, const struct port *p, const struct vrrp_envelope *envelope)
{
	int service = -1;

	for (size_t i = 0; i < x->path_count; i++) {
		const struct path *path = &x->paths[i];

		if (path->port != p)
			continue;
		if (!path->is_link)
			service = (int)i;
		else if (ip_addr_equal(&envelope->destination, &path->local) &&
			ip_addr_equal(&envelope->source, &path->remote))
			return (int)i;
	}
	return service;
}

static bool
mac_is_right(struct elector *x, const uint8_t *message, size_t length, uint8_t key_id)
{
	uint8_t copy[VRRP_MAX + TRAILER_MAX];

	if (length > sizeof(copy) || length < VRRP_HEADER + TRAILER_MAC)
		return false;
	memcpy(copy, message, length);
	memset(copy + VRRP_CHECKSUM_AT, 0, 2);
	return auth_verify(x->ring, key_id, copy, length - TRAILER_MAC,
		message + length - TRAILER_MAC);
}

/* It waits for our echo. */
static void
answer(struct elector *x, mono now, uint32_t router_tag)
{
	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct el_acts acts = {.count = 0};

		if (r->leaving || r->tag != router_tag)
			continue;
		el_speak(&r->election, now, &acts);
		router_perform(r, now, &acts);
	}
}

enum reason
pair_judge(struct elector *x, mono now, int path, const uint8_t *message, size_t length,
	const struct trailer *t, int64_t interval_ns)
{
	struct pair_news news;
	enum reason why;

	if (path < 0)
		return REASON_BAD_DESTINATION;
	if (!auth_has_key(x->ring, t->key_id))
		return REASON_BAD_KEY;
	why = pair_screen(&x->pair, (unsigned)path, t);
	if (why != REASON_NONE)
		return why;
	if (!pair_may_verify(&x->pair, now, (unsigned)path, t))
		return REASON_NOT_BELIEVED;
	if (!mac_is_right(x, message, length, t->key_id))
		return REASON_BAD_MAC;
	why = pair_accept(&x->pair, now, (unsigned)path, t, interval_ns, &news);
	take_news(x, now, &news);
	if (news.answer)
		answer(x, now, t->router_tag);
	return why;
}

/* --- time --- */

/* A path that only one of the two hears: named, and nothing else. */
static void
look_for_one_way_paths(struct elector *x, mono now)
{
	for (size_t i = 0; i < x->path_count; i++) {
		const struct pair_path *at = &x->pair.paths[i];
		struct path *path = &x->paths[i];
		bool in = !mono_is_never(at->heard) && !at->quiet;
		bool out = pair_path_heard_by_peer(&x->pair, now, (unsigned)i);
		bool one_way = x->pair.alive && in != out &&
			mono_diff_ns(now, x->pair.peer_rotated) >= 0 && !mono_is_never(at->peer_said);

		if (one_way && !path->one_way_told && path->one_way_seen)
			tell_path(x, LOG_LEVEL_WARNING, path, in ? "in-only" : "out-only",
				REASON_PATH_ONE_WAY);
		path->one_way_told = one_way && path->one_way_seen;
		path->one_way_seen = one_way;
	}
}

void
pair_second(struct elector *x, mono now)
{
	if (elector_is_keyed(x))
		look_for_one_way_paths(x, now);
}

static void
arm(struct elector *x)
{
	mono deadline = pair_deadline(&x->pair);
	double after;

	ev_timer_stop(x->loop, &x->pair_timer);
	if (!elector_is_keyed(x))
		return;
	ev_now_update(x->loop);
	/* never: look again in a while, a path may have begun to be heard */
	after = mono_is_never(deadline) ? (double)x->config.interval_ms / 1e3
		: (double)mono_diff_ns(deadline, mono_now()) / NS_PER_S + timer_pad_s;
	ev_timer_set(&x->pair_timer, after > 0. ? after : 0., 0.);
	ev_timer_start(x->loop, &x->pair_timer);
}

static void
on_pair_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct elector *x = w->data;
	struct pair_news news;
	mono now;

	(void)loop;
	(void)events;
	ports_drain(x);
	now = mono_now();
	pair_tick(&x->pair, now, &news);
	take_news(x, now, &news);
	arm(x);
}

void
pair_start_timer(struct elector *x)
{
	if (!x->pair_timer.data) {
		ev_timer_init(&x->pair_timer, on_pair_timer, 0., 0.);
		x->pair_timer.data = x;
	}
	arm(x);
}
