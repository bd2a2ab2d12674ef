/*
 * From the file to the tables of config.h: libconfig parses, this walks every group against the
 * table of known keys, checks every value and every relation, and collects all errors.
 *
 * - An unknown key, a wrong type, a value out of range, a duplicate name, an address used twice,
 *   a reference to nothing: an error with file and line.
 * - A key of the design whose feature is not built yet: an error that says so ("not available in
 *   this version"), never silently accepted.
 * - libconfig 1.5 silently wraps integers beyond 2^31; the text is scanned for such literals first
 *   (conf/text.h tells what else it is kept away from).
 * - @include is resolved against the folder of the main file.
 */
#ifndef TANDEM_CONF_READ_H
#define TANDEM_CONF_READ_H

#include "conf/config.h"

#include <stdio.h>

struct conf_error {
	char file[LIMIT_PATH];
	int line;          /* 0: the file as a whole */
	char message[384]; /* object, cause, and what the operator can do */
};

struct conf_errors {
	struct conf_error *list;
	size_t count;
};

/*
 * Reads and checks. True: *out is whole (the caller frees it with config_free()), errors->count
 * is 0. False: *out is empty and errors holds at least one entry, in the order of the text (an
 * included file's where it is included); free it with conf_errors_free().
 */
bool config_read_path(const char *path, struct config *out, struct conf_errors *errors);
/* The same without opening key_file or a ca_file: for examples, and where the caller may not read it. */
bool config_read_without_keys(const char *path, struct config *out, struct conf_errors *errors);
void conf_errors_free(struct conf_errors *errors);
/* Print each as `FILE:LINE: message`. */
void conf_errors_print(const struct conf_errors *errors, FILE *to);

#endif
