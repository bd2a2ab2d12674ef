/* See json_pointer.h. */
#include "core/json_pointer.h"

#include <stdint.h>

bool
json_pointer_sound(const char *pointer)
{
	if (*pointer != '\0' && *pointer != '/')
		return false;
	for (; *pointer != '\0'; pointer++)
		if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1')
			return false;
	return true;
}

bool
json_pointer_next(const char **pointer, char *token, size_t size)
{
	const char *at = *pointer;
	size_t length = 0;

	if (*at != '/')
		return false;
	for (at++; *at != '\0' && *at != '/'; at++) {
		char c = *at;

		if (c == '~' && at[1] != '\0')
			c = *++at == '1' ? '/' : '~';
		if (length + 1 >= size)
			return false;
		token[length++] = c;
	}
	token[length] = '\0';
	*pointer = at;
	return true;
}

bool
json_pointer_index(const char *token, size_t *index)
{
	size_t value = 0;

	if (*token == '\0' || (*token == '0' && token[1] != '\0'))
		return false;
	for (; *token != '\0'; token++) {
		if (*token < '0' || *token > '9' || value > (SIZE_MAX - 9) / 10)
			return false;
		value = value * 10 + (size_t)(*token - '0');
	}
	*index = value;
	return true;
}
