/*
 * Looking through the tokens. See tokens.h.
 *
 * libconfig builds its tree in the order of the text: a named setting begins with its name, one in
 * a list with its value. So the list of lines made here is that of a walk through the tree.
 */
#include "conf/tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
lexer_step(struct lexer *x, char c)
{
	char last = x->last;

	x->last = '\0';
	switch (x->state) {
	case LEX_PLAIN:
		if (c == '"')
			x->state = LEX_STRING;
		else if (c == '#' || (last == '/' && c == '/'))
			x->state = LEX_LINE_COMMENT;
		else if (last == '/' && c == '*')
			x->state = LEX_COMMENT;
		else
			x->last = c;
		break;
	case LEX_LINE_COMMENT:
		if (c == '\n')
			x->state = LEX_PLAIN;
		break;
	case LEX_COMMENT:
		if (last == '*' && c == '/')
			x->state = LEX_PLAIN;
		else
			x->last = c;
		break;
	case LEX_STRING:
		if (last != '\\' && c == '"')
			x->state = LEX_PLAIN;
		else
			x->last = last == '\\' ? '\0' : c;
		break;
	}
}

struct walk {
	struct text *text;
	struct errors *errors;
	const char *at;
	uint32_t line;
	bool named;       /* the name and '=' of the next value have been seen */
	bool after_string; /* strings next to each other are one */
};

static void
note_setting(struct walk *w)
{
	struct text *t = w->text;

	t->settings = conf_grow(t->settings, t->setting_count, &t->setting_capacity,
		sizeof(*t->settings));
	t->settings[t->setting_count++] = w->line;
}

static void
begin_value(struct walk *w)
{
	if (!w->named)
		note_setting(w);
	w->named = false;
}

static void
skip_comment(struct walk *w, struct lexer *x)
{
	while (*w->at != '\0' && x->state != LEX_PLAIN) {
		if (*w->at == '\n')
			w->line++;
		lexer_step(x, *w->at++);
	}
}

static void
take_string(struct walk *w)
{
	struct lexer x = {.state = LEX_STRING};

	if (!w->after_string)
		begin_value(w);
	for (w->at++; *w->at != '\0' && x.state == LEX_STRING; w->at++) {
		if (*w->at == '\n')
			w->line++;
		if (x.last == '\\' && strncmp(w->at, "x00", 3) == 0)
			errors_add(w->errors, w->line, "\\x00 is not allowed in a text");
		lexer_step(&x, *w->at);
	}
	w->after_string = true;
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void
take_name(struct walk *w)
{
	const char *start = w->at;
	size_t n;

	while (is_name_start(*w->at) || is_digit(*w->at) || *w->at == '_' || *w->at == '-')
		w->at++;
	n = (size_t)(w->at - start);
	if ((n == 4 && strncasecmp(start, "true", n) == 0) ||
		(n == 5 && strncasecmp(start, "false", n) == 0)) {
		begin_value(w);
		return;
	}
	note_setting(w);
	w->named = true; /* '=' or ':' follows, or libconfig refuses the text */
}

/* Decimal or hexadecimal, perhaps with L or LL at its end; NULL in *rest when it is neither. */
static bool
fits_int32(const char *start, size_t n)
{
	char digits[80];
	char *rest;
	long long value;
	bool hex = n > 2 && start[0] == '0' && (start[1] == 'x' || start[1] == 'X');

	if (n >= sizeof(digits))
		return false;
	memcpy(digits, start, n);
	digits[n] = '\0';
	errno = 0;
	value = strtoll(digits, &rest, hex ? 16 : 10);
	if (strcmp(rest, "") != 0 && strcmp(rest, "L") != 0 && strcmp(rest, "LL") != 0)
		return true; /* a float or no number at all: not our concern */
	return errno == 0 && value >= INT32_MIN && value <= INT32_MAX;
}

static void
take_number(struct walk *w)
{
	const char *start = w->at;
	size_t n;

	begin_value(w);
	if (*w->at == '-' || *w->at == '+')
		w->at++;
	while (is_name_start(*w->at) || is_digit(*w->at) || *w->at == '.' ||
		((*w->at == '-' || *w->at == '+') && (w->at[-1] == 'e' || w->at[-1] == 'E')))
		w->at++;
	n = (size_t)(w->at - start);
	if (!fits_int32(start, n))
		errors_add_literal(w->errors, w->line,
			"the number %.*s is out of range; no number here goes beyond 2147483647",
			(int)(n < 40 ? n : 40), start);
}

static bool
begins_number(const char *at)
{
	if (*at == '-' || *at == '+')
		at++;
	return is_digit(*at) || *at == '.';
}

/* One token or one byte between tokens. */
static void
take_one(struct walk *w)
{
	char c = *w->at;
	struct lexer x = {.state = LEX_PLAIN};

	if (c == '#' || (c == '/' && (w->at[1] == '/' || w->at[1] == '*'))) {
		lexer_step(&x, *w->at++);
		if (c == '/')
			lexer_step(&x, *w->at++);
		skip_comment(w, &x);
		return;
	}
	if (c == '"') {
		take_string(w);
		return;
	}
	if (c != '\n' && c != ' ' && c != '\t' && c != '\r' && c != '\f')
		w->after_string = false;
	if (is_name_start(c)) {
		take_name(w);
		return;
	}
	if (begins_number(w->at)) {
		take_number(w);
		return;
	}
	if (c == '{' || c == '(' || c == '[')
		begin_value(w);
	if (c == '\n')
		w->line++;
	w->at++;
}

void
tokens_look_through(struct text *t, struct errors *errors)
{
	struct walk w = {.text = t, .errors = errors, .at = t->bytes, .line = 1};

	while (*w.at != '\0')
		take_one(&w);
}
