/* The client's side of the control socket: one request out, lines in, every wait bounded. */
#ifndef TANDEM_CONTROL_CLIENT_H
#define TANDEM_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

struct control_link {
	int fd;
	char *buffer;
	size_t length, capacity;
};

/* Connects to DIR/tandem.sock. 0 or a negative errno. */
int control_link_open(struct control_link *link, const char *dir);
void control_link_close(struct control_link *link);
/* 0 or a negative errno. The reference of `request` stays the caller's. */
int control_link_send(struct control_link *link, const json_t *request);
/* The same with a descriptor, which stays the caller's; -1: without. */
int control_link_send_with(struct control_link *link, const json_t *request, int fd);
/*
 * The next line. 0 and *out (the caller owns it), or a negative errno: -ETIMEDOUT, -EPIPE when the
 * other side closed, -EPROTO when the line is not a JSON object. timeout_ms -1: wait for ever.
 */
int control_link_receive(struct control_link *link, int timeout_ms, json_t **out);

#endif
