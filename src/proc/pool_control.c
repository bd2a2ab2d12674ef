/*
 * The commands of the control socket. What the pool process knows it answers itself; a switchover
 * goes to the election, a reload to the supervisor, and the client waits for their answer.
 */
#include "proc/pool_process.h"

#include "control/server.h"
#include "ipc/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PENDING_MAX = CONTROL_CLIENTS };
static const int64_t patience_ns = 5 * NS_PER_S;
static const int64_t look_patience_ns = 3 * NS_PER_S; /* what comes then is to be stored, too */
static const int64_t apply_patience_ns = 30 * NS_PER_S; /* a large table takes its time */

/* A client that waits for another process, for the disk, or for a look at the kernel's connections. */
struct pending {
	uint64_t id;     /* of the request, as the other process knows it; 0: free */
	uint64_t client;
	enum control_command command;
	mono deadline;
	json_t *answer;  /* it is done, and to be stored; NULL: another process has the answer */
	uint64_t text;   /* ... with that one of STATE_OVERRIDES */
	uint64_t look;   /* it is done, and told after that look; 0: it waits for something else */
	char server[2 * LIMIT_NAME]; /* ... of what is drained */
};

struct pool_control {
	struct pool *pool;
	struct control_server *server;
	struct pending pending[PENDING_MAX];
	uint64_t last_id;
	ev_timer patience_timer;
	char group[LIMIT_NAME]; /* as last set */
};

static struct pending *
pending_by_id(struct pool_control *c, uint64_t id)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (id != 0 && c->pending[i].id == id)
			return &c->pending[i];
	return NULL;
}

static struct pending *
pending_free(struct pool_control *c)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (c->pending[i].id == 0)
			return &c->pending[i];
	return NULL;
}

static void
arm(struct pool_control *c)
{
	if (!ev_is_active(&c->patience_timer))
		ev_timer_again(c->pool->loop, &c->patience_timer);
}

/* What was asked for is in force, and not stored: that is a line of the answer. */
static void
warn(json_t *answer, int error)
{
	char text[256];

	if (error == -EINPROGRESS)
		snprintf(text, sizeof(text), "warning: not stored yet, the disk of the state "
			"directory does not answer; a restart of tandemd now forgets it");
	else
		snprintf(text, sizeof(text), "warning: cannot be stored (%s); a restart of "
			"tandemd forgets it", strerror(-error));
	json_array_append_new(json_object_get(answer, "lines"), json_string(text));
}

/* `error`: why it is not stored; 0: it is. */
static void
answer_pending(struct pool_control *c, struct pending *p, int error)
{
	struct control_client *client = control_find(c->server, p->client);
	json_t *answer = p->answer;

	*p = (struct pending){.id = 0};
	if (error != 0)
		warn(answer, error);
	if (client)
		control_answer(client, answer);
	else
		json_decref(answer);
}

static void
answer_look(struct pool_control *c, struct pending *p)
{
	struct control_client *client = control_find(c->server, p->client);
	char server[sizeof(p->server)];

	memcpy(server, p->server, sizeof(server));
	*p = (struct pending){.id = 0};
	if (client)
		operate_answer_drain(c->pool, client, server);
}

static void
lose_patience(struct pool_control *c, struct pending *p)
{
	struct control_client *client = control_find(c->server, p->client);

	if (p->look != 0) {
		answer_look(c, p); /* with what is known */
		return;
	}
	if (p->answer) {
		answer_pending(c, p, -EINPROGRESS);
		return;
	}
	p->id = 0;
	if (client)
		control_refuse(client, p->command == CONTROL_APPLY
			? "no answer from the supervisor in 30 s"
			: p->command == CONTROL_RELOAD
			? "no answer from the supervisor in 5 s"
			: "no answer from the election process in 5 s");
}

static void
on_patience(struct ev_loop *loop, ev_timer *w, int events)
{
	struct pool_control *c = w->data;
	mono now = mono_now();
	bool waiting = false;

	(void)events;
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (c->pending[i].id != 0 && mono_due(c->pending[i].deadline, now))
			lose_patience(c, &c->pending[i]);
	for (size_t i = 0; i < PENDING_MAX; i++) /* whose look it was may wait for the disk now */
		waiting = waiting || c->pending[i].id != 0;
	if (!waiting)
		ev_timer_stop(loop, w);
}

/* Ask another process; the client waits. */
static void
ask(struct pool_control *c, struct control_client *client, enum control_command command, int fd,
	uint32_t kind, const void *payload, size_t size, int passed_fd)
{
	struct pending *p = pending_free(c);

	if (!p) {
		control_refuse(client, "too many requests are being worked on");
		return;
	}
	if (fd == -1 || channel_send(fd, kind, payload, size, passed_fd) == -1) {
		control_refuse(client, command != CONTROL_SWITCHOVER
			? "the supervisor does not take requests now"
			: "the election process does not run or takes no requests now; try again");
		return;
	}
	*p = (struct pending){.id = c->last_id, .client = control_wait(client), .command = command,
		.deadline = mono_add_ns(mono_now(),
			command == CONTROL_APPLY ? apply_patience_ns : patience_ns)};
	arm(c);
}

