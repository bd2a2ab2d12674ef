/* The tokens of a configuration, as libconfig's scanner sees them. See text.h for why. */
#ifndef TANDEM_CONF_TOKENS_H
#define TANDEM_CONF_TOKENS_H

#include "conf/text.h"

enum lex_state { LEX_PLAIN, LEX_LINE_COMMENT, LEX_COMMENT, LEX_STRING };

/* Tells text from strings and comments, one byte after the other. Zeroed is the start. */
struct lexer {
	enum lex_state state;
	char last; /* the byte before, where it has a meaning for this one; else NUL */
};

void lexer_step(struct lexer *x, char c);

/*
 * Notes the line of every setting and adds errors for numbers that libconfig would wrap and for
 * strings that it would cut short.
 */
void tokens_look_through(struct text *t, struct errors *errors);

#endif
