/*
 * Tracked probes in the pool process: asked in every role, told to the election, kept over a reload
 * and over the death of the pool process. Prober and election are the other ends of channels.
 */
#include "ipc/channel.h"
#include "proc/pool_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { REALS = 2, TRACKS = 3 };

/* What a configuration is made of; a bed has two, for reloads. */
struct file {
	struct conf_router routers[2];
	struct conf_virtual virtuals[1];
	struct conf_real reals[REALS + 1];
	struct conf_probe probes[2];
	struct conf_track tracks[TRACKS];
};

struct bed {
	struct pool pool;
	struct child child;
	struct file file[2];
	struct pool_router facts[2];
	int prober, election;      /* their ends */
	struct ipc_probe_set set;  /* last messages, and how many there were */
	struct ipc_track told;
	unsigned sets, clears, tells;
	uint32_t targets[8];       /* as set */
};

/* Two real servers of a cold router, a tracked probe for each of two routers, and a script. */
static void
fill(struct file *f)
{
	f->routers[0] = (struct conf_router){.name = "web", .standby = CONF_STANDBY_COLD,
		.track_count = 2};
	f->routers[1] = (struct conf_router){.name = "mail", .first_track = 2, .track_count = 1};
	f->probes[0] = (struct conf_probe){.type = CONF_PROBE_TCP, .rise = 2, .fall = 3,
		.interval_ms = 1000, .timeout_ms = 500};
	f->probes[1] = f->probes[0];
	f->probes[1].port = 8080;
	f->virtuals[0] = (struct conf_virtual){.name = "http", .real_count = REALS};
	for (int i = 0; i < REALS + 1; i++) {
		f->reals[i] = (struct conf_real){.probe = 0};
		endpoint_parse("10.88.0.21:80", &f->reals[i].address);
		f->reals[i].address.port = (uint16_t)(80 + i);
	}
	f->tracks[0] = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = "disk"};
	f->tracks[1] = (struct conf_track){.kind = CONF_TRACK_PROBE, .name = "nginx", .probe = 1};
	endpoint_parse("127.0.0.1:80", &f->tracks[1].target);
	f->tracks[2] = (struct conf_track){.kind = CONF_TRACK_PROBE, .name = "smtp"};
	endpoint_parse("127.0.0.1:25", &f->tracks[2].target);
}

static struct config
config_of(struct file *f)
{
	return (struct config){.routers = f->routers, .router_count = 2, .virtuals = f->virtuals,
		.virtual_count = 1, .reals = f->reals, .real_count = REALS, .probes = f->probes,
		.probe_count = 2, .tracks = f->tracks, .track_count = TRACKS};
}

static void
configure(struct bed *b, struct file *f)
{
	struct config before = b->pool.config;

	b->pool.config = config_of(f);
	b->pool.config.real_count = f->virtuals[0].real_count;
	b->pool.generation++;
	assert_int_equal(targets_configure(&b->pool, &before), 0);
	assert_true(tracks_configure(&b->pool, &before));
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int prober[2], election[2];

	if (!b || channel_pair(prober) == -1 || channel_pair(election) == -1)
		return -1;
	b->pool.child = &b->child;
	b->pool.incoming = incoming_init(&b->child.log, PROCESS_POOL);
	b->pool.loop = ev_loop_new(EVFLAG_AUTO);
	b->pool.routers = b->facts;
	b->pool.local_limit = (struct log_limit){.every_ns = NS_PER_S, .burst = 1};
	for (uint32_t i = 0; i < LIMIT_PROBERS; i++)
		b->pool.probers[i].fd = -1;
	b->pool.election_fd = election[0];
	b->election = election[1];
	b->prober = prober[1];
	ev_timer_init(&b->pool.flush_timer, targets_flush_timer, 0., 0.);
	b->pool.flush_timer.data = &b->pool;
	fill(&b->file[0]);
	fill(&b->file[1]);
	configure(b, &b->file[0]);
	targets_prober_up(&b->pool, 0, prober[0]);
	*state = b;
	return 0;
}

static int
bed_down(void **state)
{
	struct bed *b = *state;

	ev_loop_destroy(b->pool.loop);
	close(b->pool.probers[0].fd);
	close(b->pool.election_fd);
	close(b->prober);
	close(b->election);
	free(b->pool.targets);
	free(b->pool.tracks);
	free(b->pool.slot_rows);
	free(b);
	return 0;
}

