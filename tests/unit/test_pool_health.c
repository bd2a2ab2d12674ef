/*
 * The health of real servers in the pool process: what a result does to the verdict, the log and
 * the prober. The prober is the other end of a channel; no ip_vs is needed, and none is there.
 */
#include "ipc/channel.h"
#include "proc/pool_process.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { REALS = 4, PROBES = 4, SLOTS = 16, TEXT = 8192 };

/* A hot router; "http" has two servers, "more" two of the same addresses. */
struct file {
	struct conf_node nodes[1];
	struct conf_router routers[1];
	struct conf_virtual virtuals[2];
	struct conf_real reals[REALS];
	struct conf_probe probes[PROBES];
};

struct bed {
	struct pool pool;
	struct child child;
	struct file file[2];
	struct pool_router facts[1];
	int prober, relay;         /* their ends */
	struct ipc_probe_set sets[SLOTS]; /* as set, by slot */
	bool set[SLOTS];
	unsigned told_sets, told_clears; /* since the last look() */
	char log[TEXT];            /* the same */
};

static void
fill(struct file *f)
{
	strcpy(f->nodes[0].name, "lb1");
	f->routers[0] = (struct conf_router){.name = "web", .standby = CONF_STANDBY_HOT};
	for (int i = 0; i < PROBES; i++)
		f->probes[i] = (struct conf_probe){.type = CONF_PROBE_TCP, .rise = 2, .fall = 3,
			.interval_ms = 1000, .timeout_ms = 500, .flap_falls = 3,
			.flap_window_s = 60, .flap_hold_s = 5, .flap_hold_max_s = 60};
	f->probes[1].fall = 4;
	f->virtuals[0] = (struct conf_virtual){.name = "http", .real_count = 2};
	f->virtuals[1] = (struct conf_virtual){.name = "more", .first_real = 2, .real_count = 2,
		.probe = 1};
	for (uint32_t i = 0; i < REALS; i++) {
		f->reals[i] = (struct conf_real){.probe = i / 2, .weight = 1};
		endpoint_parse(i % 2 == 0 ? "10.88.0.21:80" : "10.88.0.22:80",
			&f->reals[i].address);
		snprintf(f->reals[i].name, sizeof(f->reals[i].name), "web%u", i + 1);
	}
}

static void
configure(struct bed *b, struct file *f)
{
	struct config before = b->pool.config;

	b->pool.config = (struct config){.nodes = f->nodes, .node_count = 1, .routers = f->routers,
		.router_count = 1, .virtuals = f->virtuals, .virtual_count = 2, .reals = f->reals,
		.real_count = REALS, .probes = f->probes, .probe_count = PROBES};
	b->pool.base = b->pool.config;
	b->pool.generation++;
	assert_int_equal(targets_configure(&b->pool, &before), 0);
	assert_true(tracks_configure(&b->pool, &before));
	assert_true(modes_configure(&b->pool, &before));
}

static void
never(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)w;
	(void)events;
}

static int
bed_up(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	int prober[2], relay[2];

	if (!b || channel_pair(prober) == -1 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, relay) == -1)
		return -1;
	b->pool.child = &b->child;
	b->pool.incoming = incoming_init(&b->child.log, PROCESS_POOL);
	log_open(&b->child.log, 3 << 3, LOG_LEVEL_INFO, "bed");
	b->child.log.relay_fd = relay[0];
	b->relay = relay[1];
	b->pool.loop = ev_loop_new(EVFLAG_AUTO);
	b->pool.routers = b->facts;
	b->pool.local_limit = b->pool.overdue_limit =
		(struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 5};
	for (uint32_t i = 0; i < LIMIT_PROBERS; i++)
		b->pool.probers[i].fd = -1;
	b->pool.election_fd = b->child.supervisor_fd = -1;
	b->prober = prober[1];
	ev_timer_init(&b->pool.flush_timer, targets_flush_timer, 0., 0.);
	ev_timer_init(&b->pool.replan_timer, never, 0., 0.);
	b->pool.flush_timer.data = &b->pool;
	ev_timer_init(&b->pool.correlated_timer, correlated_timer, 0., 0.);
	b->pool.correlated_timer.data = &b->pool;
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
	log_close(&b->child.log);
	close(b->child.log.relay_fd);
	close(b->relay);
	close(b->pool.probers[0].fd);
	close(b->prober);
	free(b->pool.targets);
	free(b->pool.virtuals);
	free(b->pool.tracks);
	free(b->pool.slot_rows);
	free(b->pool.slot_unsent);
	free(b);
	return 0;
}

