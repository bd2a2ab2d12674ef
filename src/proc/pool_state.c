/*
 * The files of the state directory, and the thread that writes them: a disk may take seconds, or not
 * answer at all, and verdicts, the kernel's table and the control socket must not wait for it. Of
 * each file the newest text waits while an older one is being written, so that nothing piles up.
 *
 * Two are to be there before what they tell of is done (first what is ours, then it is programmed), so
 * that a crash of this process in between leaves nothing that nobody knows of. These are waited for, but
 * not for long: to serve is worth more, and behind a disk that hangs nothing is waited for.
 *
 * What operators asked for is synced, and answered when it is (pool_control.c). The others are not: after a
 * power failure the kernel has neither our services nor our sysctls, and names can be asked for.
 */
#include "proc/pool_process.h"

#include "linux/worker.h"
#include "proc/state_file.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static const int64_t in_time_ns = 100 * NS_PER_MS;
static const int64_t told_after_ns = 3 * NS_PER_S;
static const int64_t end_ns = NS_PER_S; /* what is not stored by then is not stored */

static const struct {
	const char *name;
	bool synced, first;
	const char *trouble; /* what goes wrong then, and what to do */
} files[STATE_FILES] = {
	[STATE_SERVICES] = {"services", false, true, "cannot store which services are ours: what a "
		"later tandemd does not configure would stay in the kernel; see that the state "
		"directory can be written and has room"},
	[STATE_SYSCTLS] = {"sysctls", false, true, "cannot store what the sysctls of ip_vs were: "
		"after a crash they would not be put back; see that the state directory can be "
		"written and has room"},
	[STATE_OVERRIDES] = {"overrides", true, false, "cannot store the overrides of servers: a "
		"restart forgets them; see that the state directory can be written and has room"},
	[STATE_NAMES] = {"names", false, false, "cannot store the addresses of names: a restart "
		"would need DNS; see that the state directory can be written and has room"},
};

struct job {
	enum pool_state_file file;
	uint64_t number;
	int error;
	size_t length;
	char text[];
};

struct pool_state {
	struct pool *pool;
	struct worker *worker;
	ev_io watcher;
	struct job *waiting[STATE_FILES];
	enum pool_state_file at_work; /* STATE_FILES: nothing */
	mono begun;                   /* of that */
	bool told;                    /* ... that it takes long */
	uint64_t put[STATE_FILES], done[STATE_FILES]; /* numbers of texts */
	int error[STATE_FILES];       /* of the last one done */
};

/* In the thread. */
static void
work(void *context, void *job)
{
	const struct child *child = context;
	struct job *j = job;

	j->error = state_file_write(child->state_dir, files[j->file].name, j->text, j->length,
		files[j->file].synced);
}

static void
log_trouble(struct pool *p, enum pool_state_file file, enum log_level level, const char *detail,
	int error)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&p->state_limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "pool");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "detail", detail);
	log_line_text(&line, "directory", p->child->state_dir);
	log_line_text(&line, "file", files[file].name);
	if (error != 0)
		log_line_text(&line, "error", strerror(-error));
	log_emit(&p->child->log, level, &line);
}

static void
begin_next(struct pool_state *s)
{
	for (int i = 0; s->at_work == STATE_FILES && i < STATE_FILES; i++) {
		if (!s->waiting[i] || !worker_submit(s->worker, s->waiting[i]))
			continue;
		s->waiting[i] = NULL;
		s->at_work = (enum pool_state_file)i;
		s->begun = mono_now();
		s->told = false;
	}
}

static void
collect(struct pool_state *s)
{
	struct job *j;

	while ((j = worker_next_done(s->worker)) != NULL) {
		s->at_work = STATE_FILES;
		s->done[j->file] = j->number;
		s->error[j->file] = j->error;
		begin_next(s);
		if (j->error != 0)
			log_trouble(s->pool, j->file, LOG_LEVEL_ERROR, files[j->file].trouble, j->error);
		if (j->file == STATE_OVERRIDES)
			control_stored(s->pool, j->number, j->error);
		free(j);
	}
}

static void
on_done(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	collect(w->data);
}

