/* Text in aligned columns. See table.h. */
#include "control/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
table_begin(struct table *t, const char *const *heading, size_t columns)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
	table_row(t);
	for (size_t i = 0; i < columns; i++)
		table_set(t, i, TABLE_FAINT, "%s", heading[i]);
}

void
table_row(struct table *t)
{
	void *grown = t->failed ? NULL : realloc(t->cells, (t->rows + 1) * sizeof(*t->cells));

	if (!grown) {
		t->failed = true;
		return;
	}
	t->cells = grown;
	memset(&t->cells[t->rows++], 0, sizeof(*t->cells));
}

/* Width in characters: a UTF-8 continuation byte takes none. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void
table_set(struct table *t, size_t column, enum table_colour colour, const char *format, ...)
{
	struct table_cell *cell;
	va_list ap;

	if (t->failed)
		return;
	cell = &t->cells[t->rows - 1][column];
	cell->colour = colour;
	va_start(ap, format);
	vsnprintf(cell->text, sizeof(cell->text), format, ap);
	va_end(ap);
	for (char *c = cell->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

const char *
table_colour_on(enum table_colour c, bool colour)
{
	if (!colour)
		return "";
	switch (c) {
	case TABLE_PLAIN: return "";
	case TABLE_GOOD: return "\033[32m";
	case TABLE_BAD: return "\033[31m";
	case TABLE_WARN: return "\033[33m";
	case TABLE_FAINT: return "\033[2m";
	}
	return "";
}

const char *
table_colour_off(enum table_colour c, bool colour)
{
	return colour && c != TABLE_PLAIN ? "\033[0m" : "";
}

static void
measure(const struct table *t, size_t widths[TABLE_COLUMNS])
{
	memset(widths, 0, TABLE_COLUMNS * sizeof(widths[0]));
	for (size_t r = 0; r < t->rows; r++)
		for (size_t c = 0; c < t->columns; c++) {
			size_t w = width_of(t->cells[r][c].text);

			widths[c] = w > widths[c] ? w : widths[c];
		}
}

static void
print_cell(const struct table *t, const struct table_cell *cell, size_t column, size_t width,
	FILE *to, bool colour)
{
	int pad = (int)(width - width_of(cell->text));
	bool last = column + 1 == t->columns;

	fprintf(to, "%*s%s%s%s", t->right[column] ? pad : 0, "",
		table_colour_on(cell->colour, colour), cell->text,
		table_colour_off(cell->colour, colour));
	if (!last) /* nothing trails at the end of a line */
		fprintf(to, "%*s", (t->right[column] ? 0 : pad) + 2, "");
}

void
table_end(struct table *t, FILE *to, const char *indent, bool colour)
{
	size_t widths[TABLE_COLUMNS];

	measure(t, widths);
	for (size_t r = 0; r < t->rows; r++) {
		fputs(indent, to);
		for (size_t c = 0; c < t->columns; c++)
			print_cell(t, &t->cells[r][c], c, widths[c], to, colour);
		fputc('\n', to);
	}
	if (t->failed)
		fprintf(to, "%s(out of memory: incomplete)\n", indent);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}