static void
look_at_log(struct bed *b)
{
	char packet[sizeof(struct log_relay_header) + LIMIT_LOG_LINE];
	const size_t head = sizeof(struct log_relay_header);
	size_t length = 0;
	ssize_t n;

	b->log[0] = '\0';
	while ((n = recv(b->relay, packet, sizeof(packet), MSG_DONTWAIT)) > (ssize_t)head) {
		assert_true(length + (size_t)n - head + 2 < sizeof(b->log));
		memcpy(b->log + length, packet + head, (size_t)n - head);
		length += (size_t)n - head;
		strcpy(b->log + length++, "\n");
	}
}

/* Everything that the prober and the log have got since the last look. */
static void
look(struct bed *b)
{
	struct ipc_probe_clear clear;
	struct ipc_probe_set set;
	struct channel_message m;

	b->told_sets = b->told_clears = 0;
	while (channel_receive(b->prober, &m) == 1) {
		if (m.fd != -1)
			close(m.fd);
		if (m.kind == IPC_PROBE_CLEAR) {
			memcpy(&clear, channel_payload(&m, sizeof(clear)), sizeof(clear));
			b->set[clear.target] = false;
			b->told_clears++;
		} else if (m.kind == IPC_PROBE_SET) {
			memcpy(&set, channel_payload(&m, sizeof(set)), sizeof(set));
			assert_true(set.target < SLOTS);
			b->sets[set.target] = set;
			b->set[set.target] = true;
			b->told_sets++;
		}
	}
	look_at_log(b);
}

/* The latest set of a probe of that row towards an address that ends so. */
static const struct ipc_probe_set *
set_of(struct bed *b, uint32_t probe, uint8_t last_byte)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		if (b->set[i] && b->sets[i].probe == probe &&
		    b->sets[i].address.addr.bytes[3] == last_byte)
			return &b->sets[i];
	fail_msg("no probe of row %u for .%u", probe, last_byte);
	return NULL;
}

static void
answer(struct bed *b, const struct ipc_probe_set *set, struct ipc_probe_result r)
{
	struct ipc_probe_results all = {.count = 1};

	r.target = set->target;
	r.generation = set->generation;
	r.at_ns = mono_now().ns;
	r.expires_s = INT64_MAX;
	all.results[0] = r;
	assert_int_equal(channel_send(b->prober, IPC_PROBE_RESULTS, &all, ipc_results_size(1), -1), 0);
	ev_run(b->pool.loop, EVRUN_NOWAIT);
	look(b);
}

static const struct ipc_probe_result well = {.up = true, .ok = true, .reason = REASON_PROBE_OK,
	.connect_ns = 1500000, .answer_ns = 2500000};
static const struct ipc_probe_result ill = {.reason = REASON_TCP_TIMEOUT, .connect_ns = -1,
	.answer_ns = -1};

static void
logged(const struct bed *b, const char *text)
{
	if (!strstr(b->log, text))
		fail_msg("not in the log: %s\n%s", text, b->log);
}

