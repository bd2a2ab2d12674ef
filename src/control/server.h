/*
 * The control socket: a unix stream socket, one JSON object a line in both directions. A request
 * is answered by `{"ok":true,"result":...}` or `{"ok":false,"error":"..."}`.
 *
 * Nothing a client does or fails to do can hold up the process: every descriptor is non-blocking,
 * input is one line of CONTROL_LINE_MAX, a client's next request waits until its last answer is
 * out, a follower that does not read its events is dropped, an idle client is shown the door.
 * Of the descriptors that come with a request one is kept while it is worked on.
 */
#ifndef TANDEM_CONTROL_SERVER_H
#define TANDEM_CONTROL_SERVER_H

#include "base/log.h"
#include "control/request.h"

#include <ev.h>
#include <jansson.h>

enum {
	CONTROL_CLIENTS = 32,
	CONTROL_FOLLOW_BYTES = 1 << 20,  /* events a follower may leave unread */
	CONTROL_OUTPUT_BYTES = 64 << 20, /* unread answers of all clients together */
	CONTROL_IDLE_S = 30,
};

struct control_server;
struct control_client;

struct control_handlers {
	/* Answer now, or call control_wait() and answer later by the client's id. */
	void (*request)(void *context, struct control_client *client,
		const struct control_request *request);
	void *context;
};

struct control_stats {
	unsigned clients;
	uint64_t requests, garbage, dropped; /* dropped: too many, idle or too slow */
};

/*
 * Makes DIR/tandem.sock (mode 0600), replacing a stale one: the caller holds the directory's lock.
 * 0 or a negative errno. `log` must live as long as the server.
 */
int control_server_start(struct ev_loop *loop, const char *dir, struct logger *log,
	const struct control_handlers *handlers, struct control_server **out);
/* Closes every client and removes the socket. NULL is allowed. */
void control_server_stop(struct control_server *s);
/* Mode 0660 for that group, 0600 for "". 0 or a negative errno (-ENOENT: no such group). */
int control_server_set_group(struct control_server *s, const char *group);
struct control_stats control_server_stats(const struct control_server *s);

/* Answers take over the reference of `result` (NULL: an empty object). */
void control_answer(struct control_client *c, json_t *result);
void control_refuse(struct control_client *c, const char *error);
/* No answer yet; returns the id under which control_find() finds the client, never used twice. */
uint64_t control_wait(struct control_client *c);
struct control_client *control_find(struct control_server *s, uint64_t id);
/* The descriptor that came with the request, now the caller's; -1: none. In the handler only. */
int control_take_descriptor(struct control_client *c);
/* From here on the client gets every control_broadcast(). */
void control_follow(struct control_client *c);
/* The object goes as one line to every follower; the reference stays the caller's. */
void control_broadcast(struct control_server *s, const json_t *object);
bool control_has_followers(const struct control_server *s);

/* Who is on the other end, for the log; -1: unknown. */
void control_peer(const struct control_client *c, int *pid, int *uid);

#endif
