/* JSON pointers (RFC 6901): reference tokens one after the other. Pure, no tree of JSON here. */
#ifndef TANDEM_CORE_JSON_POINTER_H
#define TANDEM_CORE_JSON_POINTER_H

#include <stdbool.h>
#include <stddef.h>

/* "" or tokens that begin with '/', in which every '~' is followed by '0' or '1'. */
bool json_pointer_sound(const char *pointer);

/*
 * The next token of a sound pointer, unescaped, and *pointer behind it. False at the end, or when
 * the token does not fit.
 */
bool json_pointer_next(const char **pointer, char *token, size_t size);

/* A place in an array: digits without a leading zero. False for "-" (behind the last) as well. */
bool json_pointer_index(const char *token, size_t *index);

#endif
