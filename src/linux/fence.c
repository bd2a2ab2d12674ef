/* The egress fence's thread. See fence.h. */
#include "linux/fence.h"

#include "linux/worker.h"

#include <errno.h>
#include <stdlib.h>

struct fence {
	struct worker *worker;
	struct fence_table *table; /* from here on the thread's */
	struct fence_plan *plan;   /* what was asked for last */
	bool built;                /* and the kernel took it */
};

struct fence_job *
fence_job_new(enum fence_verb verb, size_t count)
{
	struct fence_job *job = calloc(1, sizeof(*job) + count * sizeof(job->items[0]));

	if (!job)
		return NULL;
	job->verb = verb;
	job->count = count;
	return job;
}

static int
build(struct fence *f)
{
	int error = -fence_table_build(f->table, f->plan);

	f->built = error == 0;
	return error;
}

static int
take_plan(struct fence *f, struct fence_job *job)
{
	fence_plan_free(f->plan);
	f->plan = job->plan;
	job->plan = NULL;
	if (!mono_before(mono_now(), job->not_after))
		f->plan->open_count = 0;
	return build(f);
}

/* And a table if that is what is missing. */
static int
open_item(struct fence *f, struct fence_job *job, struct fence_item *item)
{
	int error = fence_table_add(f->table, item);

	f->plan->open_count = 0; /* of another moment */
	if (error == -ENOENT && build(f) == 0) { /* somebody's `nft flush ruleset` */
		job->rebuilt = true;
		error = fence_table_add(f->table, item);
	}
	return -error;
}

static int
open_items(struct fence *f, struct fence_job *job)
{
	int error = 0;

	if (!f->built)
		return EOPNOTSUPP;
	if (!mono_before(mono_now(), job->not_after))
		return ETIME;
	for (size_t i = 0; i < job->count; i++) {
		job->items[i].error = open_item(f, job, &job->items[i]);
		if (error == 0)
			error = job->items[i].error;
	}
	return error;
}

/* All in one step, as a rule; when one has run out, each by itself. */
static int
keep_items(struct fence *f, struct fence_job *job)
{
	int error = -fence_table_keep(f->table, job->items, job->count);

	for (size_t i = 0; i < job->count; i++)
		job->items[i].error = error == 0 || job->count == 1 ? error
			: -fence_table_keep(f->table, &job->items[i], 1);
	return error;
}

static int
close_items(struct fence *f, struct fence_job *job)
{
	int error = 0;

	for (size_t i = 0; i < job->count; i++) {
		int one = -fence_table_delete(f->table, job->items[i].number);

		job->items[i].error = one == ENOENT ? 0 : one; /* it is silent already */
		if (error == 0)
			error = job->items[i].error;
	}
	return error;
}

static int
drop(struct fence *f)
{
	int error = -fence_table_remove(f->table);

	fence_plan_free(f->plan);
	f->plan = NULL;
	f->built = false;
	return error == ENOENT ? 0 : error;
}

static void
work(void *fence, void *submitted)
{
	struct fence *f = fence;
	struct fence_job *job = submitted;

	switch (job->verb) {
	case FENCE_BUILD:
		job->error = take_plan(f, job);
		break;
	case FENCE_OPEN:
		job->error = open_items(f, job);
		break;
	case FENCE_KEEP:
		job->error = keep_items(f, job);
		break;
	case FENCE_CLOSE:
		job->error = close_items(f, job);
		break;
	case FENCE_DROP:
		job->error = drop(f);
		break;
	}
}

int
fence_start(const char *name, struct fence **out)
{
	struct fence *f = calloc(1, sizeof(*f));
	int error;

	if (!f)
		return -ENOMEM;
	error = fence_table_open(name, &f->table);
	if (error == 0)
		error = worker_start(work, NULL, f, &f->worker);
	if (error == 0) {
		*out = f;
		return 0;
	}
	fence_table_close(f->table);
	free(f);
	return error;
}

int
fence_fd(const struct fence *f)
{
	return worker_fd(f->worker);
}

bool
fence_submit(struct fence *f, struct fence_job *job)
{
	return worker_submit(f->worker, job);
}

struct fence_job *
fence_next_done(struct fence *f)
{
	return worker_next_done(f->worker);
}

struct fence_job *
fence_wait_done(struct fence *f)
{
	return worker_wait_done(f->worker);
}

void
fence_stop(struct fence *f)
{
	worker_stop(f->worker);
	fence_table_close(f->table);
	fence_plan_free(f->plan);
	free(f);
}
