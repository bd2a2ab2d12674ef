/*
 * The table of tracked items in the election process: whose verdict counts for what, what a reload
 * keeps, and what the pool process is told. Rows are made by hand.
 */
#include "ipc/channel.h"
#include "proc/election_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 5 };

struct bed {
	struct elector x;
	struct child child;
	struct handover page;
	struct router web, spare;
	struct port port;
	struct conf_node nodes[2];
	struct conf_router routers[2];
	struct conf_track tracks[ROWS];
	struct conf_probe probes[2];
	int pool;
};

static void
row(struct bed *b, uint32_t i, enum conf_track_kind kind, const char *name, int weight)
{
	b->tracks[i] = (struct conf_track){.kind = (uint8_t)kind, .weight = (int16_t)weight,
		.interval_ms = 1000, .timeout_ms = 500, .rise = 1, .fall = 1};
	strcpy(b->tracks[i].name, name);
	if (kind == CONF_TRACK_SCRIPT)
		strcpy(b->tracks[i].script, "/etc/tandem/check");
}

static void
configure(struct bed *b)
{
	struct config *c = &b->x.config;

	row(b, 0, CONF_TRACK_SCRIPT, "disk", 0);
	row(b, 1, CONF_TRACK_PROBE, "nginx", 0);
	row(b, 2, CONF_TRACK_SCRIPT, "load", -60);
	row(b, 3, CONF_TRACK_PROBE, "extra", 20);
	row(b, 4, CONF_TRACK_SCRIPT, "disk", 0); /* the same name, of another router */
	b->tracks[1].probe = 1;
	b->probes[0] = (struct conf_probe){.type = CONF_PROBE_TCP, .rise = 1, .fall = 2};
	b->probes[1] = (struct conf_probe){.type = CONF_PROBE_HTTP, .rise = 1, .fall = 2};
	b->routers[0] = (struct conf_router){.name = "web", .priority = {150, 100},
		.track_count = 4};
	b->routers[1] = (struct conf_router){.name = "spare", .priority = {255, 100},
		.first_track = 4, .track_count = 1};
	c->nodes = b->nodes;
	c->node_count = 2;
	c->routers = b->routers;
	c->router_count = 2;
	c->tracks = b->tracks;
	c->track_count = ROWS;
	c->probes = b->probes;
	c->probe_count = 2;
	b->web.conf = b->routers[0];
	b->spare.conf = b->routers[1];
}

/* Roles are not the matter here: the elector is one that starts. */
static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int ends[2];

	if (!b || channel_pair(ends) == -1)
		return -1;
	b->x.child = &b->child;
	b->child.handover = &b->page;
	b->x.starting = true;
	b->x.generation = 7;
	b->x.pool_fd = ends[0];
	b->pool = ends[1];
	b->x.routers[b->x.router_count++] = &b->web;
	b->x.routers[b->x.router_count++] = &b->spare;
	b->web.elector = b->spare.elector = &b->x;
	b->web.port = b->spare.port = &b->port;
	b->port.elector = &b->x;
	configure(b);
	track_configure(&b->x, &(struct config){0});
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	struct bed *b = *state;

	close(b->x.pool_fd);
	close(b->pool);
	free(b->x.tracked);
	free(b);
	return 0;
}

static struct ipc_track
fact(enum conf_track_kind kind, const char *name, bool up)
{
	struct ipc_track f = {.generation = 7, .router = "web", .kind = (uint8_t)kind, .up = up,
		.reason = up ? REASON_PROBE_OK : REASON_SCRIPT_FAILED};

	strcpy(f.name, name);
	return f;
}

static void
take(struct bed *b, enum conf_track_kind kind, const char *name, bool up)
{
	struct ipc_track f = fact(kind, name, up);

	track_take(&b->x, &f);
}

static enum reason
judge(const struct router *r, int delta_wanted)
{
	int delta = 1000;
	enum reason why = track_judge(r, &delta);

	assert_int_equal(delta, delta_wanted);
	return why;
}

static void
no_verdict_counts_as_well(void **state)
{
	struct bed *b = *state;

	assert_int_equal(judge(&b->web, 20), REASON_NONE);
	assert_int_equal(judge(&b->spare, 0), REASON_NONE);
}

