/*
 * Tracked gateways, asked by the election process itself: one timer, three sockets, no waiting.
 *
 * A gateway in a subnet of one of the router's interfaces is asked on that link, by ARP or
 * neighbour solicitation, which no firewall of the gateway refuses; any other by ICMP echo, where
 * the routes lead. Which of them it is, is looked at for each question, as addresses come and go.
 * When to ask and what silence means is core/reach.h.
 *
 * What keeps a question from reaching the gateway at all, a cable that is out or a route that is
 * not there, is silence like any other: the gateway is as lost to the clients. Only what this
 * process itself could not do (no memory, a full queue, being late) says nothing.
 *
 * Routers that ask the same question on the same interfaces share it: a gateway behind which there
 * are a thousand routers is asked once.
 */
#include "proc/election_process.h"

#include "core/cadence.h"
#include "core/reach.h"
#include "linux/asker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ANSWERS_A_TURN = 64, ANSWERS_BEFORE_TIME_PASSES = 1024 };

static const double turns_apart_s = 1e-3; /* at most REACH_ACTS questions each */
static const double timer_pad_s = 20e-6;

enum way { WAY_NONE, WAY_LINK, WAY_ECHO };

/* Who is asked, and the last question; as many as reach.targets. */
struct gateway {
	struct ip_addr address;
	uint32_t router;                     /* row of config.routers: one that asks this */
	char virtual_link[LIMIT_IFNAME];     /* where a virtual address has it in its subnet; "" */
	enum way way;
	char interface[LIMIT_IFNAME];        /* of WAY_LINK */
	int ifindex;
	struct ip_addr own;                  /* IP_NONE: an ARP probe */
	uint64_t cookie;                     /* of WAY_ECHO */
	char obstacle[64];                   /* why it could not even be asked; "" */
};

/* Whose verdict row i of config.tracks has. */
struct asked_row {
	uint32_t target;                     /* CONF_NO_INDEX: no gateway */
	uint32_t router;
};

struct table {
	struct reach reach;
	struct gateway *list;
	struct asked_row *rows;
};

struct gateways {
	struct elector *elector;
	struct table table;
	struct asker asker;
	ev_io watchers[ASKER_SOCKETS];
	ev_timer timer;
	uint16_t echo_id;
	uint64_t seed;                       /* cookies come from it */
};

/* ---- asking ---- */

