/*
 * Services that the kernel does not take: no module for the scheduler or the protocol. Asking again
 * with every look at the table would run modprobe four times a second and fill the log, and the plan
 * would never be done, for the other services as well. So a refused service is left out of what is
 * wanted for a while, twice as long each time; and so is one whose module is still being loaded. One
 * that is in the kernel already keeps the scheduler that it has, and its real servers are looked
 * after as ever.
 */
#include "proc/pool_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int64_t pause_least_ns = 15 * NS_PER_S;
static const int64_t pause_most_ns = 15 * 60 * NS_PER_S;
static const int64_t dump_fresh_ns = 200 * NS_PER_MS;

/* Errors that the same request would meet again, whatever the table looks like. */
static bool
is_lasting(int error)
{
	return error == ENOENT || error == EPROTONOSUPPORT || error == EAFNOSUPPORT ||
		error == EINVAL || error == EOPNOTSUPP;
}

static bool
is_refused(struct pool *p, const struct vs_key *key)
{
	return vs_keys_contain(p->refused, p->refused_count, true, key);
}

void
refused_note(struct pool *p, const struct plan_work *work)
{
	size_t known = p->refused_count;

	/* A module of ip_vs that went and came again refuses everything until the next dump. */
	if (mono_diff_ns(mono_now(), p->dumped_at) - work->apply_ns > dump_fresh_ns)
		return;
	for (size_t i = 0; i < work->count; i++) {
		const struct plan_op *op = &work->ops[i];
		struct vs_key *grown;

		if ((op->kind != PLAN_ADD_SERVICE && op->kind != PLAN_SET_SERVICE) ||
			!is_lasting(work->errors[i]))
			continue;
		grown = reallocarray(p->refused, p->refused_count + 1, sizeof(*grown));
		if (!grown)
			break; /* asked again at once, then */
		p->refused = grown;
		p->refused[p->refused_count++] = op->service.key;
	}
	if (known == 0 && p->refused_count != 0) {
		int64_t pause_ns = 2 * p->refused_pause_ns;

		pause_ns = pause_ns < pause_least_ns ? pause_least_ns
			: pause_ns > pause_most_ns ? pause_most_ns : pause_ns;
		p->refused_pause_ns = pause_ns;
		p->refused_until = mono_add_ns(mono_now(), pause_ns);
	}
	vs_keys_sort(p->refused, p->refused_count);
}

static void
ask_again(struct pool *p)
{
	free(p->refused);
	p->refused = NULL;
	p->refused_count = 0;
}

void
refused_forget(struct pool *p)
{
	ask_again(p);
	p->refused_pause_ns = 0;
}

void
refused_leave_out(struct pool *p)
{
	struct vs_table *w = &p->wanted;
	struct vs_service last = {.flags = 0};
	bool usable = true;
	size_t kept = 0;

	if (p->refused_count != 0 && mono_due(p->refused_until, mono_now()))
		ask_again(p);
	for (size_t i = 0; i < w->service_count; i++) {
		struct vs_service s = w->services[i];
		const struct vs_service *is;
		bool refused;

		if (i == 0 || strcmp(s.scheduler, last.scheduler) != 0 ||
			strcmp(s.engine, last.engine) != 0)
			usable = modules_may_use(p, &s);
		last = s;
		refused = !usable || is_refused(p, &s.key);
		is = refused ? vs_table_find(&p->actual, &s.key) : NULL;
		if (is) {
			struct vs_service old = *is;

			old.first_real = s.first_real;
			old.real_count = s.real_count;
			s = old;
		} else if (refused) {
			continue;
		}
		w->services[kept++] = s;
	}
	w->service_count = kept;
}
