/*
 * The start of an answer, and the text that it has to hold somewhere. Bounded: what a server says
 * beyond that is not looked at.
 */
#include "probe/kind.h"

#include <string.h>

void
answer_add(struct answer *a, const void *bytes, size_t length)
{
	size_t room = sizeof(a->bytes) - a->length;

	if (length > room)
		length = room;
	memcpy(a->bytes + a->length, bytes, length);
	a->length = (uint16_t)(a->length + length);
}

bool
answer_holds(const struct answer *a, const struct conf_bytes *text)
{
	return memmem(a->bytes, a->length, text->bytes, text->length) != NULL;
}

void
answer_show(const struct answer *a, char out[HTTP_EVIDENCE])
{
	size_t n = a->length < HTTP_EVIDENCE - 1 ? a->length : HTTP_EVIDENCE - 1, i;

	for (i = 0; i < n; i++)
		out[i] = a->bytes[i] >= ' ' && a->bytes[i] < 0x7f ? (char)a->bytes[i] : '.';
	out[n] = '\0';
}
