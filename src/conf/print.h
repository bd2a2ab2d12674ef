/* The whole effective configuration as text that config_read_path() reads back to equal tables. */
#ifndef TANDEM_CONF_PRINT_H
#define TANDEM_CONF_PRINT_H

#include "conf/config.h"

#include <stdio.h>

void config_print(const struct config *c, FILE *to);

#endif