/* A counter from a random start through a mixer that loses nothing. */
static uint64_t
next_cookie(struct gateways *w)
{
	uint64_t z = w->seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static const struct port *
port_beside(const struct elector *x, const struct gateway *g)
{
	const struct conf_router *router = &x->config.routers[g->router];

	for (uint32_t i = 0; i < router->interface_count; i++) {
		const struct port *p = port_find(x, router->interfaces[i]);

		for (size_t k = 0; p && k < p->address_count; k++)
			if (ip_prefix_contains(&p->addresses[k], &g->address))
				return p;
	}
	if (g->address.family == IP_V6 && ip_addr_is_link_local(&g->address))
		return port_find(x, router->interface);
	return g->virtual_link[0] != '\0' ? port_find(x, g->virtual_link) : NULL;
}

/* Our address for a question on that link; of family IP_NONE when there is none. */
static struct ip_addr
own_address(const struct port *p, const struct ip_addr *gateway)
{
	if (gateway->family == IP_V6 && port_source(p, IP_V6).family == IP_V6)
		return port_source(p, IP_V6);
	for (size_t i = 0; i < p->address_count; i++)
		if (ip_prefix_contains(&p->addresses[i], gateway))
			return p->addresses[i].addr;
	return (struct ip_addr){.family = IP_NONE};
}

static const char *
obstacle_on_link(const struct port *p, const struct gateway *g)
{
	if (p->link.ifindex == 0)
		return "does not exist";
	if (!p->link.up)
		return "is down";
	if (!p->link.carrier)
		return "has no carrier";
	if (port_has(p, &g->address))
		return "has this address itself";
	return g->address.family == IP_V6 && g->own.family != IP_V6 ? "has no IPv6 address" : NULL;
}

static bool
has_hardware_address(const struct port *p)
{
	static const uint8_t none[6] = {0};

	return p->link.ifindex == 0 || memcmp(p->link.mac, none, sizeof(none)) != 0;
}

/* 0, or negative errno; what keeps it from being asked is in g->obstacle. */
static int
ask_on_link(struct gateways *w, struct gateway *g, const struct port *p)
{
	const char *obstacle;

	g->way = WAY_LINK;
	memcpy(g->interface, p->name, sizeof(g->interface));
	g->ifindex = p->link.ifindex;
	g->own = own_address(p, &g->address);
	obstacle = obstacle_on_link(p, g);
	if (!obstacle)
		return asker_link(&w->asker, g->ifindex, p->link.mac, &g->own, &g->address);
	snprintf(g->obstacle, sizeof(g->obstacle), "%s %s", p->name, obstacle);
	return 0;
}

static int
ask_by_echo(struct gateways *w, struct gateway *g, uint32_t target)
{
	struct icmp_echo echo = {.id = w->echo_id, .slot = target, .cookie = next_cookie(w)};

	g->way = WAY_ECHO;
	g->cookie = echo.cookie;
	echo.sequence = (uint16_t)echo.cookie;
	return asker_echo(&w->asker, &g->address, &echo);
}

static bool
is_our_own_trouble(int error)
{
	return error == -ENOBUFS || error == -ENOMEM || error == -EAGAIN || error == -EINTR;
}

static void
ask(struct gateways *w, uint32_t target)
{
	struct gateway *g = &w->table.list[target];
	const struct port *p = port_beside(w->elector, g);
	int error;

	g->obstacle[0] = '\0';
	error = p && has_hardware_address(p) ? ask_on_link(w, g, p) : ask_by_echo(w, g, target);
	if (is_our_own_trouble(error))
		reach_void(&w->table.reach, target);
	else if (error != 0)
		snprintf(g->obstacle, sizeof(g->obstacle), "%s", strerror(-error));
}

/* ---- telling ---- */

static void
describe(const struct gateway *g, bool up, uint32_t timeout_ms, char out[IPC_TRACK_DETAIL])
{
	const char *link = g->address.family == IP_V6 ? "neighbour solicitation" : "ARP";
	char silence[40] = "";

	if (!up)
		snprintf(silence, sizeof(silence), ": silent for %u ms", timeout_ms);
	if (!up && g->obstacle[0] != '\0')
		snprintf(out, IPC_TRACK_DETAIL, "%s", g->obstacle);
	else if (g->way == WAY_LINK)
		snprintf(out, IPC_TRACK_DETAIL, "%s on %s%s", link, g->interface, silence);
	else
		snprintf(out, IPC_TRACK_DETAIL, "ICMP echo%s", silence);
}

/* To every row that shares the question and does not know yet. */
static void
tell(struct gateways *w, uint32_t target, enum health_verdict verdict)
{
	struct elector *x = w->elector;
	char detail[IPC_TRACK_DETAIL];

	for (uint32_t i = 0; x->tracked && i < x->config.track_count; i++) {
		const struct asked_row *row = &w->table.rows[i];
		const struct conf_track *track = &x->config.tracks[i];

		if (row->target != target || x->tracked[i].verdict == verdict)
			continue;
		describe(&w->table.list[target], verdict == HEALTH_UP, track->timeout_ms, detail);
		track_gateway(x, x->config.routers[row->router].name, track->name,
			verdict == HEALTH_UP, detail);
	}
}

/* ---- the loop's side ---- */

static void
arm(struct gateways *w)
{
	struct ev_loop *loop = w->elector->loop;
	mono deadline = reach_deadline(&w->table.reach);
	double after;

	ev_timer_stop(loop, &w->timer);
	if (mono_is_never(deadline))
		return;
	ev_now_update(loop);
	after = (double)mono_diff_ns(deadline, mono_now()) / NS_PER_S + timer_pad_s;
	ev_timer_set(&w->timer, after > turns_apart_s ? after : turns_apart_s, 0.);
	ev_timer_start(loop, &w->timer);
}

static bool
answers(const struct asker_answer *a, const struct gateway *g)
{
	static const struct ip_addr nobody = {.family = IP_V4};

	if (!ip_addr_equal(&a->host, &g->address))
		return false;
	if (a->echo)
		return g->way == WAY_ECHO && a->reply.cookie == g->cookie;
	return g->way == WAY_LINK && g->obstacle[0] == '\0' && a->ifindex == g->ifindex &&
		ip_addr_equal(&a->asker, g->own.family == IP_NONE ? &nobody : &g->own);
}

/* True when a verdict is to be told. */
static bool
take_answer(struct gateways *w, const struct asker_answer *a)
{
	struct reach *r = &w->table.reach;
	bool news = false;

	for (uint32_t i = 0; i < r->count; i++)
		if (answers(a, &w->table.list[i]) && reach_answered(r, i) &&
			health_verdict(&r->targets[i].health) != r->targets[i].told)
			news = true;
	return news;
}

static void
on_answers(struct ev_loop *loop, ev_io *io, int events)
{
	struct gateways *w = io->data;
	struct asker_answer answer;
	bool news = false;

	(void)loop;
	(void)events;
	for (int i = 0; i < ANSWERS_A_TURN &&
		asker_read(&w->asker, (unsigned)(io - w->watchers), &answer); i++)
		news = take_answer(w, &answer) || news;
	if (news)
		arm(w);
}

/* False when there may be more. */
static bool
hear_all(struct gateways *w)
{
	struct asker_answer answer;

	for (unsigned which = 0; which < ASKER_SOCKETS; which++) {
		int left = ANSWERS_BEFORE_TIME_PASSES;

		while (asker_read(&w->asker, which, &answer)) {
			take_answer(w, &answer);
			if (--left == 0)
				return false;
		}
	}
	return true;
}

static void
on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct gateways *w = timer->data;
	struct reach_acts acts = {.count = 0};
	mono now = mono_now(); /* before the answers: those that come later are not too late */

	(void)loop;
	(void)events;
	if (hear_all(w))
		reach_tick(&w->table.reach, now, &acts);
	for (unsigned i = 0; i < acts.count; i++)
		switch (acts.act[i].kind) {
		case REACH_ASK: ask(w, acts.act[i].target); break;
		case REACH_TELL: tell(w, acts.act[i].target, acts.act[i].verdict); break;
		}
	arm(w);
}