/* Who reads the line sees what was asked, how long it took and what came back. */
static void
a_verdict_tells_what_was_asked(void **state)
{
	struct bed *b = *state;
	struct conf_probe *p = b->file[0].probes;
	struct ipc_probe_result wrong = {.reason = REASON_HTTP_STATUS, .detail = 503,
		.connect_ns = 1500000, .answer_ns = 2500000, .evidence = "sorry"};

	look(b);
	p[0].type = CONF_PROBE_HTTP;
	memset(p[0].path, 'x', 300);
	memcpy(p[0].path, "/health?", 8);
	answer(b, set_of(b, 0, 21), wrong);
	logged(b, "event=server server=web1 virtual=http from=unknown to=down reason=http-status "
		"detail=503 address=10.88.0.21:80 connect_ms=1.500 first_byte_ms=2.500 "
		"sent=\"GET /health?xxx");
	logged(b, "xxx\" evidence=sorry");
	assert_true(strlen(b->log) < 400); /* the path is cut */
	p[0].type = CONF_PROBE_UDP;
	p[0].send = (struct conf_bytes){.length = 6, .bytes = "PI\0G\n="};
	answer(b, set_of(b, 0, 22), ill);
	logged(b, "reason=tcp-timeout detail=0 address=10.88.0.22:80 sent=\"PI?G?=\"\n");
	p[1].type = CONF_PROBE_DNS;
	strcpy(p[1].query, "example.org");
	answer(b, set_of(b, 1, 22), well);
	logged(b, "server=web4 virtual=more from=unknown to=up reason=ok");
	logged(b, "sent=\"A example.org\"");
}

/* A fault of this node is told, by name and with its cause, and held against nobody. */
static void
a_local_error_is_alarmed(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_result fault = {.up = true, .reason = REASON_LOCAL_ERROR,
		.detail = ENETUNREACH, .connect_ns = -1, .answer_ns = -1};
	const struct ipc_probe_set *set;

	look(b);
	set = set_of(b, 0, 21);
	answer(b, set, well);
	answer(b, set, fault);
	logged(b, "event=probe server=web1 virtual=http reason=local-error detail=101 "
		"error=\"Network is unreachable\" advice=\"no route of this node leads there: see ip "
		"route get\" suppressed=0");
	assert_null(strstr(b->log, "event=server"));
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UP);
	for (int i = 0; i < 10; i++)
		answer(b, set, fault);
	assert_string_equal(b->log, ""); /* not each of them */
	assert_int_equal(b->pool.local_errors, 11);
	assert_int_equal(virtual_healthy(&b->pool, 0), 1);
}

static void
flip(struct bed *b, const struct ipc_probe_set *set)
{
	answer(b, set, ill);
	answer(b, set, well);
}

/* Its third fall: up for the prober, down for the clients, until it has lasted or it is needed. */
static void
a_flapper_is_held_back(void **state)
{
	struct bed *b = *state;
	struct pool_target *t = &b->pool.targets[0];
	const struct ipc_probe_set *set;

	look(b);
	set = set_of(b, 0, 21);
	answer(b, set, well);
	answer(b, set_of(b, 0, 22), well);
	flip(b, set);
	logged(b, "from=down to=up reason=ok detail=0 address=10.88.0.21:80 connect_ms");
	flip(b, set);
	logged(b, "from=down to=up reason=ok detail=0 address=10.88.0.21:80 falls=2 connect_ms");
	flip(b, set);
	logged(b, "event=server server=web1 virtual=http from=down to=down reason=flapping detail=0 "
		"address=10.88.0.21:80 falls=3 held_ms=49");
	assert_int_equal(t->verdict, HEALTH_DOWN);
	assert_int_equal(t->reason, REASON_FLAPPING);
	assert_int_equal(virtual_healthy(&b->pool, 0), 1);
	assert_in_range(flaps_left_ns(&b->pool, 0), 4 * NS_PER_S, 5 * NS_PER_S);
	answer(b, set, well);
	assert_string_equal(b->log, "");
	assert_int_equal(t->reason, REASON_FLAPPING);
	t->flap.until = mono_now();
	targets_second(&b->pool);
	look(b);
	logged(b, "from=down to=up reason=ok");
	assert_int_equal(t->verdict, HEALTH_UP);
	assert_int_equal(flaps_left_ns(&b->pool, 0), -1);

	flip(b, set);
	logged(b, "reason=flapping detail=0 address=10.88.0.21:80 falls=4 held_ms=99");
	answer(b, set_of(b, 0, 22), ill);
	logged(b, "server=web2 virtual=http from=up to=down reason=tcp-timeout");
	logged(b, "server=web1 virtual=http from=down to=up reason=ok"); /* there is nobody else */
	flip(b, set);
	assert_int_equal(t->verdict, HEALTH_UP);
}

