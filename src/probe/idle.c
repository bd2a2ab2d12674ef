/*
 * Connections that are kept between probes (keep_alive). One belongs to its target and is looked at
 * when the next probe begins: one that the server closed meanwhile, or that says something nobody
 * asked for, is not used. They give way to probes when descriptors run short.
 */
#include "probe/kind.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void
forget(struct engine *e, struct target *t)
{
	t->idle = (struct idle){.fd = -1};
	TAILQ_REMOVE(&e->idle, t, idle_link);
	e->idle_count--;
}

void
idle_close(struct engine *e, struct target *t)
{
	if (!t->idle.open)
		return;
	SSL_free(t->idle.ssl);
	close(t->idle.fd);
	forget(e, t);
}

static bool
is_full(const struct engine *e)
{
	return e->stats.running + e->sockets_kept + e->idle_count > e->options.max_open;
}

void
idle_make_room(struct engine *e)
{
	while (e->idle_count > 0 && is_full(e))
		idle_close(e, TAILQ_FIRST(&e->idle));
}

void
idle_put(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct target *t = run->target;
	struct tls *tls = &run->http.tls;

	if (is_full(e) || (tls->ssl != NULL && SSL_has_pending(tls->ssl)))
		return;
	t->idle = (struct idle){.open = true, .ssl = tls->ssl, .fd = sockets_detach(run)};
	tls->ssl = NULL;
	TAILQ_INSERT_TAIL(&e->idle, t, idle_link);
	e->idle_count++;
}

/* A certificate that ended meanwhile is for a new handshake to refuse. */
static bool
is_quiet(const struct idle *idle)
{
	const struct tls tls = {.ssl = idle->ssl};
	char byte;

	if (recv(idle->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return false;
	return idle->ssl == NULL || tls_expires_s(&tls) > time(NULL);
}

bool
idle_take(struct probe_run *run)
{
	struct engine *e = run->engine;
	struct target *t = run->target;
	struct tls *tls = &run->http.tls;

	if (t->idle.open && (!is_quiet(&t->idle) || sockets_attach(run, t->idle.fd) == -1))
		idle_close(e, t);
	if (!t->idle.open)
		return false;
	tls->ssl = t->idle.ssl;
	if (tls->ssl != NULL)
		SSL_set_app_data(tls->ssl, tls);
	forget(e, t);
	return true;
}
