/* The one table of reasons. See reason.h. */
#include "base/reason.h"

#include <stddef.h>

static const struct {
	const char *tag;
	const char *sentence;
} reasons[REASON_COUNT] = {
#define REASON_TEXT(name, tag, sentence) {tag, sentence},
	REASON_TABLE(REASON_TEXT)
#undef REASON_TEXT
};

const char *
reason_tag(enum reason r)
{
	return (size_t)r < REASON_COUNT ? reasons[r].tag : "invalid";
}

const char *
reason_sentence(enum reason r)
{
	return (size_t)r < REASON_COUNT ? reasons[r].sentence : "invalid";
}