void
control_answer_stored(struct pool *p, struct control_client *client, json_t *answer)
{
	struct pool_control *c = p->control;
	struct pending *pending = pending_free(c);
	uint64_t text;
	int error = state_result(p, STATE_OVERRIDES, &text);

	if (error == -EINPROGRESS && pending) {
		*pending = (struct pending){.id = ++c->last_id, .client = control_wait(client),
			.deadline = mono_add_ns(mono_now(), patience_ns), .answer = answer,
			.text = text};
		arm(c);
		return;
	}
	if (error != 0)
		warn(answer, error);
	control_answer(client, answer);
}

void
control_stored(struct pool *p, uint64_t number, int error)
{
	struct pool_control *c = p->control;

	for (size_t i = 0; c && i < PENDING_MAX; i++)
		if (c->pending[i].answer && c->pending[i].text <= number)
			answer_pending(c, &c->pending[i], error);
}

bool
control_answer_looked(struct pool *p, struct control_client *client, const char *server, uint64_t look)
{
	struct pool_control *c = p->control;
	struct pending *pending = pending_free(c);

	if (!pending)
		return false;
	*pending = (struct pending){.id = ++c->last_id, .client = control_wait(client),
		.deadline = mono_add_ns(mono_now(), look_patience_ns), .look = look};
	snprintf(pending->server, sizeof(pending->server), "%s", server);
	arm(c);
	return true;
}

void
control_looked(struct pool *p, uint64_t number)
{
	struct pool_control *c = p->control;

	for (size_t i = 0; c && i < PENDING_MAX; i++)
		if (c->pending[i].look != 0 && c->pending[i].look <= number)
			answer_look(c, &c->pending[i]);
}

/* Who asked for what: an operator's hand must be visible beside what followed from it. */
static void
log_command(struct pool_control *c, const struct control_client *client,
	const struct control_request *request)
{
	struct log_line line;
	int pid, uid;

	control_peer(client, &pid, &uid);
	log_line_begin(&line, "control");
	log_line_text(&line, "command", control_command_name(request->command));
	log_line_reason(&line, REASON_OPERATOR);
	if (request->router[0] != '\0')
		log_line_text(&line, "router", request->router);
	if (request->server[0] != '\0')
		log_line_text(&line, "server", request->server);
	if (request->file[0] != '\0')
		log_line_text(&line, "file", request->file);
	log_line_int(&line, "uid", uid);
	log_line_int(&line, "pid", pid);
	log_emit(&c->pool->child->log, LOG_LEVEL_NOTICE, &line);
}

static json_t *
event_json(const struct ipc_event *e, uint64_t number, mono now)
{
	return json_pack("{s:I, s:I, s:s, s:o}",
		"number", (json_int_t)number,
		"age_ms", (json_int_t)(mono_diff_ns(now, (mono){e->at_ns}) / NS_PER_MS),
		"level", log_level_name((enum log_level)e->level),
		"line", json_stringn(e->text, strnlen(e->text, sizeof(e->text))));
}

static void
answer_events(struct pool_control *c, struct control_client *client, bool follow)
{
	const struct pool *p = c->pool;
	size_t first = (p->event_next + LIMIT_EVENTS - p->event_held) % LIMIT_EVENTS;
	json_t *list = json_array();
	mono now = mono_now();

	for (size_t i = 0; i < p->event_held; i++)
		json_array_append_new(list, event_json(&p->events[(first + i) % LIMIT_EVENTS],
			p->event_total - p->event_held + i, now));
	if (follow)
		control_follow(client);
	control_answer(client, json_pack("{s:o}", "events", list));
}

static void
answer_plan(struct pool *p, struct control_client *client, const char *file)
{
	int fd = control_take_descriptor(client);
	const char *refusal;
	json_t *plan;

	if (fd == -1) {
		control_refuse(client, "a plan needs a packed configuration as a descriptor");
		return;
	}
	plan = preview_plan(p, file, fd, &refusal);
	close(fd);
	if (plan)
		control_answer(client, plan);
	else
		control_refuse(client, refusal);
}

static void
apply(struct pool_control *c, struct control_client *client)
{
	struct ipc_apply order = {.id = ++c->last_id};
	char refusal[PREVIEW_REFUSAL];
	int fd = preview_order(c->pool, &order, refusal);

	if (fd == -1) {
		control_refuse(client, refusal);
		return;
	}
	ask(c, client, CONTROL_APPLY, c->pool->child->supervisor_fd, IPC_APPLY, &order,
		sizeof(order), fd);
	close(fd);
}

