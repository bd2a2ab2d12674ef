/* Sockets for probes, with a mark for policy routing. Needs CAP_NET_ADMIN, and CAP_NET_RAW for ICMP. */
#ifndef TANDEM_LINUX_MARKED_SOCKET_H
#define TANDEM_LINUX_MARKED_SOCKET_H

#include <stdint.h>

/* That of ICMP sends echoes and hears nothing. */
enum marked_kind { MARKED_TCP, MARKED_UDP, MARKED_ICMP };

/* Non-blocking, close-on-exec; -1 with errno. `family` is enum ip_family. */
int marked_socket(enum marked_kind kind, uint8_t family, uint32_t mark);

#endif