static bool
is_done(const struct pool_state *s, enum pool_state_file file)
{
	return s->done[file] == s->put[file];
}

static bool
all_done(const struct pool_state *s)
{
	bool done = true;

	for (int i = 0; i < STATE_FILES; i++)
		done = done && is_done(s, (enum pool_state_file)i);
	return done;
}

/* Waits until then for the thread to have done something. */
static void
wait_until(struct pool_state *s, mono deadline)
{
	struct pollfd p = {.fd = worker_fd(s->worker), .events = POLLIN};
	int64_t left_ns = mono_diff_ns(deadline, mono_now());

	if (left_ns > 0)
		poll(&p, 1, (int)(left_ns / NS_PER_MS) + 1);
	collect(s);
}

FILE *
state_text(struct state_text *t)
{
	*t = (struct state_text){.bytes = NULL};
	return t->f = open_memstream(&t->bytes, &t->length);
}

void
state_put_text(struct pool *p, enum pool_state_file file, struct state_text *t)
{
	bool whole = t->f && ferror(t->f) == 0;

	whole = t->f && fclose(t->f) == 0 && whole;
	state_put(p, file, whole ? t->bytes : NULL, t->length);
	free(t->bytes);
}

void
state_put(struct pool *p, enum pool_state_file file, const char *text, size_t length)
{
	struct pool_state *s = p->state;
	struct job *j = text ? malloc(sizeof(*j) + length) : NULL;
	mono now = mono_now(), deadline = mono_add_ns(now, in_time_ns);

	if (!j) {
		s->error[file] = -ENOMEM;
		log_trouble(p, file, LOG_LEVEL_ERROR, files[file].trouble, -ENOMEM);
		return;
	}
	*j = (struct job){.file = file, .number = ++s->put[file], .length = length};
	memcpy(j->text, text, length);
	free(s->waiting[file]);
	s->waiting[file] = j;
	if (s->at_work != STATE_FILES && mono_diff_ns(now, s->begun) >= in_time_ns)
		return; /* it hangs */
	begin_next(s);
	while (files[file].first && !is_done(s, file) && !mono_due(deadline, mono_now()))
		wait_until(s, deadline);
}

int
state_result(const struct pool *p, enum pool_state_file file, uint64_t *number)
{
	const struct pool_state *s = p->state;

	*number = s->put[file];
	return is_done(s, file) ? s->error[file] : -EINPROGRESS;
}

int
state_read(const struct pool *p, enum pool_state_file file, char **text, size_t *length)
{
	return state_file_read(p->child->state_dir, files[file].name, text, length);
}

void
state_second(struct pool *p)
{
	struct pool_state *s = p->state;

	if (s->told || s->at_work == STATE_FILES ||
		mono_diff_ns(mono_now(), s->begun) < told_after_ns)
		return;
	s->told = true;
	log_trouble(p, s->at_work, LOG_LEVEL_WARNING, "the disk of the state directory does not answer; "
		"what operators change is in force, and not stored until it does", 0);
}

int
state_open(struct pool *p)
{
	struct pool_state *s = calloc(1, sizeof(*s));
	int error;

	if (!s)
		return -ENOMEM;
	s->pool = p;
	s->at_work = STATE_FILES;
	p->state_limit = (struct log_limit){.every_ns = 30 * NS_PER_S, .burst = STATE_FILES};
	error = worker_start(work, NULL, p->child, &s->worker);
	if (error != 0) {
		free(s);
		return error;
	}
	ev_io_init(&s->watcher, on_done, worker_fd(s->worker), EV_READ);
	s->watcher.data = s;
	ev_io_start(p->loop, &s->watcher);
	p->state = s;
	return 0;
}

/* A thread that waits for a disk that hangs ends with the process, and not before. */
void
state_close(struct pool *p)
{
	struct pool_state *s = p->state;
	mono deadline = mono_add_ns(mono_now(), end_ns);

	if (!s)
		return;
	ev_io_stop(p->loop, &s->watcher);
	while (!all_done(s) && !mono_due(deadline, mono_now()))
		wait_until(s, deadline);
	if (s->at_work != STATE_FILES)
		return;
	worker_stop(s->worker);
	free(s);
	p->state = NULL;
}
