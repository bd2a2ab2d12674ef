/*
 * Modules of the kernel that the table needs: ip_vs, and one for each scheduler and engine. They are asked
 * for as soon as a configuration names them, whether its services are served here yet or not, each by a
 * thread of its own; until that has an answer the services that need the module are left out of what is
 * wanted, and everything else goes on. When the answer comes it is planned again.
 *
 * The kernel is asked for a service whose module could not be loaded all the same: it may have it built in
 * without anybody knowing, or have a modprobe of its own outside of this container. But not where that
 * took long: it would take as long again, with this process waiting.
 */
#include "proc/pool_process.h"

#include "linux/modules.h"
#include "linux/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES = 64 }; /* the kernel has not half as many schedulers */

static const int64_t quick_ns = 2 * NS_PER_S;
static const int64_t told_after_ns = 2 * NS_PER_S;
static const int64_t pause_least_ns = 15 * NS_PER_S;
static const int64_t pause_most_ns = 15 * 60 * NS_PER_S;

enum module_state { MODULE_UNKNOWN, MODULE_LOADING, MODULE_THERE, MODULE_REFUSED };

struct module {
	struct pool *pool;
	char name[48];
	struct worker *worker; /* MODULE_LOADING */
	ev_io watcher;
	enum module_state state;
	mono begun;
	bool told;             /* that it takes long */
	bool slow;             /* MODULE_REFUSED after a long time: the kernel is not asked */
	int64_t pause_ns;
	mono again_at;         /* MODULE_REFUSED */
};

struct pool_modules {
	struct module rows[MODULES];
	uint32_t count;
};

struct job {
	char name[48];
	int result;
};

static void
work(void *context, void *job)
{
	struct job *j = job;

	(void)context;
	j->result = module_load(j->name);
}

static void
log_module(struct pool *p, const struct module *m, enum log_level level, const char *detail)
{
	struct log_line line;

	log_line_begin(&line, "pool");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "module", m->name);
	log_line_text(&line, "detail", detail);
	log_line_ms(&line, "total_ms", mono_diff_ns(mono_now(), m->begun));
	log_emit(&p->child->log, level, &line);
}

static void
note_refusal(struct pool *p, struct module *m, int result)
{
	mono now = mono_now();
	int64_t pause_ns = 2 * m->pause_ns;

	m->state = MODULE_REFUSED;
	m->slow = mono_diff_ns(now, m->begun) >= quick_ns;
	m->pause_ns = pause_ns < pause_least_ns ? pause_least_ns
		: pause_ns > pause_most_ns ? pause_most_ns : pause_ns;
	m->again_at = mono_add_ns(now, m->pause_ns);
	if (m->slow) /* else the kernel's refusal is told */
		log_module(p, m, LOG_LEVEL_ERROR, result == MODULE_LATE
			? "modprobe did not end and was killed; the services that need this module are "
			  "left out; see what modprobe waits for; it is asked again after a while"
			: "modprobe cannot load this module; the services that need it are left out; "
			  "install it (or see why modprobe fails) or choose another; it is asked again "
			  "after a while and with a changed configuration");
}

static void
forget_worker(struct module *m)
{
	ev_io_stop(m->pool->loop, &m->watcher);
	worker_stop(m->worker);
	m->worker = NULL;
}

static void
on_done(struct ev_loop *loop, ev_io *w, int events)
{
	struct module *m = w->data;
	struct pool *p = m->pool;
	struct job *j = worker_next_done(m->worker);

	(void)loop;
	(void)events;
	if (!j)
		return;
	if (j->result == 0) {
		m->state = MODULE_THERE;
		m->pause_ns = 0;
		if (m->told)
			log_module(p, m, LOG_LEVEL_NOTICE, "modprobe has loaded it");
	} else {
		note_refusal(p, m, j->result);
	}
	free(j);
	forget_worker(m);
	p->actual_known = false; /* what is refused now is refused by a kernel that was just looked at */
	table_apply_now(p, REASON_RECONFIGURED);
}