/* Neither a reload nor the death of a prober makes it anew. */
static void
a_flapper_stays_one(void **state)
{
	struct bed *b = *state;
	const struct ipc_probe_set *set;
	int prober[2];

	look(b);
	set = set_of(b, 0, 21);
	answer(b, set_of(b, 0, 22), well);
	for (int i = 0; i < 4; i++)
		flip(b, set);
	b->file[1].reals[0].weight = 7;
	configure(b, &b->file[1]);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_DOWN);
	assert_int_equal(flaps_count(&b->pool, 0), 3); /* the first was no fall */
	assert_int_equal(channel_pair(prober), 0);
	close(b->prober);
	b->prober = prober[1];
	targets_prober_up(&b->pool, 0, prober[0]);
	look(b);
	set = set_of(b, 0, 21);
	assert_int_equal(set->seed, PROBE_SEED_UP); /* it was up for the one that died */
	b->file[0].probes[0].interval_ms = 2000;
	configure(b, &b->file[0]);
	assert_int_equal(flaps_count(&b->pool, 0), 0);
}

static void
ago(mono *moment, int64_t ms)
{
	*moment = mono_add_ns(mono_now(), -ms * NS_PER_MS);
}

/* How often the supervisor was asked for another prober since the last look. */
static unsigned
replacements(int supervisor)
{
	struct channel_message m;
	unsigned n = 0;

	while (channel_receive(supervisor, &m) == 1) {
		assert_int_equal(m.kind, IPC_REPLACE);
		n++;
	}
	return n;
}

/* Interval and timeout are 1.5 s: after 3.2 s it is said once, after 6.4 s the prober has to go. */
static void
no_result_is_a_fault(void **state)
{
	struct bed *b = *state;
	struct pool_target *t = &b->pool.targets[0];
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	b->child.supervisor_fd = ends[0];
	look(b);
	overdue_second(&b->pool);
	ago(&t->told_at, 3100);
	overdue_second(&b->pool);
	look(b);
	assert_string_equal(b->log, "");
	ago(&t->told_at, 3300);
	ago(&b->pool.overdue_watch.looked_at, 2000); /* this process slept */
	overdue_second(&b->pool);
	look(b);
	assert_string_equal(b->log, "");
	overdue_second(&b->pool);
	look(b);
	logged(b, "event=probe server=web1 virtual=http reason=no-result silent_ms=33");
	logged(b, " prober=0 suppressed=0");
	ago(&t->told_at, 6300);
	overdue_second(&b->pool);
	look(b);
	assert_string_equal(b->log, "");
	assert_int_equal(b->pool.no_results, 1);
	assert_int_equal(replacements(ends[1]), 0);
	ago(&t->told_at, 6500);
	overdue_second(&b->pool);
	overdue_second(&b->pool);
	assert_int_equal(replacements(ends[1]), 1);
	ago(&b->pool.probers[0].pardon.until, 0);
	answer(b, set_of(b, 0, 21), well);
	overdue_second(&b->pool);
	assert_int_equal(replacements(ends[1]), 0);
	assert_false(t->overdue);
	close(ends[0]);
	close(ends[1]);
}

/* A slower rhythm has more patience; results that wait to be read are results. */
static void
what_is_late_is_no_fault(void **state)
{
	struct bed *b = *state;
	struct pool_target *t = &b->pool.targets[0];
	static struct ipc_probe_results all;

	b->file[0].probes[0].interval_down_ms = 5000;
	look(b);
	answer(b, set_of(b, 0, 21), ill);
	overdue_second(&b->pool);
	ago(&t->told_at, 20000);
	ago(&t->last_result, 11000); /* 2 * 5.5 s and a bit */
	overdue_second(&b->pool);
	look(b);
	assert_string_equal(b->log, "");
	ago(&t->last_result, 11300);
	all.count = 1;
	all.results[0] = ill;
	all.results[0].target = set_of(b, 0, 22)->target;
	all.results[0].generation = set_of(b, 0, 22)->generation;
	all.results[0].expires_s = INT64_MAX;
	assert_int_equal(channel_send(b->prober, IPC_PROBE_RESULTS, &all, ipc_results_size(1), -1), 0);
	overdue_second(&b->pool);
	look(b);
	assert_string_equal(b->log, "");
	ev_run(b->pool.loop, EVRUN_NOWAIT);
	overdue_second(&b->pool);
	look(b);
	logged(b, "event=probe server=web1 virtual=http reason=no-result silent_ms=113");
}

