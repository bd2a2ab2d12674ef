/* What server.c (who may come in) and session.c (one client's lines) share. */
#ifndef TANDEM_CONTROL_SERVER_INTERNAL_H
#define TANDEM_CONTROL_SERVER_INTERNAL_H

#include "control/server.h"

#include <sys/un.h>

struct control_client {
	struct control_server *server;
	uint64_t id;
	int fd;
	ev_io watcher;
	char in[CONTROL_LINE_MAX + 1];
	size_t in_length;
	char *out;
	size_t out_length, out_at;
	bool waiting;   /* a request is being worked on elsewhere */
	bool following;
	bool closing;   /* as soon as the output is out */
	bool dead;      /* closed at the end of the turn it is in */
	bool busy;      /* its own code is on the stack: not freed now */
	mono progress;  /* last byte in or out */
	int descriptor; /* came with the line that is read now; -1: none */
};

struct control_server {
	struct ev_loop *loop;
	struct logger *log;
	struct control_handlers handlers;
	struct sockaddr_un address;
	int fd;
	uint64_t last_id;
	size_t output_bytes; /* of all clients */
	struct control_stats stats;
	struct log_limit limit;
	struct control_client *clients[CONTROL_CLIENTS];
	ev_io accept_watcher;
	ev_timer accept_timer, turn_timer, sweep_timer;
};

/* Rate-limited: what follows from a client's behaviour. */
void control_log(struct control_server *s, enum reason why, const char *detail);

/* session.c. After each of these the client may be gone. */
struct control_client *control_client_new(struct control_server *s, int fd);
void control_client_close(struct control_client *c);
void control_client_check_idle(struct control_client *c, mono now);
void control_client_turn(struct control_client *c); /* go on with lines already read */
void control_client_event(struct control_client *c, const json_t *object);

#endif
