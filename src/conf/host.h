/*
 * A real server's address as a name: "web1.example.net:8080", or "web1" alone, with the port that the
 * client used. What the name stands for is not known here (src/proc/pool_names.c).
 */
#ifndef TANDEM_CONF_HOST_H
#define TANDEM_CONF_HOST_H

#include "conf/config.h"

enum { HOST_TEXT = LIMIT_HOST + 6, SERVER_TEXT = HOST_TEXT };

/*
 * Labels of letters, digits and '-' as RFC 1123 2.1 has them, the last one with a letter in it (so that no
 * mistyped address is a name). Port 0: none was given. False: that is none; nothing is written.
 */
bool host_parse(const char *text, char host[LIMIT_HOST], uint16_t *port);
/* The same back; "web1" for port 0. */
const char *host_format(const char *host, uint16_t port, char out[HOST_TEXT]);

/* As it is configured: by the name in row `host` - 1 of hosts[], or, for 0, by its address. */
const char *server_format(const struct config *c, const struct endpoint *e, uint32_t host,
	char out[SERVER_TEXT]);

/* What a virtual server's clients come by: the family of the addresses that its servers' names give. */
uint8_t host_family(const struct config *c, const struct conf_virtual *v);

#endif