/* ---- the configuration ---- */

static bool
same_interfaces(const struct conf_router *a, const struct conf_router *b)
{
	return a->interface_count == b->interface_count &&
		memcmp(a->interfaces, b->interfaces, sizeof(a->interfaces)) == 0;
}

static struct reach_params
params_of(const struct conf_track *track)
{
	return (struct reach_params){.interval_ns = track->interval_ms * NS_PER_MS,
		.timeout_ns = track->timeout_ms * NS_PER_MS, .rise = track->rise, .fall = track->fall};
}

/* A subnet of virtual addresses, where the node has no address of its own while it is backup. */
static void
find_virtual_link(const struct config *c, struct gateway *g)
{
	const struct conf_router *router = &c->routers[g->router];

	for (uint32_t i = 0; i < router->address_count; i++) {
		const struct conf_address *a = &c->addresses[router->first_address + i];

		if (ip_prefix_contains(&a->prefix, &g->address)) {
			memcpy(g->virtual_link, a->interface, sizeof(g->virtual_link));
			return;
		}
	}
}

static bool
is_same_question(const struct config *c, const struct gateway *a, const struct gateway *b)
{
	return ip_addr_equal(&a->address, &b->address) &&
		strcmp(a->virtual_link, b->virtual_link) == 0 &&
		same_interfaces(&c->routers[a->router], &c->routers[b->router]);
}

/* The target that the configuration before had for this row, or NULL. */
static const struct reach_target *
target_before(const struct elector *x, const struct table *old, const struct config *before,
	uint32_t row, struct gateway *g)
{
	const struct conf_router *router = &x->config.routers[g->router];
	uint32_t was = old->rows ? config_track_before(&x->config, router->name, row, before)
				 : CONF_NO_INDEX;
	const struct gateway *then;
	uint32_t now;

	if (was == CONF_NO_INDEX || old->rows[was].target == CONF_NO_INDEX)
		return NULL;
	then = &old->list[old->rows[was].target];
	if (!same_interfaces(router, &before->routers[then->router]) ||
		strcmp(g->virtual_link, then->virtual_link) != 0)
		return NULL;
	now = g->router;
	*g = *then;
	g->router = now;
	return &old->reach.targets[old->rows[was].target];
}

static void
begin(const struct elector *x, struct reach_target *t, uint32_t row, mono now)
{
	const struct conf_track *track = &x->config.tracks[row];
	struct endpoint host = {.addr = track->gateway};
	struct reach_params params = params_of(track);
	int64_t phase_ns = cadence_phase_ns(&host, (uint8_t)x->child->node, params.interval_ns);

	reach_target_init(t, cadence_first(now, phase_ns, params.interval_ns, true), &params,
		x->tracked ? x->tracked[row].verdict : HEALTH_UNKNOWN);
}

