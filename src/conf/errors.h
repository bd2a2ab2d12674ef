/* The errors of one reading, collected by flat line (see conf/text.h), in order at the end. */
#ifndef TANDEM_CONF_ERRORS_H
#define TANDEM_CONF_ERRORS_H

#include "conf/read.h"

struct text;

struct error_row {
	uint32_t line; /* of the flat text; 0: the file as a whole */
	uint32_t order;
	bool literal;  /* about the writing of a number: its value means nothing then */
	char message[sizeof(((struct conf_error *)0)->message)];
	char file[LIMIT_PATH]; /* not "": about a line of this file, which `line` names */
	uint32_t file_line;
};

struct errors {
	struct error_row *rows;
	size_t count, capacity, literals;
};

void errors_add(struct errors *e, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* About a line of a file that is no configuration, such as the key file; sorted by `line`. */
void errors_add_elsewhere(struct errors *e, uint32_t line, const char *file, uint32_t file_line,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
void errors_add_literal(struct errors *e, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Is there an error about the writing of a number on this line? */
bool errors_has_literal(const struct errors *e, uint32_t line);
/* In the order of the text, with the files and lines they came from. */
void errors_finish(struct errors *e, const struct text *text, struct conf_errors *out);

/*
 * Room for one more row of `size` bytes: returns the table, moved if need be. libconfig does not
 * survive a failed allocation, so there is nothing to win by going on here: it ends the program
 * with the exit code for what the system refused.
 */
void *conf_grow(void *rows, size_t count, size_t *capacity, size_t size);
/* Zero-filled table of that many rows (at least one); never NULL. */
void *conf_alloc(size_t count, size_t size);

#endif
