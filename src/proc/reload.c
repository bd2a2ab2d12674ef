/*
 * The configuration and its way to the other processes. A new file is read and checked completely
 * before anything changes; a file with errors changes nothing. What is sent is the checked tables,
 * not the text: no other process parses anything.
 */
#include "proc/supervisor.h"

#include "conf/pack.h"
#include "ipc/channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static void
log_errors(struct supervisor *s, const struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct conf_error *e = &errors->list[i];
		struct log_line line;

		log_line_begin(&line, "config");
		log_line_reason(&line, REASON_REFUSED);
		log_line_text(&line, "file", e->file);
		log_line_int(&line, "line", e->line);
		log_line_text(&line, "detail", e->message);
		log_emit(&s->log, LOG_LEVEL_ERROR, &line);
	}
}

static void
log_loaded(struct supervisor *s, bool changed)
{
	struct log_line line;

	log_line_begin(&line, "config");
	log_line_reason(&line, REASON_LOADED);
	log_line_text(&line, "file", s->options.config_path);
	log_line_text(&line, "node", s->config.nodes[s->node].name);
	log_line_int(&line, "generation", (int64_t)s->generation);
	log_line_text(&line, "changed", changed ? "yes" : "no");
	log_line_int(&line, "routers", s->config.router_count);
	log_line_int(&line, "virtual_servers", s->config.virtual_count);
	log_emit(&s->log, LOG_LEVEL_NOTICE, &line);
}

static void
answer(struct supervisor *s, bool ok, const char *text)
{
	struct supervised *pool = children_find(s, PROCESS_POOL, 0);
	struct ipc_result result = {.id = s->reload_waiting.id, .ok = ok};

	if (s->reload_waiting.id == 0 || pool->fd == -1)
		return;
	snprintf(result.text, sizeof(result.text), "%s", text);
	channel_send(pool->fd, IPC_RELOAD_RESULT, &result, sizeof(result), -1);
	s->reload_waiting.id = 0;
}

static void
answer_errors(struct supervisor *s, const struct conf_errors *errors)
{
	char text[sizeof(((struct ipc_result *)0)->text)] = "";
	size_t used = 0;

	for (size_t i = 0; i < errors->count && used < sizeof(text) - 1; i++) {
		const struct conf_error *e = &errors->list[i];
		int n = snprintf(text + used, sizeof(text) - used, "%s%s:%d: %s",
			i == 0 ? "" : "\n", e->file, e->line, e->message);

		used += n > 0 ? (size_t)n : 0;
	}
	answer(s, false, text);
}

/* Take over checked tables: they become current only when they can be sent. */
static int
adopt(struct supervisor *s, struct config *fresh)
{
	int fd = config_pack(fresh);

	if (fd == -1)
		return -errno;
	if (s->config_fd != -1)
		close(s->config_fd);
	s->config_fd = fd;
	if (fresh != &s->config) {
		config_free(&s->config);
		s->config = *fresh;
	}
	s->generation++;
	s->log.facility = s->config.facility;
	s->log.level = (enum log_level)s->config.log_level;
	return 0;
}

int
reload_first(struct supervisor *s)
{
	int error = adopt(s, &s->config);

	if (error == 0)
		log_loaded(s, true);
	return error;
}

/* The node this box is may move to another row, but it may not vanish. */
static bool
find_self(struct supervisor *s, const struct config *fresh, uint32_t *node)
{
	*node = config_find_node(fresh, s->config.nodes[s->node].name);
	return *node != CONF_NO_INDEX;
}

static void
refuse(struct supervisor *s, struct config *fresh, const char *why)
{
	struct log_line line;

	log_line_begin(&line, "config");
	log_line_reason(&line, REASON_REFUSED);
	log_line_text(&line, "file", s->options.config_path);
	log_line_text(&line, "detail", why);
	log_emit(&s->log, LOG_LEVEL_ERROR, &line);
	answer(s, false, why);
	config_free(fresh);
}

static void
take_fresh(struct supervisor *s, struct config *fresh)
{
	bool changed = !config_equal(fresh, &s->config);
	uint32_t node;

	if (!find_self(s, fresh, &node) || node != s->node) {
		refuse(s, fresh, "this node's entry in nodes is gone or moved; restart tandemd");
		return;
	}
	if (!changed) {
		config_free(fresh);
	} else if (adopt(s, fresh) != 0) {
		config_free(fresh);
		answer(s, false, "the system refused memory for the new configuration");
		return;
	} else {
		children_send_config(s);
		scripts_configure(s);
	}
	log_loaded(s, changed);
	answer(s, true, changed ? "loaded" : "unchanged");
}

static void
refuse_other(struct supervisor *s, struct config *fresh, const char *planned)
{
	const char *path = s->options.config_path;
	char why[sizeof(((struct ipc_result *)0)->text)];

	if (strcmp(path, planned) == 0)
		snprintf(why, sizeof(why), "%s is not what was planned any more; plan again", path);
	else
		snprintf(why, sizeof(why), "%s is not what was planned; copy %s to %s and plan again",
			path, planned, path);
	refuse(s, fresh, why);
}

/* `planned` NULL: whatever the file says. */
static void
reload(struct supervisor *s, const struct config *planned, const char *planned_file)
{
	struct config fresh = {0};
	struct conf_errors errors = {0};

	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(mono_now().ns / NS_PER_US));
	if (!config_read_path(s->options.config_path, &fresh, &errors)) {
		log_errors(s, &errors);
		answer_errors(s, &errors);
	} else if (planned && !config_equal_without_keys(&fresh, planned)) {
		refuse_other(s, &fresh, planned_file);
	} else {
		take_fresh(s, &fresh);
	}
	conf_errors_free(&errors);
	sd_notify(0, "READY=1");
}

void
reload_now(struct supervisor *s)
{
	reload(s, NULL, NULL);
}

void
reload_planned(struct supervisor *s, const struct ipc_apply *order, int fd)
{
	struct config planned;
	char file[sizeof(order->file)];

	s->reload_waiting.id = order->id;
	memcpy(file, order->file, sizeof(file));
	file[sizeof(file) - 1] = '\0';
	if (config_unpack(fd, &planned))
		reload(s, &planned, file);
	else
		answer(s, false, "the plan did not reach the supervisor whole; plan again");
	config_free(&planned);
}
