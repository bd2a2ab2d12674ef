/*
 * Blocks of a router: whole prefixes that come and go with its addresses.
 *
 * They are set and removed with the addresses, by the hands (election_perform.c). Here is the rest:
 * which address carries them, who tells the neighbours, and what happens when somebody else takes a
 * block's route away.
 *
 * The neighbours are told by the announcer thread, an address at a time; so they are of a router's
 * many single addresses. A router whose blocks are
 * small together (FEW addresses) repeats that with the whole series of its addresses. Of larger
 * ones the first copy goes out as fast as pace_ns allows, and the last of the series and the refresh
 * of every minute at a walk: six copies in five seconds would only fill the wire and everybody's
 * ears. For the same reason a router that has to say it again and again (a rival) hurries once in
 * hurry_again_ns.
 */
#include "proc/election_process.h"

#include "linux/block_routes.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 256 };
static const int64_t pace_ns = 3 * NS_PER_US;   /* an address: 65,536 in 0.2 s */
static const int64_t walk_ns = 40 * NS_PER_US;  /* 65,536 in 2.6 s */
static const int64_t hurry_again_ns = 10 * NS_PER_S;
static const int64_t takeover_ns = 100 * NS_PER_MS; /* a round that begins so soon is part of it */

struct ip_addr
router_anchor(const struct router *r)
{
	for (uint32_t i = 0; i < r->conf.address_count; i++) {
		const struct conf_address *a = &r->addresses[i];

		if (a->prefix.addr.family == IP_V4 && !ip_addr_is_link_local(&a->prefix.addr) &&
			strcmp(a->interface, r->conf.interface) == 0)
			return a->prefix.addr;
	}
	return (struct ip_addr){.family = IP_NONE};
}

/* --- announcements --- */

static void
add_row(const struct router *r, struct announcer_round *round, const struct ip_prefix *prefix,
	const char *interface)
{
	const struct port *p = port_find(r->elector, interface);
	struct announcer_row *row = &round->rows[round->count];

	if (!p || p->link.ifindex == 0)
		return;
	row->prefix = *prefix;
	row->ifindex = p->link.ifindex;
	memcpy(row->mac, p->link.mac, sizeof(row->mac));
	round->count++;
}

/* Rows for the blocks that are announced; how many addresses they have. */
static uint64_t
add_blocks(const struct router *r, struct announcer_round *round)
{
	uint64_t addresses = 0;

	for (uint32_t i = 0; i < r->conf.block_count; i++) {
		const struct conf_block *b = &r->blocks[i];

		if (announcer_addresses(&b->prefix) == 0)
			continue;
		add_row(r, round, &b->prefix, b->interface);
		addresses += announcer_addresses(&b->prefix);
	}
	return addresses;
}

/* How far one address is from the next in this copy; 0: this copy is left out. */
static int64_t
pace_of(struct router *r, mono now, uint64_t addresses)
{
	enum announce_copy copy = (enum announce_copy)r->election.announce.copy;

	if (addresses <= FEW)
		return pace_ns;
	if (copy == ANNOUNCE_BETWEEN)
		return 0;
	if (copy == ANNOUNCE_FIRST && (mono_is_never(r->round_hurried) ||
			mono_diff_ns(now, r->round_hurried) >= hurry_again_ns)) {
		r->round_hurried = now;
		return pace_ns;
	}
	return r->rounds[ROUND_BLOCKS] ? 0 : walk_ns; /* what is under way says the same */
}

/* In place of one of the same kind that is still under way. Takes the round. */
static void
begin_round(struct router *r, enum router_round kind, struct announcer_round *round)
{
	if (round->count == 0 || round->every_ns == 0) {
		free(round);
		return;
	}
	if (r->rounds[kind])
		announcer_cancel(r->rounds[kind]);
	r->rounds[kind] = NULL;
	round->router = r->id;
	atomic_store(&round->until_ns, r->election.lease_deadline.ns);
	if (announcer_submit(r->elector->announcer, round))
		r->rounds[kind] = round;
	else
		free(round); /* another copy follows */
}

static void
announce_blocks(struct router *r)
{
	struct announcer_round *round;
	uint64_t addresses;

	if (r->conf.block_count == 0 || !(round = announcer_round_new(r->conf.block_count)))
		return;
	round->count = 0;
	addresses = add_blocks(r, round);
	if (addresses > 0)
		round->every_ns = pace_of(r, mono_now(), addresses);
	round->tell = addresses > FEW;
	begin_round(r, ROUND_BLOCKS, round);
}

void
rounds_begin(struct router *r, uint32_t after)
{
	struct announcer_round *round;
	uint32_t passed = 0;

	if (!r->election.claimed)
		return;
	announce_blocks(r);
	/* a copy that comes while the last one is under way is left out, but for a new beginning */
	if (r->conf.address_count <= after ||
		(r->rounds[ROUND_ADDRESSES] && r->election.announce.copy != ANNOUNCE_FIRST) ||
		!(round = announcer_round_new(r->conf.address_count)))
		return;
	round->count = 0;
	round->tell = !r->addresses_told;
	r->addresses_told = true;
	round->every_ns = pace_ns;
	for (uint32_t i = 0; i < r->conf.address_count; i++)
		if (r->addresses[i].prefix.addr.family == IP_V4 && ++passed > after) {
			struct ip_prefix one = {.addr = r->addresses[i].prefix.addr, .length = 32};

			add_row(r, round, &one, r->addresses[i].interface);
		}
	begin_round(r, ROUND_ADDRESSES, round);
}

