/*
 * Regular expressions (PCRE2) that a probe looks for in what a server sent. The pattern is the
 * operator's, the bytes are a stranger's: a match has a budget of work, memory and depth, whatever
 * the two of them are, so that nobody can hold a prober up. Bytes are bytes: no UTF.
 */
#ifndef TANDEM_CONF_PATTERN_H
#define TANDEM_CONF_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern;

enum { PATTERN_FAULT = 160 }; /* bytes of a message */

/* NULL: it is none, and *fault says why and where; or without memory. */
struct pattern *pattern_new(const char *text, char fault[PATTERN_FAULT]);
void pattern_free(struct pattern *p);

enum pattern_result { PATTERN_MATCHES, PATTERN_DIFFERS, PATTERN_TOO_MUCH };

/* PATTERN_TOO_MUCH: it would have taken more than its budget. */
enum pattern_result pattern_match(const struct pattern *p, const void *bytes, size_t length);

#endif
