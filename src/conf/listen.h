/*
 * What a virtual server listens on: an address or a range of them, a port or a range of them. Each
 * pair is one service of the kernel. Text: "10.77.0.100:80", "10.77.0.100:8000-8010",
 * "10.77.0.100-10.77.0.103:80", "[fd00:77::100]-[fd00:77::103]:80"; port 0 alone is every port.
 */
#ifndef TANDEM_CONF_LISTEN_H
#define TANDEM_CONF_LISTEN_H

#include "conf/config.h"

enum { LISTEN_TEXT = 2 * 48 + 16 }; /* longest text with NUL */

/* False when it is not that; *out is then unchanged. Ends are in order, both of one family. */
bool listen_parse(const char *text, struct conf_listen *out);
const char *listen_format(const struct conf_listen *listen, char out[LISTEN_TEXT]);
/* How many pairs of address and port; UINT32_MAX when there are more than LIMIT_LISTENS. */
uint32_t listen_count(const struct conf_listen *listen);
/* The i-th of them, i < listen_count(). */
struct endpoint listen_at(const struct conf_listen *listen, uint32_t i);

#endif
