/*
 * Who has been connected for how long (core/roster.h), for the drains: the kernel tells of its connections
 * and not of their age, so that it is looked at again and again, by a thread. Every few seconds while an
 * operator drains a server, and seldom before: who drains one wants to know at once who will stay.
 *
 * A look has bounds: a second, a million lines, 65,536 connections to remember (8 MB, taken as they are
 * needed). The bounds keep it to a hundredth of a processor, a twentieth during a drain, at the lowest
 * priority; what is told then is told as a part. Memory and looks are the thread's, requests and results
 * go to and fro.
 */
#include "proc/pool_process.h"

#include "linux/ipvs_connections.h"
#include "linux/worker.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PLACES_MAX = 256, WAYS_MAX = 65536, LINES_MAX = 1 << 20, ROWS_MAX = 65536, ROWS_MIN = 1024 };
enum { NICE = 19, REST = 100, REST_DRAINING = 20 };
static const int64_t look_max_ns = NS_PER_S;
static const int64_t every_ns = 10 * NS_PER_S;
static const int64_t every_draining_ns = 2 * NS_PER_S;

/* A server that is being drained, and what the look found. */
struct place {
	char virtual[LIMIT_NAME], real[LIMIT_NAME];
	struct clients_told told;
};

/* The job: asked by the loop, answered by the thread. One piece of memory. */
struct look {
	uint64_t number;
	mono begun;
	int64_t took_ns;
	bool left_out;       /* places or ways that are too many */
	bool refused;        /* connections of a place that found no room */
	struct ipvs_reading reading;
	struct ways ways;
	size_t place_count;
	struct place places[];
};

/* The thread's. */
struct memory {
	struct roster now, before;
	size_t capacity, capacity_before;
};

struct pool_clients {
	struct pool *pool;
	struct worker *worker;
	ev_io watcher;
	struct memory memory;
	struct look *last;   /* NULL: none yet */
	uint64_t submitted;  /* number of the last one */
	bool busy, again;
	mono next, first;    /* when to look again; the first look */
};

/* --- in the thread --- */

struct taking {
	struct look *look;
	struct memory *memory;
};

/* Storage for so many rows, or as many as there is memory for. */
static bool
reserve(struct memory *m, size_t count)
{
	size_t capacity = m->capacity == 0 ? (size_t)ROWS_MIN : m->capacity;
	struct roster_row *rows;

	while (capacity < count)
		capacity *= 2;
	if (capacity == m->capacity)
		return true;
	rows = reallocarray(m->now.rows, capacity, sizeof(*rows));
	if (!rows)
		return false;
	m->now.rows = rows;
	m->capacity = capacity;
	return true;
}

/* One connection. What finds no room is not the end: those of places may come yet. */
static bool
take(void *context, const struct ipvs_connection *c)
{
	struct taking *t = context;
	struct roster_row row = {.client = c->client, .way = way_number(&c->way),
		.since = t->look->begun, .expires_s = c->expires_s, .state = c->state,
		.ending = c->ending};

	row.place = ways_find(&t->look->ways, &c->way, row.way);
	if (roster_has_room(&t->memory->now, row.place) &&
		reserve(t->memory, t->memory->now.count + 1)) {
		roster_see(&t->memory->now, &row);
		return true;
	}
	t->look->refused = t->look->refused || row.place != WAYS_ELSEWHERE;
	return !t->look->refused;
}

static void
swap(struct memory *m)
{
	struct roster rows = m->before;
	size_t capacity = m->capacity_before;

	m->before = m->now;
	m->capacity_before = m->capacity;
	m->now = rows;
	m->now.count = m->now.elsewhere = 0;
	m->now.most = ROWS_MAX;
	m->capacity = capacity;
}

/* Room for all that the look may have missed, too. */
static void
carry(struct memory *m)
{
	size_t count = m->now.count + m->before.count;

	reserve(m, count < ROWS_MAX ? count : (size_t)ROWS_MAX);
	roster_carry(&m->now, &m->before, m->capacity);
}