/* Everything that prober and election have got since the last look. */
static void
look(struct bed *b)
{
	struct channel_message m;

	b->sets = b->clears = b->tells = 0;
	while (channel_receive(b->prober, &m) == 1) {
		b->clears += m.kind == IPC_PROBE_CLEAR;
		if (m.fd != -1)
			close(m.fd);
		if (m.kind != IPC_PROBE_SET)
			continue;
		memcpy(&b->set, channel_payload(&m, sizeof(b->set)), sizeof(b->set));
		assert_true(b->sets < 8);
		b->targets[b->sets++] = b->set.target;
	}
	while (channel_receive(b->election, &m) == 1) {
		assert_int_equal(m.kind, IPC_TRACK);
		memcpy(&b->told, channel_payload(&m, sizeof(b->told)), sizeof(b->told));
		b->tells++;
	}
}

static void
answer(struct bed *b, const struct ipc_probe_set *set, bool up, enum reason reason, int detail)
{
	struct ipc_probe_results r = {.count = 1, .results[0] = {.target = set->target,
		.generation = set->generation, .up = up, .ok = up, .reason = reason,
		.detail = detail, .at_ns = mono_now().ns, .connect_ns = -1, .answer_ns = -1}};

	assert_int_equal(channel_send(b->prober, IPC_PROBE_RESULTS, &r, ipc_results_size(1), -1), 0);
	ev_run(b->pool.loop, EVRUN_NOWAIT);
}

/* What was set for the tracked probe of that port. */
static struct ipc_probe_set
set_of(struct bed *b, uint16_t port)
{
	struct channel_message m;

	while (channel_receive(b->prober, &m) == 1) {
		if (m.fd != -1)
			close(m.fd);
		if (m.kind != IPC_PROBE_SET)
			continue;
		memcpy(&b->set, channel_payload(&m, sizeof(b->set)), sizeof(b->set));
		if (b->set.address.port == port)
			return b->set;
	}
	fail_msg("no probe of port %u was set", port);
	return b->set;
}

static void
a_cold_standby_asks_for_itself(void **state)
{
	struct bed *b = *state;

	look(b);
	assert_int_equal(b->sets, 2); /* neither the real servers nor the script */
	assert_true(b->set.urgent);
	assert_int_equal(b->set.seed, PROBE_SEED_UNKNOWN);
	assert_int_equal(b->set.address.port, 25);
	b->facts[0] = (struct pool_router){.known = true, .facts = {.role = EL_ACTIVE}};
	targets_refresh(&b->pool);
	look(b);
	assert_int_equal(b->sets, REALS);
	b->facts[0].facts.role = EL_BACKUP;
	targets_refresh(&b->pool);
	look(b);
	assert_int_equal(b->clears, REALS); /* and what is tracked goes on */
	assert_true(b->pool.targets[REALS + 1].probed);
}

static void
verdicts_go_to_the_election(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_set set = set_of(b, 8080);

	answer(b, &set, false, REASON_TCP_REFUSED, 111);
	look(b);
	assert_int_equal(b->tells, 1);
	assert_int_equal(b->told.generation, 1);
	assert_string_equal(b->told.router, "web");
	assert_string_equal(b->told.name, "nginx");
	assert_int_equal(b->told.kind, CONF_TRACK_PROBE);
	assert_false(b->told.up);
	assert_int_equal(b->told.reason, REASON_TCP_REFUSED);
	assert_string_equal(b->told.detail, "111");
	answer(b, &set, false, REASON_TCP_TIMEOUT, 0);
	look(b);
	assert_int_equal(b->tells, 0);
	tracks_second(&b->pool);
	look(b);
	assert_int_equal(b->tells, 1); /* of smtp nothing is known */
	assert_int_equal(b->told.reason, REASON_TCP_TIMEOUT);
	answer(b, &set, true, REASON_PROBE_OK, 0);
	look(b);
	assert_int_equal(b->tells, 1);
	assert_true(b->told.up);
}

static void
an_old_answer_says_nothing(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_set set = set_of(b, 8080);

	set.generation += 7;
	answer(b, &set, false, REASON_TCP_REFUSED, 111);
	set.generation -= 7;
	set.target = 4000;
	answer(b, &set, false, REASON_TCP_REFUSED, 111);
	look(b);
	assert_int_equal(b->tells, 0);
}

