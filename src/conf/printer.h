/* Between the files that print the configuration. */
#ifndef TANDEM_CONF_PRINTER_H
#define TANDEM_CONF_PRINTER_H

#include "conf/config.h"

#include <stdio.h>

/* A text as libconfig reads it. */
void put_text(FILE *to, const char *text);
/* INDENT KEY = "TEXT"; */
void put_key_text(FILE *to, const char *indent, const char *key, const char *text);
const char *truth(bool value); /* "true", "false" */

void print_probe(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to);
void print_agent(const struct config *c, const struct conf_probe *p, const char *indent, FILE *to);
/* print_pool.c */
void print_virtual(const struct config *c, const struct conf_virtual *v, FILE *to);
void print_sync(const struct conf_sync *sync, FILE *to);

#endif
