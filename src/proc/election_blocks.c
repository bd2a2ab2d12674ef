/*
 * Blocks of a router: whole prefixes that come and go with its addresses.
 *
 * They are set and removed with the addresses, by the hands (election_perform.c). Here is the rest:
 * which address carries them, who tells the neighbours, and what happens when somebody else takes a
 * block's route away.
 *
 * The neighbours are told by the announcer thread, an address at a time. A router whose blocks are
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

/* Rows for the blocks that are announced, and how many addresses they have. */
static uint64_t
fill_rows(const struct router *r, struct announcer_round *round)
{
	uint64_t addresses = 0;

	round->count = 0;
	for (uint32_t i = 0; i < r->conf.block_count; i++) {
		const struct conf_block *b = &r->blocks[i];
		const struct port *p = port_find(r->elector, b->interface);
		struct announcer_row *row = &round->rows[round->count];

		if (!p || p->link.ifindex == 0 || announcer_addresses(&b->prefix) == 0)
			continue;
		row->prefix = b->prefix;
		row->ifindex = p->link.ifindex;
		memcpy(row->mac, p->link.mac, sizeof(row->mac));
		round->count++;
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
	return r->round ? 0 : walk_ns; /* what is under way says the same */
}

void
blocks_announce(struct router *r)
{
	struct announcer_round *round;
	mono now = mono_now();
	uint64_t addresses;

	if (r->conf.block_count == 0 || !r->election.claimed)
		return;
	round = announcer_round_new(r->conf.block_count);
	if (!round)
		return;
	addresses = fill_rows(r, round);
	round->every_ns = addresses == 0 ? 0 : pace_of(r, now, addresses);
	if (round->every_ns == 0) {
		free(round);
		return;
	}
	if (r->round)
		announcer_cancel(r->round);
	round->router = r->id;
	atomic_store(&round->until_ns, r->election.lease_deadline.ns);
	if (announcer_submit(r->elector->announcer, round))
		r->round = round;
	else
		free(round); /* another copy follows */
}

void
blocks_hush(struct router *r)
{
	r->round_hurried = MONO_NEVER; /* the next takeover is in a hurry again */
	if (r->round)
		announcer_cancel(r->round);
	r->round = NULL; /* freed when it comes back */
}

void
blocks_lease_changed(struct router *r)
{
	if (r->round && r->election.claimed)
		atomic_store(&r->round->until_ns, r->election.lease_deadline.ns);
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

void
blocks_take_rounds(struct elector *x)
{
	struct announcer_round *round;

	while ((round = announcer_next_done(x->announcer)) != NULL) {
		struct router *r = router_by_id(x, round->router);

		if (r && r->round == round) {
			r->round = NULL;
			if (round->whole && round->addresses > FEW)
				report_round(r, round);
			else if (!round->whole)
				report_text(x, LOG_LEVEL_WARNING, "announce", REASON_SYSTEM, "router",
					r->conf.name);
		}
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
