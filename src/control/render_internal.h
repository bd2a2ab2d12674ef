/* What the renderings share: looking into JSON that another version may have made. */
#ifndef TANDEM_CONTROL_RENDER_INTERNAL_H
#define TANDEM_CONTROL_RENDER_INTERNAL_H

#include "control/render.h"

static inline const char *
text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "-";
}

/* -1 when it is null or absent. */
static inline int64_t
int_of(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_integer(v) ? (int64_t)json_integer_value(v) : -1;
}

static inline bool
is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static inline void
print_plain(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, to);
}

/* Of a real server that an operator drains; others have nothing to tell. */
void render_drain(FILE *to, const json_t *server);

#endif
