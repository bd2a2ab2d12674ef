/* Text in aligned columns, as wide as their widest cell. */
#ifndef TANDEM_CONTROL_TABLE_H
#define TANDEM_CONTROL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS = 10, TABLE_CELL = 160 };

enum table_colour { TABLE_PLAIN, TABLE_GOOD, TABLE_BAD, TABLE_WARN, TABLE_FAINT };

struct table_cell {
	char text[TABLE_CELL];
	enum table_colour colour;
};

struct table {
	size_t columns, rows;
	struct table_cell (*cells)[TABLE_COLUMNS]; /* rows of them; the first is the heading */
	bool failed;                               /* no memory: incomplete */
	bool right[TABLE_COLUMNS];                 /* numbers: aligned to the right */
};

/* Start with a heading. */
void table_begin(struct table *t, const char *const *heading, size_t columns);
/* A new row, empty. */
void table_row(struct table *t);
/* Set a cell of the last row; unprintable bytes become '?', a text too long is cut. */
void table_set(struct table *t, size_t column, enum table_colour colour, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Print with this many blanks in front, and forget all. */
void table_end(struct table *t, FILE *to, const char *indent, bool colour);

/* The escape sequences around a coloured text; "" without colour. */
const char *table_colour_on(enum table_colour c, bool colour);
const char *table_colour_off(enum table_colour c, bool colour);

#endif