void
rounds_end(struct router *r)
{
	r->round_hurried = MONO_NEVER; /* the next takeover is in a hurry again */
	r->addresses_told = false;
	for (size_t i = 0; i < ROUNDS; i++) {
		if (r->rounds[i])
			announcer_cancel(r->rounds[i]);
		r->rounds[i] = NULL; /* freed when it comes back */
	}
}

void
rounds_prolong(struct router *r)
{
	for (size_t i = 0; i < ROUNDS && r->election.claimed; i++)
		if (r->rounds[i])
			atomic_store(&r->rounds[i]->until_ns, r->election.lease_deadline.ns);
}

static void
report_round(struct router *r, const struct announcer_round *round)
{
	const struct el_phases *phases = &r->election.phases;
	bool takeover = round->every_ns == pace_ns && !mono_is_never(phases->claimed) &&
		!mono_is_never(phases->decided) &&
		mono_diff_ns(round->begun, phases->claimed) < takeover_ns;
	struct log_line line;

	log_line_begin(&line, "announce");
	log_line_text(&line, "router", r->conf.name);
	log_line_reason(&line, r->election.reason);
	log_line_int(&line, "addresses", round->addresses);
	log_line_ms(&line, "announce_ms", mono_diff_ns(round->requested, round->begun));
	if (takeover)
		log_line_ms(&line, "total_ms", mono_diff_ns(round->requested, phases->decided));
	log_emit(&r->elector->child->log, LOG_LEVEL_INFO, &line);
}

static void
round_over(struct router *r, enum router_round kind, const struct announcer_round *round)
{
	r->rounds[kind] = NULL;
	if (!round->whole)
		report_text(r->elector, LOG_LEVEL_WARNING, "announce", REASON_SYSTEM, "router",
			r->conf.name);
	else if (round->tell)
		report_round(r, round);
}

void
rounds_take(struct elector *x)
{
	struct announcer_round *round;

	while ((round = announcer_next_done(x->announcer)) != NULL) {
		struct router *r = router_by_id(x, round->router);

		for (size_t i = 0; r && i < ROUNDS; i++)
			if (r->rounds[i] == round)
				round_over(r, (enum router_round)i, round);
		free(round);
	}
}

void
blocks_mute(struct router *r)
{
	if (r->mute_told)
		return;
	r->mute_told = true;
	report_text(r->elector, LOG_LEVEL_WARNING, "address", REASON_BLOCK_MUTE, "router",
		r->conf.name);
}

/* --- routes --- */

static bool
has_block(const struct router *r, const struct block_route *route)
{
	for (uint32_t i = 0; i < r->conf.block_count; i++) {
		const struct port *p = port_find(r->elector, r->blocks[i].interface);

		if (p && p->link.ifindex == route->ifindex &&
			memcmp(&r->blocks[i].prefix, &route->prefix, sizeof(route->prefix)) == 0)
			return true;
	}
	return false;
}

/* As virtual_removed() of election_ports.c for addresses. */
static void
block_removed(struct elector *x, const struct block_route *route)
{
	mono now = mono_now();
	char text[ADDR_TEXT];

	for (size_t i = 0; i < x->router_count; i++) {
		struct router *r = x->routers[i];
		struct el_acts acts = {.count = 0};

		if (r->election.role != EL_ACTIVE || !has_block(r, route))
			continue;
		report_text(x, LOG_LEVEL_WARNING, "address", REASON_ADDRESS_REMOVED, "block",
			ip_prefix_format(&route->prefix, text));
		el_addresses_removed(&r->election, now, &acts);
		router_perform(r, now, &acts);
	}
}

void
blocks_drain(struct elector *x)
{
	enum { EVENTS_A_TURN = 64 };
	struct block_route route;

	for (int i = 0; i < EVENTS_A_TURN && block_watch_read(x->block_fd, &route); i++)
		if (route.port != hands_port(x->hands))
			block_removed(x, &route);
}

static void
judge_leftover(void *elector, const struct block_route *route)
{
	struct elector *x = elector;
	const struct port *p = port_by_index(x, route->ifindex);
	struct conf_block row = {.prefix = route->prefix};
	char text[ADDR_TEXT];
	bool held = false;

	if (!p)
		return; /* of an interface that is none of ours: of another daemon */
	for (size_t i = 0; i < x->router_count; i++)
		held = held || (x->routers[i]->election.role == EL_ACTIVE &&
			has_block(x->routers[i], route));
	memcpy(row.interface, p->name, sizeof(row.interface));
	report_text(x, held ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "address", REASON_LEFTOVER,
		held ? "adopted" : "removed", ip_prefix_format(&route->prefix, text));
	if (!held)
		elector_remove(x, NULL, 0, &row, 1);
}

void
blocks_judge_leftovers(struct elector *x)
{
	int error = block_routes_list(judge_leftover, x);

	if (error < 0) /* they stand on addresses, and those are judged as well */
		report_text(x, LOG_LEVEL_WARNING, "address", REASON_SYSTEM, "blocks",
			strerror(-error));
}