static void
work(void *context, void *job)
{
	struct taking t = {.look = job, .memory = context};
	struct look *l = job;

	setpriority(PRIO_PROCESS, 0, NICE); /* of this thread alone */
	ways_sort(&l->ways);
	l->begun = mono_now();
	swap(t.memory);
	l->reading = ipvs_connections_of_kernel(LINES_MAX, mono_add_ns(l->begun, look_max_ns), take, &t);
	carry(t.memory);
	for (size_t i = 0; i < l->place_count; i++) {
		struct clients_told *told = &l->places[i].told;

		told->count = roster_clients(&t.memory->now, (uint16_t)i, told->clients, CLIENTS_TOLD,
			&told->sum);
		told->looked = l->begun;
		told->partial = !l->reading.whole;
		told->error = l->reading.error;
	}
	l->took_ns = mono_diff_ns(mono_now(), l->begun);
}

/* --- in the loop --- */

static const struct override *
drained(const struct pool *p, uint32_t virtual_row, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	const struct override *r = overlay_find(&p->overlay, v->name, p->config.reals[row].name);

	/* One of udp is out at once: nothing goes on. */
	return r && r->admin == POOL_DRAINED && v->protocol != CONF_UDP ? r : NULL;
}

/* How many drained servers there are, and ways to them. */
static size_t
count_places(const struct pool *p, size_t *ways)
{
	size_t count = 0;

	*ways = 0;
	if (p->overlay.count == 0)
		return 0;
	for (uint32_t v = 0; v < p->config.virtual_count; v++) {
		const struct conf_virtual *virtual = &p->config.virtuals[v];

		for (uint32_t i = virtual->first_real; i < virtual->first_real + virtual->real_count; i++)
			if (drained(p, v, i)) {
				*ways += virtual_services(&p->config, virtual) + p->actual.service_count;
				count++;
			}
	}
	*ways = *ways < WAYS_MAX ? *ways : WAYS_MAX;
	return count < PLACES_MAX ? count : PLACES_MAX;
}

static void
add_way(struct look *l, size_t room, const struct way *way, uint16_t place)
{
	if (l->ways.count < room)
		ways_add(&l->ways, way, place);
	else
		l->left_out = true;
}

/* Of what a service on all ports, or of a mark, would get: the other services have theirs before. */
static void
leave_to_others(const struct pool *p, struct look *l, size_t room, const struct way *wide)
{
	for (size_t i = 0; i < p->actual.service_count; i++) {
		const struct vs_key *key = &p->actual.services[i].key;
		struct way way = {.protocol = key->protocol, .service = key->listen,
			.server = wide->server};

		if (key->fwmark != 0 || key->listen.port == 0)
			continue;
		if (way.server.port == 0)
			way.server.port = key->listen.port;
		add_way(l, room, &way, WAYS_ELSEWHERE);
	}
}

static void
add_place(const struct pool *p, struct look *l, size_t room, uint32_t virtual_row, uint32_t row)
{
	const struct conf_virtual *v = &p->config.virtuals[virtual_row];
	const struct conf_real *real = &p->config.reals[row];
	struct place *place = &l->places[l->place_count];

	memcpy(place->virtual, v->name, sizeof(place->virtual));
	memcpy(place->real, real->name, sizeof(place->real));
	for (uint32_t i = 0; i < virtual_services(&p->config, v); i++) {
		struct vs_key key = virtual_key(&p->config, v, i);
		struct way way = {.protocol = key.protocol, .service = key.listen,
			.server = real->address};

		if (key.fwmark != 0)
			way = (struct way){.server = real->address};
		else if (way.server.port == 0)
			way.server.port = key.listen.port;
		add_way(l, room, &way, (uint16_t)l->place_count);
		if (way.service.port == 0)
			leave_to_others(p, l, room, &way);
	}
	l->place_count++;
}