static void
say(struct bed *b, const struct ipc_probe_result *r)
{
	struct ipc_probe_results all = {.count = 1, .results = {*r}};

	assert_int_equal(channel_send(b->prober, IPC_PROBE_RESULTS, &all, ipc_results_size(1), -1), 0);
	ev_run(b->pool.loop, EVRUN_NOWAIT);
	look(b);
}

/* One that was taken over says what no prober says: nothing of it counts, and it is replaced. */
static void
a_prober_that_cannot_be_believed_has_to_go(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_result r = ill;
	const uint8_t no_truth = 2;
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	b->child.supervisor_fd = ends[0];
	look(b);
	answer(b, set_of(b, 0, 21), well);
	r.target = set_of(b, 0, 21)->target;
	r.generation = set_of(b, 0, 21)->generation;
	r.expires_s = INT64_MAX;
	memcpy(&r.ok, &no_truth, sizeof(no_truth));
	say(b, &r);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UP);
	assert_int_equal(b->pool.incoming.refused, 1);
	logged(b, "event=process name=prober reason=bad-message to=pool kind=");
	assert_int_equal(replacements(ends[1]), 1);
	assert_int_equal(send(b->prober, "x", 1, 0), 1);
	say(b, &r);
	assert_int_equal(b->pool.incoming.refused, 3);
	assert_int_equal(replacements(ends[1]), 0); /* it takes a moment to die */
	close(ends[0]);
	close(ends[1]);
	b->child.supervisor_fd = -1;
}

/* A result of tomorrow would keep its silence from being seen. */
static void
nothing_is_heard_before_it_is(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_result r = ill;

	look(b);
	r.target = set_of(b, 0, 21)->target;
	r.generation = set_of(b, 0, 21)->generation;
	r.expires_s = INT64_MAX;
	r.at_ns = mono_now().ns + 86400 * NS_PER_S;
	say(b, &r);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_DOWN);
	assert_true(b->pool.targets[0].last_result.ns <= mono_now().ns);
}

/* Each prober for its own targets, and none for what the supervisor runs. */
static void
nobody_speaks_for_the_targets_of_another(void **state)
{
	struct bed *b = *state;
	struct ipc_probe_result r = ill;

	look(b);
	answer(b, set_of(b, 0, 21), well);
	r.target = set_of(b, 0, 21)->target;
	r.generation = set_of(b, 0, 21)->generation;
	for (int i = 0; i < 3; i++) {
		targets_result(&b->pool, 1, &r);
		targets_result(&b->pool, CONF_NO_INDEX, &r);
	}
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UP);
	for (int i = 0; i < 3; i++)
		targets_result(&b->pool, 0, &r);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_DOWN);
}

/* It closed its channel and lives: the supervisor does not know. */
static void
a_prober_that_hung_up_has_to_go(void **state)
{
	struct bed *b = *state;
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	b->child.supervisor_fd = ends[0];
	look(b);
	assert_int_equal(send(b->prober, "", 0, 0), 0); /* looks like the end */
	ev_run(b->pool.loop, EVRUN_NOWAIT);
	overdue_second(&b->pool);
	ago(&b->pool.targets[0].told_at, 6600);
	overdue_second(&b->pool);
	assert_int_equal(replacements(ends[1]), 1);
	close(ends[0]);
	close(ends[1]);
	b->child.supervisor_fd = -1;
}