/* A fault of this node is nobody's first verdict. */
static void
a_local_error_is_no_verdict(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_set set = set_of(b, 8080);

	answer(b, &set, false, REASON_LOCAL_ERROR, 24);
	tracks_second(&b->pool);
	look(b);
	assert_int_equal(b->tells, 0);
}

static void
a_reload_keeps_what_it_does_not_touch(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_set nginx = set_of(b, 8080), smtp = set_of(b, 25), again;

	answer(b, &nginx, false, REASON_TCP_REFUSED, 111);
	look(b);
	b->file[1].virtuals[0].real_count = REALS + 1; /* rows move */
	b->file[1].tracks[1].weight = -60;
	configure(b, &b->file[1]);
	look(b);
	assert_int_equal(b->sets + b->clears, 0);
	assert_int_equal(b->tells, 1); /* said again, for the new configuration */
	assert_int_equal(b->told.generation, 2);
	answer(b, &nginx, true, REASON_PROBE_OK, 0); /* the prober does not even notice */
	look(b);
	assert_true(b->told.up);
	answer(b, &smtp, false, REASON_TCP_REFUSED, 111);
	look(b);
	assert_string_equal(b->told.name, "smtp");

	b->file[0].probes[1].port = 8081; /* and now another question */
	configure(b, &b->file[0]);
	again = set_of(b, 8081);
	assert_int_equal(again.seed, PROBE_SEED_UNKNOWN);
	look(b);
	assert_string_equal(b->told.name, "smtp"); /* of nginx nothing is known any more */
	answer(b, &nginx, false, REASON_TCP_REFUSED, 111);
	look(b);
	assert_int_equal(b->tells, 0);
}

static struct ipc_track_state
state_of(bool known, bool up)
{
	return (struct ipc_track_state){.known = known, .track = {.generation = 1, .router = "web",
		.name = "nginx", .kind = CONF_TRACK_PROBE, .up = up, .reason = REASON_TCP_REFUSED}};
}

/* A new pool process: the election tells what counts, and the probers go on with that. */
static void
a_successor_goes_on(void **state)
{
	struct bed *b = *state;
	struct ipc_track_state down = state_of(true, false), none = state_of(false, true);
	struct ipc_probe_set set;

	look(b);
	tracks_take_state(&b->pool, &none);
	look(b);
	assert_int_equal(b->sets, 0);
	down.track.generation = 9;
	tracks_take_state(&b->pool, &down);
	look(b);
	assert_int_equal(b->sets, 0);
	down.track.generation = 1;
	tracks_take_state(&b->pool, &down);
	set = set_of(b, 8080);
	assert_int_equal(set.seed, PROBE_SEED_DOWN);
	tracks_second(&b->pool);
	look(b);
	assert_int_equal(b->tells, 0); /* what it was told is no result of its own */
	answer(b, &set, true, REASON_PROBE_OK, 0);
	tracks_take_state(&b->pool, &down); /* crossed: our own result is newer */
	look(b);
	assert_int_equal(b->sets, 0);
	assert_true(b->told.up);
}

static void
many_reloads_need_no_more_room(void **state)
{
	struct bed *b = *state;
	uint32_t room = 2 * (REALS + TRACKS + 1); /* and the place of a sorry server */

	for (int i = 1; i <= 50; i++)
		configure(b, &b->file[i % 2]);
	assert_in_range(b->pool.slot_count, REALS + TRACKS, room);
	look(b);
	for (int i = 1; i <= 50; i++) { /* everything is another target each time */
		b->file[i % 2].probes[0].timeout_ms = 100 + (uint32_t)i;
		b->file[i % 2].probes[1].timeout_ms = 100 + (uint32_t)i;
		configure(b, &b->file[i % 2]);
		look(b);
		assert_int_equal(b->sets, 2);
		assert_int_not_equal(b->targets[0], b->targets[1]);
	}
	assert_in_range(b->pool.slot_count, REALS + TRACKS, room);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_up, bed_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_cold_standby_asks_for_itself),
		CASE(verdicts_go_to_the_election),
		CASE(an_old_answer_says_nothing),
		CASE(a_local_error_is_no_verdict),
		CASE(a_reload_keeps_what_it_does_not_touch),
		CASE(a_successor_goes_on),
		CASE(many_reloads_need_no_more_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