static void
the_first_lost_needed_item_is_the_reason(void **state)
{
	struct bed *b = *state;

	take(b, CONF_TRACK_PROBE, "nginx", false);
	assert_int_equal(judge(&b->web, 20), REASON_PROBE_FAILED);
	take(b, CONF_TRACK_SCRIPT, "disk", false);
	assert_int_equal(judge(&b->web, 20), REASON_SCRIPT_FAILED);
	assert_int_equal(judge(&b->spare, 0), REASON_NONE);
	take(b, CONF_TRACK_SCRIPT, "disk", true);
	assert_int_equal(judge(&b->web, 20), REASON_PROBE_FAILED);
	take(b, CONF_TRACK_PROBE, "nginx", true);
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

static void
weights_move_the_priority_and_impair_nobody(void **state)
{
	struct bed *b = *state;

	take(b, CONF_TRACK_SCRIPT, "load", false);
	assert_int_equal(judge(&b->web, -40), REASON_NONE);
	take(b, CONF_TRACK_PROBE, "extra", false);
	assert_int_equal(judge(&b->web, -60), REASON_NONE);
	b->tracks[2].weight = -253;
	assert_int_equal(judge(&b->web, -149), REASON_NONE);
	b->web.conf.priority[0] = 255;
	assert_int_equal(judge(&b->web, 0), REASON_NONE);
}

static void
a_gateway_comes_by_the_same_door(void **state)
{
	struct bed *b = *state;

	row(b, 1, CONF_TRACK_GATEWAY, "10.77.0.1", 0);
	track_gateway(&b->x, "web", "10.77.0.1", false, "eth0 has no carrier");
	assert_int_equal(judge(&b->web, 20), REASON_GATEWAY_LOST);
	track_gateway(&b->x, "web", "10.77.0.1", true, "");
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

static void
what_is_not_ours_is_dropped(void **state)
{
	struct bed *b = *state;
	struct ipc_track f = fact(CONF_TRACK_SCRIPT, "disk", false);

	f.generation = 6; /* of the configuration before */
	track_take(&b->x, &f);
	f = fact(CONF_TRACK_PROBE, "disk", false); /* there is only a script of that name */
	track_take(&b->x, &f);
	f = fact(CONF_TRACK_SCRIPT, "disk", false);
	f.kind = 9;
	track_take(&b->x, &f);
	f = fact(CONF_TRACK_SCRIPT, "disk", false);
	f.reason = REASON_COUNT;
	track_take(&b->x, &f);
	f = fact(CONF_TRACK_SCRIPT, "disk", false);
	strcpy(f.router, "gone");
	track_take(&b->x, &f);
	f = fact(CONF_TRACK_SCRIPT, "disk", false);
	memset(f.name, 'x', sizeof(f.name)); /* no end */
	track_take(&b->x, &f);
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

/* The rows of another file: shuffled, with another weight, another script, another probe. */
static void
a_reload_keeps_what_is_asked_in_the_same_way(void **state)
{
	struct bed *b = *state;
	struct conf_track after[ROWS];
	struct conf_router routers[2];
	struct conf_probe probes[2] = {b->probes[1], b->probes[0]};
	struct config before = b->x.config;

	take(b, CONF_TRACK_SCRIPT, "disk", false);
	take(b, CONF_TRACK_PROBE, "nginx", false);
	take(b, CONF_TRACK_SCRIPT, "load", false);
	memcpy(after, b->tracks, sizeof(after));
	memcpy(routers, b->routers, sizeof(routers));
	after[0] = b->tracks[2];
	after[2] = b->tracks[0];
	after[0].weight = -10;
	after[1].probe = 0; /* moved */
	after[3].probe = 1;
	b->x.config.tracks = after;
	b->x.config.routers = routers;
	b->x.config.probes = probes;
	track_configure(&b->x, &before);
	assert_int_equal(judge(&b->web, 10), REASON_PROBE_FAILED);

	/* Now the probe asks for another page and the script is another one: nothing is known. */
	before = b->x.config;
	b->x.config.tracks = b->tracks;
	b->tracks[0] = after[0];
	b->tracks[2] = after[2];
	strcpy(b->tracks[2].script, "/etc/tandem/other");
	b->x.config.probes = b->probes;
	b->probes[1].fall = 3;
	track_configure(&b->x, &before);
	assert_int_equal(judge(&b->web, 10), REASON_NONE);
	take(b, CONF_TRACK_SCRIPT, "load", true);
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

/* Facts about tracks that the pool process has got since the last look; the last one in *out. */
static int
told(struct bed *b, struct ipc_track_state *out)
{
	const struct ipc_track_state *state;
	struct channel_message m;
	int n = 0;

	while (channel_receive(b->pool, &m) == 1)
		if (m.kind == IPC_TRACK_STATE) {
			state = channel_payload(&m, sizeof(*state));
			assert_non_null(state);
			*out = *state;
			n++;
		}
	return n;
}

/* The election process died: its successor begins with what was known, of the same rows only. */
static void
a_successor_goes_on(void **state)
{
	struct bed *b = *state;
	struct ipc_track_state got;

	take(b, CONF_TRACK_PROBE, "nginx", false);
	take(b, CONF_TRACK_SCRIPT, "load", true);
	for (int i = 0; i < 3; i++) { /* also the successor's successor */
		free(b->x.tracked);
		b->x.tracked = NULL;
		track_configure(&b->x, &(struct config){0});
		assert_int_equal(judge(&b->web, 20), REASON_PROBE_FAILED);
	}
	track_report(&b->x);
	assert_int_equal(told(b, &got), ROWS + 2);
	assert_false(got.known);
	free(b->x.tracked);
	b->x.tracked = NULL;
	b->x.generation = 8; /* a reload that it did not live to see */
	track_configure(&b->x, &(struct config){0});
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

static void
one_that_leaves_reads_no_rows(void **state)
{
	struct bed *b = *state;

	take(b, CONF_TRACK_SCRIPT, "disk", false);
	b->web.leaving = true;
	assert_int_equal(judge(&b->web, 0), REASON_NONE);
	b->web.leaving = false;
	b->web.conf.first_track = 3; /* not yet given its new row */
	assert_int_equal(judge(&b->web, 20), REASON_NONE);
}

static void
the_pool_is_told_of_changes_and_once(void **state)
{
	struct bed *b = *state;
	struct ipc_track f = fact(CONF_TRACK_SCRIPT, "load", false);
	struct ipc_track_state got;

	track_report(&b->x);
	assert_int_equal(told(b, &got), ROWS);
	assert_false(got.known);
	assert_string_equal(got.track.router, "spare");
	track_report(&b->x);
	assert_int_equal(told(b, &got), 0);
	strcpy(f.detail, "exit 1");
	track_take(&b->x, &f);
	assert_int_equal(told(b, &got), 1); /* at once */
	assert_true(got.known);
	assert_false(got.track.up);
	assert_string_equal(got.track.name, "load");
	assert_string_equal(got.track.detail, "exit 1");
	assert_int_equal(got.track.kind, CONF_TRACK_SCRIPT);
	assert_int_equal(got.track.reason, REASON_SCRIPT_FAILED);
	track_take(&b->x, &f); /* said again: nothing new */
	track_report(&b->x);
	assert_int_equal(told(b, &got), 0);
	strcpy(f.detail, "exit 2");
	track_take(&b->x, &f); /* no other verdict: with the next second */
	track_report(&b->x);
	assert_int_equal(told(b, &got), 1);
	assert_string_equal(got.track.detail, "exit 2");
	track_untell(&b->x);
	track_report(&b->x);
	assert_int_equal(told(b, &got), ROWS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_verdict_counts_as_well, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(the_first_lost_needed_item_is_the_reason, bed_up,
			bed_down),
		cmocka_unit_test_setup_teardown(weights_move_the_priority_and_impair_nobody,
			bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_gateway_comes_by_the_same_door, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_dropped, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_reload_keeps_what_is_asked_in_the_same_way,
			bed_up, bed_down),
		cmocka_unit_test_setup_teardown(a_successor_goes_on, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(one_that_leaves_reads_no_rows, bed_up, bed_down),
		cmocka_unit_test_setup_teardown(the_pool_is_told_of_changes_and_once, bed_up,
			bed_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
