/*
 * The configuration's text before libconfig sees it.
 *
 * What libconfig 1.5 does with a text on its own is not good enough for a daemon that must survive
 * a reload: it wraps integers silently, exits the whole program when an @include names a folder,
 * takes a comment on the last line for a syntax error, lets a comment that is never closed hide
 * the rest of the file, ends a string at \x00, and tells the line of a setting without semicolon
 * wrongly. So the included files are put in place here, the tokens are looked through once, and
 * libconfig gets one flat text; a line of that text leads back to the file and line it came from.
 */
#ifndef TANDEM_CONF_TEXT_H
#define TANDEM_CONF_TEXT_H

#include "conf/errors.h"

struct text_origin {
	uint32_t file; /* row of files[] */
	uint32_t line; /* from 1 */
};

struct text {
	char *bytes; /* NUL-terminated */
	size_t length, capacity;
	struct text_origin *lines; /* lines[i]: where flat line i + 1 came from */
	size_t line_count, line_capacity;
	char (*files)[LIMIT_PATH];
	uint32_t file_count;
	size_t file_capacity;
	/* The flat line of every setting in the order of their appearance, the root not counted. */
	uint32_t *settings;
	size_t setting_count, setting_capacity;
};

/*
 * Reads the file and what it includes, then looks through the tokens. False: it could not be read
 * as a whole, and libconfig must not be asked. Errors are added in either case.
 */
bool text_load(struct text *t, const char *path, struct errors *errors);
void text_free(struct text *t);

/* Where a flat line came from; line 0 is the main file as a whole. */
const char *text_origin_file(const struct text *t, uint32_t flat_line);
int text_origin_line(const struct text *t, uint32_t flat_line);

#endif
