/* The control socket's listening side: who may come in, and who must go. See server.h. */
#include "control/server_internal.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 64, ACCEPTS_A_TURN = 16 };
static const double accept_again_s = 0.5;

static int
open_socket(struct control_server *s)
{
	mode_t before;
	int fd, error = 0;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -errno;
	unlink(s->address.sun_path);
	before = umask(0177); /* never open to more than it shall be, not even for a moment */
	if (bind(fd, (struct sockaddr *)&s->address, sizeof(s->address)) == -1 ||
		listen(fd, BACKLOG) == -1)
		error = -errno;
	umask(before);
	if (error != 0) {
		close(fd);
		return error;
	}
	return fd;
}

void
control_log(struct control_server *s, enum reason why, const char *detail)
{
	struct log_line line;
	uint64_t suppressed;

	if (!log_limit_allow(&s->limit, mono_now(), &suppressed))
		return;
	log_line_begin(&line, "control");
	log_line_reason(&line, why);
	log_line_text(&line, "detail", detail);
	log_line_int(&line, "garbage", (int64_t)s->stats.garbage);
	log_line_int(&line, "dropped", (int64_t)s->stats.dropped);
	log_line_int(&line, "suppressed", (int64_t)suppressed);
	log_emit(s->log, LOG_LEVEL_WARNING, &line);
}

static void
turn_away(struct control_server *s, int fd)
{
	static const char full[] = "{\"ok\":false,\"error\":\"too many control clients\"}\n";

	s->stats.dropped++;
	if (send(fd, full, sizeof(full) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		errno = 0; /* it goes either way */
	close(fd);
	control_log(s, REASON_SLOW_CLIENT, "too many control clients");
}

static void
admit(struct control_server *s, int fd)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (s->clients[i])
			continue;
		s->clients[i] = control_client_new(s, fd);
		if (!s->clients[i])
			close(fd);
		return;
	}
	turn_away(s, fd);
}

static void
on_accept(struct ev_loop *loop, ev_io *w, int events)
{
	struct control_server *s = w->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd != -1) {
			admit(s, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			/* Still readable: wait for descriptors instead of spinning. */
			ev_io_stop(s->loop, &s->accept_watcher);
			ev_timer_set(&s->accept_timer, accept_again_s, 0.);
			ev_timer_start(s->loop, &s->accept_timer);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		}
	}
}

static void
on_accept_again(struct ev_loop *loop, ev_timer *w, int events)
{
	struct control_server *s = w->data;

	(void)events;
	ev_io_start(loop, &s->accept_watcher);
}

static void
on_sweep(struct ev_loop *loop, ev_timer *w, int events)
{
	struct control_server *s = w->data;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i])
			control_client_check_idle(s->clients[i], mono_now());
}

static void
on_turn(struct ev_loop *loop, ev_timer *w, int events)
{
	struct control_server *s = w->data;

	(void)loop;
	(void)events;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i])
			control_client_turn(s->clients[i]);
}

static void
watch(struct control_server *s)
{
	ev_io_init(&s->accept_watcher, on_accept, s->fd, EV_READ);
	s->accept_watcher.data = s;
	ev_io_start(s->loop, &s->accept_watcher);
	ev_timer_init(&s->accept_timer, on_accept_again, 0., 0.);
	s->accept_timer.data = s;
	ev_timer_init(&s->turn_timer, on_turn, 0., 0.);
	s->turn_timer.data = s;
	ev_timer_init(&s->sweep_timer, on_sweep, 1., 1.);
	s->sweep_timer.data = s;
	ev_timer_start(s->loop, &s->sweep_timer);
}

int
control_server_start(struct ev_loop *loop, const char *dir, struct logger *log,
	const struct control_handlers *handlers, struct control_server **out)
{
	struct control_server *s = calloc(1, sizeof(*s));
	int n;

	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->log = log;
	s->handlers = *handlers;
	s->limit = (struct log_limit){.every_ns = 10 * NS_PER_S, .burst = 3};
	s->address.sun_family = AF_UNIX;
	n = snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/tandem.sock", dir);
	s->fd = n < (int)sizeof(s->address.sun_path) ? open_socket(s) : -ENAMETOOLONG;
	if (s->fd < 0) {
		n = s->fd;
		free(s);
		return n;
	}
	watch(s);
	*out = s;
	return 0;
}

void
control_server_stop(struct control_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i])
			control_client_close(s->clients[i]);
	ev_io_stop(s->loop, &s->accept_watcher);
	ev_timer_stop(s->loop, &s->accept_timer);
	ev_timer_stop(s->loop, &s->turn_timer);
	ev_timer_stop(s->loop, &s->sweep_timer);
	close(s->fd);
	unlink(s->address.sun_path);
	free(s);
}

int
control_server_set_group(struct control_server *s, const char *group)
{
	const struct group *g = NULL;
	const char *path = s->address.sun_path;

	if (group[0] != '\0') {
		errno = 0;
		g = getgrnam(group);
		if (!g)
			return errno == 0 || errno == ESRCH ? -ENOENT : -errno;
	}
	/* Close first: no moment in which another group may come in. */
	if (chmod(path, 0600) == -1)
		return -errno;
	if (g && (lchown(path, (uid_t)-1, g->gr_gid) == -1 || chmod(path, 0660) == -1))
		return -errno;
	return 0;
}

struct control_stats
control_server_stats(const struct control_server *s)
{
	struct control_stats stats = s->stats;

	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		stats.clients += s->clients[i] != NULL;
	return stats;
}

struct control_client *
control_find(struct control_server *s, uint64_t id)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i] && s->clients[i]->id == id)
			return s->clients[i];
	return NULL;
}

bool
control_has_followers(const struct control_server *s)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i] && s->clients[i]->following)
			return true;
	return false;
}

void
control_broadcast(struct control_server *s, const json_t *object)
{
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (s->clients[i] && s->clients[i]->following)
			control_client_event(s->clients[i], object);
}
