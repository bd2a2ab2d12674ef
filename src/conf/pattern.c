/*
 * PCRE2 on a budget. See pattern.h.
 *
 * PCRE2's own limit of matching counts for each place at which a match may begin, of which there are
 * as many as bytes. So the pattern is compiled with a callout before each of its items, and what is
 * counted there is every item tried and every byte that was moved over since: that sum is what a
 * match costs. No JIT: it needs memory that is written and executed.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "conf/pattern.h"
#include "base/limits.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	STEPS = 1000000,       /* some 10 ms; an honest match takes a few for each byte */
	TRIES = 1000000,       /* from one place */
	DEPTH = 1000,          /* of backtracking that has to be remembered */
	HEAP_KIB = 2048,
	NESTED = 32,
	COMPILED_MAX = 65536,  /* bytes */
};

struct pattern {
	pcre2_code *code;
};

/* What a match has cost so far. */
struct budget {
	size_t steps, at;
};

static pcre2_code *
compile(const char *text, int *error, size_t *at)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;

	if (context == NULL) {
		*error = PCRE2_ERROR_NOMEMORY;
		return NULL;
	}
	pcre2_set_max_pattern_length(context, LIMIT_REGEX);
	pcre2_set_parens_nest_limit(context, NESTED);
	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PCRE2_AUTO_CALLOUT |
		PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C, error, at, context);
	pcre2_compile_context_free(context);
	return code;
}

struct pattern *
pattern_new(const char *text, char fault[PATTERN_FAULT])
{
	struct pattern *p = calloc(1, sizeof(*p));
	int error = PCRE2_ERROR_NOMEMORY;
	size_t at = 0, size = 0;
	char why[120];

	if (p != NULL)
		p->code = compile(text, &error, &at);
	if (p != NULL && p->code != NULL) {
		if (pcre2_pattern_info(p->code, PCRE2_INFO_SIZE, &size) == 0 && size <= COMPILED_MAX)
			return p;
		snprintf(fault, PATTERN_FAULT, "it is too large when it is compiled");
	} else {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
		snprintf(fault, PATTERN_FAULT, "%s (at character %zu)", why, at + 1);
	}
	pattern_free(p);
	return NULL;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_code_free(p->code);
	free(p);
}

static int
on_item(pcre2_callout_block *block, void *of)
{
	struct budget *b = of;
	size_t at = block->current_position;

	b->steps += 1 + (at > b->at ? at - b->at : b->at - at);
	b->at = at;
	return b->steps > STEPS ? PCRE2_ERROR_MATCHLIMIT : 0;
}

enum pattern_result
pattern_match(const struct pattern *p, const void *bytes, size_t length)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	struct budget budget = {0, 0};
	int found = PCRE2_ERROR_NOMEMORY;

	if (context != NULL && data != NULL) {
		pcre2_set_match_limit(context, TRIES);
		pcre2_set_depth_limit(context, DEPTH);
		pcre2_set_heap_limit(context, HEAP_KIB);
		pcre2_set_callout(context, on_item, &budget);
		found = pcre2_match(p->code, bytes, length, 0, 0, data, context);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	if (found >= 0)
		return PATTERN_MATCHES;
	return found == PCRE2_ERROR_NOMATCH ? PATTERN_DIFFERS : PATTERN_TOO_MUCH;
}