static uint32_t
add_row(const struct elector *x, struct table *fresh, const struct table *old,
	const struct config *before, uint32_t row, uint32_t router)
{
	struct gateway g = {.address = x->config.tracks[row].gateway, .router = router};
	struct reach_params params = params_of(&x->config.tracks[row]);
	uint32_t count = fresh->reach.count;
	const struct reach_target *then;
	struct reach_target t;

	find_virtual_link(&x->config, &g);
	then = target_before(x, old, before, row, &g);
	if (then)
		t = *then;
	else
		begin(x, &t, row, mono_now());
	t.told = HEALTH_UNKNOWN; /* told to the rows that are new */
	for (uint32_t i = 0; i < count; i++) {
		const struct reach_params *same = &fresh->reach.targets[i].params;

		if (!is_same_question(&x->config, &g, &fresh->list[i]) ||
			same->interval_ns != params.interval_ns || same->rise != params.rise ||
			same->fall != params.fall || same->timeout_ns != t.params.timeout_ns)
			continue;
		if (then && !fresh->reach.targets[i].health.known) {
			fresh->reach.targets[i] = t;
			fresh->list[i] = g;
		}
		return i;
	}
	fresh->reach.targets[count] = t;
	fresh->list[count] = g;
	return fresh->reach.count++;
}

static void
table_free(struct table *t)
{
	free(t->reach.targets);
	free(t->list);
	free(t->rows);
	*t = (struct table){.list = NULL};
}

static bool
table_new(struct table *t, uint32_t rows)
{
	*t = (struct table){
		.reach = {.targets = calloc(rows + 1, sizeof(*t->reach.targets))},
		.list = calloc(rows + 1, sizeof(*t->list)),
		.rows = calloc(rows + 1, sizeof(*t->rows)),
	};
	if (t->reach.targets && t->list && t->rows)
		return true;
	table_free(t);
	return false;
}

void
gateways_configure(struct elector *x, const struct config *before)
{
	struct gateways *w = x->gateways;
	struct table fresh;

	if (!table_new(&fresh, x->config.track_count)) {
		report_text(x, LOG_LEVEL_ERROR, "config", REASON_SYSTEM, "detail",
			"no memory for tracked gateways: none is asked");
		table_free(&w->table);
		return;
	}
	for (uint32_t i = 0; i < x->config.track_count; i++)
		fresh.rows[i].target = CONF_NO_INDEX;
	for (uint32_t i = 0; i < x->config.router_count; i++) {
		const struct conf_router *router = &x->config.routers[i];

		for (uint32_t k = 0; k < router->track_count; k++) {
			uint32_t row = router->first_track + k;

			if (x->config.tracks[row].kind == CONF_TRACK_GATEWAY)
				fresh.rows[row] = (struct asked_row){.router = i,
					.target = add_row(x, &fresh, &w->table, before, row, i)};
		}
	}
	table_free(&w->table);
	w->table = fresh;
}

void
gateways_start(struct elector *x)
{
	arm(x->gateways);
}

bool
gateways_new(struct elector *x)
{
	struct gateways *w = calloc(1, sizeof(*w));

	if (!w || getrandom(&w->seed, sizeof(w->seed), 0) != sizeof(w->seed)) {
		free(w);
		return false;
	}
	w->elector = x;
	w->echo_id = (uint16_t)(w->seed >> 48);
	ev_timer_init(&w->timer, on_timer, 0., 0.);
	w->timer.data = w;
	x->gateways = w;
	return true;
}

int
gateways_open(struct elector *x)
{
	struct gateways *w = x->gateways;
	int error = asker_open(&w->asker, w->echo_id);

	for (unsigned i = 0; error == 0 && i < ASKER_SOCKETS; i++) {
		ev_io_init(&w->watchers[i], on_answers, w->asker.fd[i], EV_READ);
		w->watchers[i].data = w;
		if (w->asker.fd[i] != -1)
			ev_io_start(x->loop, &w->watchers[i]);
	}
	return error;
}

void
gateways_free(struct elector *x)
{
	asker_close(&x->gateways->asker);
	table_free(&x->gateways->table);
	free(x->gateways);
	x->gateways = NULL;
}