/* False: cannot be asked for here; the kernel has to do it. */
static bool
ask(struct module *m)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j || worker_start(work, NULL, NULL, &m->worker) != 0) {
		free(j);
		return false;
	}
	memcpy(j->name, m->name, sizeof(j->name));
	ev_io_init(&m->watcher, on_done, worker_fd(m->worker), EV_READ);
	m->watcher.data = m;
	ev_io_start(m->pool->loop, &m->watcher);
	if (!worker_submit(m->worker, j)) {
		free(j);
		forget_worker(m);
		return false;
	}
	m->state = MODULE_LOADING;
	m->begun = mono_now();
	m->told = false;
	return true;
}

static struct module *
row_of(struct pool *p, const char *name)
{
	struct pool_modules *all = p->modules ? p->modules : calloc(1, sizeof(*all));

	p->modules = all;
	for (uint32_t i = 0; all && i < all->count; i++)
		if (strcmp(all->rows[i].name, name) == 0)
			return &all->rows[i];
	if (!all || all->count == MODULES)
		return NULL;
	all->rows[all->count].pool = p;
	snprintf(all->rows[all->count].name, sizeof(all->rows[0].name), "%s", name);
	return &all->rows[all->count++];
}

/* May the kernel be asked for what needs that module? If it is not there it is asked for. */
static bool
module_may(struct pool *p, const char *name)
{
	struct module *m;

	if (module_is_there(name))
		return true;
	m = row_of(p, name);
	if (!m)
		return true;
	switch (m->state) {
	case MODULE_LOADING: return false;
	case MODULE_THERE: return true; /* built in */
	case MODULE_REFUSED:
		if (!mono_due(m->again_at, mono_now()))
			return !m->slow;
		break;
	case MODULE_UNKNOWN: break;
	}
	return !ask(m);
}

bool
modules_may_open(struct pool *p)
{
	return module_may(p, "ip_vs");
}

bool
modules_may_use(struct pool *p, const struct vs_service *s)
{
	char name[48];
	bool scheduler, engine = true;

	snprintf(name, sizeof(name), "ip_vs_%.16s", s->scheduler);
	scheduler = module_may(p, name);
	if (s->engine[0] != '\0') {
		snprintf(name, sizeof(name), "ip_vs_pe_%.16s", s->engine);
		engine = module_may(p, name);
	}
	return scheduler && engine;
}

void
modules_want(struct pool *p, const struct config *c)
{
	struct vs_service last = {.flags = 0};

	for (uint32_t i = 0; i < c->virtual_count; i++) {
		const struct conf_virtual *v = &c->virtuals[i];

		if (i == 0)
			modules_may_open(p);
		else if (strcmp(last.scheduler, v->scheduler) == 0 && strcmp(last.engine, v->engine) == 0)
			continue;
		memcpy(last.scheduler, v->scheduler, sizeof(last.scheduler));
		memcpy(last.engine, v->engine, sizeof(last.engine));
		modules_may_use(p, &last);
	}
}

void
modules_ask_again(struct pool *p)
{
	for (uint32_t i = 0; p->modules && i < p->modules->count; i++) {
		struct module *m = &p->modules->rows[i];

		m->pause_ns = 0;
		if (m->state == MODULE_REFUSED)
			m->state = MODULE_UNKNOWN;
	}
}

void
modules_second(struct pool *p)
{
	for (uint32_t i = 0; p->modules && i < p->modules->count; i++) {
		struct module *m = &p->modules->rows[i];

		if (m->state == MODULE_REFUSED && m->slow && mono_due(m->again_at, mono_now()))
			ask(m);
		if (m->state != MODULE_LOADING || m->told ||
			mono_diff_ns(mono_now(), m->begun) < told_after_ns)
			continue;
		m->told = true;
		log_module(p, m, LOG_LEVEL_WARNING, "modprobe takes long; the services that need "
			"this module wait for it, others do not");
	}
}

/* A modprobe that is still at work must not hold up our end: it goes on without us. */
void
modules_close(struct pool *p)
{
	bool at_work = false;

	for (uint32_t i = 0; p->modules && i < p->modules->count; i++)
		at_work = at_work || p->modules->rows[i].worker;
	if (!at_work) {
		free(p->modules);
		p->modules = NULL;
	}
}
