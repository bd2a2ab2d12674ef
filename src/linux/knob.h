/*
 * Settings of one interface: /proc/sys/net/ipv4/conf/IF/KNOB and the same of ipv6. A kernel or a
 * container without a knob behaves as it always did: the caller decides whether that matters.
 */
#ifndef TANDEM_LINUX_KNOB_H
#define TANDEM_LINUX_KNOB_H

#include <stdbool.h>

/* `family` is "ipv4" or "ipv6". The value (0 or more), or -1 when there is none to read. */
int knob_get(const char *family, const char *interface, const char *knob);
/* Writes only what differs. False: not there, or not writable. */
bool knob_set(const char *family, const char *interface, const char *knob, int value);

#endif