/* "more" has the servers of "http" and asks the same: one probe for two, and a verdict for both. */
static void
equal_questions_are_one(void **state)
{
	struct bed *b = *state;
	uint32_t slot;

	for (int i = 0; i < REALS; i++)
		b->file[1].reals[i].probe = 0;
	look(b);
	assert_int_equal(b->told_sets, 4);
	answer(b, set_of(b, 0, 21), well);
	configure(b, &b->file[1]);
	look(b);
	assert_int_equal(b->told_sets, 0); /* "more" joins, and "http" goes on as it was */
	assert_int_equal(b->told_clears, 2);
	logged(b, "server=web3 virtual=more from=unknown to=up reason=ok");
	assert_int_equal(b->pool.targets[3].verdict, HEALTH_UNKNOWN);
	slot = b->pool.targets[0].slot;
	answer(b, &b->sets[slot], ill);
	logged(b, "server=web1 virtual=http from=up to=down");
	logged(b, "server=web3 virtual=more from=up to=down");

	b->file[0].reals[0].probe = 2; /* web1 is asked another way, its twin as before */
	b->file[0].reals[2].probe = b->file[0].reals[3].probe = 0;
	b->file[0].probes[2].interval_ms = 3000;
	configure(b, &b->file[0]);
	look(b);
	assert_int_equal(b->told_sets, 1);
	assert_int_equal(b->told_clears, 0);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UNKNOWN);
	assert_int_equal(b->pool.targets[2].verdict, HEALTH_DOWN);
	assert_int_equal(b->pool.targets[2].slot, slot);
	answer(b, &b->sets[slot], well);
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UNKNOWN);
	assert_int_equal(b->pool.targets[2].verdict, HEALTH_UP);
	b->file[1].reals[3].probe = 3; /* and the other way round: the first goes on */
	b->file[1].probes[3].interval_ms = 4000;
	configure(b, &b->file[1]);
	look(b);
	assert_int_equal(b->told_clears, 1); /* web1's own */
	assert_int_equal(b->pool.targets[0].verdict, HEALTH_UP);
}

/* Sockets that came for this question; what is said of one is looked at. */
static unsigned
sockets_for(struct bed *b, struct ipc_sockets wanted)
{
	struct channel_message m;
	unsigned n = 0;
	uint32_t mark;
	socklen_t size = sizeof(mark);

	assert_int_equal(channel_send(b->prober, IPC_SOCKETS, &wanted, sizeof(wanted), -1), 0);
	ev_run(b->pool.loop, EVRUN_NOWAIT);
	while (channel_receive(b->prober, &m) == 1) {
		if (m.kind != IPC_SOCKET)
			continue;
		assert_int_not_equal(m.fd, -1);
		assert_int_equal(getsockopt(m.fd, SOL_SOCKET, SO_MARK, &mark, &size), 0);
		assert_int_equal(mark, wanted.mark);
		close(m.fd);
		n++;
	}
	return n;
}

/* What a prober gets: marks of the configuration, if this test may make such sockets at all. */
static void
marks_of_the_configuration_only(void **state)
{
	struct bed *b = *state;
	const struct ipc_sockets good = {.mark = 7, .kind = IPC_SOCKET_TCP, .family = IP_V4, .count = 3};
	struct ipc_sockets bad = good;
	unsigned n, some = geteuid() == 0 ? 3 : 0;

	b->pool.config.probes[1].mark = 7;
	assert_int_equal(sockets_for(b, good), some);
	bad.mark = 8;
	assert_int_equal(sockets_for(b, bad), 0);
	bad.mark = 0;
	assert_int_equal(sockets_for(b, bad), 0);
	bad = good;
	bad.kind = IPC_SOCKET_KINDS;
	assert_int_equal(sockets_for(b, bad), 0);
	bad = good;
	bad.family = IP_NONE;
	assert_int_equal(sockets_for(b, bad), 0);
	bad = good;
	bad.count = IPC_SOCKETS_MAX + 1;
	assert_int_equal(sockets_for(b, bad), 0);
	for (n = 0; n < 1000; n++)
		if (sockets_for(b, good) != some)
			break;
	if (some > 0)
		assert_in_range(n, 90, 999); /* then it is too often */
}