static struct look *
make_look(const struct pool *p)
{
	size_t room, count = count_places(p, &room);
	struct look *l = calloc(1, sizeof(*l) + count * sizeof(l->places[0]) +
		room * sizeof(struct way_row));

	if (!l)
		return NULL;
	l->ways.rows = (struct way_row *)(void *)(l->places + count);
	for (uint32_t v = 0; count > 0 && v < p->config.virtual_count; v++) {
		const struct conf_virtual *virtual = &p->config.virtuals[v];

		for (uint32_t i = virtual->first_real; i < virtual->first_real + virtual->real_count; i++)
			if (l->place_count < count && drained(p, v, i))
				add_place(p, l, room, v, i);
	}
	return l;
}

static void
submit(struct pool_clients *s)
{
	struct look *l = make_look(s->pool);

	if (!l)
		return;
	l->number = s->submitted + 1;
	if (!worker_submit(s->worker, l)) {
		free(l);
		return;
	}
	s->submitted++;
	s->busy = true;
	s->again = false;
}

static void
take_look(struct pool_clients *s, struct look *l)
{
	bool draining = l->place_count > 0;
	int64_t pause_ns = l->took_ns * (draining ? REST_DRAINING : REST);
	int64_t least_ns = draining ? every_draining_ns : every_ns;

	if (mono_is_never(s->first))
		s->first = l->begun;
	for (size_t i = 0; i < l->place_count; i++) {
		l->places[i].told.partial = l->places[i].told.partial || l->refused || l->left_out;
		l->places[i].told.first = s->first;
	}
	s->next = mono_add_ns(mono_now(), pause_ns > least_ns ? pause_ns : least_ns);
	free(s->last);
	s->last = l;
	s->busy = false;
}

static void
on_done(struct ev_loop *loop, ev_io *w, int events)
{
	struct pool_clients *s = w->data;
	struct look *l;

	(void)loop;
	(void)events;
	while ((l = worker_next_done(s->worker)) != NULL) {
		uint64_t number = l->number;

		take_look(s, l);
		if (s->again)
			submit(s);
		control_looked(s->pool, number);
	}
}

static bool
start(struct pool *p)
{
	struct pool_clients *s = calloc(1, sizeof(*s));

	if (!s)
		return false;
	s->pool = p;
	s->next = (mono){0};
	s->first = MONO_NEVER;
	s->memory.now.most = s->memory.before.most = ROWS_MAX;
	if (worker_start(work, NULL, &s->memory, &s->worker) != 0) {
		free(s);
		return false;
	}
	ev_io_init(&s->watcher, on_done, worker_fd(s->worker), EV_READ);
	s->watcher.data = s;
	ev_io_start(p->loop, &s->watcher);
	p->clients = s;
	return true;
}

uint64_t
clients_look(struct pool *p)
{
	struct pool_clients *s = p->clients;

	if (!p->ipvs || (!s && !start(p)))
		return 0;
	s = p->clients;
	if (s->busy) {
		s->again = true;
		return s->submitted + 1;
	}
	submit(s);
	return s->busy ? s->submitted : 0;
}

void
clients_second(struct pool *p)
{
	if (!p->ipvs || p->config.virtual_count == 0)
		return;
	if (!p->clients || (!p->clients->busy && mono_due(p->clients->next, mono_now())))
		clients_look(p);
}

const struct clients_told *
clients_of(const struct pool *p, const char *virtual, const char *real)
{
	const struct look *l = p->clients ? p->clients->last : NULL;

	for (size_t i = 0; l && i < l->place_count; i++)
		if (strcmp(l->places[i].virtual, virtual) == 0 && strcmp(l->places[i].real, real) == 0)
			return &l->places[i].told;
	return NULL;
}

void
clients_close(struct pool *p)
{
	struct pool_clients *s = p->clients;

	if (!s)
		return;
	ev_io_stop(p->loop, &s->watcher);
	worker_stop(s->worker);
	free(s->memory.now.rows);
	free(s->memory.before.rows);
	free(s->last);
	free(s);
	p->clients = NULL;
}
