/*
 * Bytes in the configuration, for what a probe sends and expects. libconfig's own escapes (\r, \n,
 * \xHH) make every byte but zero, at which its texts end; so a text of bytes has escapes of its own
 * besides: \\r, \\n, \\t, \\xHH and, for a backslash, \\\\ in the file.
 */
#ifndef TANDEM_CONF_BYTES_H
#define TANDEM_CONF_BYTES_H

#include "conf/config.h"

#include <stdio.h>

/* What libconfig read to bytes. False: an escape that is none, or too long. */
bool bytes_parse(const char *text, struct conf_bytes *out);
/* As it may stand in the file, with its quotation marks. */
void bytes_print(const struct conf_bytes *bytes, FILE *to);

#endif
