/* Errors in order. See errors.h and read.h. */
#include "conf/errors.h"
#include "conf/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void
out_of_memory(void)
{
	fputs("tandemd: out of memory while reading the configuration\n", stderr);
	exit(2);
}

void *
conf_alloc(size_t count, size_t size)
{
	void *rows = calloc(count ? count : 1, size);

	if (!rows)
		out_of_memory();
	return rows;
}

void *
conf_grow(void *rows, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 16;
	void *moved;

	if (count < *capacity)
		return rows;
	moved = reallocarray(rows, wanted, size);
	if (!moved)
		out_of_memory();
	*capacity = wanted;
	return moved;
}

/* What stands in the file is repeated in messages that go to terminals and logs. */
static void
blank_control_bytes(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void __attribute__((format(printf, 4, 0)))
add(struct errors *e, uint32_t line, bool literal, const char *format, va_list ap)
{
	struct error_row *row;

	e->rows = conf_grow(e->rows, e->count, &e->capacity, sizeof(*e->rows));
	row = &e->rows[e->count];
	memset(row, 0, sizeof(*row));
	row->line = line;
	row->order = (uint32_t)e->count;
	row->literal = literal;
	vsnprintf(row->message, sizeof(row->message), format, ap);
	blank_control_bytes(row->message);
	e->count++;
}

void
errors_add(struct errors *e, uint32_t line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(e, line, false, format, ap);
	va_end(ap);
}

void
errors_add_literal(struct errors *e, uint32_t line, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(e, line, true, format, ap);
	e->literals++;
	va_end(ap);
}

void
errors_add_elsewhere(struct errors *e, uint32_t line, const char *file, uint32_t file_line,
	const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(e, line, false, format, ap);
	va_end(ap);
	snprintf(e->rows[e->count - 1].file, sizeof(e->rows->file), "%s", file);
	e->rows[e->count - 1].file_line = file_line;
}

bool
errors_has_literal(const struct errors *e, uint32_t line)
{
	for (size_t i = 0; i < e->count && e->literals != 0; i++)
		if (e->rows[i].literal && e->rows[i].line == line)
			return true;
	return false;
}

static int
by_place(const void *a, const void *b)
{
	const struct error_row *x = a;
	const struct error_row *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void
errors_finish(struct errors *e, const struct text *text, struct conf_errors *out)
{
	*out = (struct conf_errors){0};
	if (e->count == 0) {
		free(e->rows);
		return;
	}
	qsort(e->rows, e->count, sizeof(*e->rows), by_place);
	out->list = conf_alloc(e->count, sizeof(*out->list));
	out->count = e->count;
	for (size_t i = 0; i < e->count; i++) {
		struct conf_error *row = &out->list[i];
		const struct error_row *from = &e->rows[i];
		bool elsewhere = from->file[0] != '\0';

		snprintf(row->file, sizeof(row->file), "%s",
			elsewhere ? from->file : text_origin_file(text, from->line));
		row->line = elsewhere ? (int)from->file_line : text_origin_line(text, from->line);
		memcpy(row->message, from->message, sizeof(row->message));
	}
	free(e->rows);
	*e = (struct errors){0};
}

void
conf_errors_free(struct conf_errors *errors)
{
	free(errors->list);
	*errors = (struct conf_errors){0};
}

void
conf_errors_print(const struct conf_errors *errors, FILE *to)
{
	for (size_t i = 0; i < errors->count; i++)
		fprintf(to, "%s:%d: %s\n", errors->list[i].file, errors->list[i].line,
			errors->list[i].message);
}