static void
request(void *context, struct control_client *client, const struct control_request *r)
{
	struct pool_control *c = context;
	struct pool *p = c->pool;
	struct ipc_switchover wish = {.id = c->last_id + 1};
	struct ipc_request reload = {.id = c->last_id + 1};

	if (p->generation == 0) {
		control_refuse(client, "tandemd is starting");
		return;
	}
	switch (r->command) {
	case CONTROL_STATUS:
		control_answer(client, status_json(p));
		break;
	case CONTROL_EVENTS:
		answer_events(c, client, r->follow);
		break;
	case CONTROL_SWITCHOVER:
		log_command(c, client, r);
		memcpy(wish.router, r->router, sizeof(wish.router));
		c->last_id++;
		ask(c, client, r->command, p->election_fd, IPC_SWITCHOVER, &wish, sizeof(wish), -1);
		break;
	case CONTROL_DRAIN:
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
	case CONTROL_WEIGHT:
	case CONTROL_ADD:
	case CONTROL_REMOVE:
		log_command(c, client, r);
		operate(p, client, r);
		break;
	case CONTROL_RELOAD:
		log_command(c, client, r);
		c->last_id++;
		ask(c, client, r->command, p->child->supervisor_fd, IPC_STATE_REQUEST, &reload,
			sizeof(reload), -1);
		break;
	case CONTROL_PLAN:
		log_command(c, client, r);
		answer_plan(p, client, r->file);
		break;
	case CONTROL_APPLY:
		log_command(c, client, r);
		apply(c, client);
		break;
	}
}

int
control_start(struct pool *p)
{
	struct control_handlers handlers = {.request = request};
	struct pool_control *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->pool = p;
	handlers.context = c;
	ev_timer_init(&c->patience_timer, on_patience, 0., .25);
	c->patience_timer.data = c;
	error = control_server_start(p->loop, p->child->run_dir, &p->child->log, &handlers,
		&c->server);
	if (error != 0) {
		free(c);
		return error;
	}
	p->control = c;
	return 0;
}

void
control_stop(struct pool *p)
{
	if (!p->control)
		return;
	ev_timer_stop(p->loop, &p->control->patience_timer);
	for (size_t i = 0; i < PENDING_MAX; i++)
		json_decref(p->control->pending[i].answer);
	control_server_stop(p->control->server);
	free(p->control);
	p->control = NULL;
}

void
control_event(struct pool *p, const struct ipc_event *event)
{
	json_t *object;

	if (!p->control || !control_has_followers(p->control->server))
		return;
	object = json_pack("{s:o}", "event", event_json(event, p->event_total, mono_now()));
	if (object)
		control_broadcast(p->control->server, object);
	json_decref(object);
}

/* What was asked for is answered with a text, and a plan with what was done. */
static json_t *
done_json(struct pool *p, enum control_command command, const char *text)
{
	return command == CONTROL_APPLY ? preview_done(p) : json_pack("{s:s}", "text", text);
}

/* Give the answer to whom waits for it; too late or gone meanwhile: nobody. */
static void
finish(struct pool *p, enum control_command command, const struct ipc_result *result)
{
	struct pool_control *c = p->control;
	struct pending *pending = c ? pending_by_id(c, result->id) : NULL;
	struct control_client *client;
	char text[sizeof(result->text)];
	json_t *answer;

	if (!pending || pending->command != command)
		return;
	client = control_find(c->server, pending->client);
	pending->id = 0;
	memcpy(text, result->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	answer = result->ok ? done_json(p, command, text) : NULL;
	if (client && result->ok)
		control_answer(client, answer);
	else if (client)
		control_refuse(client, text);
	else
		json_decref(answer);
}

void
control_switchover_result(struct pool *p, const struct ipc_result *result)
{
	finish(p, CONTROL_SWITCHOVER, result);
}

void
control_reload_result(struct pool *p, const struct ipc_result *result)
{
	finish(p, CONTROL_RELOAD, result);
	finish(p, CONTROL_APPLY, result);
}

void
control_configured(struct pool *p)
{
	const char *group = p->config.control_group;
	struct pool_control *c = p->control;
	struct log_line line;
	int error;

	if (!c || strcmp(c->group, group) == 0)
		return;
	memcpy(c->group, p->config.control_group, sizeof(c->group));
	error = control_server_set_group(c->server, group);
	if (error == 0)
		return;
	log_line_begin(&line, "config");
	log_line_reason(&line, REASON_SYSTEM);
	log_line_text(&line, "group", group);
	log_line_text(&line, "detail", error == -ENOENT
		? "control.group does not exist on this node; only root can use tandemctl"
		: "cannot give the control socket to control.group; only root can use tandemctl");
	if (error != -ENOENT)
		log_line_text(&line, "error", strerror(-error));
	log_emit(&p->child->log, LOG_LEVEL_WARNING, &line);
}

struct control_stats
control_stats(const struct pool *p)
{
	return p->control ? control_server_stats(p->control->server)
			  : (struct control_stats){.clients = 0};
}