/* No room for a single message more; how many there are. */
static unsigned
fill_up(int fd, uint32_t kind)
{
	const struct ipc_probe_clear nobody = {.target = SLOTS - 1};
	unsigned count = 0;

	while (channel_send(fd, kind, &nobody, sizeof(nobody), -1) == 0)
		count++;
	assert_true(count > 0);
	return count;
}

static unsigned
take_all(int fd, uint32_t kind)
{
	struct channel_message m;
	unsigned count = 0;

	while (channel_receive(fd, &m) == 1) {
		count += m.kind == kind;
		if (m.fd != -1)
			close(m.fd);
	}
	return count;
}

static void
flush(struct bed *b)
{
	for (int i = 0; i < 50 && ev_is_active(&b->pool.flush_timer); i++)
		ev_run(b->pool.loop, EVRUN_ONCE);
}

/* Nothing is served any more, and nobody can be told so; then there is room. */
static void
ends_while_full(struct bed *b, int from, int to, uint32_t kind, unsigned wanted)
{
	unsigned fillers = fill_up(from, kind);

	b->file[1].routers[0].standby = CONF_STANDBY_COLD;
	configure(b, &b->file[1]);
	assert_int_equal(take_all(to, kind), fillers);
	flush(b);
	assert_int_equal(take_all(to, kind), wanted);
	targets_refresh(&b->pool);
	assert_int_equal(take_all(to, kind), 0);
}

static void
a_prober_is_told_of_the_end_when_it_can_be(void **state)
{
	struct bed *b = *state;

	look(b);
	assert_true(b->told_sets > 0);
	ends_while_full(b, b->pool.probers[0].fd, b->prober, IPC_PROBE_CLEAR, b->told_sets);
}

static void
so_is_who_runs_programs(void **state)
{
	struct bed *b = *state;
	int supervisor[2];
	unsigned programs;

	assert_int_equal(channel_pair(supervisor), 0);
	b->child.supervisor_fd = supervisor[0];
	for (int i = 0; i < 2; i++) {
		b->file[1].probes[i].type = CONF_PROBE_EXEC;
		strcpy(b->file[1].probes[i].user, "root");
	}
	configure(b, &b->file[1]);
	programs = take_all(supervisor[1], IPC_EXEC_SET);
	assert_true(programs > 0);
	ends_while_full(b, supervisor[0], supervisor[1], IPC_EXEC_CLEAR, programs);
	close(supervisor[0]);
	close(supervisor[1]);
}

/* A successor has nothing that would have to end. */
static void
what_its_predecessor_had_is_not_ended(void **state)
{
	struct bed *b = *state;
	int next[2];

	look(b);
	fill_up(b->pool.probers[0].fd, IPC_PROBE_CLEAR);
	b->file[1].routers[0].standby = CONF_STANDBY_COLD;
	configure(b, &b->file[1]);
	assert_int_equal(channel_pair(next), 0);
	targets_prober_up(&b->pool, 0, next[0]);
	flush(b);
	assert_int_equal(take_all(next[1], IPC_PROBE_CLEAR), 0);
	close(b->prober);
	b->prober = next[1];
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_up, bed_down)
		TEST(a_verdict_tells_what_was_asked),
		TEST(a_local_error_is_alarmed),
		TEST(a_flapper_is_held_back),
		TEST(a_flapper_stays_one),
		TEST(equal_questions_are_one),
		TEST(no_result_is_a_fault),
		TEST(what_is_late_is_no_fault),
		TEST(marks_of_the_configuration_only),
		TEST(a_prober_that_cannot_be_believed_has_to_go),
		TEST(nothing_is_heard_before_it_is),
		TEST(nobody_speaks_for_the_targets_of_another),
		TEST(a_prober_that_hung_up_has_to_go),
		TEST(a_prober_is_told_of_the_end_when_it_can_be),
		TEST(so_is_who_runs_programs),
		TEST(what_its_predecessor_had_is_not_ended),
	};

	return cmocka_run_group_tests_name("pool_health", tests, NULL, NULL);
}
